// SPDX-License-Identifier: Apache-2.0
//
// Reads a .slt file into records. A record is a header line, SQL up to ---- or a blank line, and
// after ---- the expectation up to a blank line. `skipif NAME` and `onlyif NAME` lines guard the
// record that follows. Lines that begin with # between records are comments. Line places are kept,
// so that slt.c can rewrite the file and leave everything else as it was.

#include "slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 8 };

typedef struct Words {
    char *at[WORDS_MAX];
    size_t count;
    char *text;
} Words;

static Words split_words(const char *line)
{
    Words words = {.text = slt_copy(line)};
    char *rest = NULL;

    for (char *word = strtok_r(words.text, " \t", &rest); word && words.count < WORDS_MAX;
         word = strtok_r(NULL, " \t", &rest))
        words.at[words.count++] = word;
    return words;
}

static bool word_is(const Words *words, size_t i, const char *text)
{
    return i < words->count && strcmp(words->at[i], text) == 0;
}

static bool malformed(const SltFile *file, size_t line, const char *reason)
{
    fprintf(stderr, "%s:%zu: %s\n", file->path, line + 1, reason);
    return false;
}

static bool read_lines(const char *path, SltLines *out)
{
    FILE *stream = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t bytes;

    if (stream == NULL) {
        perror(path);
        return false;
    }
    while ((bytes = getline(&line, &capacity, stream)) >= 0) {
        if (bytes > 0 && line[bytes - 1] == '\n')
            bytes--;
        slt_lines_add(out, line, (size_t)bytes);
    }
    free(line);
    fclose(stream);
    return true;
}

// The expectation in words[1..]: ok, error [SQLSTATE] or count [N].
static bool parse_expectation(const Words *words, SltRecord *record)
{
    record->count = -1;
    if (word_is(words, 1, "ok") && words->count == 2) {
        record->expect = SLT_EXPECT_OK;
        return true;
    }
    if (word_is(words, 1, "error") && words->count <= 3) {
        record->expect = SLT_EXPECT_ERROR;
        if (words->count == 3 && strlen(words->at[2]) != SLT_SQLSTATE_BYTES - 1)
            return false;
        if (words->count == 3)
            memcpy(record->sqlstate, words->at[2], SLT_SQLSTATE_BYTES);
        return true;
    }
    if (word_is(words, 1, "count") && words->count <= 3) {
        record->expect = SLT_EXPECT_COUNT;
        if (words->count == 3)
            record->count = strtol(words->at[2], NULL, 10);
        return true;
    }
    return false;
}

static bool parse_query_header(const Words *words, SltRecord *record)
{
    size_t i = 1;

    record->expect = SLT_EXPECT_ROWS;
    if (i < words->count && strspn(words->at[i], "BIRT") == strlen(words->at[i]))
        record->types = slt_copy(words->at[i++]);
    if (word_is(words, i, "rowsort"))
        record->rowsort = true;
    if (word_is(words, i, "nosort") || word_is(words, i, "rowsort"))
        i++;
    if (i < words->count)
        record->label = slt_copy(words->at[i++]);
    return i == words->count;
}

static bool parse_header(const Words *words, SltRecord *record)
{
    if (word_is(words, 0, "statement")) {
        record->kind = SLT_STATEMENT;
        return parse_expectation(words, record);
    }
    if (word_is(words, 0, "copyin")) {
        record->kind = SLT_COPY_IN;
        return parse_expectation(words, record) && record->expect != SLT_EXPECT_OK;
    }
    if (word_is(words, 0, "query")) {
        record->kind = SLT_QUERY;
        return parse_query_header(words, record);
    }
    if (word_is(words, 0, "connection") && words->count == 2) {
        record->kind = SLT_CONNECTION;
        record->name = slt_copy(words->at[1]);
        return true;
    }
    record->kind = SLT_HALT;
    return word_is(words, 0, "halt") && words->count == 1;
}

// Takes the SQL and the body below the header; returns the index of the first line after the
// record.
static size_t parse_below(const SltFile *file, SltRecord *record)
{
    size_t i = record->header + 1;
    size_t sql_bytes = 0;

    for (; i < file->lines.count && file->lines.at[i][0] && strcmp(file->lines.at[i], "----") != 0;
         i++)
        sql_bytes += strlen(file->lines.at[i]) + 1;
    record->body_at = i;
    record->sql = slt_alloc(sql_bytes + 1);
    char *at = record->sql;
    for (size_t k = record->header + 1; k < i; k++) {
        size_t bytes = strlen(file->lines.at[k]);
        if (k > record->header + 1)
            *at++ = '\n';
        memcpy(at, file->lines.at[k], bytes);
        at += bytes;
    }
    if (i < file->lines.count && file->lines.at[i][0])
        for (i++; i < file->lines.count && file->lines.at[i][0]; i++)
            slt_lines_add(&record->body, file->lines.at[i], strlen(file->lines.at[i]));
    record->end = i;
    return i;
}

static bool add_condition(const Words *words, SltRecord *record)
{
    if (words->count != 2 || record->conditions_count == SLT_CONDITIONS_MAX)
        return false;
    SltCondition *condition = &record->conditions[record->conditions_count++];
    condition->only = word_is(words, 0, "onlyif");
    return (size_t)snprintf(condition->name, sizeof condition->name, "%s", words->at[1]) <
           sizeof condition->name;
}

static void keep_record(SltFile *file, SltRecord *record)
{
    if (record->types == NULL)
        record->types = slt_copy("");
    if (record->label == NULL)
        record->label = slt_copy("");
    size_t n = file->records_count++;
    file->records = realloc(file->records, file->records_count * sizeof(SltRecord));
    if (file->records == NULL)
        abort();
    file->records[n] = *record;
    *record = (SltRecord){0};
}

// One line outside a record; *next is the line to go on with.
static bool parse_line(SltFile *file, size_t i, SltRecord *record, size_t *next)
{
    Words words = split_words(file->lines.at[i]);
    bool good = true;

    *next = i + 1;
    if (words.count == 0 || words.at[0][0] == '#') {
        // a blank line or a comment
    } else if (word_is(&words, 0, "skipif") || word_is(&words, 0, "onlyif")) {
        good = add_condition(&words, record) || malformed(file, i, "one engine name is wanted");
    } else if (!parse_header(&words, record)) {
        good = malformed(file, i, "not a record's first line");
    } else {
        record->header = i;
        record->body_at = record->end = *next;
        if (record->kind != SLT_CONNECTION && record->kind != SLT_HALT) {
            *next = parse_below(file, record);
            good = record->sql[0] || malformed(file, i, "the record has no SQL");
        }
        keep_record(file, record);
    }
    free(words.text);
    return good;
}

bool slt_file_read(const char *path, SltFile *out)
{
    SltRecord record = {0};
    size_t next;

    *out = (SltFile){.path = path};
    if (!read_lines(path, &out->lines))
        return false;
    for (size_t i = 0; i < out->lines.count; i = next)
        if (!parse_line(out, i, &record, &next))
            return false;
    if (record.conditions_count > 0)
        return malformed(out, out->lines.count - 1, "skipif or onlyif guards nothing");
    return true;
}

void slt_file_free(SltFile *file)
{
    for (size_t i = 0; i < file->records_count; i++) {
        SltRecord *record = &file->records[i];
        free(record->types);
        free(record->label);
        free(record->name);
        free(record->sql);
        slt_lines_clear(&record->body);
    }
    free(file->records);
    slt_lines_clear(&file->lines);
    *file = (SltFile){0};
}
