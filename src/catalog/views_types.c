// SPDX-License-Identifier: Apache-2.0
//
// pg_catalog's tables of what is built in: types, functions, operators, access methods. Made from
// the tables that the engine itself runs on.
#include "catalog/view_int.h"
#include "func/func.h"

static void write_type(RowWriter *w, const TypeInfo *t)
{
    bool collatable = t->category == 'S';

    writer_int(w, t->oid);
    writer_c(w, t->name);
    writer_int(w, OID_SCHEMA_PG_CATALOG);
    writer_int(w, OID_ROLE_POSTGRES);
    writer_int(w, t->length);
    writer_bool(w, t->length > 0 && t->length <= 8);
    writer_c(w, t->category == 'P' ? "p" : "b");
    writer_text(w, (Str){&t->category, 1});
    writer_bool(w, t->preferred);
    writer_bool(w, true);
    writer_c(w, ",");
    writer_int(w, 0);
    writer_int(w, 0);
    writer_int(w, t->element);
    writer_int(w, t->array);
    for (int i = 0; i < 7; i++)
        writer_int(w, 0);
    writer_c(w, t->length == 1 ? "c" : t->length == 2 ? "s" : t->length == 8 ? "d" : "i");
    writer_c(w, t->length == -1 ? "x" : "p");
    writer_bool(w, false);
    writer_int(w, 0);
    writer_int(w, -1);
    writer_int(w, 0);
    writer_int(w, collatable ? (t->oid == OID_NAME ? 950 : 100) : 0);
    view_nulls(w, 3);
    writer_end(w);
}

Status view_pg_type(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    uint32_t count;
    const TypeInfo *types = type_rows(&count);

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < count; i++)
        write_type(writer, &types[i]);
    return OK;
}

typedef struct ProcRow {
    Oid oid;
    const char *name;
    char kind;
    bool strict;
    bool set;
    char volatility;
    Oid variadic;
    uint32_t args_count;
    uint32_t defaults_count;
    const Oid *args;
    Oid result;
    double cost;
} ProcRow;

static void write_proc(RowWriter *w, const ProcRow *p)
{
    int64_t args[FUNC_ARGS_MAX];

    for (uint32_t i = 0; i < p->args_count; i++)
        args[i] = p->args[i];
    writer_int(w, p->oid);
    writer_c(w, p->name);
    writer_int(w, OID_SCHEMA_PG_CATALOG);
    writer_int(w, OID_ROLE_POSTGRES);
    writer_int(w, 12); /* internal */
    writer_real(w, p->cost);
    writer_real(w, p->set ? 1000 : 0);
    writer_int(w, p->variadic);
    writer_int(w, 0);
    writer_text(w, str_copy(writer_scope(w), (Str){&p->kind, 1}));
    writer_bool(w, false);
    writer_bool(w, false);
    writer_bool(w, p->strict);
    writer_bool(w, p->set);
    writer_text(w, str_copy(writer_scope(w), (Str){&p->volatility, 1}));
    writer_c(w, "s");
    writer_int(w, p->args_count);
    writer_int(w, p->defaults_count);
    writer_int(w, p->result);
    writer_oids(w, OID_OID, args, p->args_count);
    view_nulls(w, 5);
    writer_c(w, p->name);
    view_nulls(w, 4);
    writer_end(w);
}

Status view_pg_proc(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    uint32_t count;
    const FuncInfo *funcs = func_rows(&count);

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < count; i++) {
        const FuncInfo *f = &funcs[i];
        write_proc(writer, &(ProcRow){.oid = f->oid,
                                      .name = f->name,
                                      .kind = 'f',
                                      .strict = f->strict,
                                      .set = f->set != NULL,
                                      .volatility = "isv"[f->volatility],
                                      .variadic = f->variadic,
                                      .args_count = f->args_count,
                                      .defaults_count = f->defaults_count,
                                      .args = f->args,
                                      .result = f->result,
                                      .cost = f->cost});
    }
    const AggInfo *aggs = agg_rows(&count);
    for (uint32_t i = 0; i < count; i++)
        write_proc(writer, &(ProcRow){.oid = aggs[i].oid,
                                      .name = aggs[i].name,
                                      .kind = 'a',
                                      .volatility = 'i',
                                      .args_count = aggs[i].args_count,
                                      .args = aggs[i].args,
                                      .result = aggs[i].result,
                                      .cost = 1});
    return OK;
}

Status view_pg_operator(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    uint32_t count;
    const OperatorInfo *operators = operator_rows(&count);

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < count; i++) {
        const OperatorInfo *op = &operators[i];
        const OperatorInfo *commutator =
            op->commutator ? operator_exact(op->commutator, op->right, op->left) : NULL;
        const OperatorInfo *negator =
            op->negator ? operator_exact(op->negator, op->left, op->right) : NULL;
        bool equality = strcmp(op->name, "=") == 0;
        writer_int(writer, op->oid);
        writer_c(writer, op->name);
        writer_int(writer, OID_SCHEMA_PG_CATALOG);
        writer_int(writer, OID_ROLE_POSTGRES);
        writer_c(writer, op->left ? "b" : "l");
        writer_bool(writer, equality);
        writer_bool(writer, equality);
        writer_int(writer, op->left);
        writer_int(writer, op->right);
        writer_int(writer, op->result);
        writer_int(writer, commutator ? commutator->oid : 0);
        writer_int(writer, negator ? negator->oid : 0);
        writer_int(writer, op->func->oid);
        writer_int(writer, 0);
        writer_int(writer, 0);
        writer_end(writer);
    }
    return OK;
}

Status view_pg_am(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    static const struct {
        Oid oid;
        const char *name;
        const char *type;
    } methods[] = {{2, "heap", "t"}, {403, "btree", "i"}};

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < ARRAY_COUNT(methods); i++) {
        writer_int(writer, methods[i].oid);
        writer_c(writer, methods[i].name);
        writer_int(writer, 0);
        writer_c(writer, methods[i].type);
        writer_end(writer);
    }
    return OK;
}

Status view_pg_tablespace(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    static const struct {
        Oid oid;
        const char *name;
    } spaces[] = {{1663, "pg_default"}, {1664, "pg_global"}};

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < ARRAY_COUNT(spaces); i++) {
        writer_int(writer, spaces[i].oid);
        writer_c(writer, spaces[i].name);
        writer_int(writer, OID_ROLE_POSTGRES);
        view_nulls(writer, 2);
        writer_end(writer);
    }
    return OK;
}

Status view_pg_collation(Ctx *ctx, RowWriter *writer, const Catalog *catalog)
{
    static const struct {
        Oid oid;
        const char *name;
        const char *provider;
    } collations[] = {{100, "default", "d"}, {950, "C", "c"}, {951, "POSIX", "c"}};

    (void)ctx;
    (void)catalog;
    for (uint32_t i = 0; i < ARRAY_COUNT(collations); i++) {
        bool is_default = collations[i].oid == 100;
        writer_int(writer, collations[i].oid);
        writer_c(writer, collations[i].name);
        writer_int(writer, OID_SCHEMA_PG_CATALOG);
        writer_int(writer, OID_ROLE_POSTGRES);
        writer_c(writer, collations[i].provider);
        writer_bool(writer, true);
        writer_int(writer, -1);
        if (is_default) {
            view_nulls(writer, 2);
        } else {
            writer_c(writer, collations[i].name);
            writer_c(writer, collations[i].name);
        }
        view_nulls(writer, 2);
        writer_end(writer);
    }
    return OK;
}
