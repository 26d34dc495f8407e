// SPDX-License-Identifier: Apache-2.0
//
// Conversion of expressions. AND and OR become flat lists; LIKE's and SIMILAR's hidden escape
// functions are taken apart again; $n where only this library's grammar takes it is refused. Part
// of one sql_parse call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

AstList parse_exprs(Parse *p, const List *list)
{
    return parse_list(p, list, parse_expr);
}

static AstNode *refuse_param(Parse *p, const ParamRef *param)
{
    parse_fail(p, E_SYNTAX, param->location, "syntax error at or near \"$%d\"", param->number);
    return NULL;
}

// --- leaves ------------------------------------------------------------------------------------

static AstNode *convert_const(Parse *p, const A_Const *constant)
{
    AstConst *out = PARSE_NEW(p, AST_CONST, AstConst, constant->location);

    if (constant->isnull) {
        out->kind = AST_CONST_NULL;
        return &out->node;
    }
    switch (nodeTag(&constant->val)) {
    case T_Integer:
        out->kind = AST_CONST_INT;
        out->integer = constant->val.ival.ival;
        break;
    case T_Float:
        out->kind = AST_CONST_FLOAT;
        out->text = parse_str(p, constant->val.fval.fval);
        break;
    case T_Boolean:
        out->kind = AST_CONST_BOOL;
        out->boolean = constant->val.boolval.boolval;
        break;
    case T_String:
        out->kind = AST_CONST_STRING;
        out->text = parse_str(p, constant->val.sval.sval);
        break;
    default:
        out->kind = AST_CONST_BITS;
        out->text = parse_str(p, constant->val.bsval.bsval);
        break;
    }
    return &out->node;
}

static AstNode *convert_param(Parse *p, const ParamRef *param)
{
    AstParam *out = PARSE_NEW(p, AST_PARAM, AstParam, param->location);

    if (param->number <= 0)
        parse_fail(p, E_UNDEFINED_PARAMETER, param->location, "there is no parameter $%d",
                   param->number);
    out->number = param->number;
    p->params_max = MAX(p->params_max, param->number);
    return &out->node;
}

static AstNode *convert_column_ref(Parse *p, const ColumnRef *ref)
{
    AstColumnRef *out = PARSE_NEW(p, AST_COLUMN_REF, AstColumnRef, ref->location);
    ListCell *cell;

    out->path.items = scope_new_array(p->scope, Str, list_length(ref->fields));
    foreach(cell, ref->fields) {
        const Node *field = lfirst(cell);
        if (IsA(field, A_Star))
            out->star = true;
        else
            out->path.items[out->path.count++] = parse_str(p, strVal(field));
    }
    return &out->node;
}

static AstNode *convert_sql_value(Parse *p, const SQLValueFunction *value)
{
    static const AstSqlValueKind kinds[] = {
        [SVFOP_CURRENT_DATE] = AST_CURRENT_DATE,
        [SVFOP_CURRENT_TIME] = AST_CURRENT_TIME,
        [SVFOP_CURRENT_TIME_N] = AST_CURRENT_TIME,
        [SVFOP_CURRENT_TIMESTAMP] = AST_CURRENT_TIMESTAMP,
        [SVFOP_CURRENT_TIMESTAMP_N] = AST_CURRENT_TIMESTAMP,
        [SVFOP_LOCALTIME] = AST_LOCALTIME,
        [SVFOP_LOCALTIME_N] = AST_LOCALTIME,
        [SVFOP_LOCALTIMESTAMP] = AST_LOCALTIMESTAMP,
        [SVFOP_LOCALTIMESTAMP_N] = AST_LOCALTIMESTAMP,
        [SVFOP_CURRENT_ROLE] = AST_CURRENT_ROLE,
        [SVFOP_CURRENT_USER] = AST_CURRENT_USER,
        [SVFOP_USER] = AST_USER,
        [SVFOP_SESSION_USER] = AST_SESSION_USER,
        [SVFOP_CURRENT_CATALOG] = AST_CURRENT_CATALOG,
        [SVFOP_CURRENT_SCHEMA] = AST_CURRENT_SCHEMA,
    };
    AstSqlValue *out = PARSE_NEW(p, AST_SQL_VALUE, AstSqlValue, value->location);

    out->kind = kinds[value->op];
    out->precision = value->typmod;
    return &out->node;
}

static AstNode *convert_current_of(Parse *p, const CurrentOfExpr *current)
{
    AstCurrentOf *out = PARSE_NEW(p, AST_CURRENT_OF, AstCurrentOf, -1);

    out->cursor = parse_str(p, current->cursor_name);
    return &out->node;
}

// --- operators ---------------------------------------------------------------------------------

static AstNode *convert_op(Parse *p, const A_Expr *expr)
{
    AstOp *out = PARSE_NEW(p, AST_OP, AstOp, expr->location);

    out->op = parse_name(p, expr->name, expr->location);
    out->left = parse_expr(p, expr->lexpr);
    out->right = parse_expr(p, expr->rexpr);
    return &out->node;
}

static AstNode *convert_op_any(Parse *p, const A_Expr *expr)
{
    AstOpAny *out = PARSE_NEW(p, AST_OP_ANY, AstOpAny, expr->location);

    out->op = parse_name(p, expr->name, expr->location);
    out->left = parse_expr(p, expr->lexpr);
    out->right = parse_expr(p, expr->rexpr);
    out->all = expr->kind == AEXPR_OP_ALL;
    return &out->node;
}

static AstNode *convert_distinct(Parse *p, const A_Expr *expr)
{
    AstDistinctFrom *out = PARSE_NEW(p, AST_DISTINCT_FROM, AstDistinctFrom, expr->location);

    out->left = parse_expr(p, expr->lexpr);
    out->right = parse_expr(p, expr->rexpr);
    out->negated = expr->kind == AEXPR_NOT_DISTINCT;
    return &out->node;
}

static AstNode *convert_nullif(Parse *p, const A_Expr *expr)
{
    AstNullIf *out = PARSE_NEW(p, AST_NULLIF, AstNullIf, expr->location);

    out->left = parse_expr(p, expr->lexpr);
    out->right = parse_expr(p, expr->rexpr);
    return &out->node;
}

static AstNode *convert_in(Parse *p, const A_Expr *expr)
{
    AstInList *out = PARSE_NEW(p, AST_IN_LIST, AstInList, expr->location);

    out->arg = parse_expr(p, expr->lexpr);
    out->items = parse_exprs(p, castNode(List, expr->rexpr));
    out->negated = strcmp(strVal(linitial(expr->name)), "<>") == 0;
    return &out->node;
}

static AstNode *convert_between(Parse *p, const A_Expr *expr)
{
    AstBetween *out = PARSE_NEW(p, AST_BETWEEN, AstBetween, expr->location);
    const List *bounds = castNode(List, expr->rexpr);

    out->arg = parse_expr(p, expr->lexpr);
    out->low = parse_expr(p, linitial(bounds));
    out->high = parse_expr(p, lsecond(bounds));
    out->negated = expr->kind == AEXPR_NOT_BETWEEN || expr->kind == AEXPR_NOT_BETWEEN_SYM;
    out->symmetric = expr->kind == AEXPR_BETWEEN_SYM || expr->kind == AEXPR_NOT_BETWEEN_SYM;
    return &out->node;
}

/* The grammar writes pattern ESCAPE e as a call of pg_catalog.like_escape(pattern, e), at the
   operator's own location, which no call that was written has. */
static const FuncCall *escape_call(const A_Expr *expr)
{
    static const char *const names[] = {"like_escape", "similar_to_escape"};
    const FuncCall *call = (const FuncCall *)expr->rexpr;

    if (!IsA(call, FuncCall) || call->location != expr->location ||
        list_length(call->funcname) != 2)
        return NULL;
    const char *wanted = names[expr->kind == AEXPR_SIMILAR];
    return strcmp(strVal(lsecond(call->funcname)), wanted) == 0 ? call : NULL;
}

static AstNode *convert_like(Parse *p, const A_Expr *expr)
{
    AstLike *out = PARSE_NEW(p, AST_LIKE, AstLike, expr->location);
    const FuncCall *escape = escape_call(expr);

    switch (expr->kind) {
    case AEXPR_ILIKE: out->kind = AST_LIKE_ILIKE; break;
    case AEXPR_SIMILAR: out->kind = AST_LIKE_SIMILAR; break;
    default: out->kind = AST_LIKE_LIKE; break;
    }
    out->negated = strVal(linitial(expr->name))[0] == '!';
    out->arg = parse_expr(p, expr->lexpr);
    if (escape == NULL) {
        out->pattern = parse_expr(p, expr->rexpr);
        return &out->node;
    }
    out->pattern = parse_expr(p, linitial(escape->args));
    if (list_length(escape->args) > 1)
        out->escape = parse_expr(p, lsecond(escape->args));
    return &out->node;
}

static AstNode *convert_a_expr(Parse *p, const A_Expr *expr)
{
    switch (expr->kind) {
    case AEXPR_OP: return convert_op(p, expr);
    case AEXPR_OP_ANY:
    case AEXPR_OP_ALL: return convert_op_any(p, expr);
    case AEXPR_DISTINCT:
    case AEXPR_NOT_DISTINCT: return convert_distinct(p, expr);
    case AEXPR_NULLIF: return convert_nullif(p, expr);
    case AEXPR_IN: return convert_in(p, expr);
    case AEXPR_LIKE:
    case AEXPR_ILIKE:
    case AEXPR_SIMILAR: return convert_like(p, expr);
    case AEXPR_BETWEEN:
    case AEXPR_NOT_BETWEEN:
    case AEXPR_BETWEEN_SYM:
    case AEXPR_NOT_BETWEEN_SYM: return convert_between(p, expr);
    }
    parse_unsupported(p, expr->location, "this operator");
    return NULL;
}

/* An AND's arguments that are ANDs themselves, flat already, give way to their own arguments. */
static AstList splice_same(Parse *p, const AstList *args, AstBoolOp op)
{
    uint32_t count = 0;
    AstList flat = {NULL, 0};

    for (uint32_t i = 0; i < args->count; i++) {
        const AstBoolExpr *arg = (const AstBoolExpr *)args->items[i];
        count += ast_is(&arg->node, AST_BOOL_EXPR) && arg->op == op ? arg->args.count : 1;
    }
    if (op == AST_NOT || count == args->count)
        return *args;
    flat.items = scope_new_array(p->scope, AstNode *, count);
    for (uint32_t i = 0; i < args->count; i++) {
        AstBoolExpr *arg = (AstBoolExpr *)args->items[i];
        if (!ast_is(&arg->node, AST_BOOL_EXPR) || arg->op != op) {
            flat.items[flat.count++] = &arg->node;
            continue;
        }
        memcpy(flat.items + flat.count, arg->args.items, arg->args.count * sizeof(AstNode *));
        flat.count += arg->args.count;
    }
    return flat;
}

static AstNode *convert_bool_expr(Parse *p, const BoolExpr *expr)
{
    static const AstBoolOp ops[] = {[AND_EXPR] = AST_AND, [OR_EXPR] = AST_OR, [NOT_EXPR] = AST_NOT};
    AstBoolExpr *out = PARSE_NEW(p, AST_BOOL_EXPR, AstBoolExpr, expr->location);
    AstList args = parse_exprs(p, expr->args);

    out->op = ops[expr->boolop];
    if (p->status == OK)
        out->args = splice_same(p, &args, out->op);
    return &out->node;
}

static AstNode *convert_null_test(Parse *p, const NullTest *test)
{
    AstNullTest *out = PARSE_NEW(p, AST_NULL_TEST, AstNullTest, test->location);

    out->arg = parse_expr(p, (const Node *)test->arg);
    out->negated = test->nulltesttype == IS_NOT_NULL;
    return &out->node;
}

static AstNode *convert_boolean_test(Parse *p, const BooleanTest *test)
{
    AstBooleanTest *out = PARSE_NEW(p, AST_BOOLEAN_TEST, AstBooleanTest, test->location);
    BoolTestType type = test->booltesttype;

    out->arg = parse_expr(p, (const Node *)test->arg);
    out->negated = type == IS_NOT_TRUE || type == IS_NOT_FALSE || type == IS_NOT_UNKNOWN;
    if (type == IS_TRUE || type == IS_NOT_TRUE)
        out->truth = AST_TRUTH_TRUE;
    else if (type == IS_FALSE || type == IS_NOT_FALSE)
        out->truth = AST_TRUTH_FALSE;
    else
        out->truth = AST_TRUTH_UNKNOWN;
    return &out->node;
}

// --- calls and constructors --------------------------------------------------------------------

static AstNode *convert_func_call(Parse *p, const FuncCall *call)
{
    AstFuncCall *out = PARSE_NEW(p, AST_FUNC_CALL, AstFuncCall, call->location);
    const Node *first = call->args ? linitial(call->args) : NULL;

    out->name = parse_name(p, call->funcname, call->location);
    out->sql_syntax = call->funcformat == COERCE_SQL_SYNTAX;
    if (out->sql_syntax && first != NULL && IsA(first, ParamRef) &&
        str_is(out->name.name, "extract"))
        return refuse_param(p, (const ParamRef *)first);
    out->args = parse_exprs(p, call->args);
    out->order = parse_list(p, call->agg_order, parse_sort_key);
    out->filter = parse_expr(p, call->agg_filter);
    if (call->over != NULL)
        out->over = (AstWindowDef *)parse_window(p, (const Node *)call->over);
    out->within_group = call->agg_within_group;
    out->star = call->agg_star;
    out->distinct = call->agg_distinct;
    out->variadic = call->func_variadic;
    return &out->node;
}

static AstNode *convert_named_arg(Parse *p, const NamedArgExpr *named)
{
    AstNamedArg *out = PARSE_NEW(p, AST_NAMED_ARG, AstNamedArg, named->location);

    out->name = parse_str(p, named->name);
    out->arg = parse_expr(p, (const Node *)named->arg);
    return &out->node;
}

static AstNode *convert_case_when(Parse *p, const Node *node)
{
    const CaseWhen *when = castNode(CaseWhen, node);
    AstCaseWhen *out = PARSE_NEW(p, AST_CASE_WHEN, AstCaseWhen, when->location);

    out->condition = parse_expr(p, (const Node *)when->expr);
    out->result = parse_expr(p, (const Node *)when->result);
    return &out->node;
}

static AstNode *convert_case(Parse *p, const CaseExpr *expr)
{
    AstCase *out = PARSE_NEW(p, AST_CASE, AstCase, expr->location);

    out->arg = parse_expr(p, (const Node *)expr->arg);
    out->whens = parse_list(p, expr->args, convert_case_when);
    out->otherwise = parse_expr(p, (const Node *)expr->defresult);
    return &out->node;
}

static AstNode *convert_coalesce(Parse *p, const CoalesceExpr *expr)
{
    AstCoalesce *out = PARSE_NEW(p, AST_COALESCE, AstCoalesce, expr->location);

    out->args = parse_exprs(p, expr->args);
    return &out->node;
}

static AstNode *convert_min_max(Parse *p, const MinMaxExpr *expr)
{
    AstMinMax *out = PARSE_NEW(p, AST_MIN_MAX, AstMinMax, expr->location);

    out->least = expr->op == IS_LEAST;
    out->args = parse_exprs(p, expr->args);
    return &out->node;
}

/* `date $1` is a cast without a location. */
static AstNode *convert_cast(Parse *p, const TypeCast *cast)
{
    if (IsA(cast->arg, ParamRef) && cast->location < 0)
        return refuse_param(p, (const ParamRef *)cast->arg);
    int location = cast->location < 0 ? cast->typeName->location : cast->location;
    AstCast *out = PARSE_NEW(p, AST_CAST, AstCast, location);
    out->arg = parse_expr(p, cast->arg);
    out->type = parse_type_name(p, cast->typeName);
    return &out->node;
}

static AstNode *convert_collate(Parse *p, const CollateClause *collate)
{
    AstCollate *out = PARSE_NEW(p, AST_COLLATE, AstCollate, collate->location);

    out->arg = parse_expr(p, collate->arg);
    out->collation = parse_name(p, collate->collname, collate->location);
    return &out->node;
}

static AstNode *convert_row(Parse *p, const RowExpr *row)
{
    AstRow *out = PARSE_NEW(p, AST_ROW, AstRow, row->location);

    out->args = parse_exprs(p, row->args);
    out->row_word = row->row_format == COERCE_EXPLICIT_CALL;
    return &out->node;
}

static AstNode *convert_array(Parse *p, const A_ArrayExpr *array)
{
    AstArray *out = PARSE_NEW(p, AST_ARRAY, AstArray, array->location);

    out->elements = parse_exprs(p, array->elements);
    return &out->node;
}

static AstNode *convert_grouping(Parse *p, const GroupingFunc *grouping)
{
    AstGrouping *out = PARSE_NEW(p, AST_GROUPING, AstGrouping, grouping->location);

    out->args = parse_exprs(p, grouping->args);
    return &out->node;
}

static AstNode *convert_sublink(Parse *p, const SubLink *link)
{
    AstSublink *out = PARSE_NEW(p, AST_SUBLINK, AstSublink, link->location);

    switch (link->subLinkType) {
    case EXISTS_SUBLINK: out->kind = AST_SUBLINK_EXISTS; break;
    case ANY_SUBLINK: out->kind = AST_SUBLINK_ANY; break;
    case ALL_SUBLINK: out->kind = AST_SUBLINK_ALL; break;
    case EXPR_SUBLINK: out->kind = AST_SUBLINK_SCALAR; break;
    case ARRAY_SUBLINK: out->kind = AST_SUBLINK_ARRAY; break;
    default: parse_unsupported(p, link->location, "this subquery"); return NULL;
    }
    out->test = parse_expr(p, link->testexpr);
    out->op = parse_name(p, link->operName, link->location);
    out->query = parse_select(p, castNode(SelectStmt, link->subselect));
    return &out->node;
}

static AstNode *convert_multi_assign(Parse *p, const MultiAssignRef *ref)
{
    AstMultiAssign *out = PARSE_NEW(p, AST_MULTI_ASSIGN, AstMultiAssign, -1);

    if (p->multi_source != ref->source) {
        p->multi_node = parse_expr(p, ref->source);
        p->multi_source = ref->source;
    }
    out->source = p->multi_node;
    out->column = (uint32_t)ref->colno;
    out->columns = (uint32_t)ref->ncolumns;
    return &out->node;
}

// --- indirection -------------------------------------------------------------------------------

static AstNode *convert_step(Parse *p, const Node *node)
{
    if (IsA(node, A_Indices)) {
        const A_Indices *indices = (const A_Indices *)node;
        AstSubscript *subscript = PARSE_NEW(p, AST_SUBSCRIPT, AstSubscript, -1);
        subscript->lower = parse_expr(p, indices->lidx);
        subscript->upper = parse_expr(p, indices->uidx);
        subscript->slice = indices->is_slice;
        return &subscript->node;
    }
    AstField *field = PARSE_NEW(p, AST_FIELD, AstField, -1);
    field->star = IsA(node, A_Star);
    if (!field->star)
        field->name = parse_str(p, strVal(node));
    return &field->node;
}

AstList parse_indirection_steps(Parse *p, const List *steps)
{
    return parse_list(p, steps, convert_step);
}

static AstNode *convert_indirection(Parse *p, const A_Indirection *indirection)
{
    AstIndirection *out = PARSE_NEW(p, AST_INDIRECTION, AstIndirection, -1);

    out->arg = parse_expr(p, indirection->arg);
    out->steps = parse_indirection_steps(p, indirection->indirection);
    if (out->arg != NULL)
        out->node.location = out->arg->location;
    return &out->node;
}

// --- all of them -------------------------------------------------------------------------------

static AstNode *convert_expr(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_A_Const: return convert_const(p, (const A_Const *)node);
    case T_ColumnRef: return convert_column_ref(p, (const ColumnRef *)node);
    case T_ParamRef: return convert_param(p, (const ParamRef *)node);
    case T_A_Expr: return convert_a_expr(p, (const A_Expr *)node);
    case T_BoolExpr: return convert_bool_expr(p, (const BoolExpr *)node);
    case T_FuncCall: return convert_func_call(p, (const FuncCall *)node);
    case T_NamedArgExpr: return convert_named_arg(p, (const NamedArgExpr *)node);
    case T_TypeCast: return convert_cast(p, (const TypeCast *)node);
    case T_NullTest: return convert_null_test(p, (const NullTest *)node);
    case T_BooleanTest: return convert_boolean_test(p, (const BooleanTest *)node);
    case T_CaseExpr: return convert_case(p, (const CaseExpr *)node);
    case T_CoalesceExpr: return convert_coalesce(p, (const CoalesceExpr *)node);
    case T_MinMaxExpr: return convert_min_max(p, (const MinMaxExpr *)node);
    case T_CollateClause: return convert_collate(p, (const CollateClause *)node);
    case T_RowExpr: return convert_row(p, (const RowExpr *)node);
    case T_A_ArrayExpr: return convert_array(p, (const A_ArrayExpr *)node);
    case T_A_Indirection: return convert_indirection(p, (const A_Indirection *)node);
    case T_SubLink: return convert_sublink(p, (const SubLink *)node);
    case T_SQLValueFunction: return convert_sql_value(p, (const SQLValueFunction *)node);
    case T_GroupingFunc: return convert_grouping(p, (const GroupingFunc *)node);
    case T_SetToDefault:
        return &PARSE_NEW(p, AST_DEFAULT, AstDefault, ((const SetToDefault *)node)->location)->node;
    case T_MultiAssignRef: return convert_multi_assign(p, (const MultiAssignRef *)node);
    case T_CurrentOfExpr: return convert_current_of(p, (const CurrentOfExpr *)node);
    case T_XmlExpr: parse_unsupported(p, ((const XmlExpr *)node)->location, "XML"); return NULL;
    case T_XmlSerialize:
        parse_unsupported(p, ((const XmlSerialize *)node)->location, "XML");
        return NULL;
    default: parse_unsupported(p, -1, "this expression"); return NULL;
    }
}

AstNode *parse_expr(Parse *p, const Node *node)
{
    if (node == NULL || !parse_enter(p))
        return NULL;
    AstNode *out = convert_expr(p, node);
    parse_leave(p);
    return out;
}

// --- ORDER BY, windows -------------------------------------------------------------------------

AstNode *parse_sort_key(Parse *p, const Node *node)
{
    static const AstSortOrder orders[] = {
        [SORTBY_DEFAULT] = AST_SORT_DEFAULT,
        [SORTBY_ASC] = AST_SORT_ASC,
        [SORTBY_DESC] = AST_SORT_DESC,
        [SORTBY_USING] = AST_SORT_USING,
    };
    static const AstNulls nulls[] = {
        [SORTBY_NULLS_DEFAULT] = AST_NULLS_DEFAULT,
        [SORTBY_NULLS_FIRST] = AST_NULLS_FIRST,
        [SORTBY_NULLS_LAST] = AST_NULLS_LAST,
    };
    const SortBy *sort = castNode(SortBy, node);
    AstSortKey *out = PARSE_NEW(p, AST_SORT_KEY, AstSortKey, sort->location);

    out->expr = parse_expr(p, sort->node);
    out->order = orders[sort->sortby_dir];
    out->nulls = nulls[sort->sortby_nulls];
    out->using_op = parse_name(p, sort->useOp, sort->location);
    if (out->expr != NULL && out->node.location < 0)
        out->node.location = out->expr->location;
    return &out->node;
}

static AstFrameMode frame_mode(int options)
{
    if (options & FRAMEOPTION_ROWS)
        return AST_FRAME_ROWS;
    return options & FRAMEOPTION_GROUPS ? AST_FRAME_GROUPS : AST_FRAME_RANGE;
}

static AstFrameBound frame_start(int options)
{
    if (options & FRAMEOPTION_START_CURRENT_ROW)
        return AST_BOUND_CURRENT_ROW;
    if (options & FRAMEOPTION_START_OFFSET_PRECEDING)
        return AST_BOUND_OFFSET_PRECEDING;
    if (options & FRAMEOPTION_START_OFFSET_FOLLOWING)
        return AST_BOUND_OFFSET_FOLLOWING;
    return AST_BOUND_UNBOUNDED_PRECEDING;
}

static AstFrameBound frame_end(int options)
{
    if (options & FRAMEOPTION_END_UNBOUNDED_FOLLOWING)
        return AST_BOUND_UNBOUNDED_FOLLOWING;
    if (options & FRAMEOPTION_END_OFFSET_PRECEDING)
        return AST_BOUND_OFFSET_PRECEDING;
    if (options & FRAMEOPTION_END_OFFSET_FOLLOWING)
        return AST_BOUND_OFFSET_FOLLOWING;
    return AST_BOUND_CURRENT_ROW;
}

static AstFrameExclude frame_exclude(int options)
{
    if (options & FRAMEOPTION_EXCLUDE_CURRENT_ROW)
        return AST_EXCLUDE_CURRENT_ROW;
    if (options & FRAMEOPTION_EXCLUDE_GROUP)
        return AST_EXCLUDE_GROUP;
    return options & FRAMEOPTION_EXCLUDE_TIES ? AST_EXCLUDE_TIES : AST_EXCLUDE_NONE;
}

AstNode *parse_window(Parse *p, const Node *node)
{
    const WindowDef *window = castNode(WindowDef, node);
    AstWindowDef *out = PARSE_NEW(p, AST_WINDOW_DEF, AstWindowDef, window->location);

    out->name = parse_str(p, window->name);
    out->base = parse_str(p, window->refname);
    out->partition = parse_exprs(p, window->partitionClause);
    out->order = parse_list(p, window->orderClause, parse_sort_key);
    out->frame_given = (window->frameOptions & FRAMEOPTION_NONDEFAULT) != 0;
    out->mode = frame_mode(window->frameOptions);
    out->start = frame_start(window->frameOptions);
    out->end = frame_end(window->frameOptions);
    out->exclude = frame_exclude(window->frameOptions);
    out->start_offset = parse_expr(p, window->startOffset);
    out->end_offset = parse_expr(p, window->endOffset);
    return &out->node;
}
