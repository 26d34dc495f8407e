// SPDX-License-Identifier: Apache-2.0
//
// The sqllogictest runner: runs each file in a fresh database, compares every record with its
// expectation, prints the failures and ends with `N passed, N failed`. --complete writes
// PostgreSQL's answers into the files instead, and refuses any other engine. --stats counts the
// suite without running it. See README.md.
//
//     slt --url postgresql://host/db [--extended] FILE...
//     slt --embedded DIR FILE...

#include "slt.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SESSIONS_MAX = 16, LABELS_MAX = 64, NAME_BYTES = 32 };

typedef struct Options {
    const SltDriver *driver;
    const char *target;
    bool verbose;
    bool complete;
    bool stats;
} Options;

typedef struct Totals {
    size_t passed;
    size_t failed;
    size_t skipped;
} Totals;

typedef struct NamedSession {
    char name[NAME_BYTES];
    SltSession *session;
} NamedSession;

typedef struct Label {
    const char *name; // the first record's
    SltLines rows;
} Label;

// One file being run.
typedef struct Run {
    const Options *options;
    SltFile *file;
    SltDatabase *database;
    NamedSession sessions[SESSIONS_MAX];
    size_t sessions_count;
    NamedSession *current;
    Label labels[LABELS_MAX];
    size_t labels_count;
    const char *engine; // "dbaspot" or "postgresql"
    char test_dir[64];  // what __TEST_DIR__ stands for
    FILE *rewritten;    // --complete: the file's new text
    size_t copied;      // --complete: lines of the file that are in it
    Totals totals;
} Run;

// ---- reporting
// ------------------------------------------------------------------------------------------

static void print_lines(const char *title, const SltLines *lines)
{
    printf("  %s (%zu rows)\n", title, lines->count);
    for (size_t i = 0; i < lines->count; i++)
        printf("    %s\n", lines->at[i]);
}

__attribute__((format(printf, 3, 4))) static bool fail_record(Run *run, const SltRecord *record,
                                                              const char *format, ...)
{
    va_list args;

    printf("%s:%zu: ", run->file->path, record->header + 1);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    for (const char *at = record->sql; at && *at;) {
        size_t bytes = strcspn(at, "\n");
        printf("  | %.*s\n", (int)bytes, at);
        at += bytes + (at[bytes] == '\n');
    }
    return false;
}

// ---- sessions
// -------------------------------------------------------------------------------------------

// Makes the session of that name current, opening it the first time. False with the reason printed.
static bool use_session(Run *run, const char *name)
{
    char *error = NULL;

    for (size_t i = 0; i < run->sessions_count; i++) {
        if (strcmp(run->sessions[i].name, name) == 0) {
            run->current = &run->sessions[i];
            return true;
        }
    }
    if (run->sessions_count == SESSIONS_MAX || strlen(name) >= NAME_BYTES) {
        printf("%s: too many connections, or too long a name: %s\n", run->file->path, name);
        return false;
    }
    SltSession *session = run->options->driver->session_open(run->database, &error);
    if (session == NULL) {
        printf("%s: cannot open connection %s: %s\n", run->file->path, name, error);
        free(error);
        return false;
    }
    run->current = &run->sessions[run->sessions_count++];
    memcpy(run->current->name, name, strlen(name) + 1);
    run->current->session = session;
    return true;
}

static void find_engine(Run *run)
{
    SltResult result = {0};

    run->options->driver->session_run(run->current->session, "SELECT version()", NULL, &result);
    bool ours = result.failed || result.rows.count != 1 || strcasestr(result.rows.at[0], "dbaspot");
    run->engine = ours ? "dbaspot" : "postgresql";
    slt_result_free(&result);
}

static bool record_is_skipped(const Run *run, const SltRecord *record)
{
    for (size_t i = 0; i < record->conditions_count; i++) {
        const SltCondition *condition = &record->conditions[i];
        bool here = strcmp(condition->name, run->engine) == 0 ||
                    strcmp(condition->name, run->options->driver->kind) == 0 ||
                    strcmp(condition->name, run->options->driver->protocol) == 0;
        if (here != condition->only)
            return true;
    }
    return false;
}

// ---- comparing
// ------------------------------------------------------------------------------------------

static bool message_matches(const char *pattern, const char *message)
{
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&regex, message, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static bool check_error(Run *run, const SltRecord *record, const SltResult *result)
{
    if (!result->failed)
        return fail_record(run, record, "expected error %s, but it succeeded", record->sqlstate);
    if (record->sqlstate[0] == '\0')
        return fail_record(run, record, "no SQLSTATE to expect; got %s", result->sqlstate);
    if (strcmp(record->sqlstate, result->sqlstate) != 0)
        return fail_record(run, record, "expected error %s, got %s: %s", record->sqlstate,
                           result->sqlstate, result->message);
    if (record->kind == SLT_STATEMENT && record->body.count > 0 &&
        !message_matches(record->body.at[0], result->message))
        return fail_record(run, record, "expected a message like: %s\n  got: %s",
                           record->body.at[0], result->message);
    return true;
}

static bool check_label(Run *run, const SltRecord *record, const SltLines *rows)
{
    for (size_t i = 0; i < run->labels_count; i++) {
        if (strcmp(run->labels[i].name, record->label) == 0)
            return slt_lines_equal(&run->labels[i].rows, rows) ||
                   fail_record(run, record, "rows differ from an earlier query labelled %s",
                               record->label);
    }
    if (run->labels_count == LABELS_MAX)
        return fail_record(run, record, "more than %d labels", LABELS_MAX);
    Label *label = &run->labels[run->labels_count++];
    *label = (Label){.name = record->label};
    for (size_t i = 0; i < rows->count; i++)
        slt_lines_add(&label->rows, rows->at[i], strlen(rows->at[i]));
    return true;
}

static bool check_rows(Run *run, const SltRecord *record, SltResult *result)
{
    SltLines expected = {0};

    for (size_t i = 0; i < record->body.count; i++)
        slt_lines_add(&expected, record->body.at[i], strlen(record->body.at[i]));
    if (record->rowsort) {
        slt_lines_sort(&expected);
        slt_lines_sort(&result->rows);
    }
    bool good = slt_lines_equal(&expected, &result->rows);
    if (!good) {
        fail_record(run, record, "rows differ");
        print_lines("expected", &expected);
        print_lines("got", &result->rows);
    } else if (strlen(record->types) != result->columns_count) {
        good = fail_record(run, record, "expected %zu columns, got %zu", strlen(record->types),
                           result->columns_count);
    } else if (result->types && strcmp(record->types, result->types) != 0) {
        good = fail_record(run, record, "expected column types %s, got %s", record->types,
                           result->types);
    } else if (record->label[0]) {
        good = check_label(run, record, &result->rows);
    }
    slt_lines_clear(&expected);
    return good;
}

static bool check_result(Run *run, const SltRecord *record, SltResult *result)
{
    if (record->expect == SLT_EXPECT_ERROR)
        return check_error(run, record, result);
    if (result->failed)
        return fail_record(run, record, "unexpected error %s: %s", result->sqlstate,
                           result->message);
    if (record->expect == SLT_EXPECT_COUNT && record->count != result->changed_count)
        return fail_record(run, record, "expected %ld rows changed, got %ld", record->count,
                           result->changed_count);
    return record->expect != SLT_EXPECT_ROWS || check_rows(run, record, result);
}

// ---- completing
// -----------------------------------------------------------------------------------------

static void copy_lines_until(Run *run, size_t end)
{
    for (; run->copied < end; run->copied++)
        fprintf(run->rewritten, "%s\n", run->file->lines.at[run->copied]);
}

static const char *kind_word(const SltRecord *record)
{
    return record->kind == SLT_COPY_IN ? "copyin" : "statement";
}

// Writes the record with what the engine answered in place of what was expected.
static bool complete_record(Run *run, const SltRecord *record, SltResult *result)
{
    bool expects_error = record->expect == SLT_EXPECT_ERROR;

    if (expects_error != result->failed)
        return fail_record(run, record, "%s %s", result->sqlstate,
                           result->failed ? result->message
                                          : "expected an error, but it succeeded");
    if (record->expect == SLT_EXPECT_OK)
        return true;
    copy_lines_until(run, record->header);
    if (expects_error) {
        fprintf(run->rewritten, "%s error %s\n", kind_word(record), result->sqlstate);
    } else if (record->expect == SLT_EXPECT_COUNT) {
        fprintf(run->rewritten, "%s count %ld\n", kind_word(record), result->changed_count);
    } else {
        fprintf(run->rewritten, "query %s%s%s%s\n", result->types ? result->types : "",
                record->rowsort ? " rowsort" : "",
                record->label[0] && !record->rowsort ? " nosort "
                : record->label[0]                   ? " "
                                                     : "",
                record->label);
    }
    run->copied++;
    if (record->expect != SLT_EXPECT_ROWS)
        return true;
    copy_lines_until(run, record->body_at);
    fputs("----\n", run->rewritten);
    if (record->rowsort)
        slt_lines_sort(&result->rows);
    for (size_t i = 0; i < result->rows.count; i++)
        fprintf(run->rewritten, "%s\n", result->rows.at[i]);
    run->copied = record->end;
    return true;
}

// Puts the new text in the file's place.
static bool complete_file(Run *run, const char *text)
{
    char *temporary = slt_format("%s.new", run->file->path);
    FILE *stream = fopen(temporary, "we");
    bool good = stream && fputs(text, stream) >= 0;

    if (stream && fclose(stream) != 0)
        good = false;
    if (!good || rename(temporary, run->file->path) != 0) {
        perror(temporary);
        good = false;
    }
    free(temporary);
    return good;
}

// ---- running
// --------------------------------------------------------------------------------------------

// sql with every __TEST_DIR__ replaced; the caller frees it.
static char *expand_sql(const Run *run, const char *sql)
{
    static const char mark[] = "__TEST_DIR__";
    char *out = slt_copy(sql);

    for (char *at; (at = strstr(out, mark)) != NULL;) {
        char *longer =
            slt_format("%.*s%s%s", (int)(at - out), out, run->test_dir, at + sizeof mark - 1);
        free(out);
        out = longer;
    }
    return out;
}

// Runs one record. Sets *stop when the rest of the file cannot or shall not run.
static bool run_record(Run *run, const SltRecord *record, bool *stop)
{
    SltResult result = {0};

    if (record->kind == SLT_HALT || record->kind == SLT_CONNECTION) {
        *stop = record->kind == SLT_HALT || !use_session(run, record->name);
        return record->kind == SLT_HALT || !*stop;
    }
    if (run->options->verbose)
        printf("%s:%zu: %s\n", run->file->path, record->header + 1, record->sql);
    char *sql = expand_sql(run, record->sql);
    const SltLines *data = record->kind == SLT_COPY_IN ? &record->body : NULL;
    run->options->driver->session_run(run->current->session, sql, data, &result);
    if (run->options->verbose && result.failed)
        printf("  %s: %s\n", result.sqlstate, result.message);
    bool good =
        run->rewritten ? complete_record(run, record, &result) : check_result(run, record, &result);
    if (result.lost) {
        good = fail_record(run, record, "the session was lost: %s", result.message);
        *stop = true;
    }
    free(sql);
    slt_result_free(&result);
    return good;
}

static void run_records(Run *run)
{
    bool stop = false;
    bool lost = false;

    for (size_t i = 0; i < run->file->records_count; i++) {
        const SltRecord *record = &run->file->records[i];
        bool counted = record->kind != SLT_HALT && record->kind != SLT_CONNECTION;
        if (stop || record_is_skipped(run, record)) {
            run->totals.skipped += counted && !lost;
            run->totals.failed += counted && lost;
            continue;
        }
        bool good = run_record(run, record, &stop);
        lost = stop && !good;
        run->totals.passed += counted && good;
        run->totals.failed += !good;
    }
}

// A directory that another user's server can write, too.
static bool make_test_dir(Run *run)
{
    const char *base = getenv("TMPDIR");

    snprintf(run->test_dir, sizeof run->test_dir, "%s/slt_XXXXXX",
             base && strlen(base) < sizeof run->test_dir - 16 ? base : "/tmp");
    return mkdtemp(run->test_dir) && chmod(run->test_dir, 0777) == 0;
}

static void run_in_database(Run *run)
{
    char *text = NULL;
    size_t bytes;

    if (!use_session(run, "default")) {
        run->totals.failed++;
        return;
    }
    find_engine(run);
    if (run->options->complete && strcmp(run->engine, "postgresql") != 0) {
        fputs("slt: only PostgreSQL's answers complete a file\n", stderr);
        run->totals.failed++;
        return;
    }
    if (run->options->complete)
        run->rewritten = open_memstream(&text, &bytes);
    run_records(run);
    if (run->rewritten) {
        copy_lines_until(run, run->file->lines.count);
        fclose(run->rewritten);
        if (!complete_file(run, text))
            run->totals.failed++;
        free(text);
    }
}

static void run_file(const Options *options, const char *path, unsigned ordinal, Totals *totals)
{
    SltFile file;
    Run run = {.options = options, .file = &file};
    char *error = NULL;

    if (!slt_file_read(path, &file) || !make_test_dir(&run)) {
        totals->failed++;
        return;
    }
    run.database = options->driver->database_create(options->target, ordinal, &error);
    if (run.database) {
        run_in_database(&run);
        for (size_t i = 0; i < run.sessions_count; i++)
            options->driver->session_close(run.sessions[i].session);
        if (!options->driver->database_drop(run.database, &error))
            run.totals.failed++;
    } else {
        run.totals.failed++;
    }
    if (error)
        printf("%s: %s\n", path, error);
    free(error);
    slt_remove_tree(run.test_dir);
    for (size_t i = 0; i < run.labels_count; i++)
        slt_lines_clear(&run.labels[i].rows);
    totals->passed += run.totals.passed;
    totals->failed += run.totals.failed;
    totals->skipped += run.totals.skipped;
    slt_file_free(&file);
}

// ---- the command line
// -----------------------------------------------------------------------------------

static int print_usage(void)
{
    fputs("usage: slt (--url URL [--extended] | --embedded DIR) [--verbose] [--complete] FILE...\n"
          "       slt --stats FILE...\n",
          stderr);
    return 2;
}

// Reads the options at argv[1..]; returns the index of the first file, 0 when they make no sense.
static int parse_options(int argc, char **argv, Options *options)
{
    bool extended = false;
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--url") == 0 && i + 1 < argc) {
            options->driver = &slt_driver_wire;
            options->target = argv[++i];
#ifdef SLT_EMBEDDED
        } else if (strcmp(argv[i], "--embedded") == 0 && i + 1 < argc) {
            options->driver = &slt_driver_embedded;
            options->target = argv[++i];
#endif
        } else if (strcmp(argv[i], "--extended") == 0) {
            extended = true;
        } else if (strcmp(argv[i], "--verbose") == 0) {
            options->verbose = true;
        } else if (strcmp(argv[i], "--complete") == 0) {
            options->complete = true;
        } else if (strcmp(argv[i], "--stats") == 0) {
            options->stats = true;
        } else {
            return 0;
        }
    }
    if (extended && options->driver == &slt_driver_wire)
        options->driver = &slt_driver_wire_extended;
    return options->driver || options->stats ? i : 0;
}

int main(int argc, char **argv)
{
    Options options = {0};
    Totals totals = {0};
    int first = parse_options(argc, argv, &options);

    if (first == 0 || first == argc)
        return print_usage();
    if (options.stats)
        return slt_print_stats(argv + first, argc - first);
    setvbuf(stdout, NULL, _IOLBF, 0); // what was printed survives a kill
    for (int i = first; i < argc; i++)
        run_file(&options, argv[i], (unsigned)(i - first + 1), &totals);
    if (totals.skipped > 0)
        printf("%zu skipped\n", totals.skipped);
    printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
    return totals.failed > 0;
}
