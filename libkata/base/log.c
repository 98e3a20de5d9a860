/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: runc's log lines (CONTRACT 0.8 and 1.7).
 *
 * Owns the only mutable state outside main: where lines go. A line is put
 * together in memory and written with one write(), so that lines of several
 * processes on one O_APPEND file do not mix.
 *
 * Must not know who logs. Failure to log is not reported: there is nowhere to.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static struct {
	int fd; /* -1: stderr */
	enum log_format format;
	bool debug;
} log_state = { .fd = -1 };

static const char *const level_names[] = {
	[LOG_LVL_DEBUG] = "debug",
	[LOG_LVL_INFO] = "info",
	[LOG_LVL_WARNING] = "warning",
	[LOG_LVL_ERROR] = "error",
};

void log_setup(int fd, enum log_format format, bool debug)
{
	log_state.fd = fd;
	log_state.format = format;
	log_state.debug = debug;
}

bool log_is_debug(void)
{
	return log_state.debug;
}

int log_open(const char *path, struct kata_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0)
		return err_sys(err, "open log file %s", path);
	return fd;
}

/** A closed or full log is no reason to fail the call that logs. */
static void write_line(int fd, const struct buf *b)
{
	const unsigned char *p = buf_ptr(b);
	size_t left = buf_len(b);
	ssize_t n;

	while (left) {
		n = write(fd, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		left -= (size_t)n;
	}
}

static void add_time(struct buf *b)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		memset(&tm, 0, sizeof(tm));
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/** logrus leaves a value bare when it is made of these only. */
static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr("-._/@^+", c);
}

static void add_escaped(struct buf *b, unsigned char c)
{
	static const char from[] = "\"\\\t\r\a\b\f\v", to[] = "\"\\trabfv";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		buf_addf(b, "\\%c", to[at - from]);
	else
		buf_addf(b, "\\x%02x", c);
}

/** Go's %q, but a newline becomes a space (log.h). */
static void add_quoted(struct buf *b, const char *msg)
{
	size_t left = strlen(msg), n;
	unsigned char c;

	buf_add_u8(b, '"');
	for (; left; msg += n, left -= n) {
		c = (unsigned char)*msg;
		n = str_utf8_len(msg, left);
		if (c == '\n')
			buf_add_u8(b, ' ');
		else if (n > 1 ||
			 (n == 1 && c >= 0x20 && c != 0x7f && c != '"' && c != '\\'))
			buf_add(b, msg, n);
		else
			add_escaped(b, c);
		if (!n)
			n = 1;
	}
	buf_add_u8(b, '"');
}

static void add_text_line(struct buf *b, enum log_level level, const char *msg)
{
	const char *p = msg;

	while (*p && is_bare(*p))
		p++;
	buf_add_str(b, "time=\"");
	add_time(b);
	buf_addf(b, "\" level=%s msg=", level_names[level]);
	if (*p || p == msg)
		add_quoted(b, msg);
	else
		buf_add_str(b, msg);
}

static void add_json_line(struct buf *b, enum log_level level, const char *msg)
{
	struct buf when = { 0 };
	struct json_out o = { .buf = b };

	add_time(&when);
	json_out_begin_object(&o);
	json_out_key(&o, "level");
	json_out_str(&o, level_names[level]);
	json_out_key(&o, "msg");
	json_out_str(&o, msg);
	json_out_key(&o, "time");
	json_out_str(&o, buf_cstr(&when));
	json_out_end_object(&o);
	buf_done(&when);
}

/**
 * Warnings without --debug are for a person at a terminal only; anywhere else
 * they would end up in what an engine parses or in the container's stderr.
 */
static bool is_wanted(enum log_level level)
{
	if (log_state.debug || level == LOG_LVL_ERROR)
		return true;
	return level == LOG_LVL_WARNING && log_state.format == LOG_TEXT &&
	       log_state.fd < 0 && isatty(STDERR_FILENO);
}

static void log_line(enum log_level level, const char *msg)
{
	struct buf b = { 0 };

	if (log_state.format == LOG_JSON)
		add_json_line(&b, level, msg);
	else
		add_text_line(&b, level, msg);
	buf_add_u8(&b, '\n');
	write_line(log_state.fd < 0 ? STDERR_FILENO : log_state.fd, &b);
	buf_done(&b);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	AUTO_FREE char *msg = NULL;
	int saved = errno;
	va_list ap;
	int n;

	if (!is_wanted(level))
		return;
	va_start(ap, fmt);
	n = vasprintf(&msg, fmt, ap);
	va_end(ap);
	if (n < 0)
		msg = NULL;
	log_line(level, msg ? msg : fmt);
	errno = saved;
}

/** Plain text for a terminal: what could move the cursor or fake a second line is shown as '?'. */
static void add_plain(struct buf *b, const char *msg)
{
	for (; *msg; msg++) {
		unsigned char c = (unsigned char)*msg;

		if (c == '\n')
			c = ' ';
		else if ((c < 0x20 && c != '\t') || c == 0x7f)
			c = '?';
		buf_add_u8(b, c);
	}
	buf_add_u8(b, '\n');
}

void log_failure(const struct kata_err *err)
{
	const char *msg = err->msg[0] ? err->msg : err_text(-err->code);
	struct buf b = { 0 };

	log_line(LOG_LVL_ERROR, msg);
	if (log_state.fd < 0)
		return;
	add_plain(&b, msg);
	write_line(STDERR_FILENO, &b);
	buf_done(&b);
}
