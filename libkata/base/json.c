/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: the parser. What yajl's SAX callbacks tell becomes a tree in an arena.
 *
 * Before yajl sees a byte, the whole text is checked for what yajl lets pass or
 * repairs silently: malformed UTF-8 (it takes surrogates and overlong forms),
 * NUL, "\u0000" and escapes of half a surrogate pair.
 *
 * Values whose container is still open lie on one stack of members, shared by
 * all depths; closing a container copies its slice into the arena, so arrays
 * there have the exact size. Nothing recurses.
 *
 * The writer is in json_out.c.
 */
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/str.h"

#define FIRST_MEMBERS 64
#define FEW_KEYS 16 /* up to here every pair of keys is compared, above they are sorted */

const struct json_limits json_limits_default = {
	.bytes = 16u << 20,
	.string = 1u << 20,
	.depth = 64,
	.nodes = 4u << 20,
};

const struct json_limits json_limits_hostile = {
	.bytes = 64u << 10,
	.string = 16u << 10,
	.depth = 16,
	.nodes = 4096,
};

/** A value whose container is still open. */
struct member {
	const char *key; /* NULL in an array */
	size_t at;	 /* the key's first byte in the text */
	struct json *value;
};

/** An open container: its members are m[first, n_m). */
struct level {
	struct json *node;
	size_t first;
};

struct parse {
	const char *text;
	size_t len;
	const struct json_limits *limits;
	struct arena *arena;
	yajl_handle yajl;
	struct member *m;
	size_t n_m, cap_m;
	struct level *levels;
	unsigned depth;
	const char *key; /* read, its value not yet */
	size_t key_at;
	size_t nodes;
	struct json *root;
	struct kata_err *err;
	int refused; /* -errno when one of our own rules ended the parse */
};

/* ---- where: line and column, computed only for an error ---- */

static void find_place(const char *text, size_t at, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, column = 1, i;

	for (i = 0; i < at; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

/** Is the quote at @i one that ends or begins a string (not escaped)? */
static bool is_bare_quote(const char *text, size_t i)
{
	size_t slashes = 0;

	while (slashes < i && text[i - slashes - 1] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

/** First byte of the string whose closing quote is at text[end - 1]. */
static size_t string_start(const char *text, size_t end)
{
	size_t i = end > 1 ? end - 1 : 0;

	while (i > 0) {
		i--;
		if (text[i] == '"' && is_bare_quote(text, i))
			break;
	}
	return i;
}

static int refuse(struct parse *p, int code, size_t at, const char *fmt, ...)
	KATA_PRINTF(4, 5);

/** Set the error with the place in front. Return: @code. */
static int refuse(struct parse *p, int code, size_t at, const char *fmt, ...)
{
	char why[256];
	size_t line, column;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	find_place(p->text, at < p->len ? at : p->len, &line, &column);
	p->refused = err_set(p->err, code, "line %zu, column %zu: %s", line, column, why);
	return p->refused;
}

/* ---- the text before yajl ---- */

/** Four hexadecimal digits at text[at], or -1. */
static int hex4(const struct parse *p, size_t at)
{
	int v = 0;
	size_t i;
	char c;

	if (p->len < 4 || at > p->len - 4)
		return -1;
	for (i = at; i < at + 4; i++) {
		c = p->text[i];
		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/** The escape at text[at]: its length, or -errno. Malformed ones are left to yajl. */
static int check_escape(struct parse *p, size_t at)
{
	int unit, low;

	if (at + 1 >= p->len || p->text[at + 1] != 'u')
		return 2;
	unit = hex4(p, at + 2);
	if (unit < 0)
		return 2;
	if (unit == 0)
		return refuse(p, -EINVAL, at, "a string must not contain \\u0000");
	if (unit < 0xd800 || unit > 0xdfff)
		return 6;
	low = at + 7 < p->len && p->text[at + 6] == '\\' && p->text[at + 7] == 'u'
		      ? hex4(p, at + 8)
		      : -1;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return refuse(p, -EINVAL, at, "\\u%04x is half a surrogate pair", unit);
	return 12;
}

static int check_text(struct parse *p)
{
	size_t i = 0, n;
	int r;

	while (i < p->len) {
		unsigned char c = (unsigned char)p->text[i];

		if (c >= 0x80) {
			n = str_utf8_len(p->text + i, p->len - i);
			if (!n)
				return refuse(p, -EINVAL, i, "invalid UTF-8");
			i += n;
		} else if (c == '\\') {
			r = check_escape(p, i);
			if (r < 0)
				return r;
			i += (size_t)r;
		} else if (c == '\0') {
			return refuse(p, -EINVAL, i, "NUL byte");
		} else {
			i++;
		}
	}
	return 0;
}

/* ---- the tree ---- */

/** End of the token that a callback is about. */
static size_t here(const struct parse *p)
{
	return yajl_get_bytes_consumed(p->yajl);
}

/** A node below the innermost open container, or the root. NULL: over a limit. */
static struct json *add_node(struct parse *p, enum json_type type)
{
	struct json *j;

	if (p->nodes >= p->limits->nodes) {
		refuse(p, -E2BIG, here(p), "more than %zu values", p->limits->nodes);
		return NULL;
	}
	p->nodes++;
	j = arena_alloc(p->arena, sizeof(*j));
	j->type = type;
	if (!p->depth) {
		p->root = j;
		return j;
	}
	if (p->n_m == p->cap_m) {
		p->cap_m *= 2;
		p->m = mem_grow(p->m, p->cap_m, sizeof(*p->m));
	}
	p->m[p->n_m++] = (struct member){ p->key, p->key_at, j };
	p->key = NULL;
	return j;
}

static int on_null(void *ctx)
{
	return add_node(ctx, JSON_NULL) != NULL;
}

static int on_bool(void *ctx, int v)
{
	struct json *j = add_node(ctx, JSON_BOOL);

	if (!j)
		return 0;
	j->boolean = v != 0;
	return 1;
}

static bool fits(struct parse *p, size_t n)
{
	if (n <= p->limits->string)
		return true;
	refuse(p, -E2BIG, here(p), "string or number longer than %zu bytes",
	       p->limits->string);
	return false;
}

static int add_text(struct parse *p, enum json_type type, const char *s, size_t n)
{
	struct json *j;

	if (!fits(p, n))
		return 0;
	j = add_node(p, type);
	if (!j)
		return 0;
	j->str = arena_strndup(p->arena, s, n);
	j->len = n;
	return 1;
}

static int on_number(void *ctx, const char *s, size_t n)
{
	return add_text(ctx, JSON_NUMBER, s, n);
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	return add_text(ctx, JSON_STRING, (const char *)s, n);
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct parse *p = ctx;

	if (!fits(p, n))
		return 0;
	p->key = arena_strndup(p->arena, (const char *)s, n);
	p->key_at = here(p);
	return 1;
}

static int open_container(struct parse *p, enum json_type type)
{
	struct json *j;

	if (p->depth >= p->limits->depth) {
		refuse(p, -E2BIG, here(p), "nested deeper than %u", p->limits->depth);
		return 0;
	}
	j = add_node(p, type);
	if (!j)
		return 0;
	p->levels[p->depth++] = (struct level){ j, p->n_m };
	return 1;
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int by_key(const void *a, const void *b)
{
	const struct member *const *x = a, *const *y = b;
	int d = strcmp((*x)->key, (*y)->key);

	/* equal ones in the document's order, so that the later of them is the one reported */
	return d ? d : ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static const struct member *find_twin_sorted(const struct member *m, size_t n)
{
	AUTO_FREE const struct member **sorted = mem_grow(NULL, n,
							  sizeof(struct member *));
	const struct member *twin = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		sorted[i] = &m[i];
	qsort(sorted, n, sizeof(struct member *), by_key);
	for (i = 1; i < n && !twin; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
			twin = sorted[i];
	}
	return twin;
}

/** A member whose key occurred before, or NULL. */
static const struct member *find_twin(const struct member *m, size_t n)
{
	size_t i, k;

	if (n > FEW_KEYS)
		return find_twin_sorted(m, n);
	for (i = 1; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (strcmp(m[i].key, m[k].key) == 0)
				return &m[i];
		}
	}
	return NULL;
}

static int close_container(struct parse *p, bool object)
{
	const struct level *l = &p->levels[--p->depth];
	const struct member *m = p->m + l->first, *twin;
	size_t n = p->n_m - l->first, i;
	struct json *j = l->node;

	p->n_m = l->first;
	j->len = n;
	j->items = arena_array(p->arena, n + 1, sizeof(struct json *));
	for (i = 0; i < n; i++)
		j->items[i] = m[i].value;
	if (!object)
		return 1;
	j->keys = arena_array(p->arena, n + 1, sizeof(char *));
	for (i = 0; i < n; i++)
		j->keys[i] = m[i].key;
	twin = n > 1 ? find_twin(m, n) : NULL;
	if (!twin)
		return 1;
	refuse(p, -EINVAL, string_start(p->text, twin->at), "duplicate key \"%.64s\"",
	       twin->key);
	return 0;
}

static int on_end_map(void *ctx)
{
	return close_container(ctx, true);
}

static int on_end_array(void *ctx)
{
	return close_container(ctx, false);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/** yajl's own complaint, without its "parse error: " and newline. */
static int syntax_error(struct parse *p, yajl_status status)
{
	unsigned char *text;
	const char *why;

	if (p->refused)
		return p->refused;
	if (status == yajl_status_ok || status == yajl_status_client_canceled)
		return refuse(p, -EINVAL, p->len, "no value");
	text = yajl_get_error(p->yajl, 0, (const unsigned char *)p->text, p->len);
	why = text ? (const char *)text : "malformed";
	if (strstr(why, ": "))
		why = strstr(why, ": ") + 2;
	refuse(p, -EINVAL, here(p), "%.*s", (int)strcspn(why, "\n"), why);
	yajl_free_error(p->yajl, text);
	return p->refused;
}

static int run(struct parse *p)
{
	yajl_status status;
	int r = 0;

	p->yajl = yajl_alloc(&callbacks, NULL, p);
	if (!p->yajl)
		abort();
	status = yajl_parse(p->yajl, (const unsigned char *)p->text, p->len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(p->yajl);
	if (status != yajl_status_ok || !p->root)
		r = syntax_error(p, status);
	yajl_free(p->yajl);
	return r;
}

/**
 * json_parse() - one document
 * @text: need not be terminated
 *
 * Refuses, beyond what RFC 8259 does: duplicate keys, NUL in strings, anything
 * over @limits. The tree and its strings live in @a, also what is left of a tree
 * that failed.
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int json_parse(const char *text, size_t len, const struct json_limits *limits,
	       struct arena *a, const struct json **ret_root, struct kata_err *err)
{
	struct parse p = {
		.text = text,
		.len = len,
		.limits = limits,
		.arena = a,
		.err = err,
	};
	int r;

	if (len > limits->bytes)
		return err_set(err, -E2BIG, "document of %zu bytes is larger than %zu",
			       len, limits->bytes);
	r = check_text(&p);
	if (r < 0)
		return r;
	p.levels = mem_grow(NULL, limits->depth, sizeof(*p.levels));
	p.cap_m = FIRST_MEMBERS;
	p.m = mem_grow(NULL, p.cap_m, sizeof(*p.m));
	r = run(&p);
	free(p.levels);
	free(p.m);
	if (r == 0)
		*ret_root = p.root;
	return r;
}

/* ---- reading the tree ---- */

const struct json *json_get(const struct json *j, const char *key)
{
	size_t i;

	if (!j || j->type != JSON_OBJECT)
		return NULL;
	for (i = 0; i < j->len; i++) {
		if (strcmp(j->keys[i], key) == 0)
			return j->items[i];
	}
	return NULL;
}

const char *json_get_str(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);

	return v && v->type == JSON_STRING ? v->str : NULL;
}

int json_to_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret)
{
	if (!j || j->type != JSON_NUMBER)
		return -EINVAL;
	return str_to_i64(j->str, min, max, ret);
}

int json_to_u64(const struct json *j, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (!j || j->type != JSON_NUMBER)
		return -EINVAL;
	return str_to_u64(j->str, min, max, ret);
}

/** json_type_name() - as a noun for messages: "must be a string, is an array". */
const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "a boolean",
		[JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
		[JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
	};

	return (size_t)t < ARRAY_SIZE(names) ? names[t] : "?";
}
