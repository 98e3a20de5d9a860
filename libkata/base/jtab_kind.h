/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab_kind: what the files of jtab share. Not for anybody else.
 *
 * jtab.c walks objects by their tables; how a member of one kind is read and
 * written is in jtab_scalar.c and jtab_list.c.
 */
#ifndef KATA_BASE_JTAB_KIND_H
#define KATA_BASE_JTAB_KIND_H

#include "base/jtab.h"

#define JT_SHOWN 64 /* bytes of a value or key shown in an error */
#define JT_NO_INDEX ((size_t)-1)

/**
 * struct jt_where - a place in the document, as frames on the stack: made into
 * text only for an error or a check. Without @up it is the root and @name its path.
 */
struct jt_where {
	const struct jt_where *up;
	const char *name;
	size_t index; /* of an array; else JT_NO_INDEX */
};

struct jt_decode {
	struct arena *arena;
	struct kata_err *err;
};

/** struct jt_ops - how a kind of member is read, written, and what its absence looks like. */
struct jt_ops {
	int (*decode)(const struct jt_decode *d, const struct jt_field *f,
		      const struct json *j, const struct jt_where *w, void *dst);
	void (*encode)(const struct jt_field *f, const void *src, struct json_out *o);
	bool (*is_absent)(const struct jt_field *f, const void *src);
	unsigned char bytes; /* numbers */
	bool is_signed;
	bool optional; /* through a pointer */
};

/* jtab_scalar.c */
extern const struct jt_ops jt_ops_str, jt_ops_bool, jt_ops_opt_bool, jt_ops_enum;
extern const struct jt_ops jt_ops_i32, jt_ops_u32, jt_ops_i64, jt_ops_u64;
extern const struct jt_ops jt_ops_opt_i32, jt_ops_opt_u32, jt_ops_opt_i64, jt_ops_opt_u64;
/* jtab_list.c */
extern const struct jt_ops jt_ops_strv, jt_ops_u32v, jt_ops_obj, jt_ops_objv;
extern const struct jt_ops jt_ops_map, jt_ops_objmap, jt_ops_raw;

const struct jt_ops *jt_ops_of(const struct jt_field *f);

static inline struct jt_where jt_at_name(const struct jt_where *up, const char *name)
{
	return (struct jt_where){ up, name, JT_NO_INDEX };
}

static inline struct jt_where jt_at_index(const struct jt_where *up, size_t i)
{
	return (struct jt_where){ up, NULL, i };
}

/** jt_place() - the path as text, "document" for the root. */
const char *jt_place(const struct jt_decode *d, const struct jt_where *w);
/** jt_expect() - has @j this type? */
int jt_expect(const struct jt_decode *d, const struct jt_where *w, enum json_type type,
	      const struct json *j) MUST_CHECK;
/** jt_check_filled() - is @j, which has a length, empty although it must not be? */
int jt_check_filled(const struct jt_decode *d, const struct jt_field *f,
		    const struct jt_where *w, const struct json *j) MUST_CHECK;
/** jt_expect_filled() - both. */
int jt_expect_filled(const struct jt_decode *d, const struct jt_field *f,
		     const struct jt_where *w, enum json_type type,
		     const struct json *j) MUST_CHECK;
/** jt_read_number() - @j in the range of @f, as the bits of a two's complement number. */
int jt_read_number(const struct jt_decode *d, const struct jt_field *f,
		   const struct json *j, const struct jt_where *w,
		   uint64_t *ret) MUST_CHECK;
/** jt_decode_members() - an object by its table. */
int jt_decode_members(const struct jt_decode *d, const struct jtab *t,
		      const struct json *j, const struct jt_where *w,
		      void *obj) MUST_CHECK;
/** jt_no_pointer() - absence of all kinds that begin with a pointer. */
bool jt_no_pointer(const struct jt_field *f, const void *src);

#endif
