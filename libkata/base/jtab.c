/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab: decode and encode by field tables.
 *
 * One row of kinds[] per member kind says how it is read, written, and what
 * its absence looks like. The JSON path of a value is kept as a chain of
 * frames on the stack and only made into text for an error or a check, so that
 * a correct document costs no string building. Decoding recurses along the
 * tables, so no deeper than the document, which json_parse() bounded.
 *
 * Must not know what any table is about.
 */
#include "base/jtab.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 64      /* bytes of a value or key shown in an error */
#define NO_INDEX ((size_t)-1)

/** Where we are in the document: text for the root, then names and indexes. */
struct where {
	const struct where *up;
	const char *name;
	size_t index;
};

struct decode {
	struct arena *arena;
	struct kata_err *err;
};

struct kind {
	int (*decode)(const struct decode *d, const struct jt_field *f, const struct json *j,
		      const struct where *w, void *dst);
	void (*encode)(const struct jt_field *f, const void *src, struct json_out *o);
	bool (*is_absent)(const struct jt_field *f, const void *src);
	unsigned char bytes; /* numbers */
	bool is_signed;
	bool optional; /* through a pointer */
};

static const struct kind kinds[];

/* ---- paths ---- */

static bool is_word(const char *s)
{
	const char *p;

	for (p = s; *p; p++) {
		bool letter = ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || *p == '_';
		bool other = (*p >= '0' && *p <= '9') || *p == '-';

		if (!letter && !(other && p > s))
			return false;
	}
	return p > s;
}

/** jtab_path() - "a.b", or a["b c"] for a name that is no plain word. */
char *jtab_path(struct arena *a, const char *path, const char *name)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	char *s;

	if (is_word(name) && strlen(name) <= SHOWN)
		return arena_printf(a, "%s%s%s", path, *path ? "." : "", name);
	json_out_strn(&o, name, strnlen(name, SHOWN));
	s = arena_printf(a, "%s[%s]", path, buf_cstr(&b));
	buf_done(&b);
	return s;
}

char *jtab_path_index(struct arena *a, const char *path, size_t i)
{
	return arena_printf(a, "%s[%zu]", path, i);
}

static const char *render(struct arena *a, const struct where *w)
{
	const char *up;

	if (!w->up)
		return w->name;
	up = render(a, w->up);
	return w->index == NO_INDEX ? jtab_path(a, up, w->name) :
				      jtab_path_index(a, up, w->index);
}

static struct where at_name(const struct where *up, const char *name)
{
	return (struct where){ up, name, NO_INDEX };
}

static struct where at_index(const struct where *up, size_t i)
{
	return (struct where){ up, NULL, i };
}

/* ---- refusals ---- */

static const char *place(const struct decode *d, const struct where *w)
{
	const char *path = render(d->arena, w);

	return *path ? path : "document";
}

static int wrong_type(const struct decode *d, const struct where *w, const char *wanted,
		      const struct json *j)
{
	const char *is = json_type_name(j->type);

	return err_set(d->err, -EINVAL, "%s: must be %s, is %s", place(d, w), wanted, is);
}

static int expect(const struct decode *d, const struct where *w, enum json_type type,
		  const struct json *j)
{
	return j->type == type ? 0 : wrong_type(d, w, json_type_name(type), j);
}

static int empty(const struct decode *d, const struct where *w)
{
	return err_set(d->err, -EINVAL, "%s: must not be empty", place(d, w));
}

/** @j has the type wanted; is it empty although it must not be? */
static int check_filled(const struct decode *d, const struct jt_field *f, const struct where *w,
			const struct json *j)
{
	return (f->flags & JT_NONEMPTY) && !j->len ? empty(d, w) : 0;
}

/** The type wanted, and not empty if it must not be. */
static int expect_filled(const struct decode *d, const struct jt_field *f, const struct where *w,
			 enum json_type type, const struct json *j)
{
	int r = expect(d, w, type, j);

	return r < 0 ? r : check_filled(d, f, w, j);
}

/* ---- strings and booleans ---- */

static int decode_str(const struct decode *d, const struct jt_field *f, const struct json *j,
		      const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_STRING, j);

	if (r < 0)
		return r;
	*(const char **)dst = j->str;
	return 0;
}

static void encode_str(const struct jt_field *f, const void *src, struct json_out *o)
{
	(void)f;
	json_out_str(o, *(const char *const *)src);
}

static int decode_bool(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, void *dst)
{
	int r = expect(d, w, JSON_BOOL, j);
	bool *p = dst;

	if (r < 0)
		return r;
	if (kinds[f->kind].optional) {
		p = arena_alloc(d->arena, sizeof(*p));
		*(const bool **)dst = p;
	}
	*p = j->boolean;
	return 0;
}

static void encode_bool(const struct jt_field *f, const void *src, struct json_out *o)
{
	const bool *p = kinds[f->kind].optional ? *(const bool *const *)src : src;

	json_out_bool(o, *p);
}

/* ---- numbers: handled as 64 bits, stored with the width of the kind ---- */

struct range {
	int64_t min;
	uint64_t max;
};

/** The range of the C type, narrowed by the table. */
static struct range range_of(const struct jt_field *f)
{
	const struct kind *k = &kinds[f->kind];
	unsigned bits = 8u * k->bytes;
	struct range r = { 0, UINT64_MAX >> (64 - bits) };

	if (k->is_signed) {
		r.max >>= 1;
		r.min = -(int64_t)r.max - 1;
	}
	if (f->min >= 0 && f->max <= (uint64_t)f->min)
		return r; /* the table says nothing */
	if (f->min > r.min)
		r.min = f->min;
	if (f->max < r.max)
		r.max = f->max;
	return r;
}

/** Parse into the bits of a two's complement number. */
static int parse_number(const struct json *j, struct range r, uint64_t *ret)
{
	int64_t negative;
	int err;

	if (j->str[0] == '-') {
		err = json_to_i64(j, r.min, r.max > INT64_MAX ? INT64_MAX : (int64_t)r.max,
				  &negative);
		if (err == 0)
			*ret = (uint64_t)negative;
		return err;
	}
	return json_to_u64(j, r.min > 0 ? (uint64_t)r.min : 0, r.max, ret);
}

static void store_number(void *dst, unsigned bytes, uint64_t v)
{
	uint32_t low = (uint32_t)v;

	if (bytes == 4)
		memcpy(dst, &low, 4);
	else
		memcpy(dst, &v, 8);
}

static int read_number(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, uint64_t *ret)
{
	struct range range = range_of(f);
	int r = expect(d, w, JSON_NUMBER, j);

	if (r < 0)
		return r;
	r = parse_number(j, range, ret);
	if (r == -EINVAL)
		return err_set(d->err, -EINVAL, "%s: must be a whole number, is %.*s",
			       place(d, w), SHOWN, j->str);
	if (r < 0)
		return err_set(d->err, -ERANGE,
			       "%s: must be between %" PRId64 " and %" PRIu64 ", is %.*s",
			       place(d, w), range.min, range.max, SHOWN, j->str);
	return 0;
}

static int decode_number(const struct decode *d, const struct jt_field *f, const struct json *j,
			 const struct where *w, void *dst)
{
	const struct kind *k = &kinds[f->kind];
	uint64_t v;
	int r = read_number(d, f, j, w, &v);

	if (r < 0)
		return r;
	if (k->optional) {
		void *p = arena_alloc(d->arena, k->bytes);

		*(void **)dst = p;
		dst = p;
	}
	store_number(dst, k->bytes, v);
	return 0;
}

static uint64_t load_number(const struct jt_field *f, const void *src)
{
	const struct kind *k = &kinds[f->kind];
	uint32_t low;
	uint64_t v;

	if (k->bytes == 8) {
		memcpy(&v, src, 8);
		return v;
	}
	memcpy(&low, src, 4);
	return k->is_signed ? (uint64_t)(int64_t)(int32_t)low : low;
}

static void encode_number(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct kind *k = &kinds[f->kind];
	uint64_t v = load_number(f, k->optional ? *(const void *const *)src : src);

	if (k->is_signed)
		json_out_i64(o, (int64_t)v);
	else
		json_out_u64(o, v);
}

/* ---- enums ---- */

static int unknown_name(const struct decode *d, const struct jt_field *f, const struct json *j,
			const struct where *w)
{
	struct buf b = { 0 };
	size_t i;
	int r;

	for (i = 0; f->names[i]; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", f->names[i]);
	r = err_set(d->err, -EINVAL, "%s: \"%.*s\" is not one of %s", place(d, w), SHOWN, j->str,
		    buf_cstr(&b));
	buf_done(&b);
	return r;
}

static int decode_enum(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, void *dst)
{
	int r = expect(d, w, JSON_STRING, j), i;

	if (r < 0)
		return r;
	for (i = 0; f->names[i]; i++) {
		if (strcmp(f->names[i], j->str) == 0) {
			*(int *)dst = i;
			return 0;
		}
	}
	return unknown_name(d, f, j, w);
}

static void encode_enum(const struct jt_field *f, const void *src, struct json_out *o)
{
	json_out_str(o, f->names[*(const int *)src]);
}

/* ---- lists and maps of plain values ---- */

static int decode_strv(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_ARRAY, j);
	const char **v;
	size_t i;

	if (r < 0)
		return r;
	v = arena_array(d->arena, j->len + 1, sizeof(char *));
	for (i = 0; i < j->len; i++) {
		struct where here = at_index(w, i);

		r = expect(d, &here, JSON_STRING, j->items[i]);
		if (r < 0)
			return r;
		v[i] = j->items[i]->str;
	}
	*(struct jt_strv *)dst = (struct jt_strv){ v, j->len };
	return 0;
}

static void encode_strv(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct jt_strv *sv = src;
	size_t i;

	(void)f;
	json_out_begin_array(o);
	for (i = 0; i < sv->n; i++)
		json_out_str(o, sv->v[i]);
	json_out_end_array(o);
}

static int decode_u32v(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_ARRAY, j);
	uint32_t *v;
	uint64_t n;
	size_t i;

	if (r < 0)
		return r;
	v = arena_array(d->arena, j->len, sizeof(*v));
	for (i = 0; i < j->len; i++) {
		struct where here = at_index(w, i);

		r = read_number(d, f, j->items[i], &here, &n);
		if (r < 0)
			return r;
		v[i] = (uint32_t)n;
	}
	*(struct jt_u32v *)dst = (struct jt_u32v){ v, j->len };
	return 0;
}

static void encode_u32v(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct jt_u32v *uv = src;
	size_t i;

	(void)f;
	json_out_begin_array(o);
	for (i = 0; i < uv->n; i++)
		json_out_u64(o, uv->v[i]);
	json_out_end_array(o);
}

static int decode_map(const struct decode *d, const struct jt_field *f, const struct json *j,
		      const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_OBJECT, j);
	const char **vals;
	size_t i;

	if (r < 0)
		return r;
	vals = arena_array(d->arena, j->len + 1, sizeof(char *));
	for (i = 0; i < j->len; i++) {
		struct where here = at_name(w, j->keys[i]);

		r = expect(d, &here, JSON_STRING, j->items[i]);
		if (r < 0)
			return r;
		vals[i] = j->items[i]->str;
	}
	*(struct jt_map *)dst = (struct jt_map){ j->keys, vals, j->len };
	return 0;
}

static void encode_map(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct jt_map *m = src;
	size_t i;

	(void)f;
	json_out_begin_object(o);
	for (i = 0; i < m->n; i++) {
		json_out_key(o, m->keys[i]);
		json_out_str(o, m->vals[i]);
	}
	json_out_end_object(o);
}

/* ---- objects ---- */

static int decode_members(const struct decode *d, const struct jtab *t, const struct json *j,
			  const struct where *w, void *obj);

static int decode_obj(const struct decode *d, const struct jt_field *f, const struct json *j,
		      const struct where *w, void *dst)
{
	void *obj = arena_alloc(d->arena, f->sub->size);
	int r = decode_members(d, f->sub, j, w, obj);

	if (r < 0)
		return r;
	*(void **)dst = obj;
	return 0;
}

static void encode_obj(const struct jt_field *f, const void *src, struct json_out *o)
{
	jtab_encode(f->sub, *(const void *const *)src, o);
}

/** The values of an array or object, each by f->sub, contiguous. */
static int decode_items(const struct decode *d, const struct jt_field *f, const struct json *j,
			const struct where *w, char **ret)
{
	char *v = arena_array(d->arena, j->len, f->sub->size);
	size_t i;
	int r;

	for (i = 0; i < j->len; i++) {
		struct where here = j->keys ? at_name(w, j->keys[i]) : at_index(w, i);

		r = decode_members(d, f->sub, j->items[i], &here, v + i * f->sub->size);
		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}

static int decode_objv(const struct decode *d, const struct jt_field *f, const struct json *j,
		       const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_ARRAY, j);
	char *v;

	if (r == 0)
		r = decode_items(d, f, j, w, &v);
	if (r < 0)
		return r;
	*(struct jt_objv *)dst = (struct jt_objv){ v, j->len };
	return 0;
}

static void encode_objv(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct jt_objv *ov = src;
	size_t i;

	json_out_begin_array(o);
	for (i = 0; i < ov->n; i++)
		jtab_encode(f->sub, (const char *)ov->v + i * f->sub->size, o);
	json_out_end_array(o);
}

static int decode_objmap(const struct decode *d, const struct jt_field *f, const struct json *j,
			 const struct where *w, void *dst)
{
	int r = expect_filled(d, f, w, JSON_OBJECT, j);
	char *v;

	if (r == 0)
		r = decode_items(d, f, j, w, &v);
	if (r < 0)
		return r;
	*(struct jt_objmap *)dst = (struct jt_objmap){ j->keys, v, j->len };
	return 0;
}

static void encode_objmap(const struct jt_field *f, const void *src, struct json_out *o)
{
	const struct jt_objmap *om = src;
	size_t i;

	json_out_begin_object(o);
	for (i = 0; i < om->n; i++) {
		json_out_key(o, om->keys[i]);
		jtab_encode(f->sub, (const char *)om->v + i * f->sub->size, o);
	}
	json_out_end_object(o);
}

static int decode_raw(const struct decode *d, const struct jt_field *f, const struct json *j,
		      const struct where *w, void *dst)
{
	bool sized = j->type == JSON_STRING || j->type == JSON_ARRAY || j->type == JSON_OBJECT;

	if (sized && check_filled(d, f, w, j) < 0)
		return -EINVAL;
	*(const struct json **)dst = j;
	return 0;
}

static void encode_raw(const struct jt_field *f, const void *src, struct json_out *o)
{
	(void)f;
	json_out_value(o, *(const struct json *const *)src);
}

/* ---- what is left out when encoding ---- */

/** All kinds that begin with a pointer, NULL when absent. */
static bool no_pointer(const struct jt_field *f, const void *src)
{
	(void)f;
	return !*(const void *const *)src;
}

static bool is_false(const struct jt_field *f, const void *src)
{
	return (f->flags & JT_OMIT_ZERO) && !*(const bool *)src;
}

static bool is_zero(const struct jt_field *f, const void *src)
{
	return (f->flags & JT_OMIT_ZERO) && load_number(f, src) == 0;
}

static bool no_name(const struct jt_field *f, const void *src)
{
	(void)f;
	return *(const int *)src < 0;
}

#define NUMBER(n, sign)                                                                       \
	{ .decode = decode_number, .encode = encode_number, .is_absent = is_zero,             \
	  .bytes = (n), .is_signed = (sign) }
#define OPT_NUMBER(n, sign)                                                                   \
	{ .decode = decode_number, .encode = encode_number, .is_absent = no_pointer,          \
	  .bytes = (n), .is_signed = (sign), .optional = true }

static const struct kind kinds[] = {
	[JT_STR] = { decode_str, encode_str, no_pointer, 0, false, false },
	[JT_BOOL] = { decode_bool, encode_bool, is_false, 0, false, false },
	[JT_OPT_BOOL] = { decode_bool, encode_bool, no_pointer, 0, false, true },
	[JT_I32] = NUMBER(4, true),
	[JT_U32] = NUMBER(4, false),
	[JT_I64] = NUMBER(8, true),
	[JT_U64] = NUMBER(8, false),
	[JT_OPT_I32] = OPT_NUMBER(4, true),
	[JT_OPT_U32] = OPT_NUMBER(4, false),
	[JT_OPT_I64] = OPT_NUMBER(8, true),
	[JT_OPT_U64] = OPT_NUMBER(8, false),
	[JT_ENUM] = { decode_enum, encode_enum, no_name, 0, false, false },
	[JT_STRV] = { decode_strv, encode_strv, no_pointer, 0, false, false },
	[JT_U32V] = { decode_u32v, encode_u32v, no_pointer, 4, false, false },
	[JT_OBJ] = { decode_obj, encode_obj, no_pointer, 0, false, false },
	[JT_OBJV] = { decode_objv, encode_objv, no_pointer, 0, false, false },
	[JT_MAP] = { decode_map, encode_map, no_pointer, 0, false, false },
	[JT_OBJMAP] = { decode_objmap, encode_objmap, no_pointer, 0, false, false },
	[JT_RAW] = { decode_raw, encode_raw, no_pointer, 0, false, false },
};

/* ---- one object ---- */

/** Table row of a member name, by name or alias; n_fields when there is none. */
static size_t find_field(const struct jtab *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_fields; i++) {
		const struct jt_field *f = &t->fields[i];

		if (strcmp(f->name, name) == 0 || (f->alias && strcmp(f->alias, name) == 0))
			break;
	}
	return i;
}

static int decode_member(const struct decode *d, const struct jtab *t, const struct json *obj,
			 size_t i, const struct where *w, char *dst, bool *seen)
{
	struct where here = at_name(w, obj->keys[i]);
	size_t k = find_field(t, obj->keys[i]);
	const struct jt_field *f = &t->fields[k];

	if (k == t->n_fields) {
		if (!t->strict)
			return 0;
		return err_set(d->err, -EINVAL, "%s: is not known here", place(d, &here));
	}
	if (seen[k])
		return err_set(d->err, -EINVAL, "%s: \"%s\" and \"%s\" are the same thing",
			       place(d, &here), f->name, f->alias);
	seen[k] = true;
	if (obj->items[i]->type == JSON_NULL) {
		if (f->flags & JT_REQUIRED)
			return err_set(d->err, -EINVAL, "%s: is required, is null",
				       place(d, &here));
		return 0;
	}
	return kinds[f->kind].decode(d, f, obj->items[i], &here, dst + f->offset);
}

static int check_required(const struct decode *d, const struct jtab *t, const struct where *w,
			  const bool *seen)
{
	size_t i;

	for (i = 0; i < t->n_fields; i++) {
		struct where here = at_name(w, t->fields[i].name);

		if ((t->fields[i].flags & JT_REQUIRED) && !seen[i])
			return err_set(d->err, -EINVAL, "%s: is required", place(d, &here));
	}
	return 0;
}

static void set_absent(const struct jtab *t, char *obj)
{
	size_t i;

	memset(obj, 0, t->size);
	for (i = 0; i < t->n_fields; i++) {
		if (t->fields[i].kind == JT_ENUM)
			*(int *)(void *)(obj + t->fields[i].offset) = -1;
	}
}

static int decode_members(const struct decode *d, const struct jtab *t, const struct json *j,
			  const struct where *w, void *obj)
{
	AUTO_FREE bool *seen = mem_zalloc(t->n_fields);
	size_t i;
	int r;

	set_absent(t, obj);
	r = expect(d, w, JSON_OBJECT, j);
	for (i = 0; r == 0 && i < j->len; i++)
		r = decode_member(d, t, j, i, w, obj, seen);
	if (r == 0)
		r = check_required(d, t, w, seen);
	if (r == 0 && t->check)
		r = t->check(obj, render(d->arena, w), d->err);
	return r;
}

/**
 * jtab_decode() - @j into @obj
 * @path: JSON path of @j, "" for the document
 *
 * On failure @obj holds what was decoded so far and is of no use.
 *
 * Return: 0; -EINVAL, -ERANGE, or what a check returned, with the path in @err.
 */
int jtab_decode(const struct jtab *t, const struct json *j, struct arena *a, const char *path,
		void *obj, struct kata_err *err)
{
	struct decode d = { a, err };
	struct where root = { NULL, path, NO_INDEX };

	return decode_members(&d, t, j, &root, obj);
}

/** jtab_encode() - the object in the order of its table, absent members left out. */
void jtab_encode(const struct jtab *t, const void *obj, struct json_out *o)
{
	const struct jt_field *f;
	const char *src;

	json_out_begin_object(o);
	for (f = t->fields; f < t->fields + t->n_fields; f++) {
		src = (const char *)obj + f->offset;
		if (kinds[f->kind].is_absent(f, src))
			continue;
		json_out_key(o, f->name);
		kinds[f->kind].encode(f, src, o);
	}
	json_out_end_object(o);
}
