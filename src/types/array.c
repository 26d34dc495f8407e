// SPDX-License-Identifier: Apache-2.0
//
// The compact form of arrays. Bytes: element oid (4), dimensions (1), flags (1), element width (2),
// count (4), then a length and a lower bound a dimension (4 each), a validity bit an element if
// flagged, then values, or count + 1 offsets (4 each) and the strings' bytes.
#include "types/array.h"

#include "base/hash.h"
#include "types/compare.h"

#define HEADER_BYTES 12
#define FLAG_NULLS   1
#define BYTES_MAX    ((size_t)1 << 30)

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint32_t width_of(SqlType element)
{
    PhysType phys = type_phys(element);

    return phys == PHYS_STRING ? 0 : phys_size[phys];
}

SqlType array_element_type(SqlType array)
{
    const TypeInfo *info = type_info(array.oid);

    ASSERT(info != NULL && info->element != 0);
    /* TYPES-3 */
    return (SqlType){info->element, info->element == OID_NUMERIC ? -1 : array.typmod};
}

void array_view(Str bytes, ArrayView *out)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;

    *out = (ArrayView){.element = sql_type(get_u32(at)), .dimensions = at[4]};
    ASSERT(bytes.len >= HEADER_BYTES && out->dimensions <= ARRAY_DIMENSIONS_MAX);
    bool nulls = at[5] & FLAG_NULLS;
    uint16_t width;
    memcpy(&width, at + 6, sizeof width);
    out->width = width;
    out->count = get_u32(at + 8);
    at += HEADER_BYTES;
    for (int i = 0; i < out->dimensions; i++, at += 8) {
        out->lengths[i] = (int32_t)get_u32(at);
        out->lower[i] = (int32_t)get_u32(at + 4);
    }
    if (nulls) {
        out->validity = at;
        at += (out->count + 7) / 8;
    }
    if (width == 0) {
        out->offsets = at;
        at += ((size_t)out->count + 1) * 4;
    }
    out->values = at;
}

static Status corrupt(Ctx *ctx)
{
    return error_raise(ctx, E_DATA_CORRUPTED, "stored array is malformed");
}

Status array_check(Ctx *ctx, Str bytes)
{
    const uint8_t *start = (const uint8_t *)bytes.ptr;
    ArrayView view;
    uint64_t count = 1;

    if (bytes.len < HEADER_BYTES || start[4] > ARRAY_DIMENSIONS_MAX)
        return corrupt(ctx);
    size_t need = HEADER_BYTES + (size_t)start[4] * 8;
    uint32_t stored = get_u32(start + 8);
    const TypeInfo *element = type_info(get_u32(start));
    if (element == NULL || stored > ARRAY_ELEMENTS_MAX || bytes.len < need)
        return corrupt(ctx);
    for (int i = 0; i < start[4]; i++) {
        uint32_t length = get_u32(start + HEADER_BYTES + i * 8);
        if (length == 0 || length > ARRAY_ELEMENTS_MAX || count * length > ARRAY_ELEMENTS_MAX)
            return corrupt(ctx);
        count *= length;
    }
    uint16_t width;
    memcpy(&width, start + 6, sizeof width);
    if (stored != (start[4] ? count : 0) || width != width_of(sql_type(element->oid)))
        return corrupt(ctx);
    need += start[5] & FLAG_NULLS ? (stored + 7) / 8 : 0;
    need += width ? (size_t)stored * width : ((size_t)stored + 1) * 4;
    if (bytes.len < need)
        return corrupt(ctx);
    if (width)
        return bytes.len == need ? OK : corrupt(ctx);
    array_view(bytes, &view);
    uint32_t last = 0;
    for (uint32_t i = 0; i <= stored; i++) {
        uint32_t offset = get_u32(view.offsets + (size_t)i * 4);
        if (offset < last)
            return corrupt(ctx);
        last = offset;
    }
    return bytes.len == need + last ? OK : corrupt(ctx);
}

Datum array_get(const ArrayView *array, uint32_t at)
{
    Datum datum = {.type = array->element};

    ASSERT(at < array->count);
    if (array->validity && !(array->validity[at / 8] >> (at % 8) & 1)) {
        datum.is_null = true;
    } else if (array->width) {
        memcpy(datum.bytes, array->values + (size_t)at * array->width, array->width);
    } else {
        uint32_t from = get_u32(array->offsets + (size_t)at * 4);
        uint32_t to = get_u32(array->offsets + (size_t)at * 4 + 4);
        datum.string = strview_make((const char *)array->values + from, to - from);
    }
    return datum;
}

/* Writes everything behind the header. */
static void pack_elements(uint8_t *at, const Datum *elements, uint32_t count, uint32_t width,
                          bool nulls)
{
    if (nulls) {
        memset(at, 0, (count + 7) / 8);
        for (uint32_t i = 0; i < count; i++)
            at[i / 8] |= (uint8_t)(!elements[i].is_null << (i % 8));
        at += (count + 7) / 8;
    }
    if (width) {
        for (uint32_t i = 0; i < count; i++, at += width) {
            if (elements[i].is_null)
                memset(at, 0, width);
            else
                memcpy(at, elements[i].bytes, width);
        }
        return;
    }
    uint8_t *bytes = at + ((size_t)count + 1) * 4;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        at = put_u32(at, offset);
        if (elements[i].is_null || elements[i].string.len == 0)
            continue;
        Str text = strview_str(&elements[i].string);
        memcpy(bytes + offset, text.ptr, text.len);
        offset += (uint32_t)text.len;
    }
    put_u32(at, offset);
}

Status array_make(Ctx *ctx, Scope *scope, SqlType element, const ArrayShape *shape,
                  const Datum *elements, StrView *out)
{
    Status st = OK;
    uint64_t count = shape->dimensions > 0;
    bool nulls = false;
    void *start;

    ASSERT(shape->dimensions >= 0 && shape->dimensions <= ARRAY_DIMENSIONS_MAX);
    element.typmod = -1;
    uint32_t width = width_of(element);
    for (int i = 0; i < shape->dimensions; i++) {
        count *= (uint64_t)shape->lengths[i];
        if (count > ARRAY_ELEMENTS_MAX)
            FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
                 ARRAY_ELEMENTS_MAX);
    }
    size_t bytes = HEADER_BYTES + 8 * (size_t)shape->dimensions;
    bytes += width ? count * width : (count + 1) * 4;
    for (uint64_t i = 0; i < count; i++) {
        nulls |= elements[i].is_null;
        if (width == 0 && !elements[i].is_null)
            bytes += elements[i].string.len;
    }
    bytes += nulls ? (count + 7) / 8 : 0;
    if (bytes > BYTES_MAX)
        FAIL(ctx, E_PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (%d)",
             (int)BYTES_MAX);
    TRY(scope_alloc_data(ctx, scope, bytes, &start));
    uint8_t *at = put_u32(start, element.oid);
    *at++ = (uint8_t)shape->dimensions;
    *at++ = nulls ? FLAG_NULLS : 0;
    *at++ = (uint8_t)width;
    *at++ = 0;
    at = put_u32(at, (uint32_t)count);
    for (int i = 0; i < shape->dimensions; i++) {
        at = put_u32(at, (uint32_t)shape->lengths[i]);
        at = put_u32(at, (uint32_t)shape->lower[i]);
    }
    pack_elements(at, elements, (uint32_t)count, width, nulls);
    *out = strview_make(start, bytes);
done:
    return st;
}

Status array_make_1d(Ctx *ctx, Scope *scope, SqlType element, const Datum *elements, uint32_t count,
                     StrView *out)
{
    ArrayShape shape = {.dimensions = count > 0, .lengths = {(int32_t)count}, .lower = {1}};

    if (count > ARRAY_ELEMENTS_MAX)
        return error_raise(ctx, E_PROGRAM_LIMIT_EXCEEDED,
                           "array size exceeds the maximum allowed (%d)", ARRAY_ELEMENTS_MAX);
    return array_make(ctx, scope, element, &shape, elements, out);
}

int array_compare(Str a, Str b)
{
    ArrayView x, y;

    array_view(a, &x);
    array_view(b, &y);
    for (uint32_t i = 0; i < MIN(x.count, y.count); i++) {
        Datum left = array_get(&x, i);
        Datum right = array_get(&y, i);
        if (left.is_null || right.is_null) {
            if (left.is_null != right.is_null)
                return left.is_null ? 1 : -1;
            continue;
        }
        int order = datum_compare(&left, &right);
        if (order)
            return order;
    }
    if (x.count != y.count)
        return x.count < y.count ? -1 : 1;
    if (x.dimensions != y.dimensions)
        return x.dimensions < y.dimensions ? -1 : 1;
    for (int i = 0; i < x.dimensions; i++) {
        if (x.lengths[i] != y.lengths[i])
            return x.lengths[i] < y.lengths[i] ? -1 : 1;
    }
    for (int i = 0; i < x.dimensions; i++) {
        if (x.lower[i] != y.lower[i])
            return x.lower[i] < y.lower[i] ? -1 : 1;
    }
    return 0;
}

uint64_t array_hash(Str bytes)
{
    ArrayView view;
    array_view(bytes, &view);
    uint64_t hash = (uint64_t)view.dimensions;
    for (uint32_t i = 0; i < view.count; i++) {
        Datum element = array_get(&view, i);
        hash = hash_combine(hash, datum_hash(&element));
    }
    return hash;
}
