// SPDX-License-Identifier: Apache-2.0
//
// xoshiro256** seeded through splitmix64 (Blackman and Vigna): fast, good enough for everything but
// secrets, the same from the same seed everywhere. Secrets come from getrandom. A Random belongs to
// one thread at a time.
#include "os/random.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void random_seed(Random *random, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_COUNT(random->state); i++)
        random->state[i] = splitmix64(&seed);
}

void random_seed_entropy(Random *random)
{
    Ctx ctx;

    ctx_init(&ctx);
    if (random_entropy(&ctx, random->state, sizeof random->state) != OK)
        random_seed(random, (uint64_t)(uintptr_t)random);
    random->state[0] |= 1; /* all zero is the one state that never leaves itself */
    ctx_free(&ctx);
}

uint64_t random_u64(Random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(Random *random, uint64_t bound)
{
    ASSERT(bound > 0);
    uint64_t reject_below = -bound % bound;
    uint64_t x;

    do
        x = random_u64(random);
    while (x < reject_below);
    return x % bound;
}

double random_double(Random *random)
{
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

Status random_entropy(Ctx *ctx, void *out, size_t bytes)
{
    Status st = OK;
    char *at = out;

    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            FAIL(ctx, E_INTERNAL, "could not obtain random bytes: error %d", errno);
        at += got;
        bytes -= (size_t)got;
    }
done:
    return st;
}
