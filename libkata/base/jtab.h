/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab: one table per struct decodes it from JSON and encodes it to JSON.
 * Errors name the JSON path: "process.rlimits[2].type: ...".
 *
 * How a member looks in C:
 *   JT_STR            const char *            NULL = absent
 *   JT_BOOL           bool                    absent = false
 *   JT_OPT_BOOL       const bool *            NULL = absent
 *   JT_I32..JT_U64    intN_t / uintN_t        absent = 0; range from the type, or min/max
 *   JT_OPT_I32..U64   const intN_t * ...      NULL = absent
 *   JT_ENUM           int                     index into names[]; absent = -1
 *   JT_STRV           struct jt_strv
 *   JT_U32V           struct jt_u32v
 *   JT_OBJ            const T *               NULL = absent
 *   JT_OBJV           struct jt_objv          array of T, contiguous
 *   JT_MAP            struct jt_map           string -> string, in the document's order
 *   JT_OBJMAP         struct jt_objmap        string -> T
 *   JT_RAW            const struct json *     kept as parsed
 * JSON null counts as absent for every optional member (Go's encoders write it).
 * Unknown members are ignored, as the spec demands; @strict tables refuse them.
 */
#ifndef KATA_BASE_JTAB_H
#define KATA_BASE_JTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

enum jt_kind {
	JT_STR,
	JT_BOOL,
	JT_OPT_BOOL,
	JT_I32,
	JT_U32,
	JT_I64,
	JT_U64,
	JT_OPT_I32,
	JT_OPT_U32,
	JT_OPT_I64,
	JT_OPT_U64,
	JT_ENUM,
	JT_STRV,
	JT_U32V,
	JT_OBJ,
	JT_OBJV,
	JT_MAP,
	JT_OBJMAP,
	JT_RAW,
};

struct jt_strv {
	const char *const *v;
	size_t n;
}; /* v is NULL-terminated, NULL when absent */
struct jt_u32v {
	const uint32_t *v;
	size_t n;
};
struct jt_objv {
	const void *v;
	size_t n;
}; /* cast v to the element type */
struct jt_map {
	const char *const *keys;
	const char *const *vals;
	size_t n;
};
struct jt_objmap {
	const char *const *keys;
	const void *v;
	size_t n;
};

#define JT_REQUIRED 1u /* must be there and not null */
#define JT_NONEMPTY 2u /* string, array or map with something in it, when there */
#define JT_OMIT_ZERO                                                                     \
	4u /* encode: leave out false / 0 (absent pointers are always left out) */

struct jtab;

struct jt_field {
	const char *name;
	enum jt_kind kind;
	unsigned flags;
	size_t offset;
	const struct jtab *sub;	  /* JT_OBJ, JT_OBJV, JT_OBJMAP */
	const char *const *names; /* JT_ENUM: NULL-terminated */
	int64_t min;		  /* numbers: a narrower range when max > min */
	uint64_t max;
	const char *alias; /* another spelling that decodes the same; NULL = none */
};

struct jtab {
	const char *what; /* "process": for messages about the object itself */
	size_t size;	  /* sizeof(struct) */
	bool strict;	  /* unknown members are errors */
	const struct jt_field *fields;
	size_t n_fields;
	/* after all members are in: cross-field rules. @path is the object's JSON path. May be NULL. */
	int (*check)(const void *obj, const char *path, struct kata_err *err);
};

/** Designated-initialiser helper: JT(struct oci_root, path, JT_STR, .flags = JT_REQUIRED) */
#define JT(type, member, k, ...)                                                         \
	{                                                                                \
		.name = #member, .kind = (k), .offset = offsetof(type, member),          \
		__VA_ARGS__                                                              \
	}
/** The same when the JSON name is not the C name. */
#define JT_AS(type, member, json_name, k, ...)                                           \
	{                                                                                \
		.name = (json_name), .kind = (k), .offset = offsetof(type, member),      \
		__VA_ARGS__                                                              \
	}

/**
 * jtab_decode() - @j into @obj (zeroed by the callee first), memory from @a.
 * @path: JSON path of @j, "" for the document.
 */
int jtab_decode(const struct jtab *t, const struct json *j, struct arena *a,
		const char *path, void *obj, struct kata_err *err) MUST_CHECK;
void jtab_encode(const struct jtab *t, const void *obj, struct json_out *o);

/** jtab_path() - "a.b" from "a" and "b"; "b" when @path is empty; keys that are no plain words are ["quoted"]. */
char *jtab_path(struct arena *a, const char *path, const char *name);
char *jtab_path_index(struct arena *a, const char *path, size_t i);

#endif
