// SPDX-License-Identifier: Apache-2.0
//
// The view: pinned by one atomic addition, swapped at each structural change. The current view's
// slot and the number of pins it was given share a word; when it is swapped, the pins of the old
// one are settled against its unpins, and who brings the difference to nothing frees it. Pins and
// unpins come from any thread, swaps from whoever holds structure_mutex.
#include "storage/storage_core.h"

#include "base/memory.h"

#define VIEW_CURRENT   ((int64_t)1 << 62)
#define VIEW_PINS_MASK (((uint64_t)1 << VIEW_PINS_BITS) - 1)
static_assert(VIEWS_MAX <= 1u << (64 - VIEW_PINS_BITS), "a slot fits above the pins");

void storage_views_init(Storage *storage)
{
    mutex_init(&storage->slots_mutex);
    for (uint32_t i = 0; i < VIEWS_MAX; i++)
        storage->slots_free[i] = VIEWS_MAX - 1 - i;
    storage->slots_free_count = VIEWS_MAX;
}

StorageView *storage_view_pin(Storage *storage)
{
    uint64_t word = atomic_fetch_add_explicit(&storage->current_view, 1, memory_order_acq_rel);

    ASSERT_SLOW((word & VIEW_PINS_MASK) < VIEW_PINS_MASK);
    return &storage->views[word >> VIEW_PINS_BITS]->view;
}

/* Adds to the count; true if nobody can reach the view any longer. */
static bool settle(ViewState *state, int64_t change)
{
    int64_t before = atomic_fetch_add_explicit(&state->references, change, memory_order_acq_rel);

    ASSERT(before + change >= 0); /* STORAGE-1 */
    return before + change == 0;
}

void storage_view_unpin(StorageView *view)
{
    if (settle(view->state, -1))
        storage_view_free(view->state);
}

void storage_view_free(ViewState *state)
{
    if (!state)
        return;
    Storage *storage = state->view.storage;

    for (uint32_t i = 0; i < state->view.generations_count; i++)
        generation_unref(state->generations[i]);
    mutex_lock(&storage->slots_mutex);
    storage->views[state->slot] = NULL;
    storage->slots_free[storage->slots_free_count++] = state->slot;
    mutex_unlock(&storage->slots_mutex);
    mem_free(state);
}

static bool take_slot(Storage *storage, uint32_t *slot)
{
    mutex_lock(&storage->slots_mutex);
    bool taken = storage->slots_free_count > 0;
    if (taken)
        *slot = storage->slots_free[--storage->slots_free_count];
    mutex_unlock(&storage->slots_mutex);
    return taken;
}

/* The view that `word` names is current no longer. */
static ViewState *retire(Storage *storage, uint64_t word)
{
    ViewState *old = storage->views[word >> VIEW_PINS_BITS];

    return settle(old, (int64_t)(word & VIEW_PINS_MASK) - VIEW_CURRENT) ? old : NULL;
}

bool storage_publish_locked(Storage *storage, ViewState **dead)
{
    uint32_t slot;

    *dead = NULL;
    if (!take_slot(storage, &slot))
        return false;
    ViewState *state = mem_alloc(sizeof *state);
    state->view = (StorageView){
        .generations = state->generations,
        .generations_count = storage->layers_count,
        .complete = storage->complete,
        .wos = storage->wos,
        .storage = storage,
        .state = state,
    };
    state->slot = slot;
    atomic_init(&state->references, VIEW_CURRENT);
    for (uint32_t i = 0; i < storage->layers_count; i++)
        state->generations[i] = generation_ref(storage->layers[i].generation);
    storage->views[slot] = state;
    uint64_t word = atomic_exchange_explicit(
        &storage->current_view, (uint64_t)slot << VIEW_PINS_BITS, memory_order_acq_rel);
    if (storage->published)
        *dead = retire(storage, word);
    storage->published = true;
    return true;
}

void storage_views_close(Storage *storage)
{
    uint64_t word = atomic_load(&storage->current_view);

    if (storage->published)
        storage_view_free(retire(storage, word));
    ASSERT(storage->slots_free_count == VIEWS_MAX); /* STORAGE-2: no pin outlives the storage */
    mutex_free(&storage->slots_mutex);
}
