// SPDX-License-Identifier: Apache-2.0
//
// Progress on stderr (see progress.h). Threads add rows to one counter; the first one that finds
// the time come draws, the others go on.
#include "cli/workload/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "os/clock.h"

#define NS_PER_SECOND    1000000000
#define BAR_EVERY_NS     (NS_PER_SECOND / 8)
#define LINE_EVERY_NS    (10 * (int64_t)NS_PER_SECOND)
#define BAR_CELLS        24
#define NUMBER_BYTES_MAX 32

/* 6001215 as 6,001,215. */
static const char *grouped(int64_t number, char out[NUMBER_BYTES_MAX])
{
    char digits[NUMBER_BYTES_MAX];
    int count = snprintf(digits, sizeof digits, "%" PRId64, number);
    int at = 0;

    for (int i = 0; i < count; i++) {
        out[at++] = digits[i];
        if ((count - i) % 3 == 1 && i + 1 < count)
            out[at++] = ',';
    }
    out[at] = '\0';
    return out;
}

static double elapsed_seconds(const Progress *progress, int64_t now_ns)
{
    return (double)MAX(now_ns - progress->started_ns, 1) / NS_PER_SECOND;
}

static void draw_bar(const Progress *progress, int64_t now_ns)
{
    int64_t rows = atomic_load(&progress->rows);
    double share = (double)rows / (double)MAX(progress->rows_expected, 1);
    double seconds = elapsed_seconds(progress, now_ns);
    double left = share > 0 ? seconds / share - seconds : 0;
    char done[NUMBER_BYTES_MAX], rate[NUMBER_BYTES_MAX], bar[BAR_CELLS + 1];
    int filled = (int)(MIN(share, 1.0) * BAR_CELLS);

    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)filled);
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "\r%-9s [%s] %3.0f %%  %s rows  %s rows/s  %.0f s left\033[K", progress->name,
            bar, MIN(share, 1.0) * 100, grouped(rows, done),
            grouped((int64_t)((double)rows / seconds), rate), MAX(left, 0.0));
}

static void write_line(const Progress *progress, int64_t now_ns, const char *prefix,
                       const char *suffix)
{
    int64_t rows = atomic_load(&progress->rows);
    double seconds = elapsed_seconds(progress, now_ns);
    char done[NUMBER_BYTES_MAX], rate[NUMBER_BYTES_MAX];

    fprintf(stderr, "%s%-9s %13s rows %9.2f s %12s rows/s%s\n", prefix, progress->name,
            grouped(rows, done), seconds, grouped((int64_t)((double)rows / seconds), rate), suffix);
}

void progress_begin(Progress *progress, const char *name, int64_t rows_expected, bool is_quiet)
{
    *progress = (Progress){.name = name, .rows_expected = rows_expected, .is_quiet = is_quiet};
    mutex_init(&progress->drawing);
    progress->is_terminal = isatty(STDERR_FILENO) == 1;
    progress->started_ns = clock_mono_ns();
    atomic_store(&progress->next_ns,
                 progress->started_ns + (progress->is_terminal ? BAR_EVERY_NS : LINE_EVERY_NS));
}

void progress_add(Progress *progress, int64_t rows)
{
    int64_t now_ns = clock_mono_ns();

    atomic_fetch_add(&progress->rows, rows);
    if (progress->is_quiet || now_ns < atomic_load(&progress->next_ns) ||
        !mutex_try_lock(&progress->drawing))
        return;
    if (progress->is_terminal) {
        atomic_store(&progress->next_ns, now_ns + BAR_EVERY_NS);
        draw_bar(progress, now_ns);
    } else {
        atomic_store(&progress->next_ns, now_ns + LINE_EVERY_NS);
        write_line(progress, now_ns, "", " so far");
    }
    mutex_unlock(&progress->drawing);
}

void progress_end(Progress *progress, bool succeeded)
{
    const char *clear = progress->is_terminal ? "\r\033[K" : "";

    if (!progress->is_quiet && succeeded)
        write_line(progress, clock_mono_ns(), clear, "");
    else if (!progress->is_quiet)
        fputs(clear, stderr);
    mutex_free(&progress->drawing);
}
