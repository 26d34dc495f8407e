// SPDX-License-Identifier: Apache-2.0
//
// Conversion of what every statement is made of: strings, names, type names, options, roles,
// aliases, table references. Part of one sql_parse call; see parse_int.h for the sticky status.
#include "sql/parse/parse_int.h"

Str parse_str(Parse *p, const char *text)
{
    if (text == NULL)
        return (Str){NULL, 0};
    size_t length = strlen(text);
    return str_make(scope_strndup(p->scope, text, length), length);
}

AstList parse_list(Parse *p, const List *list, ParseConvert convert)
{
    AstList out = {.items = NULL, .count = 0};
    ListCell *cell;

    if (list == NIL)
        return out;
    out.items = scope_new_array(p->scope, AstNode *, list_length(list));
    foreach(cell, list) {
        if (p->status != OK)
            return (AstList){NULL, 0};
        out.items[out.count++] = convert(p, lfirst(cell));
    }
    return out;
}

AstNames parse_names(Parse *p, const List *list)
{
    AstNames names = {.items = NULL, .count = 0};
    ListCell *cell;

    if (list == NIL)
        return names;
    names.items = scope_new_array(p->scope, Str, list_length(list));
    foreach(cell, list) {
        const Node *item = lfirst(cell);
        if (IsA(item, RoleSpec))
            names.items[names.count++] = parse_role(p, (const RoleSpec *)item)->name;
        else
            names.items[names.count++] = parse_str(p, strVal(item));
    }
    return names;
}

static void refuse_name(Parse *p, const List *list, int location)
{
    StrBuf buf;
    ListCell *cell;

    strbuf_init(&buf);
    foreach(cell, list) {
        if (buf.len > 0)
            strbuf_append_char(&buf, '.');
        strbuf_append_c(&buf, strVal(lfirst(cell)));
    }
    parse_fail(p, E_SYNTAX, location, "improper qualified name (too many dotted names): %s",
               strbuf_c(&buf));
    strbuf_free(&buf);
}

static AstName name_of_parts(Parse *p, const List *list, int count)
{
    AstName name = {{NULL, 0}, {NULL, 0}, {NULL, 0}};

    name.name = parse_str(p, strVal(list_nth(list, count - 1)));
    if (count > 1)
        name.schema = parse_str(p, strVal(list_nth(list, count - 2)));
    if (count > 2)
        name.catalog = parse_str(p, strVal(list_nth(list, count - 3)));
    return name;
}

AstName parse_name(Parse *p, const List *list, int location)
{
    int count = list_length(list);

    if (count > 3)
        refuse_name(p, list, location);
    if (count < 1 || count > 3)
        return (AstName){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    return name_of_parts(p, list, count);
}

AstName parse_member_name(Parse *p, const List *list, Str *member)
{
    int count = list_length(list);

    *member = parse_str(p, strVal(llast(list)));
    if (count < 2)
        parse_fail(p, E_SYNTAX, -1, "column name must be qualified");
    if (count > 4)
        refuse_name(p, list, -1);
    return p->status == OK ? name_of_parts(p, list, count - 1)
                           : (AstName){{NULL, 0}, {NULL, 0}, {NULL, 0}};
}

// --- types -------------------------------------------------------------------------------------

static AstNode *convert_bound(Parse *p, const Node *node)
{
    AstConst *bound = PARSE_NEW(p, AST_CONST, AstConst, -1);

    bound->kind = AST_CONST_INT;
    bound->integer = intVal(node);
    return &bound->node;
}

AstTypeName *parse_type_name(Parse *p, const TypeName *type)
{
    if (type == NULL || p->status != OK)
        return NULL;
    AstTypeName *out = PARSE_NEW(p, AST_TYPE_NAME, AstTypeName, type->location);
    if (type->pct_type)
        out->type_path = parse_names(p, type->names);
    else
        out->name = parse_name(p, type->names, -1);
    out->typmods = parse_exprs(p, type->typmods);
    out->bounds = parse_list(p, type->arrayBounds, convert_bound);
    out->setof = type->setof;
    out->of_column = type->pct_type;
    return out;
}

// --- options -----------------------------------------------------------------------------------

static AstNode *convert_name_list(Parse *p, const List *list)
{
    ListCell *cell;

    foreach(cell, list) {
        const Node *item = lfirst(cell);
        if (!IsA(item, String) && !IsA(item, RoleSpec)) {
            parse_unsupported(p, -1, "this option's value");
            return NULL;
        }
    }
    AstNameList *names = PARSE_NEW(p, AST_NAME_LIST, AstNameList, -1);
    names->names = parse_names(p, list);
    return &names->node;
}

static AstNode *convert_const(Parse *p, AstConstKind kind, const char *text)
{
    AstConst *value = PARSE_NEW(p, AST_CONST, AstConst, -1);

    value->kind = kind;
    value->text = parse_str(p, text);
    return &value->node;
}

static AstNode *convert_integer(Parse *p, int integer)
{
    AstConst *value = PARSE_NEW(p, AST_CONST, AstConst, -1);

    value->kind = AST_CONST_INT;
    value->integer = integer;
    return &value->node;
}

static AstNode *convert_boolean(Parse *p, bool boolean)
{
    AstConst *value = PARSE_NEW(p, AST_CONST, AstConst, -1);

    value->kind = AST_CONST_BOOL;
    value->boolean = boolean;
    return &value->node;
}

AstNode *parse_value(Parse *p, const Node *node)
{
    if (node == NULL)
        return NULL;
    switch (nodeTag(node)) {
    case T_String: return convert_const(p, AST_CONST_STRING, strVal(node));
    case T_Float: return convert_const(p, AST_CONST_FLOAT, castNode(Float, node)->fval);
    case T_Integer: return convert_integer(p, intVal(node));
    case T_Boolean: return convert_boolean(p, boolVal(node));
    case T_A_Star: return &PARSE_NEW(p, AST_STAR, AstStar, -1)->node;
    case T_TypeName: {
        AstTypeName *type = parse_type_name(p, (const TypeName *)node);
        return type ? &type->node : NULL;
    }
    case T_List: return convert_name_list(p, (const List *)node);
    case T_A_Const: return parse_expr(p, node);
    case T_RoleSpec: return convert_name_list(p, list_make1((void *)node));
    case T_ParamRef:
        parse_fail(p, E_SYNTAX, ((const ParamRef *)node)->location,
                   "syntax error at or near \"$%d\"", ((const ParamRef *)node)->number);
        return NULL;
    default: parse_unsupported(p, -1, "this option's value"); return NULL;
    }
}

static AstNode *convert_option(Parse *p, const Node *node)
{
    const DefElem *element = castNode(DefElem, node);
    AstOption *option = PARSE_NEW(p, AST_OPTION, AstOption, element->location);

    if (element->defaction != DEFELEM_UNSPEC)
        parse_unsupported(p, element->location, "ADD, SET or DROP of an option");
    option->space = parse_str(p, element->defnamespace);
    option->name = parse_str(p, element->defname);
    option->value = parse_value(p, element->arg);
    return &option->node;
}

AstList parse_options(Parse *p, const List *options)
{
    return parse_list(p, options, convert_option);
}

// --- roles, aliases, tables --------------------------------------------------------------------

AstRole *parse_role(Parse *p, const RoleSpec *role)
{
    static const AstRoleKind kinds[] = {
        [ROLESPEC_CSTRING] = AST_ROLE_NAME,
        [ROLESPEC_CURRENT_ROLE] = AST_ROLE_CURRENT_ROLE,
        [ROLESPEC_CURRENT_USER] = AST_ROLE_CURRENT_USER,
        [ROLESPEC_SESSION_USER] = AST_ROLE_SESSION_USER,
        [ROLESPEC_PUBLIC] = AST_ROLE_PUBLIC,
    };
    static const char *const words[] = {
        [ROLESPEC_CURRENT_ROLE] = "current_role",
        [ROLESPEC_CURRENT_USER] = "current_user",
        [ROLESPEC_SESSION_USER] = "session_user",
        [ROLESPEC_PUBLIC] = "public",
    };

    if (role == NULL)
        return NULL;
    AstRole *out = PARSE_NEW(p, AST_ROLE, AstRole, role->location);
    out->kind = kinds[role->roletype];
    out->name =
        parse_str(p, role->roletype == ROLESPEC_CSTRING ? role->rolename : words[role->roletype]);
    return out;
}

AstAlias *parse_alias(Parse *p, const Alias *alias)
{
    if (alias == NULL)
        return NULL;
    AstAlias *out = PARSE_NEW(p, AST_ALIAS, AstAlias, -1);
    out->name = parse_str(p, alias->aliasname);
    out->columns = parse_names(p, alias->colnames);
    return out;
}

AstTableRef *parse_table_ref(Parse *p, const RangeVar *relation)
{
    if (relation == NULL)
        return NULL;
    AstTableRef *table = PARSE_NEW(p, AST_TABLE_REF, AstTableRef, relation->location);
    table->name.catalog = parse_str(p, relation->catalogname);
    table->name.schema = parse_str(p, relation->schemaname);
    table->name.name = parse_str(p, relation->relname);
    table->alias = parse_alias(p, relation->alias);
    table->only = !relation->inh;
    return table;
}

AstPersistence parse_persistence(const RangeVar *relation)
{
    switch (relation->relpersistence) {
    case 't': return AST_TEMPORARY;
    case 'u': return AST_UNLOGGED;
    default: return AST_PERMANENT;
    }
}
