/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines as engines read them: what is written when, and how it is quoted. */
#include <errno.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "suite.h"

/* The log file and stderr, both files here. */
struct capture {
	struct tmp tmp;
	int log;
};

static struct capture capture_start(void)
{
	struct capture c = { .tmp = tmp_make() };
	struct kata_err err = { 0 };
	char path[300];
	int fd = openat(c.tmp.fd, "stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	snprintf(path, sizeof(path), "%s/log", c.tmp.path);
	c.log = log_open(path, &err);
	ck_assert_int_ge(c.log, 0);
	return c;
}

static void capture_done(struct capture *c)
{
	close(c->log);
	tmp_done(&c->tmp);
}

#define CAPTURE __attribute__((cleanup(capture_done))) struct capture

static char *content(const struct capture *c, const char *name)
{
	char *s;

	ck_assert_int_eq(fs_read_at(c->tmp.fd, name, 1 << 20, &s, NULL), 0);
	return s;
}

/* `time="2026-11-23T01:10:21Z"` in front; returns what follows */
static const char *after_time(const char *line)
{
	static const char pattern[] = "time=\"dddd-dd-ddTdd:dd:ddZ\" ";
	size_t i;

	for (i = 0; pattern[i]; i++) {
		if (pattern[i] == 'd')
			ck_assert_msg(line[i] >= '0' && line[i] <= '9', "%s", line);
		else
			ck_assert_msg(line[i] == pattern[i], "%s", line);
	}
	return line + i;
}

static void fail_with(const char *text)
{
	struct kata_err err = { 0 };

	err_set(&err, -EINVAL, "%s", text);
	log_failure(&err);
}

START_TEST(text_failure_to_stderr)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *text = NULL;

	log_setup(-1, LOG_TEXT, false);
	fail_with("container does not exist");
	text = content(&c, "stderr");
	ck_assert_str_eq(after_time(text),
			 "level=error msg=\"container does not exist\"\n");
}
END_TEST

START_TEST(failure_with_a_log_file_is_told_on_stderr_too)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *log = NULL;
	AUTO_FREE char *text = NULL;

	log_setup(c.log, LOG_TEXT, false);
	fail_with("exec: \"x\": no");
	log = content(&c, "log");
	text = content(&c, "stderr");
	ck_assert_str_eq(after_time(log), "level=error msg=\"exec: \\\"x\\\": no\"\n");
	ck_assert_str_eq(text, "exec: \"x\": no\n");
}
END_TEST

START_TEST(json_failure_is_one_object)
{
	CAPTURE c = capture_start();
	AUTO(arena) *a = arena_new();
	AUTO_FREE char *log = NULL;
	const struct json *j = NULL;

	log_setup(c.log, LOG_JSON, false);
	fail_with("a \"quoted\"\nline \x01 \xff \xc3\xa4");
	log = content(&c, "log");
	ck_assert_int_eq(json_parse(log, strlen(log), &json_limits_default, a, &j, NULL),
			 0);
	ck_assert_uint_eq(j->len, 3);
	ck_assert_str_eq(json_get_str(j, "level"), "error");
	ck_assert_str_eq(json_get_str(j, "msg"),
			 "a \"quoted\"\nline \x01 \xef\xbf\xbd \xc3\xa4");
	ck_assert_uint_eq(strlen(json_get_str(j, "time")), 20);
	ck_assert_int_eq(log[strlen(log) - 1], '\n');
	ck_assert_ptr_eq(strchr(log, '\n'), log + strlen(log) - 1);
}
END_TEST

START_TEST(success_is_silent)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *log = NULL;
	AUTO_FREE char *text = NULL;

	log_setup(c.log, LOG_JSON, false);
	log_debug("d");
	log_info("i");
	log_warn("w");
	log_setup(-1, LOG_TEXT, false);
	log_debug("d");
	log_info("i");
	log_warn("w"); /* stderr is no terminal here */
	log = content(&c, "log");
	text = content(&c, "stderr");
	ck_assert_str_eq(log, "");
	ck_assert_str_eq(text, "");
	ck_assert(!log_is_debug());
}
END_TEST

START_TEST(debug_lets_all_through)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *log = NULL;
	char *second, *third;

	log_setup(c.log, LOG_TEXT, true);
	ck_assert(log_is_debug());
	log_debug("plain");
	log_info("%d two", 5);
	log_warn("%s", "");
	log = content(&c, "log");
	second = strchr(log, '\n') + 1;
	third = strchr(second, '\n') + 1;
	ck_assert_str_eq(after_time(third), "level=warning msg=\"\"\n");
	*third = '\0';
	ck_assert_str_eq(after_time(second), "level=info msg=\"5 two\"\n");
	*second = '\0';
	ck_assert_str_eq(after_time(log), "level=debug msg=plain\n");
}
END_TEST

START_TEST(text_is_quoted_as_go_does)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *log = NULL;

	log_setup(c.log, LOG_TEXT, true);
	log_debug("%s", "a\nb\t\"\\\x01\x7f\xc3\xa4\xff");
	log = content(&c, "log");
	ck_assert_str_eq(after_time(log),
			 "level=debug msg=\"a b\\t\\\"\\\\\\x01\\x7f\xc3\xa4\\xff\"\n");
}
END_TEST

START_TEST(stderr_text_cannot_drive_the_terminal)
{
	CAPTURE c = capture_start();
	AUTO_FREE char *text = NULL;

	log_setup(c.log, LOG_JSON, false);
	fail_with("a\x1b[2Jb\r\nc\xc3\xa4");
	text = content(&c, "stderr");
	ck_assert_str_eq(text, "a?[2Jb? c\xc3\xa4\n");
}
END_TEST

START_TEST(failure_without_text_names_its_code)
{
	CAPTURE c = capture_start();
	struct kata_err err = { .code = -ENOENT };
	AUTO_FREE char *text = NULL;

	log_setup(c.log, LOG_TEXT, false);
	log_failure(&err);
	text = content(&c, "stderr");
	ck_assert_str_eq(text, "no such file or directory\n");
}
END_TEST

START_TEST(log_file_is_appended_to)
{
	CAPTURE c = capture_start();
	struct kata_err err = { 0 };
	AUTO_FREE char *log = NULL;
	struct stat st;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/log", c.tmp.path);
	log_setup(c.log, LOG_TEXT, false);
	fail_with("one");
	fd = log_open(path, &err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	log_setup(fd, LOG_TEXT, false);
	fail_with("two");
	log = content(&c, "log");
	ck_assert_ptr_nonnull(strstr(log, "msg=one\n"));
	ck_assert_ptr_nonnull(strstr(log, "msg=two\n"));
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777 & ~0644u, 0);
	close(fd);
}
END_TEST

START_TEST(open_failure_names_the_file)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(log_open("/nonexistent/log", &err), -ENOENT);
	ck_assert_str_eq(err.msg,
			 "open log file /nonexistent/log: no such file or directory");
}
END_TEST

START_TEST(logging_leaves_errno_alone)
{
	CAPTURE c = capture_start();

	log_setup(1000, LOG_TEXT, true); /* a descriptor that is not open */
	errno = ENOTTY;
	log_debug("x");
	ck_assert_int_eq(errno, ENOTTY);
	log_setup(c.log, LOG_TEXT, false);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		text_failure_to_stderr,
		failure_with_a_log_file_is_told_on_stderr_too,
		json_failure_is_one_object,
		success_is_silent,
		debug_lets_all_through,
		text_is_quoted_as_go_does,
		stderr_text_cannot_drive_the_terminal,
		failure_without_text_names_its_code,
		log_file_is_appended_to,
		open_failure_names_the_file,
		logging_leaves_errno_alone,
	};

	return suite_run("log", tests, ARRAY_SIZE(tests));
}
