/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json: any bytes to the parser, under both sets of limits. What it accepts must be
 * written, read and written again to the same text; what it refuses must say where and why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

static void write_value(struct buf *b, const struct json *j)
{
	struct json_out o = { .buf = b };

	json_out_value(&o, j);
}

/* getters must take any value */
static void use(const struct json *j)
{
	uint64_t u;
	int64_t i;

	(void)json_to_u64(j, 1, UINT32_MAX, &u);
	(void)json_to_i64(j, INT32_MIN, 1000, &i);
	(void)json_get_str(j, "k");
	if (j->type == JSON_OBJECT && j->len) {
		require(json_get(j, j->keys[0]) == j->items[0]);
		require(json_get(j, j->keys[j->len - 1]) == j->items[j->len - 1]);
	}
}

static void round_trip(const struct json *j)
{
	struct buf first = { 0 }, second = { 0 };
	AUTO(arena) *a = arena_new();
	const struct json *again = NULL;

	write_value(&first, j);
	require(json_parse((const char *)buf_ptr(&first), buf_len(&first),
			   &json_limits_default, a, &again, NULL) == 0);
	write_value(&second, again);
	require(buf_len(&first) == buf_len(&second));
	require(memcmp(buf_ptr(&first), buf_ptr(&second), buf_len(&first)) == 0);
	buf_done(&first);
	buf_done(&second);
}

static int parse(const uint8_t *data, size_t size, const struct json_limits *limits)
{
	struct kata_err err = { 0 };
	AUTO(arena) *a = arena_new();
	const struct json *j = NULL;
	int r = json_parse((const char *)data, size, limits, a, &j, &err);

	require((r == 0) == (j != NULL));
	if (r < 0) {
		require(err.code == r && err.msg[0] && !strchr(err.msg, '\n'));
		return r;
	}
	use(j);
	round_trip(j);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int r = parse(data, size, &json_limits_default);

	/* narrower limits only ever refuse more */
	if (parse(data, size, &json_limits_hostile) == 0)
		require(r == 0);
	return 0;
}
