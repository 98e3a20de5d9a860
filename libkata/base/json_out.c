/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_out: the JSON writer. Punctuation and indentation follow from what was
 * written last; the caller only says values and keys in order. Whether all of
 * it fitted is the buffer's business (overflow).
 */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static void add_indent(struct json_out *o)
{
	unsigned i;

	if (!o->pretty)
		return;
	buf_add_u8(o->buf, '\n');
	for (i = 0; i < o->depth; i++)
		buf_add(o->buf, "  ", 2);
}

/** What stands between the last thing written and the next key or value. */
static void separate(struct json_out *o)
{
	if (o->in_key) {
		o->in_key = false;
		return;
	}
	if (o->comma)
		buf_add_u8(o->buf, ',');
	if (o->depth)
		add_indent(o);
}

static void begin(struct json_out *o, char c)
{
	separate(o);
	buf_add_u8(o->buf, (uint8_t)c);
	o->depth++;
	o->comma = false;
}

static void end(struct json_out *o, char c)
{
	o->depth--;
	if (o->comma)
		add_indent(o);
	buf_add_u8(o->buf, (uint8_t)c);
	o->comma = true;
}

static void add_value(struct json_out *o, const char *s, size_t n)
{
	separate(o);
	buf_add(o->buf, s, n);
	o->comma = true;
}

void json_out_begin_object(struct json_out *o)
{
	begin(o, '{');
}

void json_out_end_object(struct json_out *o)
{
	end(o, '}');
}

void json_out_begin_array(struct json_out *o)
{
	begin(o, '[');
}

void json_out_end_array(struct json_out *o)
{
	end(o, ']');
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_escape(struct buf *b, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		buf_addf(b, "\\%c", to[at - from]);
	else
		buf_addf(b, "\\u%04x", c);
}

static void add_quoted(struct buf *b, const char *s, size_t n)
{
	size_t i, run;

	buf_add_u8(b, '"');
	for (i = 0; i < n; i += run) {
		for (run = 0; i + run < n && is_plain((unsigned char)s[i + run]); run++)
			;
		if (run) {
			buf_add(b, s + i, run);
			continue;
		}
		run = str_utf8_len(s + i, n - i);
		if (run > 1) {
			buf_add(b, s + i, run);
		} else if (run == 1) {
			add_escape(b, (unsigned char)s[i]);
		} else {
			buf_add(b, "\xef\xbf\xbd", 3); /* U+FFFD */
			run = 1;
		}
	}
	buf_add_u8(b, '"');
}

void json_out_key(struct json_out *o, const char *key)
{
	separate(o);
	add_quoted(o->buf, key, strlen(key));
	buf_add_str(o->buf, o->pretty ? ": " : ":");
	o->comma = true;
	o->in_key = true;
}

void json_out_strn(struct json_out *o, const char *s, size_t n)
{
	separate(o);
	add_quoted(o->buf, s, n);
	o->comma = true;
}

void json_out_str(struct json_out *o, const char *s)
{
	if (s)
		json_out_strn(o, s, strlen(s));
	else
		json_out_null(o);
}

void json_out_i64(struct json_out *o, int64_t v)
{
	separate(o);
	buf_addf(o->buf, "%" PRId64, v);
	o->comma = true;
}

void json_out_u64(struct json_out *o, uint64_t v)
{
	separate(o);
	buf_addf(o->buf, "%" PRIu64, v);
	o->comma = true;
}

void json_out_bool(struct json_out *o, bool v)
{
	add_value(o, v ? "true" : "false", v ? 4 : 5);
}

void json_out_null(struct json_out *o)
{
	add_value(o, "null", 4);
}

static void out_container(struct json_out *o, const struct json *j)
{
	bool object = j->type == JSON_OBJECT;
	size_t i;

	begin(o, object ? '{' : '[');
	for (i = 0; i < j->len; i++) {
		if (object)
			json_out_key(o, j->keys[i]);
		json_out_value(o, j->items[i]);
	}
	end(o, object ? '}' : ']');
}

/** json_out_value() - recurses, as deep as the parser's limit let the value be. */
void json_out_value(struct json_out *o, const struct json *j)
{
	if (!j) {
		json_out_null(o);
		return;
	}
	switch (j->type) {
	case JSON_NULL:
		json_out_null(o);
		break;
	case JSON_BOOL:
		json_out_bool(o, j->boolean);
		break;
	case JSON_NUMBER:
		add_value(o, j->str, j->len);
		break;
	case JSON_STRING:
		json_out_strn(o, j->str, j->len);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		out_container(o, j);
		break;
	}
}
