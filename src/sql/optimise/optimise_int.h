// SPDX-License-Identifier: Apache-2.0
//
// The optimiser's own words: the state of one statement's optimisation and the passes over its
// plan. Plans are changed in place (they belong to the statement being planned); expressions are
// shared, so who changes one copies it first; catalog objects are only read. One thread.
#ifndef DBASPOT_SQL_OPTIMISE_OPTIMISE_INT_H
#define DBASPOT_SQL_OPTIMISE_OPTIMISE_INT_H

#include "base/map.h"
#include "catalog/statistics.h"
#include "sql/sql.h"

/* Deeper plans and expressions are refused: passes recurse over both. */
#define OPTIMISE_DEPTH_MAX 3000

/* --- sets of columns (idset.c) -----------------------------------------------------------------
 */

/* Grows as needed; zeroed is empty. */
typedef struct IdSet {
    uint64_t *words;
    uint32_t words_count;
} IdSet;

void idset_add(Scope *scope, IdSet *set, ColumnId id);
void idset_union(Scope *scope, IdSet *set, const IdSet *other);
void idset_subtract(IdSet *set, const IdSet *other);
bool idset_has(const IdSet *set, ColumnId id);
bool idset_empty(const IdSet *set);
/* All of `a` are in `b`. */
bool idset_within(const IdSet *a, const IdSet *b);
bool idset_overlaps(const IdSet *a, const IdSet *b);
IdSet idset_of_plan(Scope *scope, const Plan *plan);
/* Columns an expression uses, with those its subqueries take from outside. */
void idset_add_expr(Scope *scope, IdSet *set, const Expr *expr);
IdSet idset_of_expr(Scope *scope, const Expr *expr);

/* --- the statement's state ---------------------------------------------------------------------
 */

typedef struct Optimiser {
    Ctx *ctx;
    Scope *scope;
    const BindEnv *env;
    Storage *storage;
    PlannedStatement *statement;
    ColumnId column_next; /* ids below are in use */
    uint32_t cte_next;
    U64Map *origins; /* ColumnId -> ColumnOrigin *: columns that are a table's */
    U64Map *tables;  /* oid -> TableSize * */
    U64Map *ctes;    /* id -> Plan * that is materialised */
    U64Map *done;    /* plans of subqueries that are planned already */
} Optimiser;

/* --- expressions (predicate.c) -----------------------------------------------------------------
 */

typedef enum CompareOp {
    COMPARE_NONE,
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_GT,
    COMPARE_GE
} CompareOp;

/* Which comparison an expression is: an operator call with two arguments. */
CompareOp predicate_compare(const Expr *expr);
/* The same with its sides exchanged: a < b is b > a. */
CompareOp compare_commute(CompareOp op);
bool expr_is_column(const Expr *expr, ColumnId id);
bool expr_is_true(const Expr *expr);
/* Constant false or NULL: as a condition it lets nothing pass. */
bool expr_is_false(const Expr *expr);
void list_append(Scope *scope, ExprList *to, const ExprList *from);
/* NULL if the plan does not make the column. */
const PlanColumn *plan_column(const Plan *plan, ColumnId id);
Plan *plan_over(Scope *scope, PlanKind kind, Plan *child);
/* `plan` itself, or a filter over it. */
Plan *plan_filter(Scope *scope, Plan *child, const ExprList *conditions);
/* A projection of the columns in `keep`, in the child's order. */
Plan *plan_narrow(Scope *scope, Plan *child, const IdSet *keep);
Expr *plan_column_expr(Scope *scope, const PlanColumn *column);

bool list_has(const ExprList *list, const Expr *expr);
/* Simplified, in a copy (simplify.c). Also right where UNKNOWN and false differ. */
Expr *simplify(Optimiser *o, const Expr *expr);
/* No row of the plan passes: a plan without rows of the same columns. */
Plan *plan_empty(Scope *scope, const Plan *plan);
bool plan_is_empty(const Plan *plan);

/* --- copies of plans (clone.c) -----------------------------------------------------------------
 */

ColumnId column_new(Optimiser *o);
/* A deep copy whose columns all have new ids; `map` (from old id to new id as pointers) may be
 * NULL.
 */
Plan *plan_clone(Optimiser *o, const Plan *plan, U64Map *map);
/* The same plan, ids included, in nodes of its own. */
Plan *plan_copy(Optimiser *o, const Plan *plan);
/* Notes anew which columns a subquery takes from outside, after its plan has changed. */
void subquery_renew_outer(Optimiser *o, Expr *subquery);
/* Columns replaced by expressions: `map` from id to Expr *; the others stay. Also inside nested
   subqueries' plans. */
Expr *expr_substitute(Optimiser *o, const Expr *expr, const U64Map *map);
void list_substitute(Optimiser *o, ExprList *list, const U64Map *map);

/* --- the first pass (normalise.c) --------------------------------------------------------------
 */

/* Expressions simplified, conditions as lists of conjuncts, RIGHT joins turned round, every
   subquery with a plan of its own. */
Status normalise(Optimiser *o, Plan **plan);
/* Calls visit for the plan slot of every subquery in the node's own expressions. */
typedef Status (*PlanVisit)(Optimiser *o, Plan **plan);
Status each_subquery(Optimiser *o, Plan *plan, PlanVisit visit);

/* --- properties of plans (properties.c) --------------------------------------------------------
 */

/* No two rows of the plan agree in these columns (NULLs equal each other). */
bool plan_is_unique(Optimiser *o, const Plan *plan, const IdSet *columns);
/* At most one row. */
bool plan_is_single(Optimiser *o, const Plan *plan);
/* The value is never NULL in the plan's rows. */
bool expr_is_not_null(const Plan *plan, const Expr *expr);
/* A condition that is not true whenever all these columns are NULL. */
bool condition_rejects_nulls(Optimiser *o, const Expr *condition, const IdSet *columns);
/* a = b with `a` over the plan's columns only and `b` free of them; the sides, exchanged if need
   be. */
bool condition_separates(Optimiser *o, const Expr *condition, const IdSet *own, Expr **inner,
                         Expr **outer);

/* --- subqueries become joins (unnest/) ------------------------------------------------
 */

typedef struct Pull {
    Optimiser *o;
    IdSet outer;    /* columns of the enclosing side */
    ExprList conds; /* pulled: over the plan's columns and outer ones */
} Pull;

bool plan_uses(Optimiser *o, const Plan *plan, const IdSet *columns);
bool expr_uses(Optimiser *o, const Expr *expr, const IdSet *columns);
/* Conditions with outer columns can all be taken out of the plan. `keyed`: they have to be
   equalities that separate, since something below groups rows. */
bool pull_is_possible(Pull *p, const Plan *plan, bool keyed);
/* Takes them out, into p->conds, in place; the plan gives the columns that they need. */
Plan *pull_conditions(Pull *p, Plan *plan);
/* Makes the inner sides of the pulled equalities groups of the aggregate. */
void pull_add_groups(Pull *p, Plan *aggregate, ExprList *conds);
/* A join's columns, from its children. */
void join_set_columns(Optimiser *o, Plan *join);
Status unnest(Optimiser *o, Plan **plan);

/* --- estimates (estimate/) -------------------------------------------
 */

typedef struct TableSize {
    double rows, bytes;
} TableSize;

typedef struct ColumnOrigin {
    const Table *table;
    uint32_t position;                  /* in table->columns */
    const ColumnStatistics *statistics; /* NULL: never analysed */
    const TableSize *size;
    double distinct; /* values in the table; a guess without statistics */
    bool unique;     /* a key of its own */
} ColumnOrigin;

const TableSize *table_size(Optimiser *o, const Table *table);
/* Walks the whole plan, subqueries too, and notes where columns come from. */
void origins_note(Optimiser *o, Plan *plan);
/* NULL: the column is computed. */
const ColumnOrigin *column_origin(Optimiser *o, ColumnId id);
/* Distinct values of an expression among `rows` rows. */
double expr_distinct(Optimiser *o, const Expr *expr, double rows);

/* The share of rows that pass. */
double selectivity_of(Optimiser *o, const Expr *condition);
double selectivity_of_list(Optimiser *o, const ExprList *conditions);

/* Costs are microseconds of one core, roughly. */
#define COST_SCAN_ROW    0.02
#define COST_SCAN_COLUMN 0.006
#define COST_CONDITION   0.006
#define COST_LOOKUP      2.0 /* a row by its key */
#define COST_INDEX_ENTRY 0.3
#define COST_BUILD_ROW   0.06
#define COST_PROBE_ROW   0.03
#define COST_OUTPUT_ROW  0.01
#define COST_GROUP_ROW   0.06
#define COST_SORT_ROW    0.02 /* times log2(rows) */
#define COST_NESTED_PAIR 0.01

/* Rows and cost of the node, from its children's. */
void estimate_node(Optimiser *o, Plan *plan);
/* Rows of a join of that many left and right rows. */
double estimate_join_rows(JoinType type, double left, double right, double selectivity);
double estimate_groups(Optimiser *o, const ExprList *groups, double rows);
/* A scan's table rows after its filters. */
double estimate_scan_rows(Optimiser *o, const Plan *scan, const ExprList *conjuncts);

/* --- access paths (access.c) -------------------------------------------------------------------
 */

/* One way to read a table. */
typedef struct AccessPath {
    ScanMethod method;
    const Index *index; /* SCAN_INDEX */
    KeyBounds bounds;
    bool unique; /* at most one row for each set of bounds */
    bool *used;  /* by conjunct: the bounds imply it */
    double rows; /* read from the table, for one set of bounds */
    double cost;
} AccessPath;

/* The cheapest way to read the scan's table with these conjuncts; other relations' columns in them
   count as known values (index joins). */
void access_choose(Optimiser *o, const Plan *scan, const ExprList *conjuncts, AccessPath *out);
/* The ways to read in key order: by the clustering key (0) and by indexes; false: there is no
   such way. */
typedef struct KeyOrder {
    uint32_t count;
    const ColumnId *columns; /* of the scan; 0: not among its columns, or an expression */
    const KeyColumn *keys;
    const bool *not_null;
    bool unique;
} KeyOrder;
bool access_in_order(Optimiser *o, const Plan *scan, const ExprList *conjuncts, uint32_t way,
                     AccessPath *out, KeyOrder *order);
/* Fills in the scan, with the conjuncts that the path leaves as its filters. */
void access_apply(Optimiser *o, Plan *scan, const ExprList *conjuncts, const AccessPath *path);

/* --- pushing conditions down, ordering joins (push.c) ------------------------------------------
 */

/* The plan with the conditions (over its columns) evaluated as early as can be, and its joins in
   their best order; the same columns in the same order. */
Status push_conditions(Optimiser *o, Plan **plan, const ExprList *conditions);
/* The same for what is no block of joins (push_leaf.c). */
Status push_leaf(Optimiser *o, Plan **plan, const ExprList *conditions);
/* The plan with exactly these columns in this order (OPT-1). */
Plan *plan_shaped(Scope *scope, Plan *plan, const PlanColumn *columns, uint32_t count);

/* --- physical choices (physical.c, order.c, join_keys.c) ----------------------------------------
 */

/* How scans read, limits and sorts that become one, sorts that a key's order makes needless. */
void physical_plan(Optimiser *o, Plan **plan);
/* A sort over a scan: if the scan can give the order, `*slot` is the sort's child. `limit`: rows
   wanted of it, 0 all. */
bool order_from_scan(Optimiser *o, Plan **slot, double limit);
/* min or max of a key's first column: one row from the key's end. */
void order_min_max(Optimiser *o, Plan *aggregate);
/* Splits conditions into hash keys and the rest, and settles the method. */
void join_choose_keys(Optimiser *o, Plan *join);

/* --- columns that nobody reads (prune.c) -------------------------------------------------------
 */

/* Takes away what is not needed. `exact`: the plan's columns stay as they are. */
Plan *prune(Optimiser *o, Plan *plan, const IdSet *need, bool exact);

#endif
