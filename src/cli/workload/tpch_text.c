// SPDX-License-Identifier: Apache-2.0
//
// Pseudo text of the TPC-H generator (see tpch_text.h). The specification cuts comments out of one
// long text made by its grammar; here every comment has a text of its own: it starts somewhere in a
// first sentence, chosen as a random position of a long text would choose it (the longer the
// likelier), and goes on with further sentences to the length wanted. So no text has to be kept,
// and a comment depends on its row alone.
#include "cli/workload/tpch_text.h"

#define WORD_COPY_BYTES      16  /* a word is copied whole: no word of the grammar is longer */
#define LONG_SENTENCE_BYTES  160 /* hardly any is longer */
#define SUPPLIER_TEXT_MIN    25
#define SUPPLIER_TEXT_MAX    100
#define SUPPLIERS_PER_MARKED 2000 /* one in so many complained about, and one recommended */

/* Sentences, noun phrases and verb phrases of the grammar with their weights, as the frequencies
 * of the specification's own database show them. N noun phrase, V verb phrase, P prepositional
 * phrase; n noun, j adjective, d adverb, v verb, x auxiliary. */
typedef struct Form {
    const char *parts;
    uint16_t weight;
} Form;

static const Form SENTENCES[] = {{"NV", 3}, {"NVP", 3}, {"NVN", 3}, {"NPVN", 1}, {"NPVP", 1}};
static const Form NOUN_PHRASES[] = {{"n", 10}, {"jn", 20}, {"j,jn", 10}, {"djn", 50}};
static const Form VERB_PHRASES[] = {{"v", 30}, {"xv", 1}, {"vd", 40}, {"xvd", 1}};
static const char THE[] = {' ', 't', 'h', 'e', ' '};
#define SENTENCES_WEIGHT    11
#define NOUN_PHRASES_WEIGHT 90
#define VERB_PHRASES_WEIGHT 72

/* Draws 16 bits at a time from the 64 of a draw of the row's stream. */
typedef struct Bits {
    TpchRng *rng;
    uint64_t word;
    int left;
} Bits;

static ALWAYS_INLINE uint32_t draw_below(Bits *bits, uint32_t limit)
{
    if (bits->left == 0) {
        bits->word = tpch_rng_next(bits->rng);
        bits->left = 4;
    }
    uint32_t drawn = (uint32_t)(bits->word & 0xffff);
    bits->word >>= 16;
    bits->left--;
    return drawn * limit >> 16;
}

static const char *draw_form(Bits *bits, const Form *forms, size_t count, uint32_t weights)
{
    uint32_t at = draw_below(bits, weights);

    for (size_t i = 0; i + 1 < count; i++) {
        if (at < forms[i].weight)
            return forms[i].parts;
        at -= forms[i].weight;
    }
    return forms[count - 1].parts;
}

static ALWAYS_INLINE char *put_word(const Tpch *tpch, Bits *bits, TpchClass class, char *out)
{
    uint32_t at = draw_below(bits, tpch->picks_count[class]);
    const TpchWord *word = tpch_word(tpch, class, tpch->picks[class][at]);

    memcpy(out, word->text, WORD_COPY_BYTES);
    return out + word->bytes;
}

/* Words of a noun or verb phrase, each followed by a space. */
static char *put_phrase(const Tpch *tpch, Bits *bits, const char *parts, char *out)
{
    for (; *parts; parts++) {
        switch (*parts) {
        case 'n': out = put_word(tpch, bits, TPCH_NOUN, out); break;
        case 'j': out = put_word(tpch, bits, TPCH_ADJECTIVE, out); break;
        case 'd': out = put_word(tpch, bits, TPCH_ADVERB, out); break;
        case 'v': out = put_word(tpch, bits, TPCH_VERB, out); break;
        case 'x': out = put_word(tpch, bits, TPCH_AUXILIARY, out); break;
        default: out[-1] = ','; break; /* after the adjective, before the space */
        }
        *out++ = ' ';
    }
    return out;
}

static char *put_noun_phrase(const Tpch *tpch, Bits *bits, char *out)
{
    const char *parts =
        draw_form(bits, NOUN_PHRASES, ARRAY_COUNT(NOUN_PHRASES), NOUN_PHRASES_WEIGHT);

    return put_phrase(tpch, bits, parts, out);
}

/* A sentence and the space after it. */
static char *put_sentence(const Tpch *tpch, Bits *bits, char *out)
{
    const char *parts = draw_form(bits, SENTENCES, ARRAY_COUNT(SENTENCES), SENTENCES_WEIGHT);

    for (; *parts; parts++) {
        if (*parts == 'V') {
            const char *form =
                draw_form(bits, VERB_PHRASES, ARRAY_COUNT(VERB_PHRASES), VERB_PHRASES_WEIGHT);

            out = put_phrase(tpch, bits, form, out);
            continue;
        }
        if (*parts == 'P') {
            out = put_word(tpch, bits, TPCH_PREPOSITION, out);
            memcpy(out, THE, sizeof THE);
            out += sizeof THE;
        }
        out = put_noun_phrase(tpch, bits, out);
    }
    out = put_word(tpch, bits, TPCH_TERMINATOR, out - 1);
    *out++ = ' ';
    return out;
}

size_t tpch_text_make(const Tpch *tpch, TpchRng *rng, int bytes_min, int bytes_max, char *out)
{
    size_t bytes = (size_t)tpch_rng_between(rng, bytes_min, bytes_max);
    Bits bits = {.rng = rng};
    char first[TPCH_TEXT_SLACK];
    size_t first_bytes;

    do
        first_bytes = (size_t)(put_sentence(tpch, &bits, first) - first);
    while (draw_below(&bits, LONG_SENTENCE_BYTES) >= first_bytes);
    size_t skipped = draw_below(&bits, (uint32_t)first_bytes);
    size_t made = first_bytes - skipped;

    memcpy(out, first + skipped, MIN(made, bytes));
    while (made < bytes)
        made = (size_t)(put_sentence(tpch, &bits, out + made) - out);
    return bytes;
}

size_t tpch_text_supplier(const Tpch *tpch, TpchRng *rng, int64_t supplier_number, char *out)
{
    size_t bytes = tpch_text_make(tpch, rng, SUPPLIER_TEXT_MIN, SUPPLIER_TEXT_MAX, out);
    /* A stream of its own says which two of each 2,000 suppliers are marked. */
    TpchRng marks = tpch_rng_at(tpch, TPCH_MARKS, supplier_number / SUPPLIERS_PER_MARKED);
    int64_t complained = tpch_rng_between(&marks, 0, SUPPLIERS_PER_MARKED - 1);
    int64_t further = tpch_rng_between(&marks, 1, SUPPLIERS_PER_MARKED - 1);
    int64_t recommended = (complained + further) % SUPPLIERS_PER_MARKED;
    int64_t number = supplier_number % SUPPLIERS_PER_MARKED;

    if (number == complained || number == recommended) {
        Str who = STR("Customer");
        Str what = number == complained ? STR("Complaints") : STR("Recommends");
        int64_t free_bytes = (int64_t)(bytes - who.len - what.len);
        int64_t before = tpch_rng_between(rng, 0, free_bytes);
        int64_t between = tpch_rng_between(rng, 0, free_bytes - before);

        memcpy(out + before, who.ptr, who.len);
        memcpy(out + before + (int64_t)who.len + between, what.ptr, what.len);
    }
    return bytes;
}

int32_t tpch_text_address(TpchRng *rng, char *out)
{
    static const char CHARACTERS[] =
        "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,";
    static_assert(sizeof CHARACTERS - 1 == 64, "six bits a character");
    int32_t bytes = (int32_t)tpch_rng_between(rng, 10, TPCH_ADDRESS_BYTES_MAX);
    uint64_t bits = 0;

    for (int32_t i = 0; i < bytes; i++, bits >>= 6) {
        if (i % 10 == 0)
            bits = tpch_rng_next(rng);
        out[i] = CHARACTERS[bits & 63];
    }
    return bytes;
}

static void put_group(int64_t value, int digits, char *out)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

void tpch_text_phone(TpchRng *rng, int32_t nation, char out[TPCH_PHONE_BYTES])
{
    out[2] = out[6] = out[10] = '-';
    put_group(10 + nation, 2, out);
    put_group(tpch_rng_between(rng, 100, 999), 3, out + 3);
    put_group(tpch_rng_between(rng, 100, 999), 3, out + 7);
    put_group(tpch_rng_between(rng, 1000, 9999), 4, out + 11);
}
