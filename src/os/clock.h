// SPDX-License-Identifier: Apache-2.0
//
// Time: the wall clock (may jump) and a monotonic one (never goes back). A test or the simulator
// puts its own source in; everything above reads time through here. Any thread.
#ifndef DBASPOT_OS_CLOCK_H
#define DBASPOT_OS_CLOCK_H

#include "base/base.h"

/* Where time comes from. The functions may be called from any thread. */
typedef struct ClockSource {
    int64_t (*wall_us)(void *arg);
    int64_t (*mono_ns)(void *arg);
    void *arg;
} ClockSource;

/* Microseconds since 1970, UTC. */
int64_t clock_wall_us(void);
/* Nanoseconds since some moment; never goes back. */
int64_t clock_mono_ns(void);
/* Replaces the source for the whole process; NULL: the system's. It must live until replaced. */
void clock_set_source(const ClockSource *source);

/* The simulated twin: time stands still until it is moved. */
typedef struct SimClock {
    _Atomic int64_t wall_us;
    _Atomic int64_t mono_ns;
    ClockSource source; /* for clock_set_source */
} SimClock;

void sim_clock_init(SimClock *clock, int64_t wall_us);
void sim_clock_advance_us(SimClock *clock, int64_t us);
/* Moves the wall clock alone, as an administrator or NTP does. */
void sim_clock_jump_us(SimClock *clock, int64_t us);

#endif
