// SPDX-License-Identifier: Apache-2.0
//
// The adapter to xxHash, inlined so that the library's symbols stay ours. Any thread.
// The contract, and which thread may call, stands in the header.
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_memory(const void *bytes, size_t count)
{
    return XXH3_64bits(bytes, count);
}
