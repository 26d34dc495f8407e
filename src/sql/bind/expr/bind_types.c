// SPDX-License-Identifier: Apache-2.0
//
// Types as written, and the types that several expressions have in common (PostgreSQL 15, chapter
// 10.5: UNION, CASE, ARRAY, GREATEST …).
#include "sql/bind/expr/expr_int.h"

// --- type names --------------------------------------------------------------------------------

static Status unknown_type(Binder *b, const AstTypeName *ast)
{
    const AstName *name = &ast->name;
    Status st;

    if (name->schema.ptr)
        st = error_raise(b->ctx, E_UNDEFINED_OBJECT, "type \"%.*s.%.*s\" does not exist",
                         STR_ARGS(name->schema), STR_ARGS(name->name));
    else
        st = error_raise(b->ctx, E_UNDEFINED_OBJECT, "type \"%.*s\" does not exist",
                         STR_ARGS(name->name));
    return bind_at(b, ast->node.location, st);
}

static Status bind_typmods(Binder *b, const AstTypeName *ast, Oid oid, int32_t *out)
{
    Status st = OK;
    int32_t mods[4];

    *out = -1;
    if (ast->typmods.count == 0)
        goto done;
    if (ast->typmods.count > ARRAY_COUNT(mods))
        BIND_FAIL(b, ast->node.location, E_INVALID_PARAMETER_VALUE, "invalid type modifier");
    for (uint32_t i = 0; i < ast->typmods.count; i++) {
        const AstConst *mod = (const AstConst *)ast->typmods.items[i];
        if (!ast_is(&mod->node, AST_CONST) || mod->kind != AST_CONST_INT)
            BIND_FAIL(b, ast->node.location, E_SYNTAX,
                      "type modifiers must be simple constants or identifiers");
        mods[i] = mod->integer;
    }
    TRY(bind_at(b, ast->node.location,
                type_make_typmod(b->ctx, oid, mods, ast->typmods.count, out)));
done:
    return st;
}

Status bind_type(Binder *b, const AstTypeName *ast, SqlType *out)
{
    Status st = OK;
    const TypeInfo *info = NULL;

    if (ast->of_column)
        TRY(bind_unsupported(b, ast->node.location, "%TYPE is"));
    if (ast->setof)
        BIND_FAIL(b, ast->node.location, E_SYNTAX, "SETOF is not allowed here");
    if (ast->name.schema.ptr == NULL || str_is(ast->name.schema, "pg_catalog"))
        info = type_by_name(ast->name.name);
    if (ast->name.schema.ptr && catalog_schema(b->env->catalog, ast->name.schema) == NULL)
        BIND_FAIL(b, ast->node.location, E_INVALID_SCHEMA_NAME, "schema \"%.*s\" does not exist",
                  STR_ARGS(ast->name.schema));
    if (info == NULL)
        TRY(unknown_type(b, ast));
    *out = sql_type(info->oid);
    TRY(bind_typmods(b, ast, info->oid, &out->typmod));
    if (ast->bounds.count > 0 && info->element == 0) {
        if (info->array == 0)
            BIND_FAIL(b, ast->node.location, E_UNDEFINED_OBJECT,
                      "could not find array type for data type %s", bind_type_name(b, info->oid));
        out->oid = info->array;
    }
done:
    return st;
}

// --- common types ------------------------------------------------------------------------------

static bool same_known_types(Expr *const *exprs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (exprs[i]->type.oid == OID_UNKNOWN || exprs[i]->type.oid != exprs[0]->type.oid)
            return false;
    }
    return count > 0;
}

Status bind_common_type(Binder *b, Expr *const *exprs, uint32_t count, const char *context,
                        Oid *out)
{
    Oid chosen = OID_UNKNOWN;

    ASSERT(count > 0);
    if (same_known_types(exprs, count)) {
        *out = exprs[0]->type.oid;
        return OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        Oid next = exprs[i]->type.oid;
        if (next == OID_UNKNOWN || next == chosen)
            continue;
        const TypeInfo *a = type_info(chosen), *c = type_info(next);
        if (chosen == OID_UNKNOWN) {
            chosen = next;
        } else if (a->category != c->category) {
            *out = OID_INVALID;
            if (context == NULL)
                return OK;
            return bind_at(b, bind_start(exprs[i]),
                           error_raise(b->ctx, E_DATATYPE_MISMATCH,
                                       "%s types %s and %s cannot be matched", context,
                                       bind_type_name(b, chosen), bind_type_name(b, next)));
        } else if (!a->preferred && bind_can_coerce(chosen, next, CAST_IMPLICIT) &&
                   !bind_can_coerce(next, chosen, CAST_IMPLICIT)) {
            chosen = next;
        }
    }
    *out = chosen == OID_UNKNOWN ? OID_TEXT : chosen;
    return OK;
}

static bool is_null_const(const Expr *expr)
{
    return expr->kind == EXPR_CONST && expr->constant.is_null;
}

/* The one typmod that all values fit without a change; NULLs fit any. */
static SqlType common_typmod(Expr *const *exprs, uint32_t count, Oid type)
{
    SqlType common = {OID_INVALID, -1};

    for (uint32_t i = 0; i < count; i++) {
        SqlType next = exprs[i]->type;
        if (is_null_const(exprs[i]))
            continue;
        if (common.oid == OID_INVALID)
            common = next;
        else if (type == OID_NUMERIC)
            common = numeric_common_value(common, next);
        else if (common.typmod != next.typmod)
            common.typmod = -1;
    }
    return (SqlType){type, common.oid == OID_INVALID ? -1 : common.typmod};
}

Status bind_to_common(Binder *b, Expr **exprs, uint32_t count, Oid type, const char *context,
                      SqlType *out)
{
    Status st = OK;

    for (uint32_t i = 0; i < count; i++) {
        Oid from = exprs[i]->type.oid;
        if (!bind_can_coerce(from, type, CAST_IMPLICIT))
            BIND_FAIL(b, exprs[i]->location, E_CANNOT_COERCE, "%s could not convert type %s to %s",
                      context, bind_type_name(b, from), bind_type_name(b, type));
        TRY(bind_coerce(b, exprs[i], sql_type(type), CAST_IMPLICIT, exprs[i]->location, &exprs[i]));
    }
    *out = common_typmod(exprs, count, type);
    for (uint32_t i = 0; i < count; i++) {
        if (type == OID_NUMERIC && out->typmod < 0)
            TRY(bind_plain_numeric(b, &exprs[i]));
        else if (out->typmod >= 0)
            TRY(bind_coerce(b, exprs[i], *out, CAST_IMPLICIT, exprs[i]->location, &exprs[i]));
    }
done:
    return st;
}

int32_t bind_start(const Expr *expr)
{
    int32_t start = expr->location;

    for (uint32_t i = 0; i < expr->args_count && start >= 0; i++) {
        int32_t first = bind_start(expr->args[i]);
        if (first >= 0 && first < start)
            start = first;
    }
    return start;
}

int32_t bind_reported_typmod(const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST: return expr->type.oid == OID_NUMERIC ? -1 : expr->type.typmod;
    case EXPR_COLUMN: return expr->column.declared ? expr->type.typmod : -1;
    case EXPR_NULLIF: return bind_reported_typmod(expr->args[0]);
    case EXPR_CAST: return expr->cast.explicit_cast ? expr->type.typmod : -1;
    case EXPR_COALESCE:
    case EXPR_GREATEST:
    case EXPR_LEAST:
        for (uint32_t i = 0; i < expr->args_count; i++) {
            if (bind_reported_typmod(expr->args[i]) != expr->type.typmod)
                return -1;
        }
        return expr->type.typmod;
    case EXPR_CASE:
        for (uint32_t i = 1; i < expr->args_count; i += 2) {
            if (bind_reported_typmod(expr->args[i]) != expr->type.typmod)
                return -1;
        }
        return bind_reported_typmod(expr->args[expr->args_count - 1]) == expr->type.typmod
                   ? expr->type.typmod
                   : -1;
    default: return -1;
    }
}
