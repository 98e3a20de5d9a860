// SPDX-License-Identifier: Apache-2.0
/*
 * notify: a datagram is lines of NAME=VALUE; each is taken or dropped by itself. runc looks only
 * at the first line, crun anywhere; systemd takes them in any order, and so is it done here.
 */
#include "proto/notify.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *text;
	bool whole; /* not only how the line begins */
} allowed[] = {
	{ "READY=", false },	      { "STATUS=", false },
	{ "ERRNO=", false },	      { "BUSERROR=", false },
	{ "MONOTONIC_USEC=", false }, { "RELOADING=1", true },
	{ "STOPPING=1", true },	      { "WATCHDOG=1", true },
	{ "WATCHDOG=trigger", true },
};

static bool is_allowed(const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		size_t n = strlen(allowed[i].text);

		if (len >= n && memcmp(line, allowed[i].text, n) == 0 &&
		    (len == n || !allowed[i].whole))
			return true;
	}
	return false;
}

/* A status is for people: UTF-8 without control characters. */
static bool is_text(const char *line, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = str_utf8_len(line + i, len - i);

		if (n == 0 || (unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return false;
		i += n;
	}
	return true;
}

size_t notify_filter(const char *in, size_t len, char *out, size_t size)
{
	const char *end = in + len;
	size_t n = 0;

	while (in < end) {
		const char *stop = memchr(in, '\n', (size_t)(end - in));
		size_t line = (size_t)((stop ? stop : end) - in);
		size_t need = n ? n + 1 + line : line;

		if (need < size && is_allowed(in, line) && is_text(in, line)) {
			if (n)
				out[n] = '\n';
			memcpy(out + need - line, in, line);
			n = need;
		}
		in = stop ? stop + 1 : end;
	}
	out[n] = '\0';
	return n;
}

const char *notify_ready(const char *text, size_t *ret_len)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (str_has_prefix(text, "READY=")) {
			*ret_len = n;
			return text;
		}
		text += n + (text[n] == '\n');
	}
	return NULL;
}

bool notify_rate_take(struct notify_rate *r, uint64_t now_us)
{
	if (r->n == 0 || now_us - r->since_us >= 1000000) {
		r->since_us = now_us;
		r->n = 0;
	}
	if (r->n >= NOTIFY_PER_SECOND)
		return false;
	r->n++;
	return true;
}
