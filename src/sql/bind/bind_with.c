// SPDX-License-Identifier: Apache-2.0
//
// WITH: common table expressions. Each is bound once; a reference is a PLAN_CTE_REF. When the query
// is bound and one was referenced once only, its plan moves to the place of the reference; else
// PLAN_CTE keeps its rows for all of them. WITH RECURSIVE makes a PLAN_RECURSIVE of it.
#include "sql/bind/query_int.h"

Cte *bind_find_cte(Level *level, Str name)
{
    for (Level *l = level; l; l = l->up) {
        for (Cte *cte = l->ctes; cte; cte = cte->next) {
            if (str_equal(cte->name, name))
                return cte;
        }
    }
    return NULL;
}

static Status check_reference(Binder *b, const Cte *cte, int32_t location)
{
    Status st = OK;

    if (cte->forbidden)
        BIND_FAIL(b, cte->location >= 0 ? cte->location : location, E_INVALID_RECURSION,
                  cte->forbidden, STR_ARGS(cte->name));
    if (cte->working && b->sublinks > cte->sublinks)
        BIND_FAIL(b, location, E_INVALID_RECURSION,
                  "recursive reference to query \"%.*s\" must not appear within a subquery",
                  STR_ARGS(cte->name));
    if (cte->working && cte->refs.count > 0)
        BIND_FAIL(b, location, E_INVALID_RECURSION,
                  "recursive reference to query \"%.*s\" must not appear more than once",
                  STR_ARGS(cte->name));
done:
    return st;
}

Status bind_cte_ref(Binder *b, Level *level, Cte *cte, const AstTableRef *ast, Plan **out)
{
    Status st = OK;
    Str name = ast->alias ? ast->alias->name : cte->name;
    Plan *plan = plan_new(b->scope, PLAN_CTE_REF, cte->columns_count);
    RangeItem *item;

    TRY(check_reference(b, cte, ast->node.location));
    item = bind_add_item(b, level, name, cte->columns_count);
    item->working = cte->working;
    item->table_name = cte->name;
    item->location = ast->node.location;
    for (uint32_t i = 0; i < cte->columns_count; i++) {
        const PlanColumn *column = &cte->columns[i];
        const ColumnInfo origin = *bind_column_info(b, column->id);
        ColumnId id = bind_new_column(b, level);
        bind_column_info(b, id)->table = origin.table;
        bind_column_info(b, id)->attnum = origin.attnum;
        plan->columns[i] = (PlanColumn){id, column->type, bind_c(b, cte->names[i])};
        item->columns[i].name = cte->names[i];
        item->columns[i].expr =
            expr_column(b->scope, id, column->type, bind_qualified_name(b, name, cte->names[i]));
        item->columns[i].expr->column.declared = cte->declared[i];
    }
    plan->cte.id = cte->id;
    plan->cte.name = bind_c(b, cte->name);
    array_push(b->scope, &cte->refs, plan);
    cte->in_sublink |= b->sublinks > cte->sublinks;
    TRY(bind_apply_alias(b, item, ast->alias, ast->node.location));
    *out = plan;
done:
    return st;
}

// --- definitions -------------------------------------------------------------------------------

static void set_columns(Binder *b, Cte *cte, const BoundQuery *query)
{
    uint32_t count = query->columns_count;

    cte->columns_count = count;
    cte->columns = scope_new_array(b->scope, PlanColumn, count + 1);
    cte->names = scope_new_array(b->scope, Str, count + 1);
    cte->declared = scope_new_array(b->scope, bool, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const BoundColumn *column = &query->columns[i];
        cte->names[i] = i < cte->ast->columns.count ? cte->ast->columns.items[i] : column->name;
        cte->columns[i] = (PlanColumn){column->id, column->type, bind_c(b, cte->names[i])};
        cte->declared[i] = column->declared;
    }
}

static Status check_column_list(Binder *b, const AstCte *ast, const BoundQuery *query)
{
    if (ast->columns.count <= query->columns_count)
        return OK;
    return bind_at(b, ast->node.location,
                   error_raise(b->ctx, E_INVALID_COLUMN_REFERENCE,
                               "WITH query \"%.*s\" has %u columns available but %u columns "
                               "specified",
                               STR_ARGS(ast->name), query->columns_count, ast->columns.count));
}

static Cte *new_cte(Binder *b, const AstCte *ast)
{
    Cte *cte = scope_new(b->scope, Cte);

    cte->name = ast->name;
    cte->ast = ast;
    cte->id = b->ctes_next++;
    cte->sublinks = b->sublinks;
    cte->location = -1;
    return cte;
}

// --- recursion ---------------------------------------------------------------------------------

typedef struct Recursion {
    const AstCte *ast;
    const AstSelect *query; /* base UNION [ALL] step */
    Level *level;           /* around both terms */
    Cte *self;              /* what the name means inside */
    BoundQuery base, step;
} Recursion;

/* All terms but the last, which alone may refer to the whole. */
static const AstNode *base_query(Binder *b, const AstSelect *query)
{
    if (query->args.count == 2)
        return query->args.items[0];
    AstSelect *base = scope_new(b->scope, AstSelect);
    *base = *query;
    base->with = NULL;
    base->args.count--;
    base->order.count = base->locking.count = 0;
    base->limit = base->offset = NULL;
    return &base->node;
}

/* Types of the base as the rows of the recursion have them: numerics of any scale. */
static Status settle_base(Binder *b, Recursion *r)
{
    SqlType *types = scope_new_array(b->scope, SqlType, r->base.columns_count + 1);

    for (uint32_t i = 0; i < r->base.columns_count; i++) {
        BoundColumn *column = &r->base.columns[i];
        types[i] = column->type;
        if (column->type.oid == OID_NUMERIC) {
            types[i].typmod = -1;
            column->declared = false;
        }
    }
    return bind_retype_query(b, r->level, &r->base, types, CAST_IMPLICIT);
}

static Status check_step_types(Binder *b, Recursion *r)
{
    Status st = OK;

    if (r->base.columns_count != r->step.columns_count)
        BIND_FAIL(b, r->ast->node.location, E_SYNTAX,
                  "each UNION query must have the same number of columns");
    for (uint32_t i = 0; i < r->base.columns_count; i++) {
        Expr base = {.kind = EXPR_COLUMN, .type = r->base.columns[i].type, .location = -1};
        Expr step = {.kind = EXPR_COLUMN, .type = r->step.columns[i].type, .location = -1};
        Expr *both[2] = {&base, &step};
        Oid common;
        TRY(bind_common_type(b, both, 2, "UNION", &common));
        if (common == base.type.oid)
            continue;
        st = error_raise(b->ctx, E_DATATYPE_MISMATCH,
                         "recursive query \"%.*s\" column %u has type %s in non-recursive term "
                         "but type %s overall",
                         STR_ARGS(r->ast->name), i + 1, bind_type_name(b, base.type.oid),
                         bind_type_name(b, common));
        error_hint(b->ctx, "Cast the output of the non-recursive term to the correct type.");
        TRY(bind_at(b, r->base.columns[i].location, st));
    }
done:
    return st;
}

static Status check_recursive_form(Binder *b, const Recursion *r)
{
    Status st = OK;
    const AstSelect *query = r->query;
    int32_t location = r->ast->node.location;

    if (query->setop != AST_SETOP_UNION)
        BIND_FAIL(b, location, E_INVALID_RECURSION,
                  "recursive query \"%.*s\" does not have the form non-recursive-term UNION [ALL] "
                  "recursive-term",
                  STR_ARGS(r->ast->name));
    if (query->order.count > 0)
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "ORDER BY in a recursive query is not implemented");
    if (query->offset)
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "OFFSET in a recursive query is not implemented");
    if (query->limit)
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "LIMIT in a recursive query is not implemented");
    if (query->locking.count > 0)
        BIND_FAIL(b, location, E_FEATURE_NOT_SUPPORTED,
                  "FOR UPDATE/SHARE in a recursive query is not implemented");
done:
    return st;
}

static Status recursive_plan(Binder *b, Recursion *r, BoundQuery *out)
{
    Status st = OK;
    uint32_t count = r->base.columns_count;
    SqlType *types = scope_new_array(b->scope, SqlType, count + 1);

    TRY(check_recursive_form(b, r));
    TRY(check_step_types(b, r));
    for (uint32_t i = 0; i < count; i++)
        types[i] = r->base.columns[i].type;
    TRY(bind_retype_query(b, r->level, &r->step, types, CAST_IMPLICIT));
    Plan *plan = plan_new(b->scope, PLAN_RECURSIVE, count);
    plan->children[0] = r->base.plan;
    plan->children[1] = r->step.plan;
    plan->cte.id = r->self->id;
    plan->cte.name = bind_c(b, r->ast->name);
    plan->cte.distinct = !r->query->setop_all;
    *out = r->base;
    out->columns = scope_new_array(b->scope, BoundColumn, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        out->columns[i] = r->base.columns[i];
        out->columns[i].id = bind_new_column(b, r->level);
        plan->columns[i] =
            (PlanColumn){out->columns[i].id, types[i], bind_c(b, out->columns[i].name)};
    }
    out->plan = plan;
done:
    return st;
}

/* The base is bound with the name forbidden, the step with the name as the working table. */
static Status bind_terms(Binder *b, Recursion *r)
{
    Status st = OK;
    const AstSelect *query = r->query;

    r->self->forbidden = "recursive reference to query \"%.*s\" must not appear within its "
                         "non-recursive term";
    if (query->with)
        TRY(bind_with(b, r->level, query->with));
    TRY(bind_query(b, r->level, base_query(b, query), false, &r->base));
    TRY(check_column_list(b, r->ast, &r->base));
    TRY(settle_base(b, r));
    set_columns(b, r->self, &r->base);
    r->self->forbidden = NULL;
    r->self->working = true;
    TRY(bind_query(b, r->level, query->args.items[query->args.count - 1], true, &r->step));
done:
    return st;
}

/* A query that may refer to itself; *found: it does, and *out is the recursion. */
static Status bind_recursive(Binder *b, Level *level, const AstCte *ast, BoundQuery *out)
{
    Status st = OK;
    Recursion r = {.ast = ast, .query = (const AstSelect *)ast->query};

    r.level = scope_new(b->scope, Level);
    level_init(r.level, level);
    r.self = new_cte(b, ast);
    r.level->ctes = r.self;
    if (r.query->setop == AST_SETOP_NONE) {
        r.self->location = ast->node.location;
        r.self->forbidden = "recursive query \"%.*s\" does not have the form non-recursive-term "
                            "UNION [ALL] recursive-term";
        TRY(bind_query(b, r.level, ast->query, false, out));
        goto done;
    }
    TRY(bind_terms(b, &r));
    if (r.self->refs.count == 0) {
        r.level->ctes = NULL;
        TRY(bind_query(b, level, ast->query, false, out));
        goto done;
    }
    TRY(recursive_plan(b, &r, out));
    if (r.query->with)
        out->plan = bind_with_wrap(b, r.level, r.query->with, out->plan);
done:
    return st;
}

// --- the clause --------------------------------------------------------------------------------

static Status check_ctes(Binder *b, const AstWith *with)
{
    Status st = OK;

    for (uint32_t i = 0; i < with->ctes.count; i++) {
        const AstCte *ast = (const AstCte *)with->ctes.items[i];
        for (uint32_t j = 0; j < i; j++) {
            if (str_equal(((const AstCte *)with->ctes.items[j])->name, ast->name))
                BIND_FAIL(b, ast->node.location, E_DUPLICATE_ALIAS,
                          "WITH query name \"%.*s\" specified more than once", STR_ARGS(ast->name));
        }
        if (!ast_is(ast->query, AST_SELECT))
            TRY(bind_unsupported(b, ast->node.location, "data-modifying statements in WITH are"));
    }
done:
    return st;
}

Status bind_with(Binder *b, Level *level, const AstWith *with)
{
    Status st = OK;

    TRY(check_ctes(b, with));
    for (uint32_t i = 0; i < with->ctes.count; i++) {
        const AstCte *ast = (const AstCte *)with->ctes.items[i];
        BoundQuery query;
        if (with->recursive)
            TRY(bind_recursive(b, level, ast, &query));
        else
            TRY(bind_query(b, level, ast->query, false, &query));
        TRY(check_column_list(b, ast, &query));
        Cte *cte = new_cte(b, ast);
        set_columns(b, cte, &query);
        cte->plan = query.plan;
        cte->next = level->ctes;
        level->ctes = cte;
    }
done:
    return st;
}

static void find_volatile(void *arg, Expr **expr)
{
    if (expr_is_volatile(*expr))
        *(bool *)arg = true;
}

/* What must not run more or less often than once; a recursion (`costly`) should not. */
static bool has_effects(Plan *plan, bool costly)
{
    bool found = plan->kind == PLAN_LOCK_ROWS || (costly && plan->kind == PLAN_RECURSIVE);

    plan_each_expr(plan, find_volatile, &found);
    for (int i = 0; i < 2 && !found; i++) {
        if (plan->children[i])
            found = has_effects(plan->children[i], costly);
    }
    return found;
}

/* A plan that takes columns from outside stays where they were noted. */
static bool must_stay(Binder *b, const Cte *cte)
{
    ColumnList outer = {0};

    if (cte->ast->materialize == AST_MATERIALIZE_YES || has_effects(cte->plan, cte->in_sublink))
        return true;
    plan_outer_columns(b->scope, cte->plan, &outer);
    return outer.count > 0;
}

/* The reference becomes a projection of the common plan. */
static void inline_cte(Binder *b, const Cte *cte)
{
    Plan *ref = cte->refs.data[0];

    ref->kind = PLAN_PROJECT;
    ref->children[0] = cte->plan;
    memset(&ref->project, 0, sizeof ref->project);
    for (uint32_t i = 0; i < ref->columns_count; i++) {
        Expr *expr =
            expr_column(b->scope, cte->columns[i].id, cte->columns[i].type, cte->columns[i].name);
        array_push(b->scope, &ref->project.exprs, expr);
    }
}

Plan *bind_with_wrap(Binder *b, Level *level, const AstWith *with, Plan *plan)
{
    Cte *cte = level->ctes;

    for (uint32_t i = 0; i < with->ctes.count; i++, cte = cte->next) {
        if (cte->refs.count == 0)
            continue;
        if (cte->refs.count == 1 && !must_stay(b, cte)) {
            inline_cte(b, cte);
            continue;
        }
        Plan *wrap = plan_new(b->scope, PLAN_CTE, plan->columns_count);
        if (plan->columns_count > 0)
            memcpy(wrap->columns, plan->columns, plan->columns_count * sizeof *wrap->columns);
        wrap->children[0] = cte->plan;
        wrap->children[1] = plan;
        wrap->cte.id = cte->id;
        wrap->cte.name = bind_c(b, cte->name);
        plan = wrap;
    }
    return plan;
}
