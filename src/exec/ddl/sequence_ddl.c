// SPDX-License-Identifier: Apache-2.0
//
// CREATE, ALTER SEQUENCE and the sequences behind serial and identity columns. A restart gives the
// sequence another row to count in, so that it is undone with the transaction; the values
// themselves are not transactional (catalog/sequence.h). One thread.
#include "exec/ddl/ddl_int.h"

typedef struct SequenceOptions {
    const AstOption *as, *increment, *minvalue, *maxvalue, *start, *restart, *cache, *cycle;
    const AstOption *owned_by, *sequence_name;
} SequenceOptions;

static Status sort_options(Ddl *d, const AstList *options, SequenceOptions *out)
{
    *out = (SequenceOptions){0};
    struct {
        const char *name;
        const AstOption **slot;
    } slots[] = {{"as", &out->as},
                 {"increment", &out->increment},
                 {"minvalue", &out->minvalue},
                 {"maxvalue", &out->maxvalue},
                 {"start", &out->start},
                 {"restart", &out->restart},
                 {"cache", &out->cache},
                 {"cycle", &out->cycle},
                 {"owned_by", &out->owned_by},
                 {"sequence_name", &out->sequence_name}};

    for (uint32_t i = 0; options && i < options->count; i++) {
        const AstOption *option = (const AstOption *)options->items[i];
        size_t at = 0;
        while (at < ARRAY_COUNT(slots) && !str_is(option->name, slots[at].name))
            at++;
        if (at == ARRAY_COUNT(slots))
            return error_raise(d->ctx, E_SYNTAX, "option \"%.*s\" not recognized",
                               STR_ARGS(option->name));
        if (*slots[at].slot)
            return ddl_at(d, option->node.location,
                          error_raise(d->ctx, E_SYNTAX, "conflicting or redundant options"));
        *slots[at].slot = option;
    }
    return OK;
}

static int64_t type_max(Oid type)
{
    return type == OID_INT2 ? INT16_MAX : type == OID_INT4 ? INT32_MAX : INT64_MAX;
}

static int64_t type_min(Oid type)
{
    return type == OID_INT2 ? INT16_MIN : type == OID_INT4 ? INT32_MIN : INT64_MIN;
}

/* AS: bounds that were the old type's become the new one's. */
static Status set_type(Ddl *d, Sequence *sequence, const AstOption *option, bool *reset_max,
                       bool *reset_min)
{
    Status st = OK;
    SqlType type;

    TRY(sql_bind_type(d->ctx, d->scope, d->bind, (const AstTypeName *)option->value, &type));
    if (type.oid != OID_INT2 && type.oid != OID_INT4 && type.oid != OID_INT8)
        FAIL(d->ctx, E_INVALID_PARAMETER_VALUE,
             "sequence type must be smallint, integer, or bigint");
    if (sequence->type) {
        *reset_max = sequence->max == type_max(sequence->type);
        *reset_min = sequence->min == type_min(sequence->type);
    }
    sequence->type = type.oid;
done:
    return st;
}

static Status out_of_range(Ddl *d, const char *what, int64_t value, Oid type)
{
    return error_raise(d->ctx, E_INVALID_PARAMETER_VALUE,
                       "%s (%lld) is out of range for sequence data type %s", what,
                       (long long)value, type_info(type)->sql_name);
}

static Status set_bounds(Ddl *d, Sequence *sequence, const SequenceOptions *options, bool reset_max,
                         bool reset_min)
{
    Status st = OK;
    bool ascending = sequence->increment > 0;
    Oid type = sequence->type;

    if (options->maxvalue && options->maxvalue->value)
        TRY(ast_option_int64(d->ctx, options->maxvalue, &sequence->max));
    else if (options->maxvalue || reset_max)
        sequence->max = ascending ? type_max(type) : -1;
    if (options->minvalue && options->minvalue->value)
        TRY(ast_option_int64(d->ctx, options->minvalue, &sequence->min));
    else if (options->minvalue || reset_min)
        sequence->min = ascending ? 1 : type_min(type);
    if (sequence->max > type_max(type) || sequence->max < type_min(type))
        TRY(out_of_range(d, "MAXVALUE", sequence->max, type));
    if (sequence->min > type_max(type) || sequence->min < type_min(type))
        TRY(out_of_range(d, "MINVALUE", sequence->min, type));
    if (sequence->min >= sequence->max)
        FAIL(d->ctx, E_INVALID_PARAMETER_VALUE, "MINVALUE (%lld) must be less than MAXVALUE (%lld)",
             (long long)sequence->min, (long long)sequence->max);
done:
    return st;
}

static Status check_within(Ddl *d, const Sequence *sequence, const char *what, int64_t value)
{
    if (value < sequence->min)
        return error_raise(d->ctx, E_INVALID_PARAMETER_VALUE,
                           "%s value (%lld) cannot be less than MINVALUE (%lld)", what,
                           (long long)value, (long long)sequence->min);
    if (value > sequence->max)
        return error_raise(d->ctx, E_INVALID_PARAMETER_VALUE,
                           "%s value (%lld) cannot be greater than MAXVALUE (%lld)", what,
                           (long long)value, (long long)sequence->max);
    return OK;
}

static Status set_values(Ddl *d, Sequence *sequence, const SequenceOptions *options, bool is_new)
{
    Status st = OK;

    if (options->start && options->start->value)
        TRY(ast_option_int64(d->ctx, options->start, &sequence->start));
    else if (is_new)
        sequence->start = sequence->increment > 0 ? sequence->min : sequence->max;
    TRY(check_within(d, sequence, "START", sequence->start));
    if (is_new) {
        sequence->first = sequence->start;
    } else if (options->restart) {
        sequence->first = sequence->start;
        if (options->restart->value)
            TRY(ast_option_int64(d->ctx, options->restart, &sequence->first));
        TRY(check_within(d, sequence, "RESTART", sequence->first));
        sequence->state = catalog_new_oid(d->catalog);
    }
    if (options->cache) {
        TRY(ast_option_int64(d->ctx, options->cache, &sequence->cache));
        if (sequence->cache <= 0)
            FAIL(d->ctx, E_INVALID_PARAMETER_VALUE, "CACHE (%lld) must be greater than zero",
                 (long long)sequence->cache);
    }
    if (options->cycle)
        TRY(ast_option_bool(d->ctx, options->cycle, &sequence->cycle));
done:
    return st;
}

static bool is_identity_sequence(const Ddl *d, const Sequence *sequence)
{
    const Object *object =
        sequence->owned_by_table ? catalog_by_oid(d->catalog, sequence->owned_by_table) : NULL;

    if (object == NULL || object->kind != OBJECT_TABLE)
        return false;
    uint32_t at = ddl_column_by_id((const Table *)object, sequence->owned_by_column);
    const Column *column = at == UINT32_MAX ? NULL : &((const Table *)object)->columns[at];
    return column && column->generated != GENERATED_NONE &&
           column->sequence == sequence->object.oid;
}

static Status set_owner_column(Ddl *d, Sequence *sequence, const AstOption *option)
{
    Status st = OK;
    const AstNames *names = &((const AstNameList *)option->value)->names;
    AstName name = {0};
    const Object *table;
    uint32_t at;

    if (is_identity_sequence(d, sequence))
        return error_raise(d->ctx, E_FEATURE_NOT_SUPPORTED,
                           "cannot change ownership of identity sequence");
    sequence->owned_by_table = 0;
    sequence->owned_by_column = 0;
    if (names->count == 1) {
        if (str_is(names->items[0], "none"))
            return OK;
        st = error_raise(d->ctx, E_SYNTAX, "invalid OWNED BY option");
        error_hint(d->ctx, "Specify OWNED BY table.column or OWNED BY NONE.");
        return st;
    }
    name.name = names->items[names->count - 2];
    if (names->count > 2)
        name.schema = names->items[names->count - 3];
    TRY(ddl_open(d, &name, (OpenSpec){.kind = OBJECT_TABLE, .lock = TABLE_ACCESS_SHARE}, &table));
    if (table->schema != sequence->object.schema)
        FAIL(d->ctx, E_NOT_IN_PREREQUISITE_STATE,
             "sequence must be in same schema as table it is linked to");
    TRY(ddl_table_column(d, (const Table *)table, names->items[names->count - 1], &at));
    sequence->owned_by_table = table->oid;
    sequence->owned_by_column = ((const Table *)table)->columns[at].id;
done:
    return st;
}

Status ddl_sequence_options(Ddl *d, Sequence *sequence, const AstList *options, bool is_new)
{
    Status st = OK;
    SequenceOptions sorted;
    bool reset_max = is_new;
    bool reset_min = is_new;

    TRY(sort_options(d, options, &sorted));
    if (is_new) {
        sequence->increment = 1;
        sequence->cache = 1;
    }
    if (sorted.as)
        TRY(set_type(d, sequence, sorted.as, &reset_max, &reset_min));
    if (sequence->type == 0)
        sequence->type = OID_INT8;
    if (sorted.increment) {
        TRY(ast_option_int64(d->ctx, sorted.increment, &sequence->increment));
        if (sequence->increment == 0)
            FAIL(d->ctx, E_INVALID_PARAMETER_VALUE, "INCREMENT must not be zero");
    }
    TRY(set_bounds(d, sequence, &sorted, reset_max, reset_min));
    TRY(set_values(d, sequence, &sorted, is_new));
    if (sorted.owned_by)
        TRY(set_owner_column(d, sequence, sorted.owned_by));
done:
    return st;
}

Status ddl_owned_sequence(Ddl *d, const Object *table, const Column *column, const AstList *options,
                          Oid *out)
{
    Status st = OK;
    NameParts parts = {.name1 = table->name, .name2 = column->name, .label = "seq"};
    const AstOption *named = options ? ast_option_find(options, "sequence_name") : NULL;
    Str name;

    if (named) {
        const AstNames *names = &((const AstNameList *)named->value)->names;
        name = names->items[names->count - 1];
    } else {
        name = ddl_choose_name(d, parts, table->schema, NULL);
    }
    Sequence sequence = {.object = ddl_new_object(d, OBJECT_SEQUENCE, table->schema, name),
                         .type = column->type.oid};
    sequence.object.owner = table->owner;
    TRY(ddl_sequence_options(d, &sequence, options, true));
    sequence.owned_by_table = table->oid;
    sequence.owned_by_column = column->id;
    TRY(catalog_put(d->ctx, d->catalog, &sequence.object));
    *out = sequence.object.oid;
done:
    return st;
}

typedef struct OwnedSearch {
    Ddl *d;
    Oid table;
    OidList *out;
} OwnedSearch;

static bool collect_owned(void *arg, const Object *object)
{
    OwnedSearch *search = arg;

    if (((const Sequence *)object)->owned_by_table == search->table)
        array_push(search->d->scope, search->out, object->oid);
    return true;
}

void ddl_owned_sequences(Ddl *d, Oid table, OidList *out)
{
    OwnedSearch search = {d, table, out};

    catalog_each(d->catalog, OBJECT_SEQUENCE, collect_owned, &search);
}

Status ddl_restart_sequence(Ddl *d, const Sequence *sequence, int64_t value)
{
    Sequence copy = *sequence;

    copy.first = value;
    copy.state = catalog_new_oid(d->catalog);
    return catalog_put(d->ctx, d->catalog, &copy.object);
}

Status ddl_create_sequence(Ddl *d, const AstCreateSequence *ast)
{
    Status st = OK;
    const AstName *name = &ast->sequence->name;
    Oid schema;

    if (ast->persistence == AST_TEMPORARY)
        TRY(ddl_unsupported(d, -1, "temporary sequences are", NULL));
    TRY(ddl_creation_schema(d, name, &schema));
    if (ast->if_not_exists && catalog_relation(d->catalog, schema, name->name)) {
        ddl_notice(d, "42P07", "relation \"%.*s\" already exists, skipping", STR_ARGS(name->name));
        return OK;
    }
    Sequence sequence = {.object = ddl_new_object(d, OBJECT_SEQUENCE, schema, name->name)};
    TRY(ddl_sequence_options(d, &sequence, &ast->options, true));
    TRY(catalog_put(d->ctx, d->catalog, &sequence.object));
done:
    return st;
}

Status ddl_alter_sequence(Ddl *d, const AstAlterSequence *ast)
{
    Status st = OK;
    const Object *object;
    OpenSpec spec = {
        .kind = OBJECT_SEQUENCE, .lock = TABLE_SHARE_ROW_EXCLUSIVE, .missing_ok = ast->if_exists};

    TRY(ddl_open(d, &ast->sequence->name, spec, &object));
    if (object == NULL)
        return OK;
    Sequence sequence = *(const Sequence *)object;
    TRY(ddl_sequence_options(d, &sequence, &ast->options, false));
    TRY(catalog_put(d->ctx, d->catalog, &sequence.object));
done:
    return st;
}
