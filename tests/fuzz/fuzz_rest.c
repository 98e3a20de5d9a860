/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_rest: any bytes from a VMM on its API socket, with two requests in line.
 * A byte 0xff in the input ends one write and begins the next.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/sock.h"
#include "vmm/rest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned gone, answers;
};

static void check_text(const char *text)
{
	if (!text)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && *text != '\t')
			abort(); /* would reach a terminal */
}

static void on_gone(void *arg, const char *why)
{
	struct seen *s = arg;

	if (s->gone++ || !why[0])
		abort();
	check_text(why);
}

static void on_done(void *arg, const struct rest_answer *a)
{
	struct seen *s = arg;

	if (s->gone || ++s->answers > 2 || a->code > 0 || a->status < 200)
		abort();
	if ((a->code < 0) != (a->text[0] != 0) || a->body[a->len])
		abort();
	check_text(a->text);
}

static void feed(int fd, struct rest *h, const uint8_t *data, size_t size)
{
	while (size > 0) {
		const uint8_t *cut = memchr(data, 0xff, size);
		size_t n = cut ? (size_t)(cut - data) : size;
		char drain[4096];

		/* less than the socket holds; what it does not take is lost, as good as other bytes */
		if (n > 0 && send(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		rest_drain(h);
		while (recv(fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
			;
		size -= n + (cut != NULL);
		data += n + (cut != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rest_request q = { .method = "PUT",
					.path = "/api/v1/vm.boot",
					.body = "{}",
					.deadline_ms = 10000,
					.done = on_done };
	struct kata_err err = { 0 };
	struct seen seen = { 0 };
	const struct rest_ops ops = { on_gone, &seen };
	struct loop *l = loop_new(&err);
	struct rest *h = NULL;
	int pair[2];

	if (!l || sock_pair(SOCK_STREAM, pair) < 0 ||
	    rest_new_take(l, pair[0], &ops, &h, &err) < 0)
		abort();
	if (rest_request(h, &q, &err) < 0 || rest_request(h, &q, &err) < 0)
		abort();
	feed(pair[1], h, data, size);
	close(pair[1]);
	rest_drain(h);
	rest_free(h);
	loop_free(l);
	return 0;
}
