// SPDX-License-Identifier: Apache-2.0
//
// The subcommand `dbaspot workload` (see workload.h): reads the command line, makes the sinks that
// it asks for and fills them table by table.
#include "cli/workload/workload.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/workload/csv_files.h"
#include "cli/workload/pg_loader.h"
#include "cli/workload/tpch_schema.h"
#include "os/sysinfo.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

static const char HELP[] =
    "Makes the data of a TPC-H database, after the public specification.\n"
    "\n"
    "Usage:\n"
    "  dbaspot workload tpch --scale N --out DIR [OPTION]...\n"
    "  dbaspot workload tpch --scale N --load URL [OPTION]...\n"
    "\n"
    "  --scale N       size: 1 is 1 GB and 8.7 million rows; 0.001 to 100000 (default 1)\n"
    "  --out DIR       write DIR/lineitem.csv and so on (RFC 4180, with a header line)\n"
    "  --load URL      make the tables with their keys on a server that speaks PostgreSQL's\n"
    "                  protocol (postgresql://user@host:port/database) and fill them by COPY\n"
    "  --replace       with --load: drop tables of these names first\n"
    "  --batch ROWS    with --load: a COPY of its own for about every ROWS rows\n"
    "  --threads N     make N pieces at once, with --load over N connections\n"
    "                  (default: --out one for each core, --load 1)\n"
    "  --seed N        other rows of the same kind (default 19920101)\n"
    "  --quiet         no progress\n"
    "  --help          this text\n"
    "\n"
    "The same scale and seed give the same rows, however they are made.\n";

typedef struct Options {
    double scale;
    const char *directory;
    const char *url;
    bool replace;
    int64_t batch_rows;
    int64_t threads; /* 0: by what is made */
    int64_t seed;
    bool is_quiet;
    bool help;
} Options;

static Status parse_int(Ctx *ctx, const char *name, const char *text, int64_t low, int64_t high,
                        int64_t *out)
{
    Status st = OK;
    char *rest;

    errno = 0;
    *out = strtoll(text, &rest, 10);
    if (errno || rest == text || *rest || *out < low || *out > high)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE,
             "%s must be a whole number between %lld and %lld, not \"%s\"", name, (long long)low,
             (long long)high, text);
done:
    return st;
}

static Status parse_scale(Ctx *ctx, const char *text, double *out)
{
    Status st = OK;
    char *rest;

    *out = strtod(text, &rest);
    if (rest == text || *rest || !isfinite(*out))
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "--scale must be a number, not \"%s\"", text);
done:
    return st;
}

/* A flag that takes no value; false if `name` is none. */
static bool parse_switch(const char *name, Options *out)
{
    if (strcmp(name, "--replace") == 0)
        out->replace = true;
    else if (strcmp(name, "--quiet") == 0)
        out->is_quiet = true;
    else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        out->help = true;
    else
        return false;
    return true;
}

static Status parse_value(Ctx *ctx, const char *name, const char *value, Options *out)
{
    if (strcmp(name, "--scale") == 0)
        return parse_scale(ctx, value, &out->scale);
    if (strcmp(name, "--threads") == 0)
        return parse_int(ctx, name, value, 1, TPCH_FILL_WORKERS_MAX, &out->threads);
    if (strcmp(name, "--batch") == 0)
        return parse_int(ctx, name, value, 1, INT64_MAX, &out->batch_rows);
    if (strcmp(name, "--seed") == 0)
        return parse_int(ctx, name, value, 0, INT64_MAX, &out->seed);
    if (strcmp(name, "--out") == 0)
        out->directory = value;
    else
        out->url = value;
    return OK;
}

static bool takes_value(const char *name)
{
    static const char *const NAMES[] = {"--scale", "--threads", "--batch",
                                        "--seed",  "--out",     "--load"};

    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    return false;
}

/* Options are given as "--name value" or "--name=value". */
static Status parse_options(Ctx *ctx, Scope *scope, int argc, char **argv, Options *out)
{
    Status st = OK;

    *out = (Options){.scale = 1, .seed = TPCH_SEED_DEFAULT};
    for (int i = 0; i < argc; i++) {
        const char *equals = strncmp(argv[i], "--", 2) == 0 ? strchr(argv[i], '=') : NULL;
        const char *name =
            equals ? scope_strndup(scope, argv[i], (size_t)(equals - argv[i])) : argv[i];

        if (!equals && parse_switch(name, out))
            continue;
        if (!takes_value(name))
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "unknown option \"%s\"", argv[i]);
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : "";
        if (!*value)
            FAIL(ctx, E_INVALID_PARAMETER_VALUE, "%s needs a value", name);
        TRY(parse_value(ctx, name, value, out));
    }
    if (!out->help && !out->directory == !out->url)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "either --out DIR or --load URL must be given");
    if (!out->url && (out->replace || out->batch_rows))
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "--replace and --batch go with --load");
done:
    return st;
}

static Status fill_all(Ctx *ctx, const TpchFill *fill)
{
    Status st = OK;

    for (TpchTable table = 0; table < TPCH_TABLES; table++)
        TRY(tpch_fill_table(ctx, fill, table));
done:
    return st;
}

static Status write_files(Ctx *ctx, Scope *scope, const Options *options, const Tpch *tpch)
{
    TpchSink *sinks[TPCH_FILL_WORKERS_MAX];
    int64_t cores = MIN(sysinfo_cores(), TPCH_FILL_WORKERS_MAX);
    int threads = (int)(options->threads ? options->threads : cores);
    TpchFill fill = {.tpch = tpch, .eol = TPCH_EOL_CRLF, .sinks = sinks, .sinks_count = threads};
    Status st = OK;

    fill.is_quiet = options->is_quiet;
    TRY(csv_files_open(ctx, scope, options->directory, threads, sinks));
    TRY(fill_all(ctx, &fill));
done:
    return st;
}

static Status make_tables(Ctx *ctx, Scope *scope, PgLoader *loader, bool replace)
{
    Status st = OK;

    for (int table = TPCH_TABLES - 1; replace && table >= 0; table--)
        TRY(pg_loader_execute(
            ctx, loader,
            scope_printf(scope, "DROP TABLE IF EXISTS %s", tpch_table_name((TpchTable)table))));
    for (TpchTable table = 0; table < TPCH_TABLES; table++)
        TRY(pg_loader_execute(ctx, loader, tpch_schema_create_sql(scope, table)));
done:
    if (st == E_DUPLICATE_TABLE)
        error_hint(ctx, "Load into an empty database, or give --replace.");
    return st;
}

/* Runs a statement that a server may lack (0A000): says so and goes on. */
static Status execute_if_supported(Ctx *ctx, PgLoader *loader, const char *sql, bool is_quiet)
{
    Status st = pg_loader_execute(ctx, loader, sql);

    if (st != E_FEATURE_NOT_SUPPORTED)
        return st;
    if (!is_quiet)
        fprintf(stderr, "notice: left out: %s (the server says: %s)\n", sql, ctx->error.message);
    error_clear(ctx);
    return OK;
}

static Status finish_tables(Ctx *ctx, Scope *scope, PgLoader *loader, bool is_quiet)
{
    Status st = OK;
    const char *sql;

    for (int i = 0; (sql = tpch_schema_foreign_key_sql(scope, i)); i++)
        TRY(execute_if_supported(ctx, loader, sql, is_quiet));
    for (TpchTable table = 0; table < TPCH_TABLES; table++)
        TRY(execute_if_supported(
            ctx, loader, scope_printf(scope, "ANALYZE %s", tpch_table_name(table)), is_quiet));
done:
    return st;
}

static Status load_server(Ctx *ctx, Scope *scope, const Options *options, const Tpch *tpch)
{
    TpchSink *sinks[TPCH_FILL_WORKERS_MAX];
    int threads = (int)(options->threads ? options->threads : 1);
    TpchFill fill = {.tpch = tpch, .eol = TPCH_EOL_LF, .sinks = sinks, .sinks_count = threads};
    PgLoader *first = NULL;
    Status st = OK;

    fill.is_quiet = options->is_quiet;
    for (int i = 0; i < threads; i++) {
        PgLoader *loader;

        TRY(pg_loader_open(ctx, scope, options->url, &loader));
        sinks[i] = pg_loader_sink(loader, options->batch_rows);
        first = first ? first : loader;
    }
    TRY(make_tables(ctx, scope, first, options->replace));
    TRY(fill_all(ctx, &fill));
    TRY(finish_tables(ctx, scope, first, options->is_quiet));
done:
    return st;
}

static void write_error(const Ctx *ctx)
{
    const Error *error = &ctx->error;

    fprintf(stderr, "dbaspot workload: error: %s\n", error->message);
    if (error->detail)
        fprintf(stderr, "DETAIL:  %s\n", error->detail);
    if (error->hint)
        fprintf(stderr, "HINT:  %s\n", error->hint);
    if (error->where)
        fprintf(stderr, "CONTEXT:  %s\n", error->where);
}

static int run_tpch(Ctx *ctx, Scope *scope, int argc, char **argv)
{
    Tpch *tpch = scope_new(scope, Tpch);
    Options options;
    Status st = parse_options(ctx, scope, argc, argv, &options);

    if (st == OK && options.help) {
        fputs(HELP, stdout);
        return 0;
    }
    if (st == OK)
        st = tpch_init(ctx, options.scale, (uint64_t)options.seed, tpch);
    if (st != OK) {
        write_error(ctx);
        fputs("Try \"dbaspot workload --help\".\n", stderr);
        return EXIT_USAGE;
    }
    st = options.url ? load_server(ctx, scope, &options, tpch)
                     : write_files(ctx, scope, &options, tpch);
    if (st != OK) {
        write_error(ctx);
        return EXIT_FAILED;
    }
    return 0;
}

int workload_main(int argc, char **argv)
{
    Scope *scope;
    Ctx ctx;
    int code;

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(HELP, stdout);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "tpch") != 0) {
        fprintf(stderr,
                argc < 2 ? "dbaspot workload: error: no workload given%s\n"
                         : "dbaspot workload: error: unknown workload \"%s\"\n",
                argc < 2 ? "" : argv[1]);
        fputs("The workload there is: tpch. Try \"dbaspot workload --help\".\n", stderr);
        return EXIT_USAGE;
    }
    ctx_init(&ctx);
    scope = scope_open(NULL, "workload");
    code = run_tpch(&ctx, scope, argc - 2, argv + 2);
    scope_close(scope);
    ctx_free(&ctx);
    return code;
}
