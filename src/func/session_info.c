// SPDX-License-Identifier: Apache-2.0
//
// Functions about the session and the server: who, where, settings, sequences, and whatever the
// catalog answers. What lies above this room is reached through SessionInfo.hooks. See func.h.
#include "func/elements.h"
#include "func/quote.h"
#include "func/rows.h"
#include "os/clock.h"
#include "os/thread.h"

#include <math.h>

#define SERVER_VERSION "PostgreSQL 15.18 (dbaspot " DBASPOT_VERSION ") on "
#define SLEEP_STEP_NS  INT64_C(50000000) /* how often a sleeper looks whether it is cancelled */

#if defined(__x86_64__)
#define MACHINE "x86_64-pc-linux-gnu"
#elif defined(__aarch64__)
#define MACHINE "aarch64-unknown-linux-gnu"
#else
#define MACHINE "linux"
#endif

static Status need_hooks(FuncCall *call, const SessionHooks **out)
{
    *out = call->session ? call->session->hooks : NULL;
    if (*out)
        return OK;
    return error_raise(call->ctx, E_FEATURE_NOT_SUPPORTED, "function %s needs a session",
                       call->func->name);
}

/* --- who and where --- */

#define SESSION_TEXT(name, field) \
    KERNEL_ROWS(name, kernel_share_text(out, i, call->session ? call->session->field : STR(""));)

SESSION_TEXT(func_current_user, user)
SESSION_TEXT(func_current_database, database)

KERNEL_ROWS(func_current_schema, {
    if (call->session == NULL || call->session->schema.len == 0)
        KERNEL_NULL(i);
    else
        kernel_share_text(out, i, call->session->schema);
})

/* The schemas of a search_path, one a call; false at the end. "$user" names the user's schema,
   which exists only if it was created; the hook says so. */
static bool next_schema(Str *path, Str *out)
{
    while (path->len) {
        const char *comma = memchr(path->ptr, ',', path->len);
        size_t length = comma ? (size_t)(comma - path->ptr) : path->len;
        Str name = str_trim((Str){path->ptr, length});
        size_t used = length + (comma != NULL);
        *path = (Str){path->ptr + used, path->len - used};
        if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
            name = (Str){name.ptr + 1, name.len - 2};
        if (name.len == 0 || str_is(name, "$user"))
            continue;
        *out = name;
        return true;
    }
    return false;
}

KERNEL_TRY_ROWS(func_current_schemas, {
    Datum names[32];
    uint32_t count = 0;
    Str path = call->session ? call->session->search_path : STR("");
    Str name;
    if (KERNEL_ARG(uint8_t, 0))
        names[count++] =
            (Datum){.type = sql_type(OID_NAME), .string = strview_make("pg_catalog", 10)};
    while (count < ARRAY_COUNT(names) && next_schema(&path, &name))
        names[count++] =
            (Datum){.type = sql_type(OID_NAME), .string = strview_make(name.ptr, name.len)};
    TRY(array_make_1d(call->ctx, call->scope, sql_type(OID_NAME), names, count,
                      &KERNEL_RESULT(StrView)));
})

KERNEL_ROWS(func_version,
            kernel_share_text(out, i,
                              STR(SERVER_VERSION MACHINE ", compiled by " __VERSION__ ", 64-bit"));)

KERNEL_ROWS(func_pg_backend_pid,
            KERNEL_RESULT(int32_t) = call->session ? call->session->backend_pid : 0;)

KERNEL_ROWS(func_inet_client_port, {
    if (call->session == NULL || call->session->client_address.len == 0)
        KERNEL_NULL(i);
    else
        KERNEL_RESULT(int32_t) = call->session->client_port;
})

KERNEL_ROWS(func_false, KERNEL_RESULT(uint8_t) = 0;)
KERNEL_ROWS(func_pg_my_temp_schema, KERNEL_RESULT(int64_t) = 0;)

Status set_empty(UNUSED FuncCall *call, UNUSED const Datum *args, UNUSED uint32_t args_count,
                 UNUSED Batch *out, bool *done)
{
    *done = true;
    return OK;
}

/* --- settings --- */

KERNEL_TRY_ROWS(func_current_setting, {
    const SessionHooks *hooks;
    bool missing_ok = call->args_count > 1 && KERNEL_ARG(uint8_t, 1);
    bool found;
    Str value;
    TRY(need_hooks(call, &hooks));
    TRY(hooks->setting_get(call->session->session, call->ctx, call->scope, KERNEL_STR(0),
                           missing_ok, &value, &found));
    if (found)
        kernel_share_text(out, i, value);
    else
        KERNEL_NULL(i);
})

KERNEL_TRY_ROWS(func_set_config, {
    const SessionHooks *hooks;
    bool found;
    Str value = STR("");
    if (vector_is_null(args[0], i))
        FAIL(call->ctx, E_NULL_VALUE_NOT_ALLOWED, "SET requires parameter name");
    if (!vector_is_null(args[1], i))
        value = KERNEL_STR(1);
    bool local = !vector_is_null(args[2], i) && KERNEL_ARG(uint8_t, 2);
    TRY(need_hooks(call, &hooks));
    TRY(hooks->setting_set(call->session->session, call->ctx, KERNEL_STR(0), value, local));
    TRY(hooks->setting_get(call->session->session, call->ctx, call->scope, KERNEL_STR(0), true,
                           &value, &found));
    kernel_share_text(out, i, found ? value : STR(""));
})

/* --- sequences --- */

KERNEL_TRY_ROWS(func_nextval, {
    const SessionHooks *hooks;
    TRY(need_hooks(call, &hooks));
    TRY(hooks->sequence_next(call->session->session, call->ctx, (Oid)KERNEL_ARG(int64_t, 0),
                             &KERNEL_RESULT(int64_t)));
})

KERNEL_TRY_ROWS(func_currval, {
    const SessionHooks *hooks;
    TRY(need_hooks(call, &hooks));
    TRY(hooks->sequence_current(call->session->session, call->ctx, (Oid)KERNEL_ARG(int64_t, 0),
                                &KERNEL_RESULT(int64_t)));
})

KERNEL_TRY_ROWS(func_lastval, {
    const SessionHooks *hooks;
    TRY(need_hooks(call, &hooks));
    TRY(hooks->last_value(call->session->session, call->ctx, &KERNEL_RESULT(int64_t)));
})

KERNEL_TRY_ROWS(func_setval, {
    const SessionHooks *hooks;
    int64_t value = KERNEL_ARG(int64_t, 1);
    bool is_called = call->args_count < 3 || KERNEL_ARG(uint8_t, 2);
    TRY(need_hooks(call, &hooks));
    TRY(hooks->sequence_set(call->session->session, call->ctx, (Oid)KERNEL_ARG(int64_t, 0), value,
                            is_called));
    KERNEL_RESULT(int64_t) = value;
})

/* --- what the catalog answers --- */

static void row_datums(const FuncCall *call, const Vector *const *args, uint32_t row, Datum *out)
{
    for (uint32_t k = 0; k < call->args_count; k++)
        out[k] = datum_from_vector(args[k], row);
}

KERNEL_TRY_ROWS(func_catalog_text, {
    const SessionHooks *hooks;
    Datum datums[FUNC_ARGS_MAX];
    bool is_null = false;
    Str text;
    TRY(need_hooks(call, &hooks));
    row_datums(call, args, i, datums);
    TRY(hooks->catalog_text(call->session->session, call->ctx, call->scope, call->func->name,
                            datums, call->args_count, &text, &is_null));
    if (is_null)
        KERNEL_NULL(i);
    else
        kernel_share_text(out, i, text);
})

static void put_number(Vector *out, uint32_t row, int64_t value)
{
    switch (out->phys) {
    case PHYS_BOOL: vector_flat(out, uint8_t)[row] = value != 0; break;
    case PHYS_INT32: vector_flat(out, int32_t)[row] = (int32_t)value; break;
    default: vector_flat(out, int64_t)[row] = value; break;
    }
}

KERNEL_TRY_ROWS(func_catalog_number, {
    const SessionHooks *hooks;
    Datum datums[FUNC_ARGS_MAX];
    bool is_null = false;
    int64_t value;
    TRY(need_hooks(call, &hooks));
    row_datums(call, args, i, datums);
    TRY(hooks->catalog_number(call->session->session, call->ctx, call->func->name, datums,
                              call->args_count, &value, &is_null));
    if (is_null)
        KERNEL_NULL(i);
    else
        put_number(out, i, value);
})

/* to_regclass and its like: NULL where the cast would fail. */
KERNEL_TRY_ROWS(func_to_reg, {
    Ctx ctx;
    Datum value;
    ctx_init(&ctx);
    if (type_input(&ctx, call->scope, call->result_type, KERNEL_STR(0), kernel_io(call), &value) ==
        OK)
        KERNEL_RESULT(int64_t) = value.int64;
    else
        KERNEL_NULL(i);
    ctx_free(&ctx);
})

/* --- types' names --- */

static Str type_text(Scope *scope, Oid oid, bool with_typmod, int32_t typmod)
{
    if (oid == 0)
        return STR("-");
    if (type_info(oid) == NULL)
        return STR("???");
    if (with_typmod && typmod < 0 && oid == OID_BPCHAR)
        return STR("bpchar");
    return str_from(type_format(scope, (SqlType){oid, with_typmod ? typmod : -1}));
}

KERNEL_ROWS(func_format_type, {
    if (vector_is_null(args[0], i)) {
        KERNEL_NULL(i);
        continue;
    }
    bool with_typmod = !vector_is_null(args[1], i);
    kernel_share_text(out, i,
                      type_text(call->scope, (Oid)KERNEL_ARG(int64_t, 0), with_typmod,
                                with_typmod ? KERNEL_ARG(int32_t, 1) : -1));
})

KERNEL_TEXT_ROWS(func_oidvectortypes, {
    ArrayView view;
    array_view(KERNEL_STR(0), &view);
    for (uint32_t k = 0; k < view.count; k++) {
        if (k)
            strbuf_append_c(&buf, ", ");
        strbuf_append_str(&buf, type_text(call->scope, (Oid)array_get(&view, k).int64, false, -1));
    }
})

/* --- sizes --- */

typedef struct SizeUnit {
    const char *name;
    int64_t limit; /* shown in this unit below it */
    bool round;    /* the value carries one bit more, to be rounded away */
    int bits;
} SizeUnit;

static const SizeUnit size_units[] = {
    {"bytes", 10 * 1024, false, 0},  {"kB", 20 * 1024 - 1, true, 10},
    {"MB", 20 * 1024 - 1, true, 20}, {"GB", 20 * 1024 - 1, true, 30},
    {"TB", 20 * 1024 - 1, true, 40}, {"PB", INT64_MAX, true, 50},
};

static void append_size(StrBuf *buf, int128_t size)
{
    const SizeUnit *unit = size_units;

    while (unit->limit != INT64_MAX && (size < 0 ? -size : size) >= unit->limit) {
        const SizeUnit *next = unit + 1;
        int bits = next->bits - unit->bits - next->round + unit->round;
        size /= (int128_t)1 << bits;
        unit = next;
    }
    if (unit->round)
        size = (size + (size < 0 ? -1 : 1)) / 2;
    scaled_print(buf, size, 0);
    strbuf_printf(buf, " %s", unit->name);
}

KERNEL_TEXT_ROWS(func_pg_size_pretty, append_size(&buf, KERNEL_ARG(int64_t, 0));)

KERNEL_TEXT_ROWS(func_pg_size_pretty_numeric, {
    Numeric size = KERNEL_ARG(Numeric, 0);
    if (numeric_is_special(&size))
        FAIL(call->ctx, E_NUMERIC_OUT_OF_RANGE, "value overflows numeric format");
    if (size.coefficient < 10240 * int128_pow10[MIN(size.scale, 30)] &&
        size.coefficient > -10240 * int128_pow10[MIN(size.scale, 30)]) {
        numeric_print(&buf, &size);
        strbuf_append_c(&buf, " bytes");
    } else {
        TRY(numeric_trunc(call->ctx, &size, 0, &size));
        append_size(&buf, size.coefficient);
    }
})

KERNEL_ROWS(func_pg_column_size, {
    const TypeInfo *info = type_info(args[0]->type.oid);
    KERNEL_RESULT(int32_t) = info->length > 0               ? info->length
                             : args[0]->phys == PHYS_STRING ? (int32_t)KERNEL_STR(0).len + 1
                                                            : (int32_t)phys_size[args[0]->phys];
})

/* --- pg_sleep --- */

static Status sleep_until(FuncCall *call, int64_t deadline_ns)
{
    Status st = OK;
    const SessionHooks *hooks = call->session ? call->session->hooks : NULL;
    bool tells = hooks && hooks->waits;
    Event never;

    event_init(&never);
    if (tells)
        hooks->waits(call->session->session, true);
    while (clock_mono_ns() < deadline_ns) {
        TRY(ctx_check_cancel(call->ctx));
        event_wait_until(&never, MIN(deadline_ns, clock_mono_ns() + SLEEP_STEP_NS));
    }
done:
    if (tells)
        hooks->waits(call->session->session, false);
    return st;
}

KERNEL_TRY_ROWS(func_pg_sleep, {
    double seconds = KERNEL_ARG(double, 0);
    double ns = isnan(seconds) || seconds <= 0 ? 0 : MIN(seconds * 1e9, 4e18);
    TRY(sleep_until(call, clock_mono_ns() + (int64_t)ns));
    kernel_share_text(out, i, STR(""));
})
