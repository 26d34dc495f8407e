// SPDX-License-Identifier: Apache-2.0
//
// Simplification of expressions: constants folded; AND, OR and NOT flattened, freed of constants
// and repetitions; NOT pushed into comparisons; what all branches of an OR have in common taken
// out of it; equalities of one expression with several values made an IN. All rules keep SQL's
// three-valued answer, so that they hold everywhere, not only in WHERE.
#include "sql/optimise/optimise_int.h"

#include "types/array.h"

#define ANY_VALUES_MAX 10000
#define DAY_US         INT64_C(86400000000)
#define DAYS_MAX       2000000 /* well within what both types hold */

static Expr *bool_node(Optimiser *o, ExprKind kind, const ExprList *args)
{
    if (args->count == 0)
        return expr_bool(o->scope, kind == EXPR_AND);
    if (args->count == 1)
        return args->data[0];
    Expr *expr = expr_new(o->scope, kind, sql_type(OID_BOOL), args->count);
    memcpy(expr->args, args->data, args->count * sizeof *expr->args);
    return expr;
}

bool list_has(const ExprList *list, const Expr *expr)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_equal(list->data[i], expr) && !expr_is_volatile(expr))
            return true;
    }
    return false;
}

/* Arguments of nested nodes of the same kind, each once; false if a constant decides. */
static bool flatten(Optimiser *o, const Expr *expr, ExprKind kind, ExprList *out)
{
    for (uint32_t i = 0; i < expr->args_count; i++) {
        Expr *arg = expr->args[i];
        if (arg->kind == kind) {
            if (!flatten(o, arg, kind, out))
                return false;
            continue;
        }
        if (arg->kind == EXPR_CONST && !arg->constant.is_null) {
            if (arg->constant.boolean == (kind == EXPR_OR))
                return false;
            continue;
        }
        if (!list_has(out, arg))
            array_push(o->scope, out, arg);
    }
    return true;
}

// --- OR ----------------------------------------------------------------------------------------

static void branch_conjuncts(Optimiser *o, Expr *branch, ExprList *out)
{
    expr_conjuncts(o->scope, branch, out);
}

static bool is_value(const Expr *expr)
{
    return expr->kind == EXPR_CONST || expr->kind == EXPR_PARAM;
}

/* Lengths do not matter: strings are held alike. */
static bool are_of_one_type(SqlType a, SqlType b)
{
    return a.oid == OID_NUMERIC ? type_equal(a, b) : a.oid == b.oid;
}

/* The expression that an equality or a positive IN tests against values; NULL: it is neither. */
static Expr *tested(const Expr *expr)
{
    if (expr->kind == EXPR_IN && !expr->test.negated) {
        for (uint32_t i = 1; i < expr->args_count; i++) {
            if (!is_value(expr->args[i]))
                return NULL;
        }
        return expr->args[0];
    }
    if (predicate_compare(expr) != COMPARE_EQ || !is_value(expr->args[1]) ||
        !are_of_one_type(expr->args[0]->type, expr->args[1]->type) ||
        expr_is_volatile(expr->args[0]))
        return NULL;
    return expr->args[0];
}

static void merge_values(Optimiser *o, const Expr *in, ExprList *values)
{
    for (uint32_t i = 1; i < in->args_count; i++) {
        if (!list_has(values, in->args[i]))
            array_push(o->scope, values, in->args[i]);
    }
}

/* x = 1 OR x = 2 becomes x IN (1, 2). */
static void merge_equalities(Optimiser *o, ExprList *branches)
{
    ExprList out = {0};

    for (uint32_t i = 0; i < branches->count; i++) {
        Expr *left = tested(branches->data[i]);
        bool merged = false;
        for (uint32_t j = 0; left && j < out.count && !merged; j++) {
            const Expr *before = tested(out.data[j]);
            if (before == NULL || !expr_equal(before, left))
                continue;
            ExprList values = {0};
            merge_values(o, out.data[j], &values);
            merge_values(o, branches->data[i], &values);
            Expr *in = expr_new(o->scope, EXPR_IN, sql_type(OID_BOOL), values.count + 1);
            in->args[0] = left;
            memcpy(in->args + 1, values.data, values.count * sizeof *in->args);
            in->location = branches->data[i]->location;
            out.data[j] = in;
            merged = true;
        }
        if (!merged)
            array_push(o->scope, &out, branches->data[i]);
    }
    *branches = out;
}

/* (a AND b) OR (a AND c) is a AND (b OR c). */
static Expr *extract_common(Optimiser *o, const ExprList *branches)
{
    ExprList *parts = scope_new_array(o->scope, ExprList, branches->count);
    ExprList common = {0}, rest = {0};

    for (uint32_t i = 0; i < branches->count; i++)
        branch_conjuncts(o, branches->data[i], &parts[i]);
    for (uint32_t i = 0; i < parts[0].count; i++) {
        bool everywhere = true;
        for (uint32_t j = 1; j < branches->count && everywhere; j++)
            everywhere = list_has(&parts[j], parts[0].data[i]);
        if (everywhere)
            array_push(o->scope, &common, parts[0].data[i]);
    }
    if (common.count == 0)
        return NULL;
    for (uint32_t i = 0; i < branches->count; i++) {
        ExprList left = {0};
        for (uint32_t j = 0; j < parts[i].count; j++) {
            if (!list_has(&common, parts[i].data[j]))
                array_push(o->scope, &left, parts[i].data[j]);
        }
        if (left.count == 0)
            return bool_node(o, EXPR_AND, &common);
        array_push(o->scope, &rest, bool_node(o, EXPR_AND, &left));
    }
    merge_equalities(o, &rest);
    array_push(o->scope, &common, bool_node(o, EXPR_OR, &rest));
    return bool_node(o, EXPR_AND, &common);
}

static Expr *simplify_or(Optimiser *o, Expr *expr)
{
    ExprList branches = {0};

    if (!flatten(o, expr, EXPR_OR, &branches))
        return expr_bool(o->scope, true);
    merge_equalities(o, &branches);
    if (branches.count > 1) {
        Expr *extracted = extract_common(o, &branches);
        if (extracted)
            return extracted;
    }
    return bool_node(o, EXPR_OR, &branches);
}

static Expr *simplify_and(Optimiser *o, Expr *expr)
{
    ExprList args = {0};

    if (!flatten(o, expr, EXPR_AND, &args))
        return expr_bool(o->scope, false);
    return bool_node(o, EXPR_AND, &args);
}

// --- NOT ---------------------------------------------------------------------------------------

static Expr *negate(Optimiser *o, Expr *arg);

static Expr *negate_all(Optimiser *o, const Expr *expr, ExprKind kind)
{
    Expr *out = expr_new(o->scope, kind, sql_type(OID_BOOL), expr->args_count);

    for (uint32_t i = 0; i < expr->args_count; i++)
        out->args[i] = negate(o, expr->args[i]);
    return kind == EXPR_AND ? simplify_and(o, out) : simplify_or(o, out);
}

static Expr *negate_operator(Optimiser *o, Expr *arg)
{
    const OperatorInfo *op = arg->func.op;

    if (op == NULL || op->negator == NULL || !op->func->strict || arg->args_count != 2)
        return NULL;
    const OperatorInfo *other = operator_exact(op->negator, op->left, op->right);
    if (other == NULL || other->result != OID_BOOL)
        return NULL;
    Expr *copy = scope_new(o->scope, Expr);
    *copy = *arg;
    copy->func.op = other;
    copy->func.info = other->func;
    return copy;
}

static Expr *negate(Optimiser *o, Expr *arg)
{
    Expr *out = NULL;

    switch (arg->kind) {
    case EXPR_CONST:
        return arg->constant.is_null ? arg : expr_bool(o->scope, !arg->constant.boolean);
    case EXPR_NOT: return arg->args[0];
    case EXPR_AND: return negate_all(o, arg, EXPR_OR);
    case EXPR_OR: return negate_all(o, arg, EXPR_AND);
    case EXPR_IS_NULL:
    case EXPR_IS_BOOL:
    case EXPR_DISTINCT:
    case EXPR_IN:
        out = scope_new(o->scope, Expr);
        *out = *arg;
        out->test.negated = !arg->test.negated;
        return out;
    case EXPR_FUNC: out = negate_operator(o, arg); break;
    default: break;
    }
    if (out)
        return out;
    out = expr_new(o->scope, EXPR_NOT, sql_type(OID_BOOL), 1);
    out->args[0] = arg;
    out->location = arg->location;
    return out;
}

// --- the rest ----------------------------------------------------------------------------------

/* CASE: branches whose condition is a constant. */
static Expr *simplify_case(Optimiser *o, Expr *expr)
{
    ExprList args = {0};
    uint32_t i = 0;

    for (; i + 1 < expr->args_count; i += 2) {
        if (expr_is_false(expr->args[i]))
            continue;
        if (expr_is_true(expr->args[i])) {
            i++;
            break;
        }
        array_push(o->scope, &args, expr->args[i]);
        array_push(o->scope, &args, expr->args[i + 1]);
    }
    Expr *otherwise = expr->args[i];
    if (args.count == 0 && type_equal(otherwise->type, expr->type))
        return otherwise;
    if (args.count == 0 || args.count + 1 == expr->args_count)
        return expr;
    array_push(o->scope, &args, otherwise);
    Expr *out = scope_new(o->scope, Expr);
    *out = *expr;
    out->args = args.data;
    out->args_count = args.count;
    return out;
}

/* x = ANY ('{1,2}') becomes x IN (1, 2), which can be a key's bounds. */
static Expr *simplify_any(Optimiser *o, Expr *expr)
{
    const Expr *array = expr->args[1];
    const OperatorInfo *op = expr->func.op;
    ArrayView view;

    if (expr->func.all || op == NULL || strcmp(op->name, "=") != 0 || array->kind != EXPR_CONST ||
        array->constant.is_null)
        return expr;
    array_view(strview_str(&array->constant.string), &view);
    if (view.element.oid != expr->args[0]->type.oid || view.element.oid == OID_NUMERIC ||
        view.count < 2 || view.count > ANY_VALUES_MAX)
        return expr;
    Expr *in = expr_new(o->scope, EXPR_IN, expr->type, view.count + 1);
    in->args[0] = expr->args[0];
    for (uint32_t i = 0; i < view.count; i++) {
        Datum datum = array_get(&view, i);
        in->args[i + 1] = expr_const(o->scope, &datum);
    }
    return in;
}

// --- dates and timestamps ----------------------------------------------------------------------

static Expr *date_compare(Optimiser *o, const Expr *expr, const char *op, int32_t day)
{
    const OperatorInfo *info = operator_exact(op, OID_DATE, OID_DATE);
    Datum datum = {.type = sql_type(OID_DATE), .int32 = day};

    if (info == NULL)
        return NULL;
    Expr *out = expr_new(o->scope, EXPR_FUNC, expr->type, 2);
    out->location = expr->location;
    out->func.op = info;
    out->func.info = info->func;
    out->args[0] = expr->args[0];
    out->args[1] = expr_const(o->scope, &datum);
    return out;
}

/* A date against a constant timestamp (date '…' + interval '…') is one against a date: dates are
   compared faster, and bound keys. */
static Expr *simplify_date(Optimiser *o, Expr *expr)
{
    CompareOp op = predicate_compare(expr);
    Expr *out = NULL;

    if (op == COMPARE_NONE || expr->args[0]->type.oid != OID_DATE ||
        expr->args[1]->type.oid != OID_TIMESTAMP || expr->args[1]->kind != EXPR_CONST ||
        expr->args[1]->constant.is_null)
        return expr;
    int64_t us = expr->args[1]->constant.int64;
    int64_t day = us / DAY_US - (us % DAY_US < 0);
    bool midnight = us % DAY_US == 0;
    if (day < -DAYS_MAX || day > DAYS_MAX)
        return expr;
    switch (op) {
    case COMPARE_LT: out = date_compare(o, expr, midnight ? "<" : "<=", (int32_t)day); break;
    case COMPARE_LE: out = date_compare(o, expr, "<=", (int32_t)day); break;
    case COMPARE_GT: out = date_compare(o, expr, ">", (int32_t)day); break;
    case COMPARE_GE: out = date_compare(o, expr, midnight ? ">=" : ">", (int32_t)day); break;
    case COMPARE_EQ:
    case COMPARE_NE:
        if (midnight)
            out = date_compare(o, expr, expr->func.op->name, (int32_t)day);
        break;
    default: break;
    }
    return out ? out : expr;
}

static Expr *simplify_node(void *arg, Expr *expr)
{
    Optimiser *o = arg;

    switch (expr->kind) {
    case EXPR_AND: expr = simplify_and(o, expr); break;
    case EXPR_OR: expr = simplify_or(o, expr); break;
    case EXPR_NOT: expr = negate(o, expr->args[0]); break;
    case EXPR_CASE: expr = simplify_case(o, expr); break;
    case EXPR_ANY: expr = simplify_any(o, expr); break;
    case EXPR_FUNC: expr = simplify_date(o, expr); break;
    default: break;
    }
    return expr->args_count ? sql_fold(o->scope, o->env->io, o->env->session, expr) : expr;
}

Expr *simplify(Optimiser *o, const Expr *expr)
{
    return expr_rewrite(o->scope, expr, simplify_node, o);
}
