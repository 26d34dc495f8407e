// SPDX-License-Identifier: Apache-2.0
//
// A record: lengths of the key and of all string bytes, the key, the tuple as it lies in memory,
// then the bytes of its long strings in field order. Pointers are set anew when it is read.
#include "exec/spill.h"

#include "os/file.h"

#include <stdio.h>

#define WRITE_BYTES     (256u << 10)
#define READ_BYTES      (64u << 10)
#define SPILL_BYTES_MIN ((size_t)256 << 10)

struct SpillFile {
    const TupleLayout *layout;
    File *file;
    StrBuf buffer; /* writing: what is not written yet; reading: bytes from `at` on */
    uint64_t bytes;
    uint64_t rows;
    uint64_t read_at; /* of the file: behind the buffer */
    size_t at;        /* in the buffer */
};

typedef struct RecordHead {
    uint32_t string_bytes;
    uint32_t key_bytes; /* directly before the key, as in memory: sort_key_length */
} RecordHead;

bool spill_is_possible(const Query *query)
{
    return query->env->temp_dir != NULL && query->env->work_mem > 0;
}

size_t spill_threshold(const Query *query)
{
    return MAX(query->env->work_mem / query->workers_max, SPILL_BYTES_MIN);
}

static void close_file(void *arg)
{
    SpillFile *file = arg;

    file_close(file->file);
    strbuf_free(&file->buffer);
}

Status spill_file_open(Worker *worker, Scope *scope, const TupleLayout *layout, SpillFile **out)
{
    static _Atomic uint64_t counter;
    Status st = OK;
    Files *files = files_os();
    SpillFile *file = scope_new(scope, SpillFile);
    char path[1024];

    ASSERT(spill_is_possible(worker->query));
    snprintf(path, sizeof path, "%s/spill-%llu", worker->query->env->temp_dir,
             (unsigned long long)atomic_fetch_add(&counter, 1));
    TRY(files_make_dir(worker->ctx, files, worker->query->env->temp_dir));
    TRY(file_open(worker->ctx, files, path, FILE_WRITE | FILE_CREATE | FILE_EXCLUSIVE,
                  &file->file));
    file->layout = layout;
    strbuf_init(&file->buffer);
    scope_defer(scope, close_file, file);
    TRY(files_unlink(worker->ctx, files, path));
    *out = file;
done:
    return st;
}

static Status flush(Ctx *ctx, SpillFile *file)
{
    Status st = OK;

    TRY(ctx_check_cancel(ctx));
    TRY(file_write(ctx, file->file, file->buffer.ptr, file->buffer.len, file->bytes));
    file->bytes += file->buffer.len;
    strbuf_clear(&file->buffer);
done:
    return st;
}

static bool long_string(const TupleField *field, Tuple tuple, StrView **out)
{
    if (field->phys != PHYS_STRING)
        return false;
    *out = (StrView *)(tuple + field->offset);
    return (*out)->len > STRVIEW_INLINE_MAX && !tuple_field_is_null(field, tuple);
}

Status spill_write(Ctx *ctx, SpillFile *file, Tuple tuple, Str key)
{
    const TupleLayout *layout = file->layout;
    RecordHead head = {.key_bytes = (uint32_t)key.len};
    StrView *view;

    for (uint32_t i = 0; i < layout->fields_count; i++) {
        if (long_string(&layout->fields[i], tuple, &view))
            head.string_bytes += view->len;
    }
    strbuf_append(&file->buffer, &head, sizeof head);
    strbuf_append_str(&file->buffer, key);
    strbuf_append(&file->buffer, tuple, layout->tuple_bytes);
    for (uint32_t i = 0; i < layout->fields_count; i++) {
        if (long_string(&layout->fields[i], tuple, &view))
            strbuf_append(&file->buffer, view->ptr, view->len);
    }
    file->rows++;
    return file->buffer.len >= WRITE_BYTES ? flush(ctx, file) : OK;
}

Status spill_finish(Ctx *ctx, SpillFile *file)
{
    Status st = OK;

    if (file->buffer.len)
        TRY(flush(ctx, file));
    strbuf_free(&file->buffer);
done:
    return st;
}

uint64_t spill_rows(const SpillFile *file)
{
    return file->rows;
}

// --- reading ------------------------------------------------------------------------------------

Status spill_rewind(Ctx *ctx UNUSED, SpillFile *file)
{
    file->read_at = 0;
    file->at = 0;
    strbuf_clear(&file->buffer);
    return OK;
}

/* `bytes` more lie in the buffer behind `at`; false at the end of the file. */
static Status need(Ctx *ctx, SpillFile *file, size_t bytes, bool *there)
{
    Status st = OK;
    size_t left = file->buffer.len - file->at, got;

    *there = true;
    if (left >= bytes)
        goto done;
    if (file->read_at == file->bytes) {
        *there = false;
        goto done;
    }
    if (left)
        memmove(file->buffer.ptr, file->buffer.ptr + file->at, left);
    file->buffer.len = left;
    file->at = 0;
    size_t more = MIN(MAX(bytes - left, READ_BYTES), file->bytes - file->read_at);
    char *to = strbuf_reserve(&file->buffer, more);
    TRY(file_read_some(ctx, file->file, to, more, file->read_at, &got));
    file->buffer.len += got;
    file->read_at += got;
    if (got < more)
        FAIL(ctx, E_DATA_CORRUPTED, "a temporary file ends before its time");
    *there = file->buffer.len >= bytes;
done:
    return st;
}

static void set_strings(const TupleLayout *layout, Tuple tuple, char *bytes)
{
    StrView *view;

    for (uint32_t i = 0; i < layout->fields_count; i++) {
        if (!long_string(&layout->fields[i], tuple, &view))
            continue;
        view->ptr = bytes;
        bytes += view->len;
    }
}

Status spill_read(Ctx *ctx, SpillFile *file, TupleBuffer *into, Tuple *out, Str *key, bool *found)
{
    Status st = OK;
    const TupleLayout *layout = file->layout;
    RecordHead head;
    char *strings;

    TRY(need(ctx, file, sizeof head, found));
    if (!*found)
        goto done;
    memcpy(&head, file->buffer.ptr + file->at, sizeof head);
    size_t record = sizeof head + head.key_bytes + layout->tuple_bytes + head.string_bytes;
    TRY(need(ctx, file, record, found));
    if (!*found)
        FAIL(ctx, E_DATA_CORRUPTED, "a temporary file ends inside a row");
    const char *from = file->buffer.ptr + file->at + sizeof head;
    *key = (Str){from, head.key_bytes};
    from += head.key_bytes;
    TRY(tuple_buffer_take(ctx, into, out));
    memcpy(*out, from, layout->tuple_bytes);
    if (head.string_bytes) {
        TRY(tuple_buffer_heap(ctx, into, head.string_bytes, &strings));
        memcpy(strings, from + layout->tuple_bytes, head.string_bytes);
        set_strings(layout, *out, strings);
    }
    file->at += record;
done:
    return st;
}

// --- partitions ---------------------------------------------------------------------------------

Status spill_set_write(Worker *worker, SpillSet *set, uint32_t partition, Tuple tuple)
{
    Status st = OK;
    SpillFile **file = &set->files[partition];

    if (*file == NULL)
        TRY(spill_file_open(worker, worker->scope, set->layout, file));
    TRY(spill_write(worker->ctx, *file, tuple, (Str){0}));
done:
    return st;
}

Status spill_set_finish(Ctx *ctx, SpillSet *set)
{
    Status st = OK;

    for (uint32_t i = 0; i < SPILL_PARTITIONS; i++) {
        if (set->files[i])
            TRY(spill_finish(ctx, set->files[i]));
    }
done:
    return st;
}
