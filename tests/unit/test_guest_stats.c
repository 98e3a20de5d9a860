// SPDX-License-Identifier: Apache-2.0
/* What the guest counts, in the shape that readers of `events --stats` know from runc. */
#include <stdlib.h>

#include "base/str.h"
#include "oci.h"
#include "sandbox/guest_stats.h"

static const struct json *written(struct arena *a, const struct msg_stats *m)
{
	struct kata_err err = { 0 };
	const struct net_counters nets[] = {
		{ .name = "eth0", .rx_bytes = 7, .tx_dropped = 8 }
	};
	const struct json *j;
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	guest_stats_write(m, nets, ARRAY_SIZE(nets), &o);
	ck_assert_msg(json_parse((const char *)buf_ptr(&b), buf_len(&b),
				 &json_limits_default, a, &j, &err) == 0,
		      "%s", err.msg);
	buf_done(&b);
	return j;
}

static const char *number(const struct json *j, const char *a, const char *b,
			  const char *c)
{
	const struct json *v = json_get(json_get(j, a), b);

	if (v && c)
		v = json_get(v, c);
	return v ? v->str : NULL;
}

START_TEST(numbers_have_runcs_names_and_units)
{
	AUTO(arena) *a = arena_new();
	struct msg_stats m;
	const struct json *j;

	guest_stats_clear(&m);
	m.v[STAT_CPU_USAGE_US] = 1500;
	m.v[STAT_CPU_THROTTLED] = 3;
	m.v[STAT_MEMORY_CURRENT] = 4096;
	m.v[STAT_MEMORY_LIMIT] = 1 << 20;
	m.v[STAT_OOM_KILLS] = 2;
	m.v[STAT_PIDS_CURRENT] = 5;
	m.v[STAT_PIDS_LIMIT] = 100;
	j = written(a, &m);
	ck_assert_str_eq(number(j, "cpu", "usage", "total"), "1500000");
	ck_assert_str_eq(number(j, "cpu", "throttling", "throttledPeriods"), "3");
	ck_assert_str_eq(number(j, "memory", "usage", "usage"), "4096");
	ck_assert_str_eq(number(j, "memory", "usage", "limit"), "1048576");
	ck_assert_str_eq(number(j, "memory", "raw", "oom_kill"), "2");
	ck_assert_str_eq(number(j, "pids", "current", NULL), "5");
	ck_assert_str_eq(number(j, "pids", "limit", NULL), "100");
}
END_TEST

START_TEST(unknown_is_left_out_and_no_limit_is_said)
{
	AUTO(arena) *a = arena_new();
	struct msg_stats m;
	const struct json *j;

	guest_stats_clear(&m);
	j = written(a, &m);
	ck_assert_ptr_null(number(j, "cpu", "usage", "total"));
	ck_assert_ptr_null(number(j, "memory", "usage", "usage"));
	ck_assert_str_eq(number(j, "memory", "usage", "limit"), "18446744073709551615");
	ck_assert_str_eq(number(j, "pids", "limit", NULL), "0");
	j = json_get(j, "network_interfaces");
	ck_assert_uint_eq(j->len, 1);
	ck_assert_str_eq(json_get_str(j->items[0], "Name"), "eth0");
	ck_assert_str_eq(json_get(j->items[0], "RxBytes")->str, "7");
	ck_assert_str_eq(json_get(j->items[0], "TxDropped")->str, "8");
}
END_TEST

START_TEST(times_do_not_wrap)
{
	AUTO(arena) *a = arena_new();
	struct msg_stats m;

	guest_stats_clear(&m);
	m.v[STAT_CPU_USAGE_US] = UINT64_MAX - 1;
	ck_assert_str_eq(number(written(a, &m), "cpu", "usage", "total"),
			 "18446744073709551615");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		numbers_have_runcs_names_and_units,
		unknown_is_left_out_and_no_limit_is_said,
		times_do_not_wrap,
	};

	return suite_run("guest_stats", tests, ARRAY_SIZE(tests));
}
