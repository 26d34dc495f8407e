// SPDX-License-Identifier: Apache-2.0
//
// One table of (hash, key, value) slots serves both maps: an integer key is its own eight bytes,
// kept in the slot. Removal leaves a mark that the next growth sweeps. See map.h.
#include "base/map.h"

#include "base/hash.h"

typedef struct Slot {
    uint64_t hash;
    Str key;         /* StrMap */
    uint64_t number; /* U64Map */
    void *value;     /* NULL: free; &removed_mark: removed */
} Slot;

typedef struct Table {
    Scope *scope;
    Slot *slots;
    uint32_t cap;
    uint32_t used; /* live and removed */
    uint32_t live;
} Table;

struct StrMap {
    Table table;
};

struct U64Map {
    Table table;
};

static char removed_mark;

static bool slot_matches(const Slot *slot, const Slot *probe)
{
    return slot->hash == probe->hash && slot->number == probe->number &&
           str_equal(slot->key, probe->key);
}

/* The slot that holds the key, else the free slot that ends its run (NULL in an empty table). */
static Slot *table_find(const Table *table, const Slot *probe)
{
    if (table->cap == 0)
        return NULL;
    for (uint32_t at = (uint32_t)probe->hash & (table->cap - 1);;
         at = (at + 1) & (table->cap - 1)) {
        Slot *slot = &table->slots[at];
        if (slot->value == NULL || (slot->value != &removed_mark && slot_matches(slot, probe)))
            return slot;
    }
}

static void table_grow(Table *table)
{
    Table grown = {.scope = table->scope, .cap = table->cap ? table->cap : 16};

    while (grown.cap < table->live * 2 + 2)
        grown.cap *= 2;
    grown.slots = scope_new_array(table->scope, Slot, grown.cap);
    for (uint32_t i = 0; i < table->cap; i++) {
        Slot *slot = &table->slots[i];
        if (slot->value == NULL || slot->value == &removed_mark)
            continue;
        *table_find(&grown, slot) = *slot;
        grown.live++;
    }
    grown.used = grown.live;
    *table = grown;
}

static void *table_get(const Table *table, const Slot *probe)
{
    Slot *slot = table_find(table, probe);
    return slot ? slot->value : NULL;
}

static void table_put(Table *table, const Slot *probe)
{
    ASSERT(probe->value != NULL);
    if (table->used + 1 > table->cap / 4 * 3)
        table_grow(table);
    Slot *slot = table_find(table, probe);
    if (slot->value == NULL) {
        table->used++;
        table->live++;
    }
    *slot = *probe;
}

static void *table_remove(Table *table, const Slot *probe)
{
    Slot *slot = table_find(table, probe);

    if (slot == NULL || slot->value == NULL)
        return NULL;
    void *value = slot->value;
    slot->value = &removed_mark;
    table->live--;
    return value;
}

static const Slot *table_next(const Table *table, uint32_t *at)
{
    while (*at < table->cap) {
        const Slot *slot = &table->slots[(*at)++];
        if (slot->value && slot->value != &removed_mark)
            return slot;
    }
    return NULL;
}

StrMap *strmap_new(Scope *scope)
{
    StrMap *map = scope_new(scope, StrMap);
    map->table.scope = scope;
    return map;
}

void *strmap_get(const StrMap *map, Str key)
{
    return table_get(&map->table, &(Slot){.hash = hash_str(key), .key = key});
}

void strmap_put(StrMap *map, Str key, void *value)
{
    table_put(&map->table, &(Slot){.hash = hash_str(key), .key = key, .value = value});
}

void *strmap_remove(StrMap *map, Str key)
{
    return table_remove(&map->table, &(Slot){.hash = hash_str(key), .key = key});
}

uint32_t strmap_count(const StrMap *map)
{
    return map->table.live;
}

bool strmap_next(const StrMap *map, uint32_t *at, Str *key, void **value)
{
    const Slot *slot = table_next(&map->table, at);

    if (slot == NULL)
        return false;
    *key = slot->key;
    *value = slot->value;
    return true;
}

U64Map *u64map_new(Scope *scope)
{
    U64Map *map = scope_new(scope, U64Map);
    map->table.scope = scope;
    return map;
}

void *u64map_get(const U64Map *map, uint64_t key)
{
    return table_get(&map->table, &(Slot){.hash = hash_u64(key), .number = key});
}

void u64map_put(U64Map *map, uint64_t key, void *value)
{
    table_put(&map->table, &(Slot){.hash = hash_u64(key), .number = key, .value = value});
}

void *u64map_remove(U64Map *map, uint64_t key)
{
    return table_remove(&map->table, &(Slot){.hash = hash_u64(key), .number = key});
}

uint32_t u64map_count(const U64Map *map)
{
    return map->table.live;
}

bool u64map_next(const U64Map *map, uint32_t *at, uint64_t *key, void **value)
{
    const Slot *slot = table_next(&map->table, at);

    if (slot == NULL)
        return false;
    *key = slot->number;
    *value = slot->value;
    return true;
}
