// SPDX-License-Identifier: Apache-2.0
//
// Linear probing over indexes of a flat vector of the values. Small sets of integers are compared
// one by one, a loop a value, which the compiler turns into SIMD.
#include "exec/eval/value_set.h"

#include "types/compare.h"

#define SCAN_VALUES_MAX 8

struct ValueSet {
    Vector values; /* flat */
    uint32_t count;
    bool has_null;
    uint32_t mask;
    uint32_t *slots; /* index + 1; 0: free */
    uint64_t *hashes;
    uint64_t *probe_hashes; /* of a batch */
};

ValueSet *value_set_new(Scope *scope, SqlType type, const Datum *values, uint32_t count)
{
    ValueSet *set = scope_new(scope, ValueSet);
    uint32_t slots = 8;

    vector_init_flat(&set->values, scope, type, MAX(count, 1));
    size_t width = phys_size[set->values.phys];
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].is_null)
            set->has_null = true;
        else
            memcpy((char *)set->values.values + width * set->count++, values[i].bytes, width);
    }
    while (slots < set->count * 2)
        slots *= 2;
    set->mask = slots - 1;
    set->slots = scope_new_array(scope, uint32_t, slots);
    set->hashes = scope_new_array(scope, uint64_t, MAX(set->count, 1));
    set->probe_hashes = scope_new_array(scope, uint64_t, BATCH_ROWS_MAX);
    vector_hash(&set->values, set->count, set->hashes, false);
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t at = (uint32_t)set->hashes[i] & set->mask;
        while (set->slots[at])
            at = (at + 1) & set->mask;
        set->slots[at] = i + 1;
    }
    return set;
}

static uint8_t probe_one(const ValueSet *set, const Vector *v, uint32_t row, uint64_t hash)
{
    for (uint32_t at = (uint32_t)hash & set->mask; set->slots[at]; at = (at + 1) & set->mask) {
        uint32_t i = set->slots[at] - 1;
        if (set->hashes[i] == hash && vector_equal(v, row, &set->values, i))
            return 1;
    }
    return 0;
}

#define SCAN_VALUES(T)                                \
    do {                                              \
        const T *in = v->values;                      \
        const T *wanted = set->values.values;         \
        for (uint32_t i = 0; i < set->count; i++) {   \
            for (uint32_t row = 0; row < rows; row++) \
                out[row] |= in[row] == wanted[i];     \
        }                                             \
    } while (0)

/* Flat integers and few values. */
static bool scan_values(const ValueSet *set, const Vector *v, uint32_t rows, uint8_t *out)
{
    if (v->form != VECTOR_FLAT || set->count > SCAN_VALUES_MAX ||
        v->type.typmod != set->values.type.typmod)
        return false;
    switch (v->phys) {
    case PHYS_INT16: SCAN_VALUES(int16_t); return true;
    case PHYS_INT32: SCAN_VALUES(int32_t); return true;
    case PHYS_INT64: SCAN_VALUES(int64_t); return true;
    default: return false;
    }
}

bool value_set_probe(ValueSet *set, const Vector *v, uint32_t rows, uint8_t *out,
                     uint64_t *validity)
{
    bool nulls = false;

    memset(out, 0, rows);
    if (!scan_values(set, v, rows, out)) {
        vector_hash(v, rows, set->probe_hashes, false);
        for (uint32_t row = 0; row < rows; row++)
            out[row] = probe_one(set, v, row, set->probe_hashes[row]);
    }
    if (v->validity == NULL && !set->has_null)
        return false;
    for (uint32_t row = 0; row < rows; row++) {
        if (vector_is_null(v, row) || (set->has_null && !out[row])) {
            bitmap_clear(validity, row);
            out[row] = 0;
            nulls = true;
        }
    }
    return nulls;
}
