// SPDX-License-Identifier: Apache-2.0
//
// The system's clocks, and the simulated one that stands still until it is moved. The source is one
// pointer for the whole process, read atomically: tests and the simulator swap it while nobody else
// depends on time. Any thread.
#include "os/clock.h"

#include <time.h>

static _Atomic(const ClockSource *) clock_source;

static int64_t system_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_us(void)
{
    const ClockSource *source = atomic_load_explicit(&clock_source, memory_order_acquire);

    return source ? source->wall_us(source->arg) : system_ns(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ns(void)
{
    const ClockSource *source = atomic_load_explicit(&clock_source, memory_order_acquire);

    return source ? source->mono_ns(source->arg) : system_ns(CLOCK_MONOTONIC);
}

void clock_set_source(const ClockSource *source)
{
    atomic_store_explicit(&clock_source, source, memory_order_release);
}

static int64_t sim_wall_us(void *arg)
{
    return atomic_load(&((SimClock *)arg)->wall_us);
}

static int64_t sim_mono_ns(void *arg)
{
    return atomic_load(&((SimClock *)arg)->mono_ns);
}

void sim_clock_init(SimClock *clock, int64_t wall_us)
{
    atomic_init(&clock->wall_us, wall_us);
    atomic_init(&clock->mono_ns, 1);
    clock->source = (ClockSource){sim_wall_us, sim_mono_ns, clock};
}

void sim_clock_advance_us(SimClock *clock, int64_t us)
{
    ASSERT(us >= 0);
    atomic_fetch_add(&clock->wall_us, us);
    atomic_fetch_add(&clock->mono_ns, us * 1000);
}

void sim_clock_jump_us(SimClock *clock, int64_t us)
{
    atomic_fetch_add(&clock->wall_us, us);
}
