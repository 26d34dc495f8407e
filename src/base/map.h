// SPDX-License-Identifier: Apache-2.0
//
// StrMap: byte string -> pointer; linear probing, power-of-two capacity, at most 3/4 full, memory
// from a scope. Keys are not copied: they live as long as the map. U64Map likewise for integers.
// One thread at a time; readers may share a map nobody changes.
#ifndef DBASPOT_BASE_MAP_H
#define DBASPOT_BASE_MAP_H

#include "base/str.h"

typedef struct StrMap StrMap;
typedef struct U64Map U64Map;

StrMap *strmap_new(Scope *scope);
/* NULL when absent. */
void *strmap_get(const StrMap *map, Str key);
/* Adds or replaces; `value` may not be NULL. */
void strmap_put(StrMap *map, Str key, void *value);
/* Returns what was there, or NULL. */
void *strmap_remove(StrMap *map, Str key);
uint32_t strmap_count(const StrMap *map);
/* Iterates in no order: start with *at = 0; false at the end. */
bool strmap_next(const StrMap *map, uint32_t *at, Str *key, void **value);

U64Map *u64map_new(Scope *scope);
void *u64map_get(const U64Map *map, uint64_t key);
void u64map_put(U64Map *map, uint64_t key, void *value);
void *u64map_remove(U64Map *map, uint64_t key);
uint32_t u64map_count(const U64Map *map);
bool u64map_next(const U64Map *map, uint32_t *at, uint64_t *key, void **value);

#endif
