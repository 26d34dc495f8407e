// SPDX-License-Identifier: Apache-2.0
//
// EXPLAIN's text, in PostgreSQL's words and indentation. Our filters, projections and top-N sorts
// are nodes of their own; PostgreSQL shows them as lines of the node below, and so do we: a node's
// numbers are those of the topmost of our nodes that it stands for. Any thread.
#include "sql/plan/counters.h"
#include "sql/plan/print_int.h"

#include "sql/deparse.h"

typedef struct PlanPrinter {
    StrBuf *out;
    Scope *scope;
    bool costs;
    bool qualified;
    const ExecCounters *counters;
    uint32_t subplans_count;
} PlanPrinter;

/* What the nodes above leave for the line of the node below. */
typedef struct Above {
    const Plan *numbers; /* whose estimate and counters are shown; NULL: the node's own */
    ExprList filter;
    ARRAY(const Plan *) ctes; /* PLAN_CTE nodes */
} Above;

static void print_node(PlanPrinter *p, const Plan *plan, int indent, Above above);

// --- lines -------------------------------------------------------------------------------------

static void append_indent(PlanPrinter *p, int indent)
{
    for (int i = 0; i < indent; i++)
        strbuf_append_c(p->out, "  ");
}

/* "->  " before every node but the first; returns the indentation of what belongs to the node. */
static int begin_node(PlanPrinter *p, int indent)
{
    if (indent == 0)
        return 1;
    append_indent(p, indent);
    strbuf_append_c(p->out, "->  ");
    return indent + 3;
}

static ExprPrinter begin_line(PlanPrinter *p, int indent, const char *label)
{
    append_indent(p, indent);
    strbuf_append_c(p->out, label);
    return (ExprPrinter){.out = p->out, .qualified = p->qualified, .scope = p->scope};
}

static void print_subplans(PlanPrinter *p, const ExprPrinter *found, int indent)
{
    for (uint32_t i = 0; i < found->subqueries.count; i++) {
        const Expr *expr = found->subqueries.data[i];
        bool tests = expr->subquery.kind == SUBQUERY_ANY || expr->subquery.kind == SUBQUERY_ALL;
        append_indent(p, indent);
        if (expr->subquery.outer_count == 0 && !tests)
            strbuf_printf(p->out, "InitPlan %u (returns $%u)\n", i + 1, i);
        else
            strbuf_printf(p->out, "SubPlan %u\n", i + 1);
        print_node(p, expr->subquery.plan, indent + 1, (Above){0});
    }
}

static void print_condition(PlanPrinter *p, int indent, const char *label, const ExprList *list)
{
    if (list->count == 0)
        return;
    ExprPrinter line = begin_line(p, indent, label);
    expr_print_list(&line, list);
    strbuf_append_char(p->out, '\n');
    print_subplans(p, &line, indent);
}

static void print_exprs(PlanPrinter *p, int indent, const char *label, const ExprList *list)
{
    if (list->count == 0)
        return;
    ExprPrinter line = begin_line(p, indent, label);
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            strbuf_append_c(p->out, ", ");
        expr_print_in(&line, list->data[i]);
    }
    strbuf_append_char(p->out, '\n');
}

static void print_sort_keys(PlanPrinter *p, int indent, const SortKey *keys, uint32_t count)
{
    ExprPrinter line = begin_line(p, indent, "Sort Key: ");

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            strbuf_append_c(p->out, ", ");
        expr_print_in(&line, keys[i].expr);
        if (keys[i].descending)
            strbuf_append_c(p->out, " DESC");
        if (keys[i].nulls_first != keys[i].descending)
            strbuf_append_c(p->out, keys[i].nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    strbuf_append_char(p->out, '\n');
}

// --- numbers -----------------------------------------------------------------------------------

static int column_width(SqlType type)
{
    const TypeInfo *info = type_info(type.oid);

    if (info && info->length > 0)
        return info->length;
    if ((type.oid == OID_BPCHAR || type.oid == OID_VARCHAR) && type.typmod > 4)
        return type.oid == OID_BPCHAR || type.typmod - 4 <= 32 ? type.typmod - 4 : 32;
    return type.oid == OID_NUMERIC ? 12 : 32;
}

static void print_numbers(PlanPrinter *p, const Plan *plan)
{
    int width = 0;

    for (uint32_t i = 0; i < plan->columns_count; i++)
        width += column_width(plan->columns[i].type);
    if (p->costs)
        strbuf_printf(p->out, "  (cost=%.2f..%.2f rows=%.0f width=%d)", 0.0, plan->cost,
                      MAX(plan->rows_estimate, 1.0), width);
    if (p->counters && plan->node_id < p->counters->count) {
        const ExecCounter *counter = &p->counters->nodes[plan->node_id];
        uint64_t loops = counter->loops;
        if (loops == 0)
            strbuf_append_c(p->out, " (never executed)");
        else
            strbuf_printf(p->out, " (actual time=%.3f..%.3f rows=%.0f loops=%llu)", 0.0,
                          (double)counter->ns / 1e6 / (double)loops,
                          (double)counter->rows / (double)loops, (unsigned long long)loops);
    }
    strbuf_append_char(p->out, '\n');
}

/* The node's first line; returns the indentation of its details. */
static int print_head(PlanPrinter *p, const Plan *plan, int indent, const char *title,
                      const Above *above)
{
    int inner = begin_node(p, indent);

    strbuf_append_c(p->out, title);
    print_numbers(p, above && above->numbers ? above->numbers : plan);
    return inner;
}

// --- scans -------------------------------------------------------------------------------------

static const char *quoted(PlanPrinter *p, Str name)
{
    StrBuf buf;

    strbuf_init(&buf);
    sql_quote_identifier(&buf, name);
    char *text = scope_strndup(p->scope, buf.ptr, buf.len);
    strbuf_free(&buf);
    return text;
}

static const char *scan_title(PlanPrinter *p, const ScanPlan *scan)
{
    const char *table = quoted(p, scan->table->object.name);
    const Index *index = scan->index;

    if (scan->alias && !str_is(scan->table->object.name, scan->alias))
        table = scope_printf(p->scope, "%s %s", table, quoted(p, str_from(scan->alias)));
    if (scan->method == SCAN_KEY_RANGE) {
        for (uint32_t i = 0; index == NULL && i < scan->table->indexes_count; i++) {
            if (scan->table->indexes[i]->clustered)
                index = scan->table->indexes[i];
        }
    }
    if (index == NULL || scan->method == SCAN_FULL || scan->method == SCAN_METHOD_NONE)
        return scope_printf(p->scope, "Seq Scan on %s", table);
    return scope_printf(p->scope, "Index Scan %susing %s on %s",
                        scan->descending ? "Backward " : "", quoted(p, index->object.name), table);
}

/* The name of the column the bounds' position `at` is about. */
static void append_bound_column(PlanPrinter *p, const ScanPlan *scan, uint32_t at)
{
    const Table *table = scan->table;
    uint32_t position = UINT32_MAX;

    if (scan->method == SCAN_INDEX && scan->index && at < scan->index->columns_count) {
        uint32_t id = scan->index->columns[at].column;
        for (uint32_t i = 0; i < table->columns_count; i++) {
            if (table->columns[i].id == id)
                position = i;
        }
    } else if (scan->method == SCAN_KEY_RANGE && at < table->key_columns_count) {
        position = table->key_column_at[at];
    }
    if (position == UINT32_MAX) {
        strbuf_append_c(p->out, "key");
        return;
    }
    if (p->qualified)
        strbuf_printf(p->out, "%s.",
                      quoted(p, scan->alias ? str_from(scan->alias) : table->object.name));
    sql_quote_identifier(p->out, table->columns[position].name);
}

static void print_bound(ExprPrinter *line, PlanPrinter *p, const ScanPlan *scan, uint32_t at,
                        const char *op, const Expr *value)
{
    strbuf_append_char(p->out, '(');
    append_bound_column(p, scan, at);
    strbuf_append_c(p->out, op);
    expr_print_in(line, value);
    strbuf_append_char(p->out, ')');
}

/* The list as EXPR_IN prints it, with the key's column on the left. */
static void print_in_bound(ExprPrinter *line, PlanPrinter *p, const ScanPlan *scan, uint32_t at)
{
    const KeyBounds *bounds = &scan->bounds;
    Expr *in = expr_new(p->scope, EXPR_IN, sql_type(OID_BOOL), bounds->in_count + 1);
    StrBuf name, *out = p->out;

    strbuf_init(&name);
    p->out = &name;
    append_bound_column(p, scan, at);
    p->out = out;
    in->args[0] =
        expr_column(p->scope, 1, bounds->in[0]->type, scope_strndup(p->scope, name.ptr, name.len));
    memcpy(in->args + 1, bounds->in, bounds->in_count * sizeof *bounds->in);
    bool qualified = line->qualified;
    line->qualified = true;
    expr_print_in(line, in);
    line->qualified = qualified;
    strbuf_free(&name);
}

static void print_bounds(PlanPrinter *p, const ScanPlan *scan, int indent)
{
    const KeyBounds *bounds = &scan->bounds;
    uint32_t next = bounds->equal_count;
    uint32_t count = next + (bounds->low != NULL) + (bounds->high != NULL) + (bounds->in_count > 0);
    const char *before = "";

    if (count == 0)
        return;
    ExprPrinter line = begin_line(p, indent, "Index Cond: ");
    strbuf_append_c(p->out, count > 1 ? "(" : "");
    for (uint32_t i = 0; i < next; i++, before = " AND ") {
        strbuf_append_c(p->out, before);
        print_bound(&line, p, scan, i, " = ", bounds->equal[i]);
    }
    if (bounds->low) {
        strbuf_append_c(p->out, before);
        print_bound(&line, p, scan, next, bounds->low_inclusive ? " >= " : " > ", bounds->low);
        before = " AND ";
    }
    if (bounds->high) {
        strbuf_append_c(p->out, before);
        print_bound(&line, p, scan, next, bounds->high_inclusive ? " <= " : " < ", bounds->high);
        before = " AND ";
    }
    if (bounds->in_count > 0) {
        strbuf_append_c(p->out, before);
        print_in_bound(&line, p, scan, next);
    }
    strbuf_append_c(p->out, count > 1 ? ")\n" : "\n");
    print_subplans(p, &line, indent);
}

/* The node's own conditions and those from above, then the common plans from above. */
static void print_filter(PlanPrinter *p, int indent, const ExprList *own, const Above *above)
{
    ExprList all = {0};

    for (uint32_t i = 0; own && i < own->count; i++)
        array_push(p->scope, &all, own->data[i]);
    for (uint32_t i = 0; i < above->filter.count; i++)
        array_push(p->scope, &all, above->filter.data[i]);
    print_condition(p, indent, "Filter: ", &all);
    for (uint32_t i = 0; i < above->ctes.count; i++) {
        const Plan *cte = above->ctes.data[i];
        append_indent(p, indent);
        strbuf_printf(p->out, "CTE %s\n", cte->cte.name ? cte->cte.name : "?");
        print_node(p, cte->children[0], indent + 1, (Above){0});
    }
}

static void print_scan(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    int inner = print_head(p, plan, indent, scan_title(p, &plan->scan), above);

    print_bounds(p, &plan->scan, inner);
    print_filter(p, inner, &plan->scan.filters, above);
}

// --- joins -------------------------------------------------------------------------------------

static const char *join_words(const JoinPlan *join)
{
    bool flip = join->method == JOIN_HASH && join->build_left;

    switch (join->type) {
    case JOIN_INNER: return "";
    case JOIN_LEFT: return flip ? " Right" : " Left";
    case JOIN_RIGHT: return flip ? " Left" : " Right";
    case JOIN_FULL: return " Full";
    case JOIN_SEMI: return flip ? " Right Semi" : " Semi";
    case JOIN_ANTI: return flip ? " Right Anti" : " Anti";
    case JOIN_ANTI_NULL: return flip ? " Right Null-Aware Anti" : " Null-Aware Anti";
    case JOIN_MARK: return " Mark";
    case JOIN_SINGLE: return " Single";
    }
    return "";
}

static void print_hash_cond(PlanPrinter *p, const JoinPlan *join, int indent)
{
    const ExprList *outer = join->build_left ? &join->right_keys : &join->left_keys;
    const ExprList *inner = join->build_left ? &join->left_keys : &join->right_keys;

    if (outer->count == 0)
        return;
    ExprPrinter line = begin_line(p, indent, "Hash Cond: ");
    strbuf_append_c(p->out, outer->count > 1 ? "(" : "");
    for (uint32_t i = 0; i < outer->count; i++) {
        bool null_safe = join->null_safe && join->null_safe[i];
        strbuf_append_c(p->out, i > 0 ? " AND (" : "(");
        expr_print_in(&line, outer->data[i]);
        strbuf_append_c(p->out, null_safe ? " IS NOT DISTINCT FROM " : " = ");
        expr_print_in(&line, inner->data[i]);
        strbuf_append_char(p->out, ')');
    }
    strbuf_append_c(p->out, outer->count > 1 ? ")\n" : "\n");
}

static void print_join(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    const JoinPlan *join = &plan->join;
    bool hash = join->method == JOIN_HASH;
    const char *words = join_words(join);
    const char *title =
        hash ? (*words ? scope_printf(p->scope, "Hash%s Join", words) : "Hash Join")
             : (*words ? scope_printf(p->scope, "Nested Loop%s Join", words) : "Nested Loop");
    int inner = print_head(p, plan, indent, title, above);

    if (hash) {
        bool left = join->build_left;
        print_hash_cond(p, join, inner);
        print_condition(p, inner, "Join Filter: ", &join->residual);
        print_filter(p, inner, NULL, above);
        print_node(p, plan->children[left ? 1 : 0], inner, (Above){0});
        int build = print_head(p, plan->children[left ? 0 : 1], inner, "Hash", NULL);
        print_node(p, plan->children[left ? 0 : 1], build, (Above){0});
        return;
    }
    bool resolved = join->method == JOIN_INDEX;
    print_condition(p, inner, "Join Filter: ", resolved ? &join->residual : &join->conditions);
    print_filter(p, inner, NULL, above);
    print_node(p, plan->children[0], inner, (Above){0});
    print_node(p, plan->children[1], inner, (Above){0});
}

// --- the others --------------------------------------------------------------------------------

static void print_children(PlanPrinter *p, const Plan *plan, int indent)
{
    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            print_node(p, plan->children[i], indent, (Above){0});
    }
}

static void print_simple(PlanPrinter *p, const Plan *plan, int indent, const char *title,
                         const Above *above)
{
    int inner = print_head(p, plan, indent, title, above);

    print_filter(p, inner, NULL, above);
    print_children(p, plan, inner);
}

static void print_aggregate(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    bool hash = plan->aggregate.groups.count > 0;
    int inner = print_head(p, plan, indent, hash ? "HashAggregate" : "Aggregate", above);

    print_exprs(p, inner, "Group Key: ", &plan->aggregate.groups);
    print_filter(p, inner, NULL, above);
    print_children(p, plan, inner);
}

static void print_distinct(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    bool hash = plan->distinct.on.count == 0;
    int inner = print_head(p, plan, indent, hash ? "HashAggregate" : "Unique", above);

    if (hash) {
        append_indent(p, inner);
        strbuf_append_c(p->out, "Group Key: ");
        for (uint32_t i = 0; i < plan->columns_count; i++)
            strbuf_printf(p->out, "%s%s", i > 0 ? ", " : "",
                          plan->columns[i].name ? plan->columns[i].name : "?column?");
        strbuf_append_char(p->out, '\n');
    }
    print_filter(p, inner, NULL, above);
    print_children(p, plan, inner);
}

static void print_sort(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    if (plan->sort.limit || plan->sort.offset)
        indent = print_head(p, plan, indent, "Limit", above);
    int inner = print_head(p, plan, indent, "Sort", above);
    print_sort_keys(p, inner, plan->sort.keys, plan->sort.keys_count);
    print_filter(p, inner, NULL, above);
    print_children(p, plan, inner);
}

static void print_setop(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    static const char *const titles[] = {
        [SETOP_UNION_ALL] = "Append",
        [SETOP_UNION] = "HashAggregate",
        [SETOP_INTERSECT] = "HashSetOp Intersect",
        [SETOP_INTERSECT_ALL] = "HashSetOp Intersect All",
        [SETOP_EXCEPT] = "HashSetOp Except",
        [SETOP_EXCEPT_ALL] = "HashSetOp Except All",
    };
    int inner = print_head(p, plan, indent, titles[plan->setop.op], above);

    print_filter(p, inner, NULL, above);
    if (plan->setop.op != SETOP_UNION_ALL)
        inner = print_head(p, plan, inner, "Append", NULL);
    print_children(p, plan, inner);
}

static void print_modify(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    static const char *const verbs[] = {
        [MODIFY_INSERT] = "Insert", [MODIFY_UPDATE] = "Update", [MODIFY_DELETE] = "Delete"};
    const ModifyPlan *modify = &plan->modify;
    const char *title = scope_printf(p->scope, "%s on %s", verbs[modify->kind],
                                     quoted(p, modify->table->object.name));
    int inner = print_head(p, plan, indent, title, above);

    if (modify->conflict) {
        append_indent(p, inner);
        strbuf_printf(p->out, "Conflict Resolution: %s\n",
                      modify->conflict->do_update ? "UPDATE" : "NOTHING");
        if (modify->conflict->arbiter) {
            append_indent(p, inner);
            strbuf_printf(p->out, "Conflict Arbiter Indexes: %s\n",
                          quoted(p, modify->conflict->arbiter->object.name));
        }
    }
    print_filter(p, inner, NULL, above);
    print_children(p, plan, inner);
}

static void print_function(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    const Expr *call = plan->function.call;
    const char *name = call->kind == EXPR_FUNC ? call->func.info->name : "function";

    print_simple(p, plan, indent, scope_printf(p->scope, "Function Scan on %s", name), above);
}

static void print_values(PlanPrinter *p, const Plan *plan, int indent, const Above *above)
{
    bool single = plan->values.rows_count <= 1;

    print_simple(p, plan, indent, single ? "Result" : "Values Scan on \"*VALUES*\"", above);
}

/* PROJECT and FILTER are shown by the node below them. */
static void print_through(PlanPrinter *p, const Plan *plan, int indent, Above above)
{
    if (above.numbers == NULL)
        above.numbers = plan;
    if (plan->kind == PLAN_FILTER) {
        for (uint32_t i = 0; i < plan->filter.conditions.count; i++)
            array_push(p->scope, &above.filter, plan->filter.conditions.data[i]);
        print_node(p, plan->children[0], indent, above);
        return;
    }
    const Plan *child = plan->children[0];
    if (child->kind != PLAN_VALUES || child->values.rows_count > 1) {
        print_node(p, child, indent, above);
        return;
    }
    int inner = print_head(p, child, indent, "Result", &above);
    ExprPrinter found = {.out = &(StrBuf){0}, .scope = p->scope};
    print_filter(p, inner, NULL, &above);
    for (uint32_t i = 0; i < plan->project.exprs.count; i++)
        expr_print_in(&found, plan->project.exprs.data[i]);
    strbuf_free(found.out);
    print_subplans(p, &found, inner);
}

static const char *ref_title(PlanPrinter *p, const Plan *plan)
{
    return scope_printf(p->scope, "CTE Scan on %s", plan->cte.name ? plan->cte.name : "?");
}

static void print_node(PlanPrinter *p, const Plan *plan, int indent, Above above)
{
    switch (plan->kind) {
    case PLAN_SCAN: print_scan(p, plan, indent, &above); break;
    case PLAN_VIRTUAL: {
        const char *name = plan->virtual_table.name ? plan->virtual_table.name : "?";
        print_simple(p, plan, indent, scope_printf(p->scope, "Seq Scan on %s", name), &above);
        break;
    }
    case PLAN_FUNCTION: print_function(p, plan, indent, &above); break;
    case PLAN_VALUES: print_values(p, plan, indent, &above); break;
    case PLAN_FILTER:
    case PLAN_PROJECT: print_through(p, plan, indent, above); break;
    case PLAN_JOIN: print_join(p, plan, indent, &above); break;
    case PLAN_AGGREGATE: print_aggregate(p, plan, indent, &above); break;
    case PLAN_DISTINCT: print_distinct(p, plan, indent, &above); break;
    case PLAN_SORT: print_sort(p, plan, indent, &above); break;
    case PLAN_LIMIT: print_simple(p, plan, indent, "Limit", &above); break;
    case PLAN_SETOP: print_setop(p, plan, indent, &above); break;
    case PLAN_CTE:
        array_push(p->scope, &above.ctes, plan);
        print_node(p, plan->children[1], indent, above);
        break;
    case PLAN_CTE_REF: print_simple(p, plan, indent, ref_title(p, plan), &above); break;
    case PLAN_RECURSIVE: print_simple(p, plan, indent, "Recursive Union", &above); break;
    case PLAN_WINDOW: print_simple(p, plan, indent, "WindowAgg", &above); break;
    case PLAN_PROJECT_SET: print_simple(p, plan, indent, "ProjectSet", &above); break;
    case PLAN_MODIFY: print_modify(p, plan, indent, &above); break;
    case PLAN_LOCK_ROWS: print_simple(p, plan, indent, "LockRows", &above); break;
    }
}

/* Relations read, as far as two: more than one makes column names qualified. */
static uint32_t count_relations(const Plan *plan)
{
    uint32_t count = plan->kind == PLAN_SCAN || plan->kind == PLAN_VIRTUAL ||
                     plan->kind == PLAN_FUNCTION || plan->kind == PLAN_CTE_REF;

    for (int i = 0; i < 2; i++) {
        if (plan->children[i])
            count += count_relations(plan->children[i]);
    }
    return count;
}

void plan_print(StrBuf *out, const Plan *plan, bool costs, const ExecCounters *counters)
{
    PlanPrinter printer = {.out = out,
                           .scope = scope_open(NULL, "explain"),
                           .costs = costs,
                           .qualified = count_relations(plan) > 1,
                           .counters = counters};

    print_node(&printer, plan, 0, (Above){0});
    scope_close(printer.scope);
}
