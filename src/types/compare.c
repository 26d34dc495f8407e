// SPDX-License-Identifier: Apache-2.0
//
// Order, equality and hashing. Types fall into a few kinds, each with a compare and a hash of one
// value; the loops over vectors are made from one template a kind, so that the value functions are
// inlined into them. Values that compare equal hash alike (TYPES-1).
#include "types/compare.h"

#include "base/hash.h"
#include "types/array.h"
#include "types/datetime.h"
#include "types/numeric.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* --- single values --- */

static inline int order_float(double a, double b)
{
    bool a_nan = __builtin_isnan(a);
    bool b_nan = __builtin_isnan(b);

    if (UNLIKELY(a_nan || b_nan))
        return (int)a_nan - (int)b_nan;
    return ORDER(a, b);
}

static inline bool equal_float(double a, double b)
{
    return a == b || (__builtin_isnan(a) && __builtin_isnan(b));
}

static inline int order_interval(Interval a, Interval b)
{
    int128_t x = interval_sort_value(a);
    int128_t y = interval_sort_value(b);

    return ORDER(x, y);
}

static inline bool equal_16(const void *a, const void *b)
{
    uint64_t x[2], y[2];

    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return x[0] == y[0] && x[1] == y[1];
}

static bool is_array(Oid oid)
{
    const TypeInfo *info = type_info(oid);

    return info && (info->element != 0 || oid == OID_ANYARRAY);
}

/* A numeric of any physical form. */
static inline Numeric numeric_at(const Vector *v, uint32_t at)
{
    switch (v->phys) {
    case PHYS_INT64:
        return numeric_from_scaled(((const int64_t *)v->values)[at], type_numeric_scale(v->type));
    case PHYS_INT128:
        return numeric_from_scaled(((const int128_t *)v->values)[at], type_numeric_scale(v->type));
    default: return ((const Numeric *)v->values)[at];
    }
}

/* True if the two hold numbers with the same scale, so that plain integers compare. */
static bool same_scale(const Vector *a, const Vector *b)
{
    return a->phys == b->phys && a->phys != PHYS_NUMERIC &&
           type_numeric_scale(a->type) == type_numeric_scale(b->type);
}

static inline uint64_t hash_i64(int64_t x)
{
    return hash_u64((uint64_t)x ^
                    0xa0761d6478bd642fULL); /* 0 is a frequent value, not a bad hash */
}

static inline uint64_t hash_double(double x)
{
    uint64_t bits;

    if (x == 0)
        x = 0; /* -0 */
    if (__builtin_isnan(x))
        x = __builtin_nan("");
    memcpy(&bits, &x, sizeof bits);
    return hash_u64(bits ^ 0x5851f42d4c957f2dULL);
}

static inline uint64_t hash_16(const void *value)
{
    uint64_t words[2];

    memcpy(words, value, sizeof words);
    return hash_u64(words[0] ^ hash_u64(words[1]));
}

static inline uint64_t hash_interval(Interval x)
{
    int128_t value = interval_sort_value(x);

    return hash_16(&value);
}

static inline uint64_t hash_string(const StrView *view)
{
    if (view->len <= STRVIEW_INLINE_MAX)
        return hash_16(view);
    return hash_memory(view->ptr, view->len);
}

/* --- comparing rows --- */

#define COMPARE_AT(T, order)             \
    do {                                 \
        T x = ((const T *)a->values)[i]; \
        T y = ((const T *)b->values)[j]; \
        return order(x, y);              \
    } while (0)

static int compare_strings(const Vector *a, uint32_t i, const Vector *b, uint32_t j)
{
    const StrView *x = &((const StrView *)a->values)[i];
    const StrView *y = &((const StrView *)b->values)[j];

    if (UNLIKELY(is_array(a->type.oid)))
        return array_compare(strview_str(x), strview_str(y));
    return strview_compare(x, y);
}

int vector_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    uint32_t i = vector_index(a, a_row);
    uint32_t j = vector_index(b, b_row);

    if (a->type.oid == OID_NUMERIC && !same_scale(a, b)) {
        Numeric x = numeric_at(a, i);
        Numeric y = numeric_at(b, j);
        return numeric_compare(&x, &y);
    }
    ASSERT(a->phys == b->phys);
    switch ((PhysType)a->phys) {
    case PHYS_BOOL: COMPARE_AT(uint8_t, ORDER);
    case PHYS_INT16: COMPARE_AT(int16_t, ORDER);
    case PHYS_INT32: COMPARE_AT(int32_t, ORDER);
    case PHYS_INT64: COMPARE_AT(int64_t, ORDER);
    case PHYS_INT128: COMPARE_AT(int128_t, ORDER);
    case PHYS_FLOAT32: COMPARE_AT(float, order_float);
    case PHYS_FLOAT64: COMPARE_AT(double, order_float);
    case PHYS_INTERVAL: COMPARE_AT(Interval, order_interval);
    case PHYS_UUID:
        return memcmp(&((const Uuid *)a->values)[i], &((const Uuid *)b->values)[j], sizeof(Uuid));
    default: return compare_strings(a, i, b, j);
    }
}

int vector_compare_nulls(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row,
                         bool nulls_first)
{
    bool a_null = vector_is_null(a, a_row);
    bool b_null = vector_is_null(b, b_row);

    if (a_null || b_null) {
        int order = (int)a_null - (int)b_null;
        return nulls_first ? -order : order;
    }
    return vector_compare(a, a_row, b, b_row);
}

/* A constant vector over the datum itself. */
static Vector view_datum(const Datum *datum)
{
    return (Vector){.type = datum->type,
                    .phys = (uint8_t)type_phys(datum->type),
                    .form = VECTOR_CONST,
                    .values = (void *)datum->bytes};
}

int datum_compare(const Datum *a, const Datum *b)
{
    Vector x = view_datum(a);
    Vector y = view_datum(b);

    return vector_compare(&x, 0, &y, 0);
}

bool datum_equal(const Datum *a, const Datum *b)
{
    if (a->is_null || b->is_null)
        return a->is_null == b->is_null;
    return datum_compare(a, b) == 0;
}

bool vector_equal(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
    bool a_null = vector_is_null(a, a_row);
    bool b_null = vector_is_null(b, b_row);

    if (a_null || b_null)
        return a_null == b_null;
    if (a->phys == PHYS_STRING && !is_array(a->type.oid))
        return strview_equal(&vector_at(a, StrView, a_row), &vector_at(b, StrView, b_row));
    return vector_compare(a, a_row, b, b_row) == 0;
}

/* --- hashing --- */

#define HASH_VALUE(x)   hash_i64((int64_t)(x))
#define HASH_FLOAT(x)   hash_double((double)(x))
#define HASH_STRING(x)  hash_string(&(x))
#define HASH_BYTES16(x) hash_16(&(x))
#define HASH_ARRAY(x)   array_hash(strview_str(&(x)))
#define HASH_NUMERIC(x) numeric_hash(&(x))
#define HASH_SCALED(x)  scaled_hash((x), scale)

/* Hashes into `out`; a NULL row's value may be garbage but never a string's pointer, since string
   rows are looked at only if they are valid. */
#define HASH_LOOP(T, hash)                                                   \
    do {                                                                     \
        const T *values = v->values;                                         \
        if (v->validity == NULL && v->form == VECTOR_FLAT) {                 \
            for (uint32_t row = 0; row < rows; row++)                        \
                out[row] = hash(values[row]);                                \
            break;                                                           \
        }                                                                    \
        for (uint32_t row = 0; row < rows; row++) {                          \
            uint32_t at = vector_index(v, row);                              \
            bool valid = v->validity == NULL || bitmap_get(v->validity, at); \
            out[row] = valid ? hash(values[at]) : HASH_OF_NULL;              \
        }                                                                    \
    } while (0)

static void hash_numbers(const Vector *v, uint32_t rows, uint64_t *out)
{
    int scale = v->phys == PHYS_NUMERIC ? 0 : type_numeric_scale(v->type);

    switch (v->phys) {
    case PHYS_INT64: HASH_LOOP(int64_t, HASH_SCALED); break;
    case PHYS_INT128: HASH_LOOP(int128_t, HASH_SCALED); break;
    default: HASH_LOOP(Numeric, HASH_NUMERIC);
    }
}

static void hash_rows(const Vector *v, uint32_t rows, uint64_t *out)
{
    if (v->type.oid == OID_NUMERIC) {
        hash_numbers(v, rows, out);
        return;
    }
    switch ((PhysType)v->phys) {
    case PHYS_BOOL: HASH_LOOP(uint8_t, HASH_VALUE); break;
    case PHYS_INT16: HASH_LOOP(int16_t, HASH_VALUE); break;
    case PHYS_INT32: HASH_LOOP(int32_t, HASH_VALUE); break;
    case PHYS_INT64: HASH_LOOP(int64_t, HASH_VALUE); break;
    case PHYS_FLOAT32: HASH_LOOP(float, HASH_FLOAT); break;
    case PHYS_FLOAT64: HASH_LOOP(double, HASH_FLOAT); break;
    case PHYS_INTERVAL: HASH_LOOP(Interval, hash_interval); break;
    case PHYS_INT128:
    case PHYS_UUID: HASH_LOOP(Uuid, HASH_BYTES16); break;
    default:
        if (is_array(v->type.oid))
            HASH_LOOP(StrView, HASH_ARRAY);
        else
            HASH_LOOP(StrView, HASH_STRING);
    }
}

/* Rotated, so that a second column equal to the first does not cancel it. */
static inline uint64_t combine_hashes(uint64_t seed, uint64_t hash)
{
    return hash_combine(seed << 23 | seed >> 41, hash);
}

#define HASH_CHUNK_ROWS 256

void vector_hash(const Vector *v, uint32_t rows, uint64_t *hashes, bool combine)
{
    uint64_t chunk[HASH_CHUNK_ROWS];

    if (v->form == VECTOR_CONST && rows > 1) {
        hash_rows(v, 1, chunk);
        for (uint32_t row = 0; row < rows; row++)
            hashes[row] = combine ? combine_hashes(hashes[row], chunk[0]) : chunk[0];
        return;
    }
    if (!combine) {
        hash_rows(v, rows, hashes);
        return;
    }
    for (uint32_t first = 0; first < rows; first += HASH_CHUNK_ROWS) {
        Vector part = *v;
        uint32_t count = MIN(rows - first, HASH_CHUNK_ROWS);
        if (v->form == VECTOR_FLAT) {
            part.values = (char *)v->values + (size_t)first * phys_size[v->phys];
            part.validity = v->validity ? v->validity + first / 64 : NULL;
        } else if (v->form == VECTOR_DICT) {
            part.indexes = v->indexes + first;
        }
        hash_rows(&part, count, chunk);
        for (uint32_t row = 0; row < count; row++)
            hashes[first + row] = combine_hashes(hashes[first + row], chunk[row]);
    }
}
static_assert(HASH_CHUNK_ROWS % 64 == 0, "a chunk starts at a word of the bitmap");

uint64_t datum_hash(const Datum *datum)
{
    Vector v = view_datum(datum);
    uint64_t hash;

    if (datum->is_null)
        return HASH_OF_NULL;
    vector_hash(&v, 1, &hash, false);
    return hash;
}

/* --- the probe --- */

#define EQUAL_VALUE(x, y)    ((x) == (y))
#define EQUAL_FLOAT(x, y)    equal_float((double)(x), (double)(y))
#define EQUAL_STRING(x, y)   strview_equal(&(x), &(y))
#define EQUAL_BYTES16(x, y)  equal_16(&(x), &(y))
#define EQUAL_INTERVAL(x, y) (interval_sort_value(x) == interval_sort_value(y))

/* Keeps the entries whose values are equal; NULLs are decided before values are looked at. */
#define SELECT_LOOP(T, equal)                                                               \
    do {                                                                                    \
        const T *x = a->values;                                                             \
        const T *y = b->values;                                                             \
        if (a->validity == NULL && b->validity == NULL) {                                   \
            for (uint32_t e = 0; e < count; e++) {                                          \
                uint32_t entry = selection[e];                                              \
                uint32_t i = vector_index(a, pairs.a[entry]);                               \
                uint32_t j = vector_index(b, pairs.b[entry]);                               \
                selection[kept] = entry;                                                    \
                kept += equal(x[i], y[j]);                                                  \
            }                                                                               \
            break;                                                                          \
        }                                                                                   \
        for (uint32_t e = 0; e < count; e++) {                                              \
            uint32_t entry = selection[e];                                                  \
            uint32_t i = vector_index(a, pairs.a[entry]);                                   \
            uint32_t j = vector_index(b, pairs.b[entry]);                                   \
            bool i_null = a->validity && !bitmap_get(a->validity, i);                       \
            bool j_null = b->validity && !bitmap_get(b->validity, j);                       \
            selection[kept] = entry;                                                        \
            kept += i_null || j_null ? nulls_equal && i_null == j_null : equal(x[i], y[j]); \
        }                                                                                   \
    } while (0)

/* Types whose equality needs a call: numerics of different scale, arrays. */
static uint32_t select_by_compare(const Vector *a, const Vector *b, RowPairs pairs,
                                  uint32_t *selection, uint32_t count, bool nulls_equal)
{
    uint32_t kept = 0;

    for (uint32_t e = 0; e < count; e++) {
        uint32_t entry = selection[e];
        bool a_null = vector_is_null(a, pairs.a[entry]);
        bool b_null = vector_is_null(b, pairs.b[entry]);
        selection[kept] = entry;
        if (a_null || b_null)
            kept += nulls_equal && a_null == b_null;
        else
            kept += vector_compare(a, pairs.a[entry], b, pairs.b[entry]) == 0;
    }
    return kept;
}

uint32_t vector_select_equal(const Vector *a, const Vector *b, RowPairs pairs, uint32_t *selection,
                             uint32_t count, bool nulls_equal)
{
    uint32_t kept = 0;
    bool by_call = a->type.oid == OID_NUMERIC ? !same_scale(a, b)
                                              : a->phys == PHYS_STRING && is_array(a->type.oid);

    if (by_call)
        return select_by_compare(a, b, pairs, selection, count, nulls_equal);
    ASSERT(a->phys == b->phys);
    switch ((PhysType)a->phys) {
    case PHYS_BOOL: SELECT_LOOP(uint8_t, EQUAL_VALUE); break;
    case PHYS_INT16: SELECT_LOOP(int16_t, EQUAL_VALUE); break;
    case PHYS_INT32: SELECT_LOOP(int32_t, EQUAL_VALUE); break;
    case PHYS_INT64: SELECT_LOOP(int64_t, EQUAL_VALUE); break;
    case PHYS_INT128: SELECT_LOOP(int128_t, EQUAL_VALUE); break;
    case PHYS_FLOAT32: SELECT_LOOP(float, EQUAL_FLOAT); break;
    case PHYS_FLOAT64: SELECT_LOOP(double, EQUAL_FLOAT); break;
    case PHYS_INTERVAL: SELECT_LOOP(Interval, EQUAL_INTERVAL); break;
    case PHYS_UUID: SELECT_LOOP(Uuid, EQUAL_BYTES16); break;
    default: SELECT_LOOP(StrView, EQUAL_STRING);
    }
    return kept;
}
