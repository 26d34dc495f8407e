// SPDX-License-Identifier: Apache-2.0
//
// Decimal arithmetic: Numeric carries its scale; "scaled" integers (PHYS_INT64 and PHYS_INT128 of
// numeric(p,s)) have theirs in the type. Result scales are PostgreSQL's. A result of more than 38
// digits first gives up trailing zeros behind the point, then digits of an inexact quotient; if the
// value itself does not fit, the error is E_NUMERIC_OUT_OF_RANGE "value overflows numeric format".
// Every operation here obeys PostgreSQL's rules for NaN and infinities. Any thread.
#ifndef DBASPOT_TYPES_NUMERIC_H
#define DBASPOT_TYPES_NUMERIC_H

#include "types/type.h"
#include "types/value.h"

/* 10^n, 0 <= n <= 38. */
extern const int128_t int128_pow10[NUMERIC_PRECISION_MAX + 1];
/* Number of decimal digits of the magnitude; 0 for 0. */
int int128_digits(uint128_t magnitude);

static inline bool numeric_is_special(const Numeric *x)
{
    return x->kind != NUMERIC_FINITE;
}

/* A scaled integer; scale -38 .. 38 (below 0: the value is coefficient * 10^-scale, shown with
   scale 0). REQUIRES: the value has at most 38 digits. */
Numeric numeric_from_scaled(int128_t coefficient, int scale);
Numeric numeric_from_int64(int64_t value);
Numeric numeric_special(NumericKind kind);
/* As PostgreSQL converts double (15 digits) and real (6 digits). */
Status numeric_from_double(Ctx *ctx, double value, Numeric *out);
Status numeric_from_float(Ctx *ctx, float value, Numeric *out);
/* The same, straight to the scaled integer of numeric(p,s): tiny values become 0. */
Status numeric_scaled_from_double(Ctx *ctx, double value, SqlType type, int128_t *out);
Status numeric_scaled_from_float(Ctx *ctx, float value, SqlType type, int128_t *out);

/* Nearest double; overflow cannot happen. */
double numeric_to_double(const Numeric *x);
/* Rounded half away from zero; false if it is special or does not fit int64. */
bool numeric_to_int64(const Numeric *x, int64_t *out);
/* To a numeric(p,s) of the type: rounded half away from zero, "numeric field overflow" with
   PostgreSQL's detail; NaN and infinities are refused. REQUIRES: type.typmod >= 4. */
Status numeric_to_scaled(Ctx *ctx, const Numeric *x, SqlType type, int128_t *out);
/* Scaled to scaled of another numeric(p,s). */
Status scaled_rescale(Ctx *ctx, int128_t value, int scale, SqlType type, int128_t *out);
/* Applies numeric(p,s) to a Numeric: the same checks, the result has the type's scale. */
Status numeric_apply_typmod(Ctx *ctx, Numeric *x, SqlType type);

Status numeric_add(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
Status numeric_sub(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
Status numeric_mul(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
Status numeric_div(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
/* div(): the quotient truncated to an integer. */
Status numeric_div_trunc(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
Status numeric_mod(Ctx *ctx, const Numeric *a, const Numeric *b, Numeric *out);
/* Scale PostgreSQL's division gives: at least 16 significant digits. */
int numeric_div_scale(const Numeric *a, const Numeric *b);

Numeric numeric_negate(Numeric x);
Numeric numeric_abs(Numeric x);
/* -1, 0, 1; NaN stays NaN. */
Numeric numeric_sign(Numeric x);
/* round(x, scale) and trunc(x, scale); a negative scale clears digits before the point. */
Status numeric_round(Ctx *ctx, const Numeric *x, int scale, Numeric *out);
Status numeric_trunc(Ctx *ctx, const Numeric *x, int scale, Numeric *out);
Status numeric_ceil(Ctx *ctx, const Numeric *x, Numeric *out);
Status numeric_floor(Ctx *ctx, const Numeric *x, Numeric *out);
/* Without trailing zeros behind the point (trim_scale). */
Numeric numeric_trim(Numeric x);

/* numeric_math.c */
Status numeric_sqrt(Ctx *ctx, const Numeric *x, Numeric *out);
Status numeric_exp(Ctx *ctx, const Numeric *x, Numeric *out);
Status numeric_ln(Ctx *ctx, const Numeric *x, Numeric *out);
Status numeric_log(Ctx *ctx, const Numeric *base, const Numeric *x, Numeric *out);
Status numeric_power(Ctx *ctx, const Numeric *base, const Numeric *exponent, Numeric *out);

/* <0, 0, >0; NaN is equal to itself and above everything. */
int numeric_compare(const Numeric *a, const Numeric *b);
/* Two scaled integers. */
int scaled_compare(int128_t a, int a_scale, int128_t b, int b_scale);
/* 1.0 and 1.00 hash alike, and as the same scaled integers do. */
uint64_t numeric_hash(const Numeric *x);
uint64_t scaled_hash(int128_t value, int scale);

/* "12.50", "NaN", "Infinity". Errors: E_INVALID_TEXT, E_NUMERIC_OUT_OF_RANGE (with a hint). */
Status numeric_parse(Ctx *ctx, Str text, Numeric *out);
/* Straight to the scaled integer of numeric(p,s). */
Status numeric_parse_scaled(Ctx *ctx, Str text, SqlType type, int128_t *out);
void numeric_print(StrBuf *out, const Numeric *x);
/* A scaled integer with its scale; a negative scale appends zeros. */
void scaled_print(StrBuf *out, int128_t value, int scale);
void int64_print(StrBuf *out, int64_t value);
/* As int64_print, to a buffer with room for 20 characters; returns how many. */
size_t int64_format(char *out, int64_t value);
/* Raises "value overflows numeric format" with its hint. */
Status numeric_overflow(Ctx *ctx);

#endif
