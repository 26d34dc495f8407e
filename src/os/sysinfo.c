// SPDX-License-Identifier: Apache-2.0
//
// Cores and memory from sched_getaffinity, sysconf and the cgroup files (version 2, then 1),
// whichever is the smallest: a container that is allowed half a core must not start sixteen
// threads. Read when asked, nothing is kept. Any thread.
#include "os/sysinfo.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The first bytes of a small file, terminated; false if it cannot be read. */
static bool read_small(const char *path, char *out, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, bytes - 1);

    if (fd >= 0)
        close(fd);
    out[got > 0 ? got : 0] = 0;
    return got > 0;
}

/* Cores that a cgroup's CPU quota allows, rounded up; 0 if there is none. */
static uint32_t quota_cores(void)
{
    char text[64];
    char *end;
    uint64_t quota;
    uint64_t period;

    if (read_small("/sys/fs/cgroup/cpu.max", text, sizeof text)) {
        if (text[0] < '0' || text[0] > '9')
            return 0;
        quota = strtoull(text, &end, 10);
        period = strtoull(end, NULL, 10);
    } else {
        if (!read_small("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof text) || text[0] == '-')
            return 0;
        quota = strtoull(text, NULL, 10);
        if (!read_small("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof text))
            return 0;
        period = strtoull(text, NULL, 10);
    }
    return period ? (uint32_t)((quota + period - 1) / period) : 0;
}

uint32_t sysinfo_cores(void)
{
    cpu_set_t set;
    uint32_t cores = 0;
    uint32_t quota = quota_cores();

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        cores = (uint32_t)CPU_COUNT(&set);
    if (cores == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);

        cores = online > 0 ? (uint32_t)online : 1;
    }
    return quota ? MIN(quota, cores) : cores;
}

uint64_t sysinfo_memory_bytes(void)
{
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    char text[64];

    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        if (read_small(limits[i], text, sizeof text) && text[0] >= '0' && text[0] <= '9') {
            uint64_t limit = strtoull(text, NULL, 10);

            if (limit > 0 && limit < bytes)
                bytes = limit;
        }
    }
    return bytes;
}

uint64_t sysinfo_resident_bytes(void)
{
    char text[128];
    char *end;

    if (!read_small("/proc/self/statm", text, sizeof text))
        return 0;
    (void)strtoull(text, &end, 10);
    return strtoull(end, NULL, 10) * sysinfo_page_bytes();
}

uint64_t sysinfo_process_id(void)
{
    return (uint64_t)getpid();
}

uint64_t sysinfo_page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

void sysinfo_raise_files_limit(uint64_t files)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files)
        return;
    limit.rlim_cur = MIN(files, limit.rlim_max);
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* with fewer, some connections are refused */
}
