// SPDX-License-Identifier: Apache-2.0
//
// CRC-32C (Castagnoli), the checksum of what we store: reflected polynomial 0x82f63b78, start and
// final value inverted, as in iSCSI (RFC 3720). The processor's instruction where there is one. Any
// thread.
#ifndef DBASPOT_BASE_CRC32C_H
#define DBASPOT_BASE_CRC32C_H

#include "base/base.h"

/* Continues `crc` (0 at the start) over more bytes. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
