// SPDX-License-Identifier: Apache-2.0
//
// Text and binary forms of boolean, the integers, oid and its relatives, floating point, numeric
// and uuid: fixed-width values. See io_int.h for how io.c finds them.
#include "types/float.h"
#include "types/io_int.h"
#include "types/numeric.h"

#define IO_ARGS                                                                                   \
    Ctx *ctx, Scope *scope UNUSED, SqlType type UNUSED, Str text, const TypeIoContext *io UNUSED, \
        Datum *out
#define OUTPUT_ARGS \
    StrBuf *out, SqlType type UNUSED, const Vector *v, uint32_t row, const TypeIoContext *io UNUSED

/* --- integers --- */

Status io_parse_int64(Ctx *ctx, Str text, int64_t low, int64_t high, const char *name, int64_t *out)
{
    Str digits = str_trim(text);
    bool negative = false;
    uint64_t value = 0;
    bool large = false;

    if (digits.len && (digits.ptr[0] == '-' || digits.ptr[0] == '+')) {
        negative = digits.ptr[0] == '-';
        digits = str_make(digits.ptr + 1, digits.len - 1);
    }
    if (digits.len == 0)
        return io_bad_syntax(ctx, name, text);
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(digits.ptr[i] - '0');
        if (digit > 9)
            return io_bad_syntax(ctx, name, text);
        large |= __builtin_mul_overflow(value, 10, &value) ||
                 __builtin_add_overflow(value, digit, &value);
    }
    uint64_t limit = negative ? -(uint64_t)low : (uint64_t)high;
    if (large || value > limit)
        return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE,
                           "value \"%.*s\" is out of range for type %s", (int)text.len, text.ptr,
                           name);
    *out = negative ? (int64_t)-value : (int64_t)value;
    return OK;
}

#define INTEGER_IO(name, T, member, bytes, low, high, sql_name)                 \
    static Status name##_input(IO_ARGS)                                         \
    {                                                                           \
        int64_t value = 0;                                                      \
        Status st = io_parse_int64(ctx, text, (low), (high), sql_name, &value); \
        out->member = (T)value;                                                 \
        return st;                                                              \
    }                                                                           \
    static void name##_output(OUTPUT_ARGS)                                      \
    {                                                                           \
        int64_print(out, vector_at(v, T, row));                                 \
    }                                                                           \
    static Status name##_receive(IO_ARGS)                                       \
    {                                                                           \
        Status st = io_want_bytes(ctx, text, (bytes));                          \
        if (st == OK)                                                           \
            out->member = (T)io_get_be(text.ptr, (bytes));                      \
        return st;                                                              \
    }                                                                           \
    static void name##_send(OUTPUT_ARGS)                                        \
    {                                                                           \
        io_put_be(out, (uint64_t)vector_at(v, T, row), (bytes));                \
    }

INTEGER_IO(int2, int16_t, int16, 2, INT16_MIN, INT16_MAX, "smallint")
INTEGER_IO(int4, int32_t, int32, 4, INT32_MIN, INT32_MAX, "integer")
INTEGER_IO(int8, int64_t, int64, 8, INT64_MIN, INT64_MAX, "bigint")

/* --- oid, xid, cid, reg*: held in 64 bits, unsigned 32 outside --- */

static Status oid_parse(Ctx *ctx, SqlType type, Str text, Datum *out)
{
    int64_t value = 0;
    Status st = io_parse_int64(ctx, text, INT32_MIN, UINT32_MAX, type_info(type.oid)->name, &value);

    out->int64 = (int64_t)(uint32_t)value;
    return st;
}

static Status oid_input(IO_ARGS)
{
    return oid_parse(ctx, type, text, out);
}

static void oid_output(OUTPUT_ARGS)
{
    int64_print(out, vector_at(v, int64_t, row));
}

static Status oid_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 4);

    if (st == OK)
        out->int64 = (int64_t)io_get_be(text.ptr, 4);
    return st;
}

static void oid_send(OUTPUT_ARGS)
{
    io_put_be(out, (uint64_t)vector_at(v, int64_t, row), 4);
}

static bool is_number(Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    return text.len > 0;
}

static Status reg_input(IO_ARGS)
{
    out->int64 = 0;
    if (str_is(text, "-"))
        return OK;
    if (is_number(text))
        return oid_parse(ctx, type, text, out);
    if (io == NULL || io->reg_input == NULL)
        return io_bad_syntax(ctx, type_info(type.oid)->name, text);
    return io->reg_input(io->reg_arg, ctx, type.oid, text, &out->int64);
}

static void reg_output(OUTPUT_ARGS)
{
    int64_t value = vector_at(v, int64_t, row);

    if (value == 0)
        strbuf_append_char(out, '-');
    else if (io == NULL || io->reg_output == NULL ||
             !io->reg_output(io->reg_arg, type.oid, value, out))
        int64_print(out, value);
}

/* --- tid: (block,offset), held as block * 65536 + offset --- */

/* An unsigned number up to `high`, blanks before it allowed, as strtoul reads it. */
static bool tid_number(const char **at, const char *end, uint64_t high, uint64_t *out)
{
    const char *p = *at;

    while (p < end && *p == ' ')
        p++;
    const char *start = p;
    for (*out = 0; p < end && *p >= '0' && *p <= '9' && *out <= high; p++)
        *out = *out * 10 + (uint64_t)(*p - '0');
    *at = p;
    return p > start && *out <= high;
}

static Status tid_input(IO_ARGS)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    uint64_t block, offset;

    bool ok = p < end && *p++ == '(' && tid_number(&p, end, UINT32_MAX, &block) && p < end &&
              *p++ == ',' && tid_number(&p, end, UINT16_MAX, &offset) && p < end && *p == ')';
    if (!ok)
        return io_bad_syntax(ctx, "tid", text);
    out->int64 = (int64_t)(block << 16 | offset);
    return OK;
}

static void tid_output(OUTPUT_ARGS)
{
    int64_t value = vector_at(v, int64_t, row);

    strbuf_printf(out, "(%lld,%lld)", (long long)(value >> 16), (long long)(value & 0xffff));
}

static Status tid_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 6);

    if (st == OK)
        out->int64 = (int64_t)io_get_be(text.ptr, 6);
    return st;
}

static void tid_send(OUTPUT_ARGS)
{
    io_put_be(out, (uint64_t)vector_at(v, int64_t, row), 6);
}

/* --- boolean --- */

static Status bool_input(IO_ARGS)
{
    static const struct {
        const char *word;
        uint8_t least; /* characters that must be there */
        bool value;
    } words[] = {
        {"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
        {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false},
    };
    Str word = str_trim(text);

    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (word.len < words[i].least || word.len > strlen(words[i].word))
            continue;
        if (str_equal_nocase(word, str_make(words[i].word, word.len))) {
            out->boolean = words[i].value;
            return OK;
        }
    }
    return io_bad_syntax(ctx, "boolean", text);
}

static void bool_output(OUTPUT_ARGS)
{
    strbuf_append_char(out, vector_at(v, uint8_t, row) ? 't' : 'f');
}

static Status bool_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 1);

    if (st == OK)
        out->boolean = text.ptr[0] != 0;
    return st;
}

static void bool_send(OUTPUT_ARGS)
{
    strbuf_append_char(out, (char)vector_at(v, uint8_t, row));
}

/* --- floating point --- */

static Status float_failed(Ctx *ctx, FloatParse parse, const char *name, Str text)
{
    if (parse == FLOAT_BAD_SYNTAX)
        return io_bad_syntax(ctx, name, text);
    Str number = strcmp(name, "real") == 0 ? text : str_trim(text); /* as PostgreSQL prints them */
    return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE, "\"%.*s\" is out of range for type %s",
                       (int)number.len, number.ptr, name);
}

#define FLOAT_IO(name, T, U, member, bytes, parse, print, sql_name)                 \
    static Status name##_input(IO_ARGS)                                             \
    {                                                                               \
        FloatParse parsed = parse(text, &out->member);                              \
        return parsed == FLOAT_OK ? OK : float_failed(ctx, parsed, sql_name, text); \
    }                                                                               \
    static void name##_output(OUTPUT_ARGS)                                          \
    {                                                                               \
        print(out, vector_at(v, T, row), io ? io->float_shorter : 0);               \
    }                                                                               \
    static Status name##_receive(IO_ARGS)                                           \
    {                                                                               \
        Status st = io_want_bytes(ctx, text, (bytes));                              \
        if (st != OK)                                                               \
            return st;                                                              \
        U bits = (U)io_get_be(text.ptr, (bytes));                                   \
        memcpy(&out->member, &bits, (bytes));                                       \
        return OK;                                                                  \
    }                                                                               \
    static void name##_send(OUTPUT_ARGS)                                            \
    {                                                                               \
        io_put_be(out, vector_at(v, U, row), (bytes));                              \
    }

FLOAT_IO(float4, float, uint32_t, float32, 4, float32_parse, float32_print, "real")
FLOAT_IO(float8, double, uint64_t, float64, 8, float_parse, float_print, "double precision")

/* --- numeric --- */

static Status store_numeric(Ctx *ctx, SqlType type, const Numeric *value, Datum *out)
{
    int128_t scaled = 0;

    if (type_phys(type) == PHYS_NUMERIC) {
        out->numeric = *value;
        return OK;
    }
    Status st = numeric_to_scaled(ctx, value, type, &scaled);
    if (type_phys(type) == PHYS_INT64)
        out->int64 = (int64_t)scaled;
    else
        out->int128 = scaled;
    return st;
}

Status io_parse_numeric(Ctx *ctx, SqlType type, Str text, Datum *out)
{
    int128_t scaled = 0;

    if (type_phys(type) == PHYS_NUMERIC)
        return numeric_parse(ctx, text, &out->numeric);
    Status st = numeric_parse_scaled(ctx, text, type, &scaled);
    if (type_phys(type) == PHYS_INT64)
        out->int64 = (int64_t)scaled;
    else
        out->int128 = scaled;
    return st;
}

void io_unscale_numeric(Datum *datum)
{
    if (datum->type.oid != OID_NUMERIC || datum->type.typmod < 0)
        return;
    int scale = type_numeric_scale(datum->type);
    int128_t value = type_phys(datum->type) == PHYS_INT64 ? datum->int64 : datum->int128;
    datum->numeric = numeric_from_scaled(value, scale);
    datum->type.typmod = -1;
}

static Status numeric_input(IO_ARGS)
{
    return io_parse_numeric(ctx, type, text, out);
}

static void numeric_output(OUTPUT_ARGS)
{
    switch (v->phys) {
    case PHYS_INT64:
        scaled_print(out, vector_at(v, int64_t, row), type_numeric_scale(v->type));
        break;
    case PHYS_INT128:
        scaled_print(out, vector_at(v, int128_t, row), type_numeric_scale(v->type));
        break;
    default: numeric_print(out, &vector_at(v, Numeric, row));
    }
}

#define WIRE_NEGATIVE 0x4000
#define WIRE_NAN      0xc000
#define WIRE_POS_INF  0xd000
#define WIRE_NEG_INF  0xf000

/* Base-10000 digits -> a plain text, which numeric_parse reads. */
static Status receive_finite(Ctx *ctx, Str bytes, int count, Numeric *out)
{
    Status st = OK;
    int weight = (int16_t)io_get_be(bytes.ptr + 2, 2);
    uint32_t sign = (uint32_t)io_get_be(bytes.ptr + 4, 2);
    int scale = (int)io_get_be(bytes.ptr + 6, 2);
    int first = 0;
    StrBuf text;

    strbuf_init(&text);
    for (int i = 0; i < count; i++) {
        if ((int16_t)io_get_be(bytes.ptr + 8 + 2 * i, 2) < 0 ||
            io_get_be(bytes.ptr + 8 + 2 * i, 2) > 9999)
            FAIL(ctx, E_INVALID_BINARY, "invalid digit in external \"numeric\" value");
        first += first == i && io_get_be(bytes.ptr + 8 + 2 * i, 2) == 0;
    }
    if (first < count && weight - first > 10)
        TRY(numeric_overflow(ctx));
    if (sign == WIRE_NEGATIVE)
        strbuf_append_char(&text, '-');
    int last_place = -((scale + 3) / 4);
    for (int place = first < count ? MAX(weight - first, 0) : 0; place >= last_place; place--) {
        int at = weight - place;
        if (place == -1)
            strbuf_append_char(&text, '.');
        strbuf_printf(&text, "%04d",
                      at >= 0 && at < count ? (int)io_get_be(bytes.ptr + 8 + 2 * at, 2) : 0);
    }
    text.len -= (size_t)(-last_place * 4 - scale);
    TRY(numeric_parse(ctx, strbuf_str(&text), out));
done:
    strbuf_free(&text);
    return st;
}

static Status numeric_receive(IO_ARGS)
{
    Status st = OK;
    Numeric value;

    if (text.len < 8)
        return io_want_bytes(ctx, text, 8);
    int count = (int)io_get_be(text.ptr, 2);
    TRY(io_want_bytes(ctx, text, 8 + 2 * (size_t)count));
    switch (io_get_be(text.ptr + 4, 2)) {
    case 0:
    case WIRE_NEGATIVE:
        if (io_get_be(text.ptr + 6, 2) > 0x3fff)
            FAIL(ctx, E_INVALID_BINARY, "invalid scale in external \"numeric\" value");
        TRY(receive_finite(ctx, text, count, &value));
        break;
    case WIRE_NAN: value = numeric_special(NUMERIC_NAN); break;
    case WIRE_POS_INF: value = numeric_special(NUMERIC_POS_INF); break;
    case WIRE_NEG_INF: value = numeric_special(NUMERIC_NEG_INF); break;
    default: FAIL(ctx, E_INVALID_BINARY, "invalid sign in external \"numeric\" value");
    }
    st = store_numeric(ctx, type, &value, out);
done:
    return st;
}

static void send_finite(StrBuf *out, const Numeric *x)
{
    char buffer[128];
    StrBuf text = {.ptr = buffer, .cap = sizeof buffer};
    char digits[128];
    uint16_t groups[32];
    int count = 0;

    /* Digits with zeros before and behind, so that groups of four meet the point. */
    scaled_print(&text, x->coefficient < 0 ? -x->coefficient : x->coefficient, 0);
    int whole = (int)text.len - x->scale; /* digits before the point; may be negative */
    int before = whole > 0 ? (4 - whole % 4) % 4 : 4 - whole;
    int length = (before + (int)text.len + 3) / 4 * 4;
    int weight = (whole > 0 ? before + whole : 4) / 4 - 1;
    memset(digits, '0', sizeof digits);
    memcpy(digits + before, text.ptr, text.len);
    for (int i = 0; i < length; i += 4) {
        uint16_t group = 0;
        for (int j = 0; j < 4; j++)
            group = (uint16_t)(group * 10 + (digits[i + j] - '0'));
        if (group == 0 && count == 0)
            weight--;
        else
            groups[count++] = group;
    }
    while (count && groups[count - 1] == 0)
        count--;
    io_put_be(out, (uint64_t)count, 2);
    io_put_be(out, (uint64_t)(count ? weight : 0), 2);
    io_put_be(out, x->coefficient < 0 ? WIRE_NEGATIVE : 0, 2);
    io_put_be(out, (uint64_t)x->scale, 2);
    for (int i = 0; i < count; i++)
        io_put_be(out, groups[i], 2);
}

static void numeric_send(OUTPUT_ARGS)
{
    static const uint16_t signs[] = {[NUMERIC_NAN] = WIRE_NAN,
                                     [NUMERIC_POS_INF] = WIRE_POS_INF,
                                     [NUMERIC_NEG_INF] = WIRE_NEG_INF};
    Numeric x;

    if (v->phys == PHYS_NUMERIC)
        x = vector_at(v, Numeric, row);
    else if (v->phys == PHYS_INT64)
        x = numeric_from_scaled(vector_at(v, int64_t, row), type_numeric_scale(v->type));
    else
        x = numeric_from_scaled(vector_at(v, int128_t, row), type_numeric_scale(v->type));
    if (!numeric_is_special(&x)) {
        send_finite(out, &x);
        return;
    }
    io_put_be(out, 0, 4);
    io_put_be(out, signs[x.kind], 2);
    io_put_be(out, 0, 2);
}

/* --- uuid --- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex pairs, a hyphen allowed after every second one; braces around are. */
static Status uuid_input(IO_ARGS)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    bool braces = p < end && *p == '{';

    p += braces;
    for (int i = 0; i < 16; i++) {
        if (end - p < 2 || hex_value(p[0]) < 0 || hex_value(p[1]) < 0)
            return io_bad_syntax(ctx, "uuid", text);
        out->uuid.bytes[i] = (uint8_t)(hex_value(p[0]) << 4 | hex_value(p[1]));
        p += 2;
        if (p < end && *p == '-' && i % 2 == 1 && i < 15)
            p++;
    }
    if (braces && (p == end || *p++ != '}'))
        return io_bad_syntax(ctx, "uuid", text);
    return p == end ? OK : io_bad_syntax(ctx, "uuid", text);
}

static void uuid_output(OUTPUT_ARGS)
{
    const Uuid *uuid = &vector_at(v, Uuid, row);
    char *at = strbuf_reserve(out, 36);

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = "0123456789abcdef"[uuid->bytes[i] >> 4];
        *at++ = "0123456789abcdef"[uuid->bytes[i] & 15];
    }
    out->len += 36;
}

static Status uuid_receive(IO_ARGS)
{
    Status st = io_want_bytes(ctx, text, 16);

    if (st == OK)
        memcpy(out->uuid.bytes, text.ptr, 16);
    return st;
}

static void uuid_send(OUTPUT_ARGS)
{
    strbuf_append(out, vector_at(v, Uuid, row).bytes, 16);
}

const TypeIo *io_number_find(Oid oid)
{
#define FAMILY(name)                                             \
    {                                                            \
        name##_input, name##_output, name##_receive, name##_send \
    }
    static const TypeIo int2_io = FAMILY(int2), int4_io = FAMILY(int4), int8_io = FAMILY(int8),
                        oid_io = FAMILY(oid), tid_io = FAMILY(tid), bool_io = FAMILY(bool),
                        float4_io = FAMILY(float4), float8_io = FAMILY(float8),
                        numeric_io = FAMILY(numeric), uuid_io = FAMILY(uuid),
                        reg_io = {reg_input, reg_output, oid_receive, oid_send};

    switch (oid) {
    case OID_BOOL: return &bool_io;
    case OID_INT2: return &int2_io;
    case OID_INT4: return &int4_io;
    case OID_INT8: return &int8_io;
    case OID_OID:
    case OID_XID:
    case OID_CID: return &oid_io;
    case OID_REGPROC:
    case OID_REGPROCEDURE:
    case OID_REGOPER:
    case OID_REGOPERATOR:
    case OID_REGCLASS:
    case OID_REGTYPE:
    case OID_REGROLE:
    case OID_REGNAMESPACE: return &reg_io;
    case OID_TID: return &tid_io;
    case OID_FLOAT4: return &float4_io;
    case OID_FLOAT8: return &float8_io;
    case OID_NUMERIC: return &numeric_io;
    case OID_UUID: return &uuid_io;
    default: return NULL;
    }
}
