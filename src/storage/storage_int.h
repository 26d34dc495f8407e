// SPDX-License-Identifier: Apache-2.0
//
// What the files of this room share: the open view. A view is an unchanging list of delta
// generations, newest first, whose commit ranges do not overlap, above tier 3. The first generation
// that holds a version of a key at or below read_ts has the newest one; only if none has, tier 3 is
// asked, and only when the view is not complete. Tier 3 always holds everything up to the flushed
// position, so a version may be found in a generation and in tier 3 too: the generation's wins.
// Views are made and swapped by storage_view.c; table.c reads them. Any thread while pinned.
#ifndef DBASPOT_STORAGE_STORAGE_INT_H
#define DBASPOT_STORAGE_STORAGE_INT_H

#include "storage/delta/delta.h"
#include "storage/storage.h"
#include "storage/wos/wos.h"

/* Pinned by storage_view_pin, until storage_view_unpin; everything in it lives as long. */
struct StorageView {
    /* Newest first; [0] is the active one, into which commits above read_ts may be written while
       the view is pinned. */
    DeltaGeneration *const *generations;
    uint32_t generations_count;
    /* The generations hold every row: tier 3 need not be asked. Always true when wos is NULL. */
    bool complete;
    Wos *wos; /* NULL: memory only */
    Storage *storage;
    struct ViewState *state; /* storage_view.c's: reference counts, owners of the generations */
};

#endif
