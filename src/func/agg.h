// SPDX-License-Identifier: Apache-2.0
//
// Templates of aggregates. An aggregate is a state and five functions; AGG_UPDATES makes both
// update functions from one statement per row that sees `s` (the state), `at` (index of the value)
// and skips NULLs of its first argument. See AggInfo in func.h.
#ifndef DBASPOT_FUNC_AGG_H
#define DBASPOT_FUNC_AGG_H

#include "func/func_int.h"

#define AGG_BYTES(prefix, State)                              \
    uint32_t agg_##prefix##_bytes(UNUSED const SqlType *args) \
    {                                                         \
        return (uint32_t)align_up(sizeof(State), 16);         \
    }

/* `setup` declares what the rows need (typed value pointers); `row` is one value's statement. */
#define AGG_UPDATES(prefix, State, setup, row)                                                     \
    Status agg_##prefix##_update(UNUSED AggCall *call, const Vector *const *in, uint32_t rows,     \
                                 void *const *states)                                              \
    {                                                                                              \
        const Vector *v = in[0];                                                                   \
        setup;                                                                                     \
        for (uint32_t i = 0; i < rows; i++) {                                                      \
            uint32_t at = vector_index(v, i);                                                      \
            if (v->validity && !bitmap_get(v->validity, at))                                       \
                continue;                                                                          \
            State *s = states[i];                                                                  \
            row;                                                                                   \
        }                                                                                          \
        return OK;                                                                                 \
    }                                                                                              \
    Status agg_##prefix##_update_one(UNUSED AggCall *call, const Vector *const *in, uint32_t rows, \
                                     void *state)                                                  \
    {                                                                                              \
        const Vector *v = in[0];                                                                   \
        State *s = state;                                                                          \
        setup;                                                                                     \
        if (v->form == VECTOR_FLAT && v->validity == NULL) {                                       \
            for (uint32_t at = 0; at < rows; at++) {                                               \
                row;                                                                               \
            }                                                                                      \
            return OK;                                                                             \
        }                                                                                          \
        for (uint32_t i = 0; i < rows; i++) {                                                      \
            uint32_t at = vector_index(v, i);                                                      \
            if (v->validity && !bitmap_get(v->validity, at))                                       \
                continue;                                                                          \
            row;                                                                                   \
        }                                                                                          \
        return OK;                                                                                 \
    }

/* finish: `value` is a statement that sees `s`, `i`, `out`; NULL where `is_null` holds. */
#define AGG_FINISH(prefix, State, is_null, value)                                                 \
    Status agg_##prefix##_finish(AggCall *call, void *const *states, uint32_t count, Vector *out) \
    {                                                                                             \
        for (uint32_t i = 0; i < count; i++) {                                                    \
            const State *s = states[i];                                                           \
            if (is_null) {                                                                        \
                bitmap_clear(vector_make_validity(out, call->scope, count), i);                   \
                continue;                                                                         \
            }                                                                                     \
            value;                                                                                \
        }                                                                                         \
        return OK;                                                                                \
    }

#endif
