// SPDX-License-Identifier: Apache-2.0
//
// Sequences and the catalog's id counters: the state in memory, the reservation in the log. A
// reservation doubles (32 to 1024 values) while one sequence is asked often, so that bulk inserts
// write little. One mutex guards all states; a reservation happens under it. See sequence.h.
#include "catalog/sequence.h"

#include "base/map.h"
#include "catalog/manager_int.h"

#define RESERVE_MIN 32
#define RESERVE_MAX 1024

/* What the row holds: the next value would be last + increment (or last if not called yet). */
typedef struct SequenceRow {
    int64_t last;
    bool is_called;
} SequenceRow;

typedef struct SequenceState {
    SequenceRow now;
    int64_t reserved; /* values that may be given out before the next reservation */
    int64_t reserve;
    int64_t increment; /* that the reservation counted with: ALTER SEQUENCE may change it */
} SequenceState;

struct SequenceTable {
    Scope *scope;
    Mutex mutex;
    U64Map *states;
};

void counters_open(CatalogManager *manager)
{
    manager->sequences = scope_new(manager->scope, SequenceTable);
    manager->sequences->scope = manager->scope;
    mutex_init(&manager->sequences->mutex);
    manager->sequences->states = u64map_new(manager->scope);
    atomic_store(&manager->current_id, 1);
    atomic_store(&manager->next_overlay, 1);
}

void counters_close(CatalogManager *manager)
{
    if (manager->sequences)
        mutex_free(&manager->sequences->mutex);
}

static Str row_key(uint32_t id, char bytes[4])
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(id >> (24 - 8 * i));
    return (Str){bytes, 4};
}

/* The newest row, whoever wrote it: sequences are outside transactions. */
static Status read_row(Ctx *ctx, CatalogManager *manager, uint32_t id, SequenceRow *out,
                       bool *found)
{
    Status st = OK;
    Scope *scope = scope_open(NULL, "sequence");
    Snapshot snapshot = {.read_ts = storage_installed_ts(manager->storage)};
    char bytes[4];
    Str row;

    snapshot.view = storage_view_pin(manager->storage);
    TRY(table_get(ctx, scope, &snapshot, RELATION_SEQUENCES, row_key(id, bytes), &row, found));
    if (*found && row.len != sizeof *out)
        FAIL(ctx, E_DATA_CORRUPTED, "the state of sequence %u is not readable", id);
    if (*found)
        memcpy(out, row.ptr, sizeof *out);
done:
    storage_view_unpin(snapshot.view);
    scope_close(scope);
    return st;
}

static Status write_row(Ctx *ctx, CatalogManager *manager, uint32_t id, SequenceRow row)
{
    Status st = OK;
    const Snapshot *snapshot;
    Timestamp durable_ts;
    SequenceRow clean;
    Txn *txn = NULL;
    char bytes[4];

    memset(&clean, 0, sizeof clean);
    clean.last = row.last;
    clean.is_called = row.is_called;
    TRY(txn_begin(ctx, manager->txns, &(TxnOptions){0}, &txn));
    TRY(txn_statement_begin(ctx, txn, false, &snapshot));
    TRY(txn_put_unlocked(ctx, txn, RELATION_SEQUENCES, row_key(id, bytes),
                         (Str){(const char *)&clean, sizeof clean}));
    txn_statement_end(txn);
    st = txn_commit(ctx, txn, &durable_ts);
    txn = NULL;
done:
    if (txn)
        txn_abort(txn);
    return st;
}

static Status state_of(Ctx *ctx, CatalogManager *manager, uint32_t id, int64_t start,
                       SequenceState **out)
{
    Status st = OK;
    SequenceTable *table = manager->sequences;
    SequenceState *state = u64map_get(table->states, id);
    SequenceRow row = {0};
    bool found = false;

    if (state == NULL) {
        TRY(read_row(ctx, manager, id, &row, &found));
        state = scope_new(table->scope, SequenceState);
        state->now = found ? row : (SequenceRow){.last = start};
        state->reserve = RESERVE_MIN;
        u64map_put(table->states, id, state);
    }
    *out = state;
done:
    return st;
}

static Status limit_error(Ctx *ctx, const Sequence *sequence, bool ascending)
{
    return error_raise(
        ctx, E_SEQUENCE_LIMIT, "nextval: reached %s value of sequence \"%.*s\" (%lld)",
        ascending ? "maximum" : "minimum", (int)sequence->object.name.len,
        sequence->object.name.ptr, (long long)(ascending ? sequence->max : sequence->min));
}

/* The value after `last`; cycles or fails at the bounds. */
static Status step(Ctx *ctx, const Sequence *sequence, int64_t last, int64_t *out)
{
    bool ascending = sequence->increment > 0;
    int64_t next;
    bool beyond = __builtin_add_overflow(last, sequence->increment, &next) ||
                  (ascending ? next > sequence->max : next < sequence->min);

    if (beyond && !sequence->cycle)
        return limit_error(ctx, sequence, ascending);
    *out = !beyond ? next : ascending ? sequence->min : sequence->max;
    return OK;
}

/* Writes the row as if `count` more values had been given out (as far as the bounds allow). */
static Status reserve(Ctx *ctx, CatalogManager *manager, const Sequence *sequence,
                      SequenceState *state, uint32_t id)
{
    Status st = OK;
    bool ascending = sequence->increment > 0;
    int64_t bound = ascending ? sequence->max : sequence->min;
    int64_t ahead;
    int64_t last = state->now.last;

    if (__builtin_mul_overflow(sequence->increment, state->reserve, &ahead) ||
        __builtin_add_overflow(last, ahead, &last) || (ascending ? last > bound : last < bound)) {
        /* Near a bound: one by one. */
        state->reserved = 1;
        last = state->now.last;
        if (state->now.is_called)
            TRY(step(ctx, sequence, last, &last));
    } else {
        state->reserved = state->reserve;
        if (state->now.is_called == false)
            last -= sequence->increment;
        state->reserve = MIN(state->reserve * 2, RESERVE_MAX);
    }
    TRY(write_row(ctx, manager, id, (SequenceRow){.last = last, .is_called = true}));
    return OK;
done:
    state->reserved = 0;
    return st;
}

static Status next_value(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, uint32_t id,
                         int64_t *out)
{
    Status st = OK;
    SequenceState *state;

    mutex_lock(&manager->sequences->mutex);
    TRY(state_of(ctx, manager, id, sequence->first, &state));
    if (state->increment != sequence->increment)
        state->reserved = 0;
    state->increment = sequence->increment;
    if (state->reserved == 0)
        TRY(reserve(ctx, manager, sequence, state, id));
    *out = state->now.last;
    if (state->now.is_called)
        TRY(step(ctx, sequence, state->now.last, out));
    state->now = (SequenceRow){.last = *out, .is_called = true};
    state->reserved--;
done:
    mutex_unlock(&manager->sequences->mutex);
    return st;
}

static Oid state_key(const Sequence *sequence)
{
    return sequence->state ? sequence->state : sequence->object.oid;
}

Status sequence_next(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t *out)
{
    return next_value(ctx, manager, sequence, state_key(sequence), out);
}

int64_t counter_next(CatalogManager *manager, Counter counter)
{
    Ctx ctx;
    int64_t value = 0;
    int64_t start = counter == COUNTER_OID ? OID_USER_MIN : RELATION_ID_USER_MIN;
    Sequence sequence = {.object.name = STR("object ids"),
                         .start = start,
                         .first = start,
                         .increment = 1,
                         .min = start,
                         .max = UINT32_MAX};

    ctx_init(&ctx);
    Status st = next_value(&ctx, manager, &sequence, counter, &value);
    ctx_free(&ctx);
    ASSERT(st == OK && "ids are used up, or the log has failed");
    return value;
}

Status sequence_set(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t value,
                    bool is_called)
{
    Status st = OK;
    SequenceState *state;

    if (value < sequence->min || value > sequence->max)
        return error_raise(ctx, E_NUMERIC_OUT_OF_RANGE,
                           "setval: value %lld is out of bounds for sequence \"%.*s\" (%lld..%lld)",
                           (long long)value, (int)sequence->object.name.len,
                           sequence->object.name.ptr, (long long)sequence->min,
                           (long long)sequence->max);
    mutex_lock(&manager->sequences->mutex);
    TRY(state_of(ctx, manager, state_key(sequence), sequence->first, &state));
    state->now = (SequenceRow){.last = value, .is_called = is_called};
    state->reserved = 0;
    TRY(write_row(ctx, manager, state_key(sequence), state->now));
done:
    mutex_unlock(&manager->sequences->mutex);
    return st;
}

Status sequence_state(Ctx *ctx, CatalogManager *manager, const Sequence *sequence, int64_t *value,
                      bool *is_called)
{
    Status st = OK;
    SequenceState *state;

    mutex_lock(&manager->sequences->mutex);
    TRY(state_of(ctx, manager, state_key(sequence), sequence->first, &state));
    *value = state->now.last;
    *is_called = state->now.is_called;
done:
    mutex_unlock(&manager->sequences->mutex);
    return st;
}

void sequence_forget(CatalogManager *manager, Oid sequence)
{
    mutex_lock(&manager->sequences->mutex);
    u64map_remove(manager->sequences->states, sequence);
    mutex_unlock(&manager->sequences->mutex);
}
