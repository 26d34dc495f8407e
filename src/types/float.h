// SPDX-License-Identifier: Apache-2.0
//
// Binary floating point to and from decimal text, independent of the host's locale: shortest
// round-trip digits (Schubfach), digits rounded to a precision, correctly rounded reading. Any
// thread.
#ifndef DBASPOT_TYPES_FLOAT_H
#define DBASPOT_TYPES_FLOAT_H

#include "base/str.h"

/* digits * 10^exponent; no zeros at the end (but for "0"). */
typedef struct FloatDigits {
    char digits[20];
    int count;
    int exponent;
} FloatDigits;

/* The fewest digits that read back as the same value. REQUIRES: finite. */
void float_shortest_digits(double value, FloatDigits *out);
void float32_shortest_digits(float value, FloatDigits *out);
/* The magnitude rounded to `digits` (1 .. 17) significant digits. REQUIRES: finite. */
void float_round_digits(double value, int digits, FloatDigits *out);

/* 10^n as a double, exact for 0 <= n <= 22. */
double float_exact_pow10(int n);
/* [-]digits * 10^exponent, correctly rounded. REQUIRES: only digits. */
double float_from_digits(Str digits, int exponent);

typedef enum FloatParse { FLOAT_OK, FLOAT_BAD_SYNTAX, FLOAT_OUT_OF_RANGE } FloatParse;

/* As PostgreSQL reads double and real: spaces around, NaN, Infinity, inf. Values that underflow to
   zero or overflow are out of range. */
FloatParse float_parse(Str text, double *out);
FloatParse float32_parse(Str text, float *out);

/* PostgreSQL's text: 1e+20, 0.1, -0, Infinity. `shorter` is TypeIoContext.float_shorter. */
void float_print(StrBuf *out, double value, int shorter);
void float32_print(StrBuf *out, float value, int shorter);

#endif
