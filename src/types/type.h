// SPDX-License-Identifier: Apache-2.0
//
// SQL types: a type is PostgreSQL's oid and a typmod. The table types.def has one row a type: name,
// category, physical form, length. The physical form decides memory layout and kernels:
//   - oid, xid, cid and reg* are PHYS_INT64 (0 .. 2^32-1), so that comparison is the plain one;
//   - char(n) is held without its trailing blanks; output pads it to n (so typmods are derived for
//     expressions too, as far as they are known);
//   - numeric(p,s): p <= 18 is PHYS_INT64, p <= 38 PHYS_INT128, both scaled by 10^s; numeric
//   without
//     a typmod is PHYS_NUMERIC, which carries its own scale. The binder derives (p,s) for
//     expressions so that arithmetic stays on scaled integers; clients see typmod -1 for those.
//   - arrays are PHYS_STRING holding the form of types/array.h; boolean is one byte.
// Immutable after start; any thread.
#ifndef DBASPOT_TYPES_TYPE_H
#define DBASPOT_TYPES_TYPE_H

#include "base/str.h"

typedef uint32_t Oid;

typedef struct SqlType {
    Oid oid;
    int32_t typmod; /* PostgreSQL's encoding: numeric ((p<<16)|s)+4, char/varchar n+4, time p; -1
                       none */
} SqlType;

typedef enum PhysType {
    PHYS_BOOL,   /* uint8_t, 0 or 1 */
    PHYS_INT16,  /* smallint */
    PHYS_INT32,  /* integer, date (days since 2000-01-01) */
    PHYS_INT64,  /* bigint, oid family, time, timestamp(tz) (us since 2000-01-01), numeric(p<=18) */
    PHYS_INT128, /* numeric(p<=38) */
    PHYS_FLOAT32,
    PHYS_FLOAT64,
    PHYS_INTERVAL, /* Interval */
    PHYS_UUID,     /* 16 bytes, big endian order = memcmp order */
    PHYS_NUMERIC,  /* Numeric: coefficient and scale */
    PHYS_STRING,   /* StrView: text, varchar, char, name, "char", bytea, arrays */
    PHYS_COUNT
} PhysType;

/* Bytes a value takes in a vector. */
extern const uint8_t phys_size[PHYS_COUNT];

/* Oids of the types that code names; the same as in PostgreSQL. TYPE_DEF rows define them all. */
typedef enum TypeOid {
    OID_INVALID = 0,
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18, /* "char", one byte */
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT2VECTOR = 22,
    OID_INT4 = 23,
    OID_REGPROC = 24,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_TID = 27,
    OID_XID = 28,
    OID_CID = 29,
    OID_OIDVECTOR = 30,
    OID_PG_NODE_TREE = 194,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA_ARRAY = 1001,
    OID_CHAR_ARRAY = 1002,
    OID_NAME_ARRAY = 1003,
    OID_INT2_ARRAY = 1005,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_BPCHAR_ARRAY = 1014,
    OID_VARCHAR_ARRAY = 1015,
    OID_INT8_ARRAY = 1016,
    OID_FLOAT4_ARRAY = 1021,
    OID_FLOAT8_ARRAY = 1022,
    OID_OID_ARRAY = 1028,
    OID_ACLITEM = 1033,
    OID_ACLITEM_ARRAY = 1034,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMP_ARRAY = 1115,
    OID_DATE_ARRAY = 1182,
    OID_TIME_ARRAY = 1183,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_INTERVAL = 1186,
    OID_INTERVAL_ARRAY = 1187,
    OID_NUMERIC_ARRAY = 1231,
    OID_NUMERIC = 1700,
    OID_REGPROCEDURE = 2202,
    OID_REGOPER = 2203,
    OID_REGOPERATOR = 2204,
    OID_REGCLASS = 2205,
    OID_REGTYPE = 2206,
    OID_RECORD = 2249,
    OID_CSTRING = 2275,
    OID_ANY = 2276,
    OID_ANYARRAY = 2277,
    OID_VOID = 2278,
    OID_ANYELEMENT = 2283,
    OID_ANYNONARRAY = 2776,
    OID_UUID = 2950,
    OID_REGROLE = 4096,
    OID_REGNAMESPACE = 4089,
    OID_REGTYPE_ARRAY = 2211,
    OID_UUID_ARRAY = 2951,
} TypeOid;

#define NUMERIC_PRECISION_MAX 38

typedef struct TypeInfo {
    Oid oid;
    const char *name;     /* typname in pg_type: "int4" */
    const char *sql_name; /* as format_type prints it: "integer" */
    char category;        /* typcategory: 'N', 'S', 'B', 'D', 'T', 'A', 'U', 'P', 'X' ... */
    bool preferred;       /* typispreferred */
    int16_t length;       /* typlen: bytes, -1 varlena, -2 cstring */
    PhysType phys;        /* without typmod; numeric: PHYS_NUMERIC, see type_phys */
    Oid element;          /* of an array (or vector) type, else 0 */
    Oid array;            /* the array type of this one, else 0 */
} TypeInfo;

/* NULL if there is no such type. */
const TypeInfo *type_info(Oid oid);
/* By typname or by an SQL spelling ("int4", "integer", "timestamp with time zone"); NULL if
 * unknown. */
const TypeInfo *type_by_name(Str name);
/* All rows, for pg_type. */
const TypeInfo *type_rows(uint32_t *count);

/* The memory form of a type with its typmod. */
PhysType type_phys(SqlType type);

static inline SqlType sql_type(Oid oid)
{
    return (SqlType){oid, -1};
}

static inline SqlType type_numeric(int precision, int scale)
{
    return (SqlType){OID_NUMERIC, ((precision << 16) | (scale & 0x7ff)) + 4};
}

/* REQUIRES: type.oid is OID_NUMERIC and typmod >= 0. */
static inline int type_numeric_precision(SqlType type)
{
    return ((type.typmod - 4) >> 16) & 0xffff;
}

static inline int type_numeric_scale(SqlType type)
{
    return (((type.typmod - 4) & 0x7ff) ^ 1024) - 1024;
}

static inline bool type_equal(SqlType a, SqlType b)
{
    return a.oid == b.oid && a.typmod == b.typmod;
}

/* Longest n of varchar(n) and char(n). */
#define TYPE_LENGTH_MAX 10485760

/* The typmod for the modifiers written after a type: numeric(12,2) -> {12, 2}; interval's first is
   its field mask. As PostgreSQL's errors; E_FEATURE_NOT_SUPPORTED beyond 38 digits. */
Status type_make_typmod(Ctx *ctx, Oid oid, const int32_t *mods, uint32_t count, int32_t *out);

/* "character varying(10)", "numeric(12,2)", "timestamp(3) without time zone", "integer[]". */
char *type_format(Scope *scope, SqlType type);

#endif
