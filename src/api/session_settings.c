// SPDX-License-Identifier: Apache-2.0
//
// A session's settings: SET, SET LOCAL, RESET, and what follows from a change (value formats,
// search path, reports to the client). A change inside a transaction goes back when it rolls back;
// SET LOCAL goes back at its end either way. One thread at a time.
#include "api/session_int.h"

#include "types/timezone.h"

/* "ISO, MDY": a style and an order, either may be missing. */
static bool read_date_style(Str text, TypeIoContext *io)
{
    static const char *const styles[] = {"iso", "sql", "postgres", "german"};
    static const char *const orders[] = {"mdy", "dmy", "ymd"};
    Str rest = text;

    while (rest.len) {
        size_t end = 0;
        bool known = false;
        while (end < rest.len && rest.ptr[end] != ',')
            end++;
        Str word = str_trim((Str){rest.ptr, end});
        for (uint32_t i = 0; i < ARRAY_COUNT(styles); i++) {
            if (str_equal_nocase(word, str_from(styles[i]))) {
                io->date_style = (uint8_t)i;
                known = true;
            }
        }
        for (uint32_t i = 0; i < ARRAY_COUNT(orders); i++) {
            if (str_equal_nocase(word, str_from(orders[i]))) {
                io->date_order = (uint8_t)i;
                known = true;
            }
        }
        if (!known)
            return false;
        end = MIN(end + 1, rest.len);
        rest = (Str){rest.ptr + end, rest.len - end};
    }
    return true;
}

static const char *const style_names[] = {"ISO", "SQL", "Postgres", "German"};
static const char *const order_names[] = {"MDY", "DMY", "YMD"};

void session_apply_settings(Session *session)
{
    const Settings *settings = session->settings;
    TypeIoContext *io = &session->io;
    int64_t digits = settings_int(settings, SETTING_EXTRA_FLOAT_DIGITS);

    read_date_style(settings_string(settings, SETTING_DATESTYLE), io);
    io->interval_style = (uint8_t)settings_int(settings, SETTING_INTERVALSTYLE);
    io->bytea_escape = settings_int(settings, SETTING_BYTEA_OUTPUT) == 1;
    io->float_shorter = digits > 0 ? 0 : (uint8_t)(1 - digits);
    io->zone = timezone_find(settings_string(settings, SETTING_TIMEZONE));
    session->search_path_stale = true;
}

/* True for the names of PostgreSQL's other encodings. */
static bool is_encoding(Str name)
{
    static const char *const names[] = {
        "sql_ascii", "latin1",  "latin2",  "latin3",  "latin4",  "latin5",  "latin6",
        "latin7",    "latin8",  "latin9",  "latin10", "win1250", "win1251", "win1252",
        "win1253",   "win1254", "win1255", "win1256", "win1257", "win1258", "win866",
        "win874",    "koi8r",   "koi8u",   "euc_jp",  "euc_cn",  "euc_kr",  "euc_tw",
        "sjis",      "big5",    "gbk",     "gb18030", "uhc",     "johab",
    };

    for (uint32_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_equal_nocase(name, str_from(names[i])))
            return true;
    }
    return false;
}

/* Values that need more than the table's checks. */
static Status check_value(Session *session, SettingId id, Str value)
{
    TypeIoContext io = session->io;

    switch (id) {
    case SETTING_DATESTYLE:
        if (!read_date_style(value, &io))
            return error_raise(&session->ctx, E_INVALID_PARAMETER_VALUE,
                               "invalid value for parameter \"DateStyle\": \"%.*s\"",
                               (int)value.len, value.ptr);
        return OK;
    case SETTING_TIMEZONE:
        if (timezone_find(value))
            return OK;
        return error_raise(&session->ctx, E_INVALID_PARAMETER_VALUE,
                           "invalid value for parameter \"TimeZone\": \"%.*s\"", (int)value.len,
                           value.ptr);
    case SETTING_CLIENT_ENCODING:
        if (str_equal_nocase(value, STR("utf8")) || str_equal_nocase(value, STR("utf-8")) ||
            str_equal_nocase(value, STR("unicode")))
            return OK;
        if (!is_encoding(value))
            return error_raise(&session->ctx, E_INVALID_PARAMETER_VALUE,
                               "invalid value for parameter \"client_encoding\": \"%.*s\"",
                               (int)value.len, value.ptr);
        error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED,
                    "client encoding \"%.*s\" is not supported", (int)value.len, value.ptr);
        error_hint(&session->ctx, "Use UTF8.");
        return E_FEATURE_NOT_SUPPORTED;
    case SETTING_STANDARD_CONFORMING_STRINGS:
        if (str_equal_nocase(value, STR("on")) || str_equal_nocase(value, STR("true")) ||
            str_is(value, "1"))
            return OK;
        return error_raise(&session->ctx, E_FEATURE_NOT_SUPPORTED,
                           "standard_conforming_strings = off is not supported");
    default: return OK;
    }
}

static void report(Session *session, SettingId id)
{
    static const SettingId followed[] = {
        SETTING_APPLICATION_NAME, SETTING_CLIENT_ENCODING, SETTING_DATESTYLE,
        SETTING_INTERVALSTYLE,    SETTING_TIMEZONE,        SETTING_STANDARD_CONFORMING_STRINGS,
    };
    const SessionSink *sink = &session->options.sink;

    for (uint32_t i = 0; sink->parameter && i < ARRAY_COUNT(followed); i++) {
        if (followed[i] == id) {
            Str value = settings_show(session->settings, session->request.scope, id);
            sink->parameter(sink->arg, setting_info(id)->name,
                            str_to_c(session->request.scope, value));
        }
    }
}

/* Inside a transaction: remember what to go back to. */
static void remember(Session *session, bool local)
{
    bool in_transaction = session->block != BLOCK_NONE;

    if (!in_transaction)
        return;
    if (session->settings_before == NULL)
        session->settings_before = settings_copy(session->settings);
    if (local && session->settings_after == NULL)
        session->settings_after = settings_copy(session->settings);
}

/* The canonical spelling: SHOW DateStyle after SET DateStyle = 'iso' prints "ISO, MDY". */
static Str canonical(Session *session, SettingId id, Str value)
{
    TypeIoContext io = session->io;

    if (id == SETTING_CLIENT_ENCODING)
        return STR("UTF8");
    if (id != SETTING_DATESTYLE)
        return value;
    read_date_style(value, &io);
    return str_from(scope_printf(session->request.scope, "%s, %s", style_names[io.date_style],
                                 order_names[io.date_order]));
}

static Status set_transaction_setting(Session *session, SettingId id)
{
    static const Isolation by_choice[] = {ISOLATION_SERIALIZABLE, ISOLATION_REPEATABLE_READ,
                                          ISOLATION_READ_COMMITTED, ISOLATION_READ_COMMITTED};

    if (id == SETTING_DEFAULT_TRANSACTION_ISOLATION && session->txn == NULL)
        session->isolation = by_choice[settings_int(session->settings, id)];
    if (id == SETTING_DEFAULT_TRANSACTION_READ_ONLY && session->txn == NULL)
        session->read_only = settings_bool(session->settings, id);
    if (id == SETTING_TRANSACTION_ISOLATION)
        session->isolation = by_choice[settings_int(session->settings, id)];
    else if (id == SETTING_TRANSACTION_READ_ONLY)
        session->read_only = settings_bool(session->settings, id);
    else
        return OK;
    if (session->txn == NULL)
        return OK;
    return txn_set(&session->ctx, session->txn, session->isolation, session->read_only,
                   session->deferrable);
}

Status session_set(Session *session, Str name, Str value, bool local)
{
    Status st = OK;
    SettingId id = setting_find(name);

    if (id == SETTINGS_COUNT)
        FAIL(&session->ctx, E_UNDEFINED_OBJECT, "unrecognized configuration parameter \"%.*s\"",
             (int)name.len, name.ptr);
    if (setting_info(id)->context != SETTING_CONTEXT_SESSION)
        FAIL(&session->ctx, E_CANT_CHANGE_RUNTIME_PARAM, "parameter \"%s\" cannot be changed%s",
             setting_info(id)->name,
             setting_info(id)->context == SETTING_CONTEXT_NODE ? " without restarting the server"
                                                               : "");
    if (local && session->block == BLOCK_NONE) {
        session_notice(session, NOTICE_WARNING, "25P01",
                       "SET LOCAL can only be used in transaction blocks");
        goto done;
    }
    TRY(check_value(session, id, value));
    remember(session, local);
    value = canonical(session, id, value);
    TRY(settings_set(&session->ctx, session->settings, id, value));
    if (!local && session->settings_after)
        TRY(settings_set(&session->ctx, session->settings_after, id, value));
    TRY(set_transaction_setting(session, id));
    session_apply_settings(session);
    report(session, id);
done:
    return st;
}

static const char *isolation_name(Isolation isolation)
{
    return isolation == ISOLATION_READ_COMMITTED    ? "read committed"
           : isolation == ISOLATION_REPEATABLE_READ ? "repeatable read"
                                                    : "serializable";
}

const char *session_setting(Session *session, Scope *scope, Str name)
{
    SettingId id = setting_find(name);

    switch (id) {
    case SETTINGS_COUNT: return NULL;
    case SETTING_TRANSACTION_ISOLATION: return isolation_name(session->isolation);
    case SETTING_TRANSACTION_READ_ONLY: return session->read_only ? "on" : "off";
    case SETTING_TRANSACTION_DEFERRABLE: return session->deferrable ? "on" : "off";
    case SETTING_SESSION_AUTHORIZATION: return str_to_c(scope, session->info.user);
    default: return str_to_c(scope, settings_show(session->settings, scope, id));
    }
}

static const char *level_name(AstIsolation level)
{
    static const char *const names[] = {"", "read uncommitted", "read committed", "repeatable read",
                                        "serializable"};
    return names[level];
}

/* SET TRANSACTION …, SET SESSION CHARACTERISTICS AS TRANSACTION …. */
Status session_set_modes(Session *session, const AstSet *ast)
{
    Status st = OK;
    bool defaults = ast->kind == AST_SET_SESSION_CHARACTERISTICS;
    const AstTransactionModes *modes = &ast->modes;

    if (!defaults && session->block == BLOCK_NONE) {
        session_notice(session, NOTICE_WARNING, "25P01",
                       "SET TRANSACTION can only be used in transaction blocks");
        goto done;
    }
    if (modes->isolation != AST_ISOLATION_NONE)
        TRY(session_set(
            session, defaults ? STR("default_transaction_isolation") : STR("transaction_isolation"),
            str_from(level_name(modes->isolation)), !defaults));
    if (modes->read_only != AST_UNSAID)
        TRY(session_set(
            session, defaults ? STR("default_transaction_read_only") : STR("transaction_read_only"),
            modes->read_only == AST_ON ? STR("on") : STR("off"), !defaults));
    if (modes->deferrable != AST_UNSAID && !defaults)
        session->deferrable = modes->deferrable == AST_ON;
done:
    return st;
}

void session_keep_parameters(Session *session)
{
    settings_free(session->settings_initial);
    session->settings_initial = settings_copy(session->settings);
}

Status session_parameter(Ctx *ctx, Session *session, Str name, Str value)
{
    Status st = session_set(session, name, value, false);

    error_adopt(ctx, &session->ctx);
    return st;
}
