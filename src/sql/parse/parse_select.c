// SPDX-License-Identifier: Apache-2.0
//
// Conversion of SELECT, VALUES, set operations, WITH and the items of FROM. A chain of equal set
// operations becomes one node with all its arms, however long it is. Part of one sql_parse call;
// see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

AstNode *parse_target(Parse *p, const Node *node)
{
    const ResTarget *target = castNode(ResTarget, node);
    AstTarget *out = PARSE_NEW(p, AST_TARGET, AstTarget, target->location);

    out->name = parse_str(p, target->name);
    out->indirection = parse_indirection_steps(p, target->indirection);
    out->value = parse_expr(p, target->val);
    return &out->node;
}

// --- FROM --------------------------------------------------------------------------------------

static AstNode *convert_subselect(Parse *p, const RangeSubselect *range)
{
    AstSubselect *out = PARSE_NEW(p, AST_SUBSELECT, AstSubselect, -1);

    out->query = parse_select(p, castNode(SelectStmt, range->subquery));
    out->alias = parse_alias(p, range->alias);
    out->lateral = range->lateral;
    return &out->node;
}

/* Each function of a RangeFunction is a list: the call and its column definitions. */
static AstNode *convert_rows_from_item(Parse *p, const Node *node)
{
    const List *pair = castNode(List, node);
    AstRowsFromItem *item = PARSE_NEW(p, AST_ROWS_FROM_ITEM, AstRowsFromItem, -1);

    item->function = parse_expr(p, linitial(pair));
    item->column_defs = parse_list(p, lsecond(pair), parse_column_def);
    if (item->function != NULL)
        item->node.location = item->function->location;
    return &item->node;
}

static AstNode *convert_range_function(Parse *p, const RangeFunction *range)
{
    AstRangeFunction *out = PARSE_NEW(p, AST_RANGE_FUNCTION, AstRangeFunction, -1);

    out->functions = parse_list(p, range->functions, convert_rows_from_item);
    out->alias = parse_alias(p, range->alias);
    out->column_defs = parse_list(p, range->coldeflist, parse_column_def);
    out->lateral = range->lateral;
    out->ordinality = range->ordinality;
    out->rows_from = range->is_rowsfrom;
    if (out->functions.count > 0)
        out->node.location = out->functions.items[0]->location;
    return &out->node;
}

static AstNode *convert_table_sample(Parse *p, const RangeTableSample *range)
{
    AstTableSample *out = PARSE_NEW(p, AST_TABLE_SAMPLE, AstTableSample, range->location);

    out->relation = parse_from_item(p, range->relation);
    out->method = parse_name(p, range->method, -1);
    out->args = parse_exprs(p, range->args);
    out->repeatable = parse_expr(p, range->repeatable);
    return &out->node;
}

static AstNode *convert_join(Parse *p, const JoinExpr *join)
{
    AstJoin *out = PARSE_NEW(p, AST_JOIN, AstJoin, -1);

    switch (join->jointype) {
    case JOIN_INNER: out->type = AST_JOIN_INNER; break;
    case JOIN_LEFT: out->type = AST_JOIN_LEFT; break;
    case JOIN_RIGHT: out->type = AST_JOIN_RIGHT; break;
    case JOIN_FULL: out->type = AST_JOIN_FULL; break;
    default: parse_unsupported(p, -1, "this join"); return NULL;
    }
    out->natural = join->isNatural;
    out->left = parse_from_item(p, join->larg);
    out->right = parse_from_item(p, join->rarg);
    out->using_columns = parse_names(p, join->usingClause);
    out->using_alias = parse_alias(p, join->join_using_alias);
    out->on = parse_expr(p, join->quals);
    out->alias = parse_alias(p, join->alias);
    return &out->node;
}

AstNode *parse_from_item(Parse *p, const Node *node)
{
    AstNode *out = NULL;

    if (!parse_enter(p))
        return NULL;
    switch (nodeTag(node)) {
    case T_RangeVar: out = &parse_table_ref(p, (const RangeVar *)node)->node; break;
    case T_RangeSubselect: out = convert_subselect(p, (const RangeSubselect *)node); break;
    case T_RangeFunction: out = convert_range_function(p, (const RangeFunction *)node); break;
    case T_RangeTableSample: out = convert_table_sample(p, (const RangeTableSample *)node); break;
    case T_JoinExpr: out = convert_join(p, (const JoinExpr *)node); break;
    case T_RangeTableFunc:
        parse_unsupported(p, ((const RangeTableFunc *)node)->location, "XMLTABLE");
        break;
    default: parse_unsupported(p, -1, "this item of FROM"); break;
    }
    parse_leave(p);
    return out;
}

// --- WITH, GROUP BY, FOR UPDATE ----------------------------------------------------------------

static AstNode *convert_cte(Parse *p, const Node *node)
{
    static const AstMaterialize materialize[] = {
        [CTEMaterializeDefault] = AST_MATERIALIZE_DEFAULT,
        [CTEMaterializeAlways] = AST_MATERIALIZE_YES,
        [CTEMaterializeNever] = AST_MATERIALIZE_NO,
    };
    const CommonTableExpr *cte = castNode(CommonTableExpr, node);
    AstCte *out = PARSE_NEW(p, AST_CTE, AstCte, cte->location);

    if (cte->search_clause != NULL)
        parse_unsupported(p, cte->search_clause->location, "SEARCH");
    if (cte->cycle_clause != NULL)
        parse_unsupported(p, cte->cycle_clause->location, "CYCLE");
    out->name = parse_str(p, cte->ctename);
    out->columns = parse_names(p, cte->aliascolnames);
    out->materialize = materialize[cte->ctematerialized];
    if (IsA(cte->ctequery, SelectStmt))
        out->query = parse_select(p, (const SelectStmt *)cte->ctequery);
    else
        out->query = parse_statement(p, cte->ctequery);
    return &out->node;
}

AstWith *parse_with(Parse *p, const WithClause *with)
{
    if (with == NULL)
        return NULL;
    AstWith *out = PARSE_NEW(p, AST_WITH, AstWith, with->location);
    out->recursive = with->recursive;
    out->ctes = parse_list(p, with->ctes, convert_cte);
    return out;
}

static AstNode *convert_group_item(Parse *p, const Node *node)
{
    static const AstGroupingSetKind kinds[] = {
        [GROUPING_SET_EMPTY] = AST_GROUPING_EMPTY,
        [GROUPING_SET_ROLLUP] = AST_GROUPING_ROLLUP,
        [GROUPING_SET_CUBE] = AST_GROUPING_CUBE,
        [GROUPING_SET_SETS] = AST_GROUPING_SETS,
    };

    if (!IsA(node, GroupingSet))
        return parse_expr(p, node);
    if (!parse_enter(p))
        return NULL;
    const GroupingSet *set = (const GroupingSet *)node;
    AstGroupingSet *out = PARSE_NEW(p, AST_GROUPING_SET, AstGroupingSet, set->location);
    out->kind = kinds[set->kind];
    out->content = parse_list(p, set->content, convert_group_item);
    parse_leave(p);
    return &out->node;
}

static AstNode *convert_relation(Parse *p, const Node *node)
{
    return &parse_table_ref(p, castNode(RangeVar, node))->node;
}

static AstNode *convert_locking(Parse *p, const Node *node)
{
    static const AstLockStrength strengths[] = {
        [LCS_FORKEYSHARE] = AST_LOCK_KEY_SHARE,
        [LCS_FORSHARE] = AST_LOCK_SHARE,
        [LCS_FORNOKEYUPDATE] = AST_LOCK_NO_KEY_UPDATE,
        [LCS_FORUPDATE] = AST_LOCK_UPDATE,
    };
    static const AstLockWait waits[] = {
        [LockWaitBlock] = AST_LOCK_WAIT,
        [LockWaitSkip] = AST_LOCK_SKIP_LOCKED,
        [LockWaitError] = AST_LOCK_NOWAIT,
    };
    const LockingClause *locking = castNode(LockingClause, node);
    AstLocking *out = PARSE_NEW(p, AST_LOCKING, AstLocking, -1);

    out->tables = parse_list(p, locking->lockedRels, convert_relation);
    out->strength = strengths[locking->strength];
    out->wait = waits[locking->waitPolicy];
    return &out->node;
}

// --- SELECT ------------------------------------------------------------------------------------

static AstNode *convert_values_row(Parse *p, const Node *node)
{
    AstValuesRow *row = PARSE_NEW(p, AST_VALUES_ROW, AstValuesRow, -1);

    row->values = parse_exprs(p, castNode(List, node));
    if (row->values.count > 0 && p->status == OK)
        row->node.location = row->values.items[0]->location;
    return &row->node;
}

static void convert_plain_select(Parse *p, const SelectStmt *select, AstSelect *out)
{
    if (select->intoClause != NULL)
        parse_fail(p, E_SYNTAX, select->intoClause->rel->location,
                   "SELECT ... INTO is not allowed here");
    out->distinct = select->distinctClause != NIL;
    if (out->distinct && linitial(select->distinctClause) != NULL)
        out->distinct_on = parse_exprs(p, select->distinctClause);
    out->targets = parse_list(p, select->targetList, parse_target);
    out->from = parse_list(p, select->fromClause, parse_from_item);
    out->where = parse_expr(p, select->whereClause);
    out->group = parse_list(p, select->groupClause, convert_group_item);
    out->group_distinct = select->groupDistinct;
    out->having = parse_expr(p, select->havingClause);
    out->windows = parse_list(p, select->windowClause, parse_window);
    out->values = parse_list(p, select->valuesLists, convert_values_row);
}

static bool continues_chain(const SelectStmt *left, const SelectStmt *top)
{
    return left->op == top->op && left->all == top->all && left->sortClause == NIL &&
           left->limitCount == NULL && left->limitOffset == NULL && left->lockingClause == NIL &&
           left->withClause == NULL;
}

/* a UNION b UNION c parses as ((a UNION b) UNION c): the left spine is walked, not recursed into.
 */
static void convert_set_operation(Parse *p, const SelectStmt *select, AstSelect *out)
{
    static const AstSetOp ops[] = {
        [SETOP_NONE] = AST_SETOP_NONE,
        [SETOP_UNION] = AST_SETOP_UNION,
        [SETOP_INTERSECT] = AST_SETOP_INTERSECT,
        [SETOP_EXCEPT] = AST_SETOP_EXCEPT,
    };
    const SelectStmt *at = select;
    uint32_t arms = 2;

    while (continues_chain(at->larg, select)) {
        at = at->larg;
        arms++;
    }
    p->arms_max = MAX(p->arms_max, arms);
    out->setop = ops[select->op];
    out->setop_all = select->all;
    out->args.items = scope_new_array(p->scope, AstNode *, arms);
    out->args.count = arms;
    at = select;
    for (uint32_t i = arms - 1; i > 0; i--) {
        out->args.items[i] = parse_select(p, at->rarg);
        if (i == 1)
            out->args.items[0] = parse_select(p, at->larg);
        at = at->larg;
    }
}

AstNode *parse_select(Parse *p, const SelectStmt *select)
{
    if (!parse_enter(p))
        return NULL;
    AstSelect *out = PARSE_NEW(p, AST_SELECT, AstSelect, -1);
    out->with = parse_with(p, select->withClause);
    if (select->op == SETOP_NONE)
        convert_plain_select(p, select, out);
    else
        convert_set_operation(p, select, out);
    out->order = parse_list(p, select->sortClause, parse_sort_key);
    out->limit = parse_expr(p, select->limitCount);
    out->offset = parse_expr(p, select->limitOffset);
    out->with_ties = (int)select->limitOption == LIBRARY_LIMIT_WITH_TIES;
    out->locking = parse_list(p, select->lockingClause, convert_locking);
    parse_leave(p);
    return &out->node;
}
