// SPDX-License-Identifier: Apache-2.0
/* Which of the caller's descriptors stay open, and what is said of those that are missing. */
#include <errno.h>

#include "../../src/fds.h"
#include "base/proc.h"
#include "base/str.h"
#include "suite.h"

/* Each test is a process of its own: all but @n of them from 3 on are closed. */
static void open_only(int n)
{
	ck_assert_int_eq(proc_close_from(3, NULL, 0), 0);
	while (n-- > 0)
		ck_assert_int_ge(open("/dev/null", O_RDONLY), 3);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void set_env(const char *pid, const char *fds)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
}

START_TEST(listening)
{
	char self[24], other[24];

	snprintf(self, sizeof(self), "%d", (int)getpid());
	snprintf(other, sizeof(other), "%d", (int)getppid());
	unsetenv("LISTEN_PID");
	setenv("LISTEN_FDS", "2", 1);
	ck_assert_uint_eq(fds_listening(), 0);
	set_env(other, "2");
	ck_assert_uint_eq(fds_listening(), 0);
	set_env(self, "2");
	ck_assert_uint_eq(fds_listening(), 2);
	set_env(self, "-1");
	ck_assert_uint_eq(fds_listening(), 0);
	set_env(self, "99999999999");
	ck_assert_uint_eq(fds_listening(), 0);
	set_env(self, "two");
	ck_assert_uint_eq(fds_listening(), 0);
}
END_TEST

START_TEST(keeps_what_is_counted)
{
	struct kata_err err = { 0 };
	struct fds f = { 1, 2 };

	open_only(5);
	ck_assert_int_eq(fds_settle(&f, &err), 0);
	ck_assert(is_open(3) && is_open(4) && is_open(5));
	ck_assert(!is_open(6) && !is_open(7));
	f = (struct fds){ 0, 0 };
	ck_assert_int_eq(fds_settle(&f, &err), 0);
	ck_assert(!is_open(3));
}
END_TEST

START_TEST(missing_ones)
{
	struct kata_err err = { 0 };
	struct fds f = { 0, 3 };

	open_only(2);
	ck_assert_int_eq(fds_settle(&f, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "unable to stat preserved-fd 2 (of 3): no such file or "
				  "directory");
	ck_assert_uint_eq(f.listen + f.preserve, 0);
	ck_assert(!is_open(3));
	open_only(1);
	f = (struct fds){ 2, 0 };
	ck_assert_int_eq(fds_settle(&f, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "LISTEN_FDS is 2, but descriptor 4 is not open");
	open_only(0);
	f = (struct fds){ 0, INT32_MAX };
	ck_assert_int_eq(fds_settle(&f, &err), -ENOENT);
}
END_TEST

/* podman has them in LISTEN_FDS and --preserve-fds. */
START_TEST(counted_twice)
{
	struct kata_err err = { 0 };
	struct fds f = { 2, 2 };

	open_only(2);
	ck_assert_int_eq(fds_settle(&f, &err), 0);
	ck_assert(f.listen == 2 && f.preserve == 0);
	ck_assert(is_open(4));
	/* not when there is one more */
	open_only(3);
	f = (struct fds){ 2, 2 };
	ck_assert_int_eq(fds_settle(&f, &err), -ENOENT);
	ck_assert(str_has_prefix(err.msg, "unable to stat preserved-fd 1 (of 2)"));
}
END_TEST

START_TEST(stdio_exists_afterwards)
{
	struct kata_err err = { 0 };
	struct fds f = { 0, 0 };

	open_only(0);
	close(0);
	ck_assert_int_eq(fds_settle(&f, &err), 0);
	ck_assert(is_open(0) && !is_open(3));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { listening, keeps_what_is_counted, missing_ones,
				       counted_twice, stdio_exists_afterwards };

	return suite_run("fds", tests, ARRAY_SIZE(tests));
}
