/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: a validator by the book. One function per keyword, in a table; a
 * schema is the conjunction of its keywords. Paths are built only on the way up
 * from a failure, by err_ctx().
 */
#include "schema.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

enum { FILES_MAX = 32, REF_DEPTH_MAX = 16 };

struct schema_dir {
	const char *path;
	struct arena *arena;
	struct {
		const char *name;
		const struct json *root;
	} files[FILES_MAX];
	size_t n_files;
};

struct schema_dir *schema_dir_open(const char *path)
{
	struct schema_dir *dir;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return NULL;
	dir = mem_zalloc(sizeof(*dir));
	dir->arena = arena_new();
	dir->path = arena_strdup(dir->arena, path);
	return dir;
}

void schema_dir_free(struct schema_dir *dir)
{
	if (!dir)
		return;
	arena_free(dir->arena);
	free(dir);
}

struct schema_dir *schema_dir_find(const char *name)
{
	const char *schemas = getenv("KATA_SCHEMAS"), *srcdir = getenv("KATA_SRCDIR");
	AUTO_FREE char *path = NULL;

	if (schemas)
		path = mem_printf("%s/%s", schemas, name);
	else
		path = mem_printf("%s/../shared/schemas/%s", srcdir ? srcdir : ".", name);
	return schema_dir_open(path);
}

/* ---- files and references ---- */

static int read_schema(struct schema_dir *dir, const char *name, const struct json **ret,
		       struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir->path, name);
	AUTO_FREE char *text = mem_alloc(1 << 20);
	FILE *f = fopen(path, "re");
	size_t n;
	int r;

	if (!f)
		return err_sys(err, "open %s", path);
	n = fread(text, 1, 1 << 20, f);
	fclose(f);
	r = json_parse(text, n, &json_limits_default, dir->arena, ret, err);
	return r < 0 ? err_ctx(err, "%s", path) : 0;
}

static int get_file(struct schema_dir *dir, const char *name, size_t len,
		    struct schema *ret, struct kata_err *err)
{
	size_t i;

	for (i = 0; i < dir->n_files; i++)
		if (strlen(dir->files[i].name) == len &&
		    memcmp(dir->files[i].name, name, len) == 0)
			break;
	if (i == FILES_MAX)
		return err_set(err, -E2BIG, "more than %d schema files", FILES_MAX);
	if (i == dir->n_files) {
		int r;

		dir->files[i].name = arena_strndup(dir->arena, name, len);
		r = read_schema(dir, dir->files[i].name, &dir->files[i].root, err);
		if (r < 0)
			return r;
		dir->n_files++;
	}
	*ret = (struct schema){ dir->files[i].root, dir->files[i].name };
	return 0;
}

/* a JSON pointer without escapes: the schemas have none */
static int follow_pointer(struct schema *s, const char *pointer, struct kata_err *err)
{
	AUTO_FREE char *copy = mem_strdup(pointer);
	char *save, *word;

	for (word = strtok_r(copy, "/", &save); word; word = strtok_r(NULL, "/", &save)) {
		s->node = json_get(s->node, word);
		if (!s->node)
			return err_set(err, -ENOENT, "%s#%s: no such definition", s->file,
				       pointer);
	}
	return 0;
}

static int get_once(struct schema_dir *dir, const char *base, const char *ref,
		    struct schema *ret, struct kata_err *err)
{
	size_t len = strcspn(ref, "#");
	const char *file = len ? ref : base;
	int r;

	if (!file)
		return err_set(err, -EINVAL, "%s: relative to no file", ref);
	r = get_file(dir, file, len ? len : strlen(base), ret, err);
	return r < 0 || !ref[len] ? r : follow_pointer(ret, ref + len + 1, err);
}

int schema_child(struct schema_dir *dir, const struct schema *parent,
		 const struct json *node, struct schema *ret_schema, struct kata_err *err)
{
	struct schema s = { node, parent->file };
	const char *ref;

	/* draft 04: beside $ref nothing counts */
	for (int depth = 0; (ref = json_get_str(s.node, "$ref")) != NULL; depth++) {
		int r = get_once(dir, s.file, ref, &s, err);

		if (r < 0)
			return r;
		if (depth == REF_DEPTH_MAX)
			return err_set(err, -ELOOP, "%s: too many references", ref);
	}
	*ret_schema = s;
	return 0;
}

int schema_get(struct schema_dir *dir, const char *base, const char *ref,
	       struct schema *ret_schema, struct kata_err *err)
{
	struct schema s;
	int r = get_once(dir, base, ref, &s, err);

	return r < 0 ? r : schema_child(dir, &s, s.node, ret_schema, err);
}

/* ---- keywords ---- */

struct check {
	struct schema_dir *dir;
	struct schema schema;
	const struct json *value;
	struct kata_err *err;
};

static int check_node(const struct check *c, const struct json *node,
		      const struct json *value);

static bool is_integer(const struct json *j)
{
	return j->type == JSON_NUMBER && !strpbrk(j->str, ".eE");
}

static bool is_type(const struct json *j, const char *type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	  [JSON_BOOL] = "boolean",
		[JSON_NUMBER] = "number", [JSON_STRING] = "string",
		[JSON_ARRAY] = "array",	  [JSON_OBJECT] = "object",
	};

	return str_eq(type, names[j->type]) || (str_eq(type, "integer") && is_integer(j));
}

static int key_type(const struct check *c, const struct json *arg)
{
	if (arg->type == JSON_STRING && is_type(c->value, arg->str))
		return 0;
	for (size_t i = 0; arg->type == JSON_ARRAY && i < arg->len; i++)
		if (is_type(c->value, arg->items[i]->str))
			return 0;
	return err_set(c->err, -EINVAL, "type is not %s",
		       arg->type == JSON_STRING ? arg->str : "in the list");
}

static int key_enum(const struct check *c, const struct json *arg)
{
	for (size_t i = 0; i < arg->len; i++)
		if (arg->items[i]->type == c->value->type &&
		    str_eq(arg->items[i]->str, c->value->str))
			return 0;
	return err_set(c->err, -EINVAL, "\"%s\" is not in enum",
		       c->value->str ? c->value->str : "?");
}

static int key_required(const struct check *c, const struct json *arg)
{
	for (size_t i = 0; c->value->type == JSON_OBJECT && i < arg->len; i++)
		if (!json_get(c->value, arg->items[i]->str))
			return err_set(c->err, -EINVAL, "\"%s\" is required",
				       arg->items[i]->str);
	return 0;
}

/* ECMA's \n and \d for regcomp, which has neither */
static bool matches(const char *pattern, const char *text)
{
	AUTO_FREE char *posix = mem_alloc(strlen(pattern) * 5 + 1);
	char *out = posix;
	regex_t re;
	int r;

	for (; *pattern; pattern++) {
		if (pattern[0] == '\\' && pattern[1] == 'n') {
			*out++ = '\n';
			pattern++;
		} else if (pattern[0] == '\\' && pattern[1] == 'd') {
			out = stpcpy(out, "[0-9]");
			pattern++;
		} else {
			*out++ = *pattern;
		}
	}
	*out = '\0';
	if (regcomp(&re, posix, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	r = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return r == 0;
}

static int key_pattern(const struct check *c, const struct json *arg)
{
	if (c->value->type != JSON_STRING || matches(arg->str, c->value->str))
		return 0;
	return err_set(c->err, -EINVAL, "\"%s\" does not match %s", c->value->str,
		       arg->str);
}

/* exact for whole numbers of 64 bits, signed or not */
static int compare(const struct json *a, const struct json *b)
{
	int64_t ia, ib;
	uint64_t ua, ub;
	double da, db;

	if (json_to_i64(a, INT64_MIN, INT64_MAX, &ia) == 0 &&
	    json_to_i64(b, INT64_MIN, INT64_MAX, &ib) == 0)
		return (ia > ib) - (ia < ib);
	if (json_to_u64(a, 0, UINT64_MAX, &ua) == 0 &&
	    json_to_u64(b, 0, UINT64_MAX, &ub) == 0)
		return (ua > ub) - (ua < ub);
	da = strtod(a->str, NULL);
	db = strtod(b->str, NULL);
	return (da > db) - (da < db);
}

static int key_minimum(const struct check *c, const struct json *arg)
{
	if (c->value->type != JSON_NUMBER || compare(c->value, arg) >= 0)
		return 0;
	return err_set(c->err, -ERANGE, "%s is below %s", c->value->str, arg->str);
}

static int key_maximum(const struct check *c, const struct json *arg)
{
	if (c->value->type != JSON_NUMBER || compare(c->value, arg) <= 0)
		return 0;
	return err_set(c->err, -ERANGE, "%s is above %s", c->value->str, arg->str);
}

static int length(const struct check *c, enum json_type type, const struct json *arg,
		  int sign)
{
	uint64_t n;

	if (c->value->type != type || json_to_u64(arg, 0, UINT64_MAX, &n) < 0)
		return 0;
	if (sign < 0 ? c->value->len >= n : c->value->len <= n)
		return 0;
	return err_set(c->err, -EINVAL, "length %zu against %s", c->value->len, arg->str);
}

static int key_min_items(const struct check *c, const struct json *arg)
{
	return length(c, JSON_ARRAY, arg, -1);
}

static int key_max_items(const struct check *c, const struct json *arg)
{
	return length(c, JSON_ARRAY, arg, 1);
}

static int key_min_length(const struct check *c, const struct json *arg)
{
	return length(c, JSON_STRING, arg, -1);
}

static int key_items(const struct check *c, const struct json *arg)
{
	for (size_t i = 0; c->value->type == JSON_ARRAY && i < c->value->len; i++)
		if (check_node(c, arg, c->value->items[i]) < 0)
			return err_ctx(c->err, "[%zu]", i);
	return 0;
}

static int check_member(const struct check *c, const struct json *node, size_t i)
{
	if (check_node(c, node, c->value->items[i]) < 0)
		return err_ctx(c->err, ".%s", c->value->keys[i]);
	return 0;
}

/* properties, patternProperties and additionalProperties are one keyword in three */
static int key_properties(const struct check *c, const struct json *arg)
{
	int r = 0;

	for (size_t i = 0; c->value->type == JSON_OBJECT && i < c->value->len && r == 0;
	     i++) {
		const struct json *node = json_get(arg, c->value->keys[i]);

		if (node)
			r = check_member(c, node, i);
	}
	return r;
}

static int key_pattern_properties(const struct check *c, const struct json *arg)
{
	int r = 0;

	for (size_t i = 0; c->value->type == JSON_OBJECT && i < c->value->len; i++)
		for (size_t p = 0; p < arg->len && r == 0; p++)
			if (matches(arg->keys[p], c->value->keys[i]))
				r = check_member(c, arg->items[p], i);
	return r;
}

static bool is_named(const struct check *c, const char *key)
{
	const struct json *patterns = json_get(c->schema.node, "patternProperties");
	const struct json *names = json_get(c->schema.node, "properties");

	if (names && json_get(names, key))
		return true;
	for (size_t p = 0; patterns && p < patterns->len; p++)
		if (matches(patterns->keys[p], key))
			return true;
	return false;
}

static int key_additional_properties(const struct check *c, const struct json *arg)
{
	int r = 0;

	for (size_t i = 0; c->value->type == JSON_OBJECT && i < c->value->len && r == 0;
	     i++) {
		if (is_named(c, c->value->keys[i]))
			continue;
		if (arg->type == JSON_OBJECT)
			r = check_member(c, arg, i);
		else if (!arg->boolean)
			r = err_set(c->err, -EINVAL, ".%s: is not allowed",
				    c->value->keys[i]);
	}
	return r;
}

static int key_all_of(const struct check *c, const struct json *arg)
{
	int r = 0;

	for (size_t i = 0; i < arg->len && r == 0; i++)
		r = check_node(c, arg->items[i], c->value);
	return r;
}

static size_t count_valid(const struct check *c, const struct json *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < arg->len; i++)
		n += check_node(c, arg->items[i], c->value) == 0;
	return n;
}

static int key_any_of(const struct check *c, const struct json *arg)
{
	if (count_valid(c, arg) == 0)
		return err_ctx(c->err, "none of anyOf, the last");
	err_done(c->err);
	return 0;
}

static int key_one_of(const struct check *c, const struct json *arg)
{
	size_t n = count_valid(c, arg);

	if (n != 1)
		return err_set(c->err, -EINVAL, "%zu of oneOf", n);
	err_done(c->err);
	return 0;
}

static const struct {
	const char *name;
	int (*check)(const struct check *c,
		     const struct json *arg); /* NULL: says nothing */
} keywords[] = {
	{ "$schema", NULL },
	{ "additionalProperties", key_additional_properties },
	{ "allOf", key_all_of },
	{ "anyOf", key_any_of },
	{ "default", NULL },
	{ "definitions", NULL },
	{ "description", NULL },
	{ "enum", key_enum },
	{ "format", NULL },
	{ "id", NULL },
	{ "items", key_items },
	{ "maxItems", key_max_items },
	{ "maximum", key_maximum },
	{ "minItems", key_min_items },
	{ "minLength", key_min_length },
	{ "minimum", key_minimum },
	{ "oneOf", key_one_of },
	{ "pattern", key_pattern },
	{ "patternProperties", key_pattern_properties },
	{ "properties", key_properties },
	{ "required", key_required },
	{ "title", NULL },
	{ "type", key_type },
};

static int check_keyword(const struct check *c, const char *name, const struct json *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (str_eq(keywords[i].name, name))
			return keywords[i].check ? keywords[i].check(c, arg) : 0;
	return err_set(c->err, -ENOSYS, "schema keyword \"%s\" is not implemented", name);
}

static int check_node(const struct check *c, const struct json *node,
		      const struct json *value)
{
	struct check here = { .dir = c->dir, .value = value, .err = c->err };
	int r = schema_child(c->dir, &c->schema, node, &here.schema, c->err);

	for (size_t i = 0; r == 0 && i < here.schema.node->len; i++)
		r = check_keyword(&here, here.schema.node->keys[i],
				  here.schema.node->items[i]);
	return r;
}

int schema_check(struct schema_dir *dir, const char *ref, const struct json *value,
		 struct kata_err *err)
{
	struct check c = { .dir = dir, .err = err };
	int r = schema_get(dir, NULL, ref, &c.schema, err);

	return r < 0 ? r : check_node(&c, c.schema.node, value);
}
