/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab_list: members of field tables that hold further values: lists, maps, objects.
 */
#include "base/jtab_kind.h"

#include <errno.h>

static int decode_strv(const struct jt_decode *d, const struct jt_field *f,
		       const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_ARRAY, j);
	const char **v;
	size_t i;

	if (r < 0)
		return r;
	v = arena_array(d->arena, j->len + 1, sizeof(char *));
	for (i = 0; i < j->len; i++) {
		struct jt_where here = jt_at_index(w, i);

		r = jt_expect(d, &here, JSON_STRING, j->items[i]);
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

static int decode_u32v(const struct jt_decode *d, const struct jt_field *f,
		       const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_ARRAY, j);
	uint32_t *v;
	uint64_t n;
	size_t i;

	if (r < 0)
		return r;
	v = arena_array(d->arena, j->len, sizeof(*v));
	for (i = 0; i < j->len; i++) {
		struct jt_where here = jt_at_index(w, i);

		r = jt_read_number(d, f, j->items[i], &here, &n);
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

static int decode_map(const struct jt_decode *d, const struct jt_field *f,
		      const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_OBJECT, j);
	const char **vals;
	size_t i;

	if (r < 0)
		return r;
	vals = arena_array(d->arena, j->len + 1, sizeof(char *));
	for (i = 0; i < j->len; i++) {
		struct jt_where here = jt_at_name(w, j->keys[i]);

		r = jt_expect(d, &here, JSON_STRING, j->items[i]);
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

static int decode_obj(const struct jt_decode *d, const struct jt_field *f,
		      const struct json *j, const struct jt_where *w, void *dst)
{
	void *obj = arena_alloc(d->arena, f->sub->size);
	int r = jt_decode_members(d, f->sub, j, w, obj);

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
static int decode_items(const struct jt_decode *d, const struct jt_field *f,
			const struct json *j, const struct jt_where *w, char **ret)
{
	char *v = arena_array(d->arena, j->len, f->sub->size);
	size_t i;
	int r;

	for (i = 0; i < j->len; i++) {
		struct jt_where here = j->keys ? jt_at_name(w, j->keys[i])
					       : jt_at_index(w, i);

		r = jt_decode_members(d, f->sub, j->items[i], &here,
				      v + i * f->sub->size);
		if (r < 0)
			return r;
	}
	*ret = v;
	return 0;
}

static int decode_objv(const struct jt_decode *d, const struct jt_field *f,
		       const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_ARRAY, j);
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

static int decode_objmap(const struct jt_decode *d, const struct jt_field *f,
			 const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_OBJECT, j);
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

static int decode_raw(const struct jt_decode *d, const struct jt_field *f,
		      const struct json *j, const struct jt_where *w, void *dst)
{
	bool sized = j->type == JSON_STRING || j->type == JSON_ARRAY ||
		     j->type == JSON_OBJECT;

	if (sized && jt_check_filled(d, f, w, j) < 0)
		return -EINVAL;
	*(const struct json **)dst = j;
	return 0;
}

static void encode_raw(const struct jt_field *f, const void *src, struct json_out *o)
{
	(void)f;
	json_out_value(o, *(const struct json *const *)src);
}

#define KIND(decode, encode, bytes)                                                      \
	{                                                                                \
		(decode), (encode), jt_no_pointer, (bytes), false, false                 \
	}

const struct jt_ops jt_ops_strv = KIND(decode_strv, encode_strv, 0);
const struct jt_ops jt_ops_u32v = KIND(decode_u32v, encode_u32v, 4);
const struct jt_ops jt_ops_obj = KIND(decode_obj, encode_obj, 0);
const struct jt_ops jt_ops_objv = KIND(decode_objv, encode_objv, 0);
const struct jt_ops jt_ops_map = KIND(decode_map, encode_map, 0);
const struct jt_ops jt_ops_objmap = KIND(decode_objmap, encode_objmap, 0);
const struct jt_ops jt_ops_raw = KIND(decode_raw, encode_raw, 0);
