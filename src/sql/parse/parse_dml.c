// SPDX-License-Identifier: Apache-2.0
//
// Conversion of INSERT, UPDATE, DELETE and TRUNCATE. Part of one sql_parse call; see parse_int.h
// for the sticky status.
#include "sql/parse/parse_int.h"

static AstOnConflict *convert_on_conflict(Parse *p, const OnConflictClause *clause)
{
    if (clause == NULL)
        return NULL;
    AstOnConflict *out = PARSE_NEW(p, AST_ON_CONFLICT, AstOnConflict, clause->location);
    out->update = clause->action == ONCONFLICT_UPDATE;
    out->infer_location = -1;
    if (clause->infer != NULL) {
        out->infer = parse_list(p, clause->infer->indexElems, parse_index_key);
        out->infer_where = parse_expr(p, clause->infer->whereClause);
        out->constraint = parse_str(p, clause->infer->conname);
        out->infer_location = clause->infer->location;
    }
    out->set = parse_list(p, clause->targetList, parse_target);
    out->where = parse_expr(p, clause->whereClause);
    return out;
}

AstNode *parse_insert(Parse *p, const InsertStmt *insert)
{
    static const AstOverriding overriding[] = {
        [OVERRIDING_NOT_SET] = AST_OVERRIDING_NONE,
        [OVERRIDING_USER_VALUE] = AST_OVERRIDING_USER,
        [OVERRIDING_SYSTEM_VALUE] = AST_OVERRIDING_SYSTEM,
    };
    AstInsert *out = PARSE_NEW(p, AST_INSERT, AstInsert, -1);

    out->with = parse_with(p, insert->withClause);
    out->table = parse_table_ref(p, insert->relation);
    out->columns = parse_list(p, insert->cols, parse_target);
    if (insert->selectStmt != NULL)
        out->source = parse_select(p, castNode(SelectStmt, insert->selectStmt));
    out->overriding = overriding[insert->override];
    out->on_conflict = convert_on_conflict(p, insert->onConflictClause);
    out->returning = parse_list(p, insert->returningList, parse_target);
    return &out->node;
}

AstNode *parse_update(Parse *p, const UpdateStmt *update)
{
    AstUpdate *out = PARSE_NEW(p, AST_UPDATE, AstUpdate, -1);

    out->with = parse_with(p, update->withClause);
    out->table = parse_table_ref(p, update->relation);
    out->set = parse_list(p, update->targetList, parse_target);
    out->from = parse_list(p, update->fromClause, parse_from_item);
    out->where = parse_expr(p, update->whereClause);
    out->returning = parse_list(p, update->returningList, parse_target);
    return &out->node;
}

AstNode *parse_delete(Parse *p, const DeleteStmt *deletion)
{
    AstDelete *out = PARSE_NEW(p, AST_DELETE, AstDelete, -1);

    out->with = parse_with(p, deletion->withClause);
    out->table = parse_table_ref(p, deletion->relation);
    out->from = parse_list(p, deletion->usingClause, parse_from_item);
    out->where = parse_expr(p, deletion->whereClause);
    out->returning = parse_list(p, deletion->returningList, parse_target);
    return &out->node;
}

AstNode *parse_truncate(Parse *p, const TruncateStmt *truncate)
{
    AstTruncate *out = PARSE_NEW(p, AST_TRUNCATE, AstTruncate, -1);

    out->tables = parse_list(p, truncate->relations, parse_from_item);
    out->restart_identity = truncate->restart_seqs;
    out->cascade = truncate->behavior == DROP_CASCADE;
    return &out->node;
}
