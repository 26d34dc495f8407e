// SPDX-License-Identifier: Apache-2.0
//
// What the families of text and binary forms give to io.c: four functions a type, and the readers
// of network byte order that they share. Private to this room. Any thread.
#ifndef DBASPOT_TYPES_IO_INT_H
#define DBASPOT_TYPES_IO_INT_H

#include "types/io.h"

typedef Status (*TypeInput)(Ctx *ctx, Scope *scope, SqlType type, Str text, const TypeIoContext *io,
                            Datum *out);

/* All six-parameter functions have the contracts of io.h; *out comes with type and not NULL. */
typedef struct TypeIo {
    TypeInput input;
    TypeOutput output;
    TypeInput receive;
    TypeOutput send;
} TypeIo;

/* The family's row for a type, NULL if it is not one of the family's. */
const TypeIo *io_number_find(Oid oid);
const TypeIo *io_string_find(Oid oid);
const TypeIo *io_datetime_find(Oid oid);
const TypeIo *io_array_find(Oid oid);

/* Integers of 2 (int16), 4 and 8 bytes as PostgreSQL's input reads them. `name` is the type's SQL
   name for the error. */
Status io_parse_int64(Ctx *ctx, Str text, int64_t low, int64_t high, const char *name,
                      int64_t *out);
Status io_parse_numeric(Ctx *ctx, SqlType type, Str text, Datum *out);
/* A numeric that was read with a typmod, as arrays hold it: with its own scale. */
void io_unscale_numeric(Datum *datum);
/* varchar(n) and char(n): checks the length, cuts blanks. Shares the text's bytes. */
Status io_fit_string(Ctx *ctx, SqlType type, Str text, bool cut, Str *out);
/* Cuts to at most `bytes` bytes without splitting a character. */
Str io_clip_utf8(Str text, size_t bytes);
/* Keeps string bytes: in the view if they are short, else copied to `scope`. */
StrView io_keep_string(Scope *scope, Str text);

/* E_INVALID_TEXT: invalid input syntax for type <name>: "<text>" */
Status io_bad_syntax(Ctx *ctx, const char *name, Str text);
/* E_INVALID_BINARY or E_PROTOCOL_VIOLATION unless `bytes` has exactly `want` bytes. */
Status io_want_bytes(Ctx *ctx, Str bytes, size_t want);

static inline uint64_t io_get_be(const char *bytes, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value = value << 8 | (uint8_t)bytes[i];
    return value;
}

static inline void io_put_be(StrBuf *out, uint64_t value, int count)
{
    char *at = strbuf_reserve(out, (size_t)count);

    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)value;
        value >>= 8;
    }
    out->len += (size_t)count;
}

#endif
