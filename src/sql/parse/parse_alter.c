// SPDX-License-Identifier: Apache-2.0
//
// Conversion of statements about existing objects: DROP, ALTER TABLE, RENAME, SET SCHEMA, OWNER TO,
// COMMENT, GRANT, REVOKE. How the grammar names an object depends on its kind: a String, a list of
// them, a TypeName, an ObjectWithArgs or a RangeVar; all become an AstObject. Part of one sql_parse
// call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

// --- objects -----------------------------------------------------------------------------------

static bool object_is_member(ObjectType type)
{
    return type == OBJECT_COLUMN || type == OBJECT_TABCONSTRAINT || type == OBJECT_TRIGGER ||
           type == OBJECT_RULE || type == OBJECT_POLICY;
}

static AstNode *convert_arg_type(Parse *p, const Node *node)
{
    if (node == NULL) /* NONE: an operator's missing side */
        return NULL;
    return &parse_type_name(p, castNode(TypeName, node))->node;
}

static AstObject *convert_object(Parse *p, ObjectType type, const Node *node)
{
    AstObject *out = PARSE_NEW(p, AST_OBJECT, AstObject, -1);

    switch (nodeTag(node)) {
    case T_String: out->name.name = parse_str(p, strVal(node)); break;
    case T_List:
        if (object_is_member(type))
            out->name = parse_member_name(p, (const List *)node, &out->member);
        else
            out->name = parse_name(p, (const List *)node, -1);
        break;
    case T_TypeName: out->name = parse_name(p, ((const TypeName *)node)->names, -1); break;
    case T_ObjectWithArgs: {
        const ObjectWithArgs *function = (const ObjectWithArgs *)node;
        out->name = parse_name(p, function->objname, -1);
        out->args_given = !function->args_unspecified;
        out->args = parse_list(p, function->objargs, convert_arg_type);
        break;
    }
    case T_RangeVar: {
        const AstTableRef *table = parse_table_ref(p, (const RangeVar *)node);
        out->name = table->name;
        out->only = table->only;
        out->node.location = table->node.location;
        break;
    }
    default: parse_unsupported(p, -1, "this kind of object"); break;
    }
    return out;
}

static AstList convert_objects(Parse *p, ObjectType type, const List *objects)
{
    AstList out = {.items = scope_new_array(p->scope, AstNode *, list_length(objects)), .count = 0};
    ListCell *cell;

    foreach(cell, objects)
        out.items[out.count++] = &convert_object(p, type, lfirst(cell))->node;
    return out;
}

/* RENAME, SET SCHEMA: the object is a relation, a node, or only a name. */
static AstObject *object_of(Parse *p, ObjectType type, const RangeVar *relation, const Node *node,
                            const char *name)
{
    if (relation != NULL) {
        AstObject *out = convert_object(p, type, (const Node *)relation);
        out->member = parse_str(p, name);
        return out;
    }
    if (node != NULL)
        return convert_object(p, type, node);
    AstObject *out = PARSE_NEW(p, AST_OBJECT, AstObject, -1);
    out->name.name = parse_str(p, name);
    return out;
}

// --- DROP, RENAME, SET SCHEMA, OWNER TO, COMMENT -----------------------------------------------

static AstNode *convert_drop(Parse *p, const DropStmt *drop)
{
    AstDrop *out = PARSE_NEW(p, AST_DROP, AstDrop, -1);

    if (!parse_object_type(drop->removeType, &out->type))
        return parse_unsupported_statement(p, parse_statement_name((const Node *)drop));
    out->objects = convert_objects(p, drop->removeType, drop->objects);
    out->if_exists = drop->missing_ok;
    out->cascade = drop->behavior == DROP_CASCADE;
    out->concurrently = drop->concurrent;
    return &out->node;
}

static AstNode *convert_rename(Parse *p, const RenameStmt *rename)
{
    AstRename *out = PARSE_NEW(p, AST_RENAME, AstRename, -1);

    out->relation_type = AST_OBJ_TABLE;
    if (!parse_object_type(rename->renameType, &out->type) ||
        (rename->renameType == OBJECT_COLUMN &&
         !parse_object_type(rename->relationType, &out->relation_type)))
        return parse_unsupported_statement(p, parse_statement_name((const Node *)rename));
    out->object =
        object_of(p, rename->renameType, rename->relation, rename->object, rename->subname);
    out->new_name = parse_str(p, rename->newname);
    out->if_exists = rename->missing_ok;
    out->cascade = rename->behavior == DROP_CASCADE;
    return &out->node;
}

static AstNode *convert_set_schema(Parse *p, const AlterObjectSchemaStmt *alter)
{
    AstSetSchema *out = PARSE_NEW(p, AST_SET_SCHEMA, AstSetSchema, -1);

    if (!parse_object_type(alter->objectType, &out->type))
        return parse_unsupported_statement(p, parse_statement_name((const Node *)alter));
    out->object = object_of(p, alter->objectType, alter->relation, alter->object, NULL);
    out->new_schema = parse_str(p, alter->newschema);
    out->if_exists = alter->missing_ok;
    return &out->node;
}

static AstNode *convert_set_owner(Parse *p, const AlterOwnerStmt *alter)
{
    AstSetOwner *out = PARSE_NEW(p, AST_SET_OWNER, AstSetOwner, -1);

    if (!parse_object_type(alter->objectType, &out->type))
        return parse_unsupported_statement(p, parse_statement_name((const Node *)alter));
    out->object = object_of(p, alter->objectType, alter->relation, alter->object, NULL);
    out->owner = parse_role(p, alter->newowner);
    return &out->node;
}

static AstNode *convert_comment(Parse *p, const CommentStmt *comment)
{
    AstComment *out = PARSE_NEW(p, AST_COMMENT, AstComment, -1);

    if (!parse_object_type(comment->objtype, &out->type))
        return parse_unsupported_statement(p, "COMMENT on this kind of object");
    out->object = convert_object(p, comment->objtype, comment->object);
    out->text = parse_str(p, comment->comment);
    return &out->node;
}

// --- ALTER TABLE -------------------------------------------------------------------------------

static const struct {
    AlterTableType type;
    AstAlterKind kind;
    const char *words; /* of what the tree cannot say */
} alter_kinds[] = {
    {AT_AddColumn, AST_ALTER_ADD_COLUMN, NULL},
    {AT_DropColumn, AST_ALTER_DROP_COLUMN, NULL},
    {AT_AlterColumnType, AST_ALTER_COLUMN_TYPE, NULL},
    {AT_ColumnDefault, AST_ALTER_SET_DEFAULT, NULL},
    {AT_SetNotNull, AST_ALTER_SET_NOT_NULL, NULL},
    {AT_DropNotNull, AST_ALTER_DROP_NOT_NULL, NULL},
    {AT_DropExpression, AST_ALTER_DROP_EXPRESSION, NULL},
    {AT_AddIdentity, AST_ALTER_ADD_IDENTITY, NULL},
    {AT_SetIdentity, AST_ALTER_SET_IDENTITY, NULL},
    {AT_DropIdentity, AST_ALTER_DROP_IDENTITY, NULL},
    {AT_SetStatistics, AST_ALTER_SET_STATISTICS, NULL},
    {AT_SetStorage, AST_ALTER_SET_STORAGE, NULL},
    {AT_SetCompression, AST_ALTER_SET_COMPRESSION, NULL},
    {AT_SetOptions, AST_ALTER_SET_COLUMN_OPTIONS, NULL},
    {AT_ResetOptions, AST_ALTER_RESET_COLUMN_OPTIONS, NULL},
    {AT_AddConstraint, AST_ALTER_ADD_CONSTRAINT, NULL},
    {AT_AlterConstraint, AST_ALTER_ALTER_CONSTRAINT, NULL},
    {AT_ValidateConstraint, AST_ALTER_VALIDATE_CONSTRAINT, NULL},
    {AT_DropConstraint, AST_ALTER_DROP_CONSTRAINT, NULL},
    {AT_ChangeOwner, AST_ALTER_OWNER, NULL},
    {AT_SetRelOptions, AST_ALTER_SET_OPTIONS, NULL},
    {AT_ResetRelOptions, AST_ALTER_RESET_OPTIONS, NULL},
    {AT_SetTableSpace, AST_ALTER_SET_TABLESPACE, NULL},
    {AT_SetAccessMethod, AST_ALTER_SET_ACCESS_METHOD, NULL},
    {AT_SetLogged, AST_ALTER_SET_LOGGED, NULL},
    {AT_SetUnLogged, AST_ALTER_SET_UNLOGGED, NULL},
    {AT_ClusterOn, AST_ALTER_CLUSTER_ON, NULL},
    {AT_DropCluster, AST_ALTER_SET_WITHOUT_CLUSTER, NULL},
    {AT_DropOids, AST_ALTER_SET_WITHOUT_OIDS, NULL},
    {AT_AlterColumnGenericOptions, AST_ALTER_UNSUPPORTED, "OPTIONS"},
    {AT_EnableTrig, AST_ALTER_UNSUPPORTED, "ENABLE TRIGGER"},
    {AT_EnableAlwaysTrig, AST_ALTER_UNSUPPORTED, "ENABLE ALWAYS TRIGGER"},
    {AT_EnableReplicaTrig, AST_ALTER_UNSUPPORTED, "ENABLE REPLICA TRIGGER"},
    {AT_DisableTrig, AST_ALTER_UNSUPPORTED, "DISABLE TRIGGER"},
    {AT_EnableTrigAll, AST_ALTER_UNSUPPORTED, "ENABLE TRIGGER ALL"},
    {AT_DisableTrigAll, AST_ALTER_UNSUPPORTED, "DISABLE TRIGGER ALL"},
    {AT_EnableTrigUser, AST_ALTER_UNSUPPORTED, "ENABLE TRIGGER USER"},
    {AT_DisableTrigUser, AST_ALTER_UNSUPPORTED, "DISABLE TRIGGER USER"},
    {AT_EnableRule, AST_ALTER_UNSUPPORTED, "ENABLE RULE"},
    {AT_EnableAlwaysRule, AST_ALTER_UNSUPPORTED, "ENABLE ALWAYS RULE"},
    {AT_EnableReplicaRule, AST_ALTER_UNSUPPORTED, "ENABLE REPLICA RULE"},
    {AT_DisableRule, AST_ALTER_UNSUPPORTED, "DISABLE RULE"},
    {AT_AddInherit, AST_ALTER_UNSUPPORTED, "INHERIT"},
    {AT_DropInherit, AST_ALTER_UNSUPPORTED, "NO INHERIT"},
    {AT_AddOf, AST_ALTER_UNSUPPORTED, "OF"},
    {AT_DropOf, AST_ALTER_UNSUPPORTED, "NOT OF"},
    {AT_ReplicaIdentity, AST_ALTER_UNSUPPORTED, "REPLICA IDENTITY"},
    {AT_EnableRowSecurity, AST_ALTER_UNSUPPORTED, "ENABLE ROW LEVEL SECURITY"},
    {AT_DisableRowSecurity, AST_ALTER_UNSUPPORTED, "DISABLE ROW LEVEL SECURITY"},
    {AT_ForceRowSecurity, AST_ALTER_UNSUPPORTED, "FORCE ROW LEVEL SECURITY"},
    {AT_NoForceRowSecurity, AST_ALTER_UNSUPPORTED, "NO FORCE ROW LEVEL SECURITY"},
    {AT_GenericOptions, AST_ALTER_UNSUPPORTED, "OPTIONS"},
    {AT_AttachPartition, AST_ALTER_UNSUPPORTED, "ATTACH PARTITION"},
    {AT_DetachPartition, AST_ALTER_UNSUPPORTED, "DETACH PARTITION"},
    {AT_DetachPartitionFinalize, AST_ALTER_UNSUPPORTED, "DETACH PARTITION"},
};

static void convert_alter_kind(Parse *p, const AlterTableCmd *command, AstAlterCommand *out)
{
    out->kind = AST_ALTER_UNSUPPORTED;
    out->value = STR("this action");
    for (size_t i = 0; i < ARRAY_COUNT(alter_kinds); i++) {
        if (alter_kinds[i].type != command->subtype)
            continue;
        out->kind = alter_kinds[i].kind;
        out->value = parse_str(p, alter_kinds[i].words);
        break;
    }
    if (out->kind == AST_ALTER_SET_DEFAULT && command->def == NULL)
        out->kind = AST_ALTER_DROP_DEFAULT;
}

/* What the command carries besides its names. */
static void convert_alter_def(Parse *p, const Node *def, AstAlterCommand *out)
{
    switch (out->kind) {
    case AST_ALTER_ADD_COLUMN: out->column = (AstColumnDef *)parse_column_def(p, def); break;
    case AST_ALTER_COLUMN_TYPE:
        out->column = (AstColumnDef *)parse_column_def(p, def);
        out->expr = parse_expr(p, ((const ColumnDef *)def)->raw_default);
        break;
    case AST_ALTER_SET_DEFAULT: out->expr = parse_expr(p, def); break;
    case AST_ALTER_ADD_IDENTITY:
    case AST_ALTER_ADD_CONSTRAINT:
    case AST_ALTER_ALTER_CONSTRAINT:
        out->constraint = (AstConstraint *)parse_constraint(p, def);
        break;
    case AST_ALTER_SET_IDENTITY:
    case AST_ALTER_SET_COLUMN_OPTIONS:
    case AST_ALTER_RESET_COLUMN_OPTIONS:
    case AST_ALTER_SET_OPTIONS:
    case AST_ALTER_RESET_OPTIONS: out->options = parse_options(p, (const List *)def); break;
    case AST_ALTER_SET_STATISTICS: out->number = intVal(def); break;
    case AST_ALTER_SET_STORAGE:
    case AST_ALTER_SET_COMPRESSION: out->value = parse_str(p, strVal(def)); break;
    default: break;
    }
}

static AstNode *convert_alter_command(Parse *p, const Node *node)
{
    const AlterTableCmd *command = castNode(AlterTableCmd, node);
    AstAlterCommand *out = PARSE_NEW(p, AST_ALTER_COMMAND, AstAlterCommand, -1);

    convert_alter_kind(p, command, out);
    out->name = parse_str(p, command->name);
    if (out->kind == AST_ALTER_SET_STATISTICS && command->name == NULL)
        parse_unsupported(p, -1, "ALTER COLUMN by number");
    convert_alter_def(p, command->def, out);
    out->role = parse_role(p, command->newowner);
    out->if_exists = command->missing_ok;
    out->cascade = command->behavior == DROP_CASCADE;
    return &out->node;
}

static AstNode *convert_alter_table(Parse *p, const AlterTableStmt *alter)
{
    AstAlterTable *out = PARSE_NEW(p, AST_ALTER_TABLE, AstAlterTable, -1);

    if (!parse_object_type(alter->objtype, &out->type) || out->type == AST_OBJ_TYPE)
        return parse_unsupported_statement(p, parse_statement_name((const Node *)alter));
    out->table = parse_table_ref(p, alter->relation);
    out->if_exists = alter->missing_ok;
    out->commands = parse_list(p, alter->cmds, convert_alter_command);
    return &out->node;
}

// --- GRANT, REVOKE -----------------------------------------------------------------------------

static AstNode *convert_privilege(Parse *p, const Node *node)
{
    const AccessPriv *privilege = castNode(AccessPriv, node);
    AstPrivilege *out = PARSE_NEW(p, AST_PRIVILEGE, AstPrivilege, -1);

    out->name = parse_str(p, privilege->priv_name);
    out->columns = parse_names(p, privilege->cols);
    return &out->node;
}

static AstNode *convert_grantee(Parse *p, const Node *node)
{
    return &parse_role(p, castNode(RoleSpec, node))->node;
}

static AstNode *convert_grant(Parse *p, const GrantStmt *grant)
{
    AstGrant *out = PARSE_NEW(p, AST_GRANT, AstGrant, -1);

    if (!parse_object_type(grant->objtype, &out->type) || grant->targtype == ACL_TARGET_DEFAULTS)
        return parse_unsupported_statement(p, grant->is_grant ? "GRANT on this kind of object"
                                                              : "REVOKE on this kind of object");
    out->grant = grant->is_grant;
    out->all_in_schema = grant->targtype == ACL_TARGET_ALL_IN_SCHEMA;
    out->objects = convert_objects(p, grant->objtype, grant->objects);
    out->privileges = parse_list(p, grant->privileges, convert_privilege);
    out->grantees = parse_list(p, grant->grantees, convert_grantee);
    out->grant_option = grant->grant_option;
    out->grantor = parse_role(p, grant->grantor);
    out->cascade = grant->behavior == DROP_CASCADE;
    return &out->node;
}

static AstNode *convert_grant_role(Parse *p, const GrantRoleStmt *grant)
{
    AstGrantRole *out = PARSE_NEW(p, AST_GRANT_ROLE, AstGrantRole, -1);
    ListCell *cell;

    out->grant = grant->is_grant;
    out->roles.items = scope_new_array(p->scope, Str, list_length(grant->granted_roles));
    foreach(cell, grant->granted_roles) {
        const AccessPriv *role = lfirst_node(AccessPriv, cell);
        if (role->cols != NIL)
            parse_fail(p, E_SYNTAX, -1, "column names cannot be included in GRANT/REVOKE ROLE");
        out->roles.items[out->roles.count++] = parse_str(p, role->priv_name);
    }
    out->grantees = parse_list(p, grant->grantee_roles, convert_grantee);
    out->admin_option = grant->admin_opt;
    out->grantor = parse_role(p, grant->grantor);
    out->cascade = grant->behavior == DROP_CASCADE;
    return &out->node;
}

AstNode *parse_alter_statement(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_DropStmt: return convert_drop(p, (const DropStmt *)node);
    case T_RenameStmt: return convert_rename(p, (const RenameStmt *)node);
    case T_AlterObjectSchemaStmt: return convert_set_schema(p, (const AlterObjectSchemaStmt *)node);
    case T_AlterOwnerStmt: return convert_set_owner(p, (const AlterOwnerStmt *)node);
    case T_CommentStmt: return convert_comment(p, (const CommentStmt *)node);
    case T_AlterTableStmt: return convert_alter_table(p, (const AlterTableStmt *)node);
    case T_GrantStmt: return convert_grant(p, (const GrantStmt *)node);
    case T_GrantRoleStmt: return convert_grant_role(p, (const GrantRoleStmt *)node);
    default: return NULL;
    }
}
