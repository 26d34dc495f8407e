// SPDX-License-Identifier: Apache-2.0
//
// min and max for every ordered type: a fast loop for integers, one generic comparison for the
// rest. Strings are copied into the aggregate's memory when they become the extreme. See agg.h.
#include "func/agg.h"
#include "types/compare.h"

typedef struct ExtremeState {
    alignas(16) uint8_t value[32];
    bool any;
} ExtremeState;

static ALWAYS_INLINE bool beats(int order, bool max)
{
    return max ? order > 0 : order < 0;
}

/* The state seen as a constant vector of the argument's type. */
static Vector state_vector(const AggCall *call, const ExtremeState *s)
{
    return (Vector){.type = call->arg_types[0],
                    .phys = (uint8_t)type_phys(call->arg_types[0]),
                    .form = VECTOR_CONST,
                    .values = (void *)s->value};
}

static Status keep(AggCall *call, ExtremeState *s, const Vector *v, uint32_t at)
{
    Status st = OK;

    s->any = true;
    if (v->phys != PHYS_STRING) {
        memcpy(s->value, (const char *)v->values + (size_t)at * phys_size[v->phys],
               phys_size[v->phys]);
        return OK;
    }
    Str text = strview_str(&((const StrView *)v->values)[at]);
    if (text.len > STRVIEW_INLINE_MAX) {
        void *bytes;
        TRY(scope_alloc_data(call->ctx, call->scope, text.len, &bytes));
        memcpy(bytes, text.ptr, text.len);
        text.ptr = bytes;
    }
    StrView view = strview_make(text.ptr, text.len);
    memcpy(s->value, &view, sizeof view);
done:
    return st;
}

static Status offer(AggCall *call, ExtremeState *s, const Vector *v, uint32_t row, bool max)
{
    if (s->any) {
        Vector held = state_vector(call, s);
        int order = vector_compare(v, row, &held, 0);
        bool tie = order == 0 && v->phys != PHYS_STRING; /* 24:00:00 and 1 day: the later one */
        if (!tie && !beats(order, max))
            return OK;
    }
    return keep(call, s, v, vector_index(v, row));
}

#define INT_EXTREMES(T)                                  \
    for (uint32_t i = 0; i < rows; i++) {                \
        uint32_t at = vector_index(v, i);                \
        if (v->validity && !bitmap_get(v->validity, at)) \
            continue;                                    \
        ExtremeState *s = one ? one : states[i];         \
        T x = ((const T *)v->values)[at];                \
        T *held = (T *)s->value;                         \
        if (!s->any || (max ? x > *held : x < *held)) {  \
            *held = x;                                   \
            s->any = true;                               \
        }                                                \
    }

static ALWAYS_INLINE Status update(AggCall *call, const Vector *v, uint32_t rows,
                                   void *const *states, void *one, bool max)
{
    Status st = OK;

    switch (v->phys) {
    case PHYS_INT16: INT_EXTREMES(int16_t) return OK;
    case PHYS_INT32: INT_EXTREMES(int32_t) return OK;
    case PHYS_INT64: INT_EXTREMES(int64_t) return OK;
    case PHYS_INT128: INT_EXTREMES(int128_t) return OK;
    default: break;
    }
    for (uint32_t i = 0; i < rows; i++) {
        if (!vector_is_null(v, i))
            TRY(offer(call, one ? one : states[i], v, i, max));
    }
done:
    return st;
}

static Status combine(AggCall *call, void *into, const void *from, bool max)
{
    const ExtremeState *f = from;

    if (!f->any)
        return OK;
    Vector v = state_vector(call, f);
    return offer(call, into, &v, 0, max);
}

#define EXTREME(prefix, is_max)                                                             \
    AGG_BYTES(prefix, ExtremeState)                                                         \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,     \
                                 void *const *states)                                       \
    {                                                                                       \
        return update(call, in[0], rows, states, NULL, is_max);                             \
    }                                                                                       \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows, \
                                     void *state)                                           \
    {                                                                                       \
        return update(call, in[0], rows, NULL, state, is_max);                              \
    }                                                                                       \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from)              \
    {                                                                                       \
        return combine(call, into, from, is_max);                                           \
    }                                                                                       \
    AGG_FINISH(prefix, ExtremeState, !s->any,                                               \
               memcpy((char *)out->values + (size_t)i * phys_size[out->phys], s->value,     \
                      phys_size[out->phys]))

EXTREME(max, true)
EXTREME(min, false)
