// SPDX-License-Identifier: Apache-2.0
//
// Conversion of the other statements: transactions, SET and SHOW, COPY, EXPLAIN, PREPARE, cursors,
// LOCK, VACUUM, NOTIFY. Part of one sql_parse call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

#include <limits.h>

// --- transactions ------------------------------------------------------------------------------

static AstIsolation isolation_of(const char *words)
{
    static const char *const names[] = {
        [AST_ISOLATION_READ_UNCOMMITTED] = "read uncommitted",
        [AST_ISOLATION_READ_COMMITTED] = "read committed",
        [AST_ISOLATION_REPEATABLE_READ] = "repeatable read",
        [AST_ISOLATION_SERIALIZABLE] = "serializable",
    };

    for (AstIsolation i = AST_ISOLATION_READ_UNCOMMITTED; i <= AST_ISOLATION_SERIALIZABLE; i++)
        if (strcmp(names[i], words) == 0)
            return i;
    return AST_ISOLATION_NONE;
}

static AstTransactionModes convert_modes(const List *options)
{
    AstTransactionModes modes = {.isolation = AST_ISOLATION_NONE};
    ListCell *cell;

    foreach(cell, options) {
        const DefElem *element = lfirst_node(DefElem, cell);
        const A_Const *value = castNode(A_Const, element->arg);
        if (strcmp(element->defname, "transaction_isolation") == 0)
            modes.isolation = isolation_of(value->val.sval.sval);
        else if (strcmp(element->defname, "transaction_read_only") == 0)
            modes.read_only = value->val.ival.ival ? AST_ON : AST_OFF;
        else
            modes.deferrable = value->val.ival.ival ? AST_ON : AST_OFF;
    }
    return modes;
}

static AstNode *convert_transaction(Parse *p, const TransactionStmt *transaction)
{
    static const AstTransactionKind kinds[] = {
        [TRANS_STMT_BEGIN] = AST_TX_BEGIN,
        [TRANS_STMT_START] = AST_TX_START,
        [TRANS_STMT_COMMIT] = AST_TX_COMMIT,
        [TRANS_STMT_ROLLBACK] = AST_TX_ROLLBACK,
        [TRANS_STMT_SAVEPOINT] = AST_TX_SAVEPOINT,
        [TRANS_STMT_RELEASE] = AST_TX_RELEASE,
        [TRANS_STMT_ROLLBACK_TO] = AST_TX_ROLLBACK_TO,
        [TRANS_STMT_PREPARE] = AST_TX_PREPARE,
        [TRANS_STMT_COMMIT_PREPARED] = AST_TX_COMMIT_PREPARED,
        [TRANS_STMT_ROLLBACK_PREPARED] = AST_TX_ROLLBACK_PREPARED,
    };
    AstTransaction *out = PARSE_NEW(p, AST_TRANSACTION, AstTransaction, -1);

    out->kind = kinds[transaction->kind];
    out->modes = convert_modes(transaction->options);
    out->savepoint = parse_str(p, transaction->savepoint_name);
    out->gid = parse_str(p, transaction->gid);
    out->chain = transaction->chain;
    return &out->node;
}

static AstNode *convert_relation(Parse *p, const Node *node)
{
    return &parse_table_ref(p, castNode(RangeVar, node))->node;
}

static AstNode *convert_set_constraints(Parse *p, const ConstraintsSetStmt *set)
{
    AstSetConstraints *out = PARSE_NEW(p, AST_SET_CONSTRAINTS, AstSetConstraints, -1);

    out->constraints = parse_list(p, set->constraints, convert_relation);
    out->deferred = set->deferred;
    return &out->node;
}

// --- SET, SHOW ---------------------------------------------------------------------------------

static AstNode *convert_set_value(Parse *p, const Node *node)
{
    if (IsA(node, ParamRef))
        return parse_value(p, node); /* refuses it */
    return parse_expr(p, node);
}

static void convert_set_multi(Parse *p, const VariableSetStmt *set, AstSet *out)
{
    if (strcmp(set->name, "TRANSACTION SNAPSHOT") == 0) {
        out->kind = AST_SET_SNAPSHOT;
        out->values = parse_exprs(p, set->args);
        return;
    }
    bool session = strcmp(set->name, "SESSION CHARACTERISTICS") == 0;
    out->kind = session ? AST_SET_SESSION_CHARACTERISTICS : AST_SET_TRANSACTION;
    out->modes = convert_modes(set->args);
}

AstSet *parse_set(Parse *p, const VariableSetStmt *set)
{
    static const AstSetKind kinds[] = {
        [VAR_SET_VALUE] = AST_SET_VALUE,     [VAR_SET_DEFAULT] = AST_SET_DEFAULT,
        [VAR_SET_CURRENT] = AST_SET_CURRENT, [VAR_SET_MULTI] = AST_SET_TRANSACTION,
        [VAR_RESET] = AST_SET_RESET,         [VAR_RESET_ALL] = AST_SET_RESET_ALL,
    };
    AstSet *out = PARSE_NEW(p, AST_SET, AstSet, -1);

    out->kind = kinds[set->kind];
    out->local = set->is_local;
    out->name = parse_str(p, set->name);
    if (set->kind == VAR_SET_MULTI)
        convert_set_multi(p, set, out);
    else
        out->values = parse_list(p, set->args, convert_set_value);
    return out;
}

static AstNode *convert_show(Parse *p, const VariableShowStmt *show)
{
    AstShow *out = PARSE_NEW(p, AST_SHOW, AstShow, -1);

    out->name = parse_str(p, show->name);
    return &out->node;
}

// --- COPY, EXPLAIN, PREPARE --------------------------------------------------------------------

static AstNode *convert_copy(Parse *p, const CopyStmt *copy)
{
    AstCopy *out = PARSE_NEW(p, AST_COPY, AstCopy, -1);

    out->table = parse_table_ref(p, copy->relation);
    out->columns = parse_names(p, copy->attlist);
    if (copy->query != NULL)
        out->query = parse_statement(p, copy->query);
    if (ast_is(out->query, AST_CREATE_TABLE_AS))
        parse_fail(p, E_FEATURE_NOT_SUPPORTED, -1, "COPY (SELECT INTO) is not supported");
    out->is_from = copy->is_from;
    out->is_program = copy->is_program;
    out->filename = parse_str(p, copy->filename);
    out->options = parse_options(p, copy->options);
    out->where = parse_expr(p, copy->whereClause);
    return &out->node;
}

static AstNode *convert_explain(Parse *p, const ExplainStmt *explain)
{
    AstExplain *out = PARSE_NEW(p, AST_EXPLAIN, AstExplain, -1);

    out->statement = parse_statement(p, explain->query);
    out->options = parse_options(p, explain->options);
    return &out->node;
}

static AstNode *convert_type(Parse *p, const Node *node)
{
    return &parse_type_name(p, castNode(TypeName, node))->node;
}

static AstNode *convert_prepare(Parse *p, const PrepareStmt *prepare)
{
    AstPrepare *out = PARSE_NEW(p, AST_PREPARE, AstPrepare, -1);

    out->name = parse_str(p, prepare->name);
    out->types = parse_list(p, prepare->argtypes, convert_type);
    out->statement = parse_statement(p, prepare->query);
    return &out->node;
}

static AstNode *convert_execute(Parse *p, const ExecuteStmt *execute)
{
    AstExecute *out = PARSE_NEW(p, AST_EXECUTE, AstExecute, -1);

    out->name = parse_str(p, execute->name);
    out->args = parse_exprs(p, execute->params);
    return &out->node;
}

static AstNode *convert_deallocate(Parse *p, const DeallocateStmt *deallocate)
{
    AstDeallocate *out = PARSE_NEW(p, AST_DEALLOCATE, AstDeallocate, -1);

    out->name = parse_str(p, deallocate->name);
    return &out->node;
}

// --- cursors -----------------------------------------------------------------------------------

static AstNode *convert_declare(Parse *p, const DeclareCursorStmt *declare)
{
    AstDeclareCursor *out = PARSE_NEW(p, AST_DECLARE_CURSOR, AstDeclareCursor, -1);

    out->name = parse_str(p, declare->portalname);
    out->binary = (declare->options & CURSOR_OPT_BINARY) != 0;
    out->scroll = (declare->options & CURSOR_OPT_SCROLL) != 0;
    out->no_scroll = (declare->options & CURSOR_OPT_NO_SCROLL) != 0;
    out->insensitive = (declare->options & CURSOR_OPT_INSENSITIVE) != 0;
    out->asensitive = (declare->options & CURSOR_OPT_ASENSITIVE) != 0;
    out->hold = (declare->options & CURSOR_OPT_HOLD) != 0;
    out->query = parse_select(p, castNode(SelectStmt, declare->query));
    return &out->node;
}

static AstNode *convert_fetch(Parse *p, const FetchStmt *fetch)
{
    static const AstFetchDirection directions[] = {
        [FETCH_FORWARD] = AST_FETCH_FORWARD,
        [FETCH_BACKWARD] = AST_FETCH_BACKWARD,
        [FETCH_ABSOLUTE] = AST_FETCH_ABSOLUTE,
        [FETCH_RELATIVE] = AST_FETCH_RELATIVE,
    };
    AstFetch *out = PARSE_NEW(p, AST_FETCH, AstFetch, -1);

    out->direction = directions[fetch->direction];
    out->all = fetch->howMany == FETCH_ALL;
    out->count = fetch->howMany;
    out->cursor = parse_str(p, fetch->portalname);
    out->move = fetch->ismove;
    return &out->node;
}

static AstNode *convert_close(Parse *p, const ClosePortalStmt *close)
{
    AstClose *out = PARSE_NEW(p, AST_CLOSE, AstClose, -1);

    out->cursor = parse_str(p, close->portalname);
    return &out->node;
}

// --- LOCK, VACUUM, REINDEX, DISCARD ------------------------------------------------------------

static AstNode *convert_lock(Parse *p, const LockStmt *lock)
{
    AstLock *out = PARSE_NEW(p, AST_LOCK, AstLock, -1);

    out->tables = parse_list(p, lock->relations, convert_relation);
    out->mode = lock->mode;
    out->nowait = lock->nowait;
    return &out->node;
}

static AstNode *convert_vacuum_table(Parse *p, const Node *node)
{
    const VacuumRelation *relation = castNode(VacuumRelation, node);
    AstVacuumTable *out = PARSE_NEW(p, AST_VACUUM_TABLE, AstVacuumTable, -1);

    out->table = parse_table_ref(p, relation->relation);
    out->columns = parse_names(p, relation->va_cols);
    return &out->node;
}

static AstNode *convert_vacuum(Parse *p, const VacuumStmt *vacuum)
{
    AstVacuum *out = PARSE_NEW(p, AST_VACUUM, AstVacuum, -1);

    out->vacuum = vacuum->is_vacuumcmd;
    out->options = parse_options(p, vacuum->options);
    out->tables = parse_list(p, vacuum->rels, convert_vacuum_table);
    return &out->node;
}

static AstNode *convert_reindex(Parse *p, const ReindexStmt *reindex)
{
    static const AstReindexKind kinds[] = {
        [REINDEX_OBJECT_INDEX] = AST_REINDEX_INDEX,
        [REINDEX_OBJECT_TABLE] = AST_REINDEX_TABLE,
        [REINDEX_OBJECT_SCHEMA] = AST_REINDEX_SCHEMA,
        [REINDEX_OBJECT_SYSTEM] = AST_REINDEX_SYSTEM,
        [REINDEX_OBJECT_DATABASE] = AST_REINDEX_DATABASE,
    };
    AstReindex *out = PARSE_NEW(p, AST_REINDEX, AstReindex, -1);

    out->kind = kinds[reindex->kind];
    out->relation = parse_table_ref(p, reindex->relation);
    out->name = parse_str(p, reindex->name);
    out->options = parse_options(p, reindex->params);
    return &out->node;
}

static AstNode *convert_discard(Parse *p, const DiscardStmt *discard)
{
    static const AstDiscardTarget targets[] = {
        [DISCARD_ALL] = AST_DISCARD_ALL,
        [DISCARD_PLANS] = AST_DISCARD_PLANS,
        [DISCARD_SEQUENCES] = AST_DISCARD_SEQUENCES,
        [DISCARD_TEMP] = AST_DISCARD_TEMP,
    };
    AstDiscard *out = PARSE_NEW(p, AST_DISCARD, AstDiscard, -1);

    out->target = targets[discard->target];
    return &out->node;
}

// --- NOTIFY, DO, CALL --------------------------------------------------------------------------

static AstNode *convert_notify(Parse *p, AstNotifyKind kind, const char *channel,
                               const char *payload)
{
    AstNotify *out = PARSE_NEW(p, AST_NOTIFY, AstNotify, -1);

    out->kind = kind;
    out->channel = parse_str(p, channel);
    out->payload = parse_str(p, payload);
    return &out->node;
}

static AstNode *convert_do(Parse *p, const DoStmt *statement)
{
    AstDo *out = PARSE_NEW(p, AST_DO, AstDo, -1);
    ListCell *cell;

    foreach(cell, statement->args) {
        const DefElem *element = lfirst_node(DefElem, cell);
        Str *at = strcmp(element->defname, "as") == 0 ? &out->body : &out->language;
        if (at->ptr != NULL)
            parse_fail(p, E_SYNTAX, element->location, "conflicting or redundant options");
        *at = parse_str(p, strVal(element->arg));
    }
    if (out->body.ptr == NULL)
        parse_fail(p, E_SYNTAX, -1, "no inline code specified");
    return &out->node;
}

static AstNode *convert_call(Parse *p, const CallStmt *call)
{
    AstCall *out = PARSE_NEW(p, AST_CALL, AstCall, -1);

    out->function = (AstFuncCall *)parse_expr(p, (const Node *)call->funccall);
    return &out->node;
}

static AstNode *convert_session_statement(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_DiscardStmt: return convert_discard(p, (const DiscardStmt *)node);
    case T_CheckPointStmt: return &PARSE_NEW(p, AST_CHECKPOINT, AstCheckpoint, -1)->node;
    case T_NotifyStmt: {
        const NotifyStmt *notify = (const NotifyStmt *)node;
        return convert_notify(p, AST_NOTIFY_NOTIFY, notify->conditionname, notify->payload);
    }
    case T_ListenStmt:
        return convert_notify(p, AST_NOTIFY_LISTEN, ((const ListenStmt *)node)->conditionname,
                              NULL);
    case T_UnlistenStmt:
        return convert_notify(p, AST_NOTIFY_UNLISTEN, ((const UnlistenStmt *)node)->conditionname,
                              NULL);
    case T_DoStmt: return convert_do(p, (const DoStmt *)node);
    case T_CallStmt: return convert_call(p, (const CallStmt *)node);
    default: return NULL;
    }
}

AstNode *parse_utility_statement(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_TransactionStmt: return convert_transaction(p, (const TransactionStmt *)node);
    case T_ConstraintsSetStmt: return convert_set_constraints(p, (const ConstraintsSetStmt *)node);
    case T_VariableSetStmt: return &parse_set(p, (const VariableSetStmt *)node)->node;
    case T_VariableShowStmt: return convert_show(p, (const VariableShowStmt *)node);
    case T_CopyStmt: return convert_copy(p, (const CopyStmt *)node);
    case T_ExplainStmt: return convert_explain(p, (const ExplainStmt *)node);
    case T_PrepareStmt: return convert_prepare(p, (const PrepareStmt *)node);
    case T_ExecuteStmt: return convert_execute(p, (const ExecuteStmt *)node);
    case T_DeallocateStmt: return convert_deallocate(p, (const DeallocateStmt *)node);
    case T_DeclareCursorStmt: return convert_declare(p, (const DeclareCursorStmt *)node);
    case T_FetchStmt: return convert_fetch(p, (const FetchStmt *)node);
    case T_ClosePortalStmt: return convert_close(p, (const ClosePortalStmt *)node);
    case T_LockStmt: return convert_lock(p, (const LockStmt *)node);
    case T_VacuumStmt: return convert_vacuum(p, (const VacuumStmt *)node);
    case T_ReindexStmt: return convert_reindex(p, (const ReindexStmt *)node);
    default: return convert_session_statement(p, node);
    }
}
