// SPDX-License-Identifier: Apache-2.0
//
// ALTER TABLE, VIEW, INDEX, SEQUENCE: the list of actions is run in PostgreSQL's order (what drops
// first, then types, columns, constraints), each as a step of its own. One thread.
#include "exec/ddl/alter_int.h"

const Table *alter_table_now(const Ddl *d, Oid table)
{
    const Object *object = catalog_by_oid(d->catalog, table);

    ASSERT(object != NULL && object->kind == OBJECT_TABLE);
    return (const Table *)object;
}

Status alter_put(Ddl *d, TableDraft *draft, bool new_schema)
{
    Status st = OK;

    TRY(ddl_draft_seal(d, draft, new_schema));
    TRY(catalog_put(d->ctx, d->catalog, &draft->table.object));
done:
    return st;
}

// --- owner and options --------------------------------------------------------------------------

static Status put_owner(Ddl *d, const Object *object, Oid owner)
{
    Object head = *object;

    head.owner = owner;
    return ddl_put_head(d, object, &head);
}

/* Indexes and owned sequences follow their table. */
static Status alter_owner(Ddl *d, const Object *object, const AstRole *ast)
{
    Status st = OK;
    OidList owned = {0};
    const Role *role;

    TRY(ddl_find_role(d, ast, &role));
    TRY(put_owner(d, object, role->object.oid));
    if (object->kind != OBJECT_TABLE)
        return OK;
    const Table *table = (const Table *)object;
    for (uint32_t i = 0; i < table->indexes_count; i++)
        TRY(put_owner(d, &table->indexes[i]->object, role->object.oid));
    ddl_owned_sequences(d, object->oid, &owned);
    for (uint32_t i = 0; i < owned.count; i++)
        TRY(put_owner(d, catalog_by_oid(d->catalog, owned.data[i]), role->object.oid));
done:
    return st;
}

/* The stored options without those named in `options`. */
static void keep_options(StrBuf *out, Str stored, const AstList *options)
{
    while (stored.len) {
        const char *comma = memchr(stored.ptr, ',', stored.len);
        size_t length = comma ? (size_t)(comma - stored.ptr) : stored.len;
        Str item = {stored.ptr, length};
        const char *equals = memchr(item.ptr, '=', item.len);
        Str name = {item.ptr, equals ? (size_t)(equals - item.ptr) : item.len};
        bool named = false;
        for (uint32_t i = 0; i < options->count; i++)
            named = named || str_equal(((const AstOption *)options->items[i])->name, name);
        if (!named) {
            if (out->len)
                strbuf_append_char(out, ',');
            strbuf_append_str(out, item);
        }
        stored = (Str){stored.ptr + MIN(length + 1, stored.len),
                       stored.len - MIN(length + 1, stored.len)};
    }
}

static Status alter_options(Ddl *d, Oid oid, const AstAlterCommand *command)
{
    Status st = OK;
    TableDraft draft;
    StrBuf text;
    Str added = {0};

    strbuf_init(&text);
    ddl_draft_from(d, alter_table_now(d, oid), &draft);
    keep_options(&text, draft.table.options, &command->options);
    if (command->kind == AST_ALTER_SET_OPTIONS)
        TRY(ddl_options_text(d, &command->options, &added));
    if (added.len && text.len)
        strbuf_append_char(&text, ',');
    strbuf_append_str(&text, added);
    draft.table.options = str_copy(d->scope, strbuf_str(&text));
    TRY(alter_put(d, &draft, false));
done:
    strbuf_free(&text);
    return st;
}

// --- the list of actions ------------------------------------------------------------------------

typedef enum AlterPass {
    PASS_DROP,
    PASS_TYPE,
    PASS_ADD_COLUMN,
    PASS_COLUMN,
    PASS_CONSTRAINT,
    PASS_REST,
    PASS_COUNT
} AlterPass;

static AlterPass pass_of(AstAlterKind kind)
{
    switch (kind) {
    case AST_ALTER_DROP_COLUMN:
    case AST_ALTER_DROP_CONSTRAINT:
    case AST_ALTER_DROP_NOT_NULL:
    case AST_ALTER_DROP_DEFAULT:
    case AST_ALTER_DROP_IDENTITY: return PASS_DROP;
    case AST_ALTER_COLUMN_TYPE: return PASS_TYPE;
    case AST_ALTER_ADD_COLUMN: return PASS_ADD_COLUMN;
    case AST_ALTER_SET_DEFAULT:
    case AST_ALTER_SET_NOT_NULL:
    case AST_ALTER_ADD_IDENTITY:
    case AST_ALTER_SET_IDENTITY: return PASS_COLUMN;
    case AST_ALTER_ADD_CONSTRAINT: return PASS_CONSTRAINT;
    default: return PASS_REST;
    }
}

/* What has no effect here, but is what it says: there is nothing to tune, move or switch on. */
static Status alter_nothing(Ddl *d, const AstAlterCommand *command)
{
    Status st = OK;

    if (command->kind == AST_ALTER_SET_TABLESPACE && !str_is(command->name, "pg_default"))
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "tablespace \"%.*s\" does not exist",
             STR_ARGS(command->name));
    if (command->kind == AST_ALTER_SET_ACCESS_METHOD && !str_is(command->name, "heap"))
        FAIL(d->ctx, E_UNDEFINED_OBJECT, "access method \"%.*s\" does not exist",
             STR_ARGS(command->name));
done:
    return st;
}

static Status unsupported_action(Ddl *d, const AstAlterCommand *command)
{
    const char *what = command->value.ptr ? str_to_c(d->scope, command->value) : "this action";

    if (command->kind == AST_ALTER_DROP_EXPRESSION)
        what = "DROP EXPRESSION";
    if (command->kind == AST_ALTER_ALTER_CONSTRAINT)
        what = "ALTER CONSTRAINT";
    if (command->kind == AST_ALTER_CLUSTER_ON)
        what = "CLUSTER ON";
    return ddl_unsupported(d, -1, scope_printf(d->scope, "ALTER TABLE ... %s is", what), NULL);
}

static Status run_setting(Ddl *d, Oid oid, const AstAlterCommand *command)
{
    Status st = OK;
    uint32_t at;

    switch (command->kind) {
    case AST_ALTER_SET_STATISTICS:
    case AST_ALTER_SET_STORAGE:
    case AST_ALTER_SET_COMPRESSION:
    case AST_ALTER_SET_COLUMN_OPTIONS:
    case AST_ALTER_RESET_COLUMN_OPTIONS:
        TRY(ddl_table_column(d, alter_table_now(d, oid), command->name, &at));
        break;
    case AST_ALTER_SET_TABLESPACE:
    case AST_ALTER_SET_ACCESS_METHOD:
    case AST_ALTER_SET_LOGGED:
    case AST_ALTER_SET_UNLOGGED:
    case AST_ALTER_SET_WITHOUT_CLUSTER:
    case AST_ALTER_SET_WITHOUT_OIDS: TRY(alter_nothing(d, command)); break;
    default: TRY(unsupported_action(d, command)); break;
    }
done:
    return st;
}

static Status run_action(Ddl *d, Oid oid, const AstAlterCommand *command)
{
    switch (command->kind) {
    case AST_ALTER_ADD_COLUMN: return alter_add_column(d, oid, command);
    case AST_ALTER_DROP_COLUMN: return alter_drop_column(d, oid, command);
    case AST_ALTER_COLUMN_TYPE: return alter_column_type(d, oid, command);
    case AST_ALTER_SET_DEFAULT:
    case AST_ALTER_DROP_DEFAULT: return alter_set_default(d, oid, command);
    case AST_ALTER_SET_NOT_NULL: return alter_set_not_null(d, oid, command);
    case AST_ALTER_DROP_NOT_NULL: return alter_drop_not_null(d, oid, command);
    case AST_ALTER_ADD_IDENTITY:
    case AST_ALTER_SET_IDENTITY:
    case AST_ALTER_DROP_IDENTITY: return alter_identity(d, oid, command);
    case AST_ALTER_ADD_CONSTRAINT:
        return alter_add_constraint(d, oid, command->constraint, (Str){0});
    case AST_ALTER_DROP_CONSTRAINT: return alter_drop_constraint(d, oid, command);
    case AST_ALTER_VALIDATE_CONSTRAINT: return alter_validate_constraint(d, oid, command);
    case AST_ALTER_OWNER: return alter_owner(d, catalog_by_oid(d->catalog, oid), command->role);
    case AST_ALTER_SET_OPTIONS:
    case AST_ALTER_RESET_OPTIONS: return alter_options(d, oid, command);
    default: return run_setting(d, oid, command);
    }
}

static const char *action_words(AstAlterKind kind)
{
    switch (kind) {
    case AST_ALTER_ADD_COLUMN: return "ADD COLUMN";
    case AST_ALTER_DROP_COLUMN: return "DROP COLUMN";
    case AST_ALTER_COLUMN_TYPE: return "ALTER COLUMN ... SET DATA TYPE";
    case AST_ALTER_SET_DEFAULT: return "ALTER COLUMN ... SET DEFAULT";
    case AST_ALTER_DROP_DEFAULT: return "ALTER COLUMN ... DROP DEFAULT";
    case AST_ALTER_SET_NOT_NULL: return "ALTER COLUMN ... SET NOT NULL";
    case AST_ALTER_DROP_NOT_NULL: return "ALTER COLUMN ... DROP NOT NULL";
    case AST_ALTER_ADD_CONSTRAINT: return "ADD CONSTRAINT";
    case AST_ALTER_DROP_CONSTRAINT: return "DROP CONSTRAINT";
    case AST_ALTER_SET_OPTIONS: return "SET";
    case AST_ALTER_RESET_OPTIONS: return "RESET";
    default: return NULL;
    }
}

/* Views, indexes and sequences only change their owner. */
static Status check_action(Ddl *d, const Object *object, const AstAlterCommand *command)
{
    static const char *const plurals[] = {
        [OBJECT_INDEX] = "indexes", [OBJECT_SEQUENCE] = "sequences", [OBJECT_VIEW] = "views"};
    const char *words = action_words(command->kind);

    if (object->kind == OBJECT_TABLE || command->kind == AST_ALTER_OWNER)
        return OK;
    if (words == NULL || object->kind == OBJECT_INDEX)
        return unsupported_action(d, command);
    Status st = error_raise(d->ctx, E_WRONG_OBJECT_TYPE,
                            "ALTER action %s cannot be performed on relation \"%.*s\"", words,
                            STR_ARGS(object->name));
    error_detail(d->ctx, "This operation is not supported for %s.", plurals[object->kind]);
    return st;
}

Status ddl_alter_table(Ddl *d, const AstAlterTable *ast)
{
    Status st = OK;
    OpenSpec spec = {.lock = TABLE_ACCESS_EXCLUSIVE, .missing_ok = ast->if_exists};
    const Object *object;

    spec.kind = ast->type == AST_OBJ_VIEW       ? OBJECT_VIEW
                : ast->type == AST_OBJ_INDEX    ? OBJECT_INDEX
                : ast->type == AST_OBJ_SEQUENCE ? OBJECT_SEQUENCE
                                                : 0;
    if (ddl_is_system_view(d, &ast->table->name))
        FAIL(d->ctx, E_INSUFFICIENT_PRIVILEGE, "permission denied: \"%.*s\" is a system catalog",
             STR_ARGS(ast->table->name.name));
    TRY(ddl_open(d, &ast->table->name, spec, &object));
    if (object == NULL)
        return OK;
    for (uint32_t i = 0; i < ast->commands.count; i++)
        TRY(check_action(d, object, (const AstAlterCommand *)ast->commands.items[i]));
    for (int pass = 0; pass < PASS_COUNT; pass++) {
        for (uint32_t i = 0; i < ast->commands.count; i++) {
            const AstAlterCommand *command = (const AstAlterCommand *)ast->commands.items[i];
            if ((int)pass_of(command->kind) == pass)
                TRY(run_action(d, object->oid, command));
        }
    }
done:
    return st;
}
