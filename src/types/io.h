// SPDX-License-Identifier: Apache-2.0
//
// Text and binary forms of values, PostgreSQL 15's to the byte, with its error texts. Each family
// has its file (io_number.c, io_string.c, io_datetime.c, array_io.c) and gives functions a type;
// io.c finds them. Any thread; the context is only read.
#ifndef DBASPOT_TYPES_IO_H
#define DBASPOT_TYPES_IO_H

#include "types/datum.h"

typedef struct TimeZone TimeZone; /* types/timezone.h */

typedef enum DateStyle {
    DATE_STYLE_ISO,
    DATE_STYLE_SQL,
    DATE_STYLE_POSTGRES,
    DATE_STYLE_GERMAN
} DateStyle;

typedef enum DateOrder { DATE_ORDER_MDY, DATE_ORDER_DMY, DATE_ORDER_YMD } DateOrder;

typedef enum IntervalStyle {
    INTERVAL_STYLE_POSTGRES,
    INTERVAL_STYLE_POSTGRES_VERBOSE,
    INTERVAL_STYLE_SQL_STANDARD,
    INTERVAL_STYLE_ISO_8601
} IntervalStyle;

/* What the forms of values depend on: the session's settings. All zero is a good default: ISO, MDY,
   UTC, shortest floats, bytea in hex, reg* in numbers; a NULL context means the same. */
typedef struct TypeIoContext {
    uint8_t date_style;     /* DateStyle */
    uint8_t date_order;     /* DateOrder */
    uint8_t interval_style; /* IntervalStyle */
    bool bytea_escape;      /* bytea_output = escape */
    uint8_t float_shorter;  /* 0: shortest exact floats; n: extra_float_digits = 1 - n */
    const TimeZone *zone;   /* NULL: UTC */
    int64_t now_us;         /* what 'now' and 'today' mean: the transaction's start */
    /* Names of reg* values. Input is called for texts that are not numbers; NULL: such texts are
       refused. Output appends the name, false if there is none (then the number is printed). */
    Status (*reg_input)(void *arg, Ctx *ctx, Oid type, Str text, int64_t *out);
    bool (*reg_output)(void *arg, Oid type, int64_t value, StrBuf *out);
    void *reg_arg;
} TypeIoContext;

/* Text -> value, with the typmod applied as an assignment does it (varchar(3) refuses 'abcd').
   String bytes lie in `scope`. */
Status type_input(Ctx *ctx, Scope *scope, SqlType type, Str text, const TypeIoContext *io,
                  Datum *out);

/* A column of texts (ptr NULL: SQL NULL) -> a flat vector; the fast path of COPY. String values
   may share the texts' bytes. On error *bad_row is the row it happened in. */
Status type_input_vector(Ctx *ctx, Scope *scope, SqlType type, const Str *texts, uint32_t rows,
                         const TypeIoContext *io, Vector *out, uint32_t *bad_row);

/* Appends the text of row `row`, which is not NULL. */
void type_output(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io);
/* The same for a datum, which is not NULL. */
void type_output_datum(StrBuf *out, const Datum *datum, const TypeIoContext *io);

/* The function behind type_output, to be called for many rows. */
typedef void (*TypeOutput)(StrBuf *out, SqlType type, const Vector *v, uint32_t row,
                           const TypeIoContext *io);
TypeOutput type_output_function(SqlType type);

/* The wire protocol's binary form, without its length word. Text is checked to be UTF-8. */
Status type_receive(Ctx *ctx, Scope *scope, SqlType type, Str bytes, const TypeIoContext *io,
                    Datum *out);
/* Appends the binary form of row `row`, which is not NULL. */
void type_send(StrBuf *out, SqlType type, const Vector *v, uint32_t row, const TypeIoContext *io);
/* False for types whose binary form we do not have (their text is sent instead). */
bool type_has_binary(SqlType type);

/* E_CHARACTER_NOT_IN_REPERTOIRE with PostgreSQL's text if the bytes are not UTF-8. */
Status type_check_utf8(Ctx *ctx, Str text);

#endif
