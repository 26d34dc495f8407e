// SPDX-License-Identifier: Apache-2.0
//
// Cutting COPY's input into records and fields, and writing rows. A record is first found whole
// (its end), then split, so that a piece may end anywhere. Fields share the input's bytes; those
// with escapes or quotes are shortened in place. See copy_format.h.
#include "api/copy_format.h"

struct CopyParser {
    Scope *scope;
    CopyOptions options;
    uint32_t columns_count;
    const bool *force_not_null;
    const bool *force_null;
    StrBuf input; /* bytes not yet given out; [0, at) are */
    size_t at;
    size_t scanned;   /* how far the search for the record's end has come */
    bool in_quotes;   /* csv: state of that search */
    bool finished;    /* no more input */
    bool ended;       /* \. was met */
    bool has_numbers; /* \x.. or \ooo in the record: it may not be UTF-8 any more */
    bool header_done;
    Scope *scratch;
    uint64_t line;   /* of the next record */
    uint64_t *lines; /* by row of the last answer */
    uint32_t lines_cap;
    Status (*check_header)(void *arg, Ctx *ctx, const Str *names, uint32_t count);
    void *check_arg;
};

CopyParser *copy_parser_new(Scope *scope, const CopyOptions *options, uint32_t columns_count,
                            const bool *force_not_null, const bool *force_null)
{
    CopyParser *parser = scope_new(scope, CopyParser);

    parser->scope = scope;
    parser->options = *options;
    parser->columns_count = columns_count;
    parser->force_not_null = force_not_null;
    parser->force_null = force_null;
    strbuf_init_in(&parser->input, scope);
    parser->scratch = scope_open(scope, "copy");
    parser->line = 1;
    parser->header_done = options->header == COPY_HEADER_NONE;
    return parser;
}

void copy_parser_on_header(CopyParser *parser,
                           Status (*check)(void *arg, Ctx *ctx, const Str *names, uint32_t count),
                           void *arg)
{
    parser->check_header = check;
    parser->check_arg = arg;
}

void copy_parser_feed(CopyParser *parser, Str data)
{
    size_t left = parser->input.len - parser->at;

    if (parser->at) {
        memmove(parser->input.ptr, parser->input.ptr + parser->at, left);
        parser->input.len = left;
        parser->scanned -= parser->at;
        parser->at = 0;
    }
    strbuf_append_str(&parser->input, data);
}

void copy_parser_finish(CopyParser *parser)
{
    parser->finished = true;
}

uint64_t copy_parser_line(const CopyParser *parser, uint32_t row)
{
    return row < parser->lines_cap ? parser->lines[row] : parser->line;
}

size_t copy_parser_pending(const CopyParser *parser)
{
    return parser->input.len - parser->at;
}

/* Finds the newline that ends the record at `at`; false if it is not there yet. Quotes hide
   newlines in csv; a backslash hides one in text. */
static bool find_record_end(CopyParser *parser, size_t *end)
{
    const char *bytes = parser->input.ptr;
    bool csv = parser->options.format == COPY_CSV;
    char quote = parser->options.quote;
    char escape = parser->options.escape;
    size_t i = MAX(parser->scanned, parser->at);

    for (; i < parser->input.len; i++) {
        char c = bytes[i];
        if (c == '\n' && !parser->in_quotes) {
            *end = i;
            parser->scanned = i + 1;
            return true;
        }
        if (!csv) {
            if (c != '\\')
                continue;
            if (i + 1 == parser->input.len)
                break; /* what it escapes has not come yet */
            i++;
        } else if (parser->in_quotes && c == escape && escape != quote) {
            if (i + 1 == parser->input.len)
                break;
            i++;
        } else if (c == quote) {
            parser->in_quotes = !parser->in_quotes;
        }
    }
    parser->scanned = i;
    return false;
}

static char unescape_octal_hex(const char **at, const char *end)
{
    const char *p = *at;
    int value = 0;

    if (*p == 'x') {
        for (int i = 0; i < 2 && p + 1 < end; i++) {
            char c = p[1];
            int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
            if (digit < 0)
                break;
            value = value * 16 + digit;
            p++;
        }
        if (p == *at)
            return 'x';
    } else {
        value = *p - '0';
        for (int i = 0; i < 2 && p + 1 < end && p[1] >= '0' && p[1] <= '7'; i++)
            value = value * 8 + (*++p - '0');
    }
    *at = p;
    return (char)value;
}

/* text format: backslash sequences, in place. *numbers: bytes were given by their numbers. */
static Str unescape_text(Str raw, bool *numbers)
{
    char *bytes = (char *)raw.ptr;
    size_t length = 0;
    const char *end = raw.ptr + raw.len;

    for (const char *p = raw.ptr; p < end; p++) {
        char c = *p;
        if (c == '\\' && p + 1 < end) {
            c = *++p;
            switch (c) {
            case 'b': c = '\b'; break;
            case 'f': c = '\f'; break;
            case 'n': c = '\n'; break;
            case 'r': c = '\r'; break;
            case 't': c = '\t'; break;
            case 'v': c = '\v'; break;
            case 'x':
            case '0':
            case '1':
            case '2':
            case '3':
            case '4':
            case '5':
            case '6':
            case '7':
                c = unescape_octal_hex(&p, end);
                *numbers = true;
                break;
            default: break;
            }
        }
        bytes[length++] = c;
    }
    return (Str){bytes, length};
}

static Str text_field(CopyParser *parser, Str record, size_t *at, char delimiter)
{
    size_t start = *at;
    size_t i = start;
    bool escaped = false;

    for (; i < record.len && record.ptr[i] != delimiter; i++) {
        if (record.ptr[i] == '\\') {
            escaped = true;
            i++;
        }
    }
    i = MIN(i, record.len);
    *at = i + 1;
    Str raw = {record.ptr + start, i - start};
    if (str_equal(raw, parser->options.null))
        return (Str){0};
    return escaped ? unescape_text(raw, &parser->has_numbers) : raw;
}

/* A field with quotes somewhere: they are taken off in place, doubled ones (or escaped) become one.
 */
static Str csv_quoted(CopyParser *parser, Str record, size_t *at)
{
    char quote = parser->options.quote;
    char escape = parser->options.escape;
    char *bytes = (char *)record.ptr + *at;
    size_t length = 0;
    size_t i = *at;
    bool inside = false;

    for (; i < record.len && (inside || record.ptr[i] != parser->options.delimiter); i++) {
        char c = record.ptr[i];
        if (inside && c == escape && i + 1 < record.len &&
            (record.ptr[i + 1] == quote || record.ptr[i + 1] == escape))
            bytes[length++] = record.ptr[++i];
        else if (c == quote)
            inside = !inside;
        else
            bytes[length++] = c;
    }
    *at = i + 1;
    return (Str){bytes, length};
}

static Str csv_field(CopyParser *parser, Str record, size_t *at, uint32_t column)
{
    size_t start = *at;
    size_t i = start;
    char delimiter = parser->options.delimiter;
    char quote = parser->options.quote;
    bool not_null =
        parser->force_not_null && column < parser->columns_count && parser->force_not_null[column];
    bool quoted_null =
        parser->force_null && column < parser->columns_count && parser->force_null[column];

    while (i < record.len && record.ptr[i] != delimiter && record.ptr[i] != quote)
        i++;
    if (i < record.len && record.ptr[i] == quote) {
        Str field = csv_quoted(parser, record, at);
        return quoted_null && str_equal(field, parser->options.null) ? (Str){0} : field;
    }
    *at = i + 1;
    Str field = {record.ptr + start, i - start};
    return !not_null && str_equal(field, parser->options.null) ? (Str){0} : field;
}

static Str next_field(CopyParser *parser, Str record, size_t *at, uint32_t column)
{
    return parser->options.format == COPY_CSV
               ? csv_field(parser, record, at, column)
               : text_field(parser, record, at, parser->options.delimiter);
}

static Status split(Ctx *ctx, CopyParser *parser, Str record, Str *fields, uint32_t stride)
{
    size_t at = 0;
    uint32_t count = 0;

    if (parser->columns_count == 0 && record.len == 0)
        return OK;
    parser->has_numbers = false;
    for (; at <= record.len; count++) {
        if (count == parser->columns_count)
            return error_raise(ctx, E_BAD_COPY_FORMAT, "extra data after last expected column");
        fields[(size_t)count * stride] = next_field(parser, record, &at, count);
    }
    for (uint32_t i = 0; parser->has_numbers && i < count; i++) {
        Status st = type_check_utf8(ctx, fields[(size_t)i * stride]);
        if (st != OK)
            return st;
    }
    if (count < parser->columns_count) {
        error_raise(ctx, E_BAD_COPY_FORMAT, "missing data for column %u", count + 1);
        return E_BAD_COPY_FORMAT;
    }
    return OK;
}

static Status take_header(Ctx *ctx, CopyParser *parser, Str record)
{
    Status st = OK;

    parser->header_done = true;
    if (parser->options.header == COPY_HEADER_MATCH && parser->check_header) {
        Str *names = scope_new_array(parser->scratch, Str, record.len + 2);
        uint32_t count = 0;
        for (size_t at = 0; at <= record.len; count++)
            names[count] = next_field(parser, record, &at, count);
        TRY(parser->check_header(parser->check_arg, ctx, names, count));
    }
done:
    return st;
}

static uint64_t count_lines(Str record)
{
    uint64_t lines = 1;

    for (size_t i = 0; i < record.len; i++)
        lines += record.ptr[i] == '\n';
    return lines;
}

/* The next whole record without its line end; false if there is none (yet). */
static Status next_record(Ctx *ctx, CopyParser *parser, Str *out, bool *found)
{
    size_t end;

    *found = false;
    if (parser->ended || parser->at >= parser->input.len)
        return OK;
    if (find_record_end(parser, &end)) {
        *out = (Str){parser->input.ptr + parser->at, end - parser->at};
        parser->at = end + 1;
    } else if (parser->finished) {
        if (parser->in_quotes)
            return error_raise(ctx, E_BAD_COPY_FORMAT, "unterminated CSV quoted field");
        *out = (Str){parser->input.ptr + parser->at, parser->input.len - parser->at};
        parser->at = parser->input.len;
    } else {
        return OK;
    }
    if (out->len && out->ptr[out->len - 1] == '\r')
        out->len--;
    parser->ended = str_equal(*out, STR("\\."));
    *found = !parser->ended;
    return OK;
}

Status copy_parser_next(Ctx *ctx, CopyParser *parser, Str *texts, uint32_t rows_max, uint32_t *rows)
{
    Status st = OK;
    Str record;
    bool found;

    *rows = 0;
    scope_reset(parser->scratch);
    if (parser->lines_cap < rows_max) {
        parser->lines = scope_new_array(parser->scope, uint64_t, rows_max);
        parser->lines_cap = rows_max;
    }
    while (*rows < rows_max) {
        TRY(next_record(ctx, parser, &record, &found));
        if (!found)
            break;
        uint64_t line = parser->line;
        parser->line += count_lines(record);
        if (!parser->header_done) {
            TRY(take_header(ctx, parser, record));
            continue;
        }
        parser->lines[*rows] = line;
        st = type_check_utf8(ctx, record);
        if (st == OK)
            st = split(ctx, parser, record, texts + *rows, rows_max);
        if (st != OK) {
            error_where(ctx, "line %llu", (unsigned long long)line);
            goto done;
        }
        (*rows)++;
    }
done:
    return st;
}

static void write_text_field(StrBuf *out, const CopyOptions *options, Str value)
{
    static const char names[] = "btnvfr"; /* \b is 8 … \r is 13 */

    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c >= '\b' && c <= '\r') {
            strbuf_append_char(out, '\\');
            c = names[c - '\b'];
        } else if (c == '\\' || c == options->delimiter) {
            strbuf_append_char(out, '\\');
        }
        strbuf_append_char(out, c);
    }
}

static bool needs_quotes(const CopyOptions *options, Str value, bool alone)
{
    if (str_equal(value, options->null) || (alone && str_equal(value, STR("\\."))))
        return true;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == options->delimiter || c == options->quote || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

static void write_csv_field(StrBuf *out, const CopyOptions *options, Str value, bool quoted)
{
    if (!quoted) {
        strbuf_append_str(out, value);
        return;
    }
    strbuf_append_char(out, options->quote);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == options->quote || value.ptr[i] == options->escape)
            strbuf_append_char(out, options->escape);
        strbuf_append_char(out, value.ptr[i]);
    }
    strbuf_append_char(out, options->quote);
}

/* The field just appended from `start` on, rewritten in the format. */
static void format_tail(StrBuf *out, StrBuf *scratch, size_t start, const CopyOptions *options,
                        bool force, bool alone)
{
    Str value = {out->ptr + start, out->len - start};
    bool csv = options->format == COPY_CSV;
    bool plain = true;

    if (csv)
        plain = !force && !needs_quotes(options, value, alone);
    else
        for (size_t i = 0; i < value.len && plain; i++) {
            char c = value.ptr[i];
            plain = c != '\\' && c != options->delimiter && !(c >= '\b' && c <= '\r');
        }
    if (plain)
        return;
    strbuf_clear(scratch);
    if (csv)
        write_csv_field(scratch, options, value, true);
    else
        write_text_field(scratch, options, value);
    out->len = start;
    strbuf_append_str(out, strbuf_str(scratch));
}

/* tidy: allow parameters -- a row, how it is written, and the session's formats belong together */
void copy_write_row(StrBuf *out, const CopyOptions *options, const Batch *batch, uint32_t row,
                    uint32_t columns_count, const bool *force_quote, const TypeIoContext *io)
{
    StrBuf scratch;

    strbuf_init(&scratch);
    for (uint32_t i = 0; i < columns_count; i++) {
        const Vector *v = &batch->columns[i];
        if (i)
            strbuf_append_char(out, options->delimiter);
        if (vector_is_null(v, row)) {
            strbuf_append_str(out, options->null);
            continue;
        }
        size_t start = out->len;
        type_output(out, v->type, v, row, io);
        format_tail(out, &scratch, start, options, force_quote && force_quote[i],
                    columns_count == 1);
    }
    strbuf_append_char(out, '\n');
    strbuf_free(&scratch);
}

void copy_write_header(StrBuf *out, const CopyOptions *options, const char *const *names,
                       uint32_t count)
{
    StrBuf scratch;

    strbuf_init(&scratch);
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            strbuf_append_char(out, options->delimiter);
        size_t start = out->len;
        strbuf_append_c(out, names[i]);
        format_tail(out, &scratch, start, options, false, count == 1);
    }
    strbuf_append_char(out, '\n');
    strbuf_free(&scratch);
}
