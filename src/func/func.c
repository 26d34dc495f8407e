// SPDX-License-Identifier: Apache-2.0
//
// The tables of functions, operators and aggregates, and the look-up by name: built once, before
// the first look-up, then immutable. See func.h.
#include "func/func.h"

#include "base/array.h"
#include "base/map.h"
#include "func/derive.h"
#include "func/func_int.h"
#include "os/thread.h"

/* Numbers for rows without PostgreSQL's oid: below OID_USER_MIN, above what PostgreSQL 15 uses. */
#define OID_OWN_FIRST 14000u

#define ARGS(...) .args = {__VA_ARGS__}, .args_count = sizeof((Oid[]){__VA_ARGS__}) / sizeof(Oid)

static FuncInfo funcs[] = {
#define FUNC(oid_, name_, result_, kernel_, strict_, volatility_, cost_, args_, example_, ...) \
    {.oid = (oid_),                                                                            \
     .name = (name_),                                                                          \
     .result = (result_),                                                                      \
     .kernel = (kernel_),                                                                      \
     .strict = (strict_),                                                                      \
     .volatility = (volatility_),                                                              \
     .cost = (cost_),                                                                          \
     ARGS args_,                                                                               \
     .example = (example_),                                                                    \
     ##__VA_ARGS__},
#define SET_FUNC(oid_, name_, result_, set_, strict_, args_, defaults_, ...) \
    {.oid = (oid_),                                                          \
     .name = (name_),                                                        \
     .result = (result_),                                                    \
     .set = (set_),                                                          \
     .strict = (strict_),                                                    \
     .cost = 1,                                                              \
     ARGS args_,                                                             \
     .defaults_count = (defaults_),                                          \
     .example = "",                                                          \
     ##__VA_ARGS__},
#include "func/funcs.def"
#include "func/sets.def"
#undef FUNC
#undef SET_FUNC
};

static AggInfo aggs[] = {
#define AGG(oid_, name_, result_, args_, prefix_, example_, ...) \
    {.oid = (oid_),                                              \
     .name = (name_),                                            \
     .result = (result_),                                        \
     ARGS args_,                                                 \
     .state_bytes = agg_##prefix_##_bytes,                       \
     .update = agg_##prefix_##_update,                           \
     .update_one = agg_##prefix_##_update_one,                   \
     .combine = agg_##prefix_##_combine,                         \
     .finish = agg_##prefix_##_finish,                           \
     .example = (example_),                                      \
     ##__VA_ARGS__},
#include "func/aggregates.def"
#undef AGG
};

static OperatorInfo operators[] = {
#define OPERATOR(oid_, name_, left_, right_, result_, func_, commutator_, negator_) \
    {.oid = (oid_),                                                                 \
     .name = (name_),                                                               \
     .left = (left_),                                                               \
     .right = (right_),                                                             \
     .result = (result_),                                                           \
     .commutator = (commutator_),                                                   \
     .negator = (negator_)},
#include "func/operators.def"
#undef OPERATOR
};

static const char *const operator_funcs[] = {
#define OPERATOR(oid_, name_, left_, right_, result_, func_, commutator_, negator_) func_,
#include "func/operators.def"
#undef OPERATOR
};

/* All rows of one name. */
typedef struct Overloads {
    ARRAY(const void *) rows;
} Overloads;

static struct {
    Once once;
    Scope *scope; /* never closed: the tables live as long as the process */
    StrMap *funcs;
    StrMap *aggs;
    StrMap *operators;
    U64Map *funcs_by_oid;
    U64Map *operators_by_oid;
} tables = {.once = ONCE_INIT};

static void add(StrMap *map, const char *name, const void *row)
{
    Overloads *overloads = strmap_get(map, str_from(name));

    if (overloads == NULL) {
        overloads = scope_new(tables.scope, Overloads);
        strmap_put(map, str_from(name), overloads);
    }
    array_push(tables.scope, &overloads->rows, row);
}

static const FuncInfo *find_func(const char *name, const Oid *args, uint32_t count)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(funcs); i++) {
        if (strcmp(funcs[i].name, name) == 0 && funcs[i].args_count == count &&
            memcmp(funcs[i].args, args, count * sizeof *args) == 0)
            return &funcs[i];
    }
    return NULL;
}

static void link_operator(OperatorInfo *op, const char *func)
{
    Oid args[2] = {op->left, op->right};
    uint32_t prefix = op->left == OID_INVALID;

    op->func = find_func(func, args + prefix, 2 - prefix);
    ASSERT(op->func != NULL && "an operator's function is missing");
}

static void build(void)
{
    Oid next = OID_OWN_FIRST;

    tables.scope = scope_open(NULL, "functions");
    tables.funcs = strmap_new(tables.scope);
    tables.aggs = strmap_new(tables.scope);
    tables.operators = strmap_new(tables.scope);
    tables.funcs_by_oid = u64map_new(tables.scope);
    tables.operators_by_oid = u64map_new(tables.scope);
    for (uint32_t i = 0; i < ARRAY_COUNT(funcs); i++) {
        if (funcs[i].oid == 0)
            funcs[i].oid = next++;
        add(tables.funcs, funcs[i].name, &funcs[i]);
        u64map_put(tables.funcs_by_oid, funcs[i].oid, &funcs[i]);
    }
    for (uint32_t i = 0; i < ARRAY_COUNT(aggs); i++) {
        if (aggs[i].oid == 0)
            aggs[i].oid = next++;
        add(tables.aggs, aggs[i].name, &aggs[i]);
    }
    for (uint32_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (operators[i].oid == 0)
            operators[i].oid = next++;
        link_operator(&operators[i], operator_funcs[i]);
        add(tables.operators, operators[i].name, &operators[i]);
        u64map_put(tables.operators_by_oid, operators[i].oid, &operators[i]);
    }
}

static const void *const *overloads(StrMap *const *map, Str name, uint32_t *count)
{
    once_run(&tables.once, build);
    const Overloads *found = strmap_get(*map, name);
    *count = found ? found->rows.count : 0;
    return found ? found->rows.data : NULL;
}

const FuncInfo *const *func_overloads(Str name, uint32_t *count)
{
    return (const FuncInfo *const *)overloads(&tables.funcs, name, count);
}

const AggInfo *const *agg_overloads(Str name, uint32_t *count)
{
    return (const AggInfo *const *)overloads(&tables.aggs, name, count);
}

const OperatorInfo *const *operator_overloads(Str name, uint32_t *count)
{
    return (const OperatorInfo *const *)overloads(&tables.operators, name, count);
}

const FuncInfo *func_by_oid(Oid oid)
{
    once_run(&tables.once, build);
    return u64map_get(tables.funcs_by_oid, oid);
}

const OperatorInfo *operator_by_oid(Oid oid)
{
    once_run(&tables.once, build);
    return u64map_get(tables.operators_by_oid, oid);
}

const OperatorInfo *operator_exact(const char *name, Oid left, Oid right)
{
    uint32_t count;
    const OperatorInfo *const *rows = operator_overloads(str_from(name), &count);

    for (uint32_t i = 0; i < count; i++) {
        if (rows[i]->left == left && rows[i]->right == right)
            return rows[i];
    }
    return NULL;
}

const FuncInfo *func_rows(uint32_t *count)
{
    once_run(&tables.once, build);
    *count = ARRAY_COUNT(funcs);
    return funcs;
}

const AggInfo *agg_rows(uint32_t *count)
{
    once_run(&tables.once, build);
    *count = ARRAY_COUNT(aggs);
    return aggs;
}

const OperatorInfo *operator_rows(uint32_t *count)
{
    once_run(&tables.once, build);
    *count = ARRAY_COUNT(operators);
    return operators;
}
