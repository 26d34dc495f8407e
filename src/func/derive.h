// SPDX-License-Identifier: Apache-2.0
//
// Result types that depend on the arguments' typmods: rows of funcs.def and aggregates.def name
// these functions, and the binder calls them through FuncInfo.derive. A type is only narrowed where
// it holds every result exactly. Any thread.
#ifndef DBASPOT_FUNC_DERIVE_H
#define DBASPOT_FUNC_DERIVE_H

#include "types/type.h"

/* numeric(p,s) of a + b and a - b; plain numeric if an argument is. */
SqlType func_derive_numeric_add(const SqlType *args, uint32_t args_count);
SqlType func_derive_numeric_mul(const SqlType *args, uint32_t args_count);
/* The first argument's type. */
SqlType func_derive_numeric_same(const SqlType *args, uint32_t args_count);
/* The second argument's type. */
SqlType func_derive_second(const SqlType *args, uint32_t args_count);
/* The element type of the first argument, an array. */
SqlType func_derive_element(const SqlType *args, uint32_t args_count);
/* The array type of the first argument. */
SqlType func_derive_array(const SqlType *args, uint32_t args_count);
/* sum(numeric(p,s)) -> numeric(38,s). */
SqlType func_derive_numeric_sum(const SqlType *args, uint32_t args_count);

#endif
