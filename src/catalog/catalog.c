// SPDX-License-Identifier: Apache-2.0
//
// Versions, handles and their changes; see catalog.h. An object is decoded once into a scope of its
// own and shared by reference count among versions, handles and pins. A version's maps are copied
// by each DDL commit: O(objects), which DDL can afford. A handle's changes are an overlay with an
// undo record per change, driven by the transaction's end hooks.
#include "catalog/catalog.h"

#include "base/array.h"
#include "base/map.h"
#include "base/memory.h"
#include "catalog/codec.h"
#include "catalog/manager_int.h"

#include <stdlib.h>

/* One decoded object. */
typedef struct Entry {
    _Atomic uint32_t refs;
    Scope *scope;
    const Object *object;
} Entry;

struct CatalogVersion {
    _Atomic uint32_t refs;
    uint64_t id;
    Scope *scope;
    U64Map *by_oid;  /* Entry */
    StrMap *by_name; /* Entry; keys lie in the entries' scopes (name_key) */
};

/* A change of this transaction; entry NULL: removed. */
typedef struct Change {
    Oid oid;
    Entry *entry;
} Change;

/* What a change replaced in the overlay. */
typedef struct Undo {
    Catalog *catalog;
    Oid oid;
    bool was_there;
    Change before;
    uint64_t overlay_before;
} Undo;

struct Catalog {
    CatalogManager *manager;
    Scope *scope;
    CatalogVersion *base;
    Oid database;
    Txn *txn;
    ARRAY(Change) changes; /* one per oid; few, so searched in order */
    uint64_t overlay_id;   /* 0: no changes */
    bool published;
};

static Entry *entry_ref(Entry *entry)
{
    atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
    return entry;
}

static void entry_unref(void *arg)
{
    Entry *entry = arg;

    if (atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) == 1)
        scope_close(entry->scope);
}

/* Tables, indexes, sequences and views share a namespace per schema. */
static Str name_key(Scope *scope, ObjectKind kind, Oid database, Oid schema, Str name)
{
    char space = kind == OBJECT_DATABASE ? 'D'
                 : kind == OBJECT_ROLE   ? 'U'
                 : kind == OBJECT_SCHEMA ? 'S'
                                         : 'R';
    char *bytes = scope_alloc(scope, 1 + 2 * sizeof(Oid) + name.len);

    bytes[0] = space;
    memcpy(bytes + 1, &database, sizeof database);
    memcpy(bytes + 1 + sizeof(Oid), &schema, sizeof schema);
    if (name.len)
        memcpy(bytes + 1 + 2 * sizeof(Oid), name.ptr, name.len);
    return (Str){bytes, 1 + 2 * sizeof(Oid) + name.len};
}

static Str object_key(Scope *scope, const Object *object)
{
    Oid schema = object->kind == OBJECT_SCHEMA ? 0 : object->schema;
    return name_key(scope, object->kind, object->database, schema, object->name);
}

/* Decodes into a fresh entry with one reference. CAT-2: nobody changes it after it is published. */
static Status entry_decode(Ctx *ctx, Str bytes, uint64_t version, Entry **out)
{
    Scope *scope = scope_open(NULL, "catalog object");
    Object *object;
    Status st = catalog_decode(ctx, scope, bytes, &object);

    if (st != OK) {
        scope_close(scope);
        return st;
    }
    object->version = version;
    Entry *entry = scope_new(scope, Entry);
    atomic_init(&entry->refs, 1);
    entry->scope = scope;
    entry->object = object;
    *out = entry;
    return OK;
}

static CatalogVersion *version_new(uint64_t id)
{
    CatalogVersion *version = mem_alloc_zero(sizeof *version);

    atomic_init(&version->refs, 1);
    version->id = id;
    version->scope = scope_open(NULL, "catalog version");
    version->by_oid = u64map_new(version->scope);
    version->by_name = strmap_new(version->scope);
    return version;
}

/* Takes over the caller's reference. */
static void version_add(CatalogVersion *version, Entry *entry)
{
    u64map_put(version->by_oid, entry->object->oid, entry);
    strmap_put(version->by_name, object_key(version->scope, entry->object), entry);
}

static void version_remove(CatalogVersion *version, Oid oid)
{
    Entry *entry = u64map_remove(version->by_oid, oid);

    if (entry == NULL)
        return;
    Str key = object_key(version->scope, entry->object);
    if (strmap_get(version->by_name, key) == entry)
        strmap_remove(version->by_name, key);
    entry_unref(entry);
}

static void version_unref(void *arg)
{
    CatalogVersion *version = arg;
    uint32_t at = 0;
    uint64_t oid;
    void *entry;

    if (atomic_fetch_sub_explicit(&version->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (u64map_next(version->by_oid, &at, &oid, &entry))
        entry_unref(entry);
    scope_close(version->scope);
    mem_free(version);
}

static CatalogVersion *version_copy(const CatalogVersion *from, uint64_t id)
{
    CatalogVersion *version = version_new(id);
    uint32_t at = 0;
    uint64_t oid;
    void *entry;

    while (u64map_next(from->by_oid, &at, &oid, &entry))
        version_add(version, entry_ref(entry));
    return version;
}

static CatalogVersion *current_ref(CatalogManager *manager)
{
    mutex_lock(&manager->mutex);
    CatalogVersion *version = manager->current;
    atomic_fetch_add_explicit(&version->refs, 1, memory_order_relaxed);
    mutex_unlock(&manager->mutex);
    return version;
}

static Status load(Ctx *ctx, CatalogManager *manager, Scope *scope, CatalogVersion *version)
{
    Status st = OK;
    Snapshot snapshot = {.read_ts = storage_installed_ts(manager->storage),
                         .view = storage_view_pin(manager->storage)};
    Str keys[64];
    Str values[64];
    uint32_t count;
    RawScan *scan;

    TRY(table_raw_scan_open(ctx, scope, &snapshot, RELATION_CATALOG, (KeyRange){0}, false, &scan));
    do {
        TRY(table_raw_scan_next(ctx, scan, keys, values, ARRAY_COUNT(keys), &count));
        for (uint32_t i = 0; i < count; i++) {
            Entry *entry;
            TRY(entry_decode(ctx, values[i], 0, &entry));
            version_add(version, entry);
        }
    } while (count);
done:
    scope_close(scope);
    storage_view_unpin(snapshot.view);
    return st;
}

Status catalog_manager_open(Ctx *ctx, TxnManager *txns, Storage *storage, CatalogManager **out)
{
    Status st = OK;
    CatalogManager *manager = mem_alloc_zero(sizeof *manager);

    mutex_init(&manager->mutex);
    manager->txns = txns;
    manager->storage = storage;
    manager->scope = scope_open(NULL, "catalog");
    counters_open(manager);
    manager->current = version_new(1);
    TRY(load(ctx, manager, scope_open(manager->scope, "load"), manager->current));
    if (u64map_count(manager->current->by_oid) == 0)
        TRY(catalog_bootstrap(ctx, manager));
    *out = manager;
done:
    if (st != OK)
        catalog_manager_close(manager);
    return st;
}

void catalog_manager_close(CatalogManager *manager)
{
    if (manager == NULL)
        return;
    version_unref(manager->current);
    counters_close(manager);
    scope_close(manager->scope);
    mutex_free(&manager->mutex);
    mem_free(manager);
}

static void release_handle(void *arg)
{
    Catalog *catalog = arg;

    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        if (catalog->changes.data[i].entry)
            entry_unref(catalog->changes.data[i].entry);
    }
    version_unref(catalog->base);
}

Catalog *catalog_open(CatalogManager *manager, Scope *scope, Oid database, Txn *txn)
{
    Catalog *catalog = scope_new(scope, Catalog);

    catalog->manager = manager;
    catalog->scope = scope;
    catalog->database = database;
    catalog->txn = txn;
    catalog->base = current_ref(manager);
    scope_defer(scope, release_handle, catalog);
    return catalog;
}

void catalog_refresh(Catalog *catalog)
{
    CatalogVersion *old = catalog->base;

    if (atomic_load_explicit(&catalog->manager->current_id, memory_order_acquire) == old->id)
        return;
    catalog->base = current_ref(catalog->manager);
    version_unref(old);
}

CatalogManager *catalog_manager(const Catalog *catalog)
{
    return catalog->manager;
}

Oid catalog_look_at(Catalog *catalog, Oid database)
{
    Oid before = catalog->database;

    catalog->database = database;
    return before;
}

uint64_t catalog_version(const Catalog *catalog)
{
    return catalog->overlay_id ? (catalog->overlay_id << 32) ^ catalog->base->id ^ (1ULL << 63)
                               : catalog->base->id;
}

Oid catalog_database_oid(const Catalog *catalog)
{
    return catalog->database;
}

void catalog_pin(const Catalog *catalog, Scope *scope)
{
    atomic_fetch_add_explicit(&catalog->base->refs, 1, memory_order_relaxed);
    scope_defer(scope, version_unref, catalog->base);
    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        if (catalog->changes.data[i].entry)
            scope_defer(scope, entry_unref, entry_ref(catalog->changes.data[i].entry));
    }
}

static const Change *find_change(const Catalog *catalog, Oid oid)
{
    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        if (catalog->changes.data[i].oid == oid)
            return &catalog->changes.data[i];
    }
    return NULL;
}

static bool visible(const Catalog *catalog, const Object *object)
{
    return object->database == 0 || object->database == catalog->database || catalog->database == 0;
}

const Object *catalog_by_oid(const Catalog *catalog, Oid oid)
{
    const Change *change = find_change(catalog, oid);
    const Entry *entry = change ? change->entry : u64map_get(catalog->base->by_oid, oid);

    return entry && visible(catalog, entry->object) ? entry->object : NULL;
}

static bool has_key(const Object *object, ObjectKind kind, Oid database, Oid schema, Str name)
{
    bool relation = object->kind != OBJECT_DATABASE && object->kind != OBJECT_ROLE &&
                    object->kind != OBJECT_SCHEMA;
    bool same_space = kind == OBJECT_TABLE ? relation : object->kind == kind;

    return same_space && object->database == database &&
           (kind != OBJECT_TABLE || object->schema == schema) && str_equal(object->name, name);
}

/* `kind` OBJECT_TABLE stands for all relations. */
static const Object *find_named(const Catalog *catalog, ObjectKind kind, Oid database, Oid schema,
                                Str name)
{
    char space[256];
    Str key;
    Scope *scope = NULL;

    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        const Entry *entry = catalog->changes.data[i].entry;
        if (entry && has_key(entry->object, kind, database, schema, name))
            return entry->object;
    }
    if (name.len + 9 <= sizeof space) {
        space[0] = kind == OBJECT_DATABASE ? 'D'
                   : kind == OBJECT_ROLE   ? 'U'
                   : kind == OBJECT_SCHEMA ? 'S'
                                           : 'R';
        memcpy(space + 1, &database, sizeof database);
        memcpy(space + 5, &schema, sizeof schema);
        if (name.len)
            memcpy(space + 9, name.ptr, name.len);
        key = (Str){space, name.len + 9};
    } else {
        scope = scope_open(NULL, "name");
        key = name_key(scope, kind, database, schema, name);
    }
    const Entry *entry = strmap_get(catalog->base->by_name, key);
    scope_close(scope);
    if (entry == NULL || find_change(catalog, entry->object->oid))
        return NULL; /* absent, or removed or renamed by this transaction */
    return entry->object;
}

const Object *catalog_relation(const Catalog *catalog, Oid schema, Str name)
{
    return find_named(catalog, OBJECT_TABLE, catalog->database, schema, name);
}

const Schema *catalog_schema(const Catalog *catalog, Str name)
{
    const Object *object = find_named(catalog, OBJECT_SCHEMA, catalog->database, 0, name);

    if (object == NULL)
        object = find_named(catalog, OBJECT_SCHEMA, 0, 0, name);
    return (const Schema *)object;
}

const Database *catalog_database(const Catalog *catalog, Str name)
{
    return (const Database *)find_named(catalog, OBJECT_DATABASE, 0, 0, name);
}

const Role *catalog_role(const Catalog *catalog, Str name)
{
    return (const Role *)find_named(catalog, OBJECT_ROLE, 0, 0, name);
}

static int by_oid(const void *a, const void *b)
{
    Oid x = (*(const Object *const *)a)->oid;
    Oid y = (*(const Object *const *)b)->oid;
    return (x > y) - (x < y);
}

void catalog_each(const Catalog *catalog, ObjectKind kind, bool (*visit)(void *arg, const Object *),
                  void *arg)
{
    Scope *scope = scope_open(NULL, "catalog_each");
    ARRAY(const Object *) found = {0};
    uint32_t at = 0;
    uint64_t oid;
    void *value;

    while (u64map_next(catalog->base->by_oid, &at, &oid, &value)) {
        const Object *object = ((const Entry *)value)->object;
        if (object->kind == kind && visible(catalog, object) && !find_change(catalog, (Oid)oid))
            array_push(scope, &found, object);
    }
    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        const Entry *entry = catalog->changes.data[i].entry;
        if (entry && entry->object->kind == kind && visible(catalog, entry->object))
            array_push(scope, &found, entry->object);
    }
    if (found.count)
        qsort(found.data, found.count, sizeof *found.data, by_oid);
    for (uint32_t i = 0; i < found.count; i++) {
        if (!visit(arg, found.data[i]))
            break;
    }
    scope_close(scope);
}

/* CAT-1: inside the commit's critical section, so the new version is visible with the commit. */
static void publish(Catalog *catalog, Timestamp commit_ts)
{
    CatalogManager *manager = catalog->manager;
    CatalogVersion *old = manager->current; /* only commits change it, one at a time */
    CatalogVersion *version = version_copy(old, old->id + 1);

    for (uint32_t i = 0; i < catalog->changes.count; i++)
        version_remove(version, catalog->changes.data[i].oid);
    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        Entry *entry = catalog->changes.data[i].entry;
        if (entry) {
            ((Object *)entry->object)->version = commit_ts;
            version_add(version, entry_ref(entry));
        }
    }
    mutex_lock(&manager->mutex);
    manager->current = version;
    atomic_store_explicit(&manager->current_id, version->id, memory_order_release);
    mutex_unlock(&manager->mutex);
    version_unref(old);
}

static void end_change(void *arg, Timestamp commit_ts)
{
    Undo *undo = arg;
    Catalog *catalog = undo->catalog;

    if (commit_ts) {
        if (!catalog->published)
            publish(catalog, commit_ts);
        catalog->published = true;
        return;
    }
    for (uint32_t i = 0; i < catalog->changes.count; i++) {
        Change *change = &catalog->changes.data[i];
        if (change->oid != undo->oid)
            continue;
        if (change->entry)
            entry_unref(change->entry);
        if (undo->was_there)
            *change =
                (Change){undo->oid, undo->before.entry ? entry_ref(undo->before.entry) : NULL};
        else
            *change = catalog->changes.data[--catalog->changes.count];
        break;
    }
    catalog->overlay_id =
        catalog->changes.count ? atomic_fetch_add(&catalog->manager->next_overlay, 1) : 0;
}

/* Takes over the reference; NULL removes. */
static void change_object(Catalog *catalog, Oid oid, Entry *entry)
{
    Undo *undo = scope_new(catalog->scope, Undo);
    Change *change = (Change *)find_change(catalog, oid);

    undo->catalog = catalog;
    undo->oid = oid;
    if (change) {
        undo->was_there = true;
        undo->before = *change;
        change->entry = entry;
        /* The overlay's old reference now belongs to the scope: plans may still look at it. */
        if (undo->before.entry)
            scope_defer(catalog->scope, entry_unref, undo->before.entry);
    } else {
        array_push(catalog->scope, &catalog->changes, (Change){oid, entry});
    }
    catalog->overlay_id = atomic_fetch_add(&catalog->manager->next_overlay, 1);
    txn_on_end(catalog->txn, end_change, undo);
}

static Str row_key(Oid oid, char bytes[4])
{
    bytes[0] = (char)(oid >> 24);
    bytes[1] = (char)(oid >> 16);
    bytes[2] = (char)(oid >> 8);
    bytes[3] = (char)oid;
    return (Str){bytes, 4};
}

static Status duplicate_name(Ctx *ctx, const Object *object)
{
    int length = (int)object->name.len;
    const char *name = object->name.ptr;

    switch (object->kind) {
    case OBJECT_DATABASE:
        return error_raise(ctx, E_DUPLICATE_DATABASE, "database \"%.*s\" already exists", length,
                           name);
    case OBJECT_ROLE:
        return error_raise(ctx, E_DUPLICATE_OBJECT, "role \"%.*s\" already exists", length, name);
    case OBJECT_SCHEMA:
        return error_raise(ctx, E_DUPLICATE_SCHEMA, "schema \"%.*s\" already exists", length, name);
    default:
        return error_raise(ctx, E_DUPLICATE_TABLE, "relation \"%.*s\" already exists", length,
                           name);
    }
}

static Status verdict_status(TxnVerdict verdict)
{
    return verdict == TXN_GRANTED ? OK : verdict == TXN_WAIT ? STATUS_LOCK_WAIT : STATUS_RETRY;
}

/* Names are unique under concurrency too: each is a key of RELATION_CATALOG_NAMES. */
static Status claim_name(Ctx *ctx, Catalog *catalog, const Object *object)
{
    Status st = OK;
    const Object *old = catalog_by_oid(catalog, object->oid);
    Scope *scope = scope_open(NULL, "name");
    Str key = object_key(scope, object);
    TxnVerdict verdict = TXN_GRANTED;
    bool exists = false;

    if (old) {
        Str old_key = object_key(scope, old);
        if (str_equal(old_key, key))
            goto done;
        TRY(txn_delete(ctx, catalog->txn, RELATION_CATALOG_NAMES, old_key, &verdict));
        TRY(verdict_status(verdict));
    }
    TRY(txn_insert(ctx, catalog->txn, RELATION_CATALOG_NAMES, key,
                   (Str){(const char *)&object->oid, sizeof object->oid}, &exists, &verdict));
    TRY(verdict_status(verdict));
    if (exists)
        st = duplicate_name(ctx, object);
done:
    scope_close(scope);
    return st;
}

static Status put_row(Ctx *ctx, Catalog *catalog, const Object *object)
{
    Status st = OK;
    Entry *entry = NULL;
    TxnVerdict verdict;
    char key[4];
    StrBuf row;

    ASSERT(catalog->txn != NULL);
    strbuf_init(&row);
    TRY(claim_name(ctx, catalog, object));
    catalog_encode(&row, object);
    TRY(entry_decode(ctx, strbuf_str(&row), UINT64_MAX, &entry));
    /* Objects are guarded by table locks; two writers of one row meet here all the same. */
    TRY(txn_update(ctx, catalog->txn, RELATION_CATALOG, row_key(object->oid, key), strbuf_str(&row),
                   ROW_UPDATE, &verdict));
    TRY(verdict_status(verdict));
    change_object(catalog, object->oid, entry);
    entry = NULL;
done:
    if (entry)
        entry_unref(entry);
    strbuf_free(&row);
    return st;
}

/* The table's copy with `index` added or replaced (NULL: the one of that oid removed). */
static Status put_table_index(Ctx *ctx, Catalog *catalog, Oid table_oid, Oid index_oid,
                              const Index *index)
{
    const Table *table = (const Table *)catalog_by_oid(catalog, table_oid);

    if (table == NULL)
        return OK; /* dropped with its indexes */
    Table copy = *table;
    const Index **indexes =
        scope_new_array(catalog->scope, const Index *, table->indexes_count + 1);
    copy.indexes = indexes;
    copy.indexes_count = 0;
    for (uint32_t i = 0; i < table->indexes_count; i++) {
        if (table->indexes[i]->object.oid != index_oid)
            indexes[copy.indexes_count++] = table->indexes[i];
        else if (index) {
            indexes[copy.indexes_count++] = index;
            index = NULL;
        }
    }
    if (index)
        indexes[copy.indexes_count++] = index;
    return put_row(ctx, catalog, &copy.object);
}

Status catalog_put(Ctx *ctx, Catalog *catalog, const Object *object)
{
    Status st = OK;

    TRY(put_row(ctx, catalog, object));
    if (object->kind == OBJECT_INDEX) {
        const Index *index = (const Index *)object;
        TRY(put_table_index(ctx, catalog, index->table, object->oid, index));
    }
done:
    return st;
}

Status catalog_remove(Ctx *ctx, Catalog *catalog, Oid oid)
{
    Status st = OK;
    TxnVerdict verdict;
    char key[4];
    const Object *object = catalog_by_oid(catalog, oid);

    ASSERT(object != NULL);
    if (object->kind == OBJECT_INDEX)
        TRY(put_table_index(ctx, catalog, ((const Index *)object)->table, oid, NULL));
    TRY(txn_delete(ctx, catalog->txn, RELATION_CATALOG, row_key(oid, key), &verdict));
    TRY(verdict_status(verdict));
    Scope *scope = scope_open(NULL, "name");
    st = txn_delete(ctx, catalog->txn, RELATION_CATALOG_NAMES, object_key(scope, object), &verdict);
    scope_close(scope);
    TRY(st);
    TRY(verdict_status(verdict));
    change_object(catalog, oid, NULL);
done:
    return st;
}

Oid catalog_new_oid(Catalog *catalog)
{
    return (Oid)counter_next(catalog->manager, COUNTER_OID);
}

RelationId catalog_new_relation_id(Catalog *catalog)
{
    return (RelationId)counter_next(catalog->manager, COUNTER_RELATION);
}
