// SPDX-License-Identifier: Apache-2.0
//
// `dbaspot shell DIR`: opens the engine in this process and runs the statements that are typed or
// piped in, each when its semicolon has come. Results are printed aligned, as psql prints them;
// \timing shows how long each took, \q leaves.
#include "cli/cli.h"
#include "dbaspot.h"

#include "base/array.h"
#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

typedef struct Shell {
    dbaspot_db *db;
    dbaspot_conn *conn;
    StrBuf text; /* the statement so far */
    bool timing;
    bool interactive;
    bool failed;
} Shell;

static void print_padding(char c, size_t count)
{
    while (count--)
        putchar(c);
}

static size_t width_of(const char *text)
{
    return str_utf8_length(str_from(text));
}

static bool is_number(uint32_t type)
{
    switch (type) {
    case 20:
    case 21:
    case 23:
    case 26:
    case 700:
    case 701:
    case 1700: return true;
    default: return false;
    }
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
    size_t padding = width - width_of(text);

    putchar(' ');
    if (right)
        print_padding(' ', padding);
    fputs(text, stdout);
    if (!right && !last)
        print_padding(' ', padding);
    fputs(last ? "" : " |", stdout);
}

static void print_header(const dbaspot_result *result, const size_t *widths)
{
    uint32_t columns = dbaspot_columns(result);

    for (uint32_t c = 0; c < columns; c++) {
        const char *name = dbaspot_column_name(result, c);
        size_t padding = widths[c] - width_of(name);
        putchar(' ');
        print_padding(' ', padding / 2);
        fputs(name, stdout);
        print_padding(' ', padding - padding / 2);
        fputs(c + 1 == columns ? " \n" : " |", stdout);
    }
    for (uint32_t c = 0; c < columns; c++) {
        print_padding('-', widths[c] + 2);
        putchar(c + 1 == columns ? '\n' : '+');
    }
}

static void print_rows(const dbaspot_result *result)
{
    uint32_t columns = dbaspot_columns(result);
    uint64_t rows = dbaspot_rows(result);
    Scope *scope = scope_open(NULL, "table");
    size_t *widths = scope_new_array(scope, size_t, columns + 1);

    for (uint32_t c = 0; c < columns; c++) {
        widths[c] = width_of(dbaspot_column_name(result, c));
        for (uint64_t r = 0; r < rows; r++) {
            const char *value = dbaspot_value(result, r, c);
            widths[c] = MAX(widths[c], value ? width_of(value) : 0);
        }
    }
    print_header(result, widths);
    for (uint64_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < columns; c++) {
            const char *value = dbaspot_value(result, r, c);
            print_cell(value ? value : "", widths[c], is_number(dbaspot_column_type(result, c)),
                       c + 1 == columns);
        }
        putchar('\n');
    }
    printf("(%llu row%s)\n\n", (unsigned long long)rows, rows == 1 ? "" : "s");
    scope_close(scope);
}

static void print_error(Shell *shell)
{
    fflush(stdout);
    fprintf(stderr, "ERROR:  %s\n", dbaspot_errmsg(shell->conn));
    if (dbaspot_errdetail(shell->conn)[0])
        fprintf(stderr, "DETAIL:  %s\n", dbaspot_errdetail(shell->conn));
    if (dbaspot_errhint(shell->conn)[0])
        fprintf(stderr, "HINT:  %s\n", dbaspot_errhint(shell->conn));
}

static void run(Shell *shell)
{
    dbaspot_result *result = NULL;
    int64_t started_ns = clock_mono_ns();
    int code = dbaspot_query(shell->conn, strbuf_c(&shell->text), &result);
    double ms = (double)(clock_mono_ns() - started_ns) / 1e6;

    strbuf_clear(&shell->text);
    if (code != 0) {
        shell->failed = true;
        print_error(shell);
    } else if (dbaspot_columns(result)) {
        print_rows(result);
    } else if (dbaspot_tag(result)[0]) {
        printf("%s\n", dbaspot_tag(result));
    }
    if (shell->timing)
        printf("Time: %.3f ms\n", ms);
    fflush(stdout);
    dbaspot_result_free(result);
}

/* Where the reader stands in the text: a semicolon inside quotes or comments ends nothing. */
typedef enum LexState {
    LEX_PLAIN,
    LEX_QUOTE,
    LEX_IDENTIFIER,
    LEX_LINE_COMMENT,
    LEX_BLOCK_COMMENT,
    LEX_DOLLAR
} LexState;

/* True if the text ends a statement: its last semicolon stands outside everything. */
static bool is_complete(Str text)
{
    LexState state = LEX_PLAIN;
    Str tag = {0};
    int depth = 0;
    bool complete = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        switch (state) {
        case LEX_QUOTE: state = c == '\'' ? LEX_PLAIN : state; break;
        case LEX_IDENTIFIER: state = c == '"' ? LEX_PLAIN : state; break;
        case LEX_LINE_COMMENT: state = c == '\n' ? LEX_PLAIN : state; break;
        case LEX_BLOCK_COMMENT:
            depth += (c == '/' && next == '*') - (c == '*' && next == '/');
            i += (c == '/' && next == '*') || (c == '*' && next == '/');
            state = depth ? state : LEX_PLAIN;
            break;
        case LEX_DOLLAR:
            if (c == '$' && text.len - i >= tag.len &&
                memcmp(text.ptr + i, tag.ptr, tag.len) == 0) {
                i += tag.len - 1;
                state = LEX_PLAIN;
            }
            break;
        case LEX_PLAIN:
            if (c == ';')
                complete = true;
            else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
                complete = false;
            if (c == '\'')
                state = LEX_QUOTE;
            else if (c == '"')
                state = LEX_IDENTIFIER;
            else if (c == '-' && next == '-')
                state = LEX_LINE_COMMENT;
            else if (c == '/' && next == '*') {
                state = LEX_BLOCK_COMMENT;
                depth = 1;
                i++;
            } else if (c == '$') {
                size_t end = i + 1;
                while (end < text.len && text.ptr[end] != '$' && text.ptr[end] != ' ' &&
                       !(text.ptr[end] >= '0' && text.ptr[end] <= '9' && end == i + 1))
                    end++;
                if (end < text.len && text.ptr[end] == '$') {
                    tag = (Str){text.ptr + i, end - i + 1};
                    state = LEX_DOLLAR;
                    i = end;
                }
            }
            break;
        }
    }
    return complete;
}

/* A line that begins with a backslash, between statements; false: leave. */
static bool run_command(Shell *shell, Str line)
{
    if (str_is(line, "\\q"))
        return false;
    if (str_is(line, "\\timing") || str_is(line, "\\timing on") || str_is(line, "\\timing off")) {
        shell->timing = str_is(line, "\\timing on") || (str_is(line, "\\timing") && !shell->timing);
        printf("Timing is %s.\n", shell->timing ? "on" : "off");
    } else if (str_is(line, "\\?")) {
        printf("\\q leave, \\timing [on|off] show how long statements take\n");
    } else {
        fprintf(stderr, "invalid command %.*s\nTry \\? for help.\n", (int)line.len, line.ptr);
        shell->failed = true;
    }
    return true;
}

static void prompt(const Shell *shell)
{
    if (!shell->interactive)
        return;
    fputs(shell->text.len ? "dbaspot-> " : "dbaspot=> ", stdout);
    fflush(stdout);
}

static void read_input(Shell *shell)
{
    char line[65536];

    prompt(shell);
    while (fgets(line, sizeof line, stdin)) {
        Str trimmed = str_trim(str_from(line));
        if (shell->text.len == 0 && trimmed.len && trimmed.ptr[0] == '\\') {
            if (!run_command(shell, trimmed))
                return;
        } else if (shell->text.len || trimmed.len) {
            strbuf_append_c(&shell->text, line);
            if (is_complete(strbuf_str(&shell->text)))
                run(shell);
        }
        prompt(shell);
    }
    if (str_trim(strbuf_str(&shell->text)).len)
        run(shell);
    if (shell->interactive)
        putchar('\n');
}

int shell_main(int argc, char **argv)
{
    Shell shell = {.interactive = isatty(STDIN_FILENO)};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        printf("Usage: dbaspot shell DIR | :memory:\n\n"
               "Opens the data directory in this process and runs SQL from standard input.\n"
               "Commands: \\timing [on|off], \\q.\n");
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "Usage: dbaspot shell DIR | :memory:\n");
        return 2;
    }
    if (dbaspot_open(argv[1], &shell.db) != 0 || dbaspot_connect(shell.db, &shell.conn) != 0) {
        fprintf(stderr, "dbaspot: %s\n", dbaspot_open_error());
        dbaspot_close(shell.db);
        return 1;
    }
    strbuf_init(&shell.text);
    read_input(&shell);
    strbuf_free(&shell.text);
    dbaspot_disconnect(shell.conn);
    dbaspot_close(shell.db);
    return shell.failed && !shell.interactive ? 1 : 0;
}
