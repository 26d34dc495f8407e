// SPDX-License-Identifier: Apache-2.0
//
// Which plans may be shared among workers: not those whose expressions change something, or ask the
// session (sequences, settings, catalog text, names of reg* values), since a session belongs to one
// thread.
#include "exec/exec_int.h"

typedef struct Search {
    bool unsafe;
} Search;

static void search_plan(Search *search, const Plan *plan);

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Functions that are not volatile but need the session. */
static bool asks_session(const char *name)
{
    static const char *const prefixes[] = {
        "pg_",
        "has_",
        "current_schema",
        "current_setting",
        "currval",
        "lastval",
        "to_reg",
        "format_type",
        "obj_description",
        "col_description",
        "shobj_description",
        "dbaspot_",
        "txid_",
    };

    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        if (starts_with(name, prefixes[i]))
            return true;
    }
    return false;
}

static bool is_reg_type(Oid oid)
{
    const TypeInfo *info = type_info(oid);

    return info && starts_with(info->name, "reg");
}

static bool func_is_unsafe(const FuncInfo *info)
{
    return info && (info->volatility == VOLATILE ||
                    (info->volatility == STABLE && asks_session(info->name)));
}

static bool search_node(void *arg, Expr *expr)
{
    Search *search = arg;

    switch (expr->kind) {
    case EXPR_FUNC:
    case EXPR_NULLIF:
    case EXPR_ANY: search->unsafe |= func_is_unsafe(expr->func.info); break;
    case EXPR_CAST:
        search->unsafe |= is_reg_type(expr->type.oid) || is_reg_type(expr->args[0]->type.oid);
        break;
    case EXPR_SUBQUERY: search_plan(search, expr->subquery.plan); break;
    default: break;
    }
    return !search->unsafe;
}

static void search_expr(void *arg, Expr **expr)
{
    expr_walk(*expr, search_node, arg);
}

static void search_plan(Search *search, const Plan *plan)
{
    if (plan == NULL || search->unsafe)
        return;
    plan_each_expr((Plan *)plan, search_expr, search);
    search_plan(search, plan->children[0]);
    search_plan(search, plan->children[1]);
}

bool plan_is_parallel_safe(const Plan *plan)
{
    Search search = {0};

    search_plan(&search, plan);
    return !search.unsafe;
}
