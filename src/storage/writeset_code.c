// SPDX-License-Identifier: Apache-2.0
//
// Writes in key order, and as the log's payload. The payload is a row of entries, each a varint
// (length << 2 | kind): a relation (the id in the place of the length), a row (the key's length;
// then the row's length as a varint, the key, the row) or a tombstone (the key's length; the key).
// Varints are LEB128. Encoder and decoder take buffers of any size: an entry may lie across
// several.
#include "storage/writeset_int.h"

#include "base/memory.h"

enum { ENTRY_ROW = 0, ENTRY_TOMBSTONE = 1, ENTRY_RELATION = 2 };

#define VARINT_BYTES_MAX 10

/* --- in key order --------------------------------------------------------------------------- */

struct WriteIter {
    const WriteSet *set;
    DeltaRelation **relations;
    uint32_t relations_count;
    uint32_t relation_at; /* the next one */
    RelationId id;
    uint32_t at; /* in iter.block */
    DeltaIter iter;
};

WriteIter *writeset_iter_new(Scope *scope, const WriteSet *set)
{
    WriteIter *iter = scope_new(scope, WriteIter);

    iter->set = set;
    iter->relations_count = delta_map_list(&set->map, scope, &iter->relations);
    return iter;
}

/* NULL at the end. */
static const DeltaVersion *next_version(WriteIter *iter)
{
    while (iter->at == iter->iter.count) {
        iter->at = 0;
        if (iter->relation_at > 0 && delta_iter_next(&iter->iter))
            break;
        if (iter->relation_at == iter->relations_count)
            return NULL;
        const DeltaRelation *relation = iter->relations[iter->relation_at++];
        iter->id = relation->id;
        delta_tree_iter_open(&iter->iter, &relation->tree, (KeyRange){0}, false);
    }
    return iter->iter.block[iter->at++];
}

bool writeset_iter_next(WriteIter *iter, WriteItem *out)
{
    const DeltaVersion *version = next_version(iter);

    if (version == NULL)
        return false;
    *out = (WriteItem){
        .relation = iter->id,
        .key = delta_version_key(version),
        .row = delta_version_row(version),
        .tombstone = delta_version_is_tombstone(version),
        .seen_ts = writeset_run(iter->set, version->commit_ts)->seen_ts,
        .number = version->commit_ts,
    };
    return true;
}

/* --- encoding ------------------------------------------------------------------------------- */

static size_t varint_bytes(uint64_t value)
{
    size_t bytes = 1;

    for (; value >= 0x80; value >>= 7)
        bytes++;
    return bytes;
}

static size_t varint_put(char *out, uint64_t value)
{
    size_t bytes = 0;

    for (; value >= 0x80; value >>= 7)
        out[bytes++] = (char)(value | 0x80);
    out[bytes++] = (char)value;
    return bytes;
}

uint64_t writeset_entry_bytes(const DeltaVersion *version)
{
    uint64_t key_len = delta_version_key(version).len;
    uint64_t bytes = varint_bytes(key_len << 2) + key_len;

    if (!delta_version_is_tombstone(version))
        bytes += varint_bytes(version->row_len) + version->row_len;
    return bytes;
}

uint64_t writeset_encoded_bytes(const WriteSet *set)
{
    uint64_t bytes = set->encoded_bytes;

    for (uint32_t i = 0; i < WRITESET_BUCKETS; i++) {
        const DeltaRelation *relation =
            atomic_load_explicit(&set->buckets[i], memory_order_relaxed);
        for (; relation; relation = relation->next) {
            if (atomic_load_explicit(&relation->keys_count, memory_order_relaxed))
                bytes += varint_bytes((uint64_t)relation->id << 2);
        }
    }
    return bytes;
}

struct WriteEncoder {
    WriteIter *iter;
    RelationId relation; /* the last one written, 0 none */
    char head[3 * VARINT_BYTES_MAX];
    Str parts[2]; /* what is left of the entry: head, then key and row, which lie together */
};

WriteEncoder *writeset_encoder_new(Scope *scope, const WriteSet *set)
{
    WriteEncoder *encoder = scope_new(scope, WriteEncoder);

    encoder->iter = writeset_iter_new(scope, set);
    return encoder;
}

static bool next_entry(WriteEncoder *encoder)
{
    const DeltaVersion *version = next_version(encoder->iter);
    size_t bytes = 0;

    if (version == NULL)
        return false;
    if (encoder->relation != encoder->iter->id) {
        encoder->relation = encoder->iter->id;
        bytes = varint_put(encoder->head, (uint64_t)encoder->relation << 2 | ENTRY_RELATION);
    }
    uint64_t key_len = delta_version_key(version).len;
    bool tombstone = delta_version_is_tombstone(version);
    bytes +=
        varint_put(encoder->head + bytes, key_len << 2 | (tombstone ? ENTRY_TOMBSTONE : ENTRY_ROW));
    if (!tombstone)
        bytes += varint_put(encoder->head + bytes, version->row_len);
    encoder->parts[0] = (Str){encoder->head, bytes};
    encoder->parts[1] = (Str){version->bytes, key_len + version->row_len};
    return true;
}

size_t writeset_encode(WriteEncoder *encoder, void *buffer, size_t bytes_max)
{
    char *out = buffer;
    size_t done = 0;

    while (done < bytes_max) {
        if (encoder->parts[0].len == 0 && encoder->parts[1].len == 0 && !next_entry(encoder))
            break;
        for (uint32_t i = 0; i < 2; i++) {
            Str *part = &encoder->parts[i];
            size_t bytes = MIN(part->len, bytes_max - done);
            if (bytes == 0)
                continue;
            memcpy(out + done, part->ptr, bytes);
            *part = (Str){part->ptr + bytes, part->len - bytes};
            done += bytes;
        }
    }
    return done;
}

/* --- decoding ------------------------------------------------------------------------------- */

typedef struct Entry {
    int kind;
    RelationId relation;
    uint64_t key_len;
    uint64_t row_len;
    size_t head_bytes;
} Entry;

/* 1: read, 0: more bytes are needed, -1: no such number. */
static int varint_get(const char *bytes, size_t count, size_t *at, uint64_t *out)
{
    uint64_t value = 0;

    for (uint32_t shift = 0; shift < 63; shift += 7) {
        if (*at == count)
            return 0;
        uint64_t byte = (uint8_t)bytes[(*at)++];
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return 1;
        }
    }
    return -1;
}

/* 1: read, 0: more bytes are needed, -1: malformed. */
static int read_head(Str bytes, Entry *out)
{
    size_t at = 0;
    uint64_t word;
    int got = varint_get(bytes.ptr, bytes.len, &at, &word);

    if (got <= 0)
        return got;
    *out = (Entry){.kind = (int)(word & 3), .key_len = word >> 2};
    if (out->kind == ENTRY_RELATION) {
        if (out->key_len == 0 || out->key_len > UINT32_MAX)
            return -1;
        out->relation = (RelationId)out->key_len;
        out->key_len = 0;
    } else if (out->kind == ENTRY_ROW) {
        got = varint_get(bytes.ptr, bytes.len, &at, &out->row_len);
        if (got <= 0)
            return got;
    } else if (out->kind != ENTRY_TOMBSTONE) {
        return -1;
    }
    out->head_bytes = at;
    return out->key_len <= WRITE_KEY_LEN_MAX && out->row_len <= WRITE_ROW_LEN_MAX ? 1 : -1;
}

static Status fail_malformed(Ctx *ctx)
{
    return error_raise(ctx, E_DATA_CORRUPTED, "malformed writes in a log record");
}

/* Where decoded writes go: a set, or a generation. */
typedef struct Target {
    WriteSet *set;
    DeltaGeneration *generation;
    GenerationHint hint;
    Timestamp commit_ts;
    RelationId relation;
} Target;

/* Takes as many whole entries as there are; *used is where they end. */
static Status take_entries(Ctx *ctx, Target *target, Str bytes, size_t *used)
{
    Status st = OK;
    Entry entry;

    *used = 0;
    for (;;) {
        Str rest = {bytes.ptr + *used, bytes.len - *used};
        int got = rest.len ? read_head(rest, &entry) : 0;
        if (got < 0)
            TRY(fail_malformed(ctx));
        if (got == 0)
            break;
        size_t whole = entry.head_bytes + entry.key_len + entry.row_len;
        if (rest.len < whole)
            break;
        *used += whole;
        if (entry.kind == ENTRY_RELATION) {
            target->relation = entry.relation;
            continue;
        }
        if (target->relation == 0)
            TRY(fail_malformed(ctx));
        GenerationWrite write = {
            .key = {rest.ptr + entry.head_bytes, entry.key_len},
            .row = {rest.ptr + entry.head_bytes + entry.key_len, entry.row_len},
            .tombstone = entry.kind == ENTRY_TOMBSTONE,
            .commit_ts = target->commit_ts,
        };
        if (target->generation)
            generation_put(target->generation, &target->hint, target->relation, &write);
        else if (write.tombstone)
            TRY(writeset_delete(ctx, target->set, target->relation, write.key, TIMESTAMP_MAX));
        else
            TRY(writeset_put(ctx, target->set, target->relation, write.key, write.row,
                             TIMESTAMP_MAX));
    }
done:
    return st;
}

struct WriteDecoder {
    Target target;
    StrBuf partial; /* the beginning of an entry */
};

WriteDecoder *writeset_decoder_new(Scope *scope, WriteSet *set)
{
    WriteDecoder *decoder = scope_new(scope, WriteDecoder);

    decoder->target.set = set;
    strbuf_init_in(&decoder->partial, scope);
    return decoder;
}

/* Fills the partial entry from `bytes` until it is whole; moves *bytes on. */
static Status finish_partial(Ctx *ctx, WriteDecoder *decoder, Str *bytes)
{
    Status st = OK;
    StrBuf *partial = &decoder->partial;

    while (partial->len && bytes->len) {
        Entry entry;
        size_t used, wanted = 1;
        int got = read_head(strbuf_str(partial), &entry);
        if (got < 0)
            TRY(fail_malformed(ctx));
        if (got > 0)
            wanted = entry.head_bytes + entry.key_len + entry.row_len - partial->len;
        wanted = MIN(wanted, bytes->len);
        strbuf_append(partial, bytes->ptr, wanted);
        *bytes = (Str){bytes->ptr + wanted, bytes->len - wanted};
        TRY(take_entries(ctx, &decoder->target, strbuf_str(partial), &used));
        if (used)
            strbuf_clear(partial);
    }
done:
    return st;
}

Status writeset_decode(Ctx *ctx, WriteDecoder *decoder, const void *bytes, size_t count)
{
    Status st = OK;
    Str rest = {bytes, count};
    size_t used;

    TRY(finish_partial(ctx, decoder, &rest));
    if (rest.len == 0)
        goto done;
    TRY(take_entries(ctx, &decoder->target, rest, &used));
    strbuf_append(&decoder->partial, rest.ptr + used, rest.len - used);
done:
    return st;
}

Status writeset_decode_end(Ctx *ctx, WriteDecoder *decoder)
{
    return decoder->partial.len ? fail_malformed(ctx) : OK;
}

Status writeset_decode_into(Ctx *ctx, DeltaGeneration *generation, Timestamp commit_ts,
                            const void *bytes, size_t count)
{
    Status st = OK;
    Target target = {.generation = generation, .commit_ts = commit_ts};
    size_t used;

    TRY(take_entries(ctx, &target, str_make(bytes, count), &used));
    if (used != count)
        TRY(fail_malformed(ctx));
done:
    return st;
}
