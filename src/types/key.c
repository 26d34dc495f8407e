// SPDX-License-Identifier: Apache-2.0
//
// Order-preserving keys. A column is a marker byte (NULL or not, in the order asked for), then the
// value's bytes, inverted for DESC; values are never a prefix of one another, so columns follow
// each other without a separator. The forms:
//   integers   big-endian, sign bit flipped
//   floats     the bits, all inverted if negative, else the sign bit flipped; one NaN, above all
//   interval   its span in microseconds (a month is 30 days, as PostgreSQL compares), 16 bytes
//   numeric    a class byte (-inf, negative, 0, positive, inf, NaN), then for finite ones the
//   decimal
//              exponent and pairs of digits + 1, ended by 0; inverted if negative
//   bytes      00 as 00 FF, ended by 00 00
//   arrays     each element led by 01, or 02 for a NULL, ended by 00; then the number of
//   dimensions,
//              lengths and lower bounds
#include "types/key.h"

#include "base/array.h"
#include "types/array.h"

#define DAY_US     INT64_C(86400000000)
#define MONTH_DAYS 30

enum { CLASS_NEG_INF, CLASS_NEGATIVE, CLASS_ZERO, CLASS_POSITIVE, CLASS_POS_INF, CLASS_NAN };

enum { ELEMENTS_END, ELEMENT, ELEMENT_NULL };

#define EXPONENT_BIAS     128
#define NUMERIC_BYTES_MAX (2 + NUMERIC_PRECISION_MAX / 2 + 2)
#define PLAIN_BYTES_MAX   32

/* --- putting -------------------------------------------------------------------------------- */

static void put_u64(uint8_t *out, uint64_t value, uint32_t bytes)
{
    value = __builtin_bswap64(value << (64 - 8 * bytes));
    memcpy(out, &value, bytes);
}

static void put_int(uint8_t *out, int64_t value, uint32_t bytes)
{
    put_u64(out, (uint64_t)value ^ (UINT64_C(1) << (8 * bytes - 1)), bytes);
}

static void put_int128(uint8_t *out, int128_t value)
{
    put_u64(out, (uint64_t)(value >> 64) ^ (UINT64_C(1) << 63), 8);
    put_u64(out + 8, (uint64_t)value, 8);
}

static uint64_t float64_order(double value)
{
    uint64_t bits;

    if (value != value)
        return UINT64_MAX;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, 8);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint32_t float32_order(float value)
{
    uint32_t bits;

    if (value != value)
        return UINT32_MAX;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, 4);
    return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static int128_t interval_span(const Interval *interval)
{
    int128_t days = (int128_t)interval->months * MONTH_DAYS + interval->days;

    return days * DAY_US + interval->us;
}

/* The class of a numeric; of a finite one also its digits, without zeros at the end, and where the
   decimal point lies: 0.d1d2… * 10^exponent. */
static uint32_t numeric_digits(const Numeric *value, uint8_t *digits, uint32_t *count,
                               int32_t *exponent)
{
    *count = 0;
    if (value->kind != NUMERIC_FINITE)
        return value->kind == NUMERIC_NAN       ? CLASS_NAN
               : value->kind == NUMERIC_POS_INF ? CLASS_POS_INF
                                                : CLASS_NEG_INF;
    if (value->coefficient == 0)
        return CLASS_ZERO;
    bool negative = value->coefficient < 0;
    uint128_t rest = negative ? -(uint128_t)value->coefficient : (uint128_t)value->coefficient;
    uint8_t reversed[NUMERIC_PRECISION_MAX + 1];
    uint32_t all = 0;
    for (; rest; rest /= 10)
        reversed[all++] = (uint8_t)(rest % 10);
    uint32_t zeros = 0;
    while (reversed[zeros] == 0)
        zeros++;
    for (uint32_t i = all; i > zeros; i--)
        digits[(*count)++] = reversed[i - 1];
    *exponent = (int32_t)all - value->scale;
    return negative ? CLASS_NEGATIVE : CLASS_POSITIVE;
}

static uint32_t put_numeric(uint8_t *out, const Numeric *value)
{
    uint8_t digits[NUMERIC_PRECISION_MAX + 2];
    uint32_t count, at = 0;
    int32_t exponent;
    uint32_t class = numeric_digits(value, digits, &count, &exponent);

    out[at++] = (uint8_t) class;
    if (class != CLASS_NEGATIVE && class != CLASS_POSITIVE)
        return at;
    uint8_t invert = class == CLASS_NEGATIVE ? 0xff : 0;
    out[at++] = (uint8_t)(exponent + EXPONENT_BIAS) ^ invert;
    if (count % 2)
        digits[count++] = 0;
    for (uint32_t i = 0; i < count; i += 2)
        out[at++] = (uint8_t)(digits[i] * 10 + digits[i + 1] + 1) ^ invert;
    out[at++] = 0 ^ invert;
    return at;
}

/* Everything but byte strings; returns how many bytes. */
static uint32_t put_plain(uint8_t *out, PhysType phys, const void *value)
{
    switch (phys) {
    case PHYS_BOOL: out[0] = *(const uint8_t *)value; return 1;
    case PHYS_INT16: put_int(out, *(const int16_t *)value, 2); return 2;
    case PHYS_INT32: put_int(out, *(const int32_t *)value, 4); return 4;
    case PHYS_INT64: put_int(out, *(const int64_t *)value, 8); return 8;
    case PHYS_INT128: put_int128(out, *(const int128_t *)value); return 16;
    case PHYS_FLOAT32: put_u64(out, float32_order(*(const float *)value), 4); return 4;
    case PHYS_FLOAT64: put_u64(out, float64_order(*(const double *)value), 8); return 8;
    case PHYS_INTERVAL: put_int128(out, interval_span(value)); return 16;
    case PHYS_UUID: memcpy(out, value, 16); return 16;
    case PHYS_NUMERIC: return put_numeric(out, value);
    case PHYS_STRING:
    case PHYS_COUNT: break;
    }
    ASSERT(false && "a byte string is not plain");
    return 0;
}

static void append_bytes(StrBuf *out, Str text)
{
    uint8_t *to = (uint8_t *)strbuf_reserve(out, 2 * text.len + 2);

    while (text.len) {
        const char *zero = memchr(text.ptr, 0, text.len);
        size_t plain = zero ? (size_t)(zero - text.ptr) : text.len;
        memcpy(to, text.ptr, plain);
        to += plain;
        if (zero == NULL)
            break;
        *to++ = 0;
        *to++ = 0xff;
        text = (Str){zero + 1, text.len - plain - 1};
    }
    *to++ = 0;
    *to++ = 0;
    out->len = (size_t)((char *)to - out->ptr);
}

static bool is_array(SqlType type)
{
    switch (type.oid) {
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_BYTEA:
    case OID_NAME: return false;
    default: break;
    }
    const TypeInfo *info = type_info(type.oid);
    return info && info->category == 'A';
}

static void append_array(StrBuf *out, Str bytes);

static void append_not_null(StrBuf *out, SqlType type, PhysType phys, const void *value)
{
    if (phys == PHYS_STRING) {
        Str bytes = strview_str(value);
        if (UNLIKELY(is_array(type)))
            append_array(out, bytes);
        else
            append_bytes(out, bytes);
    } else {
        uint8_t *to = (uint8_t *)strbuf_reserve(out, PLAIN_BYTES_MAX);
        out->len += put_plain(to, phys, value);
    }
}

static void append_array(StrBuf *out, Str bytes)
{
    ArrayView array;

    array_view(bytes, &array);
    for (uint32_t i = 0; i < array.count; i++) {
        Datum element = array_get(&array, i);
        strbuf_append_char(out, element.is_null ? ELEMENT_NULL : ELEMENT);
        /* Arrays of arrays do not exist, but for int2vector[] and oidvector[]. */
        if (!element.is_null)
            append_not_null(out, element.type, type_phys(element.type), element.bytes);
    }
    uint8_t *to = (uint8_t *)strbuf_reserve(out, 2 + 8 * ARRAY_DIMENSIONS_MAX);
    *to++ = ELEMENTS_END;
    *to++ = (uint8_t)array.dimensions;
    for (int32_t d = 0; d < array.dimensions; d++)
        put_int(to + 4 * d, array.lengths[d], 4);
    to += 4 * array.dimensions;
    for (int32_t d = 0; d < array.dimensions; d++)
        put_int(to + 4 * d, array.lower[d], 4);
    out->len += 2 + 8 * (size_t)array.dimensions;
}

static void append_value(StrBuf *out, const KeyColumn *column, PhysType phys, const void *value)
{
    size_t start = out->len + 1;

    if (value == NULL) {
        strbuf_append_char(out, column->nulls_first ? 0 : 2);
        return;
    }
    strbuf_append_char(out, 1);
    append_not_null(out, column->type, phys, value);
    if (column->descending) {
        for (size_t i = start; i < out->len; i++)
            out->ptr[i] = (char)~out->ptr[i];
    }
}

void key_append(StrBuf *out, const KeyColumn *column, const Vector *v, uint32_t row)
{
    const char *values = v->values;

    static_assert(NUMERIC_BYTES_MAX <= PLAIN_BYTES_MAX, "a numeric fits");
    append_value(
        out, column, (PhysType)v->phys,
        vector_is_null(v, row) ? NULL : values + (size_t)vector_index(v, row) * phys_size[v->phys]);
}

void key_append_datum(StrBuf *out, const KeyColumn *column, const Datum *datum)
{
    append_value(out, column, type_phys(datum->type), datum->is_null ? NULL : datum->bytes);
}

bool key_successor(StrBuf *key)
{
    while (key->len && (uint8_t)key->ptr[key->len - 1] == 0xff)
        key->len--;
    if (key->len == 0)
        return false;
    key->ptr[key->len - 1]++;
    return true;
}

/* --- reading back --------------------------------------------------------------------------- */

static uint64_t get_u64(const uint8_t *in, uint32_t bytes)
{
    uint64_t value = 0;

    memcpy(&value, in, bytes);
    return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

static int64_t get_int(const uint8_t *in, uint32_t bytes)
{
    uint64_t value = get_u64(in, bytes) ^ (UINT64_C(1) << (8 * bytes - 1));
    uint32_t unused = 64 - 8 * bytes;

    return (int64_t)(value << unused) >> unused;
}

static int128_t get_int128(const uint8_t *in)
{
    uint128_t high = get_u64(in, 8) ^ (UINT64_C(1) << 63);

    return (int128_t)(high << 64 | get_u64(in + 8, 8));
}

/* An interval of the same span; spans that no days and microseconds can say do not arise. */
static bool get_interval(const uint8_t *in, Interval *out)
{
    int128_t span = get_int128(in);
    int128_t days = span / DAY_US;
    int128_t months = 0;

    if (days > INT32_MAX || days < INT32_MIN) {
        months = days / MONTH_DAYS;
        days %= MONTH_DAYS;
    }
    *out = (Interval){(int64_t)(span % DAY_US), (int32_t)days, (int32_t)months};
    return interval_span(out) == span;
}

/* Bytes read, 0 = malformed. `invert` is 0xff for DESC. */
static size_t get_numeric(Str key, uint8_t invert, Numeric *out)
{
    static const uint8_t kinds[] = {[CLASS_NEG_INF] = NUMERIC_NEG_INF,
                                    [CLASS_ZERO] = NUMERIC_FINITE,
                                    [CLASS_POS_INF] = NUMERIC_POS_INF,
                                    [CLASS_NAN] = NUMERIC_NAN};
    size_t at = 0;
    uint32_t class = key.len ? (uint8_t)key.ptr[at++] ^ invert : CLASS_NAN + 1;

    *out = (Numeric){0};
    if (class > CLASS_NAN || key.len < 2)
        return class > CLASS_NAN || class == CLASS_NEGATIVE || class == CLASS_POSITIVE
                   ? 0
                   : (out->kind = kinds[class], at);
    if (class != CLASS_NEGATIVE && class != CLASS_POSITIVE) {
        out->kind = kinds[class];
        return at;
    }
    uint8_t flip = invert ^ (class == CLASS_NEGATIVE ? 0xff : 0);
    int32_t exponent = ((uint8_t)key.ptr[at++] ^ flip) - EXPONENT_BIAS;
    uint128_t coefficient = 0;
    int32_t digits = 0;
    for (;; at++) {
        uint32_t pair = at < key.len ? (uint8_t)key.ptr[at] ^ flip : 0;
        if (at == key.len || pair > 100 || digits > NUMERIC_PRECISION_MAX)
            return 0;
        if (pair == 0)
            break;
        coefficient = coefficient * 100 + (pair - 1);
        digits += 2;
    }
    if (coefficient % 10 == 0 && coefficient) {
        coefficient /= 10;
        digits--;
    }
    /* 0.ddd * 10^exponent = coefficient * 10^(exponent - digits) */
    for (; digits < exponent && digits <= NUMERIC_PRECISION_MAX; digits++)
        coefficient *= 10;
    if (digits < exponent || digits - exponent > NUMERIC_PRECISION_MAX || coefficient == 0)
        return 0;
    out->scale = digits - exponent;
    out->coefficient = class == CLASS_NEGATIVE ? -(int128_t)coefficient : (int128_t)coefficient;
    return at + 1;
}

/* Bytes read, 0 = malformed. */
static size_t get_bytes(Scope *scope, Str key, uint8_t invert, StrView *out)
{
    size_t at = 0, len = 0;
    char *text = scope_alloc(scope, key.len);

    for (;; at++) {
        if (at + 1 >= key.len)
            return 0;
        uint8_t byte = (uint8_t)key.ptr[at] ^ invert;
        if (byte == 0) {
            uint8_t next = (uint8_t)key.ptr[++at] ^ invert;
            if (next == 0)
                break;
            if (next != 0xff)
                return 0;
        }
        text[len++] = (char)byte;
    }
    *out = strview_make(text, len);
    return at + 1;
}

static const uint8_t plain_bytes[PHYS_COUNT] = {
    [PHYS_BOOL] = 1,    [PHYS_INT16] = 2,     [PHYS_INT32] = 4,
    [PHYS_INT64] = 8,   [PHYS_INT128] = 16,   [PHYS_FLOAT32] = 4,
    [PHYS_FLOAT64] = 8, [PHYS_INTERVAL] = 16, [PHYS_UUID] = 16,
};

static double float64_from_order(uint64_t bits)
{
    double value;

    bits = bits >> 63 ? bits & ~(UINT64_C(1) << 63) : ~bits;
    memcpy(&value, &bits, 8);
    return value;
}

static float float32_from_order(uint32_t bits)
{
    float value;

    bits = bits >> 31 ? bits & ~(UINT32_C(1) << 31) : ~bits;
    memcpy(&value, &bits, 4);
    return value;
}

/* False: no such value. */
static bool get_plain(const uint8_t *in, PhysType phys, Datum *out)
{
    switch (phys) {
    case PHYS_BOOL: out->boolean = in[0]; return in[0] <= 1;
    case PHYS_INT16: out->int16 = (int16_t)get_int(in, 2); return true;
    case PHYS_INT32: out->int32 = (int32_t)get_int(in, 4); return true;
    case PHYS_INT64: out->int64 = get_int(in, 8); return true;
    case PHYS_INT128: out->int128 = get_int128(in); return true;
    case PHYS_FLOAT32: out->float32 = float32_from_order((uint32_t)get_u64(in, 4)); return true;
    case PHYS_FLOAT64: out->float64 = float64_from_order(get_u64(in, 8)); return true;
    case PHYS_INTERVAL: return get_interval(in, &out->interval);
    case PHYS_UUID: memcpy(&out->uuid, in, 16); return true;
    default: return false;
    }
}

static size_t get_value(Ctx *ctx, Scope *scope, const KeyColumn *column, Str key, Datum *out);

/* What follows the elements of an array; bytes read, 0 = malformed or not `count` elements. */
static size_t get_shape(Str key, uint8_t invert, uint32_t count, ArrayShape *out)
{
    uint8_t plain[8 * ARRAY_DIMENSIONS_MAX];
    uint64_t product = 1;

    *out = (ArrayShape){.dimensions = key.len ? (uint8_t)key.ptr[0] ^ invert : -1};
    if (out->dimensions < 0 || out->dimensions > ARRAY_DIMENSIONS_MAX)
        return 0;
    size_t bytes = 8 * (size_t)out->dimensions;
    if (key.len < 1 + bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        plain[i] = (uint8_t)key.ptr[1 + i] ^ invert;
    for (int32_t d = 0; d < out->dimensions; d++) {
        out->lengths[d] = (int32_t)get_int(plain + 4 * d, 4);
        out->lower[d] = (int32_t)get_int(plain + 4 * (d + out->dimensions), 4);
        if (out->lengths[d] <= 0 || product > ARRAY_ELEMENTS_MAX)
            return 0;
        product *= (uint64_t)out->lengths[d];
    }
    return product == count || (out->dimensions == 0 && count == 0) ? 1 + bytes : 0;
}

/* Bytes read, 0 = malformed. */
static size_t get_array(Ctx *ctx, Scope *scope, const KeyColumn *column, Str key, StrView *out)
{
    KeyColumn element = {array_element_type(column->type), column->descending, false};
    uint8_t invert = column->descending ? 0xff : 0;
    ARRAY(Datum) elements = {0};
    ArrayShape shape;
    size_t at = 0;

    for (;;) {
        int marker = at < key.len ? (uint8_t)key.ptr[at++] ^ invert : -1;
        if (marker == ELEMENTS_END)
            break;
        Datum value = datum_null(element.type);
        if (marker == ELEMENT) {
            value.is_null = false;
            size_t bytes =
                get_value(ctx, scope, &element, str_make(key.ptr + at, key.len - at), &value);
            if (bytes == 0)
                return 0;
            at += bytes;
        } else if (marker != ELEMENT_NULL) {
            return 0;
        }
        array_push(scope, &elements, value);
    }
    size_t bytes = get_shape(str_make(key.ptr + at, key.len - at), invert, elements.count, &shape);
    if (bytes && array_make(ctx, scope, element.type, &shape, elements.data, out) != OK) {
        error_clear(ctx);
        return 0;
    }
    return bytes ? at + bytes : 0;
}

/* The value behind the marker; bytes read, 0 = malformed. */
static size_t get_value(Ctx *ctx, Scope *scope, const KeyColumn *column, Str key, Datum *out)
{
    PhysType phys = type_phys(column->type);
    uint8_t invert = column->descending ? 0xff : 0;

    if (phys == PHYS_STRING && is_array(column->type))
        return get_array(ctx, scope, column, key, &out->string);
    if (phys == PHYS_STRING)
        return get_bytes(scope, key, invert, &out->string);
    if (phys == PHYS_NUMERIC)
        return get_numeric(key, invert, &out->numeric);
    uint8_t plain[PLAIN_BYTES_MAX];
    size_t bytes = plain_bytes[phys];
    if (key.len < bytes)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        plain[i] = (uint8_t)key.ptr[i] ^ invert;
    return get_plain(plain, phys, out) ? bytes : 0;
}

Status key_decode(Ctx *ctx, Scope *scope, const KeyColumn *column, Str *key, Datum *out)
{
    Status st = OK;
    int marker = key->len ? key->ptr[0] : -1;
    size_t bytes = 0;

    *out = datum_null(column->type);
    if (marker == (column->nulls_first ? 0 : 2)) {
        *key = (Str){key->ptr + 1, key->len - 1};
        goto done;
    }
    if (marker == 1)
        bytes = get_value(ctx, scope, column, (Str){key->ptr + 1, key->len - 1}, out);
    if (bytes == 0)
        FAIL(ctx, E_DATA_CORRUPTED, "malformed key column of type %s",
             type_format(scope, column->type));
    out->is_null = false;
    *key = (Str){key->ptr + 1 + bytes, key->len - 1 - bytes};
done:
    return st;
}
