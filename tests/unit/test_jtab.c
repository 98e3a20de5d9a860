/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: every kind in and out, every refusal with its path. */
#include <errno.h>
#include <stdint.h>

#include "base/jtab.h"
#include "suite.h"

struct leaf {
	const char *name;
	int32_t n;
};

static const struct jt_field leaf_fields[] = {
	JT(struct leaf, name, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct leaf, n, JT_I32, .flags = JT_OMIT_ZERO),
};

static const struct jtab leaf_tab = {
	.what = "leaf",
	.size = sizeof(struct leaf),
	.fields = leaf_fields,
	.n_fields = ARRAY_SIZE(leaf_fields),
};

struct all {
	const char *str;
	bool flag, quiet;
	const bool *opt_flag;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	const int32_t *opt_i32;
	const uint32_t *opt_u32;
	const int64_t *opt_i64;
	const uint64_t *opt_u64;
	int color;
	struct jt_strv strs;
	struct jt_u32v nums;
	const struct leaf *leaf;
	struct jt_objv leaves;
	struct jt_map map;
	struct jt_objmap objmap;
	const struct json *raw;
	int32_t percent;
	uint32_t hidden;
};

static const char *const colors[] = { "red", "green", "blue", NULL };

static const struct jt_field all_fields[] = {
	JT(struct all, str, JT_STR),
	JT(struct all, flag, JT_BOOL),
	JT(struct all, quiet, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT_AS(struct all, opt_flag, "optFlag", JT_OPT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct all, i32, JT_I32),
	JT(struct all, u32, JT_U32),
	JT(struct all, i64, JT_I64),
	JT(struct all, u64, JT_U64),
	JT(struct all, opt_i32, JT_OPT_I32, .flags = JT_OMIT_ZERO),
	JT(struct all, opt_u32, JT_OPT_U32),
	JT(struct all, opt_i64, JT_OPT_I64),
	JT(struct all, opt_u64, JT_OPT_U64),
	JT(struct all, color, JT_ENUM, .names = colors, .alias = "colour",
	   .flags = JT_OMIT_ZERO),
	JT(struct all, strs, JT_STRV),
	JT(struct all, nums, JT_U32V, .min = 0, .max = 1000),
	JT(struct all, leaf, JT_OBJ, .sub = &leaf_tab),
	JT(struct all, leaves, JT_OBJV, .sub = &leaf_tab),
	JT(struct all, map, JT_MAP),
	JT(struct all, objmap, JT_OBJMAP, .sub = &leaf_tab),
	JT(struct all, raw, JT_RAW),
	JT(struct all, percent, JT_I32, .min = -100, .max = 100, .flags = JT_OMIT_ZERO),
	JT(struct all, hidden, JT_U32, .flags = JT_OMIT_ZERO),
};

static const struct jtab all_tab = {
	.what = "all",
	.size = sizeof(struct all),
	.fields = all_fields,
	.n_fields = ARRAY_SIZE(all_fields),
};

struct fixture {
	struct arena *a;
	struct kata_err err;
	struct all x;
	int r;
};

static int decode_as(struct fixture *f, const struct jtab *t, const char *text,
		     const char *path, void *obj)
{
	const struct json *j = NULL;

	if (!f->a)
		f->a = arena_new();
	err_done(&f->err);
	ck_assert_int_eq(
		json_parse(text, strlen(text), &json_limits_default, f->a, &j, &f->err),
		0);
	return jtab_decode(t, j, f->a, path, obj, &f->err);
}

static void decode(struct fixture *f, const char *text)
{
	memset(&f->x, 0xa5, sizeof(f->x)); /* the callee zeroes it */
	f->r = decode_as(f, &all_tab, text, "", &f->x);
}

static void fixture_done(struct fixture *f)
{
	arena_free(f->a);
}

#define FIXTURE __attribute__((cleanup(fixture_done))) struct fixture

static char *encode(const struct jtab *t, const void *obj)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	jtab_encode(t, obj, &o);
	buf_cstr(&b);
	return (char *)b.data;
}

static const char full[] =
	"{\"str\":\"s\",\"flag\":true,\"quiet\":true,\"optFlag\":false,"
	"\"i32\":-2147483648,\"u32\":4294967295,\"i64\":-9223372036854775808,"
	"\"u64\":18446744073709551615,\"opt_i32\":0,\"opt_u32\":7,\"opt_i64\":-7,"
	"\"opt_u64\":18446744073709551615,\"color\":\"red\",\"strs\":[\"a\",\"b\"],"
	"\"nums\":[0,1000],\"leaf\":{\"name\":\"l\"},\"leaves\":[{\"name\":\"l0\",\"n\":-5},"
	"{\"name\":\"l1\"}],\"map\":{\"k1\":\"v1\",\"k0\":\"\"},\"objmap\":{\"x\":{\"name\":\"y\"}},"
	"\"raw\":[1,{\"any\":null}],\"percent\":-100,\"hidden\":1}";

START_TEST(every_kind_is_decoded)
{
	FIXTURE f = { 0 };
	const struct leaf *l;

	decode(&f, full);
	ck_assert_msg(f.r == 0, "%s", f.err.msg);
	ck_assert_str_eq(f.x.str, "s");
	ck_assert(f.x.flag && f.x.quiet && !*f.x.opt_flag);
	ck_assert(f.x.i32 == INT32_MIN && f.x.u32 == UINT32_MAX);
	ck_assert(f.x.i64 == INT64_MIN && f.x.u64 == UINT64_MAX);
	ck_assert(*f.x.opt_i32 == 0 && *f.x.opt_u32 == 7 && *f.x.opt_i64 == -7);
	ck_assert(*f.x.opt_u64 == UINT64_MAX);
	ck_assert_int_eq(f.x.color, 0);
	ck_assert_uint_eq(f.x.strs.n, 2);
	ck_assert_str_eq(f.x.strs.v[1], "b");
	ck_assert_ptr_null(f.x.strs.v[2]);
	ck_assert(f.x.nums.n == 2 && f.x.nums.v[0] == 0 && f.x.nums.v[1] == 1000);
	ck_assert_str_eq(f.x.leaf->name, "l");
	l = f.x.leaves.v;
	ck_assert_uint_eq(f.x.leaves.n, 2);
	ck_assert_int_eq(l[0].n, -5);
	ck_assert_str_eq(l[1].name, "l1");
	ck_assert(f.x.map.n == 2 && strcmp(f.x.map.keys[1], "k0") == 0);
	ck_assert_str_eq(f.x.map.vals[0], "v1");
	l = f.x.objmap.v;
	ck_assert_str_eq(f.x.objmap.keys[0], "x");
	ck_assert_str_eq(l[0].name, "y");
	ck_assert_int_eq(f.x.raw->type, JSON_ARRAY);
	ck_assert_int_eq(f.x.percent, -100);
}
END_TEST

START_TEST(encoding_gives_the_document_back)
{
	FIXTURE f = { 0 };
	AUTO_FREE char *text = NULL;

	decode(&f, full);
	text = encode(&all_tab, &f.x);
	ck_assert_str_eq(text, full);
}
END_TEST

static void check_absent(const struct all *x)
{
	AUTO_FREE char *text = encode(&all_tab, x);

	ck_assert_ptr_null(x->str);
	ck_assert_ptr_null(x->opt_flag);
	ck_assert_ptr_null(x->opt_u64);
	ck_assert_int_eq(x->color, -1);
	ck_assert(!x->strs.v && !x->nums.v && !x->leaf && !x->leaves.v);
	ck_assert(!x->map.keys && !x->objmap.keys && !x->raw);
	ck_assert(!x->flag && !x->i32);
	ck_assert_str_eq(text,
			 "{\"flag\":false,\"i32\":0,\"u32\":0,\"i64\":0,\"u64\":0}");
}

START_TEST(absent_and_null_are_the_same)
{
	struct buf b = { 0 };
	FIXTURE f = { 0 };
	size_t i;

	decode(&f, "{}");
	ck_assert_int_eq(f.r, 0);
	check_absent(&f.x);
	for (i = 0; i < ARRAY_SIZE(all_fields); i++)
		buf_addf(&b, "%s\"%s\":null", i ? "," : "{", all_fields[i].name);
	buf_add_u8(&b, '}');
	decode(&f, buf_cstr(&b));
	ck_assert_msg(f.r == 0, "%s", f.err.msg);
	check_absent(&f.x);
	buf_done(&b);
}
END_TEST

START_TEST(empty_is_not_absent)
{
	static const char doc[] =
		"{\"str\":\"\",\"flag\":false,\"i32\":0,\"u32\":0,\"i64\":0,"
		"\"u64\":0,\"strs\":[],\"nums\":[],\"leaves\":[],\"map\":{},"
		"\"objmap\":{},\"raw\":{}}";
	FIXTURE f = { 0 };
	AUTO_FREE char *text = NULL;

	decode(&f, doc);
	ck_assert_int_eq(f.r, 0);
	ck_assert(f.x.strs.v && !f.x.strs.v[0] && f.x.strs.n == 0);
	ck_assert(f.x.map.keys && f.x.map.n == 0);
	text = encode(&all_tab, &f.x);
	ck_assert_str_eq(text, doc);
}
END_TEST

/* JT_OMIT_ZERO is about plain members: a pointer to zero, and enum 0, are values */
START_TEST(omit_zero_keeps_round_trips)
{
	static const char doc[] = "{\"flag\":false,\"optFlag\":false,\"i32\":0,\"u32\":0,"
				  "\"i64\":0,\"u64\":0,\"opt_i32\":0,\"color\":\"red\"}";
	FIXTURE f = { 0 };
	AUTO_FREE char *text = NULL;

	decode(&f, doc);
	text = encode(&all_tab, &f.x);
	ck_assert_str_eq(text, doc);
	free(text);
	f.x.percent = 0;
	f.x.quiet = false;
	text = encode(&all_tab, &f.x);
	ck_assert_str_eq(text, doc);
}
END_TEST

START_TEST(unknown_members_are_ignored)
{
	FIXTURE f = { 0 };

	decode(&f, "{\"unknown\":{\"deep\":[1]},\"str\":\"x\",\"Str\":1}");
	ck_assert_int_eq(f.r, 0);
	ck_assert_str_eq(f.x.str, "x");
}
END_TEST

START_TEST(alias_decodes_the_same)
{
	FIXTURE f = { 0 };
	AUTO_FREE char *text = NULL;

	decode(&f, "{\"colour\":\"blue\"}");
	ck_assert_int_eq(f.r, 0);
	ck_assert_int_eq(f.x.color, 2);
	text = encode(&all_tab, &f.x);
	ck_assert_ptr_nonnull(strstr(text, "\"color\":\"blue\""));
	decode(&f, "{\"colour\":\"blue\",\"color\":\"blue\"}");
	ck_assert_int_eq(f.r, -EINVAL);
	ck_assert_str_eq(f.err.msg, "color: \"color\" and \"colour\" are the same thing");
}
END_TEST

struct refusal {
	const char *doc, *msg;
};

START_TEST(refusals_name_the_path)
{
	static const struct refusal cases[] = {
		{ "[]", "document: must be an object, is an array" },
		{ "{\"str\":1}", "str: must be a string, is a number" },
		{ "{\"flag\":\"true\"}", "flag: must be a boolean, is a string" },
		{ "{\"optFlag\":0}", "optFlag: must be a boolean, is a number" },
		{ "{\"i32\":true}", "i32: must be a number, is a boolean" },
		{ "{\"u32\":\"5\"}", "u32: must be a number, is a string" },
		{ "{\"opt_i64\":{}}", "opt_i64: must be a number, is an object" },
		{ "{\"strs\":\"a\"}", "strs: must be an array, is a string" },
		{ "{\"strs\":[\"a\",null]}", "strs[1]: must be a string, is null" },
		{ "{\"nums\":[1,\"a\"]}", "nums[1]: must be a number, is a string" },
		{ "{\"nums\":[1001]}", "nums[0]: must be between 0 and 1000, is 1001" },
		{ "{\"leaf\":[]}", "leaf: must be an object, is an array" },
		{ "{\"leaf\":{}}", "leaf.name: is required" },
		{ "{\"leaf\":{\"name\":null}}", "leaf.name: is required, is null" },
		{ "{\"leaf\":{\"name\":\"\"}}", "leaf.name: must not be empty" },
		{ "{\"leaf\":{\"name\":7}}", "leaf.name: must be a string, is a number" },
		{ "{\"leaves\":[{\"name\":\"a\"},{}]}", "leaves[1].name: is required" },
		{ "{\"leaves\":[null]}", "leaves[0]: must be an object, is null" },
		{ "{\"map\":[]}", "map: must be an object, is an array" },
		{ "{\"map\":{\"k\":1}}", "map.k: must be a string, is a number" },
		{ "{\"map\":{\"a.b/c\":1}}",
		  "map[\"a.b/c\"]: must be a string, is a number" },
		{ "{\"map\":{\"\":1}}", "map[\"\"]: must be a string, is a number" },
		{ "{\"map\":{\"a\\n\\u001b\":1}}",
		  "map[\"a\\n\\u001b\"]: must be a string, is a number" },
		{ "{\"objmap\":{\"e th\":{}}}", "objmap[\"e th\"].name: is required" },
		{ "{\"color\":\"pink\"}",
		  "color: \"pink\" is not one of red, green, blue" },
		{ "{\"color\":1}", "color: must be a string, is a number" },
		{ "{\"i32\":2147483648}",
		  "i32: must be between -2147483648 and 2147483647, is 2147483648" },
		{ "{\"i32\":-2147483649}",
		  "i32: must be between -2147483648 and 2147483647, is -2147483649" },
		{ "{\"u32\":-1}", "u32: must be between 0 and 4294967295, is -1" },
		{ "{\"opt_u32\":4294967296}",
		  "opt_u32: must be between 0 and 4294967295, is 4294967296" },
		{ "{\"i64\":9223372036854775808}",
		  "i64: must be between -9223372036854775808 and 9223372036854775807, is "
		  "9223372036854775808" },
		{ "{\"u64\":18446744073709551616}",
		  "u64: must be between 0 and 18446744073709551615, is 18446744073709551616" },
		{ "{\"percent\":101}", "percent: must be between -100 and 100, is 101" },
		{ "{\"percent\":-101}",
		  "percent: must be between -100 and 100, is -101" },
		{ "{\"u32\":1.5}", "u32: must be a whole number, is 1.5" },
		{ "{\"u32\":1e2}", "u32: must be a whole number, is 1e2" },
	};
	FIXTURE f = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		decode(&f, cases[i].doc);
		ck_assert_msg(f.r == -EINVAL || f.r == -ERANGE, "%s: %d", cases[i].doc,
			      f.r);
		ck_assert_int_eq(f.r, f.err.code);
		ck_assert_str_eq(f.err.msg, cases[i].msg);
	}
}
END_TEST

START_TEST(path_of_the_caller_is_in_front)
{
	struct leaf l;
	FIXTURE f = { 0 };

	ck_assert_int_lt(decode_as(&f, &leaf_tab, "{}", "a.b[3]", &l), 0);
	ck_assert_str_eq(f.err.msg, "a.b[3].name: is required");
	ck_assert_int_lt(decode_as(&f, &leaf_tab, "1", "a", &l), 0);
	ck_assert_str_eq(f.err.msg, "a: must be an object, is a number");
}
END_TEST

START_TEST(shown_values_are_bounded)
{
	struct buf b = { 0 };
	FIXTURE f = { 0 };
	size_t i;

	buf_add_str(&b, "{\"color\":\"");
	for (i = 0; i < 5000; i++)
		buf_add_u8(&b, 'x');
	buf_add_str(&b, "\"}");
	decode(&f, buf_cstr(&b));
	ck_assert_uint_lt(strlen(f.err.msg), 130);
	ck_assert_ptr_nonnull(strstr(f.err.msg, "\" is not one of red, green, blue"));
	buf_done(&b);
	buf_add_str(&b, "{\"map\":{\"");
	for (i = 0; i < 5000; i++)
		buf_add_u8(&b, 'x');
	buf_add_str(&b, "\":1}}");
	decode(&f, buf_cstr(&b));
	ck_assert_uint_lt(strlen(f.err.msg), 130);
	buf_done(&b);
}
END_TEST

struct strict {
	uint32_t a, b;
	const char *s;
	struct jt_strv list;
};

static int strict_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct strict *x = obj;

	if (x->a > x->b)
		return err_set(err, -EINVAL, "%s: a is larger than b", path);
	return 0;
}

static const struct jt_field strict_fields[] = {
	JT(struct strict, a, JT_U32),
	JT(struct strict, b, JT_U32),
	JT(struct strict, s, JT_STR, .flags = JT_NONEMPTY),
	JT(struct strict, list, JT_STRV, .flags = JT_NONEMPTY),
};

static const struct jtab strict_tab = {
	.what = "strict",
	.size = sizeof(struct strict),
	.strict = true,
	.fields = strict_fields,
	.n_fields = ARRAY_SIZE(strict_fields),
	.check = strict_check,
};

START_TEST(strict_tables_know_all_members)
{
	struct strict x;
	FIXTURE f = { 0 };

	ck_assert_int_eq(decode_as(&f, &strict_tab, "{\"a\":1,\"b\":1}", "p", &x), 0);
	ck_assert_int_lt(decode_as(&f, &strict_tab, "{\"a\":1,\"c\":1}", "p", &x), 0);
	ck_assert_str_eq(f.err.msg, "p.c: is not known here");
}
END_TEST

START_TEST(checks_see_the_whole_object)
{
	struct strict x;
	FIXTURE f = { 0 };

	ck_assert_int_eq(decode_as(&f, &strict_tab, "{\"a\":2,\"b\":1}", "p", &x),
			 -EINVAL);
	ck_assert_str_eq(f.err.msg, "p: a is larger than b");
}
END_TEST

START_TEST(nonempty_when_there)
{
	struct strict x;
	FIXTURE f = { 0 };

	ck_assert_int_eq(decode_as(&f, &strict_tab, "{\"s\":null,\"list\":null}", "", &x),
			 0);
	ck_assert_int_lt(decode_as(&f, &strict_tab, "{\"s\":\"\"}", "", &x), 0);
	ck_assert_str_eq(f.err.msg, "s: must not be empty");
	ck_assert_int_lt(decode_as(&f, &strict_tab, "{\"list\":[]}", "", &x), 0);
	ck_assert_str_eq(f.err.msg, "list: must not be empty");
}
END_TEST

START_TEST(paths)
{
	AUTO(arena) *a = arena_new();

	ck_assert_str_eq(jtab_path(a, "", "b"), "b");
	ck_assert_str_eq(jtab_path(a, "a", "b"), "a.b");
	ck_assert_str_eq(jtab_path(a, "a[1]", "b-c_9"), "a[1].b-c_9");
	ck_assert_str_eq(jtab_path(a, "a", "9b"), "a[\"9b\"]");
	ck_assert_str_eq(jtab_path(a, "a", "x y"), "a[\"x y\"]");
	ck_assert_str_eq(jtab_path_index(a, "a", 12), "a[12]");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_kind_is_decoded,
		encoding_gives_the_document_back,
		absent_and_null_are_the_same,
		empty_is_not_absent,
		omit_zero_keeps_round_trips,
		unknown_members_are_ignored,
		alias_decodes_the_same,
		refusals_name_the_path,
		path_of_the_caller_is_in_front,
		shown_values_are_bounded,
		strict_tables_know_all_members,
		checks_see_the_whole_object,
		nonempty_when_there,
		paths,
	};

	return suite_run("jtab", tests, ARRAY_SIZE(tests));
}
