// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C by the SSE 4.2 instruction (the build's baseline on x86-64), eight bytes at a time, or
// by a table of 256 entries that the first caller fills. Both give what RFC 3720 says. Called by
// whatever stores bytes. Any thread.
#include "base/crc32c.h"

#if defined(__SSE4_2__)
#include <nmmintrin.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t state = ~crc;

    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;

        memcpy(&word, at, sizeof word);
        state = _mm_crc32_u64(state, word);
    }
    for (; count > 0; count--, at++)
        state = _mm_crc32_u8((uint32_t)state, *at);
    return ~(uint32_t)state;
}

#else

static uint32_t table[256];
static _Atomic bool table_ready;

static void fill_table(void)
{
    /* Threads that race here write the same values; the flag orders them before their readers. */
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;

        for (int bit = 0; bit < 8; bit++)
            x = (x >> 1) ^ (x & 1 ? 0x82f63b78u : 0);
        __atomic_store_n(&table[i], x, __ATOMIC_RELAXED);
    }
    atomic_store_explicit(&table_ready, true, memory_order_release);
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint32_t state = ~crc;

    if (!atomic_load_explicit(&table_ready, memory_order_acquire))
        fill_table();
    for (; count > 0; count--, at++)
        state = (state >> 8) ^ __atomic_load_n(&table[(state ^ *at) & 0xff], __ATOMIC_RELAXED);
    return ~state;
}

#endif
