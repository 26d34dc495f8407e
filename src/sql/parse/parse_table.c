// SPDX-License-Identifier: Apache-2.0
//
// Conversion of what makes tables, indexes and views: columns, constraints, CREATE TABLE, CREATE
// TABLE AS, CREATE INDEX, CREATE VIEW. A constraint's DEFERRABLE words, which the grammar leaves as
// constraints of their own beside it, are folded into it with PostgreSQL's checks. Part of one
// sql_parse call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

static char action_code(char action)
{
    return action ? action : FKCONSTR_ACTION_NOACTION;
}

static void convert_foreign_key(Parse *p, const Constraint *raw, AstConstraint *out)
{
    out->references = parse_table_ref(p, raw->pktable);
    out->columns = parse_names(p, raw->fk_attrs);
    out->ref_columns = parse_names(p, raw->pk_attrs);
    out->match = raw->fk_matchtype ? raw->fk_matchtype : FKCONSTR_MATCH_SIMPLE;
    out->on_update = action_code(raw->fk_upd_action);
    out->on_delete = action_code(raw->fk_del_action);
    out->on_delete_columns = parse_names(p, raw->fk_del_set_cols);
}

static bool constraint_kind(ConstrType type, AstConstraintKind *out)
{
    switch (type) {
    case CONSTR_NULL: *out = AST_CONSTR_NULL; return true;
    case CONSTR_NOTNULL: *out = AST_CONSTR_NOT_NULL; return true;
    case CONSTR_DEFAULT: *out = AST_CONSTR_DEFAULT; return true;
    case CONSTR_IDENTITY: *out = AST_CONSTR_IDENTITY; return true;
    case CONSTR_GENERATED: *out = AST_CONSTR_GENERATED; return true;
    case CONSTR_CHECK: *out = AST_CONSTR_CHECK; return true;
    case CONSTR_PRIMARY: *out = AST_CONSTR_PRIMARY_KEY; return true;
    case CONSTR_UNIQUE: *out = AST_CONSTR_UNIQUE; return true;
    case CONSTR_FOREIGN: *out = AST_CONSTR_FOREIGN_KEY; return true;
    default: return false;
    }
}

AstNode *parse_constraint(Parse *p, const Node *node)
{
    const Constraint *raw = castNode(Constraint, node);
    AstConstraint *out = PARSE_NEW(p, AST_CONSTRAINT, AstConstraint, raw->location);

    if (!constraint_kind(raw->contype, &out->kind))
        parse_unsupported(p, raw->location, "an exclusion constraint");
    out->name = parse_str(p, raw->conname);
    out->expr = parse_expr(p, raw->raw_expr);
    out->deferrable = raw->deferrable;
    out->initially_deferred = raw->initdeferred;
    out->no_inherit = raw->is_no_inherit;
    out->not_valid = raw->skip_validation;
    out->generated_always = raw->generated_when == 'a';
    out->nulls_not_distinct = raw->nulls_not_distinct;
    out->options = parse_options(p, raw->options);
    out->columns = parse_names(p, raw->keys);
    out->including = parse_names(p, raw->including);
    out->using_index = parse_str(p, raw->indexname);
    out->tablespace = parse_str(p, raw->indexspace);
    if (raw->contype == CONSTR_FOREIGN)
        convert_foreign_key(p, raw, out);
    return &out->node;
}

// --- columns -----------------------------------------------------------------------------------

/* The state of folding the words after a column's constraint into it. */
typedef struct Deferral {
    AstConstraint *last; /* the one the words are about, NULL at the start */
    bool saw_deferrable;
    bool saw_initially;
} Deferral;

static bool can_defer(const AstConstraint *constraint)
{
    return constraint != NULL &&
           (constraint->kind == AST_CONSTR_PRIMARY_KEY || constraint->kind == AST_CONSTR_UNIQUE ||
            constraint->kind == AST_CONSTR_FOREIGN_KEY);
}

static void fold_deferrable(Parse *p, Deferral *at, const Constraint *raw)
{
    bool deferrable = raw->contype == CONSTR_ATTR_DEFERRABLE;

    if (!can_defer(at->last))
        parse_fail(p, E_SYNTAX, raw->location, "misplaced %sDEFERRABLE clause",
                   deferrable ? "" : "NOT ");
    else if (at->saw_deferrable)
        parse_fail(p, E_SYNTAX, raw->location,
                   "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed");
    else if (!deferrable && at->saw_initially && at->last->initially_deferred)
        parse_fail(p, E_SYNTAX, raw->location,
                   "constraint declared INITIALLY DEFERRED must be DEFERRABLE");
    if (p->status != OK)
        return;
    at->saw_deferrable = true;
    at->last->deferrable = deferrable;
}

static void fold_initially(Parse *p, Deferral *at, const Constraint *raw)
{
    bool deferred = raw->contype == CONSTR_ATTR_DEFERRED;

    if (!can_defer(at->last))
        parse_fail(p, E_SYNTAX, raw->location, "misplaced INITIALLY %s clause",
                   deferred ? "DEFERRED" : "IMMEDIATE");
    else if (at->saw_initially)
        parse_fail(p, E_SYNTAX, raw->location,
                   "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed");
    else if (deferred && at->saw_deferrable && !at->last->deferrable)
        parse_fail(p, E_SYNTAX, raw->location,
                   "constraint declared INITIALLY DEFERRED must be DEFERRABLE");
    if (p->status != OK)
        return;
    at->saw_initially = true;
    at->last->initially_deferred = deferred;
    if (deferred)
        at->last->deferrable = true;
}

static AstList convert_column_constraints(Parse *p, const List *list)
{
    AstList out = {.items = scope_new_array(p->scope, AstNode *, list_length(list)), .count = 0};
    Deferral at = {.last = NULL};
    ListCell *cell;

    foreach(cell, list) {
        const Constraint *raw = lfirst_node(Constraint, cell);
        switch (raw->contype) {
        case CONSTR_ATTR_DEFERRABLE:
        case CONSTR_ATTR_NOT_DEFERRABLE: fold_deferrable(p, &at, raw); break;
        case CONSTR_ATTR_DEFERRED:
        case CONSTR_ATTR_IMMEDIATE: fold_initially(p, &at, raw); break;
        default:
            at = (Deferral){.last = (AstConstraint *)parse_constraint(p, (const Node *)raw)};
            out.items[out.count++] = &at.last->node;
            break;
        }
        if (p->status != OK)
            break;
    }
    return out;
}

AstNode *parse_column_def(Parse *p, const Node *node)
{
    const ColumnDef *column = castNode(ColumnDef, node);
    AstColumnDef *out = PARSE_NEW(p, AST_COLUMN_DEF, AstColumnDef, column->location);

    if (column->fdwoptions != NIL)
        parse_unsupported(p, column->location, "OPTIONS of a column");
    out->name = parse_str(p, column->colname);
    out->type = parse_type_name(p, column->typeName);
    if (column->collClause != NULL)
        out->collation = parse_name(p, column->collClause->collname, -1);
    out->constraints = convert_column_constraints(p, column->constraints);
    out->compression = parse_str(p, column->compression);
    return &out->node;
}

// --- CREATE TABLE ------------------------------------------------------------------------------

static AstNode *convert_table_like(Parse *p, const TableLikeClause *like)
{
    static const struct {
        uint32_t raw;
        uint32_t option;
    } options[] = {
        {CREATE_TABLE_LIKE_COMMENTS, AST_LIKE_COMMENTS},
        {CREATE_TABLE_LIKE_COMPRESSION, AST_LIKE_COMPRESSION},
        {CREATE_TABLE_LIKE_CONSTRAINTS, AST_LIKE_CONSTRAINTS},
        {CREATE_TABLE_LIKE_DEFAULTS, AST_LIKE_DEFAULTS},
        {CREATE_TABLE_LIKE_GENERATED, AST_LIKE_GENERATED},
        {CREATE_TABLE_LIKE_IDENTITY, AST_LIKE_IDENTITY},
        {CREATE_TABLE_LIKE_INDEXES, AST_LIKE_INDEXES},
        {CREATE_TABLE_LIKE_STATISTICS, AST_LIKE_STATISTICS},
        {CREATE_TABLE_LIKE_STORAGE, AST_LIKE_STORAGE},
    };
    AstTableLike *out = PARSE_NEW(p, AST_TABLE_LIKE, AstTableLike, like->relation->location);

    out->table = parse_table_ref(p, like->relation);
    for (size_t i = 0; i < ARRAY_COUNT(options); i++)
        if (like->options & options[i].raw)
            out->options |= options[i].option;
    return &out->node;
}

static AstNode *convert_table_element(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_ColumnDef: return parse_column_def(p, node);
    case T_Constraint: return parse_constraint(p, node);
    case T_TableLikeClause: return convert_table_like(p, (const TableLikeClause *)node);
    default: parse_unsupported(p, -1, "this table element"); return NULL;
    }
}

static AstOnCommit on_commit(OnCommitAction action)
{
    static const AstOnCommit actions[] = {
        [ONCOMMIT_NOOP] = AST_ON_COMMIT_NONE,
        [ONCOMMIT_PRESERVE_ROWS] = AST_ON_COMMIT_PRESERVE,
        [ONCOMMIT_DELETE_ROWS] = AST_ON_COMMIT_DELETE,
        [ONCOMMIT_DROP] = AST_ON_COMMIT_DROP,
    };
    return actions[action];
}

AstNode *parse_create_table(Parse *p, const CreateStmt *create)
{
    AstCreateTable *out = PARSE_NEW(p, AST_CREATE_TABLE, AstCreateTable, -1);

    out->table = parse_table_ref(p, create->relation);
    out->persistence = parse_persistence(create->relation);
    out->if_not_exists = create->if_not_exists;
    out->elements = parse_list(p, create->tableElts, convert_table_element);
    out->inherits = parse_list(p, create->inhRelations, parse_from_item);
    out->partition_of = create->partbound != NULL;
    out->partition_by = create->partspec != NULL;
    out->of_type = parse_type_name(p, create->ofTypename);
    out->options = parse_options(p, create->options);
    out->on_commit = on_commit(create->oncommit);
    out->tablespace = parse_str(p, create->tablespacename);
    out->access_method = parse_str(p, create->accessMethod);
    return &out->node;
}

static AstCreateTableAs *convert_into(Parse *p, const IntoClause *into)
{
    AstCreateTableAs *out = PARSE_NEW(p, AST_CREATE_TABLE_AS, AstCreateTableAs, -1);

    out->table = parse_table_ref(p, into->rel);
    out->columns = parse_names(p, into->colNames);
    out->persistence = parse_persistence(into->rel);
    out->with_no_data = into->skipData;
    out->options = parse_options(p, into->options);
    out->on_commit = on_commit(into->onCommit);
    out->tablespace = parse_str(p, into->tableSpaceName);
    out->access_method = parse_str(p, into->accessMethod);
    return out;
}

AstNode *parse_create_table_as(Parse *p, const CreateTableAsStmt *create)
{
    AstCreateTableAs *out = convert_into(p, create->into);

    out->if_not_exists = create->if_not_exists;
    out->materialized_view = create->objtype == OBJECT_MATVIEW;
    out->query = parse_statement(p, create->query);
    if (p->status == OK && out->query->kind == AST_CREATE_TABLE_AS)
        parse_fail(p, E_SYNTAX, -1, "SELECT ... INTO is not allowed here");
    return &out->node;
}

AstNode *parse_select_into(Parse *p, const SelectStmt *select, const IntoClause *into)
{
    AstCreateTableAs *out = convert_into(p, into);

    out->select_into = true;
    out->query = parse_select(p, select);
    return &out->node;
}

// --- CREATE INDEX, CREATE VIEW -----------------------------------------------------------------

AstNode *parse_index_key(Parse *p, const Node *node)
{
    const IndexElem *element = castNode(IndexElem, node);
    AstIndexKey *out = PARSE_NEW(p, AST_INDEX_KEY, AstIndexKey, -1);

    out->column = parse_str(p, element->name);
    out->expr = parse_expr(p, element->expr);
    out->collation = parse_name(p, element->collation, -1);
    out->opclass = parse_name(p, element->opclass, -1);
    out->opclass_options = parse_options(p, element->opclassopts);
    out->order = element->ordering == SORTBY_DESC  ? AST_SORT_DESC
                 : element->ordering == SORTBY_ASC ? AST_SORT_ASC
                                                   : AST_SORT_DEFAULT;
    if (element->nulls_ordering == SORTBY_NULLS_FIRST)
        out->nulls = AST_NULLS_FIRST;
    else if (element->nulls_ordering == SORTBY_NULLS_LAST)
        out->nulls = AST_NULLS_LAST;
    return &out->node;
}

AstNode *parse_create_index(Parse *p, const IndexStmt *index)
{
    AstCreateIndex *out = PARSE_NEW(p, AST_CREATE_INDEX, AstCreateIndex, -1);

    out->name = parse_str(p, index->idxname);
    out->table = parse_table_ref(p, index->relation);
    out->method = parse_str(p, index->accessMethod);
    out->unique = index->unique;
    out->concurrently = index->concurrent;
    out->if_not_exists = index->if_not_exists;
    out->nulls_not_distinct = index->nulls_not_distinct;
    out->keys = parse_list(p, index->indexParams, parse_index_key);
    out->including = parse_list(p, index->indexIncludingParams, parse_index_key);
    out->where = parse_expr(p, index->whereClause);
    out->options = parse_options(p, index->options);
    out->tablespace = parse_str(p, index->tableSpace);
    return &out->node;
}

AstNode *parse_create_view(Parse *p, const ViewStmt *view)
{
    static const AstViewCheck checks[] = {
        [NO_CHECK_OPTION] = AST_VIEW_CHECK_NONE,
        [LOCAL_CHECK_OPTION] = AST_VIEW_CHECK_LOCAL,
        [CASCADED_CHECK_OPTION] = AST_VIEW_CHECK_CASCADED,
    };
    AstCreateView *out = PARSE_NEW(p, AST_CREATE_VIEW, AstCreateView, -1);

    out->view = parse_table_ref(p, view->view);
    out->persistence = parse_persistence(view->view);
    out->replace = view->replace;
    out->columns = parse_names(p, view->aliases);
    out->query = parse_select(p, castNode(SelectStmt, view->query));
    out->options = parse_options(p, view->options);
    out->check = checks[view->withCheckOption];
    return &out->node;
}
