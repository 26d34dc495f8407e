// SPDX-License-Identifier: Apache-2.0
//
// Syntax tree -> SQL text: queries, data changes, constraints; expressions are deparse_expr.c.
// Recursion is bounded by the tree's depth. Callable from any thread.
#include "sql/deparse.h"

#include <inttypes.h>

typedef void (*DeparseItem)(StrBuf *buf, const AstNode *node);

/* The words before each clause of a SELECT, with the blanks or line ends that part them. */
typedef struct Layout {
    const char *select;
    const char *select_distinct;
    const char *comma; /* between targets and between items of FROM */
    const char *from;
    const char *where;
    const char *group;
    const char *group_distinct;
    const char *having;
    const char *window;
    const char *order;
    const char *offset;
    const char *limit;
    const char *setops[AST_SETOP_EXCEPT + 1][2]; /* plain, ALL */
} Layout;

static const Layout one_line = {
    .select = "SELECT",
    .select_distinct = "SELECT DISTINCT",
    .comma = ", ",
    .from = " FROM ",
    .where = " WHERE ",
    .group = " GROUP BY ",
    .group_distinct = " GROUP BY DISTINCT ",
    .having = " HAVING ",
    .window = " WINDOW ",
    .order = " ORDER BY ",
    .offset = " OFFSET ",
    .limit = " LIMIT ",
    .setops = {[AST_SETOP_UNION] = {" UNION ", " UNION ALL "},
               [AST_SETOP_INTERSECT] = {" INTERSECT ", " INTERSECT ALL "},
               [AST_SETOP_EXCEPT] = {" EXCEPT ", " EXCEPT ALL "}},
};

/* As PostgreSQL indents a view. */
static const Layout view_lines = {
    .select = " SELECT",
    .select_distinct = " SELECT DISTINCT",
    .comma = ",\n    ",
    .from = "\n   FROM ",
    .where = "\n  WHERE ",
    .group = "\n  GROUP BY ",
    .group_distinct = "\n  GROUP BY DISTINCT ",
    .having = "\n HAVING ",
    .window = "\n  WINDOW ",
    .order = "\n  ORDER BY ",
    .offset = "\n OFFSET ",
    .limit = "\n LIMIT ",
    .setops = {[AST_SETOP_UNION] = {"\nUNION\n", "\nUNION ALL\n"},
               [AST_SETOP_INTERSECT] = {"\nINTERSECT\n", "\nINTERSECT ALL\n"},
               [AST_SETOP_EXCEPT] = {"\nEXCEPT\n", "\nEXCEPT ALL\n"}},
};

static void deparse_select(StrBuf *buf, const AstSelect *select, const Layout *layout);

static void deparse_parted(StrBuf *buf, const char *before, const char *comma, const AstList *list,
                           DeparseItem item)
{
    for (uint32_t i = 0; i < list->count; i++) {
        strbuf_append_c(buf, i == 0 ? before : comma);
        item(buf, list->items[i]);
    }
}

static void deparse_items(StrBuf *buf, const char *before, const AstList *list, DeparseItem item)
{
    deparse_parted(buf, before, ", ", list, item);
}

static void deparse_clause(StrBuf *buf, const char *before, const AstNode *expr)
{
    if (expr == NULL)
        return;
    strbuf_append_c(buf, before);
    sql_deparse_expr(buf, expr);
}

static void deparse_parenthesised(StrBuf *buf, const AstNode *query)
{
    strbuf_append_char(buf, '(');
    sql_deparse_query(buf, query);
    strbuf_append_char(buf, ')');
}

// --- FROM --------------------------------------------------------------------------------------

static void deparse_column_def(StrBuf *buf, const AstNode *node)
{
    const AstColumnDef *column = (const AstColumnDef *)node;

    sql_quote_identifier(buf, column->name);
    strbuf_append_char(buf, ' ');
    sql_deparse_type(buf, column->type);
    if (column->collation.name.ptr != NULL) {
        strbuf_append_c(buf, " COLLATE ");
        sql_quote_name(buf, &column->collation);
    }
}

static void deparse_alias(StrBuf *buf, const AstAlias *alias)
{
    if (alias == NULL)
        return;
    strbuf_append_c(buf, " AS ");
    sql_quote_identifier(buf, alias->name);
    if (alias->columns.count == 0)
        return;
    strbuf_append_char(buf, '(');
    sql_deparse_names(buf, &alias->columns);
    strbuf_append_char(buf, ')');
}

static void deparse_table_ref(StrBuf *buf, const AstTableRef *table)
{
    if (table->only)
        strbuf_append_c(buf, "ONLY ");
    sql_quote_name(buf, &table->name);
    deparse_alias(buf, table->alias);
}

static void deparse_rows_from_item(StrBuf *buf, const AstNode *node)
{
    const AstRowsFromItem *item = (const AstRowsFromItem *)node;

    sql_deparse_expr(buf, item->function);
    if (item->column_defs.count > 0) {
        deparse_items(buf, " AS (", &item->column_defs, deparse_column_def);
        strbuf_append_char(buf, ')');
    }
}

static void deparse_range_function(StrBuf *buf, const AstRangeFunction *range)
{
    if (range->lateral)
        strbuf_append_c(buf, "LATERAL ");
    deparse_items(buf, range->rows_from ? "ROWS FROM (" : "", &range->functions,
                  deparse_rows_from_item);
    if (range->rows_from)
        strbuf_append_char(buf, ')');
    if (range->ordinality)
        strbuf_append_c(buf, " WITH ORDINALITY");
    if (range->column_defs.count == 0) {
        deparse_alias(buf, range->alias);
        return;
    }
    strbuf_append_c(buf, " AS ");
    if (range->alias != NULL)
        sql_quote_identifier(buf, range->alias->name);
    deparse_items(buf, "(", &range->column_defs, deparse_column_def);
    strbuf_append_char(buf, ')');
}

static void deparse_from_item(StrBuf *buf, const AstNode *node);

static const char *join_words(const AstJoin *join)
{
    static const char *const words[] = {
        [AST_JOIN_INNER] = "JOIN ",
        [AST_JOIN_LEFT] = "LEFT JOIN ",
        [AST_JOIN_RIGHT] = "RIGHT JOIN ",
        [AST_JOIN_FULL] = "FULL JOIN ",
    };
    bool cross = join->type == AST_JOIN_INNER && !join->natural && join->on == NULL &&
                 join->using_columns.count == 0;
    return cross ? "CROSS JOIN " : words[join->type];
}

static void deparse_join(StrBuf *buf, const AstJoin *join)
{
    strbuf_append_char(buf, '(');
    deparse_from_item(buf, join->left);
    strbuf_append_c(buf, join->natural ? " NATURAL " : " ");
    strbuf_append_c(buf, join_words(join));
    deparse_from_item(buf, join->right);
    if (join->using_columns.count > 0) {
        strbuf_append_c(buf, " USING (");
        sql_deparse_names(buf, &join->using_columns);
        strbuf_append_char(buf, ')');
        deparse_alias(buf, join->using_alias);
    }
    deparse_clause(buf, " ON ", join->on);
    strbuf_append_char(buf, ')');
    deparse_alias(buf, join->alias);
}

static void deparse_table_sample(StrBuf *buf, const AstTableSample *sample)
{
    deparse_from_item(buf, sample->relation);
    strbuf_append_c(buf, " TABLESAMPLE ");
    sql_quote_name(buf, &sample->method);
    strbuf_append_c(buf, " (");
    sql_deparse_exprs(buf, &sample->args);
    strbuf_append_char(buf, ')');
    if (sample->repeatable != NULL) {
        strbuf_append_c(buf, " REPEATABLE (");
        sql_deparse_expr(buf, sample->repeatable);
        strbuf_append_char(buf, ')');
    }
}

static void deparse_from_item(StrBuf *buf, const AstNode *node)
{
    switch (node->kind) {
    case AST_TABLE_REF: deparse_table_ref(buf, (const AstTableRef *)node); break;
    case AST_SUBSELECT: {
        const AstSubselect *sub = (const AstSubselect *)node;
        if (sub->lateral)
            strbuf_append_c(buf, "LATERAL ");
        deparse_parenthesised(buf, sub->query);
        deparse_alias(buf, sub->alias);
        break;
    }
    case AST_RANGE_FUNCTION: deparse_range_function(buf, (const AstRangeFunction *)node); break;
    case AST_TABLE_SAMPLE: deparse_table_sample(buf, (const AstTableSample *)node); break;
    case AST_JOIN: deparse_join(buf, (const AstJoin *)node); break;
    default: ASSERT(!"an item of FROM");
    }
}

// --- clauses -----------------------------------------------------------------------------------

static void deparse_target(StrBuf *buf, const AstNode *node)
{
    const AstTarget *target = (const AstTarget *)node;

    sql_deparse_expr(buf, target->value);
    if (target->name.ptr != NULL) {
        strbuf_append_c(buf, " AS ");
        sql_quote_identifier(buf, target->name);
    }
}

static void deparse_group_item(StrBuf *buf, const AstNode *node)
{
    static const char *const words[] = {
        [AST_GROUPING_EMPTY] = "",
        [AST_GROUPING_ROLLUP] = "ROLLUP ",
        [AST_GROUPING_CUBE] = "CUBE ",
        [AST_GROUPING_SETS] = "GROUPING SETS ",
    };
    const AstGroupingSet *set = (const AstGroupingSet *)node;

    if (node->kind != AST_GROUPING_SET) {
        sql_deparse_expr(buf, node);
        return;
    }
    strbuf_append_c(buf, words[set->kind]);
    strbuf_append_char(buf, '(');
    deparse_items(buf, "", &set->content, deparse_group_item);
    strbuf_append_char(buf, ')');
}

static void deparse_window_item(StrBuf *buf, const AstNode *node)
{
    const AstWindowDef *window = (const AstWindowDef *)node;

    sql_quote_identifier(buf, window->name);
    strbuf_append_c(buf, " AS ");
    sql_deparse_window(buf, window);
}

static void deparse_values_row(StrBuf *buf, const AstNode *node)
{
    strbuf_append_char(buf, '(');
    sql_deparse_exprs(buf, &((const AstValuesRow *)node)->values);
    strbuf_append_char(buf, ')');
}

static void deparse_cte(StrBuf *buf, const AstNode *node)
{
    static const char *const words[] = {
        [AST_MATERIALIZE_DEFAULT] = " AS ",
        [AST_MATERIALIZE_YES] = " AS MATERIALIZED ",
        [AST_MATERIALIZE_NO] = " AS NOT MATERIALIZED ",
    };
    const AstCte *cte = (const AstCte *)node;

    sql_quote_identifier(buf, cte->name);
    if (cte->columns.count > 0) {
        strbuf_append_char(buf, '(');
        sql_deparse_names(buf, &cte->columns);
        strbuf_append_char(buf, ')');
    }
    strbuf_append_c(buf, words[cte->materialize]);
    deparse_parenthesised(buf, cte->query);
}

static void deparse_with(StrBuf *buf, const AstWith *with)
{
    if (with == NULL)
        return;
    deparse_items(buf, with->recursive ? "WITH RECURSIVE " : "WITH ", &with->ctes, deparse_cte);
    strbuf_append_char(buf, ' ');
}

static void deparse_locked_table(StrBuf *buf, const AstNode *node)
{
    sql_quote_name(buf, &((const AstTableRef *)node)->name);
}

static void deparse_locking(StrBuf *buf, const AstLocking *locking)
{
    static const char *const strengths[] = {
        [AST_LOCK_KEY_SHARE] = " FOR KEY SHARE",
        [AST_LOCK_SHARE] = " FOR SHARE",
        [AST_LOCK_NO_KEY_UPDATE] = " FOR NO KEY UPDATE",
        [AST_LOCK_UPDATE] = " FOR UPDATE",
    };
    static const char *const waits[] = {
        [AST_LOCK_WAIT] = "",
        [AST_LOCK_SKIP_LOCKED] = " SKIP LOCKED",
        [AST_LOCK_NOWAIT] = " NOWAIT",
    };
    strbuf_append_c(buf, strengths[locking->strength]);
    deparse_items(buf, " OF ", &locking->tables, deparse_locked_table);
    strbuf_append_c(buf, waits[locking->wait]);
}

// --- SELECT ------------------------------------------------------------------------------------

static void deparse_plain_select(StrBuf *buf, const AstSelect *select, const Layout *layout)
{
    strbuf_append_c(buf, select->distinct ? layout->select_distinct : layout->select);
    if (select->distinct_on.count > 0) {
        strbuf_append_c(buf, " ON (");
        sql_deparse_exprs(buf, &select->distinct_on);
        strbuf_append_char(buf, ')');
    }
    deparse_parted(buf, " ", layout->comma, &select->targets, deparse_target);
    deparse_parted(buf, layout->from, layout->comma, &select->from, deparse_from_item);
    deparse_clause(buf, layout->where, select->where);
    deparse_items(buf, select->group_distinct ? layout->group_distinct : layout->group,
                  &select->group, deparse_group_item);
    deparse_clause(buf, layout->having, select->having);
    deparse_items(buf, layout->window, &select->windows, deparse_window_item);
}

static void deparse_arm(StrBuf *buf, const AstSelect *arm, const Layout *layout)
{
    bool plain = arm->with == NULL && arm->setop == AST_SETOP_NONE && arm->order.count == 0 &&
                 arm->limit == NULL && arm->offset == NULL && arm->locking.count == 0;

    if (plain)
        deparse_select(buf, arm, layout);
    else
        deparse_parenthesised(buf, &arm->node);
}

static void deparse_set_operation(StrBuf *buf, const AstSelect *select, const Layout *layout)
{
    for (uint32_t i = 0; i < select->args.count; i++) {
        if (i > 0)
            strbuf_append_c(buf, layout->setops[select->setop][select->setop_all]);
        deparse_arm(buf, (const AstSelect *)select->args.items[i], layout);
    }
}

static void deparse_limit(StrBuf *buf, const AstSelect *select, const Layout *layout)
{
    const AstConst *limit = (const AstConst *)select->limit;

    deparse_clause(buf, layout->offset, select->offset);
    if (select->limit == NULL)
        return;
    if (select->with_ties) {
        strbuf_append_c(buf, " FETCH FIRST (");
        sql_deparse_expr(buf, select->limit);
        strbuf_append_c(buf, ") ROWS WITH TIES");
    } else if (limit->node.kind == AST_CONST && limit->kind == AST_CONST_NULL) {
        strbuf_append_c(buf, layout->limit);
        strbuf_append_c(buf, "ALL");
    } else {
        deparse_clause(buf, layout->limit, select->limit);
    }
}

static void deparse_select(StrBuf *buf, const AstSelect *select, const Layout *layout)
{
    deparse_with(buf, select->with);
    if (select->setop != AST_SETOP_NONE)
        deparse_set_operation(buf, select, layout);
    else if (select->values.count > 0)
        deparse_items(buf, "VALUES ", &select->values, deparse_values_row);
    else
        deparse_plain_select(buf, select, layout);
    if (select->order.count > 0) {
        strbuf_append_c(buf, layout->order);
        sql_deparse_sort_keys(buf, &select->order);
    }
    deparse_limit(buf, select, layout);
    for (uint32_t i = 0; i < select->locking.count; i++)
        deparse_locking(buf, (const AstLocking *)select->locking.items[i]);
}

// --- INSERT, UPDATE, DELETE --------------------------------------------------------------------

static void deparse_target_column(StrBuf *buf, const AstNode *node)
{
    const AstTarget *target = (const AstTarget *)node;

    sql_quote_identifier(buf, target->name);
    sql_deparse_indirection(buf, &target->indirection);
}

/* SET a = x, (b, c) = row: the targets of one row stand together, each an AstMultiAssign. */
static void deparse_set(StrBuf *buf, const AstList *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const AstTarget *target = (const AstTarget *)set->items[i];
        strbuf_append_c(buf, i == 0 ? " SET " : ", ");
        if (target->value->kind != AST_MULTI_ASSIGN) {
            deparse_target_column(buf, &target->node);
            deparse_clause(buf, " = ", target->value);
            continue;
        }
        const AstMultiAssign *multi = (const AstMultiAssign *)target->value;
        AstList columns = {.items = set->items + i, .count = multi->columns};
        deparse_items(buf, "(", &columns, deparse_target_column);
        deparse_clause(buf, ") = ", multi->source);
        i += multi->columns - 1;
    }
}

static void deparse_infer_key(StrBuf *buf, const AstNode *node)
{
    const AstIndexKey *key = (const AstIndexKey *)node;

    if (key->column.ptr != NULL) {
        sql_quote_identifier(buf, key->column);
    } else {
        strbuf_append_char(buf, '(');
        sql_deparse_expr(buf, key->expr);
        strbuf_append_char(buf, ')');
    }
    if (key->collation.name.ptr != NULL) {
        strbuf_append_c(buf, " COLLATE ");
        sql_quote_name(buf, &key->collation);
    }
    if (key->opclass.name.ptr != NULL) {
        strbuf_append_char(buf, ' ');
        sql_quote_name(buf, &key->opclass);
    }
}

static void deparse_on_conflict(StrBuf *buf, const AstOnConflict *conflict)
{
    if (conflict == NULL)
        return;
    strbuf_append_c(buf, " ON CONFLICT");
    if (conflict->infer.count > 0) {
        deparse_items(buf, " (", &conflict->infer, deparse_infer_key);
        strbuf_append_char(buf, ')');
    }
    deparse_clause(buf, " WHERE ", conflict->infer_where);
    if (conflict->constraint.ptr != NULL) {
        strbuf_append_c(buf, " ON CONSTRAINT ");
        sql_quote_identifier(buf, conflict->constraint);
    }
    strbuf_append_c(buf, conflict->update ? " DO UPDATE" : " DO NOTHING");
    deparse_set(buf, &conflict->set);
    deparse_clause(buf, " WHERE ", conflict->where);
}

static void deparse_insert(StrBuf *buf, const AstInsert *insert)
{
    static const char *const overriding[] = {
        [AST_OVERRIDING_NONE] = "",
        [AST_OVERRIDING_USER] = " OVERRIDING USER VALUE",
        [AST_OVERRIDING_SYSTEM] = " OVERRIDING SYSTEM VALUE",
    };
    deparse_with(buf, insert->with);
    strbuf_append_c(buf, "INSERT INTO ");
    deparse_table_ref(buf, insert->table);
    if (insert->columns.count > 0) {
        deparse_items(buf, " (", &insert->columns, deparse_target_column);
        strbuf_append_char(buf, ')');
    }
    strbuf_append_c(buf, overriding[insert->overriding]);
    if (insert->source == NULL) {
        strbuf_append_c(buf, " DEFAULT VALUES");
    } else {
        strbuf_append_char(buf, ' ');
        sql_deparse_query(buf, insert->source);
    }
    deparse_on_conflict(buf, insert->on_conflict);
    deparse_items(buf, " RETURNING ", &insert->returning, deparse_target);
}

static void deparse_update(StrBuf *buf, const AstUpdate *update)
{
    deparse_with(buf, update->with);
    strbuf_append_c(buf, "UPDATE ");
    deparse_table_ref(buf, update->table);
    deparse_set(buf, &update->set);
    deparse_items(buf, " FROM ", &update->from, deparse_from_item);
    deparse_clause(buf, " WHERE ", update->where);
    deparse_items(buf, " RETURNING ", &update->returning, deparse_target);
}

static void deparse_delete(StrBuf *buf, const AstDelete *deletion)
{
    deparse_with(buf, deletion->with);
    strbuf_append_c(buf, "DELETE FROM ");
    deparse_table_ref(buf, deletion->table);
    deparse_items(buf, " USING ", &deletion->from, deparse_from_item);
    deparse_clause(buf, " WHERE ", deletion->where);
    deparse_items(buf, " RETURNING ", &deletion->returning, deparse_target);
}

void sql_deparse_query(StrBuf *buf, const AstNode *query)
{
    switch (query->kind) {
    case AST_SELECT: deparse_select(buf, (const AstSelect *)query, &one_line); break;
    case AST_INSERT: deparse_insert(buf, (const AstInsert *)query); break;
    case AST_UPDATE: deparse_update(buf, (const AstUpdate *)query); break;
    case AST_DELETE: deparse_delete(buf, (const AstDelete *)query); break;
    default: ASSERT(!"a query");
    }
}

void sql_deparse_view(StrBuf *buf, const AstNode *query)
{
    ASSERT(query->kind == AST_SELECT);
    deparse_select(buf, (const AstSelect *)query, &view_lines);
    strbuf_append_char(buf, ';');
}

// --- constraints -------------------------------------------------------------------------------

static void deparse_columns(StrBuf *buf, const char *before, const AstNames *columns)
{
    if (columns->count == 0)
        return;
    strbuf_append_c(buf, before);
    strbuf_append_char(buf, '(');
    sql_deparse_names(buf, columns);
    strbuf_append_char(buf, ')');
}

static const char *action_words(char action)
{
    switch (action) {
    case 'r': return "RESTRICT";
    case 'c': return "CASCADE";
    case 'n': return "SET NULL";
    case 'd': return "SET DEFAULT";
    default: return NULL; /* NO ACTION, the default */
    }
}

static void deparse_foreign_key(StrBuf *buf, const AstConstraint *constraint)
{
    const char *on_update = action_words(constraint->on_update);
    const char *on_delete = action_words(constraint->on_delete);

    deparse_columns(buf, "FOREIGN KEY ", &constraint->columns);
    strbuf_append_c(buf, constraint->columns.count > 0 ? " REFERENCES " : "REFERENCES ");
    sql_quote_name(buf, &constraint->references->name);
    deparse_columns(buf, "", &constraint->ref_columns);
    if (constraint->match == 'f')
        strbuf_append_c(buf, " MATCH FULL");
    if (on_update != NULL)
        strbuf_printf(buf, " ON UPDATE %s", on_update);
    if (on_delete != NULL)
        strbuf_printf(buf, " ON DELETE %s", on_delete);
    deparse_columns(buf, " ", &constraint->on_delete_columns);
}

static void deparse_constraint_body(StrBuf *buf, const AstConstraint *constraint)
{
    switch (constraint->kind) {
    case AST_CONSTR_NULL: strbuf_append_c(buf, "NULL"); break;
    case AST_CONSTR_NOT_NULL: strbuf_append_c(buf, "NOT NULL"); break;
    case AST_CONSTR_DEFAULT: deparse_clause(buf, "DEFAULT ", constraint->expr); break;
    case AST_CONSTR_IDENTITY:
        strbuf_append_c(buf, constraint->generated_always ? "GENERATED ALWAYS AS IDENTITY"
                                                          : "GENERATED BY DEFAULT AS IDENTITY");
        break;
    case AST_CONSTR_GENERATED:
        deparse_clause(buf, "GENERATED ALWAYS AS (", constraint->expr);
        strbuf_append_c(buf, ") STORED");
        break;
    case AST_CONSTR_CHECK:
        deparse_clause(buf, "CHECK (", constraint->expr);
        strbuf_append_char(buf, ')');
        break;
    case AST_CONSTR_PRIMARY_KEY:
        strbuf_append_c(buf, "PRIMARY KEY");
        deparse_columns(buf, " ", &constraint->columns);
        break;
    case AST_CONSTR_UNIQUE:
        strbuf_append_c(buf, "UNIQUE");
        if (constraint->nulls_not_distinct)
            strbuf_append_c(buf, " NULLS NOT DISTINCT");
        deparse_columns(buf, " ", &constraint->columns);
        break;
    case AST_CONSTR_FOREIGN_KEY: deparse_foreign_key(buf, constraint); break;
    }
    deparse_columns(buf, " INCLUDE ", &constraint->including);
}

void sql_deparse_constraint(StrBuf *buf, const AstConstraint *constraint)
{
    deparse_constraint_body(buf, constraint);
    if (constraint->no_inherit)
        strbuf_append_c(buf, " NO INHERIT");
    if (constraint->deferrable)
        strbuf_append_c(buf, " DEFERRABLE");
    if (constraint->initially_deferred)
        strbuf_append_c(buf, " INITIALLY DEFERRED");
    if (constraint->not_valid)
        strbuf_append_c(buf, " NOT VALID");
}
