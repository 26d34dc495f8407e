// SPDX-License-Identifier: Apache-2.0
//
// Building: rows become tuples with their hash; those with a NULL key go apart, as they match
// nothing, and are kept only where they still count (outer joins, NOT IN).
#include "exec/join/hash_join.h"

#include "exec/agg/agg_table.h"
#include "exec/join/join_filter.h"

typedef struct BuildState {
    KeyEval keys;
    Scope *scope; /* of the tuples */
    TupleBuffer tuples, nulls;
    Vector *columns;
    Tuple *found;
} BuildState;

// --- keys ---------------------------------------------------------------------------------------

Status key_eval_new(Worker *worker, const HashJoin *self, bool build, KeyEval *out)
{
    Status st = OK;
    Scope *scope = worker->scope;
    Visible visible = visible_of(build ? self->build_plan : self->probe_plan);

    out->evals = scope_new_array(scope, Eval *, self->keys_count);
    out->columns = scope_new_array(scope, Vector, self->keys_count);
    out->hashes = scope_new_array(scope, uint64_t, BATCH_ROWS_MAX);
    out->rows = scope_new_array(scope, uint32_t, BATCH_ROWS_MAX);
    out->null_rows = scope_new_array(scope, uint32_t, BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < self->keys_count; i++)
        TRY(eval_compile(worker, build ? self->build_keys[i] : self->probe_keys[i], &visible,
                         &out->evals[i]));
done:
    return st;
}

static void split_nulls(const HashJoin *self, KeyEval *keys, uint32_t rows)
{
    bool nulls = false;

    keys->count = keys->null_count = 0;
    for (uint32_t i = 0; i < self->keys_count; i++)
        nulls |= keys->columns[i].validity && !hash_join_null_safe(self, i);
    for (uint32_t row = 0; row < rows; row++) {
        bool is_null = false;
        for (uint32_t i = 0; i < self->keys_count && nulls; i++)
            is_null |= !hash_join_null_safe(self, i) && vector_is_null(&keys->columns[i], row);
        if (is_null)
            keys->null_rows[keys->null_count++] = row;
        else
            keys->rows[keys->count++] = row;
    }
}

Status key_eval_run(Worker *worker, const HashJoin *self, KeyEval *keys, const Batch *in)
{
    Status st = OK;
    Batch batch = {in->rows_count, self->keys_count, keys->columns};
    const Vector *v;

    for (uint32_t i = 0; i < self->keys_count; i++) {
        TRY(eval_run(worker, keys->evals[i], in, &v));
        keys->columns[i] = *v;
    }
    batch_hash(&batch, self->keys_count, keys->hashes);
    split_nulls(self, keys, in->rows_count);
done:
    return st;
}

// --- the sink -----------------------------------------------------------------------------------

static Status build_open(Worker *worker, Stage *stage, void **out)
{
    Status st = OK;
    HashJoin *self = (HashJoin *)((char *)stage - offsetof(HashJoin, build));
    BuildState *state = scope_new(worker->scope, BuildState);

    TRY(key_eval_new(worker, self, true, &state->keys));
    state->scope = scope_open(worker->scope, "hash build");
    tuple_buffer_init(&state->tuples, state->scope, &self->table.layout);
    tuple_buffer_init(&state->nulls, worker->scope, &self->table.layout);
    state->columns = scope_new_array(worker->scope, Vector, self->table.layout.fields_count + 1);
    state->found = scope_new_array(worker->scope, Tuple, BATCH_ROWS_MAX);
    self->table.buffers[worker->id] = &state->tuples;
    self->table.nulls[worker->id] = &state->nulls;
    *out = state;
done:
    return st;
}

/* Beyond the memory: to files, and all workers from now on. */
static Status maybe_spill(Worker *worker, HashJoin *self, BuildState *state)
{
    Status st = OK;

    if (!self->can_spill ||
        (!hash_join_spilled(self) && state->tuples.bytes <= spill_threshold(worker->query)))
        goto done;
    atomic_store(&self->spilled, true);
    TRY(hash_spill_build(worker, self, &state->tuples));
    scope_reset(state->scope);
    tuple_buffer_init(&state->tuples, state->scope, &self->table.layout);
done:
    return st;
}

static Status add_tuples(Worker *worker, BuildState *state, const Batch *all)
{
    Status st = OK;
    KeyEval *keys = &state->keys;
    TupleRows rows = {.tuples = state->found, .rows = keys->rows, .count = keys->count};

    TRY(tuple_buffer_append(worker->ctx, &state->tuples, all, &rows));
    for (uint32_t i = 0; i < keys->count; i++) {
        BuildTuple *header = build_tuple(state->found[keys->rows[i]]);
        header->hash = keys->hashes[keys->rows[i]];
        header->matched = 0;
    }
done:
    return st;
}

static Status build_push(Worker *worker, Stage *stage, void *arg, const Batch *in)
{
    Status st = OK;
    HashJoin *self = (HashJoin *)((char *)stage - offsetof(HashJoin, build));
    BuildState *state = arg;
    KeyEval *keys = &state->keys;
    Batch all = {in->rows_count, self->table.layout.fields_count, state->columns};

    TRY(key_eval_run(worker, self, keys, in));
    if (self->build_plan->columns_count)
        memcpy(all.columns, in->columns, self->build_plan->columns_count * sizeof *all.columns);
    for (uint32_t i = 0; i < self->keys_count; i++) {
        if (self->key_fields[i] >= self->build_plan->columns_count)
            all.columns[self->key_fields[i]] = keys->columns[i];
    }
    TRY(add_tuples(worker, state, &all));
    TRY(maybe_spill(worker, self, state));
    if (keys->null_count == 0 || !(self->rest_unmatched || self->null_aware))
        goto done;
    TupleRows nulls = {.tuples = state->found, .rows = keys->null_rows, .count = keys->null_count};
    TRY(tuple_buffer_append(worker->ctx, &state->nulls, &all, &nulls));
    for (uint32_t i = 0; i < keys->null_count; i++)
        build_tuple(state->found[keys->null_rows[i]])->matched = 0;
done:
    return st;
}

const StageOps hash_build_ops = {.name = "hash build", .open = build_open, .push = build_push};

Status hash_build_complete(Query *query, void *arg)
{
    Status st = OK;
    HashJoin *self = arg;

    for (uint32_t i = 0; hash_join_spilled(self) && i < query->workers_max; i++) {
        BuildState *state = stage_state(&self->build, i);
        if (state == NULL)
            continue;
        TRY(hash_spill_build(query->workers[i], self, &state->tuples));
        tuple_buffer_init(&state->tuples, state->scope, &self->table.layout);
        TRY(spill_set_finish(query->ctx, &self->build_sets[i]));
    }
    TRY(hash_table_link(query, query->scope, &self->table));
done:
    return st;
}

// --- building the steps -------------------------------------------------------------------------

/* Integers and the like by width: the narrower side is cast. */
static int type_rank(Oid oid)
{
    switch (oid) {
    case OID_INT2: return 1;
    case OID_INT4: return 2;
    case OID_INT8:
    case OID_OID: return 3;
    case OID_NUMERIC: return 4;
    case OID_FLOAT4: return 5;
    case OID_FLOAT8: return 6;
    case OID_DATE: return 11;
    case OID_TIMESTAMP: return 12;
    case OID_TIMESTAMPTZ: return 13;
    default: return 0;
    }
}

static Expr *cast_key(Scope *scope, Expr *key, SqlType to)
{
    Expr *cast = expr_new(scope, EXPR_CAST, to, 1);

    cast->args[0] = key;
    return cast;
}

/* Both keys of one physical form. */
static void align_keys(Query *query, Expr **a, Expr **b)
{
    SqlType left = (*a)->type, right = (*b)->type;
    bool scaled =
        left.oid == OID_NUMERIC && right.oid == OID_NUMERIC && type_phys(left) != type_phys(right);

    if (scaled) {
        *a = cast_key(query->scope, *a, sql_type(OID_NUMERIC));
        *b = cast_key(query->scope, *b, sql_type(OID_NUMERIC));
        return;
    }
    if (left.oid == right.oid || type_phys(left) == PHYS_STRING)
        return;
    if (type_rank(left.oid) < type_rank(right.oid))
        *a = cast_key(query->scope, *a, right);
    else
        *b = cast_key(query->scope, *b, left);
}

static void init_keys(Query *query, HashJoin *self)
{
    const JoinPlan *join = &self->plan->join;
    uint32_t fields = self->build_plan->columns_count;
    SqlType *types = scope_new_array(query->scope, SqlType, fields + join->left_keys.count + 1);

    self->keys_count = join->left_keys.count;
    self->build_keys = scope_new_array(query->scope, Expr *, self->keys_count);
    self->probe_keys = scope_new_array(query->scope, Expr *, self->keys_count);
    self->key_fields = scope_new_array(query->scope, uint32_t, self->keys_count);
    for (uint32_t i = 0; i < fields; i++)
        types[i] = self->build_plan->columns[i].type;
    for (uint32_t i = 0; i < self->keys_count; i++) {
        Expr *left = join->left_keys.data[i], *right = join->right_keys.data[i];
        align_keys(query, &left, &right);
        Expr *build = self->build_left ? left : right;
        self->build_keys[i] = build;
        self->probe_keys[i] = self->build_left ? right : left;
        if (build->kind == EXPR_COLUMN && build->column.slot >= 0) {
            self->key_fields[i] = (uint32_t)build->column.slot;
            continue;
        }
        self->key_fields[i] = fields;
        types[fields++] = build->type;
    }
    tuple_layout_init(&self->table.layout, query->scope, types, fields, BUILD_HEADER_BYTES, 0);
}

static void init_kind(HashJoin *self)
{
    JoinType type = self->plan->join.type;
    bool left_only = join_is_left_only(type);

    self->build_left = hash_join_builds_left(self->plan);
    self->build_plan = self->plan->children[self->build_left ? 0 : 1];
    self->probe_plan = self->plan->children[self->build_left ? 1 : 0];
    self->single = type == JOIN_SINGLE;
    self->null_aware = type == JOIN_MARK || type == JOIN_ANTI_NULL;
    self->marks = left_only && !self->build_left;
    if (self->build_left) {
        self->keep_probe = type == JOIN_RIGHT || type == JOIN_FULL;
        self->rest_unmatched = type == JOIN_LEFT || type == JOIN_FULL || type == JOIN_ANTI;
        self->rest_matched = type == JOIN_SEMI;
    } else {
        self->keep_probe = type == JOIN_LEFT || type == JOIN_FULL || type == JOIN_SINGLE;
        self->rest_unmatched = type == JOIN_RIGHT || type == JOIN_FULL;
    }
    self->mark_build = self->rest_unmatched || self->rest_matched;
}

/* NOT IN looks at all of the build side's NULLs at once: it stays in memory. */
static void init_spilling(Query *query, HashJoin *self)
{
    uint32_t columns = self->probe_plan->columns_count;

    self->can_spill = spill_is_possible(query) && !self->null_aware;
    if (!self->can_spill)
        return;
    SqlType *types = scope_new_array(query->scope, SqlType, columns + 1);
    for (uint32_t i = 0; i < columns; i++)
        types[i] = self->probe_plan->columns[i].type;
    tuple_layout_init(&self->probe_layout, query->scope, types, columns, 0, 0);
    self->build_sets = scope_new_array(query->scope, SpillSet, query->workers_max);
    self->probe_sets = scope_new_array(query->scope, SpillSet, query->workers_max);
    for (uint32_t i = 0; i < query->workers_max; i++) {
        self->build_sets[i].layout = &self->table.layout;
        self->probe_sets[i].layout = &self->probe_layout;
    }
}

Status build_hash_join(Query *query, const Plan *plan, Stage *to)
{
    Status st = OK;
    HashJoin *self = scope_new(query->scope, HashJoin);

    self->plan = plan;
    init_kind(self);
    init_keys(query, self);
    self->condition = join_condition(query->scope, plan);
    self->table.buffers_count = query->workers_max;
    self->table.buffers = scope_new_array(query->scope, TupleBuffer *, query->workers_max);
    self->table.nulls = scope_new_array(query->scope, TupleBuffer *, query->workers_max);
    init_spilling(query, self);
    self->rest = (Source){.ops = &hash_rest_ops, .cheap = true};
    TRY(build_plan(query, self->build_plan,
                   stage_init(query, &self->build, &hash_build_ops, NULL, false)));
    query_add_step(query, hash_build_complete, self);
    join_filter_register(query, self);
    TRY(build_plan(query, self->probe_plan,
                   stage_init(query, &self->probe, &hash_probe_ops, to, false)));
    if (self->can_spill)
        query_add_step(query, hash_join_replay, self);
    if (self->mark_build)
        pipeline_add(query, &self->rest, to);
done:
    return st;
}
