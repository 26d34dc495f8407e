// SPDX-License-Identifier: Apache-2.0
//
// The shared face of the sqllogictest runner: what a test file is made of, what an engine answered,
// and the driver interface behind which PostgreSQL's wire protocol and the embedded library look
// alike.
//
// Files, in reading order: slt.h, slt_parse.c (text to records), slt_result.c (answers as lines of
// text), slt_pg.c and slt_embedded.c (the two drivers), slt_stats.c (counts), slt.c (runs,
// compares, reports, completes). One thread.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// ---- growing text and lists of lines
// --------------------------------------------------------------------

typedef struct SltLines {
    char **at; // each NUL-terminated and owned
    size_t count;
    size_t capacity;
} SltLines;

// Appends a copy of text[0..bytes). Running out of memory ends the program: this is a test tool.
void slt_lines_add(SltLines *lines, const char *text, size_t bytes);
// Frees every line and leaves the list empty.
void slt_lines_clear(SltLines *lines);
// Bytewise order of the lines, as `rowsort` wants it.
void slt_lines_sort(SltLines *lines);
bool slt_lines_equal(const SltLines *a, const SltLines *b);
// Zeroed memory, or the program ends.
void *slt_alloc(size_t bytes);
char *slt_copy(const char *text);
// Removes a file or a directory with all that is below it. False when something is left.
bool slt_remove_tree(const char *path);
// printf into fresh memory that the caller frees.
char *slt_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- a test file
// ----------------------------------------------------------------------------------------

typedef enum SltKind {
    SLT_STATEMENT,  // statement ok | error [SQLSTATE] | count [N]
    SLT_QUERY,      // query [TYPES] [nosort|rowsort] [label]
    SLT_COPY_IN,    // copyin count [N] | error [SQLSTATE]: what follows ---- is sent as COPY data
    SLT_CONNECTION, // connection NAME: later records run in that session
    SLT_HALT        // halt: the file ends here
} SltKind;

typedef enum SltExpect {
    SLT_EXPECT_OK,
    SLT_EXPECT_ERROR,
    SLT_EXPECT_COUNT,
    SLT_EXPECT_ROWS
} SltExpect;

enum { SLT_CONDITIONS_MAX = 4, SLT_SQLSTATE_BYTES = 6 };

typedef struct SltCondition {
    bool only; // onlyif NAME; otherwise skipif NAME
    char name[32];
} SltCondition;

typedef struct SltRecord {
    SltKind kind;
    SltExpect expect;
    SltCondition conditions[SLT_CONDITIONS_MAX];
    size_t conditions_count;
    char sqlstate[SLT_SQLSTATE_BYTES]; // "" until completed
    long count;                        // -1 until completed
    char *types;                       // "" until completed
    bool rowsort;
    char *label;   // "" where the query has none
    char *name;    // the connection's
    char *sql;     // lines joined with \n
    SltLines body; // what follows ----: rows, a message pattern, or COPY data
    // Places in the file as line indexes from 0: [header] [header+1, body_at) is SQL, [body_at,
    // end) is ---- and on.
    size_t header;
    size_t body_at;
    size_t end;
} SltRecord;

typedef struct SltFile {
    const char *path;
    SltLines lines;
    SltRecord *records;
    size_t records_count;
} SltFile;

// Reads and parses path. On a malformed file says where and why on stderr and returns false.
bool slt_file_read(const char *path, SltFile *out);
void slt_file_free(SltFile *file);

// Prints how many statements the files have, and of what kind. The program's exit status.
int slt_print_stats(char **paths, int paths_count);

// ---- an answer
// ------------------------------------------------------------------------------------------

typedef struct SltResult {
    bool failed;
    bool lost; // the session is gone: nothing more can run in it
    char sqlstate[SLT_SQLSTATE_BYTES];
    char *message; // of the error; owned
    char *types; // a letter a column, or NULL where the driver cannot tell or there are no rows to
                 // speak of
    size_t columns_count;
    long changed_count; // rows that the statement says it touched; -1 where it does not say
    SltLines rows;      // values separated by tabs
    char *row;          // the row being built
    size_t row_bytes;
} SltResult;

void slt_result_fail(SltResult *result, const char *sqlstate, const char *message);
// Adds a value to the current row; text NULL is SQL's NULL.
void slt_result_add_value(SltResult *result, const char *text, size_t bytes);
void slt_result_end_row(SltResult *result);
void slt_result_free(SltResult *result);
// The letter of a PostgreSQL type OID: B boolean, I integer, R real or numeric, T everything else.
char slt_type_letter(unsigned type_oid);

// ---- a driver
// -------------------------------------------------------------------------------------------

typedef struct SltDatabase SltDatabase;
typedef struct SltSession SltSession;

typedef struct SltDriver {
    const char *kind;     // "wire" or "embedded": a name that skipif and onlyif know
    const char *protocol; // "simple", "extended" or "none": another
    // Makes a fresh empty database; ordinal tells files apart. NULL with the reason in *error (the
    // caller frees).
    SltDatabase *(*database_create)(const char *target, unsigned ordinal, char **error);
    // Removes it, sessions closed before. False with the reason in *error.
    bool (*database_drop)(SltDatabase *database, char **error);
    SltSession *(*session_open)(SltDatabase *database, char **error);
    void (*session_close)(SltSession *session);
    // Runs sql; copy_in, when not NULL, is the data for COPY FROM STDIN. Fills the zeroed *out.
    void (*session_run)(SltSession *session, const char *sql, const SltLines *copy_in,
                        SltResult *out);
} SltDriver;

extern const SltDriver slt_driver_wire;          // simple query protocol
extern const SltDriver slt_driver_wire_extended; // extended query protocol, one statement a message
#ifdef SLT_EMBEDDED
extern const SltDriver slt_driver_embedded;
#endif
