// SPDX-License-Identifier: Apache-2.0
//
// Which converter a statement goes to, and the names of statements that the tree has no node for:
// they become AstUnsupported, which the binder answers with 0A000. Part of one sql_parse call; see
// parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

AstNode *parse_unsupported_statement(Parse *p, const char *feature)
{
    AstUnsupported *out = PARSE_NEW(p, AST_UNSUPPORTED, AstUnsupported, -1);

    out->feature = parse_str(p, feature);
    return &out->node;
}

// --- kinds of objects --------------------------------------------------------------------------

static const struct {
    ObjectType type;
    AstObjectType out;
} object_types[] = {
    {OBJECT_TABLE, AST_OBJ_TABLE},
    {OBJECT_INDEX, AST_OBJ_INDEX},
    {OBJECT_SEQUENCE, AST_OBJ_SEQUENCE},
    {OBJECT_VIEW, AST_OBJ_VIEW},
    {OBJECT_MATVIEW, AST_OBJ_MATVIEW},
    {OBJECT_FOREIGN_TABLE, AST_OBJ_FOREIGN_TABLE},
    {OBJECT_COLUMN, AST_OBJ_COLUMN},
    {OBJECT_TABCONSTRAINT, AST_OBJ_TABLE_CONSTRAINT},
    {OBJECT_SCHEMA, AST_OBJ_SCHEMA},
    {OBJECT_DATABASE, AST_OBJ_DATABASE},
    {OBJECT_ROLE, AST_OBJ_ROLE},
    {OBJECT_TABLESPACE, AST_OBJ_TABLESPACE},
    {OBJECT_TYPE, AST_OBJ_TYPE},
    {OBJECT_DOMAIN, AST_OBJ_DOMAIN},
    {OBJECT_FUNCTION, AST_OBJ_FUNCTION},
    {OBJECT_PROCEDURE, AST_OBJ_PROCEDURE},
    {OBJECT_ROUTINE, AST_OBJ_ROUTINE},
    {OBJECT_AGGREGATE, AST_OBJ_AGGREGATE},
    {OBJECT_OPERATOR, AST_OBJ_OPERATOR},
    {OBJECT_COLLATION, AST_OBJ_COLLATION},
    {OBJECT_CONVERSION, AST_OBJ_CONVERSION},
    {OBJECT_EXTENSION, AST_OBJ_EXTENSION},
    {OBJECT_LANGUAGE, AST_OBJ_LANGUAGE},
    {OBJECT_STATISTIC_EXT, AST_OBJ_STATISTICS},
    {OBJECT_TRIGGER, AST_OBJ_TRIGGER},
    {OBJECT_RULE, AST_OBJ_RULE},
    {OBJECT_POLICY, AST_OBJ_POLICY},
    {OBJECT_PUBLICATION, AST_OBJ_PUBLICATION},
    {OBJECT_SUBSCRIPTION, AST_OBJ_SUBSCRIPTION},
    {OBJECT_FOREIGN_SERVER, AST_OBJ_FOREIGN_SERVER},
    {OBJECT_FDW, AST_OBJ_FOREIGN_DATA_WRAPPER},
    {OBJECT_ACCESS_METHOD, AST_OBJ_ACCESS_METHOD},
    {OBJECT_EVENT_TRIGGER, AST_OBJ_EVENT_TRIGGER},
    {OBJECT_TSCONFIGURATION, AST_OBJ_TS_CONFIGURATION},
    {OBJECT_TSDICTIONARY, AST_OBJ_TS_DICTIONARY},
    {OBJECT_TSPARSER, AST_OBJ_TS_PARSER},
    {OBJECT_TSTEMPLATE, AST_OBJ_TS_TEMPLATE},
};

bool parse_object_type(ObjectType type, AstObjectType *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(object_types); i++) {
        if (object_types[i].type == type) {
            *out = object_types[i].out;
            return true;
        }
    }
    return false;
}

// --- names of statements beyond the tree -------------------------------------------------------

static const struct {
    NodeTag tag;
    const char *name;
} statement_names[] = {
    {T_MergeStmt, "MERGE"},
    {T_AlterCollationStmt, "ALTER COLLATION"},
    {T_AlterDomainStmt, "ALTER DOMAIN"},
    {T_AlterDefaultPrivilegesStmt, "ALTER DEFAULT PRIVILEGES"},
    {T_AlterDatabaseRefreshCollStmt, "ALTER DATABASE REFRESH COLLATION VERSION"},
    {T_CreateTableSpaceStmt, "CREATE TABLESPACE"},
    {T_DropTableSpaceStmt, "DROP TABLESPACE"},
    {T_AlterTableSpaceOptionsStmt, "ALTER TABLESPACE"},
    {T_AlterTableMoveAllStmt, "ALTER TABLE ALL IN TABLESPACE"},
    {T_CreateExtensionStmt, "CREATE EXTENSION"},
    {T_AlterExtensionStmt, "ALTER EXTENSION"},
    {T_AlterExtensionContentsStmt, "ALTER EXTENSION"},
    {T_CreateFdwStmt, "CREATE FOREIGN DATA WRAPPER"},
    {T_AlterFdwStmt, "ALTER FOREIGN DATA WRAPPER"},
    {T_CreateForeignServerStmt, "CREATE SERVER"},
    {T_AlterForeignServerStmt, "ALTER SERVER"},
    {T_CreateForeignTableStmt, "CREATE FOREIGN TABLE"},
    {T_CreateUserMappingStmt, "CREATE USER MAPPING"},
    {T_AlterUserMappingStmt, "ALTER USER MAPPING"},
    {T_DropUserMappingStmt, "DROP USER MAPPING"},
    {T_ImportForeignSchemaStmt, "IMPORT FOREIGN SCHEMA"},
    {T_CreatePolicyStmt, "CREATE POLICY"},
    {T_AlterPolicyStmt, "ALTER POLICY"},
    {T_CreateAmStmt, "CREATE ACCESS METHOD"},
    {T_CreateTrigStmt, "CREATE TRIGGER"},
    {T_CreateEventTrigStmt, "CREATE EVENT TRIGGER"},
    {T_AlterEventTrigStmt, "ALTER EVENT TRIGGER"},
    {T_CreatePLangStmt, "CREATE LANGUAGE"},
    {T_CreateDomainStmt, "CREATE DOMAIN"},
    {T_CreateOpClassStmt, "CREATE OPERATOR CLASS"},
    {T_CreateOpFamilyStmt, "CREATE OPERATOR FAMILY"},
    {T_AlterOpFamilyStmt, "ALTER OPERATOR FAMILY"},
    {T_SecLabelStmt, "SECURITY LABEL"},
    {T_CreateStatsStmt, "CREATE STATISTICS"},
    {T_AlterStatsStmt, "ALTER STATISTICS"},
    {T_AlterFunctionStmt, "ALTER FUNCTION"},
    {T_AlterObjectDependsStmt, "ALTER ... DEPENDS ON EXTENSION"},
    {T_AlterOperatorStmt, "ALTER OPERATOR"},
    {T_AlterTypeStmt, "ALTER TYPE"},
    {T_RuleStmt, "CREATE RULE"},
    {T_CompositeTypeStmt, "CREATE TYPE"},
    {T_CreateEnumStmt, "CREATE TYPE"},
    {T_CreateRangeStmt, "CREATE TYPE"},
    {T_AlterEnumStmt, "ALTER TYPE"},
    {T_LoadStmt, "LOAD"},
    {T_AlterSystemStmt, "ALTER SYSTEM"},
    {T_ClusterStmt, "CLUSTER"},
    {T_RefreshMatViewStmt, "REFRESH MATERIALIZED VIEW"},
    {T_CreateConversionStmt, "CREATE CONVERSION"},
    {T_CreateCastStmt, "CREATE CAST"},
    {T_CreateTransformStmt, "CREATE TRANSFORM"},
    {T_DropOwnedStmt, "DROP OWNED"},
    {T_ReassignOwnedStmt, "REASSIGN OWNED"},
    {T_AlterTSDictionaryStmt, "ALTER TEXT SEARCH DICTIONARY"},
    {T_AlterTSConfigurationStmt, "ALTER TEXT SEARCH CONFIGURATION"},
    {T_CreatePublicationStmt, "CREATE PUBLICATION"},
    {T_AlterPublicationStmt, "ALTER PUBLICATION"},
    {T_CreateSubscriptionStmt, "CREATE SUBSCRIPTION"},
    {T_AlterSubscriptionStmt, "ALTER SUBSCRIPTION"},
    {T_DropSubscriptionStmt, "DROP SUBSCRIPTION"},
    {T_RenameStmt, "ALTER ... RENAME of this kind of object"},
    {T_AlterObjectSchemaStmt, "ALTER ... SET SCHEMA of this kind of object"},
    {T_AlterOwnerStmt, "ALTER ... OWNER TO of this kind of object"},
    {T_AlterTableStmt, "ALTER TYPE"},
    {T_ReturnStmt, "RETURN"},
};

static const char *define_name(ObjectType kind)
{
    switch (kind) {
    case OBJECT_AGGREGATE: return "CREATE AGGREGATE";
    case OBJECT_OPERATOR: return "CREATE OPERATOR";
    case OBJECT_TYPE: return "CREATE TYPE";
    case OBJECT_COLLATION: return "CREATE COLLATION";
    case OBJECT_TSPARSER: return "CREATE TEXT SEARCH PARSER";
    case OBJECT_TSDICTIONARY: return "CREATE TEXT SEARCH DICTIONARY";
    case OBJECT_TSTEMPLATE: return "CREATE TEXT SEARCH TEMPLATE";
    case OBJECT_TSCONFIGURATION: return "CREATE TEXT SEARCH CONFIGURATION";
    default: return "this definition";
    }
}

static const char *drop_name(ObjectType kind)
{
    switch (kind) {
    case OBJECT_CAST: return "DROP CAST";
    case OBJECT_TRANSFORM: return "DROP TRANSFORM";
    case OBJECT_OPCLASS: return "DROP OPERATOR CLASS";
    case OBJECT_OPFAMILY: return "DROP OPERATOR FAMILY";
    default: return "DROP of this kind of object";
    }
}

const char *parse_statement_name(const Node *node)
{
    if (IsA(node, DefineStmt))
        return define_name(((const DefineStmt *)node)->kind);
    if (IsA(node, DropStmt))
        return drop_name(((const DropStmt *)node)->removeType);
    if (IsA(node, CreateFunctionStmt))
        return ((const CreateFunctionStmt *)node)->is_procedure ? "CREATE PROCEDURE"
                                                                : "CREATE FUNCTION";
    for (size_t i = 0; i < ARRAY_COUNT(statement_names); i++)
        if (statement_names[i].tag == nodeTag(node))
            return statement_names[i].name;
    return "this statement";
}

// --- dispatch ----------------------------------------------------------------------------------

/* SELECT INTO: the clause hangs at the leftmost SELECT of a set operation. It is taken off, so that
   any other place where one stands is an error. */
static AstNode *convert_top_select(Parse *p, SelectStmt *select)
{
    SelectStmt *first = select;

    while (first->op != SETOP_NONE)
        first = first->larg;
    if (first->intoClause == NULL)
        return parse_select(p, select);
    const IntoClause *into = first->intoClause;
    first->intoClause = NULL;
    return parse_select_into(p, select, into);
}

static AstNode *convert_statement(Parse *p, const Node *node)
{
    AstNode *out;

    switch (nodeTag(node)) {
    case T_SelectStmt: return convert_top_select(p, (SelectStmt *)node);
    case T_InsertStmt: return parse_insert(p, (const InsertStmt *)node);
    case T_UpdateStmt: return parse_update(p, (const UpdateStmt *)node);
    case T_DeleteStmt: return parse_delete(p, (const DeleteStmt *)node);
    case T_TruncateStmt: return parse_truncate(p, (const TruncateStmt *)node);
    case T_CreateStmt: return parse_create_table(p, (const CreateStmt *)node);
    case T_CreateTableAsStmt: return parse_create_table_as(p, (const CreateTableAsStmt *)node);
    case T_IndexStmt: return parse_create_index(p, (const IndexStmt *)node);
    case T_ViewStmt: return parse_create_view(p, (const ViewStmt *)node);
    default: break;
    }
    if ((out = parse_utility_statement(p, node)) != NULL || p->status != OK)
        return out;
    if ((out = parse_ddl_statement(p, node)) != NULL || p->status != OK)
        return out;
    if ((out = parse_alter_statement(p, node)) != NULL || p->status != OK)
        return out;
    return parse_unsupported_statement(p, parse_statement_name(node));
}

AstNode *parse_statement(Parse *p, const Node *node)
{
    if (!parse_enter(p))
        return NULL;
    AstNode *out = convert_statement(p, node);
    parse_leave(p);
    return out;
}
