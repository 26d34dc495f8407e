// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree's other statements: transactions, COPY, EXPLAIN, PREPARE, SET, cursors, LOCK,
// VACUUM. Conventions as in ast_node.h.
#ifndef DBASPOT_SQL_AST_UTILITY_H
#define DBASPOT_SQL_AST_UTILITY_H

#include "sql/ast_query.h"

/* Options as written: format, freeze, delimiter, null, header, quote, escape, force_quote (AstStar
   or AstNameList), force_not_null, force_null, encoding, and any other name. */
typedef struct AstCopy {
    AstNode node;
    AstTableRef *table;
    AstNames columns;
    AstNode *query; /* instead of a table: AstSelect, AstInsert, AstUpdate, AstDelete */
    bool is_from;
    bool is_program;
    Str filename; /* absent: STDIN or STDOUT */
    AstList options;
    AstNode *where;
} AstCopy;

typedef struct AstExplain {
    AstNode node;
    AstNode *statement;
    AstList options; /* analyze, verbose, costs, buffers, timing, format ... */
} AstExplain;

typedef struct AstPrepare {
    AstNode node;
    Str name;
    AstList types; /* AstTypeName */
    AstNode *statement;
} AstPrepare;

typedef struct AstExecute {
    AstNode node;
    Str name;
    AstList args;
} AstExecute;

typedef struct AstDeallocate {
    AstNode node;
    Str name; /* absent: ALL */
} AstDeallocate;

typedef enum AstIsolation {
    AST_ISOLATION_NONE, /* not said */
    AST_ISOLATION_READ_UNCOMMITTED,
    AST_ISOLATION_READ_COMMITTED,
    AST_ISOLATION_REPEATABLE_READ,
    AST_ISOLATION_SERIALIZABLE
} AstIsolation;

typedef enum AstSwitch { AST_UNSAID, AST_OFF, AST_ON } AstSwitch;

typedef struct AstTransactionModes {
    AstIsolation isolation;
    AstSwitch read_only;
    AstSwitch deferrable;
} AstTransactionModes;

typedef enum AstTransactionKind {
    AST_TX_BEGIN,
    AST_TX_START, /* START TRANSACTION: as BEGIN, another command tag */
    AST_TX_COMMIT,
    AST_TX_ROLLBACK,
    AST_TX_SAVEPOINT,
    AST_TX_RELEASE,
    AST_TX_ROLLBACK_TO,
    AST_TX_PREPARE,
    AST_TX_COMMIT_PREPARED,
    AST_TX_ROLLBACK_PREPARED
} AstTransactionKind;

typedef struct AstTransaction {
    AstNode node;
    AstTransactionKind kind;
    AstTransactionModes modes; /* BEGIN, START */
    Str savepoint;
    Str gid;    /* two-phase */
    bool chain; /* COMMIT AND CHAIN */
} AstTransaction;

typedef enum AstSetKind {
    AST_SET_VALUE,   /* name, values */
    AST_SET_DEFAULT, /* SET name TO DEFAULT */
    AST_SET_CURRENT, /* SET name FROM CURRENT */
    AST_SET_TRANSACTION,
    AST_SET_SESSION_CHARACTERISTICS, /* modes become the session's defaults */
    AST_SET_SNAPSHOT,                /* SET TRANSACTION SNAPSHOT: values[0] */
    AST_SET_RESET,                   /* RESET name */
    AST_SET_RESET_ALL
} AstSetKind;

/* Values are AstConst (string, int, float), or an AstCast to interval of SET TIME ZONE INTERVAL. A
   bare word or identifier is a string. SET TIME ZONE has the name "timezone"; SET NAMES
   "client_encoding"; SET SCHEMA "search_path"; SET ROLE "role". */
typedef struct AstSet {
    AstNode node;
    AstSetKind kind;
    bool local;
    Str name;
    AstList values;
    AstTransactionModes modes;
} AstSet;

typedef enum AstSetForm {
    AST_SET_SCALAR,     /* one value; 22023 for more */
    AST_SET_LIST,       /* any number: DateStyle */
    AST_SET_IDENTIFIERS /* any number, quoted as identifiers where needed: search_path */
} AstSetForm;

/* The values as PostgreSQL joins them to one text, with comma and blank between. */
Status ast_set_text(Ctx *ctx, Scope *scope, const AstSet *set, AstSetForm form, Str *out);

typedef struct AstShow {
    AstNode node;
    Str name; /* "all" for SHOW ALL */
} AstShow;

typedef struct AstLock {
    AstNode node;
    AstList tables;
    int32_t mode; /* 1 ACCESS SHARE .. 8 ACCESS EXCLUSIVE, PostgreSQL's numbers */
    bool nowait;
} AstLock;

typedef struct AstVacuumTable {
    AstNode node;
    AstTableRef *table;
    AstNames columns;
} AstVacuumTable;

typedef struct AstVacuum {
    AstNode node;
    bool vacuum; /* else ANALYZE */
    AstList options;
    AstList tables; /* AstVacuumTable; empty: all */
} AstVacuum;

typedef enum AstReindexKind {
    AST_REINDEX_INDEX,
    AST_REINDEX_TABLE,
    AST_REINDEX_SCHEMA,
    AST_REINDEX_SYSTEM,
    AST_REINDEX_DATABASE
} AstReindexKind;

typedef struct AstReindex {
    AstNode node;
    AstReindexKind kind;
    AstTableRef *relation; /* INDEX, TABLE */
    Str name;              /* the others */
    AstList options;
} AstReindex;

typedef struct AstCheckpoint {
    AstNode node;
} AstCheckpoint;

typedef enum AstDiscardTarget {
    AST_DISCARD_ALL,
    AST_DISCARD_PLANS,
    AST_DISCARD_SEQUENCES,
    AST_DISCARD_TEMP
} AstDiscardTarget;

typedef struct AstDiscard {
    AstNode node;
    AstDiscardTarget target;
} AstDiscard;

typedef struct AstDeclareCursor {
    AstNode node;
    Str name;
    bool binary;
    bool scroll;
    bool no_scroll;
    bool insensitive;
    bool asensitive;
    bool hold;
    AstNode *query; /* AstSelect */
} AstDeclareCursor;

typedef enum AstFetchDirection {
    AST_FETCH_FORWARD,
    AST_FETCH_BACKWARD,
    AST_FETCH_ABSOLUTE,
    AST_FETCH_RELATIVE
} AstFetchDirection;

typedef struct AstFetch {
    AstNode node;
    AstFetchDirection direction;
    bool all;
    int64_t count; /* rows, or a position for ABSOLUTE and RELATIVE */
    Str cursor;
    bool move;
} AstFetch;

typedef struct AstClose {
    AstNode node;
    Str cursor; /* absent: ALL */
} AstClose;

typedef enum AstNotifyKind {
    AST_NOTIFY_NOTIFY,
    AST_NOTIFY_LISTEN,
    AST_NOTIFY_UNLISTEN
} AstNotifyKind;

typedef struct AstNotify {
    AstNode node;
    AstNotifyKind kind;
    Str channel; /* absent: UNLISTEN * */
    Str payload;
} AstNotify;

typedef struct AstSetConstraints {
    AstNode node;
    AstList constraints; /* AstTableRef; empty: ALL */
    bool deferred;
} AstSetConstraints;

typedef struct AstDo {
    AstNode node;
    Str body;
    Str language; /* absent: plpgsql */
} AstDo;

typedef struct AstCall {
    AstNode node;
    AstFuncCall *function;
} AstCall;

#endif
