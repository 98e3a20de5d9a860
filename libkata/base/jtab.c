/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jtab: decode and encode by field tables.
 *
 * One row of kinds[] per member kind says how it is read, written, and what its
 * absence looks like (jtab_scalar.c, jtab_list.c). The JSON path of a value is
 * kept as a chain of frames on the stack and only made into text for an error or
 * a check, so that a correct document costs no string building. Decoding recurses
 * along the tables, so no deeper than the document, which json_parse() bounded.
 *
 * Must not know what any table is about.
 */
#include "base/jtab_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct jt_ops *const kinds[] = {
	[JT_STR] = &jt_ops_str,		  [JT_BOOL] = &jt_ops_bool,
	[JT_OPT_BOOL] = &jt_ops_opt_bool, [JT_I32] = &jt_ops_i32,
	[JT_U32] = &jt_ops_u32,		  [JT_I64] = &jt_ops_i64,
	[JT_U64] = &jt_ops_u64,		  [JT_OPT_I32] = &jt_ops_opt_i32,
	[JT_OPT_U32] = &jt_ops_opt_u32,	  [JT_OPT_I64] = &jt_ops_opt_i64,
	[JT_OPT_U64] = &jt_ops_opt_u64,	  [JT_ENUM] = &jt_ops_enum,
	[JT_STRV] = &jt_ops_strv,	  [JT_U32V] = &jt_ops_u32v,
	[JT_OBJ] = &jt_ops_obj,		  [JT_OBJV] = &jt_ops_objv,
	[JT_MAP] = &jt_ops_map,		  [JT_OBJMAP] = &jt_ops_objmap,
	[JT_RAW] = &jt_ops_raw,
};

const struct jt_ops *jt_ops_of(const struct jt_field *f)
{
	return kinds[f->kind];
}

bool jt_no_pointer(const struct jt_field *f, const void *src)
{
	(void)f;
	return !*(const void *const *)src;
}

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

	if (is_word(name) && strlen(name) <= JT_SHOWN)
		return arena_printf(a, "%s%s%s", path, *path ? "." : "", name);
	json_out_strn(&o, name, strnlen(name, JT_SHOWN));
	s = arena_printf(a, "%s[%s]", path, buf_cstr(&b));
	buf_done(&b);
	return s;
}

char *jtab_path_index(struct arena *a, const char *path, size_t i)
{
	return arena_printf(a, "%s[%zu]", path, i);
}

static const char *render(struct arena *a, const struct jt_where *w)
{
	const char *up;

	if (!w->up)
		return w->name;
	up = render(a, w->up);
	return w->index == JT_NO_INDEX ? jtab_path(a, up, w->name)
				       : jtab_path_index(a, up, w->index);
}

/* ---- refusals ---- */

const char *jt_place(const struct jt_decode *d, const struct jt_where *w)
{
	const char *path = render(d->arena, w);

	return *path ? path : "document";
}

static int wrong_type(const struct jt_decode *d, const struct jt_where *w,
		      const char *wanted, const struct json *j)
{
	const char *is = json_type_name(j->type);

	return err_set(d->err, -EINVAL, "%s: must be %s, is %s", jt_place(d, w), wanted,
		       is);
}

int jt_expect(const struct jt_decode *d, const struct jt_where *w, enum json_type type,
	      const struct json *j)
{
	return j->type == type ? 0 : wrong_type(d, w, json_type_name(type), j);
}

static int empty(const struct jt_decode *d, const struct jt_where *w)
{
	return err_set(d->err, -EINVAL, "%s: must not be empty", jt_place(d, w));
}

/** @j has the type wanted; is it empty although it must not be? */
int jt_check_filled(const struct jt_decode *d, const struct jt_field *f,
		    const struct jt_where *w, const struct json *j)
{
	return (f->flags & JT_NONEMPTY) && !j->len ? empty(d, w) : 0;
}

/** The type wanted, and not empty if it must not be. */
int jt_expect_filled(const struct jt_decode *d, const struct jt_field *f,
		     const struct jt_where *w, enum json_type type, const struct json *j)
{
	int r = jt_expect(d, w, type, j);

	return r < 0 ? r : jt_check_filled(d, f, w, j);
}

/* ---- one object ---- */

/** Table row of a member name, by name or alias; n_fields when there is none. */
static size_t find_field(const struct jtab *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_fields; i++) {
		const struct jt_field *f = &t->fields[i];

		if (strcmp(f->name, name) == 0 ||
		    (f->alias && strcmp(f->alias, name) == 0))
			break;
	}
	return i;
}

static int decode_member(const struct jt_decode *d, const struct jtab *t,
			 const struct json *obj, size_t i, const struct jt_where *w,
			 char *dst, bool *seen)
{
	struct jt_where here = jt_at_name(w, obj->keys[i]);
	size_t k = find_field(t, obj->keys[i]);
	const struct jt_field *f = &t->fields[k];

	if (k == t->n_fields) {
		if (!t->strict)
			return 0;
		return err_set(d->err, -EINVAL, "%s: is not known here",
			       jt_place(d, &here));
	}
	if (seen[k])
		return err_set(d->err, -EINVAL,
			       "%s: \"%s\" and \"%s\" are the same thing",
			       jt_place(d, &here), f->name, f->alias);
	seen[k] = true;
	if (obj->items[i]->type == JSON_NULL) {
		if (f->flags & JT_REQUIRED)
			return err_set(d->err, -EINVAL, "%s: is required, is null",
				       jt_place(d, &here));
		return 0;
	}
	return jt_ops_of(f)->decode(d, f, obj->items[i], &here, dst + f->offset);
}

static int check_required(const struct jt_decode *d, const struct jtab *t,
			  const struct jt_where *w, const bool *seen)
{
	size_t i;

	for (i = 0; i < t->n_fields; i++) {
		struct jt_where here = jt_at_name(w, t->fields[i].name);

		if ((t->fields[i].flags & JT_REQUIRED) && !seen[i])
			return err_set(d->err, -EINVAL, "%s: is required",
				       jt_place(d, &here));
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

int jt_decode_members(const struct jt_decode *d, const struct jtab *t,
		      const struct json *j, const struct jt_where *w, void *obj)
{
	AUTO_FREE bool *seen = mem_zalloc(t->n_fields);
	size_t i;
	int r;

	set_absent(t, obj);
	r = jt_expect(d, w, JSON_OBJECT, j);
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
int jtab_decode(const struct jtab *t, const struct json *j, struct arena *a,
		const char *path, void *obj, struct kata_err *err)
{
	struct jt_decode d = { a, err };
	struct jt_where root = { NULL, path, JT_NO_INDEX };

	return jt_decode_members(&d, t, j, &root, obj);
}

/** jtab_encode() - the object in the order of its table, absent members left out. */
void jtab_encode(const struct jtab *t, const void *obj, struct json_out *o)
{
	const struct jt_field *f;
	const char *src;

	json_out_begin_object(o);
	for (f = t->fields; f < t->fields + t->n_fields; f++) {
		src = (const char *)obj + f->offset;
		if (jt_ops_of(f)->is_absent(f, src))
			continue;
		json_out_key(o, f->name);
		jt_ops_of(f)->encode(f, src, o);
	}
	json_out_end_object(o);
}
