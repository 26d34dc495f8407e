// SPDX-License-Identifier: Apache-2.0
//
// Declarations of every kernel that the tables name, made from the tables themselves, so that a
// kernel whose signature differs from what its row promises does not compile. Private to this room:
// everything above calls kernels through FuncInfo and AggInfo.
#ifndef DBASPOT_FUNC_FUNC_INT_H
#define DBASPOT_FUNC_FUNC_INT_H

#include "func/derive.h"
#include "func/kernel.h"

#define FUNC(oid, name, result, kernel, ...) Status kernel(KERNEL_PARAMS);
#define SET_FUNC(oid, name, result, set, ...) \
    Status set(FuncCall *call, const Datum *args, uint32_t args_count, Batch *out, bool *done);
#include "func/funcs.def"
#include "func/sets.def"
#undef FUNC
#undef SET_FUNC

#define AGG(oid, name, result, args, prefix, ...)                                           \
    uint32_t agg_##prefix##_bytes(const SqlType *args_);                                    \
    Status agg_##prefix##_update(AggCall *call, const Vector *const *in, uint32_t rows,     \
                                 void *const *states);                                      \
    Status agg_##prefix##_update_one(AggCall *call, const Vector *const *in, uint32_t rows, \
                                     void *state);                                          \
    Status agg_##prefix##_combine(AggCall *call, void *into, const void *from);             \
    Status agg_##prefix##_finish(AggCall *call, void *const *states, uint32_t count, Vector *out);
#include "func/aggregates.def"
#undef AGG

#endif
