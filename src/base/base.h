// SPDX-License-Identifier: Apache-2.0
//
// The words every file uses: fixed-width integers, attributes, assertions, small arithmetic.
// Assertions are on in every build: an assertion says that we did wrong (a wrong answer is worse
// than a stop), a Status says that the world did. Callable from any thread.
#ifndef DBASPOT_BASE_BASE_H
#define DBASPOT_BASE_BASE_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __int128 int128_t;
typedef unsigned __int128 uint128_t;

#define LIKELY(x)                       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)                     __builtin_expect(!!(x), 0)
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define UNUSED                          __attribute__((unused))
#define NOINLINE                        __attribute__((noinline))
#define ALWAYS_INLINE                   inline __attribute__((always_inline))
#define MUST_CHECK                      __attribute__((warn_unused_result))
#define ARRAY_COUNT(a)                  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))

/* Called once, before abort(), with the text of the broken invariant; see dbaspot_on_fatal. */
typedef void (*FatalHook)(const char *message);
void base_set_fatal_hook(FatalHook hook);

/* Reports a broken invariant and aborts. */
_Noreturn void base_assert_failed(const char *expr, const char *file, int line);

#define ASSERT(expr)                                       \
    do {                                                   \
        if (UNLIKELY(!(expr)))                             \
            base_assert_failed(#expr, __FILE__, __LINE__); \
    } while (0)

#ifdef NDEBUG
#define ASSERT_SLOW(expr) ((void)0)
#else
#define ASSERT_SLOW(expr) ASSERT(expr)
#endif

/* Rounds n up to a multiple of `align`, a power of two. */
static inline size_t align_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

#endif
