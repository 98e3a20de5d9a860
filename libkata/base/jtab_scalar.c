/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab_scalar: strings, booleans, numbers and enums of field tables.
 *
 * All numbers are handled as 64 bits and stored with the width of their kind.
 */
#include "base/jtab_kind.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int decode_str(const struct jt_decode *d, const struct jt_field *f,
		      const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect_filled(d, f, w, JSON_STRING, j);

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

static int decode_bool(const struct jt_decode *d, const struct jt_field *f,
		       const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect(d, w, JSON_BOOL, j);
	bool *p = dst;

	if (r < 0)
		return r;
	if (jt_ops_of(f)->optional) {
		p = arena_alloc(d->arena, sizeof(*p));
		*(const bool **)dst = p;
	}
	*p = j->boolean;
	return 0;
}

static void encode_bool(const struct jt_field *f, const void *src, struct json_out *o)
{
	const bool *p = jt_ops_of(f)->optional ? *(const bool *const *)src : src;

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
	const struct jt_ops *k = jt_ops_of(f);
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
		err = json_to_i64(j, r.min,
				  r.max > INT64_MAX ? INT64_MAX : (int64_t)r.max,
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

int jt_read_number(const struct jt_decode *d, const struct jt_field *f,
		   const struct json *j, const struct jt_where *w, uint64_t *ret)
{
	struct range range = range_of(f);
	int r = jt_expect(d, w, JSON_NUMBER, j);

	if (r < 0)
		return r;
	r = parse_number(j, range, ret);
	if (r == -EINVAL)
		return err_set(d->err, -EINVAL, "%s: must be a whole number, is %.*s",
			       jt_place(d, w), JT_SHOWN, j->str);
	if (r < 0)
		return err_set(d->err, -ERANGE,
			       "%s: must be between %" PRId64 " and %" PRIu64 ", is %.*s",
			       jt_place(d, w), range.min, range.max, JT_SHOWN, j->str);
	return 0;
}

static int decode_number(const struct jt_decode *d, const struct jt_field *f,
			 const struct json *j, const struct jt_where *w, void *dst)
{
	const struct jt_ops *k = jt_ops_of(f);
	uint64_t v;
	int r = jt_read_number(d, f, j, w, &v);

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
	const struct jt_ops *k = jt_ops_of(f);
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
	const struct jt_ops *k = jt_ops_of(f);
	uint64_t v = load_number(f, k->optional ? *(const void *const *)src : src);

	if (k->is_signed)
		json_out_i64(o, (int64_t)v);
	else
		json_out_u64(o, v);
}

/* ---- enums ---- */

static int unknown_name(const struct jt_decode *d, const struct jt_field *f,
			const struct json *j, const struct jt_where *w)
{
	struct buf b = { 0 };
	size_t i;
	int r;

	for (i = 0; f->names[i]; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", f->names[i]);
	r = err_set(d->err, -EINVAL, "%s: \"%.*s\" is not one of %s", jt_place(d, w),
		    JT_SHOWN, j->str, buf_cstr(&b));
	buf_done(&b);
	return r;
}

static int decode_enum(const struct jt_decode *d, const struct jt_field *f,
		       const struct json *j, const struct jt_where *w, void *dst)
{
	int r = jt_expect(d, w, JSON_STRING, j), i;

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

/* ---- absence, and the kinds ---- */

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

#define NUMBER(n, sign)                                                                  \
	{                                                                                \
		decode_number, encode_number, is_zero, (n), (sign), false                \
	}
#define OPT_NUMBER(n, sign)                                                              \
	{                                                                                \
		decode_number, encode_number, jt_no_pointer, (n), (sign), true           \
	}

const struct jt_ops jt_ops_str = {
	decode_str, encode_str, jt_no_pointer, 0, false, false
};
const struct jt_ops jt_ops_bool = { decode_bool, encode_bool, is_false, 0, false, false };
const struct jt_ops jt_ops_opt_bool = { decode_bool, encode_bool, jt_no_pointer,
					0,	     false,	  true };
const struct jt_ops jt_ops_enum = { decode_enum, encode_enum, no_name, 0, false, false };
const struct jt_ops jt_ops_i32 = NUMBER(4, true);
const struct jt_ops jt_ops_u32 = NUMBER(4, false);
const struct jt_ops jt_ops_i64 = NUMBER(8, true);
const struct jt_ops jt_ops_u64 = NUMBER(8, false);
const struct jt_ops jt_ops_opt_i32 = OPT_NUMBER(4, true);
const struct jt_ops jt_ops_opt_u32 = OPT_NUMBER(4, false);
const struct jt_ops jt_ops_opt_i64 = OPT_NUMBER(8, true);
const struct jt_ops jt_ops_opt_u64 = OPT_NUMBER(8, false);
