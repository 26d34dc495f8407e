// SPDX-License-Identifier: Apache-2.0
//
// Compiled patterns of one call, and walking through matches. An empty match moves the walk on by
// one character, so that it ends; functions that split ignore matches that would split nothing off.
// See regex_walk.h.
#include "func/regex_walk.h"

#define CACHE_ENTRIES 8

typedef struct CacheEntry {
    Scope *scope; /* NULL: free */
    Str pattern;
    RegexFlags flags;
    Regex *regex;
} CacheEntry;

typedef struct RegexCache {
    CacheEntry entries[CACHE_ENTRIES];
    uint32_t next;
} RegexCache;

static bool same_flags(RegexFlags a, RegexFlags b)
{
    return a.ignore_case == b.ignore_case && a.expanded == b.expanded && a.literal == b.literal &&
           a.newline_dot == b.newline_dot && a.newline_anchor == b.newline_anchor;
}

Status regex_find(FuncCall *call, Str pattern, RegexFlags flags, Regex **out)
{
    Status st = OK;
    Scope *home = call->state_scope ? call->state_scope : call->scope;
    RegexCache *cache = call->state_scope ? call->state : NULL;

    if (cache == NULL)
        cache = scope_new(home, RegexCache);
    call->state = call->state_scope ? cache : NULL;
    for (uint32_t i = 0; i < CACHE_ENTRIES; i++) {
        CacheEntry *entry = &cache->entries[i];
        if (entry->scope && str_equal(entry->pattern, pattern) && same_flags(entry->flags, flags)) {
            *out = entry->regex;
            return OK;
        }
    }
    CacheEntry *entry = &cache->entries[cache->next++ % CACHE_ENTRIES];
    if (entry->scope)
        scope_close(entry->scope);
    entry->scope = NULL;
    Scope *scope = scope_open(home, "regular expression");
    st = regex_compile(call->ctx, scope, pattern, flags, &entry->regex);
    if (st != OK) {
        scope_close(scope);
        return st;
    }
    entry->scope = scope;
    entry->pattern = str_copy(scope, pattern);
    entry->flags = flags;
    *out = entry->regex;
    return OK;
}

size_t regex_after_char(Str text, size_t at)
{
    at++;
    while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
        at++;
    return at;
}

Status regex_walk_next(Ctx *ctx, RegexWalk *walk, const RegexSpan **out)
{
    Status st = OK;

    *out = NULL;
    while (!walk->ended && *out == NULL) {
        const RegexSpan *spans = NULL;
        if (walk->at <= walk->text.len)
            TRY(regex_search(ctx, walk->regex, walk->text, walk->at, &spans));
        if (spans == NULL) {
            walk->ended = true;
            break;
        }
        bool empty = spans[0].start == spans[0].end;
        if (!walk->skip_empty || (spans[0].start < walk->text.len && spans[0].end > walk->last_end))
            *out = spans;
        walk->last_end = spans[0].end;
        walk->at = empty ? regex_after_char(walk->text, spans[0].end) : spans[0].end;
    }
done:
    return st;
}

Status regex_refuse_global(FuncCall *call)
{
    Status st = error_raise(call->ctx, E_INVALID_PARAMETER_VALUE,
                            "%s() does not support the \"global\" option", call->func->name);
    if (strcmp(call->func->name, "regexp_match") == 0)
        error_hint(call->ctx, "Use the regexp_matches function instead.");
    return st;
}

Status regex_read_flags(FuncCall *call, const Vector *const *args, uint32_t at, uint32_t i,
                        bool may_be_global, RegexFlags *out)
{
    Status st = OK;

    *out = (RegexFlags){0};
    if (at < call->args_count)
        TRY(regex_parse_flags(call->ctx, KERNEL_STR(at), out));
    if (out->global && !may_be_global)
        TRY(regex_refuse_global(call));
done:
    return st;
}
