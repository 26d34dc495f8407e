// SPDX-License-Identifier: Apache-2.0
//
// Digests: what the functions md5() and sha256() and their like compute, and whatever else needs a
// cryptographic hash. The algorithms are OpenSSL's; crypto.c is the only file here that includes
// it. Any thread.
#ifndef DBASPOT_OS_CRYPTO_H
#define DBASPOT_OS_CRYPTO_H

#include "base/str.h"

typedef enum DigestKind {
    DIGEST_MD5,
    DIGEST_SHA224,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512
} DigestKind;

#define DIGEST_BYTES_MAX 64

/* The digest of the bytes and its length; E_INTERNAL if the library refuses the algorithm (md5
   where only approved ones are allowed). */
Status crypto_digest(Ctx *ctx, DigestKind kind, Str bytes, uint8_t out[DIGEST_BYTES_MAX],
                     size_t *out_bytes);

#endif
