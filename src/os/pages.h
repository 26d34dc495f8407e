// SPDX-License-Identifier: Apache-2.0
//
// Advice to the kernel about memory that we hold: large arenas that are read at random ask for huge
// pages. Only ever a hint: nothing depends on it. Any thread.
#ifndef DBASPOT_OS_PAGES_H
#define DBASPOT_OS_PAGES_H

#include "base/base.h"

/* What one huge page covers on the machines we know; elsewhere the hint does nothing. */
#define PAGES_HUGE_BYTES ((size_t)2 << 20)

/* Asks for huge pages under [at, at + bytes): random access then misses the TLB far less often.
   REQUIRES: `at` is a multiple of PAGES_HUGE_BYTES. */
void pages_advise_huge(void *at, size_t bytes);

#endif
