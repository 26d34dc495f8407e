// SPDX-License-Identifier: Apache-2.0
//
// The program's subcommands, each a main of its own: argv[0] is the subcommand's name. They return
// the process's exit code: 0, 1 (it failed) or 2 (wrong usage).
#ifndef DBASPOT_CLI_CLI_H
#define DBASPOT_CLI_CLI_H

#include "base/settings.h"

int server_main(int argc, char **argv);
int shell_main(int argc, char **argv);

/* Reads --name=value, --name value, --name (a switch), the environment (DBASPOT_NAME) and a config
   file (--config FILE: name = value lines) into the settings, in the order file, environment,
   flags. `aliases`: pairs of a flag and the setting it stands for, ended by NULL. What is no flag
   is left in argv[1..*argc]. */
Status cli_settings(Ctx *ctx, Settings *settings, const char *const *aliases, int *argc,
                    char **argv);
/* The flags that cli_settings knows, one line each, from the table of settings. */
void cli_print_settings(void);
/* "dbaspot: message", with detail and hint; returns 1. */
int cli_fail(const Ctx *ctx);

#endif
