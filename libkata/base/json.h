/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: bounded JSON. The only file that includes yajl, and of yajl only the
 * SAX interface: its tree frees recursively (2 MB of '[' overflow the stack),
 * keeps duplicate keys, cuts strings at \u0000 and loses 64-bit unsigned
 * numbers. Here the tree lives in an arena, duplicates and NUL are refused,
 * numbers keep their text until a typed getter asks, and depth, size and
 * string length are limited.
 */
#ifndef KATA_BASE_JSON_H
#define KATA_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type type;
	bool boolean;
	const char *str;   /* text of a string or number, NUL-terminated */
	size_t len;	   /* bytes of str; elements of an array; members of an object */
	const char **keys; /* object: len keys, in the document's order */
	struct json **items; /* array, object: len values */
};

struct json_limits {
	size_t bytes;  /* whole document */
	size_t string; /* one string, one number or one key */
	unsigned depth;
	size_t nodes; /* values in the document */
};

/** The limits for config.json and all else of an engine's making: 16 MiB, 1 MiB, depth 64, 4 M nodes. */
extern const struct json_limits json_limits_default;
/** For anything a guest or a VMM sends: 64 KiB, 16 KiB, depth 16, 4096 nodes. */
extern const struct json_limits json_limits_hostile;

/**
 * json_parse() - one document, nothing but white space around it; allocates in @a.
 * Errors name line and column: "line 3, column 7: <why>". -EINVAL, -E2BIG over a limit.
 */
int json_parse(const char *text, size_t len, const struct json_limits *limits,
	       struct arena *a, const struct json **ret_root,
	       struct kata_err *err) MUST_CHECK;

/** json_get() - member of an object, NULL when absent or @j is no object. */
const struct json *json_get(const struct json *j, const char *key);
/** json_get_str() - string member or NULL. */
const char *json_get_str(const struct json *j, const char *key);
/** json_to_i64/u64: whole numbers only (no fraction, no exponent). 0, -EINVAL, -ERANGE. */
int json_to_i64(const struct json *j, int64_t min, int64_t max, int64_t *ret);
int json_to_u64(const struct json *j, uint64_t min, uint64_t max, uint64_t *ret);
const char *json_type_name(enum json_type t);

/**
 * Writer: into a buf, compact or indented by two spaces; commas are kept by the writer.
 * Strings are escaped; bytes that are not UTF-8 become U+FFFD.
 */
struct json_out {
	struct buf *buf;
	bool pretty;
	unsigned depth;
	bool comma; /* a value stands before, at this depth */
	bool in_key;
};
void json_out_begin_object(struct json_out *o);
void json_out_end_object(struct json_out *o);
void json_out_begin_array(struct json_out *o);
void json_out_end_array(struct json_out *o);
void json_out_key(struct json_out *o, const char *key);
void json_out_str(struct json_out *o, const char *s); /* NULL is written as null */
void json_out_strn(struct json_out *o, const char *s, size_t n);
void json_out_i64(struct json_out *o, int64_t v);
void json_out_u64(struct json_out *o, uint64_t v);
void json_out_bool(struct json_out *o, bool v);
void json_out_null(struct json_out *o);
/** json_out_value() - a parsed value as it stood. */
void json_out_value(struct json_out *o, const struct json *j);

#endif
