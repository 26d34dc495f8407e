// SPDX-License-Identifier: Apache-2.0
//
// Lines of text and the answers made of them. A row is one line: values separated by tabs, NULL as
// NULL, the empty string as (empty), and the characters that would break a line as \t, \n and \r.
// Everything else is the engine's text output, byte for byte. Called by the drivers and by slt.c;
// one thread.

#include "slt.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *slt_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    if (memory == NULL) {
        fputs("slt: out of memory\n", stderr);
        abort();
    }
    return memory;
}

char *slt_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;

    return memcpy(slt_alloc(bytes), text, bytes);
}

char *slt_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return text;
}

bool slt_remove_tree(const char *path)
{
    DIR *dir = opendir(path);

    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *below = slt_format("%s/%s", path, entry->d_name);
        if (remove(below) != 0)
            slt_remove_tree(below);
        free(below);
    }
    if (dir)
        closedir(dir);
    return remove(path) == 0;
}

void slt_lines_add(SltLines *lines, const char *text, size_t bytes)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? 2 * lines->capacity : 16;
        lines->at = realloc(lines->at, lines->capacity * sizeof(char *));
        if (lines->at == NULL)
            abort();
    }
    char *line = slt_alloc(bytes + 1);
    if (bytes > 0)
        memcpy(line, text, bytes);
    lines->at[lines->count++] = line;
}

void slt_lines_clear(SltLines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->at[i]);
    free(lines->at);
    *lines = (SltLines){0};
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void slt_lines_sort(SltLines *lines)
{
    if (lines->count > 1)
        qsort(lines->at, lines->count, sizeof(char *), compare_lines);
}

bool slt_lines_equal(const SltLines *a, const SltLines *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return true;
}

void slt_result_fail(SltResult *result, const char *sqlstate, const char *message)
{
    result->failed = true;
    snprintf(result->sqlstate, sizeof result->sqlstate, "%s", sqlstate ? sqlstate : "");
    free(result->message);
    result->message = slt_copy(message ? message : "");
}

static void row_append(SltResult *result, const char *text, size_t bytes)
{
    result->row = realloc(result->row, result->row_bytes + bytes + 1);
    if (result->row == NULL)
        abort();
    memcpy(result->row + result->row_bytes, text, bytes);
    result->row_bytes += bytes;
    result->row[result->row_bytes] = '\0';
}

void slt_result_add_value(SltResult *result, const char *text, size_t bytes)
{
    if (result->row != NULL)
        row_append(result, "\t", 1);
    if (text == NULL) {
        row_append(result, "NULL", 4);
    } else if (bytes == 0) {
        row_append(result, "(empty)", 7);
    } else {
        for (size_t i = 0; i < bytes; i++) {
            if (text[i] == '\t')
                row_append(result, "\\t", 2);
            else if (text[i] == '\n')
                row_append(result, "\\n", 2);
            else if (text[i] == '\r')
                row_append(result, "\\r", 2);
            else
                row_append(result, text + i, 1);
        }
    }
}

void slt_result_end_row(SltResult *result)
{
    slt_lines_add(&result->rows, result->row ? result->row : "", result->row_bytes);
    free(result->row);
    result->row = NULL;
    result->row_bytes = 0;
}

void slt_result_free(SltResult *result)
{
    free(result->message);
    free(result->types);
    free(result->row);
    slt_lines_clear(&result->rows);
    *result = (SltResult){0};
}

char slt_type_letter(unsigned type_oid)
{
    switch (type_oid) {
    case 16: return 'B';
    case 20: // int8
    case 21: // int2
    case 23: // int4
    case 26: // oid
        return 'I';
    case 700:  // float4
    case 701:  // float8
    case 1700: // numeric
        return 'R';
    default: return 'T';
    }
}
