// SPDX-License-Identifier: Apache-2.0
//
// ARRAY[…], whose elements meet in one type (or take that of the cast around it), and subscripts.
// Numeric elements are plain: an array's element has no scale of its own in the type. One thread.
#include "sql/bind/expr/expr_int.h"

static Status bind_elements(Binder *b, Level *level, const AstArray *ast, Oid target, Expr *expr)
{
    Status st = OK;

    for (uint32_t i = 0; i < expr->args_count; i++) {
        const AstNode *item = ast->elements.items[i];
        if (ast_is(item, AST_ARRAY))
            TRY(bind_array(b, level, (const AstArray *)item, target, &expr->args[i]));
        else
            TRY(bind_expr(b, level, item, &expr->args[i]));
    }
done:
    return st;
}

/* The elements' type: the one the array is cast to, else the common one. */
static Status element_type(Binder *b, Expr *expr, Oid target, Oid *out)
{
    Status st = OK;

    *out = target ? type_info(target)->element : OID_INVALID;
    if (*out == OID_INVALID)
        TRY(bind_common_type(b, expr->args, expr->args_count, "ARRAY", out));
    else if (type_info(expr->args[0]->type.oid)->element)
        *out = target;
done:
    return st;
}

Status bind_array(Binder *b, Level *level, const AstArray *ast, Oid target, Expr **out)
{
    Status st = OK;
    int32_t location = ast->node.location;
    Expr *expr = expr_new(b->scope, EXPR_ARRAY, sql_type(OID_INVALID), ast->elements.count);
    CastContext context = target ? CAST_EXPLICIT : CAST_IMPLICIT;
    Oid element;

    expr->location = location;
    if (ast->elements.count == 0) {
        if (target == OID_INVALID || type_info(target)->element == OID_INVALID) {
            st = error_raise(b->ctx, E_INDETERMINATE_DATATYPE,
                             "cannot determine type of empty array");
            error_hint(b->ctx, "Explicitly cast to the desired type, for example "
                               "ARRAY[]::integer[].");
            TRY(bind_at(b, location, st));
        }
        expr->type = sql_type(target);
        *out = expr;
        goto done;
    }
    TRY(bind_elements(b, level, ast, target, expr));
    TRY(element_type(b, expr, target, &element));
    for (uint32_t i = 0; i < expr->args_count; i++) {
        TRY(bind_coerce(b, expr->args[i], sql_type(element), context, expr->args[i]->location,
                        &expr->args[i]));
        TRY(bind_plain_numeric(b, &expr->args[i]));
    }
    const TypeInfo *info = type_info(element);
    expr->type = sql_type(info->element ? element : info->array);
    if (expr->type.oid == OID_INVALID)
        BIND_FAIL(b, location, E_UNDEFINED_OBJECT, "could not find array type for data type %s",
                  bind_type_name(b, element));
    *out = bind_fold(b, expr);
done:
    return st;
}

static Status bind_subscript(Binder *b, Level *level, const AstSubscript *step, Expr **out)
{
    Status st = OK;

    if (step->slice)
        TRY(bind_unsupported(b, step->node.location, "array slices are"));
    TRY(bind_expr(b, level, step->upper, out));
    if (!bind_can_coerce((*out)->type.oid, OID_INT4, CAST_ASSIGNMENT))
        BIND_FAIL(b, (*out)->location, E_DATATYPE_MISMATCH,
                  "array subscript must have type integer");
    TRY(bind_coerce(b, *out, sql_type(OID_INT4), CAST_ASSIGNMENT, (*out)->location, out));
done:
    return st;
}

/* (t).a of a table in FROM is t.a; no other value has fields. */
static Status bind_field(Binder *b, Level *level, const AstIndirection *ast, const AstField *field,
                         Expr **out)
{
    Status st = OK;
    const AstColumnRef *ref = (const AstColumnRef *)ast->arg;
    RangeItem *item = NULL;
    Expr *arg;

    if (ast_is(ast->arg, AST_COLUMN_REF) && ref->path.count == 1 && ast->steps.count == 1 &&
        !field->star)
        TRY(bind_find_item(b, level, (Str){0}, ref->path.items[0], -1, &item));
    if (item != NULL) {
        Str path[2] = {ref->path.items[0], field->name};
        AstColumnRef whole = {.node = ref->node, .path = {.items = path, .count = 2}};
        return bind_column_ref(b, level, &whole, out);
    }
    TRY(bind_expr(b, level, ast->arg, &arg));
    BIND_FAIL(b, bind_start(arg), E_WRONG_OBJECT_TYPE,
              "column notation .%.*s applied to type %s, which is not a composite type",
              STR_ARGS(field->name), bind_type_name(b, arg->type.oid));
done:
    return st;
}

/* Steps that are all subscripts make one node: a[1][2]. */
Status bind_indirection(Binder *b, Level *level, const AstIndirection *ast, Expr **out)
{
    Status st = OK;
    Expr *arg;
    uint32_t count = ast->steps.count;

    if (ast_is(ast->steps.items[0], AST_FIELD))
        return bind_field(b, level, ast, (const AstField *)ast->steps.items[0], out);
    TRY(bind_expr(b, level, ast->arg, &arg));
    for (uint32_t i = 0; i < count; i++) {
        if (!ast_is(ast->steps.items[i], AST_SUBSCRIPT))
            TRY(bind_unsupported(b, ast->node.location, "fields of composite values are"));
    }
    const TypeInfo *info = type_info(arg->type.oid);
    if (info->element == OID_INVALID)
        BIND_FAIL(b, ast->node.location, E_DATATYPE_MISMATCH,
                  "cannot subscript type %s because it does not support subscripting",
                  bind_type_name(b, arg->type.oid));
    Expr *expr =
        expr_new(b->scope, EXPR_SUBSCRIPT, (SqlType){info->element, arg->type.typmod}, count + 1);
    expr->args[0] = arg;
    for (uint32_t i = 0; i < count; i++)
        TRY(bind_subscript(b, level, (const AstSubscript *)ast->steps.items[i],
                           &expr->args[i + 1]));
    expr->location = ast->node.location;
    *out = bind_fold(b, expr);
done:
    return st;
}
