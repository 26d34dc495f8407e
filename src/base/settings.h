// SPDX-License-Identifier: Apache-2.0
//
// Settings: the table settings.def and a set of values for it. A node has one set; each session
// starts from a copy. Text in, typed values out; SHOW prints them back in their canonical form.
// A Settings is used by one thread at a time; the table is immutable.
#ifndef DBASPOT_BASE_SETTINGS_H
#define DBASPOT_BASE_SETTINGS_H

#include "base/str.h"

typedef enum SettingId {
#define SETTING(id, name, kind, unit, context, initial, low, high, choices, help) id,
#include "base/settings.def"
#undef SETTING
    SETTINGS_COUNT
} SettingId;

typedef enum SettingKind {
    SETTING_BOOL,
    SETTING_INT,
    SETTING_REAL,
    SETTING_STRING,
    SETTING_ENUM
} SettingKind;
typedef enum SettingUnit { SETTING_UNIT_NONE, SETTING_UNIT_BYTES, SETTING_UNIT_MS } SettingUnit;
typedef enum SettingContext {
    SETTING_CONTEXT_INTERNAL,
    SETTING_CONTEXT_NODE,
    SETTING_CONTEXT_SESSION
} SettingContext;

typedef struct SettingInfo {
    const char *name;
    SettingKind kind;
    SettingUnit unit;
    SettingContext context;
    const char *initial;
    int64_t low;
    int64_t high;
    const char *choices;
    const char *help;
} SettingInfo;

typedef struct Settings Settings;

const SettingInfo *setting_info(SettingId id);
/* Names are compared without case; - stands for _ too (flags). SETTINGS_COUNT if unknown. */
SettingId setting_find(Str name);

/* All defaults. */
Settings *settings_new(void);
Settings *settings_copy(const Settings *settings);
void settings_free(Settings *settings);

/* Parses, checks the range and stores; 22023 with PostgreSQL's text if it does not fit. Looks at no
   context: that is the caller's (55P02). */
Status settings_set(Ctx *ctx, Settings *settings, SettingId id, Str text);
void settings_reset(Settings *settings, const Settings *from, SettingId id);

bool settings_bool(const Settings *settings, SettingId id);
/* INT: bytes and milliseconds for those units. ENUM: the index of the choice. */
int64_t settings_int(const Settings *settings, SettingId id);
Str settings_string(const Settings *settings, SettingId id);
/* As SHOW prints it: "256MB", "on". */
Str settings_show(const Settings *settings, Scope *scope, SettingId id);

#endif
