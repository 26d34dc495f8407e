// SPDX-License-Identifier: Apache-2.0
//
// `dbaspot workload`: makes the data of known workloads and puts it into files or a server. Called
// once, by main(); it starts threads of its own and has joined them when it returns.
#ifndef DBASPOT_CLI_WORKLOAD_WORKLOAD_H
#define DBASPOT_CLI_WORKLOAD_WORKLOAD_H

/* The subcommand: argv[0] is "workload", argv[1] the workload. Writes progress and errors to
 * stderr; returns the exit code of the process: 0, 1 (it failed) or 2 (wrong usage). */
int workload_main(int argc, char **argv);

#endif
