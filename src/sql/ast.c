// SPDX-License-Identifier: Apache-2.0
//
// Helpers of the syntax tree: allocation, names of kinds and command tags, reading of options, the
// names of unnamed columns. Callable from any thread; trees are only read.
#include "sql/ast.h"

#include "sql/deparse.h"

#include <errno.h>
#include <stdlib.h>

static const char *const kind_names[AST_KIND_COUNT] = {
    [AST_NONE] = "none",
#define AST_DEF(kind, structure) [kind] = #structure,
#include "sql/ast.def"
#undef AST_DEF
};

static const char *const object_words[AST_OBJ_COUNT] = {
#define AST_OBJ(type, words) [type] = words,
    AST_OBJECT_TYPES
#undef AST_OBJ
};

static const char *const drop_tags[AST_OBJ_COUNT] = {
#define AST_OBJ(type, words) [type] = "DROP " words,
    AST_OBJECT_TYPES
#undef AST_OBJ
};

static const char *const alter_tags[AST_OBJ_COUNT] = {
#define AST_OBJ(type, words) [type] = "ALTER " words,
    AST_OBJECT_TYPES
#undef AST_OBJ
};

const char *ast_kind_name(AstKind kind)
{
    ASSERT(kind < AST_KIND_COUNT);
    return kind_names[kind];
}

const char *ast_object_words(AstObjectType type)
{
    ASSERT(type < AST_OBJ_COUNT);
    return object_words[type];
}

AstNode *ast_alloc(Scope *scope, AstKind kind, int32_t location, size_t bytes)
{
    AstNode *node = scope_alloc(scope, bytes);

    node->kind = kind;
    node->location = location;
    return node;
}

AstList ast_list(Scope *scope, AstNode *const *items, uint32_t count)
{
    AstList list = {.count = count};

    if (count > 0) {
        list.items = scope_new_array(scope, AstNode *, count);
        memcpy(list.items, items, count * sizeof(AstNode *));
    }
    return list;
}

// --- options -----------------------------------------------------------------------------------

const AstOption *ast_option_find(const AstList *options, const char *name)
{
    for (uint32_t i = 0; i < options->count; i++) {
        const AstOption *option = (const AstOption *)options->items[i];
        if (str_is(option->name, name))
            return option;
    }
    return NULL;
}

static Str names_joined(Scope *scope, const AstNames *names)
{
    StrBuf buf;

    strbuf_init(&buf);
    for (uint32_t i = 0; i < names->count; i++) {
        if (i > 0)
            strbuf_append_char(&buf, '.');
        strbuf_append_str(&buf, names->items[i]);
    }
    Str joined = str_copy(scope, strbuf_str(&buf));
    strbuf_free(&buf);
    return joined;
}

static Str const_text(Scope *scope, const AstConst *value)
{
    switch (value->kind) {
    case AST_CONST_BOOL: return value->boolean ? STR("true") : STR("false");
    case AST_CONST_INT: return str_from(scope_printf(scope, "%d", value->integer));
    default: return value->text;
    }
}

Status ast_option_string(Ctx *ctx, Scope *scope, const AstOption *option, Str *out)
{
    Status st = OK;
    const AstNode *value = option->value;

    if (value == NULL)
        FAIL(ctx, E_SYNTAX, "%.*s requires a parameter", (int)option->name.len, option->name.ptr);
    switch (value->kind) {
    case AST_CONST: *out = const_text(scope, (const AstConst *)value); break;
    case AST_NAME_LIST: *out = names_joined(scope, &((const AstNameList *)value)->names); break;
    case AST_TYPE_NAME: *out = ((const AstTypeName *)value)->name.name; break;
    case AST_STAR: *out = STR("*"); break;
    default:
        FAIL(ctx, E_SYNTAX, "%.*s requires a parameter", (int)option->name.len, option->name.ptr);
    }
done:
    return st;
}

/* 1 or 0 for a word that says so, -1 for any other. */
static int word_switch(Str word)
{
    if (str_equal_nocase(word, STR("true")) || str_equal_nocase(word, STR("on")))
        return 1;
    if (str_equal_nocase(word, STR("false")) || str_equal_nocase(word, STR("off")))
        return 0;
    return -1;
}

static int const_switch(const AstConst *value)
{
    switch (value->kind) {
    case AST_CONST_BOOL: return value->boolean;
    case AST_CONST_INT: return value->integer == 0 || value->integer == 1 ? value->integer : -1;
    case AST_CONST_STRING: return word_switch(value->text);
    default: return -1;
    }
}

Status ast_option_bool(Ctx *ctx, const AstOption *option, bool *out)
{
    const AstNode *value = option->value;
    int found = -1;

    if (value == NULL)
        found = 1;
    else if (value->kind == AST_CONST)
        found = const_switch((const AstConst *)value);
    else if (value->kind == AST_TYPE_NAME)
        found = word_switch(((const AstTypeName *)value)->name.name);
    if (found < 0)
        return error_raise(ctx, E_SYNTAX, "%.*s requires a Boolean value", (int)option->name.len,
                           option->name.ptr);
    *out = found == 1;
    return OK;
}

Status ast_option_int64(Ctx *ctx, const AstOption *option, int64_t *out)
{
    Status st = OK;
    const AstConst *value = (const AstConst *)option->value;
    char digits[32];
    char *end;

    if (!ast_is(option->value, AST_CONST) ||
        (value->kind != AST_CONST_INT && value->kind != AST_CONST_FLOAT))
        FAIL(ctx, E_SYNTAX, "%.*s requires a numeric value", (int)option->name.len,
             option->name.ptr);
    if (value->kind == AST_CONST_INT) {
        *out = value->integer;
        goto done;
    }
    size_t kept = MIN(value->text.len, sizeof digits - 1);
    memcpy(digits, value->text.ptr, kept);
    digits[kept] = '\0';
    errno = 0;
    *out = strtoll(digits, &end, 10);
    if (*end != '\0')
        FAIL(ctx, E_INVALID_TEXT, "invalid input syntax for type bigint: \"%.*s\"",
             (int)value->text.len, value->text.ptr);
    if (errno == ERANGE || kept < value->text.len)
        FAIL(ctx, E_NUMERIC_OUT_OF_RANGE, "value \"%.*s\" is out of range for type bigint",
             (int)value->text.len, value->text.ptr);
done:
    return st;
}

// --- SET ---------------------------------------------------------------------------------------

static void append_set_value(Scope *scope, StrBuf *buf, const AstNode *value, AstSetForm form)
{
    if (value->kind == AST_CAST) {
        const AstCast *cast = (const AstCast *)value;
        strbuf_append_c(buf, "INTERVAL ");
        sql_quote_literal(buf, ((const AstConst *)cast->arg)->text);
        return;
    }
    ASSERT(value->kind == AST_CONST);
    Str text = const_text(scope, (const AstConst *)value);
    if (form == AST_SET_IDENTIFIERS && ((const AstConst *)value)->kind == AST_CONST_STRING)
        sql_quote_identifier(buf, text);
    else
        strbuf_append_str(buf, text);
}

Status ast_set_text(Ctx *ctx, Scope *scope, const AstSet *set, AstSetForm form, Str *out)
{
    Status st = OK;
    StrBuf buf;

    strbuf_init(&buf);
    if (set->values.count > 1 && form == AST_SET_SCALAR)
        FAIL(ctx, E_INVALID_PARAMETER_VALUE, "SET %.*s takes only one argument", (int)set->name.len,
             set->name.ptr);
    for (uint32_t i = 0; i < set->values.count; i++) {
        if (i > 0)
            strbuf_append_c(&buf, ", ");
        append_set_value(scope, &buf, set->values.items[i], form);
    }
    *out = str_copy(scope, strbuf_str(&buf));
done:
    strbuf_free(&buf);
    return st;
}

// --- command tags ------------------------------------------------------------------------------

static const char *transaction_tag(AstTransactionKind kind)
{
    static const char *const tags[] = {
        [AST_TX_BEGIN] = "BEGIN",
        [AST_TX_START] = "START TRANSACTION",
        [AST_TX_COMMIT] = "COMMIT",
        [AST_TX_ROLLBACK] = "ROLLBACK",
        [AST_TX_SAVEPOINT] = "SAVEPOINT",
        [AST_TX_RELEASE] = "RELEASE",
        [AST_TX_ROLLBACK_TO] = "ROLLBACK",
        [AST_TX_PREPARE] = "PREPARE TRANSACTION",
        [AST_TX_COMMIT_PREPARED] = "COMMIT PREPARED",
        [AST_TX_ROLLBACK_PREPARED] = "ROLLBACK PREPARED",
    };
    return tags[kind];
}

static const char *create_table_as_tag(const AstCreateTableAs *create)
{
    if (create->select_into)
        return "SELECT INTO";
    return create->materialized_view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";
}

static const char *discard_tag(AstDiscardTarget target)
{
    static const char *const tags[] = {
        [AST_DISCARD_ALL] = "DISCARD ALL",
        [AST_DISCARD_PLANS] = "DISCARD PLANS",
        [AST_DISCARD_SEQUENCES] = "DISCARD SEQUENCES",
        [AST_DISCARD_TEMP] = "DISCARD TEMP",
    };
    return tags[target];
}

static const char *rename_tag(const AstRename *rename)
{
    bool member = rename->type == AST_OBJ_COLUMN || rename->type == AST_OBJ_TABLE_CONSTRAINT;
    return alter_tags[member ? rename->relation_type : rename->type];
}

static const char *notify_tag(AstNotifyKind kind)
{
    static const char *const tags[] = {
        [AST_NOTIFY_NOTIFY] = "NOTIFY",
        [AST_NOTIFY_LISTEN] = "LISTEN",
        [AST_NOTIFY_UNLISTEN] = "UNLISTEN",
    };
    return tags[kind];
}

static const char *set_tag(AstSetKind kind)
{
    return kind == AST_SET_RESET || kind == AST_SET_RESET_ALL ? "RESET" : "SET";
}

/* Kinds whose tag never varies. */
static const char *const fixed_tags[AST_KIND_COUNT] = {
    [AST_SELECT] = "SELECT",
    [AST_INSERT] = "INSERT",
    [AST_UPDATE] = "UPDATE",
    [AST_DELETE] = "DELETE",
    [AST_TRUNCATE] = "TRUNCATE TABLE",
    [AST_CREATE_TABLE] = "CREATE TABLE",
    [AST_CREATE_INDEX] = "CREATE INDEX",
    [AST_CREATE_VIEW] = "CREATE VIEW",
    [AST_CREATE_SEQUENCE] = "CREATE SEQUENCE",
    [AST_ALTER_SEQUENCE] = "ALTER SEQUENCE",
    [AST_CREATE_SCHEMA] = "CREATE SCHEMA",
    [AST_CREATE_DATABASE] = "CREATE DATABASE",
    [AST_ALTER_DATABASE] = "ALTER DATABASE",
    [AST_ALTER_DATABASE_SET] = "ALTER DATABASE",
    [AST_DROP_DATABASE] = "DROP DATABASE",
    [AST_CREATE_ROLE] = "CREATE ROLE",
    [AST_ALTER_ROLE] = "ALTER ROLE",
    [AST_ALTER_ROLE_SET] = "ALTER ROLE",
    [AST_DROP_ROLE] = "DROP ROLE",
    [AST_COMMENT] = "COMMENT",
    [AST_COPY] = "COPY",
    [AST_EXPLAIN] = "EXPLAIN",
    [AST_PREPARE] = "PREPARE",
    [AST_EXECUTE] = "EXECUTE",
    [AST_SHOW] = "SHOW",
    [AST_LOCK] = "LOCK TABLE",
    [AST_REINDEX] = "REINDEX",
    [AST_CHECKPOINT] = "CHECKPOINT",
    [AST_DECLARE_CURSOR] = "DECLARE CURSOR",
    [AST_SET_CONSTRAINTS] = "SET CONSTRAINTS",
    [AST_DO] = "DO",
    [AST_CALL] = "CALL",
};

const char *ast_command_tag(const AstNode *statement)
{
    switch (statement->kind) {
    case AST_STATEMENT: return ast_command_tag(((const AstStatement *)statement)->body);
    case AST_UNSUPPORTED: return ((const AstUnsupported *)statement)->feature.ptr;
    case AST_CREATE_TABLE_AS: return create_table_as_tag((const AstCreateTableAs *)statement);
    case AST_DROP: return drop_tags[((const AstDrop *)statement)->type];
    case AST_ALTER_TABLE: return alter_tags[((const AstAlterTable *)statement)->type];
    case AST_RENAME: return rename_tag((const AstRename *)statement);
    case AST_SET_SCHEMA: return alter_tags[((const AstSetSchema *)statement)->type];
    case AST_SET_OWNER: return alter_tags[((const AstSetOwner *)statement)->type];
    case AST_GRANT: return ((const AstGrant *)statement)->grant ? "GRANT" : "REVOKE";
    case AST_GRANT_ROLE:
        return ((const AstGrantRole *)statement)->grant ? "GRANT ROLE" : "REVOKE ROLE";
    case AST_DEALLOCATE:
        return ((const AstDeallocate *)statement)->name.ptr ? "DEALLOCATE" : "DEALLOCATE ALL";
    case AST_SET: return set_tag(((const AstSet *)statement)->kind);
    case AST_TRANSACTION: return transaction_tag(((const AstTransaction *)statement)->kind);
    case AST_VACUUM: return ((const AstVacuum *)statement)->vacuum ? "VACUUM" : "ANALYZE";
    case AST_DISCARD: return discard_tag(((const AstDiscard *)statement)->target);
    case AST_FETCH: return ((const AstFetch *)statement)->move ? "MOVE" : "FETCH";
    case AST_CLOSE:
        return ((const AstClose *)statement)->cursor.ptr ? "CLOSE CURSOR" : "CLOSE CURSOR ALL";
    case AST_NOTIFY: return notify_tag(((const AstNotify *)statement)->kind);
    default: ASSERT(fixed_tags[statement->kind] != NULL); return fixed_tags[statement->kind];
    }
}

// --- names of columns --------------------------------------------------------------------------

/* How sure a found name is: a cast's type yields to a column's name, any function's name stays. */
typedef enum NameStrength { NAME_NONE, NAME_WEAK, NAME_STRONG } NameStrength;

static NameStrength figure_name(const AstNode *node, Str *name);

static NameStrength strong(Str found, Str *name)
{
    *name = found;
    return NAME_STRONG;
}

static Str query_first_name(const AstSelect *query)
{
    while (query->setop != AST_SETOP_NONE)
        query = (const AstSelect *)query->args.items[0];
    if (query->values.count > 0)
        return STR("column1");
    if (query->targets.count == 0)
        return STR("?column?");
    return ast_target_name((const AstTarget *)query->targets.items[0]);
}

static NameStrength figure_sublink(const AstSublink *sublink, Str *name)
{
    switch (sublink->kind) {
    case AST_SUBLINK_EXISTS: return strong(STR("exists"), name);
    case AST_SUBLINK_ARRAY: return strong(STR("array"), name);
    case AST_SUBLINK_SCALAR:
        return strong(query_first_name((const AstSelect *)sublink->query), name);
    default: return NAME_NONE;
    }
}

static NameStrength figure_indirection(const AstIndirection *indirection, Str *name)
{
    for (uint32_t i = indirection->steps.count; i > 0; i--) {
        const AstField *field = (const AstField *)indirection->steps.items[i - 1];
        if (field->node.kind == AST_FIELD && !field->star)
            return strong(field->name, name);
    }
    return figure_name(indirection->arg, name);
}

static NameStrength figure_sql_value(AstSqlValueKind kind, Str *name)
{
    static const char *const names[] = {
        [AST_CURRENT_DATE] = "current_date",           [AST_CURRENT_TIME] = "current_time",
        [AST_CURRENT_TIMESTAMP] = "current_timestamp", [AST_LOCALTIME] = "localtime",
        [AST_LOCALTIMESTAMP] = "localtimestamp",       [AST_CURRENT_ROLE] = "current_role",
        [AST_CURRENT_USER] = "current_user",           [AST_USER] = "user",
        [AST_SESSION_USER] = "session_user",           [AST_CURRENT_CATALOG] = "current_catalog",
        [AST_CURRENT_SCHEMA] = "current_schema",
    };
    return strong(str_from(names[kind]), name);
}

/* The weak name is taken where the argument has no strong one. */
static NameStrength figure_or_weak(const AstNode *arg, Str weak, Str *name)
{
    NameStrength strength = arg ? figure_name(arg, name) : NAME_NONE;

    if (strength == NAME_STRONG)
        return strength;
    *name = weak;
    return NAME_WEAK;
}

static NameStrength figure_name(const AstNode *node, Str *name)
{
    switch (node->kind) {
    case AST_COLUMN_REF: {
        const AstNames *path = &((const AstColumnRef *)node)->path;
        return path->count > 0 ? strong(path->items[path->count - 1], name) : NAME_NONE;
    }
    case AST_INDIRECTION: return figure_indirection((const AstIndirection *)node, name);
    case AST_FUNC_CALL: return strong(((const AstFuncCall *)node)->name.name, name);
    case AST_NULLIF: return strong(STR("nullif"), name);
    case AST_CAST: {
        const AstCast *cast = (const AstCast *)node;
        return figure_or_weak(cast->arg, cast->type->name.name, name);
    }
    case AST_COLLATE: return figure_name(((const AstCollate *)node)->arg, name);
    case AST_GROUPING: return strong(STR("grouping"), name);
    case AST_SUBLINK: return figure_sublink((const AstSublink *)node, name);
    case AST_CASE: return figure_or_weak(((const AstCase *)node)->otherwise, STR("case"), name);
    case AST_ARRAY: return strong(STR("array"), name);
    case AST_ROW: return strong(STR("row"), name);
    case AST_COALESCE: return strong(STR("coalesce"), name);
    case AST_MIN_MAX:
        return strong(((const AstMinMax *)node)->least ? STR("least") : STR("greatest"), name);
    case AST_SQL_VALUE: return figure_sql_value(((const AstSqlValue *)node)->kind, name);
    default: return NAME_NONE;
    }
}

Str ast_target_name(const AstTarget *target)
{
    Str name = STR("?column?");

    if (target->name.ptr != NULL)
        return target->name;
    if (target->value->kind == AST_COLUMN_REF && ((const AstColumnRef *)target->value)->star)
        return (Str){NULL, 0};
    (void)figure_name(target->value, &name);
    return name;
}
