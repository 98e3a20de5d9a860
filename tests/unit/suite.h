/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite: what most unit tests need around their tests: a runner, and a temporary
 * directory that goes away with the test.
 */
#ifndef KATA_TESTS_UNIT_SUITE_H
#define KATA_TESTS_UNIT_SUITE_H

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

/** suite_run_for() - run @tests, each in its own process, for @seconds at most. Return: main's result. */
static inline int suite_run_for(const char *name, const TTest *const *tests, size_t n,
				double seconds)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(s);
	size_t i;
	int failed;

	tcase_set_timeout(tc, seconds);
	for (i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/** suite_run() - the same with time enough: a loaded machine is no failure. */
static inline int suite_run(const char *name, const TTest *const *tests, size_t n)
{
	return suite_run_for(name, tests, n, 60);
}

/** under_valgrind() - which answers ENOSYS to newer system calls (3.19: openat2, pidfd_open). */
static inline bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

/** test_arena() - for what the test's process may keep until its end; no leak checker minds. */
static inline struct arena *test_arena(void)
{
	static struct arena *a;

	if (!a)
		a = arena_new();
	return a;
}

/** struct tmp - a directory below $TMPDIR or /tmp. */
struct tmp {
	char path[256];
	int fd;
};

static inline struct tmp tmp_make(void)
{
	const char *base = getenv("TMPDIR");
	struct tmp t;

	snprintf(t.path, sizeof(t.path), "%.200s/kata-test.XXXXXX", base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(t.path));
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(t.fd, 0);
	return t;
}

static inline void tmp_done(struct tmp *t)
{
	close(t->fd);
	ck_assert_int_eq(fs_remove_tree(AT_FDCWD, t->path), 0);
}

#define TMP __attribute__((cleanup(tmp_done))) struct tmp

#endif
