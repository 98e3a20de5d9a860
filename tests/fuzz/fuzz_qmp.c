/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_qmp: any bytes from a VMM on its control channel, with two commands under way.
 * A byte 0xff in the input ends one write and begins the next.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/sock.h"
#include "vmm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned gone;
};

static void on_event(void *arg, const char *name, const struct json *data)
{
	const struct seen *s = arg;

	if (s->gone || !name)
		abort();
	(void)data;
}

static void on_gone(void *arg, const char *why)
{
	struct seen *s = arg;

	if (s->gone++ || !why[0])
		abort();
}

static void on_done(void *arg, int code, const char *text)
{
	const struct seen *s = arg;

	if (s->gone || code > 0 || !text)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && *text != '\t')
			abort(); /* would reach a terminal */
}

static void feed(int fd, struct qmp *q, const uint8_t *data, size_t size)
{
	while (size > 0) {
		const uint8_t *cut = memchr(data, 0xff, size);
		size_t n = cut ? (size_t)(cut - data) : size;
		char drain[4096];

		/* less than the socket holds; what it does not take is lost, as good as other bytes */
		if (n > 0 && send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		qmp_drain(q);
		while (recv(fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
			;
		size -= n + (cut != NULL);
		data += n + (cut != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kata_err err = { 0 };
	struct seen seen = { 0 };
	const struct qmp_ops ops = { on_event, on_gone, &seen };
	struct loop *l = loop_new(&err);
	struct qmp *q = NULL;
	int pair[2];

	if (!l || sock_pair(SOCK_STREAM, pair) < 0 ||
	    qmp_new_take(l, pair[0], &ops, &q, &err) < 0)
		abort();
	if (qmp_execute(q, "stop", on_done, &err) < 0 ||
	    qmp_execute(q, "cont", on_done, &err) < 0)
		abort();
	feed(pair[1], q, data, size);
	close(pair[1]);
	qmp_drain(q);
	qmp_free(q);
	loop_free(l);
	return 0;
}
