// SPDX-License-Identifier: Apache-2.0
//
// Messages of PostgreSQL's protocol 3.0: reading fields of a received one, writing whole ones into
// a buffer. PostgreSQL 15, chapter 55.7. Plain functions; any thread.
#ifndef DBASPOT_SERVER_WIRE_H
#define DBASPOT_SERVER_WIRE_H

#include "api/session.h"

/* A received message's payload, read from the front. A read beyond its end sets `bad`. */
typedef struct WireReader {
    Str rest;
    bool bad;
} WireReader;

uint8_t wire_read_byte(WireReader *reader);
int16_t wire_read_int16(WireReader *reader);
int32_t wire_read_int32(WireReader *reader);
/* A terminated string, without its end. */
Str wire_read_string(WireReader *reader);
Str wire_read_bytes(WireReader *reader, size_t count);

/* Begins a message; wire_end fills in its length. */
size_t wire_begin(StrBuf *out, char type);
void wire_end(StrBuf *out, size_t start);
void wire_put_int16(StrBuf *out, int16_t value);
void wire_put_int32(StrBuf *out, int32_t value);
void wire_put_string(StrBuf *out, const char *text);
void wire_put_text(StrBuf *out, Str text);

/* A message without payload. */
void wire_empty(StrBuf *out, char type);
void wire_ready(StrBuf *out, char transaction_status);
void wire_parameter(StrBuf *out, const char *name, const char *value);
void wire_complete(StrBuf *out, const char *tag);
/* ErrorResponse; `severity` is ERROR, FATAL … */
void wire_error(StrBuf *out, const char *severity, const Error *error);
void wire_notice(StrBuf *out, const char *severity, const char *sqlstate, const char *message,
                 const char *detail, const char *hint);
/* `formats`: one for all, one a column, or none (text). */
void wire_columns(StrBuf *out, const PlannedStatement *statement, const int16_t *formats,
                  uint32_t formats_count);
void wire_params(StrBuf *out, const SqlType *params, uint32_t count);
/* DataRow messages of a batch. E_FEATURE_NOT_SUPPORTED if binary is asked of a type without it. */
Status wire_rows(Ctx *ctx, StrBuf *out, const Batch *batch, uint32_t columns_count,
                 const int16_t *formats, uint32_t formats_count, const TypeIoContext *io);
/* CopyInResponse ('G') and CopyOutResponse ('H'). */
void wire_copy(StrBuf *out, char type, int format, uint32_t columns_count);

#endif
