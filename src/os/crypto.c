// SPDX-License-Identifier: Apache-2.0
//
// Digests by OpenSSL's EVP interface: the adapter that includes its headers. One call a digest, so
// that no context outlives it; errors of the library become ours. See crypto.h.
#include "os/crypto.h"

#include <openssl/evp.h>

static const EVP_MD *algorithm(DigestKind kind)
{
    switch (kind) {
    case DIGEST_MD5: return EVP_md5();
    case DIGEST_SHA224: return EVP_sha224();
    case DIGEST_SHA256: return EVP_sha256();
    case DIGEST_SHA384: return EVP_sha384();
    default: return EVP_sha512();
    }
}

Status crypto_digest(Ctx *ctx, DigestKind kind, Str bytes, uint8_t out[DIGEST_BYTES_MAX],
                     size_t *out_bytes)
{
    unsigned int length = 0;
    static_assert(EVP_MAX_MD_SIZE <= DIGEST_BYTES_MAX, "a digest fits");

    if (EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, out, &length, algorithm(kind), NULL) != 1)
        return error_raise(ctx, E_INTERNAL, "could not compute a digest: unsupported");
    *out_bytes = length;
    return OK;
}
