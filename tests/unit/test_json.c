/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's refusals and limits, numbers, and that what is written reads back. */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "base/json.h"
#include "suite.h"

struct fixture {
	struct arena *a;
	const struct json *root;
	struct kata_err err;
	int r;
};

static void parse_n(struct fixture *f, const char *text, size_t n,
		    const struct json_limits *limits)
{
	arena_free(f->a);
	f->a = arena_new();
	f->root = NULL;
	err_done(&f->err);
	f->r = json_parse(text, n, limits, f->a, &f->root, &f->err);
	ck_assert((f->r == 0) == (f->root != NULL));
	ck_assert((f->r == 0) == (f->err.msg[0] == '\0'));
}

static void parse(struct fixture *f, const char *text)
{
	parse_n(f, text, strlen(text), &json_limits_default);
}

static void fixture_done(struct fixture *f)
{
	arena_free(f->a);
}

#define FIXTURE __attribute__((cleanup(fixture_done))) struct fixture

START_TEST(values_of_all_types)
{
	FIXTURE f = { 0 };
	const struct json *j;

	parse(&f,
	      " {\"n\":null, \"t\":true,\"f\":false,\n\"i\":-12,\"s\":\"x\\u00e4\\n\","
	      "\"a\":[1,[],{}],\"o\":{\"k\":\"v\"}} \n");
	ck_assert_int_eq(f.r, 0);
	ck_assert_int_eq(f.root->type, JSON_OBJECT);
	ck_assert_uint_eq(f.root->len, 7);
	ck_assert_str_eq(f.root->keys[0], "n");
	ck_assert_str_eq(f.root->keys[6], "o");
	ck_assert_int_eq(json_get(f.root, "n")->type, JSON_NULL);
	ck_assert(json_get(f.root, "t")->boolean);
	ck_assert(!json_get(f.root, "f")->boolean);
	ck_assert_str_eq(json_get(f.root, "i")->str, "-12");
	ck_assert_str_eq(json_get_str(f.root, "s"), "x\xc3\xa4\n");
	ck_assert_uint_eq(json_get(f.root, "s")->len, 4);
	j = json_get(f.root, "a");
	ck_assert_int_eq(j->type, JSON_ARRAY);
	ck_assert_uint_eq(j->len, 3);
	ck_assert_int_eq(j->items[1]->type, JSON_ARRAY);
	ck_assert_uint_eq(j->items[1]->len, 0);
	ck_assert_str_eq(json_get_str(json_get(f.root, "o"), "k"), "v");
	ck_assert_ptr_null(json_get(f.root, "none"));
	ck_assert_ptr_null(json_get(j, "k"));
	ck_assert_ptr_null(json_get(NULL, "k"));
	ck_assert_ptr_null(json_get_str(f.root, "i"));
}
END_TEST

START_TEST(scalars_are_documents)
{
	static const char *const docs[] = { "1",    "\"x\"", "null",
					    "true", " [] ",  "-0.5e+7" };
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(docs); i++) {
		parse(&f, docs[i]);
		ck_assert_msg(f.r == 0, "%s: %s", docs[i], f.err.msg);
	}
}
END_TEST

START_TEST(malformed_documents_are_refused)
{
	static const char *const docs[] = {
		"",	     "  ",	    "{",
		"[",	     "[1,",	    "[1,]",
		"{\"a\"}",   "{\"a\":}",    "{\"a\":1,}",
		"{a:1}",     "{'a':1}",	    "[1] [2]",
		"1 2",	     "{}x",	    "// c\n1",
		"/* c */ 1", "[1 /* c */]", "nul",
		"tru",	     "True",	    "+1",
		"01",	     "1.",	    ".5",
		"1e",	     "-",	    "0x1",
		"NaN",	     "Infinity",    "\"\\x\"",
		"\"\\u12\"", "\"\\u12g4\"", "\"a",
		"\"a\nb\"",  "\"\t\"",	    "]",
		"}",	     "[}",	    "{]",
		",",	     ":",	    "\xef\xbb\xbf{}", /* byte order mark */
	};
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(docs); i++) {
		parse(&f, docs[i]);
		ck_assert_msg(f.r == -EINVAL, "%s: %d", docs[i], f.r);
		ck_assert_msg(strncmp(f.err.msg, "line ", 5) == 0, "%s: %s", docs[i],
			      f.err.msg);
	}
}
END_TEST

START_TEST(what_yajl_would_let_pass_is_refused)
{
	static const struct {
		const char *doc;
		const char *why;
	} cases[] = {
		{ "\"\\u0000\"", "line 1, column 2: a string must not contain \\u0000" },
		{ "{\"a\\u0000b\":1}",
		  "line 1, column 4: a string must not contain \\u0000" },
		{ "\"\\ud800\"", "line 1, column 2: \\ud800 is half a surrogate pair" },
		{ "\"\\udc00\"", "line 1, column 2: \\udc00 is half a surrogate pair" },
		{ "\"\\ud800x\"", "line 1, column 2: \\ud800 is half a surrogate pair" },
		{ "\"\\ud800\\u0041\"",
		  "line 1, column 2: \\ud800 is half a surrogate pair" },
		{ "\"\\ud800\\ud800\"",
		  "line 1, column 2: \\ud800 is half a surrogate pair" },
		{ "\"\xed\xa0\x80\"", "line 1, column 2: invalid UTF-8" },
		{ "\"\xc0\x80\"", "line 1, column 2: invalid UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", "line 1, column 2: invalid UTF-8" },
		{ "\"\xe2\x82\"", "line 1, column 2: invalid UTF-8" },
		{ "[\n \"\xc3\xa4\", \"\xff\"]", "line 2, column 8: invalid UTF-8" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "line 1, column 14: duplicate key \"a\"" },
		{ "{\"a\":1,\n  \"\\u0061\":2}",
		  "line 2, column 3: duplicate key \"a\"" },
		{ "[{\"x\":{\"q\\\"\":1,\"q\\\"\":2}}]",
		  "line 1, column 16: duplicate key \"q\"\"" },
	};
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		parse(&f, cases[i].doc);
		ck_assert_int_eq(f.r, -EINVAL);
		ck_assert_str_eq(f.err.msg, cases[i].why);
	}
	parse_n(&f, "\"a\0b\"", 5, &json_limits_default);
	ck_assert_str_eq(f.err.msg, "line 1, column 3: NUL byte");
	parse(&f, "\"\\ud83d\\ude00\"");
	ck_assert_int_eq(f.r, 0);
	ck_assert_str_eq(f.root->str, "\xf0\x9f\x98\x80");
	parse(&f, "\"\\\\u0000\""); /* a backslash and five characters */
	ck_assert_int_eq(f.r, 0);
	ck_assert_str_eq(f.root->str, "\\u0000");
}
END_TEST

/* the text need not be terminated: not one byte behind it is looked at */
START_TEST(every_prefix_is_refused_and_none_reads_past_its_end)
{
	static const char doc[] =
		"{\"k\":[1,\"\\ud83d\\ude00\\u00e4\xe2\x82\xac\",-2e3,null]}";
	FIXTURE f = { 0 };
	size_t n;

	for (n = 0; n < sizeof(doc) - 1; n++) {
		AUTO_FREE char *copy = mem_alloc(n);

		memcpy(copy, doc, n);
		parse_n(&f, copy, n, &json_limits_default);
		ck_assert_int_eq(f.r, -EINVAL);
	}
	parse(&f, doc);
	ck_assert_int_eq(f.r, 0);
}
END_TEST

static char *object_of(unsigned n, unsigned twin)
{
	struct buf b = { 0 };
	unsigned i;

	buf_add_u8(&b, '{');
	for (i = 0; i < n; i++)
		buf_addf(&b, "%s\"key%u\":%u", i ? "," : "", i && i == n - 1 ? twin : i,
			 i);
	buf_add_u8(&b, '}');
	buf_cstr(&b);
	return (char *)b.data;
}

START_TEST(duplicates_are_found_among_few_and_many)
{
	static const unsigned sizes[] = { 2, 3, 15, 16, 17, 18, 100, 5000 };
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO_FREE char *good = object_of(sizes[i], sizes[i] - 1);
		AUTO_FREE char *first = object_of(sizes[i], 0);
		AUTO_FREE char *near = object_of(sizes[i], sizes[i] - 2);

		parse(&f, good);
		ck_assert_int_eq(f.r, 0);
		ck_assert_uint_eq(f.root->len, sizes[i]);
		parse(&f, first);
		ck_assert_int_eq(f.r, -EINVAL);
		ck_assert_ptr_nonnull(strstr(f.err.msg, "duplicate key \"key0\""));
		parse(&f, near);
		ck_assert_int_eq(f.r, -EINVAL);
	}
}
END_TEST

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* comparing every pair of 300000 keys would take minutes */
START_TEST(many_keys_are_not_quadratic)
{
	AUTO_FREE char *doc = object_of(300000, 299999);
	double start = seconds();
	FIXTURE f = { 0 };

	parse(&f, doc);
	ck_assert_int_eq(f.r, 0);
	ck_assert(seconds() - start < 30); /* 0.2 s; valgrind is slow */
}
END_TEST

START_TEST(limits_hold)
{
	static const struct json_limits small = {
		.bytes = 40, .string = 4, .depth = 3, .nodes = 6
	};
	static const struct {
		const char *doc;
		int r;
	} cases[] = {
		{ "[[[]]]", 0 },
		{ "[[[[]]]]", -E2BIG },
		{ "{\"a\":{\"b\":{\"c\":{}}}}", -E2BIG },
		{ "[1,2,3,4,5]", 0 },
		{ "[1,2,3,4,5,6]", -E2BIG },
		{ "\"abcd\"", 0 },
		{ "\"abcde\"", -E2BIG },
		{ "1234", 0 },
		{ "12345", -E2BIG },
		{ "{\"abcd\":1}", 0 },
		{ "{\"abcde\":1}", -E2BIG },
		{ "                                       1", 0 },
		{ "                                        1", -E2BIG },
	};
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		parse_n(&f, cases[i].doc, strlen(cases[i].doc), &small);
		ck_assert_msg(f.r == cases[i].r, "%s: %d %s", cases[i].doc, f.r,
			      f.err.msg);
	}
	parse_n(&f, "[[[[]]]]", 8, &small);
	ck_assert_ptr_nonnull(strstr(f.err.msg, "nested deeper than 3"));
}
END_TEST

/* 2 MB of '[' overflow the stack of yajl's own tree */
START_TEST(deep_nesting_is_harmless)
{
	size_t n = 2u << 20;
	AUTO_FREE char *doc = mem_alloc(n);
	struct json_limits deep = json_limits_default;
	FIXTURE f = { 0 };

	memset(doc, '[', n);
	parse_n(&f, doc, n, &json_limits_default);
	ck_assert_int_eq(f.r, -E2BIG);
	n = 40000;
	deep.depth = (unsigned)n / 2;
	memset(doc + n / 2, ']', n / 2);
	parse_n(&f, doc, n, &deep);
	ck_assert_int_eq(f.r, 0);
}
END_TEST

START_TEST(numbers_keep_their_text)
{
	FIXTURE f = { 0 };
	uint64_t u = 7;
	int64_t i = 7;

	parse(&f,
	      "[18446744073709551615,-9223372036854775808,1.5,1e3,18446744073709551616,-1,"
	      "\"5\",-0,1234567890123456789012345678901234567890]");
	ck_assert_int_eq(f.r, 0);
	ck_assert_int_eq(json_to_u64(f.root->items[0], 0, UINT64_MAX, &u), 0);
	ck_assert(u == UINT64_MAX);
	ck_assert_int_eq(json_to_i64(f.root->items[0], INT64_MIN, INT64_MAX, &i),
			 -ERANGE);
	ck_assert_int_eq(json_to_i64(f.root->items[1], INT64_MIN, INT64_MAX, &i), 0);
	ck_assert(i == INT64_MIN);
	ck_assert_int_eq(json_to_u64(f.root->items[2], 0, 9, &u), -EINVAL);
	ck_assert_int_eq(json_to_u64(f.root->items[3], 0, 9999, &u), -EINVAL);
	ck_assert_str_eq(f.root->items[3]->str, "1e3");
	ck_assert_int_eq(json_to_u64(f.root->items[4], 0, UINT64_MAX, &u), -ERANGE);
	ck_assert_int_eq(json_to_u64(f.root->items[5], 0, 9, &u), -ERANGE);
	ck_assert_int_eq(json_to_u64(f.root->items[6], 0, 9, &u), -EINVAL);
	ck_assert_int_eq(json_to_i64(f.root->items[7], -5, 5, &i), 0);
	ck_assert_int_eq(i, 0);
	ck_assert_uint_eq(f.root->items[8]->len, 40);
	ck_assert_int_eq(json_to_u64(NULL, 0, 9, &u), -EINVAL);
}
END_TEST

START_TEST(place_of_a_syntax_error)
{
	FIXTURE f = { 0 };

	parse(&f, "{\n  \"a\": 1,\n  \"b\" 2\n}");
	ck_assert_int_eq(strncmp(f.err.msg, "line 3, column ", 15), 0);
	ck_assert_ptr_null(strchr(f.err.msg, '\n'));
	parse(&f, "");
	ck_assert_int_eq(strncmp(f.err.msg, "line 1, column 1: ", 18), 0);
}
END_TEST

/* ---- the writer ---- */

static void write_sample(struct json_out *o)
{
	json_out_begin_object(o);
	json_out_key(o, "a");
	json_out_begin_array(o);
	json_out_i64(o, INT64_MIN);
	json_out_u64(o, UINT64_MAX);
	json_out_bool(o, true);
	json_out_bool(o, false);
	json_out_null(o);
	json_out_end_array(o);
	json_out_key(o, "empty");
	json_out_begin_object(o);
	json_out_end_object(o);
	json_out_key(o, "none");
	json_out_begin_array(o);
	json_out_end_array(o);
	json_out_key(o, "s");
	json_out_str(o, "x");
	json_out_key(o, "n");
	json_out_str(o, NULL);
	json_out_end_object(o);
}

START_TEST(compact_output)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	write_sample(&o);
	ck_assert_str_eq(
		buf_cstr(&b),
		"{\"a\":[-9223372036854775808,18446744073709551615,true,false,null],"
		"\"empty\":{},\"none\":[],\"s\":\"x\",\"n\":null}");
	buf_done(&b);
}
END_TEST

START_TEST(pretty_output)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };

	write_sample(&o);
	ck_assert_str_eq(buf_cstr(&b), "{\n"
				       "  \"a\": [\n"
				       "    -9223372036854775808,\n"
				       "    18446744073709551615,\n"
				       "    true,\n"
				       "    false,\n"
				       "    null\n"
				       "  ],\n"
				       "  \"empty\": {},\n"
				       "  \"none\": [],\n"
				       "  \"s\": \"x\",\n"
				       "  \"n\": null\n"
				       "}");
	buf_done(&b);
}
END_TEST

START_TEST(strings_are_escaped)
{
	static const char bytes[] =
		"\"\\/\b\f\n\r\t\x01\x1f\x7f\0\xc3\xa4\xff\xed\xa0\x80z";
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	json_out_strn(&o, bytes, sizeof(bytes) - 1);
	ck_assert_str_eq(
		buf_cstr(&b),
		"\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\xc3\xa4\xef\xbf\xbd"
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
	buf_done(&b);
}
END_TEST

START_TEST(values_are_written_as_they_stood)
{
	static const char doc[] = "{\"a\":[1.50,1e400,-0,\"\\u001f\\\"x\",[],{}],\"b\":"
				  "{\"c\":null,\"d\":true,\"e\":false},\"\":[[[]]]}";
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	FIXTURE f = { 0 };

	parse(&f, doc);
	ck_assert_int_eq(f.r, 0);
	json_out_value(&o, f.root);
	ck_assert_str_eq(buf_cstr(&b), doc);
	buf_done(&b);
	o = (struct json_out){ .buf = &b };
	json_out_value(&o, NULL);
	ck_assert_str_eq(buf_cstr(&b), "null");
	buf_done(&b);
}
END_TEST

START_TEST(output_past_the_bound_is_told)
{
	struct buf b = { .max = 50 };
	struct json_out o = { .buf = &b };

	write_sample(&o);
	ck_assert(b.overflow);
	buf_done(&b);
}
END_TEST

START_TEST(type_names)
{
	ck_assert_str_eq(json_type_name(JSON_NULL), "null");
	ck_assert_str_eq(json_type_name(JSON_BOOL), "a boolean");
	ck_assert_str_eq(json_type_name(JSON_NUMBER), "a number");
	ck_assert_str_eq(json_type_name(JSON_STRING), "a string");
	ck_assert_str_eq(json_type_name(JSON_ARRAY), "an array");
	ck_assert_str_eq(json_type_name(JSON_OBJECT), "an object");
	ck_assert_str_eq(json_type_name((enum json_type)99), "?");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		values_of_all_types,
		scalars_are_documents,
		malformed_documents_are_refused,
		what_yajl_would_let_pass_is_refused,
		every_prefix_is_refused_and_none_reads_past_its_end,
		duplicates_are_found_among_few_and_many,
		many_keys_are_not_quadratic,
		limits_hold,
		deep_nesting_is_harmless,
		numbers_keep_their_text,
		place_of_a_syntax_error,
		compact_output,
		pretty_output,
		strings_are_escaped,
		values_are_written_as_they_stood,
		output_past_the_bound_is_told,
		type_names,
	};

	return suite_run("json", tests, ARRAY_SIZE(tests));
}
