// SPDX-License-Identifier: Apache-2.0
//
// Parsing, checking and printing of settings; see settings.h. Strings are owned by the set.
// The contract, and which thread may call, stands in the header.
#include "base/settings.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>

typedef struct SettingValue {
    int64_t number; /* BOOL, INT, ENUM */
    double real;
    char *text; /* STRING */
} SettingValue;

struct Settings {
    SettingValue values[SETTINGS_COUNT];
};

static const SettingInfo setting_rows[SETTINGS_COUNT] = {
#define SETTING(id, name, kind, unit, context, initial, low, high, choices, help) \
    [id] = {name,                                                                 \
            SETTING_##kind,                                                       \
            SETTING_UNIT_##unit,                                                  \
            SETTING_CONTEXT_##context,                                            \
            initial,                                                              \
            low,                                                                  \
            high,                                                                 \
            choices,                                                              \
            help},
#include "base/settings.def"
#undef SETTING
};

typedef struct UnitName {
    const char *name;
    SettingUnit unit;
    int64_t factor;
} UnitName;

/* Largest first: what settings_show divides by. PostgreSQL's kB is 1024 bytes. */
static const UnitName unit_names[] = {
    {"TB", SETTING_UNIT_BYTES, (int64_t)1 << 40},
    {"TiB", SETTING_UNIT_BYTES, (int64_t)1 << 40},
    {"GB", SETTING_UNIT_BYTES, 1 << 30},
    {"GiB", SETTING_UNIT_BYTES, 1 << 30},
    {"MB", SETTING_UNIT_BYTES, 1 << 20},
    {"MiB", SETTING_UNIT_BYTES, 1 << 20},
    {"kB", SETTING_UNIT_BYTES, 1 << 10},
    {"KiB", SETTING_UNIT_BYTES, 1 << 10},
    {"B", SETTING_UNIT_BYTES, 1},
    {"d", SETTING_UNIT_MS, 86400000},
    {"h", SETTING_UNIT_MS, 3600000},
    {"min", SETTING_UNIT_MS, 60000},
    {"s", SETTING_UNIT_MS, 1000},
    {"ms", SETTING_UNIT_MS, 1},
};

const SettingInfo *setting_info(SettingId id)
{
    ASSERT(id < SETTINGS_COUNT);
    return &setting_rows[id];
}

static bool same_name(Str name, const char *row)
{
    size_t length = strlen(row);

    if (name.len != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char a = name.ptr[i] == '-' ? '_' : name.ptr[i];
        if (!str_equal_nocase((Str){&a, 1}, (Str){row + i, 1}))
            return false;
    }
    return true;
}

SettingId setting_find(Str name)
{
    for (int id = 0; id < SETTINGS_COUNT; id++) {
        if (same_name(name, setting_rows[id].name))
            return (SettingId)id;
    }
    return SETTINGS_COUNT;
}

Settings *settings_new(void)
{
    Settings *settings = mem_alloc_zero(sizeof *settings);
    Ctx ctx;

    ctx_init(&ctx);
    for (int id = 0; id < SETTINGS_COUNT; id++) {
        Status st = settings_set(&ctx, settings, (SettingId)id, str_from(setting_rows[id].initial));
        ASSERT(st == OK);
    }
    return settings;
}

Settings *settings_copy(const Settings *from)
{
    Settings *settings = mem_alloc_zero(sizeof *settings);

    for (int id = 0; id < SETTINGS_COUNT; id++)
        settings_reset(settings, from, (SettingId)id);
    return settings;
}

void settings_free(Settings *settings)
{
    if (settings == NULL)
        return;
    for (int id = 0; id < SETTINGS_COUNT; id++)
        mem_free(settings->values[id].text);
    mem_free(settings);
}

void settings_reset(Settings *settings, const Settings *from, SettingId id)
{
    SettingValue *value = &settings->values[id];

    mem_free(value->text);
    *value = from->values[id];
    if (value->text)
        value->text = mem_strdup(value->text);
}

static Status fail_value(Ctx *ctx, const SettingInfo *info, Str text)
{
    return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                       "invalid value for parameter \"%s\": \"%.*s\"", info->name, (int)text.len,
                       text.ptr);
}

static bool parse_bool(Str text, int64_t *out)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};

    for (uint32_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (str_equal_nocase(text, str_from(words[i]))) {
            *out = i % 2;
            return true;
        }
    }
    return false;
}

static Status parse_number(Ctx *ctx, const SettingInfo *info, Str text, SettingValue *out)
{
    char digits[64];
    char *end = digits;
    int64_t factor = info->unit == SETTING_UNIT_BYTES ? 1 << 10 : 1;

    if (text.len == 0 || text.len >= sizeof digits)
        return fail_value(ctx, info, text);
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    double number = strtod(digits, &end);
    Str unit = str_trim(str_from(end));
    if (end == digits || number != number)
        return fail_value(ctx, info, text);
    if (unit.len) {
        factor = 0;
        for (uint32_t i = 0; i < ARRAY_COUNT(unit_names) && factor == 0; i++) {
            if (unit_names[i].unit == info->unit && str_is(unit, unit_names[i].name))
                factor = unit_names[i].factor;
        }
        if (factor == 0) {
            fail_value(ctx, info, text);
            if (info->unit == SETTING_UNIT_BYTES)
                error_hint(ctx, "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", "
                                "\"TB\", \"KiB\", \"MiB\", \"GiB\" and \"TiB\".");
            else if (info->unit == SETTING_UNIT_MS)
                error_hint(ctx, "Valid units for this parameter are \"ms\", \"s\", \"min\", \"h\" "
                                "and \"d\".");
            return E_INVALID_PARAMETER_VALUE;
        }
    }
    number *= (double)factor;
    out->real = number;
    if (number < (double)info->low || number > (double)info->high)
        return error_raise(ctx, E_INVALID_PARAMETER_VALUE,
                           "%.*s is outside the valid range for parameter \"%s\" (%lld .. %lld)",
                           (int)text.len, text.ptr, info->name, (long long)info->low,
                           (long long)info->high);
    out->number = number >= 9.2233720368547758e18 ? INT64_MAX : (int64_t)number;
    return OK;
}

static Status parse_choice(Ctx *ctx, const SettingInfo *info, Str text, int64_t *out)
{
    const char *at = info->choices;

    for (int64_t i = 0; at; i++) {
        const char *bar = strchr(at, '|');
        Str choice = {at, bar ? (size_t)(bar - at) : strlen(at)};
        if (str_equal_nocase(text, choice)) {
            *out = i;
            return OK;
        }
        at = bar ? bar + 1 : NULL;
    }
    fail_value(ctx, info, text);
    error_hint(ctx, "Available values: %s.", info->choices);
    return E_INVALID_PARAMETER_VALUE;
}

Status settings_set(Ctx *ctx, Settings *settings, SettingId id, Str text)
{
    Status st = OK;
    const SettingInfo *info = setting_info(id);
    SettingValue value = {0};
    Str trimmed = str_trim(text);

    switch (info->kind) {
    case SETTING_BOOL:
        if (!parse_bool(trimmed, &value.number)) {
            error_raise(ctx, E_INVALID_PARAMETER_VALUE, "parameter \"%s\" requires a Boolean value",
                        info->name);
            return E_INVALID_PARAMETER_VALUE;
        }
        break;
    case SETTING_INT:
    case SETTING_REAL: TRY(parse_number(ctx, info, trimmed, &value)); break;
    case SETTING_ENUM: TRY(parse_choice(ctx, info, trimmed, &value.number)); break;
    case SETTING_STRING:
        value.text = mem_alloc(text.len + 1);
        if (text.len)
            memcpy(value.text, text.ptr, text.len);
        value.text[text.len] = '\0';
        break;
    }
    mem_free(settings->values[id].text);
    settings->values[id] = value;
done:
    return st;
}

bool settings_bool(const Settings *settings, SettingId id)
{
    ASSERT(setting_rows[id].kind == SETTING_BOOL);
    return settings->values[id].number != 0;
}

int64_t settings_int(const Settings *settings, SettingId id)
{
    ASSERT(setting_rows[id].kind == SETTING_INT || setting_rows[id].kind == SETTING_ENUM);
    return settings->values[id].number;
}

Str settings_string(const Settings *settings, SettingId id)
{
    ASSERT(setting_rows[id].kind == SETTING_STRING);
    return str_from(settings->values[id].text);
}

static Str show_number(Scope *scope, const SettingInfo *info, int64_t number)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(unit_names) && number > 0; i++) {
        if (unit_names[i].unit == info->unit && number % unit_names[i].factor == 0)
            return str_from(scope_printf(
                scope, "%lld%s", (long long)(number / unit_names[i].factor), unit_names[i].name));
    }
    return str_from(scope_printf(scope, "%lld", (long long)number));
}

Str settings_show(const Settings *settings, Scope *scope, SettingId id)
{
    const SettingInfo *info = setting_info(id);
    const SettingValue *value = &settings->values[id];
    const char *at = info->choices;

    switch (info->kind) {
    case SETTING_BOOL: return value->number ? STR("on") : STR("off");
    case SETTING_INT: return show_number(scope, info, value->number);
    case SETTING_REAL: return str_from(scope_printf(scope, "%g", value->real));
    case SETTING_STRING: return str_from(value->text);
    case SETTING_ENUM:
        for (int64_t i = 0; i < value->number; i++)
            at = strchr(at, '|') + 1;
        return (Str){at, strcspn(at, "|")};
    }
    return STR("");
}
