// SPDX-License-Identifier: Apache-2.0
//
// CSV form of TPC-H rows (see tpch_csv.h). A unit is written into room reserved beforehand by plain
// stores: no call per field goes through a general formatter. Sizes: a lineitem row is at most 200
// bytes, a partsupp row 260, so that TPCH_UNIT_BYTES_MAX holds seven lines or four suppliers and
// what the text maker writes beyond its text.
#include "cli/workload/tpch_csv.h"

#include "cli/workload/tpch_text.h"

typedef struct Writer {
    const Tpch *tpch;
    TpchEol eol;
    char *at;
} Writer;

static const struct {
    TpchTable table;
    const char *name;
} COLUMNS[] = {
#define TPCH_TABLE(id, name, key, stream)
#define TPCH_COLUMN(id, name, type) {id, name},
#define TPCH_FOREIGN_KEY(id, columns, table, keys)
#include "cli/workload/tpch_schema.def"
#undef TPCH_TABLE
#undef TPCH_COLUMN
#undef TPCH_FOREIGN_KEY
};

static const char DIGIT_PAIRS[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static ALWAYS_INLINE void put_bytes(Writer *w, const char *bytes, size_t count)
{
    memcpy(w->at, bytes, count);
    w->at += count;
}

static ALWAYS_INLINE void put_comma(Writer *w)
{
    *w->at++ = ',';
}

static void put_eol(Writer *w)
{
    if (w->eol == TPCH_EOL_CRLF)
        *w->at++ = '\r';
    *w->at++ = '\n';
}

static void put_int(Writer *w, int64_t value)
{
    char digits[20];
    char *at = digits + sizeof digits;

    ASSERT_SLOW(value >= 0);
    while (value >= 100) {
        at -= 2;
        memcpy(at, DIGIT_PAIRS + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, DIGIT_PAIRS + value * 2, 2);
    } else {
        *--at = (char)('0' + value);
    }
    put_bytes(w, at, (size_t)(digits + sizeof digits - at));
}

static void put_cents(Writer *w, int64_t cents)
{
    if (cents < 0) {
        *w->at++ = '-';
        cents = -cents;
    }
    put_int(w, cents / 100);
    *w->at++ = '.';
    put_bytes(w, DIGIT_PAIRS + cents % 100 * 2, 2);
}

/* Nine digits at least, as the names of suppliers, customers and clerks have them. */
static void put_numbered(Writer *w, Str prefix, int64_t number)
{
    put_bytes(w, prefix.ptr, prefix.len);
    for (int64_t limit = 100000000; number < limit && limit > 1; limit /= 10)
        *w->at++ = '0';
    put_int(w, number);
}

static void put_word(Writer *w, TpchClass class, int32_t index)
{
    const TpchWord *word = tpch_word(w->tpch, class, index);

    put_bytes(w, word->text, word->bytes);
}

static void put_date(Writer *w, int32_t date)
{
    put_bytes(w, w->tpch->dates[date], TPCH_DATE_BYTES);
}

/* Makes a field of the `bytes` just written at w->at: between quotes if there is a comma in it. */
static void put_quoted(Writer *w, size_t bytes)
{
    if (memchr(w->at, ',', bytes)) {
        memmove(w->at + 1, w->at, bytes);
        w->at[0] = '"';
        w->at[bytes + 1] = '"';
        bytes += 2;
    }
    w->at += bytes;
}

static void put_comment(Writer *w, TpchRng rng, int bytes_min, int bytes_max)
{
    put_quoted(w, tpch_text_make(w->tpch, &rng, bytes_min, bytes_max, w->at));
    put_eol(w);
}

static void put_address(Writer *w, const char *address, int32_t bytes)
{
    memcpy(w->at, address, (size_t)bytes);
    put_quoted(w, (size_t)bytes);
}

static void put_region(Writer *w, int64_t number)
{
    Str name = tpch_region_name((int32_t)number);

    put_int(w, number);
    put_comma(w);
    put_bytes(w, name.ptr, name.len);
    put_comma(w);
    put_comment(w, tpch_rng_at(w->tpch, TPCH_REGION, number), 31, 115);
}

static void put_nation(Writer *w, int64_t number)
{
    Str name = tpch_nation_name((int32_t)number);

    put_int(w, number);
    put_comma(w);
    put_bytes(w, name.ptr, name.len);
    put_comma(w);
    put_int(w, tpch_nation_region((int32_t)number));
    put_comma(w);
    put_comment(w, tpch_rng_at(w->tpch, TPCH_NATION, number), 31, 114);
}

static void put_supplier(Writer *w, int64_t number)
{
    TpchSupplier row;

    tpch_supplier_make(w->tpch, number, &row);
    put_int(w, row.key);
    put_comma(w);
    put_numbered(w, STR("Supplier#"), row.key);
    put_comma(w);
    put_address(w, row.address, row.address_bytes);
    put_comma(w);
    put_int(w, row.nation);
    put_comma(w);
    put_bytes(w, row.phone, TPCH_PHONE_BYTES);
    put_comma(w);
    put_cents(w, row.balance_cents);
    put_comma(w);
    put_quoted(w, tpch_text_supplier(w->tpch, &row.text, number, w->at));
    put_eol(w);
}

static void put_customer(Writer *w, int64_t number)
{
    TpchCustomer row;

    tpch_customer_make(w->tpch, number, &row);
    put_int(w, row.key);
    put_comma(w);
    put_numbered(w, STR("Customer#"), row.key);
    put_comma(w);
    put_address(w, row.address, row.address_bytes);
    put_comma(w);
    put_int(w, row.nation);
    put_comma(w);
    put_bytes(w, row.phone, TPCH_PHONE_BYTES);
    put_comma(w);
    put_cents(w, row.balance_cents);
    put_comma(w);
    put_word(w, TPCH_SEGMENT, row.segment);
    put_comma(w);
    put_comment(w, row.text, 29, 116);
}

static void put_part(Writer *w, int64_t number)
{
    TpchPart row;

    tpch_part_make(w->tpch, number, &row);
    put_int(w, row.key);
    for (int i = 0; i < 5; i++) {
        *w->at++ = i == 0 ? ',' : ' ';
        put_word(w, TPCH_COLOR, row.colors[i]);
    }
    put_bytes(w, ",Manufacturer#", 14);
    put_int(w, row.manufacturer);
    put_bytes(w, ",Brand#", 7);
    put_int(w, row.brand);
    put_comma(w);
    put_word(w, TPCH_TYPE_SIZE, row.type_size);
    *w->at++ = ' ';
    put_word(w, TPCH_TYPE_FINISH, row.type_finish);
    *w->at++ = ' ';
    put_word(w, TPCH_TYPE_METAL, row.type_metal);
    put_comma(w);
    put_int(w, row.size);
    put_comma(w);
    put_word(w, TPCH_CONTAINER_SIZE, row.container_size);
    *w->at++ = ' ';
    put_word(w, TPCH_CONTAINER_KIND, row.container_kind);
    put_comma(w);
    put_cents(w, row.price_cents);
    put_comma(w);
    put_comment(w, row.text, 5, 22);
}

static void put_partsupp(Writer *w, int64_t part_number, int which)
{
    TpchPartSupplier row;

    tpch_partsupp_make(w->tpch, part_number, which, &row);
    put_int(w, row.part);
    put_comma(w);
    put_int(w, row.supplier);
    put_comma(w);
    put_int(w, row.available);
    put_comma(w);
    put_cents(w, row.cost_cents);
    put_comma(w);
    put_comment(w, row.text, 49, 198);
}

static void put_order(Writer *w, const TpchOrder *row)
{
    put_int(w, row->key);
    put_comma(w);
    put_int(w, row->customer);
    put_comma(w);
    *w->at++ = row->status;
    put_comma(w);
    put_cents(w, row->total_price_cents);
    put_comma(w);
    put_date(w, row->date);
    put_comma(w);
    put_word(w, TPCH_PRIORITY, row->priority);
    put_comma(w);
    put_numbered(w, STR("Clerk#"), row->clerk);
    put_bytes(w, ",0,", 3);
    put_comment(w, row->text, 19, 78);
}

static void put_line(Writer *w, const TpchOrder *order, int index)
{
    const TpchLine *row = &order->lines[index];

    put_int(w, order->key);
    put_comma(w);
    put_int(w, row->part);
    put_comma(w);
    put_int(w, row->supplier);
    put_comma(w);
    put_int(w, index + 1);
    put_comma(w);
    put_int(w, row->quantity);
    put_comma(w);
    put_cents(w, row->extended_price_cents);
    put_comma(w);
    put_cents(w, row->discount);
    put_comma(w);
    put_cents(w, row->tax);
    put_comma(w);
    *w->at++ = row->return_flag;
    put_comma(w);
    *w->at++ = row->status;
    put_comma(w);
    put_date(w, row->ship_date);
    put_comma(w);
    put_date(w, row->commit_date);
    put_comma(w);
    put_date(w, row->receipt_date);
    put_comma(w);
    put_word(w, TPCH_INSTRUCTION, row->instruction);
    put_comma(w);
    put_word(w, TPCH_MODE, row->mode);
    put_comma(w);
    put_comment(w, row->text, 10, 43);
}

/* Writes one unit; returns its rows. */
static int64_t put_unit(Writer *w, TpchTable table, int64_t number)
{
    TpchOrder order;

    switch (table) {
    case TPCH_REGION: put_region(w, number); return 1;
    case TPCH_NATION: put_nation(w, number); return 1;
    case TPCH_SUPPLIER: put_supplier(w, number); return 1;
    case TPCH_CUSTOMER: put_customer(w, number); return 1;
    case TPCH_PART: put_part(w, number); return 1;
    case TPCH_PARTSUPP:
        for (int which = 0; which < TPCH_PART_SUPPLIERS; which++)
            put_partsupp(w, number, which);
        return TPCH_PART_SUPPLIERS;
    case TPCH_ORDERS:
        tpch_order_make(w->tpch, number, &order);
        put_order(w, &order);
        return 1;
    case TPCH_LINEITEM:
        tpch_order_make(w->tpch, number, &order);
        for (int i = 0; i < order.lines_count; i++)
            put_line(w, &order, i);
        return order.lines_count;
    case TPCH_TABLES: break;
    }
    ASSERT(!"a TPC-H table");
    return 0;
}

void tpch_csv_put_header(TpchTable table, TpchEol eol, StrBuf *out)
{
    bool first = true;

    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++) {
        if (COLUMNS[i].table != table)
            continue;
        if (!first)
            strbuf_append_char(out, ',');
        strbuf_append_c(out, COLUMNS[i].name);
        first = false;
    }
    strbuf_append_c(out, eol == TPCH_EOL_CRLF ? "\r\n" : "\n");
}

int64_t tpch_csv_put_units(const Tpch *tpch, TpchTable table, TpchEol eol, int64_t first,
                           int64_t count, StrBuf *out)
{
    int64_t rows = 0;

    ASSERT(first >= 0 && count >= 0 && count <= tpch_units_count(tpch, table) - first);
    for (int64_t i = 0; i < count; i++) {
        Writer w = {tpch, eol, strbuf_reserve(out, TPCH_UNIT_BYTES_MAX)};
        const char *start = w.at;

        rows += put_unit(&w, table, first + i);
        ASSERT(w.at - start <= TPCH_UNIT_BYTES_MAX - TPCH_TEXT_SLACK);
        out->len += (size_t)(w.at - start);
    }
    return rows;
}
