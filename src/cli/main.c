// SPDX-License-Identifier: Apache-2.0
//
// The program: finds the subcommand and runs it.
// One thread, from start to end.
#include "cli/cli.h"
#include "cli/workload/workload.h"

#include <stdio.h>

typedef struct Subcommand {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
} Subcommand;

static const Subcommand subcommands[] = {
    {"server", server_main, "serve a data directory to PostgreSQL clients"},
    {"shell", shell_main, "open a data directory in this process and run SQL"},
    {"workload", workload_main, "make the data of a known workload, or load it into a server"},
};

static void usage(FILE *out)
{
    fprintf(out, "dbaspot %s: an HTAP SQL database that speaks PostgreSQL\n\nUsage:\n",
            DBASPOT_VERSION);
    for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++)
        fprintf(out, "  dbaspot %-9s %s\n", subcommands[i].name, subcommands[i].help);
    fprintf(out, "\n\"dbaspot COMMAND --help\" tells more.\n");
}

int main(int argc, char **argv)
{
    if (argc >= 2) {
        for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++) {
            if (strcmp(argv[1], subcommands[i].name) == 0)
                return subcommands[i].main(argc - 1, argv + 1);
        }
        if (strcmp(argv[1], "--version") == 0) {
            printf("dbaspot %s\n", DBASPOT_VERSION);
            return 0;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
            usage(stdout);
            return 0;
        }
        fprintf(stderr, "dbaspot: there is no command \"%s\"\n\n", argv[1]);
    }
    usage(stderr);
    return 2;
}
