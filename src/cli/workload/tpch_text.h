// SPDX-License-Identifier: Apache-2.0
//
// The text rules of the TPC-H specification: pseudo text after its grammar (clause 4.2.2.14),
// random strings, phone numbers, and the suppliers that customers complained about or recommend.
// Pure functions of the stream they are given; safe from any thread.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_TEXT_H
#define DBASPOT_CLI_WORKLOAD_TPCH_TEXT_H

#include "cli/workload/tpch_dist.h"

/* What the functions below may write beyond the text they return. */
#define TPCH_TEXT_SLACK 256

/* A piece of endless pseudo text, cut at random places, of bytes_min .. bytes_max bytes. `out` has
 * room for bytes_max + TPCH_TEXT_SLACK. Returns the bytes written. */
size_t tpch_text_make(const Tpch *tpch, TpchRng *rng, int bytes_min, int bytes_max, char *out);
/* As tpch_text_make with a supplier's bounds (25 .. 100); one supplier in 2,000 has "Customer" and
 * later "Complaints" in it, another one in 2,000 "Customer" and "Recommends". */
size_t tpch_text_supplier(const Tpch *tpch, TpchRng *rng, int64_t supplier_number, char *out);
/* 10 .. 40 characters out of 64; `out` has room for TPCH_ADDRESS_BYTES_MAX. Returns the bytes. */
int32_t tpch_text_address(TpchRng *rng, char *out);
/* Country code (by nation) and three random groups of digits. */
void tpch_text_phone(TpchRng *rng, int32_t nation, char out[TPCH_PHONE_BYTES]);

#endif
