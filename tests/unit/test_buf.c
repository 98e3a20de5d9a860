/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer and its bound; the cursor and the ends of what it reads. */
#include <signal.h>
#include <stdint.h>

#include "base/buf.h"
#include "suite.h"

START_TEST(adds_in_little_endian)
{
	static const unsigned char want[] = { 1,  0x03, 0x02, 7,  6, 5, 4,   15, 14,
					      13, 12,	11,   10, 9, 8, 'h', 'i' };
	struct buf b = { 0 };

	buf_add_u8(&b, 1);
	buf_add_u16(&b, 0x0203);
	buf_add_u32(&b, 0x04050607);
	buf_add_u64(&b, 0x08090a0b0c0d0e0full);
	buf_add_str(&b, "hi");
	ck_assert_uint_eq(buf_len(&b), sizeof(want));
	ck_assert_mem_eq(buf_ptr(&b), want, sizeof(want));
	buf_done(&b);
}
END_TEST

START_TEST(consumed_bytes_make_room)
{
	unsigned char in = 0, out = 0;
	struct buf b = { .max = 1000 };
	size_t round, i;

	/* a stream far longer than the buffer ever is */
	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 37 + round % 50; i++)
			buf_add_u8(&b, in++);
		while (buf_len(&b) > round % 29) {
			ck_assert_uint_eq(*buf_ptr(&b), out++);
			buf_consume(&b, 1);
		}
	}
	ck_assert(!b.overflow);
	ck_assert_uint_le(b.cap, 4096);
	buf_done(&b);
}
END_TEST

START_TEST(bound_is_exact_and_sticks)
{
	struct buf b = { .max = 4 };

	buf_add(&b, "abcd", 4);
	ck_assert(!b.overflow);
	buf_add(&b, "", 0);
	ck_assert(!b.overflow);
	buf_add_u8(&b, 'e');
	ck_assert(b.overflow);
	ck_assert_uint_eq(buf_len(&b), 4);
	buf_consume(&b, 4);
	buf_add_u8(&b, 'f'); /* what is there stays a prefix */
	ck_assert_uint_eq(buf_len(&b), 0);
	buf_done(&b);
	ck_assert(!b.overflow);
	ck_assert_uint_eq(b.max, 4);
}
END_TEST

START_TEST(reserve_and_commit)
{
	struct buf b = { .max = 10 };
	unsigned char *p = buf_reserve(&b, 10);

	ck_assert_ptr_nonnull(p);
	memcpy(p, "0123456789", 10);
	buf_commit(&b, 6);
	ck_assert_str_eq(buf_cstr(&b), "012345");
	ck_assert_ptr_null(buf_reserve(&b, 5));
	ck_assert(!b.overflow);
	ck_assert_ptr_nonnull(buf_reserve(&b, 4));
	buf_consume(&b, 6);
	ck_assert_ptr_nonnull(buf_reserve(&b, 10));
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	buf_done(&b);
}
END_TEST

START_TEST(committing_too_much_aborts)
{
	struct buf b = { 0 };

	buf_add_u8(&b, 1);
	buf_commit(&b, b.cap);
}
END_TEST

START_TEST(consuming_too_much_aborts)
{
	struct buf b = { 0 };

	buf_add_u8(&b, 1);
	buf_consume(&b, 2);
}
END_TEST

START_TEST(formatted_text_of_any_length)
{
	struct buf b = { 0 };

	buf_addf(&b, "%s", "");
	buf_addf(&b, "%d,", 42);
	buf_addf(&b, "%255d", 1);
	buf_addf(&b, "%256d", 2);
	buf_addf(&b, "%5000d", 3);
	ck_assert_uint_eq(buf_len(&b), 3 + 255 + 256 + 5000);
	ck_assert_int_eq(buf_cstr(&b)[3 + 255 - 1], '1');
	ck_assert_int_eq(buf_cstr(&b)[3 + 255 + 255], '2');
	ck_assert_int_eq(buf_cstr(&b)[3 + 255 + 256 + 4999], '3');
	buf_done(&b);
}
END_TEST

START_TEST(cstr_is_never_null)
{
	struct buf b = { 0 };

	ck_assert_str_eq(buf_cstr(&b), "");
	buf_done(&b);
	b.max = 256;
	while (!b.overflow)
		buf_add_u8(&b, 'x');
	ck_assert_uint_eq(strlen(buf_cstr(&b)), 256); /* the NUL is outside the bound */
	buf_done(&b);
	buf_done(NULL);
}
END_TEST

START_TEST(cursor_reads_what_buf_wrote)
{
	struct buf b = { 0 };
	struct cursor c;

	buf_add_u8(&b, 0xfe);
	buf_add_u16(&b, 0xfedc);
	buf_add_u32(&b, 0xfedcba98);
	buf_add_u64(&b, 0xfedcba9876543210ull);
	buf_add_str(&b, "tail");
	c = cursor_of(buf_ptr(&b), buf_len(&b));
	ck_assert_uint_eq(cursor_u8(&c), 0xfe);
	ck_assert_uint_eq(cursor_u16(&c), 0xfedc);
	ck_assert_uint_eq(cursor_u32(&c), 0xfedcba98);
	ck_assert_uint_eq(cursor_u64(&c), 0xfedcba9876543210ull);
	ck_assert(!cursor_end(&c));
	ck_assert_mem_eq(cursor_bytes(&c, 4), "tail", 4);
	ck_assert(cursor_end(&c));
	buf_done(&b);
}
END_TEST

START_TEST(cursor_past_the_end_stays_bad)
{
	struct cursor c = cursor_of("\x01\x02\x03", 3);

	ck_assert_uint_eq(cursor_u32(&c), 0);
	ck_assert(c.bad);
	ck_assert_uint_eq(cursor_u8(&c), 0); /* although one byte would be there */
	ck_assert_ptr_null(cursor_bytes(&c, 1));
	ck_assert_ptr_null(cursor_bytes(&c, 0));
	ck_assert(!cursor_end(&c));
	c = cursor_of(NULL, 0);
	ck_assert(cursor_end(&c));
	ck_assert_uint_eq(cursor_u16(&c), 0);
	ck_assert(c.bad);
	c = cursor_of("ab", 2);
	ck_assert_ptr_null(cursor_bytes(&c, SIZE_MAX));
	ck_assert(c.bad);
}
END_TEST

START_TEST(cursor_strings_are_fit_for_a_terminal)
{
	char dst[8];
	struct cursor c = cursor_of("a\x1b\n\x7f\t\0z!", 8);

	cursor_str(&c, 7, dst, sizeof(dst));
	ck_assert(!c.bad);
	ck_assert_str_eq(dst, "a???\t?z");
	ck_assert_uint_eq(c.left, 1);
	c = cursor_of("abcdefgh", 8);
	cursor_str(&c, 8, dst, sizeof(dst)); /* no room for the NUL */
	ck_assert(c.bad);
	ck_assert_str_eq(dst, "");
	c = cursor_of("ab", 2);
	cursor_str(&c, 3, dst, sizeof(dst));
	ck_assert(c.bad);
	ck_assert_str_eq(dst, "");
	c = cursor_of("ab", 2);
	cursor_str(&c, 0, dst, sizeof(dst));
	ck_assert(!c.bad);
	ck_assert_str_eq(dst, "");
	cursor_str(&c, 0, dst, 0);
	ck_assert(c.bad);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, adds_in_little_endian);
	tcase_add_test(tc, consumed_bytes_make_room);
	tcase_add_test(tc, bound_is_exact_and_sticks);
	tcase_add_test(tc, reserve_and_commit);
	tcase_add_test_raise_signal(tc, committing_too_much_aborts, SIGABRT);
	tcase_add_test_raise_signal(tc, consuming_too_much_aborts, SIGABRT);
	tcase_add_test(tc, formatted_text_of_any_length);
	tcase_add_test(tc, cstr_is_never_null);
	tcase_add_test(tc, cursor_reads_what_buf_wrote);
	tcase_add_test(tc, cursor_past_the_end_stays_bad);
	tcase_add_test(tc, cursor_strings_are_fit_for_a_terminal);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
