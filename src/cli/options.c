// SPDX-License-Identifier: Apache-2.0
//
// Settings from the command line, the environment and a config file: every setting of the table is
// a flag. See cli.h.
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

int cli_fail(const Ctx *ctx)
{
    fprintf(stderr, "dbaspot: %s\n", ctx->error.message ? ctx->error.message : "failed");
    if (ctx->error.detail)
        fprintf(stderr, "DETAIL:  %s\n", ctx->error.detail);
    if (ctx->error.hint)
        fprintf(stderr, "HINT:  %s\n", ctx->error.hint);
    return 1;
}

static void flag_name(const SettingInfo *info, char *out, size_t size)
{
    size_t i = 0;

    for (; info->name[i] && i + 1 < size; i++) {
        char c = info->name[i];
        out[i] = (char)(c == '_' || c == '.' ? '-' : c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out[i] = '\0';
}

void cli_print_settings(void)
{
    char flag[64];

    for (int id = 0; id < SETTINGS_COUNT; id++) {
        const SettingInfo *info = setting_info((SettingId)id);
        if (info->context == SETTING_CONTEXT_INTERNAL)
            continue;
        flag_name(info, flag, sizeof flag);
        printf("  --%-38s %s", flag, info->help);
        if (info->choices)
            printf(" One of %s.", info->choices);
        printf(" [%s]\n", info->initial);
    }
}

static Status set(Ctx *ctx, Settings *settings, Str name, Str value)
{
    SettingId id = setting_find(name);

    if (id == SETTINGS_COUNT || setting_info(id)->context == SETTING_CONTEXT_INTERNAL)
        return error_raise(ctx, E_CONFIG_FILE, "there is no setting \"%.*s\"", (int)name.len,
                           name.ptr);
    return settings_set(ctx, settings, id, value);
}

static Status read_environment(Ctx *ctx, Settings *settings)
{
    Status st = OK;
    char name[80] = "DBASPOT_";

    for (int id = 0; id < SETTINGS_COUNT; id++) {
        const SettingInfo *info = setting_info((SettingId)id);
        size_t i = 0;
        for (; info->name[i] && i < 64; i++) {
            char c = info->name[i];
            name[8 + i] = (char)(c == '.' ? '_' : c >= 'a' && c <= 'z' ? c - 32 : c);
        }
        name[8 + i] = '\0';
        const char *value = getenv(name);
        if (value && info->context != SETTING_CONTEXT_INTERNAL)
            TRY(settings_set(ctx, settings, (SettingId)id, str_from(value)));
    }
done:
    return st;
}

/* What stands after the equals sign: a quoted text, or all up to a comment. */
static Str line_value(Str text)
{
    const char *end;

    text = str_trim(text);
    if (text.len && text.ptr[0] == '\'') {
        end = memchr(text.ptr + 1, '\'', text.len - 1);
        if (end)
            return (Str){text.ptr + 1, (size_t)(end - text.ptr - 1)};
    }
    end = text.len ? memchr(text.ptr, '#', text.len) : NULL;
    return end ? str_trim((Str){text.ptr, (size_t)(end - text.ptr)}) : text;
}

/* name = value, # begins a comment, quotes around the value are taken off. */
static Status read_line(Ctx *ctx, Settings *settings, Str line)
{
    const char *equals;

    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return OK;
    equals = memchr(line.ptr, '=', line.len);
    if (equals == NULL)
        return error_raise(ctx, E_CONFIG_FILE, "expected name = value, not \"%.*s\"", (int)line.len,
                           line.ptr);
    Str name = str_trim((Str){line.ptr, (size_t)(equals - line.ptr)});
    Str rest = {equals + 1, line.len - (size_t)(equals + 1 - line.ptr)};
    return set(ctx, settings, name, line_value(rest));
}

static Status read_file(Ctx *ctx, Settings *settings, const char *path)
{
    Status st = OK;
    FILE *file = fopen(path, "r");
    char line[1024];
    int number = 0;

    if (file == NULL)
        return error_raise(ctx, E_UNDEFINED_FILE, "could not open the config file \"%s\"", path);
    while (st == OK && fgets(line, sizeof line, file)) {
        number++;
        st = read_line(ctx, settings, str_from(line));
    }
    if (st != OK)
        error_detail(ctx, "File \"%s\", line %d.", path, number);
    fclose(file);
    return st;
}

static Str flag_of(const char *arg)
{
    const char *name = arg + 2;
    return (Str){name, strcspn(name, "=")};
}

static Str without_alias(const char *const *aliases, Str flag)
{
    for (; aliases && *aliases; aliases += 2) {
        if (str_is(flag, aliases[0]))
            return str_from(aliases[1]);
    }
    return flag;
}

/* "dbaspot-query-threads" is the setting dbaspot.query_threads. */
static Str dotted(Str name, char *buffer, size_t size)
{
    static const char prefix[] = "dbaspot-";

    if (name.len < sizeof prefix || name.len >= size ||
        memcmp(name.ptr, prefix, sizeof prefix - 1) != 0)
        return name;
    memcpy(buffer, name.ptr, name.len);
    buffer[sizeof prefix - 2] = '.';
    return (Str){buffer, name.len};
}

/* The value of argv[*at], which may be the next argument. */
static Status take_value(Ctx *ctx, int argc, char **argv, int *at, SettingId id, Str *out)
{
    const char *equals = strchr(argv[*at], '=');

    if (equals)
        *out = str_from(equals + 1);
    else if (id != SETTINGS_COUNT && setting_info(id)->kind == SETTING_BOOL)
        *out = STR("on");
    else if (*at + 1 < argc)
        *out = str_from(argv[++*at]);
    else
        return error_raise(ctx, E_CONFIG_FILE, "%s needs a value", argv[*at]);
    return OK;
}

static Status read_flags(Ctx *ctx, Settings *settings, const char *const *aliases, int *argc,
                         char **argv)
{
    Status st = OK;
    int kept = 1;
    char buffer[80];

    for (int i = 1; i < *argc; i++) {
        Str value = {0};
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        Str flag = flag_of(argv[i]);
        Str name = dotted(without_alias(aliases, flag), buffer, sizeof buffer);
        bool is_config = str_is(flag, "config");
        SettingId id = setting_find(name);
        if (id == SETTINGS_COUNT && !is_config)
            FAIL(ctx, E_CONFIG_FILE, "there is no flag --%.*s", (int)flag.len, flag.ptr);
        TRY(take_value(ctx, *argc, argv, &i, id, &value));
        if (!is_config)
            TRY(set(ctx, settings, name, value));
    }
    *argc = kept;
done:
    return st;
}

Status cli_settings(Ctx *ctx, Settings *settings, const char *const *aliases, int *argc,
                    char **argv)
{
    Status st = OK;

    for (int i = 1; i < *argc; i++) {
        Str value = {0};
        if (strncmp(argv[i], "--", 2) == 0 && str_is(flag_of(argv[i]), "config")) {
            TRY(take_value(ctx, *argc, argv, &i, SETTINGS_COUNT, &value));
            TRY(read_file(ctx, settings, value.ptr));
        }
    }
    TRY(read_environment(ctx, settings));
    TRY(read_flags(ctx, settings, aliases, argc, argv));
done:
    return st;
}
