// SPDX-License-Identifier: Apache-2.0
//
// Hashing: XXH3 for bytes, a finalising multiply for integers. Values differ between releases and
// are never stored; what is stored uses its own named hash. Any thread.
#ifndef DBASPOT_BASE_HASH_H
#define DBASPOT_BASE_HASH_H

#include "base/str.h"

uint64_t hash_memory(const void *bytes, size_t count);

/* murmur3's 64-bit finaliser. */
static inline uint64_t hash_u64(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;
    return x;
}

static inline uint64_t hash_combine(uint64_t seed, uint64_t hash)
{
    return (seed ^ hash) * 0x9e3779b97f4a7c15ULL + (seed >> 32);
}

static inline uint64_t hash_str(Str text)
{
    return hash_memory(text.ptr, text.len);
}

#endif
