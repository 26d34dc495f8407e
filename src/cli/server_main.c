// SPDX-License-Identifier: Apache-2.0
//
// `dbaspot server`: settings, then the server until it is stopped.
// One thread, from start to end.
#include "cli/cli.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>

static void log_line(void *arg, NoticeLevel level, const char *message)
{
    (void)arg;
    (void)level;
    fprintf(stderr, "%s\n", message);
    fflush(stderr);
}

static void usage(void)
{
    printf("Usage: dbaspot server --data DIR [--listen ADDR:PORT] [--socket DIR] [--SETTING=VALUE "
           "...]\n\n"
           "Serves DIR (made when it is missing) to PostgreSQL clients until SIGTERM or SIGINT.\n"
           "Settings may also stand in a file (--config FILE, lines of name = value) or in the\n"
           "environment (DBASPOT_NAME). Sizes take kB, MB, GB, KiB, MiB, GiB.\n\n"
           "  --data DIR                               The data directory.\n"
           "  --config FILE                            Read settings from FILE.\n");
    cli_print_settings();
}

int server_main(int argc, char **argv)
{
    static const char *const aliases[] = {"data", "data_directory", NULL};
    Status st = OK;
    Settings *settings = settings_new();
    int code = 0;
    Ctx ctx;

    ctx_init(&ctx);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage();
            goto done;
        }
    }
    TRY(cli_settings(&ctx, settings, aliases, &argc, argv));
    if (argc > 1)
        FAIL(&ctx, E_CONFIG_FILE, "unexpected argument \"%s\"", argv[1]);
    if (settings_string(settings, SETTING_DATA_DIRECTORY).len == 0)
        FAIL(&ctx, E_CONFIG_FILE, "where is the data? Give --data DIR");
    signal(SIGPIPE, SIG_IGN); /* a client that has gone is an error of a write */
    TRY(server_run(&ctx, &(ServerOptions){.settings = settings, .log = log_line}));
done:
    if (st != OK)
        code = cli_fail(&ctx);
    ctx_free(&ctx);
    settings_free(settings);
    return code;
}
