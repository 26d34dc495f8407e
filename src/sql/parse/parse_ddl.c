// SPDX-License-Identifier: Apache-2.0
//
// Conversion of statements that make or change sequences, schemas, databases and roles. Part of one
// sql_parse call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

static AstNode *convert_create_sequence(Parse *p, const CreateSeqStmt *create)
{
    AstCreateSequence *out = PARSE_NEW(p, AST_CREATE_SEQUENCE, AstCreateSequence, -1);

    out->sequence = parse_table_ref(p, create->sequence);
    out->persistence = parse_persistence(create->sequence);
    out->if_not_exists = create->if_not_exists;
    out->options = parse_options(p, create->options);
    return &out->node;
}

static AstNode *convert_alter_sequence(Parse *p, const AlterSeqStmt *alter)
{
    AstAlterSequence *out = PARSE_NEW(p, AST_ALTER_SEQUENCE, AstAlterSequence, -1);

    out->sequence = parse_table_ref(p, alter->sequence);
    out->if_exists = alter->missing_ok;
    out->options = parse_options(p, alter->options);
    return &out->node;
}

static AstNode *convert_schema_element(Parse *p, const Node *node)
{
    return parse_statement(p, node);
}

static AstNode *convert_create_schema(Parse *p, const CreateSchemaStmt *create)
{
    AstCreateSchema *out = PARSE_NEW(p, AST_CREATE_SCHEMA, AstCreateSchema, -1);

    out->name = parse_str(p, create->schemaname);
    out->owner = parse_role(p, create->authrole);
    out->if_not_exists = create->if_not_exists;
    out->elements = parse_list(p, create->schemaElts, convert_schema_element);
    return &out->node;
}

static AstNode *convert_create_database(Parse *p, const CreatedbStmt *create)
{
    AstCreateDatabase *out = PARSE_NEW(p, AST_CREATE_DATABASE, AstCreateDatabase, -1);

    out->name = parse_str(p, create->dbname);
    out->options = parse_options(p, create->options);
    return &out->node;
}

static AstNode *convert_alter_database(Parse *p, const AlterDatabaseStmt *alter)
{
    AstAlterDatabase *out = PARSE_NEW(p, AST_ALTER_DATABASE, AstAlterDatabase, -1);

    out->name = parse_str(p, alter->dbname);
    out->options = parse_options(p, alter->options);
    return &out->node;
}

static AstNode *convert_alter_database_set(Parse *p, const AlterDatabaseSetStmt *alter)
{
    AstAlterDatabaseSet *out = PARSE_NEW(p, AST_ALTER_DATABASE_SET, AstAlterDatabaseSet, -1);

    out->name = parse_str(p, alter->dbname);
    out->set = parse_set(p, alter->setstmt);
    return &out->node;
}

static AstNode *convert_drop_database(Parse *p, const DropdbStmt *drop)
{
    AstDropDatabase *out = PARSE_NEW(p, AST_DROP_DATABASE, AstDropDatabase, -1);

    out->name = parse_str(p, drop->dbname);
    out->if_exists = drop->missing_ok;
    out->options = parse_options(p, drop->options);
    return &out->node;
}

static AstNode *convert_create_role(Parse *p, const CreateRoleStmt *create)
{
    static const AstRoleStatement statements[] = {
        [ROLESTMT_ROLE] = AST_CREATE_AS_ROLE,
        [ROLESTMT_USER] = AST_CREATE_AS_USER,
        [ROLESTMT_GROUP] = AST_CREATE_AS_GROUP,
    };
    AstCreateRole *out = PARSE_NEW(p, AST_CREATE_ROLE, AstCreateRole, -1);

    out->as = statements[create->stmt_type];
    out->name = parse_str(p, create->role);
    out->options = parse_options(p, create->options);
    return &out->node;
}

static AstNode *convert_alter_role(Parse *p, const AlterRoleStmt *alter)
{
    AstAlterRole *out = PARSE_NEW(p, AST_ALTER_ROLE, AstAlterRole, -1);

    out->role = parse_role(p, alter->role);
    out->options = parse_options(p, alter->options);
    out->drop_members = alter->action < 0;
    return &out->node;
}

static AstNode *convert_alter_role_set(Parse *p, const AlterRoleSetStmt *alter)
{
    AstAlterRoleSet *out = PARSE_NEW(p, AST_ALTER_ROLE_SET, AstAlterRoleSet, -1);

    out->role = parse_role(p, alter->role);
    out->database = parse_str(p, alter->database);
    out->set = parse_set(p, alter->setstmt);
    return &out->node;
}

static AstNode *convert_role(Parse *p, const Node *node)
{
    return &parse_role(p, castNode(RoleSpec, node))->node;
}

static AstNode *convert_drop_role(Parse *p, const DropRoleStmt *drop)
{
    AstDropRole *out = PARSE_NEW(p, AST_DROP_ROLE, AstDropRole, -1);

    out->roles = parse_list(p, drop->roles, convert_role);
    out->if_exists = drop->missing_ok;
    return &out->node;
}

AstNode *parse_ddl_statement(Parse *p, const Node *node)
{
    switch (nodeTag(node)) {
    case T_CreateSeqStmt: return convert_create_sequence(p, (const CreateSeqStmt *)node);
    case T_AlterSeqStmt: return convert_alter_sequence(p, (const AlterSeqStmt *)node);
    case T_CreateSchemaStmt: return convert_create_schema(p, (const CreateSchemaStmt *)node);
    case T_CreatedbStmt: return convert_create_database(p, (const CreatedbStmt *)node);
    case T_AlterDatabaseStmt: return convert_alter_database(p, (const AlterDatabaseStmt *)node);
    case T_AlterDatabaseSetStmt:
        return convert_alter_database_set(p, (const AlterDatabaseSetStmt *)node);
    case T_DropdbStmt: return convert_drop_database(p, (const DropdbStmt *)node);
    case T_CreateRoleStmt: return convert_create_role(p, (const CreateRoleStmt *)node);
    case T_AlterRoleStmt: return convert_alter_role(p, (const AlterRoleStmt *)node);
    case T_AlterRoleSetStmt: return convert_alter_role_set(p, (const AlterRoleSetStmt *)node);
    case T_DropRoleStmt: return convert_drop_role(p, (const DropRoleStmt *)node);
    default: return NULL;
    }
}
