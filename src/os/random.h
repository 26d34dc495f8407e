// SPDX-License-Identifier: Apache-2.0
//
// Randomness: a fast generator that a seed replays (xoshiro256**), and the system's own entropy. A
// Random belongs to one thread at a time; random_entropy is callable from any.
#ifndef DBASPOT_OS_RANDOM_H
#define DBASPOT_OS_RANDOM_H

#include "base/error.h"

typedef struct Random {
    uint64_t state[4];
} Random;

/* The same seed gives the same numbers on every machine. */
void random_seed(Random *random, uint64_t seed);
/* Seeds from the system's entropy. */
void random_seed_entropy(Random *random);
uint64_t random_u64(Random *random);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(Random *random, uint64_t bound);
/* Uniform in [0, 1), 53 bits. */
double random_double(Random *random);
/* Bytes fit for keys and salts. E_INTERNAL if the system has none. */
Status random_entropy(Ctx *ctx, void *out, size_t bytes);

#endif
