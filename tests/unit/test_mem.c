/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation, ownership macros, and the arena: alignment, zeroes, no overlap. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>

#include "base/mem.h"
#include "suite.h"

START_TEST(empty_allocations_are_memory)
{
	volatile size_t none = 0; /* a constant is warned about (gcc 14, -Walloc-size) */
	AUTO_FREE char *a = mem_alloc(none);
	AUTO_FREE char *b = mem_zalloc(none);
	AUTO_FREE char *c = mem_grow(NULL, none, 8);

	ck_assert(a && b && c);
}
END_TEST

START_TEST(strings)
{
	AUTO_FREE char *a = mem_strdup("abc");
	AUTO_FREE char *b = mem_strndup("abcdef", 2);
	AUTO_FREE char *c = mem_strndup("ab", 10);
	AUTO_FREE char *d = mem_printf("%s-%d", "x", 5);

	ck_assert_str_eq(a, "abc");
	ck_assert_str_eq(b, "ab");
	ck_assert_str_eq(c, "ab");
	ck_assert_str_eq(d, "x-5");
}
END_TEST

START_TEST(grow_keeps_what_was_there)
{
	uint32_t *v = NULL;
	uint32_t i;

	for (i = 0; i < 1000; i++) {
		v = mem_grow(v, i + 1, sizeof(*v));
		v[i] = i * 7;
	}
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq(v[i], i * 7);
	free(v);
}
END_TEST

START_TEST(grow_overflow_aborts)
{
	free(mem_grow(NULL, SIZE_MAX / 4 + 2, 4)); /* wraps to 4 */
}
END_TEST

START_TEST(array_overflow_aborts)
{
	AUTO(arena) *a = arena_new();

	arena_array(a, SIZE_MAX / 4 + 2, 4);
}
END_TEST

START_TEST(take_leaves_nothing_behind)
{
	AUTO_FREE char *p = mem_strdup("x");
	AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *q = TAKE_PTR(p);
	int had = fd, got = TAKE_FD(fd);

	ck_assert_ptr_null(p);
	ck_assert_str_eq(q, "x");
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(got, had);
	free(q);
	close(got);
}
END_TEST

START_TEST(auto_close_closes)
{
	int number;
	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		number = fd;
		ck_assert_int_ge(fcntl(number, F_GETFD), 0);
	}
	ck_assert_int_lt(fcntl(number, F_GETFD), 0);
}
END_TEST

START_TEST(container_of_finds_the_owner)
{
	struct owner {
		int a;
		char b;
	} o;

	ck_assert_ptr_eq(CONTAINER_OF(&o.b, struct owner, b), &o);
}
END_TEST

static bool all_are(const unsigned char *p, size_t n, unsigned char v)
{
	while (n && *p == v)
		p++, n--;
	return !n;
}

/* pieces of all sizes, small between large, filled to the brim */
START_TEST(arena_pieces_are_aligned_zeroed_and_apart)
{
	enum { N = 3000 };
	static unsigned char *piece[N];
	static size_t size[N];
	struct arena *a = arena_new();
	uint32_t seed = 1;
	size_t i;

	for (i = 0; i < N; i++) {
		seed = seed * 1664525u + 1013904223u;
		size[i] = seed >> 24;
		if (i % 97 == 0)
			size[i] = (seed >> 12) % 100000;
		piece[i] = arena_alloc(a, size[i]);
		ck_assert_uint_eq((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		ck_assert(all_are(piece[i], size[i], 0));
		memset(piece[i], (int)(i & 0xff), size[i]);
	}
	for (i = 0; i < N; i++)
		ck_assert(all_are(piece[i], size[i], i & 0xff));
	arena_free(a);
}
END_TEST

START_TEST(arena_strings)
{
	AUTO(arena) *a = arena_new();

	ck_assert_str_eq(arena_strdup(a, "hello"), "hello");
	ck_assert_str_eq(arena_strndup(a, "hello", 2), "he");
	ck_assert_str_eq(arena_strndup(a, "he", 20), "he");
	ck_assert_str_eq(arena_strdup(a, ""), "");
	ck_assert_str_eq(arena_printf(a, "%05d%s", 42, "!"), "00042!");
	ck_assert_uint_eq(strlen(arena_printf(a, "%9000d", 1)), 9000);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
	struct arena *a = arena_new();

	arena_free(a); /* without a chunk */
	arena_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem");
	TCase *tc = tcase_create("mem");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, empty_allocations_are_memory);
	tcase_add_test(tc, strings);
	tcase_add_test(tc, grow_keeps_what_was_there);
	tcase_add_test_raise_signal(tc, grow_overflow_aborts, SIGABRT);
	tcase_add_test_raise_signal(tc, array_overflow_aborts, SIGABRT);
	tcase_add_test(tc, take_leaves_nothing_behind);
	tcase_add_test(tc, auto_close_closes);
	tcase_add_test(tc, container_of_finds_the_owner);
	tcase_add_test(tc, arena_pieces_are_aligned_zeroed_and_apart);
	tcase_add_test(tc, arena_strings);
	tcase_add_test(tc, freeing_nothing_is_fine);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
