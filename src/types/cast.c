// SPDX-License-Identifier: Apache-2.0
//
// Finds how one type becomes another and drives the kernels: a constant is converted once, a
// dictionary is laid flat first, texts and arrays go value by value. The target's typmod is applied
// last, in place.
#include "types/cast.h"

#include "types/array.h"
#include "types/cast_int.h"
#include "types/datetime.h"
#include "types/io_int.h"

static const CastInfo infos[] = {
#define CAST_DEF(from, to, context, method, kernel) {from, to, context, method},
#include "types/casts.def"
#undef CAST_DEF
};

static const CastKernel kernels[] = {
#define CAST_DEF(from, to, context, method, kernel) kernel,
#include "types/casts.def"
#undef CAST_DEF
};

const CastInfo *cast_rows(uint32_t *count)
{
    *count = ARRAY_COUNT(infos);
    return infos;
}

/* Row of casts.def, -1 if there is none. */
static int find_row(Oid from, Oid to)
{
    int low = 0;
    int high = (int)ARRAY_COUNT(infos) - 1;

    while (low <= high) {
        int middle = (low + high) / 2;
        const CastInfo *info = &infos[middle];
        if (info->from == from && info->to == to)
            return middle;
        if (info->from < from || (info->from == from && info->to < to))
            low = middle + 1;
        else
            high = middle - 1;
    }
    return -1;
}

/* The element of a true array (int2vector and oidvector are targets of no array cast). */
static Oid element_of(Oid oid)
{
    const TypeInfo *info = type_info(oid);

    return info && info->category == 'A' ? info->element : OID_INVALID;
}

static bool is_string(Oid oid)
{
    const TypeInfo *info = type_info(oid);

    return info && info->category == 'S';
}

CastMethod cast_find(Oid from, Oid to, CastContext context)
{
    if (from == to)
        return CAST_BINARY;
    if (from == OID_UNKNOWN)
        return CAST_IO;
    int row = find_row(from, to);
    if (row >= 0) {
        if (infos[row].context > context)
            return CAST_NONE;
        return kernels[row] ? CAST_FUNCTION : CAST_BINARY;
    }
    if (to != OID_INT2VECTOR && to != OID_OIDVECTOR && element_of(from) && element_of(to)) {
        CastMethod method = cast_find(element_of(from), element_of(to), context);
        return method == CAST_NONE || method == CAST_BINARY ? method : CAST_ARRAY;
    }
    if (context >= CAST_ASSIGNMENT && is_string(to))
        return CAST_IO;
    if (context >= CAST_EXPLICIT && is_string(from))
        return CAST_IO;
    return CAST_NONE;
}

/* --- typmods --- */

/* True if values of a typmod need a look to become those of another. */
static bool needs_typmod(SqlType from, SqlType to)
{
    if (to.typmod < 0 || (from.oid == to.oid && from.typmod == to.typmod))
        return false;
    switch (to.oid) {
    case OID_VARCHAR:
    case OID_BPCHAR: return !(from.oid == to.oid && from.typmod >= 4 && from.typmod <= to.typmod);
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ: return to.typmod < 6;
    case OID_INTERVAL: return true;
    default: return false;
    }
}

static Status fit_strings(const CastCall *call, uint32_t rows, Vector *v)
{
    Status st = OK;
    StrView *views = v->values;
    size_t bytes_max = (size_t)call->target.typmod - 4;

    for (uint32_t row = 0; row < rows; row++) {
        if (views[row].len <= bytes_max || !cast_row_valid(v, row))
            continue;
        Str text = strview_str(&views[row]);
        TRY(io_fit_string(call->ctx, call->target, text, call->explicit_cast, &text));
        views[row] = strview_make(text.ptr, text.len);
    }
done:
    return st;
}

/* In place, on a vector whose values nobody else sees. */
static Status apply_typmod(const CastCall *call, uint32_t rows, Vector *v)
{
    Status st = OK;

    switch (call->target.oid) {
    case OID_VARCHAR:
    case OID_BPCHAR: return fit_strings(call, rows, v);
    case OID_INTERVAL:
        for (uint32_t row = 0; row < rows; row++) {
            if (cast_row_valid(v, row))
                TRY(interval_apply_typmod(call->ctx, (Interval *)v->values + row,
                                          call->target.typmod));
        }
        break;
    default:
        for (uint32_t row = 0; row < rows; row++) {
            if (cast_row_valid(v, row))
                ((int64_t *)v->values)[row] =
                    timestamp_round(((int64_t *)v->values)[row], call->target.typmod);
        }
    }
done:
    return st;
}

/* --- value by value --- */

/* The target's text form of each value, or the value that each text is. */
static Status through_text(const CastCall *call, const Vector *in, uint32_t rows, Vector *out)
{
    Status st = OK;
    bool later = needs_typmod(sql_type(OID_INVALID), call->target);
    SqlType base = {call->target.oid, later ? -1 : call->target.typmod};
    TypeOutput output = type_output_function(in->type);
    size_t bytes = phys_size[out->phys];
    StrBuf text;
    Datum datum;

    strbuf_init(&text);
    for (uint32_t row = 0; row < rows; row++) {
        if (!cast_row_valid(in, row))
            continue;
        strbuf_clear(&text);
        output(&text, in->type, in, row, call->io);
        Str value = text.len ? strbuf_str(&text) : STR("");
        TRY(type_input(call->ctx, call->scope, base, value, call->io, &datum));
        memcpy((char *)out->values + row * bytes, datum.bytes, bytes);
    }
done:
    strbuf_free(&text);
    return st;
}

/* One array, its elements cast as a vector. */
static Status cast_one_array(const CastCall *call, Str bytes, StrView *out)
{
    Status st = OK;
    ArrayView view;
    Vector from, to;
    SqlType element = {element_of(call->target.oid), call->target.typmod};
    ArrayShape shape = {0};

    array_view(bytes, &view);
    shape.dimensions = view.dimensions;
    memcpy(shape.lengths, view.lengths, sizeof shape.lengths);
    memcpy(shape.lower, view.lower, sizeof shape.lower);
    vector_init_flat(&from, call->scope, view.element, view.count);
    for (uint32_t i = 0; i < view.count; i++) {
        Datum datum = array_get(&view, i);
        if (datum.is_null)
            bitmap_clear(vector_make_validity(&from, call->scope, view.count), i);
        else
            memcpy((char *)from.values + (size_t)i * phys_size[from.phys], datum.bytes,
                   phys_size[from.phys]);
    }
    TRY(cast_vector(call->ctx, call->scope, &from, view.count, element, call->explicit_cast,
                    call->io, &to));
    Datum *elements = scope_new_array(call->scope, Datum, view.count);
    for (uint32_t i = 0; i < view.count; i++) {
        elements[i] = datum_from_vector(&to, i);
        io_unscale_numeric(&elements[i]);
    }
    TRY(array_make(call->ctx, call->scope, array_element_type(call->target), &shape, elements,
                   out));
done:
    return st;
}

static Status through_elements(const CastCall *call, const Vector *in, uint32_t rows, Vector *out)
{
    Status st = OK;

    for (uint32_t row = 0; row < rows; row++) {
        if (cast_row_valid(in, row))
            TRY(cast_one_array(call, strview_str((const StrView *)in->values + row),
                               (StrView *)out->values + row));
    }
done:
    return st;
}

/* --- drivers --- */

static Status refuse(const CastCall *call, SqlType from)
{
    char *source = type_format(call->scope, sql_type(from.oid));
    char *target = type_format(call->scope, sql_type(call->target.oid));

    return error_raise(call->ctx, E_CANNOT_COERCE, "cannot cast type %s to %s", source, target);
}

static CastKernel find_kernel(const Vector *in, SqlType target)
{
    Oid from = in->type.oid;

    if (from == OID_NUMERIC && target.oid == OID_NUMERIC)
        return cast_numeric_numeric;
    int row = from == target.oid ? -1 : find_row(from, target.oid);
    if (row >= 0)
        return kernels[row];
    switch (cast_find(from, target.oid, CAST_EXPLICIT)) {
    case CAST_IO: return through_text;
    case CAST_ARRAY: return through_elements;
    default: return NULL;
    }
}

/* Flat, or a constant's one row seen as flat; the NULLs are copied, since kernels may add some. */
static Status run_kernel(const CastCall *call, CastKernel kernel, const Vector *in, uint32_t rows,
                         Vector *out)
{
    Status st = OK;
    Vector flat = *in;

    if (in->form == VECTOR_DICT)
        TRY(vector_copy_flat(call->ctx, call->scope, in, rows, false, &flat));
    uint32_t count = in->form == VECTOR_CONST ? 1 : rows;
    flat.form = VECTOR_FLAT;
    vector_init_flat(out, call->scope, call->target, count);
    if (flat.validity) {
        vector_make_validity(out, call->scope, count);
        memcpy(out->validity, flat.validity, bitmap_words(count) * sizeof(uint64_t));
    }
    TRY(kernel(call, &flat, count, out));
    if (call->target.typmod >= 0 && needs_typmod(sql_type(OID_INVALID), call->target))
        TRY(apply_typmod(call, count, out));
    out->form = in->form == VECTOR_CONST ? VECTOR_CONST : VECTOR_FLAT;
done:
    return st;
}

static Status keep_values(const CastCall *call UNUSED, const Vector *in, uint32_t rows, Vector *out)
{
    memcpy(out->values, in->values, (size_t)rows * phys_size[in->phys]);
    return OK;
}

Status cast_vector(Ctx *ctx, Scope *scope, const Vector *in, uint32_t rows, SqlType target,
                   bool explicit_cast, const TypeIoContext *io, Vector *out)
{
    CastCall call = {ctx, scope, io, target, explicit_cast};
    CastKernel kernel = find_kernel(in, target);

    if (type_equal(in->type, target))
        kernel = NULL;
    else if (element_of(target.oid) && target.oid == in->type.oid && target.typmod >= 0)
        kernel = through_elements;
    if (kernel == NULL && cast_find(in->type.oid, target.oid, CAST_EXPLICIT) == CAST_NONE)
        return refuse(&call, in->type);
    if (kernel == NULL && needs_typmod(in->type, target))
        kernel = keep_values;
    if (kernel)
        return run_kernel(&call, kernel, in, rows, out);
    *out = *in;
    out->type = target;
    ASSERT(out->phys == type_phys(target));
    return OK;
}

Status cast_datum(Ctx *ctx, Scope *scope, const Datum *in, SqlType target, bool explicit_cast,
                  const TypeIoContext *io, Datum *out)
{
    Vector from, to;

    if (in->is_null) {
        *out = datum_null(target);
        return OK;
    }
    datum_to_vector(in, scope, &from);
    Status st = cast_vector(ctx, scope, &from, 1, target, explicit_cast, io, &to);
    if (st == OK)
        *out = datum_from_vector(&to, 0);
    return st;
}
