/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: codes, texts from the inside out, what happens when they get too long. */
#include <errno.h>

#include "base/err.h"
#include "suite.h"

START_TEST(set_keeps_code_and_text)
{
	struct kata_err err = { 0 };

	err.status = 3;
	ck_assert_int_eq(err_set(&err, -EINVAL, "bad %s %d", "thing", 7), -EINVAL);
	ck_assert_int_eq(err.code, -EINVAL);
	ck_assert_int_eq(err.status, 0);
	ck_assert_str_eq(err.msg, "bad thing 7");
}
END_TEST

START_TEST(success_is_never_made_from_a_failure)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(err_set(&err, ENOENT, "x"), -ENOENT);
	ck_assert_int_lt(err_set(&err, 0, "x"), 0);
	ck_assert_int_lt(err.code, 0);
	err.code = 0;
	ck_assert_int_lt(err_ctx(&err, "y"), 0);
	errno = 0;
	ck_assert_int_lt(err_sys(&err, "z"), 0);
}
END_TEST

START_TEST(sys_adds_the_text_of_errno)
{
	struct kata_err err = { 0 };

	errno = ENOENT;
	ck_assert_int_eq(err_sys(&err, "open %s", "/x"), -ENOENT);
	ck_assert_str_eq(err.msg, "open /x: no such file or directory");
	ck_assert_int_eq(err_sys_code(&err, -EACCES, "exec"), -EACCES);
	ck_assert_str_eq(err.msg, "exec: permission denied");
}
END_TEST

START_TEST(ctx_goes_in_front_and_keeps_code_and_status)
{
	struct kata_err err = { 0 };

	err_set(&err, -ENOEXEC, "inner");
	err.status = 126;
	ck_assert_int_eq(err_ctx(&err, "middle"), -ENOEXEC);
	ck_assert_int_eq(err_ctx(&err, "outer %d", 1), -ENOEXEC);
	ck_assert_str_eq(err.msg, "outer 1: middle: inner");
	ck_assert_int_eq(err.status, 126);
}
END_TEST

START_TEST(old_text_may_be_an_argument)
{
	struct kata_err err = { 0 };

	err_set(&err, -EIO, "old");
	err_set(&err, -EIO, "new around %s", err.msg);
	ck_assert_str_eq(err.msg, "new around old");
	err_ctx(&err, "<%s>", err.msg);
	ck_assert_str_eq(err.msg, "<new around old>: new around old");
}
END_TEST

START_TEST(long_text_ends_in_dots)
{
	char big[2 * KATA_ERR_MAX];
	struct kata_err err = { 0 };

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, -EINVAL, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), KATA_ERR_MAX - 1);
	ck_assert_str_eq(err.msg + KATA_ERR_MAX - 6, "xx...");
	err_set(&err, -EINVAL, "%.*s", KATA_ERR_MAX - 1, big);
	ck_assert_str_eq(err.msg + KATA_ERR_MAX - 3, "xx");
	err_ctx(&err, "front");
	ck_assert_uint_eq(strlen(err.msg), KATA_ERR_MAX - 1);
	ck_assert_int_eq(strncmp(err.msg, "front: xxx", 10), 0);
	ck_assert_str_eq(err.msg + KATA_ERR_MAX - 5, "x...");
}
END_TEST

START_TEST(a_character_is_not_cut_in_two)
{
	char big[2 * KATA_ERR_MAX + 1];
	struct kata_err err = { 0 };
	size_t i;

	for (i = 0; i < sizeof(big) - 1; i += 2)
		memcpy(big + i, "\xc3\xa4", 2);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, -EINVAL, "%s", big);
	ck_assert_str_eq(err.msg + strlen(err.msg) - 5, "\xc3\xa4...");
	err_set(&err, -EINVAL, "a%s", big);
	ck_assert_str_eq(err.msg + strlen(err.msg) - 5, "\xc3\xa4...");
}
END_TEST

START_TEST(nobody_needs_to_listen)
{
	ck_assert_int_eq(err_set(NULL, -EBUSY, "x"), -EBUSY);
	errno = EPERM;
	ck_assert_int_eq(err_sys(NULL, "x"), -EPERM);
	ck_assert_int_lt(err_ctx(NULL, "x"), 0);
	err_done(NULL);
}
END_TEST

START_TEST(done_forgets)
{
	struct kata_err err = { 0 };

	err_set(&err, -EINVAL, "x");
	err.status = 127;
	err_done(&err);
	ck_assert_int_eq(err.code, 0);
	ck_assert_int_eq(err.status, 0);
	ck_assert_str_eq(err.msg, "");
}
END_TEST

/* engines compare these byte by byte */
START_TEST(texts_are_gos)
{
	ck_assert_str_eq(err_text(ENOENT), "no such file or directory");
	ck_assert_str_eq(err_text(EACCES), "permission denied");
	ck_assert_str_eq(err_text(EPERM), "operation not permitted");
	ck_assert_str_eq(err_text(ENOTDIR), "not a directory");
	ck_assert_str_eq(err_text(EISDIR), "is a directory");
	ck_assert_str_eq(err_text(EEXIST), "file exists");
	ck_assert_str_eq(err_text(ENOEXEC), "exec format error");
	ck_assert_str_eq(err_text(ENOSPC), "no space left on device");
	ck_assert_str_eq(err_text(EROFS), "read-only file system");
	ck_assert_str_eq(err_text(ETXTBSY), "text file busy");
	ck_assert_str_eq(err_text(ELOOP), "too many levels of symbolic links");
	ck_assert_str_eq(err_text(ESRCH), "no such process");
}
END_TEST

START_TEST(every_errno_has_a_text)
{
	int e;

	for (e = 1; e <= EHWPOISON; e++) {
		if (e != 41 && e != 58) /* not assigned */
			ck_assert_msg(strcmp(err_text(e), "unknown error") != 0, "%d", e);
	}
	ck_assert_ptr_nonnull(err_text(0));
	ck_assert_ptr_nonnull(err_text(-1));
	ck_assert_ptr_nonnull(err_text(41));
	ck_assert_ptr_nonnull(err_text(100000));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		set_keeps_code_and_text,
		success_is_never_made_from_a_failure,
		sys_adds_the_text_of_errno,
		ctx_goes_in_front_and_keeps_code_and_status,
		old_text_may_be_an_argument,
		long_text_ends_in_dots,
		a_character_is_not_cut_in_two,
		nobody_needs_to_listen,
		done_forgets,
		texts_are_gos,
		every_errno_has_a_text,
	};

	return suite_run("err", tests, ARRAY_SIZE(tests));
}
