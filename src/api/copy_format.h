// SPDX-License-Identifier: Apache-2.0
//
// COPY's text and csv formats: options, cutting input into records and fields, writing rows.
// A CopyParser is fed pieces of any size and keeps what is left of the last record. PostgreSQL 15,
// COPY, "File Formats". One thread at a time.
#ifndef DBASPOT_API_COPY_FORMAT_H
#define DBASPOT_API_COPY_FORMAT_H

#include "sql/ast.h"
#include "types/io.h"

typedef enum CopyFormat { COPY_TEXT, COPY_CSV } CopyFormat;
typedef enum CopyHeader { COPY_HEADER_NONE, COPY_HEADER_SKIP, COPY_HEADER_MATCH } CopyHeader;

typedef struct CopyOptions {
    CopyFormat format;
    char delimiter;
    char quote;
    char escape;
    Str null;
    CopyHeader header;
    bool force_quote_all;
    AstNames force_quote;
    bool force_not_null_all;
    AstNames force_not_null;
    bool force_null_all;
    AstNames force_null;
} CopyOptions;

/* Reads and checks the WITH list; strings lie in `scope`. */
Status copy_options(Ctx *ctx, Scope *scope, const AstList *options, bool is_from, CopyOptions *out);

/* One record: fields[i].ptr NULL is SQL NULL. The bytes live until the parser is fed again. */
typedef struct CopyParser CopyParser;

CopyParser *copy_parser_new(Scope *scope, const CopyOptions *options, uint32_t columns_count,
                            const bool *force_not_null, const bool *force_null);
void copy_parser_feed(CopyParser *parser, Str data);
/* No more data comes: the last record may lack its newline. */
void copy_parser_finish(CopyParser *parser);
/* Up to rows_max records, column by column: texts[column * rows_max + row]. *rows 0: more data is
   needed, or all is done. Errors (22P04) say the line. */
Status copy_parser_next(Ctx *ctx, CopyParser *parser, Str *texts, uint32_t rows_max,
                        uint32_t *rows);
/* The first line, as fields, when HEADER MATCH asks for it; called by copy_parser_next before any
   record. NULL: not looked at. */
void copy_parser_on_header(CopyParser *parser,
                           Status (*check)(void *arg, Ctx *ctx, const Str *names, uint32_t count),
                           void *arg);
/* The input line (from 1) on which row `row` of the last answer began. */
uint64_t copy_parser_line(const CopyParser *parser, uint32_t row);
/* Bytes that are kept for the next call. */
size_t copy_parser_pending(const CopyParser *parser);

/* Appends one row and its newline. `force_quote`: one flag a column, may be NULL. */
void copy_write_row(StrBuf *out, const CopyOptions *options, const Batch *batch, uint32_t row,
                    uint32_t columns_count, const bool *force_quote, const TypeIoContext *io);
void copy_write_header(StrBuf *out, const CopyOptions *options, const char *const *names,
                       uint32_t count);

#endif
