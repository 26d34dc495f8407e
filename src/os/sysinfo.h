// SPDX-License-Identifier: Apache-2.0
//
// What the machine, or the container that we are in, gives us: cores, memory, the process's own
// share of it. Read from the system at each call, so not for hot paths: callers ask once, when
// they size their pools and caches. Any thread.
#ifndef DBASPOT_OS_SYSINFO_H
#define DBASPOT_OS_SYSINFO_H

#include "base/base.h"

/* Cores this process may run on (affinity and cgroup quota), at least 1. */
uint32_t sysinfo_cores(void);
/* Memory this process may use: the machine's or the cgroup's limit, whichever is smaller. */
uint64_t sysinfo_memory_bytes(void);
/* Bytes of memory this process has resident now, 0 if unknown. */
uint64_t sysinfo_resident_bytes(void);
uint64_t sysinfo_process_id(void);
/* Asks for this many open files at once, or as many as the system allows. */
void sysinfo_raise_files_limit(uint64_t files);
uint64_t sysinfo_page_bytes(void);

#endif
