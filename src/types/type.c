// SPDX-License-Identifier: Apache-2.0
//
// The rows of types.def and what follows from a type and its typmod: physical form, printed name,
// typmods from SQL's modifiers. Lookups are switches over constants, so they need no start-up.
#include "types/type.h"

const uint8_t phys_size[PHYS_COUNT] = {
    [PHYS_BOOL] = 1,    [PHYS_INT16] = 2,    [PHYS_INT32] = 4,   [PHYS_INT64] = 8,
    [PHYS_INT128] = 16, [PHYS_FLOAT32] = 4,  [PHYS_FLOAT64] = 8, [PHYS_INTERVAL] = 16,
    [PHYS_UUID] = 16,   [PHYS_NUMERIC] = 32, [PHYS_STRING] = 16,
};

static const TypeInfo rows[] = {
#define TYPE_DEF(oid, name, sql_name, category, preferred, length, phys, element, array) \
    {oid, name, sql_name, category, preferred, length, phys, element, array},
#include "types/types.def"
#undef TYPE_DEF
};

enum {
#define TYPE_DEF(oid, ...) ROW_##oid,
#include "types/types.def"
#undef TYPE_DEF
};

const TypeInfo *type_info(Oid oid)
{
    switch (oid) {
#define TYPE_DEF(oid, ...) \
    case oid:              \
        return &rows[ROW_##oid];
#include "types/types.def"
#undef TYPE_DEF
    default: return NULL;
    }
}

const TypeInfo *type_rows(uint32_t *count)
{
    *count = ARRAY_COUNT(rows);
    return rows;
}

/* Spellings that are neither typname nor what format_type prints. */
static const struct {
    const char *name;
    Oid oid;
} aliases[] = {
    {"int", OID_INT4},
    {"decimal", OID_NUMERIC},
    {"dec", OID_NUMERIC},
    {"float", OID_FLOAT8},
    {"timestamp", OID_TIMESTAMP},
    {"time", OID_TIME},
    {"char varying", OID_VARCHAR},
    {"national character", OID_BPCHAR},
    {"nchar", OID_BPCHAR},
    {"serial", OID_INT4},
    {"bigserial", OID_INT8},
    {"smallserial", OID_INT2},
};

const TypeInfo *type_by_name(Str name)
{
    Str element = name;

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (str_is(name, rows[i].name))
            return &rows[i];
    }
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (str_equal_nocase(name, str_from(rows[i].sql_name)))
            return &rows[i];
    }
    for (size_t i = 0; i < ARRAY_COUNT(aliases); i++) {
        if (str_equal_nocase(name, str_from(aliases[i].name)))
            return type_info(aliases[i].oid);
    }
    while (element.len > 2 && memcmp(element.ptr + element.len - 2, "[]", 2) == 0)
        element = str_trim(str_make(element.ptr, element.len - 2));
    const TypeInfo *info = element.len < name.len ? type_by_name(element) : NULL;
    return info && info->array ? type_info(info->array) : NULL;
}

PhysType type_phys(SqlType type)
{
    if (type.oid == OID_NUMERIC && type.typmod >= 4)
        return type_numeric_precision(type) <= 18 ? PHYS_INT64 : PHYS_INT128;
    const TypeInfo *info = type_info(type.oid);
    ASSERT(info != NULL);
    return info->phys;
}

/* The fields of an interval type, by the mask that its typmod carries. */
static const struct {
    int32_t mask;
    const char *text;
} interval_fields[] = {
    {1 << 2, " year"},
    {1 << 1, " month"},
    {1 << 3, " day"},
    {1 << 10, " hour"},
    {1 << 11, " minute"},
    {1 << 12, " second"},
    {1 << 2 | 1 << 1, " year to month"},
    {1 << 3 | 1 << 10, " day to hour"},
    {1 << 3 | 1 << 10 | 1 << 11, " day to minute"},
    {1 << 3 | 1 << 10 | 1 << 11 | 1 << 12, " day to second"},
    {1 << 10 | 1 << 11, " hour to minute"},
    {1 << 10 | 1 << 11 | 1 << 12, " hour to second"},
    {1 << 11 | 1 << 12, " minute to second"},
};

static char *format_interval(Scope *scope, int32_t typmod)
{
    int32_t precision = typmod & 0xffff;
    const char *fields = "";

    for (size_t i = 0; i < ARRAY_COUNT(interval_fields); i++) {
        if (interval_fields[i].mask == (typmod >> 16 & 0x7fff))
            fields = interval_fields[i].text;
    }
    if (precision == 0xffff)
        return scope_printf(scope, "interval%s", fields);
    return scope_printf(scope, "interval%s(%d)", fields, precision);
}

static char *format_scalar(Scope *scope, const TypeInfo *info, int32_t typmod)
{
    SqlType type = {info->oid, typmod};

    if (typmod < 0)
        return scope_strdup(scope, info->sql_name);
    switch (info->oid) {
    case OID_BPCHAR:
    case OID_VARCHAR: return scope_printf(scope, "%s(%d)", info->sql_name, typmod - 4);
    case OID_NUMERIC:
        return scope_printf(scope, "numeric(%d,%d)", type_numeric_precision(type),
                            type_numeric_scale(type));
    case OID_TIME: return scope_printf(scope, "time(%d) without time zone", typmod);
    case OID_TIMESTAMP: return scope_printf(scope, "timestamp(%d) without time zone", typmod);
    case OID_TIMESTAMPTZ: return scope_printf(scope, "timestamp(%d) with time zone", typmod);
    case OID_INTERVAL: return format_interval(scope, typmod);
    default: return scope_strdup(scope, info->sql_name);
    }
}

char *type_format(Scope *scope, SqlType type)
{
    const TypeInfo *info = type_info(type.oid);

    if (type.oid == OID_INVALID)
        return scope_strdup(scope, "-");
    if (info == NULL)
        return scope_strdup(scope, "???");
    if (info->category == 'A' && info->element && info->oid != OID_INT2VECTOR &&
        info->oid != OID_OIDVECTOR) {
        const TypeInfo *element = type_info(info->element);
        return scope_printf(scope, "%s[]", format_scalar(scope, element, type.typmod));
    }
    return format_scalar(scope, info, type.typmod);
}

static Status make_length(Ctx *ctx, const char *name, int32_t length, int32_t *out)
{
    Status st = OK;

    if (length < 1)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "length for type %s must be at least 1", name);
    if (length > TYPE_LENGTH_MAX)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "length for type %s cannot exceed %d", name,
             TYPE_LENGTH_MAX);
    *out = length + 4;
done:
    return st;
}

static Status make_numeric(Ctx *ctx, const int32_t *mods, uint32_t count, int32_t *out)
{
    Status st = OK;
    int32_t scale = count == 2 ? mods[1] : 0;

    if (mods[0] < 1 || mods[0] > 1000)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "NUMERIC precision %d must be between 1 and 1000",
             mods[0]);
    if (scale < -1000 || scale > 1000)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "NUMERIC scale %d must be between -1000 and 1000",
             scale);
    int32_t digits = scale < 0 ? mods[0] - scale : MAX(mods[0], scale);
    if (digits > NUMERIC_PRECISION_MAX) {
        st = error_raise(ctx, E_FEATURE_NOT_SUPPORTED,
                         "numeric types of more than %d digits are not supported",
                         NUMERIC_PRECISION_MAX);
        error_hint(ctx, "Declare at most %d digits, or use double precision.",
                   NUMERIC_PRECISION_MAX);
        goto done;
    }
    *out = type_numeric(mods[0], scale).typmod;
done:
    return st;
}

static Status make_precision(Ctx *ctx, Oid oid, int32_t precision, int32_t *out)
{
    Status st = OK;

    if (precision < 0)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "%s(%d)%s precision must not be negative",
             oid == OID_TIME ? "TIME" : "TIMESTAMP", precision,
             oid == OID_TIMESTAMPTZ ? " WITH TIME ZONE" : "");
    *out = MIN(precision, 6);
done:
    return st;
}

static Status make_interval(Ctx *ctx, const int32_t *mods, uint32_t count, int32_t *out)
{
    Status st = OK;
    int32_t range = mods[0];
    int32_t precision = 0xffff;
    bool known = range == 0x7fff;

    for (size_t i = 0; i < ARRAY_COUNT(interval_fields); i++)
        known |= interval_fields[i].mask == range;
    if (!known || count > 2)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier");
    if (count == 2) {
        if (mods[1] < 0)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "INTERVAL(%d) precision must not be negative",
                 mods[1]);
        precision = MIN(mods[1], 6);
    }
    *out = range == 0x7fff && count == 1 ? -1 : range << 16 | precision;
done:
    return st;
}

Status type_make_typmod(Ctx *ctx, Oid oid, const int32_t *mods, uint32_t count, int32_t *out)
{
    Status st = OK;
    const TypeInfo *info = type_info(oid);

    ASSERT(info != NULL && count > 0);
    if (info->category == 'A' && info->element)
        return type_make_typmod(ctx, info->element, mods, count, out);
    switch (oid) {
    case OID_NUMERIC:
        if (count > 2)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier");
        return make_numeric(ctx, mods, count, out);
    case OID_INTERVAL: return make_interval(ctx, mods, count, out);
    case OID_BPCHAR:
    case OID_VARCHAR:
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ: break;
    default: FAIL(ctx, E_SYNTAX, "type modifier is not allowed for type \"%s\"", info->name);
    }
    if (count != 1)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "invalid type modifier");
    if (oid == OID_BPCHAR || oid == OID_VARCHAR)
        return make_length(ctx, oid == OID_BPCHAR ? "char" : "varchar", mods[0], out);
    return make_precision(ctx, oid, mods[0], out);
done:
    return st;
}
