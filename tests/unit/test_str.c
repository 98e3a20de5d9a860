/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers, sizes, signals; suggestions; string vectors; UTF-8. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "base/str.h"
#include "suite.h"

START_TEST(comparing)
{
	ck_assert(str_eq("a", "a") && str_eq(NULL, NULL));
	ck_assert(!str_eq("a", NULL) && !str_eq(NULL, "a") && !str_eq("a", "b"));
	ck_assert(str_has_prefix("abc", "ab") && str_has_prefix("abc", ""));
	ck_assert(!str_has_prefix("ab", "abc"));
	ck_assert(str_has_suffix("abc", "bc") && str_has_suffix("abc", ""));
	ck_assert(!str_has_suffix("bc", "abc") && !str_has_suffix("abc", "ab"));
}
END_TEST

struct u64_case {
	const char *s;
	uint64_t min, max;
	int r;
	uint64_t v;
};

START_TEST(unsigned_numbers)
{
	static const struct u64_case cases[] = {
		{ "0", 0, UINT64_MAX, 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
		{ "5", 5, 5, 0, 5 },
		{ "4", 5, 9, -ERANGE, 0 },
		{ "10", 5, 9, -ERANGE, 0 },
		{ "-1", 0, 9, -ERANGE, 0 },
		{ "-0", 0, 9, 0, 0 },
		{ "", 0, 9, -EINVAL, 0 },
		{ "-", 0, 9, -EINVAL, 0 },
		{ "+1", 0, 9, -EINVAL, 0 },
		{ " 1", 0, 9, -EINVAL, 0 },
		{ "1 ", 0, 9, -EINVAL, 0 },
		{ "1x", 0, 9, -EINVAL, 0 },
		{ "0x1", 0, 9, -EINVAL, 0 },
		{ "1.0", 0, 9, -EINVAL, 0 },
		{ "1e0", 0, 9, -EINVAL, 0 },
		{ "99999999999999999999999x", 0, 9, -EINVAL, 0 },
		{ "--1", 0, 9, -EINVAL, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 77;
		int r = str_to_u64(cases[i].s, cases[i].min, cases[i].max, &v);

		ck_assert_msg(r == cases[i].r, "\"%s\": %d", cases[i].s, r);
		ck_assert_uint_eq(v, r == 0 ? cases[i].v : 77);
	}
}
END_TEST

START_TEST(signed_numbers)
{
	int64_t v = 77;

	ck_assert_int_eq(str_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v), 0);
	ck_assert(v == INT64_MIN);
	ck_assert_int_eq(str_to_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v), 0);
	ck_assert(v == INT64_MAX);
	v = 77;
	ck_assert_int_eq(str_to_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v),
			 -ERANGE);
	ck_assert_int_eq(str_to_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &v),
			 -ERANGE);
	ck_assert_int_eq(str_to_i64("-6", -5, 5, &v), -ERANGE);
	ck_assert_int_eq(str_to_i64("6", -5, 5, &v), -ERANGE);
	ck_assert_int_eq(str_to_i64("+5", -5, 5, &v), -EINVAL);
	ck_assert_int_eq(str_to_i64("", -5, 5, &v), -EINVAL);
	ck_assert_int_eq(str_to_i64("5\n", -5, 5, &v), -EINVAL);
	ck_assert_int_eq(v, 77);
	ck_assert_int_eq(str_to_i64("-5", -5, 5, &v), 0);
	ck_assert_int_eq(v, -5);
}
END_TEST

START_TEST(sizes)
{
	static const struct u64_case cases[] = {
		{ "512", 0, UINT64_MAX, 0, 512 },
		{ "1K", 0, UINT64_MAX, 0, 1024 },
		{ "1k", 0, UINT64_MAX, 0, 1024 },
		{ "256M", 0, UINT64_MAX, 0, 256ull << 20 },
		{ "2G", 0, UINT64_MAX, 0, 2ull << 30 },
		{ "1T", 0, UINT64_MAX, 0, 1ull << 40 },
		{ "16777215T", 0, UINT64_MAX, 0, 16777215ull << 40 },
		{ "16777216T", 0, UINT64_MAX, -ERANGE, 0 },
		{ "2G", 0, 1u << 30, -ERANGE, 0 },
		{ "1", 2, 9, -ERANGE, 0 },
		{ "99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
		{ "1MB", 0, UINT64_MAX, -EINVAL, 0 },
		{ "M", 0, UINT64_MAX, -EINVAL, 0 },
		{ "-1M", 0, UINT64_MAX, -EINVAL, 0 },
		{ "1 M", 0, UINT64_MAX, -EINVAL, 0 },
		{ "1P", 0, UINT64_MAX, -EINVAL, 0 },
		{ "", 0, UINT64_MAX, -EINVAL, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 77;
		int r = str_to_size(cases[i].s, cases[i].min, cases[i].max, &v);

		ck_assert_msg(r == cases[i].r, "\"%s\": %d", cases[i].s, r);
		ck_assert_uint_eq(v, r == 0 ? cases[i].v : 77);
	}
}
END_TEST

START_TEST(booleans)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };
	static const char *const bad[] = { "", "2", "TRUE", "t", "yes " };
	bool b;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		b = false;
		ck_assert_int_eq(str_to_bool(yes[i], &b), 0);
		ck_assert(b);
	}
	for (i = 0; i < ARRAY_SIZE(no); i++) {
		b = true;
		ck_assert_int_eq(str_to_bool(no[i], &b), 0);
		ck_assert(!b);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(str_to_bool(bad[i], &b), -EINVAL);
}
END_TEST

START_TEST(signals)
{
	static const struct {
		const char *s;
		int sig;
	} cases[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "Kill", SIGKILL },
		{ "15", 15 },
		{ "1", 1 },
		{ "64", 64 },
		{ "WINCH", SIGWINCH },
		{ "IOT", SIGABRT },
		{ "CLD", SIGCHLD },
		{ "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 },
		{ "rtmin+30", 64 },
		{ "RTMAX", 64 },
		{ "SIGRTMAX-14", 50 },
		{ "RTMAX-30", 34 },
		{ "RTMIN+31", -EINVAL },
		{ "RTMAX-31", -EINVAL },
		{ "RTMIN+", -EINVAL },
		{ "RTMIN+-1", -EINVAL },
		{ "RTMIN-1", -EINVAL },
		{ "0", -EINVAL },
		{ "65", -EINVAL },
		{ "-1", -EINVAL },
		{ "", -EINVAL },
		{ "SIG", -EINVAL },
		{ "TERMX", -EINVAL },
		{ "SIGSIGTERM", -EINVAL },
		{ "15 ", -EINVAL },
		{ "TER", -EINVAL },
		{ "RTMIN+3x", -EINVAL },
		{ "STKFLT", SIGSTKFLT },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(str_to_signal(cases[i].s) == cases[i].sig, "\"%s\" is %d",
			      cases[i].s, str_to_signal(cases[i].s));
}
END_TEST

/* all that libc knows by name is known here */
START_TEST(signal_names_are_complete)
{
	int sig;

	for (sig = 1; sig < 32; sig++)
		ck_assert_int_eq(str_to_signal(sigabbrev_np(sig)), sig);
	ck_assert_int_eq(SIGRTMIN, str_to_signal("RTMIN"));
	ck_assert_int_eq(SIGRTMAX, str_to_signal("RTMAX"));
}
END_TEST

START_TEST(bytes_from_hex)
{
	static const char *const bad[] = { "0", "000", "0g", "AB", " 00", "0x", "-1" };
	unsigned char b[4] = { 9, 9, 9, 9 };

	ck_assert_int_eq(str_to_bytes("", b, 4), 0);
	ck_assert_int_eq(str_to_bytes("00ff7a", b, 3), 3);
	ck_assert_mem_eq(b, "\x00\xff\x7a\x09", 4);
	ck_assert_int_eq(str_to_bytes("0001", b, 1), -E2BIG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(str_to_bytes(bad[i], b, 4), -EINVAL);
}
END_TEST

START_TEST(nearest)
{
	static const char *const words[] = { "create", "start", "state", "delete" };
	char big[200];

	ck_assert_str_eq(str_nearest("craete", words, 4), "create");
	ck_assert_str_eq(str_nearest("stat", words, 4), "start");
	ck_assert_str_eq(str_nearest("state", words, 4), "state");
	ck_assert_str_eq(str_nearest("delet", words, 4), "delete");
	ck_assert_ptr_null(str_nearest("xyz", words, 4));
	ck_assert_ptr_null(str_nearest("", words, 4));
	ck_assert_ptr_null(str_nearest("x", words, 0));
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ck_assert_ptr_null(str_nearest(big, words, 4));
}
END_TEST

START_TEST(copy)
{
	char d[4] = "zzz";

	ck_assert(str_copy(d, sizeof(d), "abc"));
	ck_assert_str_eq(d, "abc");
	ck_assert(!str_copy(d, sizeof(d), "wxyz"));
	ck_assert_str_eq(d, "wxy");
	ck_assert(!str_copy(d, 0, "a"));
	ck_assert_str_eq(d, "wxy");
	ck_assert(!str_copy(d, 1, "a"));
	ck_assert_str_eq(d, "");
}
END_TEST

START_TEST(vectors)
{
	struct strv sv = { 0 };
	char want[16];
	size_t i;

	ck_assert_uint_eq(strv_len(NULL), 0);
	for (i = 0; i < 100; i++) {
		if (i % 2)
			strv_addf(&sv, "item %zu", i);
		else
			strv_add(&sv, "even");
		ck_assert_uint_eq(sv.n, i + 1);
		ck_assert_ptr_null(sv.v[sv.n]);
	}
	ck_assert_uint_eq(strv_len(sv.v), 100);
	for (i = 0; i < 100; i++) {
		snprintf(want, sizeof(want), "item %zu", i);
		ck_assert_str_eq(sv.v[i], i % 2 ? want : "even");
	}
	strv_done(&sv);
	ck_assert_ptr_null(sv.v);
	strv_done(&sv);
	strv_done(NULL);
}
END_TEST

START_TEST(utf8)
{
	static const struct {
		const char *s;
		size_t n, len;
	} cases[] = {
		{ "a", 1, 1 },
		{ "\0", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\xc2\x80", 2, 2 },
		{ "\xdf\xbf", 2, 2 },
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xee\x80\x80", 3, 3 },
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "", 0, 0 },
		{ "\x80", 1, 0 },
		{ "\xc1\xbf", 2, 0 },	      /* overlong */
		{ "\xe0\x9f\xbf", 3, 0 },     /* overlong */
		{ "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
		{ "\xed\xa0\x80", 3, 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 0 }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
		{ "\xe2\x82", 2, 0 }, /* cut */
		{ "\xe2\x82\xac", 2, 0 },
		{ "\xe2\x28\xa1", 3, 0 },
		{ "\xe2\x82\x28", 3, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(str_utf8_len(cases[i].s, cases[i].n) == cases[i].len,
			      "case %zu", i);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		comparing,
		unsigned_numbers,
		signed_numbers,
		sizes,
		booleans,
		signals,
		signal_names_are_complete,
		nearest,
		copy,
		vectors,
		utf8,
		bytes_from_hex,
	};

	return suite_run("str", tests, ARRAY_SIZE(tests));
}
