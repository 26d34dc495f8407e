// SPDX-License-Identifier: Apache-2.0
//
// The rows of a TPC-H database, made after the public TPC-H specification (version 3, clauses 1.4
// and 4.2). A row depends on the seed, its table and its number only, never on another row, so that
// any part of any table can be made anywhere, in any order, by any number of threads. A Tpch is
// read-only after tpch_init; everything that takes a const Tpch is safe from any thread.
#ifndef DBASPOT_CLI_WORKLOAD_TPCH_H
#define DBASPOT_CLI_WORKLOAD_TPCH_H

#include "cli/workload/tpch_dist.h"

#define TPCH_SEED_DEFAULT     19920101u
#define TPCH_CURRENT_DATE     1263 /* 1995-06-17, in days since 1992-01-01 */
#define TPCH_ORDER_DATE_COUNT 2406 /* orders lie in 1992-01-01 .. 1998-08-02 */

/* Money is in cents, discount and tax in hundredths, dates in days since 1992-01-01; `text` is the
 * stream that the row's comment is drawn from. */
typedef struct TpchSupplier {
    int64_t key;
    char address[TPCH_ADDRESS_BYTES_MAX];
    int32_t address_bytes;
    int32_t nation;
    char phone[TPCH_PHONE_BYTES];
    int64_t balance_cents;
    TpchRng text;
} TpchSupplier;

typedef struct TpchCustomer {
    int64_t key;
    char address[TPCH_ADDRESS_BYTES_MAX];
    int32_t address_bytes;
    int32_t nation;
    char phone[TPCH_PHONE_BYTES];
    int64_t balance_cents;
    int32_t segment; /* index into TPCH_SEGMENT */
    TpchRng text;
} TpchCustomer;

typedef struct TpchPart {
    int64_t key;
    int32_t colors[5]; /* all different, indexes into TPCH_COLOR */
    int32_t manufacturer;
    int32_t brand;
    int32_t type_size, type_finish, type_metal;
    int32_t size;
    int32_t container_size, container_kind;
    int64_t price_cents;
    TpchRng text;
} TpchPart;

typedef struct TpchPartSupplier {
    int64_t part;
    int64_t supplier;
    int32_t available;
    int64_t cost_cents;
    TpchRng text;
} TpchPartSupplier;

typedef struct TpchLine {
    int64_t part;
    int64_t supplier;
    int32_t quantity;
    int64_t extended_price_cents;
    int32_t discount;
    int32_t tax;
    char return_flag;
    char status;
    int32_t ship_date, commit_date, receipt_date;
    int32_t instruction, mode;
    TpchRng text;
} TpchLine;

typedef struct TpchOrder {
    int64_t key;
    int64_t customer;
    char status;
    int64_t total_price_cents;
    int32_t date;
    int32_t priority;
    int64_t clerk;
    TpchRng text;
    int32_t lines_count; /* 1 .. TPCH_LINES_MAX */
    TpchLine lines[TPCH_LINES_MAX];
} TpchOrder;

/* The price rule of the specification, in cents. */
int64_t tpch_part_price_cents(int64_t part);
/* The supplier of a part: `which` is 0..3, and the four are different at every scale. */
int64_t tpch_part_supplier(const Tpch *tpch, int64_t part, int which);

/* Make one row; numbers start at 0 and stay below tpch_units_count of the table (part for
 * tpch_partsupp_make). An order comes with its lines, but lines come without their comments. */
void tpch_supplier_make(const Tpch *tpch, int64_t number, TpchSupplier *out);
void tpch_customer_make(const Tpch *tpch, int64_t number, TpchCustomer *out);
void tpch_part_make(const Tpch *tpch, int64_t number, TpchPart *out);
void tpch_partsupp_make(const Tpch *tpch, int64_t part_number, int which, TpchPartSupplier *out);
void tpch_order_make(const Tpch *tpch, int64_t number, TpchOrder *out);

#endif
