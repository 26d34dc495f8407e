// SPDX-License-Identifier: Apache-2.0
//
// How many rows pass a condition, as a share. With statistics: common values and histograms;
// without: the guesses below, of which those about ranges look at how wide the range is where the
// type allows it. Conditions count as independent, but for two bounds on one column.
#include "sql/optimise/optimise_int.h"

#include "types/compare.h"
#include "types/numeric.h"

#include <math.h>

#define SHARE_RANGE     0.33
#define SHARE_TWO_SIDED 0.1
#define SHARE_LIKE      0.05
#define SHARE_PREFIX    0.02
#define SHARE_NULL      0.02
#define SHARE_UNKNOWN   0.33
#define SHARE_MIN       1e-9
#define DATE_SPAN_DAYS  2500.0 /* of a date column that nothing is known of */
#define DAY_US          86400e6

static double clamp_share(double share)
{
    return share < SHARE_MIN ? SHARE_MIN : share > 1 ? 1 : share;
}

// --- values as numbers -------------------------------------------------------------------------

/* False: the type has no place on a line. */
static bool datum_number(const Datum *datum, double *out)
{
    if (datum->is_null)
        return false;
    switch (type_phys(datum->type)) {
    case PHYS_BOOL: *out = datum->boolean; break;
    case PHYS_INT16: *out = datum->int16; break;
    case PHYS_INT32: *out = datum->int32; break;
    case PHYS_INT64: *out = (double)datum->int64; break;
    case PHYS_INT128: *out = (double)datum->int128; break;
    case PHYS_FLOAT32: *out = datum->float32; break;
    case PHYS_FLOAT64: *out = datum->float64; break;
    case PHYS_NUMERIC:
        if (datum->numeric.kind != NUMERIC_FINITE)
            return false;
        *out = (double)datum->numeric.coefficient * pow(10, -datum->numeric.scale);
        return true;
    default: return false;
    }
    if (datum->type.oid == OID_NUMERIC)
        *out *= pow(10, -type_numeric_scale(datum->type));
    if (datum->type.oid == OID_DATE)
        *out *= DAY_US;
    return true;
}

/* <0, 0, >0; false if the two cannot be compared. */
static bool datum_order(const Datum *a, const Datum *b, int *out)
{
    double x, y;

    if (a->is_null || b->is_null)
        return false;
    if (datum_number(a, &x) && datum_number(b, &y)) {
        *out = (x > y) - (x < y);
        return true;
    }
    if (type_phys(a->type) != type_phys(b->type))
        return false;
    *out = datum_compare(a, b);
    return true;
}

// --- statistics --------------------------------------------------------------------------------

static double common_total(const ColumnStatistics *s)
{
    double total = 0;

    for (uint32_t i = 0; i < s->common_count; i++)
        total += s->common_fraction[i];
    return total;
}

static double equal_share(const ColumnOrigin *origin, const Datum *value)
{
    const ColumnStatistics *s = origin->statistics;
    int order;

    if (origin->unique || s == NULL)
        return 1 / origin->distinct;
    for (uint32_t i = 0; value && i < s->common_count; i++) {
        if (datum_order(&s->common[i], value, &order) && order == 0)
            return s->common_fraction[i];
    }
    double rest = MAX(1 - s->null_fraction - (value ? common_total(s) : 0), 0);
    double values = MAX(s->distinct - (value ? s->common_count : 0), 1);
    return rest / values;
}

/* The share of the histogram's values below the value. */
static bool histogram_below(const ColumnStatistics *s, const Datum *value, double *out)
{
    uint32_t buckets = s->bounds_count - 1, at = 0;
    double low, high, x;
    int order;

    if (!datum_order(&s->bounds[0], value, &order))
        return false;
    while (at < s->bounds_count && datum_order(&s->bounds[at], value, &order) && order < 0)
        at++;
    if (at == 0 || at == s->bounds_count) {
        *out = at == 0 ? 0 : 1;
        return true;
    }
    double within = 0.5;
    if (datum_number(&s->bounds[at - 1], &low) && datum_number(&s->bounds[at], &high) &&
        datum_number(value, &x) && high > low)
        within = (x - low) / (high - low);
    *out = (at - 1 + within) / buckets;
    return true;
}

/* The share of rows below (or at, if inclusive) the value. */
static bool below_share(const ColumnStatistics *s, const Datum *value, bool inclusive, double *out)
{
    double common = 0, below = 0;
    int order;

    for (uint32_t i = 0; i < s->common_count; i++) {
        if (!datum_order(&s->common[i], value, &order))
            return false;
        if (order < 0 || (inclusive && order == 0))
            common += s->common_fraction[i];
    }
    if (s->bounds_count >= 2 && !histogram_below(s, value, &below))
        return false;
    *out = common + below * MAX(1 - s->null_fraction - common_total(s), 0);
    return s->bounds_count >= 2 || s->common_count > 0;
}

// --- ranges ------------------------------------------------------------------------------------

/* A column's bounds among the conditions of a list. */
typedef struct Range {
    ColumnId id;
    const Expr *low, *high;
    bool low_inclusive, high_inclusive;
} Range;

static double one_sided(const ColumnStatistics *s, const Range *r, double otherwise)
{
    double below;

    if (r->high && r->high->kind == EXPR_CONST &&
        below_share(s, &r->high->constant, r->high_inclusive, &below))
        return below;
    if (r->low && r->low->kind == EXPR_CONST &&
        below_share(s, &r->low->constant, !r->low_inclusive, &below))
        return 1 - s->null_fraction - below;
    return otherwise;
}

static double range_without_statistics(const Range *r)
{
    double low, high;

    if (r->low == NULL || r->high == NULL)
        return SHARE_RANGE;
    Oid type = r->low->type.oid;
    bool dates = type == OID_DATE || type == OID_TIMESTAMP || type == OID_TIMESTAMPTZ;
    if (dates && r->low->kind == EXPR_CONST && r->high->kind == EXPR_CONST &&
        datum_number(&r->low->constant, &low) && datum_number(&r->high->constant, &high)) {
        double share = (high - low + DAY_US) / DAY_US / DATE_SPAN_DAYS;
        return share < 1e-4 ? 1e-4 : share > 0.5 ? 0.5 : share;
    }
    return SHARE_TWO_SIDED;
}

/* Of a unique integer at most as many rows as the range has values. */
static double unique_range(const ColumnOrigin *origin, const Range *r, double share)
{
    double low, high;

    if (origin == NULL || !origin->unique || r->low == NULL || r->high == NULL ||
        r->low->kind != EXPR_CONST || r->high->kind != EXPR_CONST)
        return share;
    Oid type = origin->table->columns[origin->position].type.oid;
    if ((type != OID_INT2 && type != OID_INT4 && type != OID_INT8) ||
        !datum_number(&r->low->constant, &low) || !datum_number(&r->high->constant, &high))
        return share;
    return MIN(share, MAX(high - low + 1, 1) / MAX(origin->size->rows, 1));
}

static double range_share(Optimiser *o, const Range *r)
{
    const ColumnOrigin *origin = column_origin(o, r->id);
    const ColumnStatistics *s = origin ? origin->statistics : NULL;
    double low, high;

    if (s == NULL)
        return unique_range(origin, r, range_without_statistics(r));
    if (r->low && r->high && r->low->kind == EXPR_CONST && r->high->kind == EXPR_CONST &&
        below_share(s, &r->low->constant, !r->low_inclusive, &low) &&
        below_share(s, &r->high->constant, r->high_inclusive, &high))
        return clamp_share(MAX(high - low, 1 / MAX(origin->size->rows, 1)));
    return clamp_share(one_sided(s, r, range_without_statistics(r)));
}

static bool free_of_columns(Optimiser *o, const Expr *expr)
{
    IdSet used = idset_of_expr(o->scope, expr);

    return idset_empty(&used);
}

/* The condition as a bound of a column; false: it is none. */
static bool as_bound(Optimiser *o, const Expr *cond, Range *out)
{
    CompareOp op = predicate_compare(cond);

    if (op == COMPARE_NONE || op == COMPARE_EQ || op == COMPARE_NE)
        return false;
    const Expr *column = cond->args[0], *value = cond->args[1];
    if (column->kind != EXPR_COLUMN) {
        column = cond->args[1];
        value = cond->args[0];
        op = compare_commute(op);
    }
    if (column->kind != EXPR_COLUMN || !free_of_columns(o, value))
        return false;
    *out = (Range){.id = column->column.id};
    if (op == COMPARE_GT || op == COMPARE_GE) {
        out->low = value;
        out->low_inclusive = op == COMPARE_GE;
    } else {
        out->high = value;
        out->high_inclusive = op == COMPARE_LE;
    }
    return true;
}

// --- conditions --------------------------------------------------------------------------------

static double equality_share(Optimiser *o, const Expr *left, const Expr *right)
{
    const ColumnOrigin *a = left->kind == EXPR_COLUMN ? column_origin(o, left->column.id) : NULL;
    const ColumnOrigin *b = right->kind == EXPR_COLUMN ? column_origin(o, right->column.id) : NULL;

    if (a && b)
        return 1 / MAX(a->distinct, b->distinct);
    if (!a && b) {
        const Expr *swap = left;
        left = right;
        right = swap;
        a = b;
    }
    if (a)
        return equal_share(a, right->kind == EXPR_CONST ? &right->constant : NULL);
    double distinct = expr_distinct(o, left, 1000);
    return 1 / MAX(distinct, expr_distinct(o, right, 1000));
}

static double compare_share(Optimiser *o, const Expr *cond, CompareOp op)
{
    Range range;

    if (op == COMPARE_EQ)
        return equality_share(o, cond->args[0], cond->args[1]);
    if (op == COMPARE_NE)
        return 1 - equality_share(o, cond->args[0], cond->args[1]);
    return as_bound(o, cond, &range) ? range_share(o, &range) : SHARE_RANGE;
}

static double in_share(Optimiser *o, const Expr *cond)
{
    double share = 0;

    for (uint32_t i = 1; i < cond->args_count; i++)
        share += equality_share(o, cond->args[0], cond->args[i]);
    share = MIN(share, 0.9);
    return cond->test.negated ? 1 - share : share;
}

static double call_share(const Expr *cond)
{
    const char *name = cond->func.op ? cond->func.op->name : "";
    bool negated = name[0] == '!';
    double share = SHARE_LIKE;

    if (negated)
        name++;
    if (strcmp(name, "~~") != 0 && strcmp(name, "~~*") != 0 && strcmp(name, "~") != 0)
        return SHARE_UNKNOWN;
    const Expr *pattern = cond->args[1];
    if (pattern->kind == EXPR_CONST && !pattern->constant.is_null && name[1] == '~') {
        Str text = strview_str(&pattern->constant.string);
        if (text.len && text.ptr[0] != '%' && text.ptr[0] != '_')
            share = SHARE_PREFIX;
    }
    return negated ? 1 - share : share;
}

static double null_share(Optimiser *o, const Expr *cond)
{
    const Expr *arg = cond->args[0];
    const ColumnOrigin *origin = arg->kind == EXPR_COLUMN ? column_origin(o, arg->column.id) : NULL;
    double share = SHARE_NULL;

    if (origin && origin->statistics)
        share = origin->statistics->null_fraction;
    else if (origin && origin->table->columns[origin->position].not_null)
        share = SHARE_MIN;
    return cond->test.negated ? 1 - share : share;
}

static double or_share(Optimiser *o, const Expr *cond)
{
    double none = 1;

    for (uint32_t i = 0; i < cond->args_count; i++)
        none *= 1 - selectivity_of(o, cond->args[i]);
    return 1 - none;
}

double selectivity_of(Optimiser *o, const Expr *cond)
{
    CompareOp op = predicate_compare(cond);
    ExprList list = {0};

    if (op != COMPARE_NONE)
        return clamp_share(compare_share(o, cond, op));
    switch (cond->kind) {
    case EXPR_CONST: return expr_is_true(cond) ? 1 : SHARE_MIN;
    case EXPR_AND:
        expr_conjuncts(o->scope, (Expr *)cond, &list);
        return selectivity_of_list(o, &list);
    case EXPR_OR: return clamp_share(or_share(o, cond));
    case EXPR_NOT: return clamp_share(1 - selectivity_of(o, cond->args[0]));
    case EXPR_IN: return clamp_share(in_share(o, cond));
    case EXPR_ANY:
        return clamp_share(MIN(10 * equality_share(o, cond->args[0], cond->args[1]), 0.5));
    case EXPR_IS_NULL: return clamp_share(null_share(o, cond));
    case EXPR_IS_BOOL:
        return cond->test.negated || cond->test.test == IS_UNKNOWN
                   ? 0.5
                   : selectivity_of(o, cond->args[0]);
    case EXPR_FUNC: return clamp_share(call_share(cond));
    case EXPR_DISTINCT: {
        double share = equality_share(o, cond->args[0], cond->args[1]);
        return clamp_share(cond->test.negated ? share : 1 - share);
    }
    case EXPR_COLUMN:
    case EXPR_SUBQUERY: return 0.5;
    default: return SHARE_UNKNOWN;
    }
}

double selectivity_of_list(Optimiser *o, const ExprList *conditions)
{
    ARRAY(Range) ranges = {0};
    double share = 1;

    for (uint32_t i = 0; i < conditions->count; i++) {
        Range range;
        uint32_t at = 0;
        if (!as_bound(o, conditions->data[i], &range)) {
            share *= selectivity_of(o, conditions->data[i]);
            continue;
        }
        while (at < ranges.count && ranges.data[at].id != range.id)
            at++;
        if (at == ranges.count) {
            array_push(o->scope, &ranges, range);
        } else if (range.low) {
            ranges.data[at].low = range.low;
            ranges.data[at].low_inclusive = range.low_inclusive;
        } else {
            ranges.data[at].high = range.high;
            ranges.data[at].high_inclusive = range.high_inclusive;
        }
    }
    for (uint32_t i = 0; i < ranges.count; i++)
        share *= range_share(o, &ranges.data[i]);
    return clamp_share(share);
}
