// SPDX-License-Identifier: Apache-2.0
//
// Which overload of a function or operator a call means: PostgreSQL 15, chapters 10.2 and 10.3
// (func_select_candidate in parse_func.c), and what polymorphic types stand for.
#include "sql/bind/expr/expr_int.h"

bool overload_accepts(Oid input, Oid declared)
{
    switch (declared) {
    case OID_ANY:
    case OID_ANYELEMENT: return true;
    case OID_ANYNONARRAY: return input == OID_UNKNOWN || type_info(input)->element == 0;
    case OID_ANYARRAY: return input == OID_UNKNOWN || type_info(input)->element != 0;
    default: return bind_can_coerce(input, declared, CAST_IMPLICIT);
    }
}

// --- polymorphic types -------------------------------------------------------------------------

/* Takes `element` for what the polymorphic types stand for. Where PostgreSQL declares anycompatible
   (all but functions of arrays alone) the wider of two types serves. */
static bool poly_agree(PolyTypes *poly, Oid element, bool compatible)
{
    if (poly->element == OID_INVALID || poly->element == element) {
        poly->element = element;
        return true;
    }
    if (!compatible)
        return false;
    if (bind_can_coerce(element, poly->element, CAST_IMPLICIT))
        return true;
    if (!bind_can_coerce(poly->element, element, CAST_IMPLICIT))
        return false;
    poly->element = element;
    return true;
}

static bool arrays_alone(const Oid *declared, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (type_is_polymorphic(declared[i]) && declared[i] != OID_ANYARRAY)
            return false;
    }
    return true;
}

bool overload_polymorphic(const Oid *declared, const Oid *inputs, uint32_t count, PolyTypes *out)
{
    bool compatible = !arrays_alone(declared, count);

    *out = (PolyTypes){0};
    for (uint32_t i = 0; i < count; i++) {
        if (!type_is_polymorphic(declared[i]))
            continue;
        out->used = true;
        if (inputs[i] == OID_UNKNOWN)
            continue;
        Oid element = inputs[i];
        if (declared[i] == OID_ANYARRAY)
            element = type_info(inputs[i])->element;
        if (element == OID_INVALID || !poly_agree(out, element, compatible))
            return false;
    }
    return true;
}

Oid overload_actual(Oid declared, const PolyTypes *poly)
{
    switch (declared) {
    case OID_ANYELEMENT:
    case OID_ANYNONARRAY: return poly->element;
    case OID_ANYARRAY: return poly->element ? type_info(poly->element)->array : OID_INVALID;
    default: return declared;
    }
}

// --- the rules ---------------------------------------------------------------------------------

static uint32_t keep_accepting(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                               uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t c = 0; c < count; c++) {
        PolyTypes poly;
        bool fits = overload_polymorphic(candidates[c].args, inputs, inputs_count, &poly);
        for (uint32_t i = 0; i < inputs_count && fits; i++)
            fits = overload_accepts(inputs[i], candidates[c].args[i]);
        if (fits)
            candidates[kept++] = candidates[c];
    }
    return kept;
}

static bool preferred_for(Oid input, Oid declared)
{
    const TypeInfo *given = type_info(input), *wanted = type_info(declared);

    return given->category == wanted->category && wanted->preferred;
}

/* Keeps those with the most exact matches (or, if `preferred`, exact or preferred ones). */
static uint32_t keep_most(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                          uint32_t count, bool preferred)
{
    uint32_t best = 0, kept = 0;

    for (uint32_t c = 0; c < count; c++) {
        uint32_t matches = 0;
        for (uint32_t i = 0; i < inputs_count; i++) {
            Oid declared = candidates[c].args[i];
            if (inputs[i] != OID_UNKNOWN &&
                (inputs[i] == declared || (preferred && preferred_for(inputs[i], declared))))
                matches++;
        }
        if (matches > best) {
            best = matches;
            kept = 0;
        }
        if (matches == best)
            candidates[kept++] = candidates[c];
    }
    return kept;
}

typedef struct UnknownSlot {
    char category; /* 0 none yet */
    bool has_preferred;
} UnknownSlot;

/* The category that the candidates want for an unknown argument; false if they disagree. */
static bool unknown_slot(const Candidate *candidates, uint32_t count, uint32_t at,
                         UnknownSlot *slot)
{
    bool conflict = false;

    *slot = (UnknownSlot){0};
    for (uint32_t c = 0; c < count; c++) {
        const TypeInfo *info = type_info(candidates[c].args[at]);
        if (slot->category == 0 || (slot->category != info->category && info->category == 'S'))
            *slot = (UnknownSlot){info->category, info->preferred};
        else if (slot->category == info->category)
            slot->has_preferred |= info->preferred;
        else
            conflict = true;
    }
    return !conflict || slot->category == 'S';
}

static uint32_t keep_by_category(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                                 uint32_t count)
{
    UnknownSlot slots[FUNC_ARGS_MAX * 16];
    uint32_t kept = 0;
    bool any = false;

    if (inputs_count > ARRAY_COUNT(slots))
        return count;
    for (uint32_t i = 0; i < inputs_count; i++) {
        if (inputs[i] != OID_UNKNOWN)
            continue;
        any = true;
        if (!unknown_slot(candidates, count, i, &slots[i]))
            return count;
    }
    if (!any)
        return count;
    Candidate *chosen = candidates;
    for (uint32_t c = 0; c < count; c++) {
        bool fits = true;
        for (uint32_t i = 0; i < inputs_count && fits; i++) {
            if (inputs[i] != OID_UNKNOWN)
                continue;
            const TypeInfo *info = type_info(candidates[c].args[i]);
            fits =
                info->category == slots[i].category && (!slots[i].has_preferred || info->preferred);
        }
        if (fits) {
            Candidate swap = chosen[kept];
            chosen[kept++] = candidates[c];
            candidates[c] = swap;
        }
    }
    return kept > 0 ? kept : count;
}

/* Last resort: the unknowns are taken to be of the one type that all the others have. */
static uint32_t keep_by_known_type(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                                   uint32_t count)
{
    Oid known = OID_UNKNOWN;
    Oid assumed[FUNC_ARGS_MAX * 16];
    uint32_t fitting = 0, which = 0;
    bool unknowns = false;

    for (uint32_t i = 0; i < inputs_count; i++) {
        if (inputs[i] == OID_UNKNOWN) {
            unknowns = true;
            continue;
        }
        if (known != OID_UNKNOWN && known != inputs[i])
            return count;
        known = inputs[i];
    }
    if (!unknowns || known == OID_UNKNOWN || inputs_count > ARRAY_COUNT(assumed))
        return count;
    for (uint32_t i = 0; i < inputs_count; i++)
        assumed[i] = known;
    for (uint32_t c = 0; c < count; c++) {
        PolyTypes poly;
        bool fits = overload_polymorphic(candidates[c].args, assumed, inputs_count, &poly);
        for (uint32_t i = 0; i < inputs_count && fits; i++)
            fits = overload_accepts(known, candidates[c].args[i]);
        if (fits) {
            which = c;
            fitting++;
        }
    }
    if (fitting != 1)
        return count;
    candidates[0] = candidates[which];
    return 1;
}

uint32_t overload_select(const Oid *inputs, uint32_t inputs_count, Candidate *candidates,
                         uint32_t count)
{
    count = keep_accepting(inputs, inputs_count, candidates, count);
    if (count > 1)
        count = keep_most(inputs, inputs_count, candidates, count, false);
    if (count > 1)
        count = keep_most(inputs, inputs_count, candidates, count, true);
    if (count > 1)
        count = keep_by_category(inputs, inputs_count, candidates, count);
    if (count > 1)
        count = keep_by_known_type(inputs, inputs_count, candidates, count);
    return count;
}
