// SPDX-License-Identifier: Apache-2.0
//
// Order, equality and hashes of values, per type, over vectors: what sorts, joins, GROUP BY and
// unique keys are made of. Both sides of a comparison have the same type, but numerics may differ
// in typmod. The order is PostgreSQL's default btree order (C collation, NaN above all, -0 = 0,
// intervals by 30-day months); values that compare equal hash alike. char(n) is held without its
// blanks, so byte order serves it. Any thread.
#ifndef DBASPOT_TYPES_COMPARE_H
#define DBASPOT_TYPES_COMPARE_H

#include "types/datum.h"

#define HASH_OF_NULL 0x9ae16a3b2f90404fULL

/* <0, 0, >0. REQUIRES: neither row is NULL. */
int vector_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);
/* NULLs too: they are equal to each other and before or behind everything. */
int vector_compare_nulls(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row,
                         bool nulls_first);
/* REQUIRES: neither is NULL. */
int datum_compare(const Datum *a, const Datum *b);
/* NULLs are equal to each other (IS NOT DISTINCT FROM); cheaper than comparing. */
bool vector_equal(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);
bool datum_equal(const Datum *a, const Datum *b);

/* hashes[row] of rows [0, rows); `combine`: mixed into what is there (several columns). */
void vector_hash(const Vector *v, uint32_t rows, uint64_t *hashes, bool combine);
uint64_t datum_hash(const Datum *datum);

/* Rows to compare: pair e is row a[e] of one vector and row b[e] of the other. */
typedef struct RowPairs {
    const uint32_t *a;
    const uint32_t *b;
} RowPairs;

/* Keeps in selection[0..count) the pairs whose rows are equal (NULLs equal if nulls_equal, else
   never); returns how many are left. The probe of hash joins and of GROUP BY: one call a key
   column. */
uint32_t vector_select_equal(const Vector *a, const Vector *b, RowPairs pairs, uint32_t *selection,
                             uint32_t count, bool nulls_equal);

#endif
