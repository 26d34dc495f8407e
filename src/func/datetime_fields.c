// SPDX-License-Identifier: Apache-2.0
//
// extract, date_part and date_trunc. A constant field is looked up once; year, month and day of
// dates and timestamps, which analytical queries ask for, take a path without the checks of the
// general one. See types/datetime.h.
#include "func/rows.h"
#include "func/zone.h"
#include "types/datetime.h"
#include "types/numeric.h"

static const TimeZone *zone_of(const FuncCall *call)
{
    return call->io ? call->io->zone : NULL;
}

static int64_t floor_day(int64_t us)
{
    int64_t day = us / US_PER_DAY;
    return day - (us % US_PER_DAY < 0);
}

/* True if the field, a constant, is year, month or day. */
static bool quick_field(const Vector *name, DateField *field)
{
    if (name->form != VECTOR_CONST || (name->validity && !bitmap_get(name->validity, 0)))
        return false;
    return date_field_find(strview_str((const StrView *)name->values), field) &&
           (*field == FIELD_YEAR || *field == FIELD_MONTH || *field == FIELD_DAY);
}

/* Days from 0000-03-01 to 2000-01-01; days from there to 0001-01-01. */
#define MARCH_0_DAYS   730425
#define FIRST_AD_DAY   306u
#define QUICK_DAYS_END (1u << 29)

/* The calendar without divisions by variables (Neri and Schneider, 2022), for years 1 to 1.4
   million; infinities lie outside. */
static ALWAYS_INLINE bool quick_value(int32_t date, DateField field, int64_t *out)
{
    uint32_t days = (uint32_t)date + MARCH_0_DAYS;

    if (UNLIKELY(days - FIRST_AD_DAY >= QUICK_DAYS_END))
        return false;
    uint32_t quarters = 4 * days + 3;
    uint32_t century = quarters / 146097;
    uint32_t in_century = quarters % 146097 | 3;
    uint64_t product = UINT64_C(2939745) * in_century;
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4; /* from March 1 */
    uint32_t packed = 2141 * day_of_year + 197913;
    bool next_year = day_of_year >= 306;
    if (field == FIELD_YEAR)
        *out = 100 * century + (uint32_t)(product >> 32) + next_year;
    else if (field == FIELD_MONTH)
        *out = (packed >> 16) - (next_year ? 12 : 0);
    else
        *out = (packed & 0xffff) / 2141 + 1;
    return true;
}

static ALWAYS_INLINE void put_result(Vector *out, uint32_t row, int64_t value)
{
    if (out->phys == PHYS_FLOAT64)
        ((double *)out->values)[row] = (double)value;
    else
        ((Numeric *)out->values)[row] = (Numeric){.coefficient = value};
}

static ALWAYS_INLINE bool quick_row(const Vector *v, uint32_t row, DateField field, Vector *out)
{
    uint32_t at = vector_index(v, row);
    int64_t value;
    int32_t date;

    if (v->phys == PHYS_INT32) {
        date = ((const int32_t *)v->values)[at];
    } else {
        int64_t us = ((const int64_t *)v->values)[at];
        if (!timestamp_is_finite(us))
            return false;
        date = (int32_t)floor_day(us);
    }
    if (!quick_value(date, field, &value))
        return false;
    put_result(out, row, value);
    return true;
}

/* The general path: one value as extract's numeric. */
static Status extract_value(FuncCall *call, Str name, const Vector *v, uint32_t row, Numeric *out,
                            bool *is_null)
{
    uint32_t at = vector_index(v, row);

    *is_null = false;
    switch (call->func->args[1]) {
    case OID_DATE:
        return date_extract(call->ctx, name, ((const int32_t *)v->values)[at], out, is_null);
    case OID_TIME: return time_extract(call->ctx, name, ((const int64_t *)v->values)[at], out);
    case OID_TIMESTAMP:
        return timestamp_extract(call->ctx, name, ((const int64_t *)v->values)[at], out, is_null);
    case OID_TIMESTAMPTZ:
        return timestamptz_extract(call->ctx, name, ((const int64_t *)v->values)[at], zone_of(call),
                                   out, is_null);
    default: return interval_extract(call->ctx, name, ((const Interval *)v->values)[at], out);
    }
}

static Status extract_rows(FuncCall *call, const Vector *const *args, uint32_t rows, Vector *out)
{
    Status st = OK;
    Oid type = call->func->args[1];
    DateField field = FIELD_YEAR;
    bool quick = (type == OID_DATE || type == OID_TIMESTAMP) && quick_field(args[0], &field);

    for (uint32_t i = 0; i < rows; i++) {
        Numeric value;
        bool is_null;
        if (!kernel_row_valid(out, i) || (quick && quick_row(args[1], i, field, out)))
            continue;
        TRY(extract_value(call, KERNEL_STR(0), args[1], i, &value, &is_null));
        if (is_null)
            KERNEL_NULL(i);
        else if (out->phys == PHYS_FLOAT64)
            KERNEL_RESULT(double) = numeric_to_double(&value);
        else
            KERNEL_RESULT(Numeric) = value;
    }
done:
    return st;
}

#define EXTRACT(name)                               \
    Status name(KERNEL_PARAMS)                      \
    {                                               \
        return extract_rows(call, args, rows, out); \
    }

EXTRACT(func_extract_date)
EXTRACT(func_extract_time)
EXTRACT(func_extract_timestamp)
EXTRACT(func_extract_timestamptz)
EXTRACT(func_extract_interval)
EXTRACT(func_part_date)
EXTRACT(func_part_time)
EXTRACT(func_part_timestamp)
EXTRACT(func_part_timestamptz)
EXTRACT(func_part_interval)

KERNEL_TRY_ROWS(func_date_trunc_timestamp,
                TRY(timestamp_trunc(call->ctx, KERNEL_STR(0), KERNEL_ARG(int64_t, 1),
                                    &vector_flat(out, int64_t)[i]));)
KERNEL_TRY_ROWS(func_date_trunc_interval,
                TRY(interval_trunc(call->ctx, KERNEL_STR(0), KERNEL_ARG(Interval, 1),
                                   &vector_flat(out, Interval)[i]));)

KERNEL_TRY_ROWS(func_date_trunc_timestamptz, {
    const TimeZone *zone = zone_of(call);
    if (call->func->args_count > 2)
        TRY(func_find_zone(call->ctx, KERNEL_STR(2), &zone));
    TRY(timestamptz_trunc(call->ctx, KERNEL_STR(0), KERNEL_ARG(int64_t, 1), zone,
                          &vector_flat(out, int64_t)[i]));
})
