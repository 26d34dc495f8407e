// SPDX-License-Identifier: Apache-2.0
//
// Values as they lie in vectors: string views, intervals, uuids, numerics. Views own nothing: their
// bytes belong to the buffers that the vector's producer keeps. Plain data; any thread.
#ifndef DBASPOT_TYPES_VALUE_H
#define DBASPOT_TYPES_VALUE_H

#include "base/str.h"

#define STRVIEW_INLINE_MAX 12

/* Arrow's binary view: up to 12 bytes inline (the rest of the struct is zero), else a 4-byte prefix
   and a pointer. Owns nothing. Source: Umbra (CIDR 2020), Arrow columnar format 1.4. */
typedef struct StrView {
    uint32_t len;
    char prefix[4];
    union {
        char rest[8];
        const char *ptr;
    };
} StrView;
static_assert(sizeof(StrView) == 16, "a view is two words");

static inline StrView strview_make(const char *bytes, size_t len)
{
    StrView view = {.len = (uint32_t)len};

    if (len <= STRVIEW_INLINE_MAX) {
        if (len)
            memcpy((char *)&view + 4, bytes, len);
    } else {
        memcpy(view.prefix, bytes, 4);
        view.ptr = bytes;
    }
    return view;
}

static inline const char *strview_bytes(const StrView *view)
{
    return view->len <= STRVIEW_INLINE_MAX ? (const char *)view + 4 : view->ptr;
}

static inline Str strview_str(const StrView *view)
{
    return (Str){strview_bytes(view), view->len};
}

static inline bool strview_equal(const StrView *a, const StrView *b)
{
    uint64_t a_head, b_head;

    memcpy(&a_head, a, 8);
    memcpy(&b_head, b, 8);
    if (a_head != b_head)
        return false;
    if (a->len <= STRVIEW_INLINE_MAX)
        return memcmp(a->rest, b->rest, 8) == 0;
    return memcmp(a->ptr + 4, b->ptr + 4, a->len - 4) == 0;
}

/* memcmp order: <0, 0, >0. */
static inline int strview_compare(const StrView *a, const StrView *b)
{
    return str_compare(strview_str(a), strview_str(b));
}

typedef struct Interval {
    int64_t us;
    int32_t days;
    int32_t months;
} Interval;
static_assert(sizeof(Interval) == 16, "an interval is two words");

typedef struct Uuid {
    uint8_t bytes[16];
} Uuid;

typedef enum NumericKind {
    NUMERIC_FINITE,
    NUMERIC_NAN,
    NUMERIC_POS_INF,
    NUMERIC_NEG_INF
} NumericKind;

/* coefficient * 10^-scale, at most 38 digits; `scale` is what is displayed (1.50 has 2). */
typedef struct Numeric {
    __int128 coefficient;
    int32_t scale; /* 0 .. 38 (NUMERIC_PRECISION_MAX) */
    int32_t kind;  /* NumericKind */
    int64_t padding;
} Numeric;
static_assert(sizeof(Numeric) == 32, "a numeric is four words");

#endif
