// SPDX-License-Identifier: Apache-2.0
//
// The layout and the order of tier 3's keys; see version_key.h. No escaping is needed: the order is
// not memcmp of the whole but of the two parts, each by itself. Any thread.
#include "storage/wos/version_key.h"

void version_key_make(StrBuf *out, RelationId relation, Str key, Timestamp ts, char kind)
{
    size_t bytes = VERSION_RELATION_BYTES + key.len + VERSION_SUFFIX_BYTES;
    uint32_t relation_big = __builtin_bswap32(relation);
    uint64_t ts_big = __builtin_bswap64(~ts);

    strbuf_clear(out);
    char *at = strbuf_reserve(out, bytes);
    memcpy(at, &relation_big, sizeof relation_big);
    at += VERSION_RELATION_BYTES;
    if (key.len)
        memcpy(at, key.ptr, key.len);
    memcpy(at + key.len, &ts_big, sizeof ts_big);
    at[key.len + sizeof ts_big] = kind;
    out->len += bytes;
}

bool version_key_parse(const char *bytes, size_t len, VersionKey *out)
{
    uint32_t relation;
    uint64_t ts;

    if (len < VERSION_RELATION_BYTES + VERSION_SUFFIX_BYTES)
        return false;
    memcpy(&relation, bytes, sizeof relation);
    memcpy(&ts, bytes + len - VERSION_SUFFIX_BYTES, sizeof ts);
    out->relation = __builtin_bswap32(relation);
    out->key = str_make(bytes + VERSION_RELATION_BYTES,
                        len - VERSION_RELATION_BYTES - VERSION_SUFFIX_BYTES);
    out->ts = ~__builtin_bswap64(ts);
    out->tombstone = bytes[len - 1] == 0;
    return true;
}

int version_key_compare(Str a, Str b)
{
    size_t a_suffix = MIN(a.len, (size_t)VERSION_SUFFIX_BYTES);
    size_t b_suffix = MIN(b.len, (size_t)VERSION_SUFFIX_BYTES);
    int order = str_compare(str_make(a.ptr, a.len - a_suffix), str_make(b.ptr, b.len - b_suffix));

    return order ? order
                 : str_compare(str_make(a.ptr + a.len - a_suffix, a_suffix),
                               str_make(b.ptr + b.len - b_suffix, b_suffix));
}
