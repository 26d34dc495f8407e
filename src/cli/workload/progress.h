// SPDX-License-Identifier: Apache-2.0
//
// How far a long step is, on stderr: on a terminal a bar that is drawn anew several times a second
// (rows, rows a second, time left), elsewhere a plain line now and then and one at the end.
// progress_add may be called by any thread; begin and end by the one that owns the step.
#ifndef DBASPOT_CLI_WORKLOAD_PROGRESS_H
#define DBASPOT_CLI_WORKLOAD_PROGRESS_H

#include "os/thread.h"

typedef struct Progress {
    const char *name;      /* of the step; a literal */
    int64_t rows_expected; /* about so many */
    _Atomic int64_t rows;  /* so many are done */
    int64_t started_ns;
    _Atomic int64_t next_ns; /* when to write again */
    bool is_terminal;
    bool is_quiet; /* nothing is written */
    Mutex drawing;
} Progress;

void progress_begin(Progress *progress, const char *name, int64_t rows_expected, bool is_quiet);
void progress_add(Progress *progress, int64_t rows);
/* Writes the last line; if the step failed, only clears the bar. */
void progress_end(Progress *progress, bool succeeded);

#endif
