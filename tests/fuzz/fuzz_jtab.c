/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_jtab: any JSON through a table with every kind of member and nested tables. What
 * decodes must encode to a text that decodes and encodes to the same text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jtab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct inner {
	const char *name;
	int32_t n;
	int mode;
	const uint64_t *limit;
};

struct outer {
	const char *str;
	bool flag;
	const bool *opt_flag;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	const int32_t *opt_i32;
	const uint32_t *opt_u32;
	const int64_t *opt_i64;
	const uint64_t *opt_u64;
	int mode;
	struct jt_strv strs;
	struct jt_u32v nums;
	const struct inner *obj;
	struct jt_objv objs;
	struct jt_map map;
	struct jt_objmap objmap;
	const struct json *raw;
};

static const char *const modes[] = { "a", "bb", "c c", NULL };

static const struct jt_field inner_fields[] = {
	JT(struct inner, name, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct inner, n, JT_I32, .min = -3, .max = 3, .flags = JT_OMIT_ZERO),
	JT(struct inner, mode, JT_ENUM, .names = modes, .alias = "m"),
	JT(struct inner, limit, JT_OPT_U64),
};

static int inner_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct inner *x = obj;

	return x->n == 2 ? err_set(err, -22, "%s: two", path) : 0;
}

static const struct jtab inner_tab = {
	.what = "inner",
	.size = sizeof(struct inner),
	.strict = true,
	.fields = inner_fields,
	.n_fields = ARRAY_SIZE(inner_fields),
	.check = inner_check,
};

static const struct jt_field outer_fields[] = {
	JT(struct outer, str, JT_STR),
	JT(struct outer, flag, JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct outer, opt_flag, JT_OPT_BOOL),
	JT(struct outer, i32, JT_I32, .flags = JT_OMIT_ZERO),
	JT(struct outer, u32, JT_U32, .flags = JT_OMIT_ZERO),
	JT(struct outer, i64, JT_I64),
	JT(struct outer, u64, JT_U64),
	JT(struct outer, opt_i32, JT_OPT_I32),
	JT(struct outer, opt_u32, JT_OPT_U32),
	JT(struct outer, opt_i64, JT_OPT_I64),
	JT(struct outer, opt_u64, JT_OPT_U64),
	JT(struct outer, mode, JT_ENUM, .names = modes),
	JT(struct outer, strs, JT_STRV, .flags = JT_NONEMPTY),
	JT(struct outer, nums, JT_U32V),
	JT(struct outer, obj, JT_OBJ, .sub = &inner_tab),
	JT(struct outer, objs, JT_OBJV, .sub = &inner_tab),
	JT(struct outer, map, JT_MAP),
	JT(struct outer, objmap, JT_OBJMAP, .sub = &inner_tab),
	JT(struct outer, raw, JT_RAW),
};

static const struct jtab outer_tab = {
	.what = "outer",
	.size = sizeof(struct outer),
	.fields = outer_fields,
	.n_fields = ARRAY_SIZE(outer_fields),
};

static void require(int truth)
{
	if (!truth)
		abort();
}

/* Decode @text and encode it into @ret. Return: 0, or -errno of a refusal. */
static int pass(const void *text, size_t len, struct buf *ret)
{
	struct json_out o = { .buf = ret };
	struct kata_err err = { 0 };
	AUTO(arena) *a = arena_new();
	const struct json *j = NULL;
	struct outer x;
	int r;

	r = json_parse(text, len, &json_limits_default, a, &j, &err);
	if (r < 0)
		return r;
	r = jtab_decode(&outer_tab, j, a, "", &x, &err);
	if (r < 0) {
		require(err.code == r && err.msg[0] && !strchr(err.msg, '\n'));
		return r;
	}
	jtab_encode(&outer_tab, &x, &o);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };

	if (pass(data, size, &first) == 0) {
		require(pass(buf_ptr(&first), buf_len(&first), &second) == 0);
		require(buf_len(&first) == buf_len(&second));
		require(memcmp(buf_ptr(&first), buf_ptr(&second), buf_len(&first)) == 0);
	}
	buf_done(&first);
	buf_done(&second);
	return 0;
}
