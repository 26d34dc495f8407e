// SPDX-License-Identifier: Apache-2.0
//
// Counts a suite without running it: how many statements there are when repeats that differ in
// constants alone count once, and how many of them read FROM something. Called by slt.c.

#include "slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// sql with constants, case and spacing taken out, so that repeats with other constants look the
// same.
static char *normalise_sql(const char *sql)
{
    char *out = slt_alloc(strlen(sql) + 2);
    size_t n = 0;

    for (const char *at = sql; *at;) {
        if (*at == '\'') {
            for (at++; *at && (*at != '\'' || at[1] == '\''); at += *at == '\'' ? 2 : 1) {
            }
            at += *at == '\'';
            out[n++] = '?';
        } else if (*at >= '0' && *at <= '9' &&
                   (n == 0 || !strchr("abcdefghijklmnopqrstuvwxyz_?", out[n - 1]))) {
            at += strspn(at, "0123456789.eE");
            out[n++] = '?';
        } else if (strchr(" \t\n", *at)) {
            at += strspn(at, " \t\n");
            out[n++] = ' ';
        } else {
            out[n++] = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
            at++;
        }
    }
    return out;
}

static bool has_word(const char *sql, const char *word)
{
    size_t bytes = strlen(word);

    for (const char *at = sql; (at = strstr(at, word)) != NULL; at += bytes) {
        bool starts = at == sql || strchr(" (", at[-1]);
        if (starts && (at[bytes] == '\0' || strchr(" (", at[bytes])))
            return true;
    }
    return false;
}

static void add_statements(const SltFile *file, SltLines *out)
{
    for (size_t i = 0; i < file->records_count; i++) {
        const SltRecord *record = &file->records[i];
        if (record->kind == SLT_CONNECTION || record->kind == SLT_HALT)
            continue;
        char *sql = normalise_sql(record->sql);
        slt_lines_add(out, sql, strlen(sql));
        free(sql);
    }
}

int slt_print_stats(char **paths, int paths_count)
{
    SltLines all = {0};
    size_t distinct = 0;
    size_t from = 0;
    size_t reads = 0;
    size_t reads_from = 0;

    for (int i = 0; i < paths_count; i++) {
        SltFile file;
        if (!slt_file_read(paths[i], &file))
            return 1;
        add_statements(&file, &all);
        slt_file_free(&file);
    }
    slt_lines_sort(&all);
    for (size_t i = 0; i < all.count; i++) {
        if (i > 0 && strcmp(all.at[i], all.at[i - 1]) == 0)
            continue;
        bool is_from = has_word(all.at[i], "from");
        bool is_read = has_word(all.at[i], "select");
        distinct++;
        from += is_from;
        reads += is_read;
        reads_from += is_read && is_from;
    }
    printf("%zu statements, %zu distinct but for constants: %zu with FROM, %zu without\n",
           all.count, distinct, from, distinct - from);
    printf("of them with SELECT: %zu, without FROM %zu\n", reads, reads - reads_from);
    slt_lines_clear(&all);
    return 0;
}
