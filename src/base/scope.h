// SPDX-License-Identifier: Apache-2.0
//
// A Scope is a lifetime: an arena, a list of cleanups, a byte budget. Scopes form a tree (Node >
// Session > Transaction > Query > Task); closing one closes its children first, then runs its
// cleanups, newest first, then gives the memory back. A scope is passed, never ambient, and used by
// one thread at a time; a parent opens its children (a task's scope is opened by who starts it).
#ifndef DBASPOT_BASE_SCOPE_H
#define DBASPOT_BASE_SCOPE_H

#include "base/error.h"

#include <stdarg.h>

typedef struct Scope Scope;
typedef void (*ScopeCleanup)(void *arg);

/* Opens a child of `parent` (NULL: a root). `name` is a literal, for diagnosis. */
Scope *scope_open(Scope *parent, const char *name);
/* Closes children, runs cleanups, frees all memory. NULL is allowed. */
void scope_close(Scope *scope);
/* As scope_close, but the scope stays open and keeps its first block: cheap to use again. */
void scope_reset(Scope *scope);

/* Bytes that scope_alloc_data may hand out in this scope and below it, 0 = no limit of its own. */
void scope_set_budget(Scope *scope, size_t bytes_max);
/* Bytes handed out by scope_alloc_data (this scope and below it) or charged by hand. */
size_t scope_data_bytes(const Scope *scope);
/* Charges memory that lives elsewhere (a hash table's heap); E_OUT_OF_MEMORY beyond a budget. */
Status scope_charge(Ctx *ctx, Scope *scope, size_t bytes);
void scope_uncharge(Scope *scope, size_t bytes);
/* True if `bytes` more fit every budget from here to the root. */
bool scope_fits(const Scope *scope, size_t bytes);

/* Structure: zeroed, 16-byte aligned, never NULL. */
void *scope_alloc(Scope *scope, size_t bytes) __attribute__((malloc, returns_nonnull));
/* What data sizes: not zeroed, 16-byte aligned, charged; E_OUT_OF_MEMORY (53200) beyond a budget.
 */
Status scope_alloc_data(Ctx *ctx, Scope *scope, size_t bytes, void **out);
/* Runs fn(arg) when the scope ends. */
void scope_defer(Scope *scope, ScopeCleanup fn, void *arg);

char *scope_strdup(Scope *scope, const char *text);
char *scope_strndup(Scope *scope, const char *text, size_t length);
char *scope_printf(Scope *scope, const char *format, ...) PRINTF_LIKE(2, 3);

#define scope_new(scope, T)              ((T *)scope_alloc((scope), sizeof(T)))
#define scope_new_array(scope, T, count) ((T *)scope_alloc((scope), sizeof(T) * (size_t)(count)))

#endif
