// SPDX-License-Identifier: Apache-2.0
//
// One row of each TPC-H table (see tpch.h), after clause 4.2.3 of the specification. Every function
// draws from its row's own stream in a fixed order; changing that order changes the data.
#include "cli/workload/tpch.h"

#include "cli/workload/tpch_text.h"

#define BALANCE_CENTS_MIN (-99999)
#define BALANCE_CENTS_MAX 999999
#define ORDER_KEYS_USED   8 /* of each ORDER_KEYS_STEP keys, the first so many are used */
#define ORDER_KEYS_STEP   32
#define CUSTOMERS_STEP    3 /* no order is of a customer whose key this divides */

int64_t tpch_part_price_cents(int64_t part)
{
    return 90000 + part / 10 % 20001 + 100 * (part % 1000);
}

int64_t tpch_part_supplier(const Tpch *tpch, int64_t part, int which)
{
    int64_t count = tpch->suppliers;
    int64_t step = count / TPCH_PART_SUPPLIERS + (part - 1) / count;

    /* GEN-3: the rule of the specification repeats a supplier at some scales below 0.03; a longer
     * step does not. */
    while (step % count == 0 || 2 * step % count == 0 || 3 * step % count == 0)
        step++;
    return (part + which * step) % count + 1;
}

void tpch_supplier_make(const Tpch *tpch, int64_t number, TpchSupplier *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_SUPPLIER, number);

    out->key = number + 1;
    out->address_bytes = tpch_text_address(&rng, out->address);
    out->nation = (int32_t)tpch_rng_between(&rng, 0, TPCH_NATIONS - 1);
    tpch_text_phone(&rng, out->nation, out->phone);
    out->balance_cents = tpch_rng_between(&rng, BALANCE_CENTS_MIN, BALANCE_CENTS_MAX);
    out->text = rng;
}

void tpch_customer_make(const Tpch *tpch, int64_t number, TpchCustomer *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_CUSTOMER, number);

    out->key = number + 1;
    out->address_bytes = tpch_text_address(&rng, out->address);
    out->nation = (int32_t)tpch_rng_between(&rng, 0, TPCH_NATIONS - 1);
    tpch_text_phone(&rng, out->nation, out->phone);
    out->balance_cents = tpch_rng_between(&rng, BALANCE_CENTS_MIN, BALANCE_CENTS_MAX);
    out->segment = tpch_rng_word(tpch, &rng, TPCH_SEGMENT);
    out->text = rng;
}

/* Draws the colours of a name: each one drawn again until it differs from those before it. */
static void draw_colors(const Tpch *tpch, TpchRng *rng, int32_t colors[5])
{
    for (int i = 0; i < 5; i++) {
        bool taken;

        do {
            colors[i] = tpch_rng_word(tpch, rng, TPCH_COLOR);
            taken = false;
            for (int j = 0; j < i; j++)
                taken |= colors[j] == colors[i];
        } while (taken);
    }
}

void tpch_part_make(const Tpch *tpch, int64_t number, TpchPart *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_PART, number);

    out->key = number + 1;
    draw_colors(tpch, &rng, out->colors);
    out->manufacturer = (int32_t)tpch_rng_between(&rng, 1, 5);
    out->brand = out->manufacturer * 10 + (int32_t)tpch_rng_between(&rng, 1, 5);
    out->type_size = tpch_rng_word(tpch, &rng, TPCH_TYPE_SIZE);
    out->type_finish = tpch_rng_word(tpch, &rng, TPCH_TYPE_FINISH);
    out->type_metal = tpch_rng_word(tpch, &rng, TPCH_TYPE_METAL);
    out->size = (int32_t)tpch_rng_between(&rng, 1, 50);
    out->container_size = tpch_rng_word(tpch, &rng, TPCH_CONTAINER_SIZE);
    out->container_kind = tpch_rng_word(tpch, &rng, TPCH_CONTAINER_KIND);
    out->price_cents = tpch_part_price_cents(out->key);
    out->text = rng;
}

void tpch_partsupp_make(const Tpch *tpch, int64_t part_number, int which, TpchPartSupplier *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_PARTSUPP, part_number * TPCH_PART_SUPPLIERS + which);

    out->part = part_number + 1;
    out->supplier = tpch_part_supplier(tpch, out->part, which);
    out->available = (int32_t)tpch_rng_between(&rng, 1, 9999);
    out->cost_cents = tpch_rng_between(&rng, 100, 100000);
    out->text = rng;
}

static void line_make(const Tpch *tpch, int64_t line_number, int32_t order_date, TpchLine *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_LINEITEM, line_number);

    out->part = tpch_rng_between(&rng, 1, tpch->parts);
    out->supplier = tpch_part_supplier(tpch, out->part,
                                       (int)tpch_rng_between(&rng, 0, TPCH_PART_SUPPLIERS - 1));
    out->quantity = (int32_t)tpch_rng_between(&rng, 1, 50);
    out->extended_price_cents = out->quantity * tpch_part_price_cents(out->part);
    out->discount = (int32_t)tpch_rng_between(&rng, 0, 10);
    out->tax = (int32_t)tpch_rng_between(&rng, 0, 8);
    out->ship_date = order_date + (int32_t)tpch_rng_between(&rng, 1, 121);
    out->commit_date = order_date + (int32_t)tpch_rng_between(&rng, 30, 90);
    out->receipt_date = out->ship_date + (int32_t)tpch_rng_between(&rng, 1, 30);
    bool returned = tpch_rng_between(&rng, 0, 1);
    out->return_flag = out->receipt_date > TPCH_CURRENT_DATE ? 'N' : returned ? 'R' : 'A';
    out->status = out->ship_date > TPCH_CURRENT_DATE ? 'O' : 'F';
    out->instruction = tpch_rng_word(tpch, &rng, TPCH_INSTRUCTION);
    out->mode = tpch_rng_word(tpch, &rng, TPCH_MODE);
    out->text = rng;
}

void tpch_order_make(const Tpch *tpch, int64_t number, TpchOrder *out)
{
    TpchRng rng = tpch_rng_at(tpch, TPCH_ORDERS, number);
    int64_t price = 0; /* cents * 100 * 100 */
    int open_lines = 0;

    out->key = (number + 1) / ORDER_KEYS_USED * ORDER_KEYS_STEP + (number + 1) % ORDER_KEYS_USED;
    out->customer = tpch_rng_between(&rng, 1, tpch->customers);
    if (out->customer % CUSTOMERS_STEP == 0)
        out->customer += out->customer < tpch->customers ? 1 : -1;
    out->date = (int32_t)tpch_rng_between(&rng, 0, TPCH_ORDER_DATE_COUNT - 1);
    out->priority = tpch_rng_word(tpch, &rng, TPCH_PRIORITY);
    out->clerk = tpch_rng_between(&rng, 1, tpch->clerks);
    out->lines_count = (int32_t)tpch_rng_between(&rng, 1, TPCH_LINES_MAX);
    out->text = rng;
    for (int i = 0; i < out->lines_count; i++) {
        TpchLine *line = &out->lines[i];

        line_make(tpch, number * (TPCH_LINES_MAX + 1) + i, out->date, line);
        price += line->extended_price_cents * (100 + line->tax) * (100 - line->discount);
        open_lines += line->status == 'O';
    }
    out->total_price_cents = (price + 5000) / 10000;
    out->status = open_lines == 0 ? 'F' : open_lines == out->lines_count ? 'O' : 'P';
}
