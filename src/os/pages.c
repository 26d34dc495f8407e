// SPDX-License-Identifier: Apache-2.0
//
// madvise with MADV_HUGEPAGE, which Debian's default ("madvise") heeds. A kernel without huge pages
// refuses, which changes nothing. Any thread.
#include "os/pages.h"

#include <sys/mman.h>

void pages_advise_huge(void *at, size_t bytes)
{
    ASSERT((uintptr_t)at % PAGES_HUGE_BYTES == 0);
#ifdef MADV_HUGEPAGE
    (void)!madvise(at, bytes, MADV_HUGEPAGE);
#endif
}
