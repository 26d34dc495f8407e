// SPDX-License-Identifier: Apache-2.0
//
// A node: one open database directory with its storage, transactions, catalog and worker pool, in
// the order in which they need each other. Thread-safe after node_open.
#include "api/session_int.h"

#include "base/memory.h"
#include "os/file.h"
#include "os/sysinfo.h"

static Timestamp horizon(void *arg)
{
    Node *node = arg;
    return txn_manager_horizon(atomic_load(&node->txns));
}

static size_t memory_limit(const Settings *settings)
{
    int64_t limit = settings_int(settings, SETTING_MEMORY_LIMIT);
    return limit ? (size_t)limit : (size_t)(sysinfo_memory_bytes() / 2);
}

static Status open_storage(Ctx *ctx, Node *node, const NodeOptions *options)
{
    StorageOptions storage = {
        .dir = options->dir,
        .memory_limit = memory_limit(node->settings),
        .generation_bytes = (size_t)settings_int(node->settings, SETTING_DELTA_GENERATION_SIZE),
        .segment_bytes = (size_t)settings_int(node->settings, SETTING_LOG_SEGMENT_SIZE),
        .horizon = horizon,
        .horizon_arg = node,
    };
    return storage_open(ctx, &storage, &node->storage);
}

Status node_open(Ctx *ctx, const NodeOptions *options, Node **out)
{
    Status st = OK;
    Node *node = mem_alloc_zero(sizeof *node);
    TxnManager *txns = NULL;
    int64_t threads;

    node->scope = scope_open(NULL, "node");
    node->settings = options->settings ? settings_copy(options->settings) : settings_new();
    threads = settings_int(node->settings, SETTING_THREADS);
    node->threads = threads ? (uint32_t)threads : sysinfo_cores();
    node->temp_dir = options->dir ? scope_printf(node->scope, "%s/tmp", options->dir) : NULL;
    sql_set_fold(exec_fold);
    TRY(open_storage(ctx, node, options));
    TRY(txn_manager_open(ctx, node->storage, &txns));
    atomic_store(&node->txns, txns);
    TRY(catalog_manager_open(ctx, txns, node->storage, &node->catalogs));
    TRY(exec_pool_open(ctx, node->threads, &node->pool));
    *out = node;
done:
    if (st != OK)
        node_close(node);
    return st;
}

void node_close(Node *node)
{
    if (node == NULL)
        return;
    exec_pool_close(node->pool);
    catalog_manager_close(node->catalogs);
    /* Background threads ask for the horizon until storage is closed. */
    TxnManager *txns = atomic_exchange(&node->txns, NULL);
    storage_close(node->storage);
    txn_manager_close(txns);
    settings_free(node->settings);
    scope_close(node->scope);
    mem_free(node);
}

WorkerPool *node_pool(Node *node)
{
    return node->pool;
}

Storage *node_storage(Node *node)
{
    return node->storage;
}

CatalogManager *node_catalog(Node *node)
{
    return node->catalogs;
}

const Settings *node_settings(const Node *node)
{
    return node->settings;
}
