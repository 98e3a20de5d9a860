/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile guest may send on its control connection: frames and their bodies. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "proto/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the filter leaves it leaves again, in any room; and whoever is ready is in it. */
static void filter(const char *in, size_t len)
{
	char once[PROTO_MAX_TEXT + 1], twice[PROTO_MAX_TEXT + 1];
	size_t n = notify_filter(in, len, once, len % sizeof(once) + 1), of = 0;
	const char *ready;

	if (n > len || strlen(once) != n || notify_filter(once, n, twice, n + 1) != n ||
	    memcmp(once, twice, n) != 0)
		abort();
	ready = notify_ready(once, &of);
	if (ready && (of < strlen("READY=") || ready + of > once + n))
		abort();
}

/* A decoder that says yes must leave values with a meaning. */
static void decode(uint16_t type, const void *body, size_t len)
{
	char text[PROTO_MAX_TEXT + 1];
	struct msg_stream_end end;
	struct msg_hello hello;
	struct msg_reply reply;
	struct msg_exit exit_;
	uint32_t container;

	if (frame_get_hello(body, len, &hello) == 0 &&
	    (hello.version_min > hello.version_max || strlen(hello.release) > 64))
		abort();
	if (frame_get_reply(body, len, &reply) == 0 &&
	    (reply.code >= MSG_CODES || strlen(reply.text) > PROTO_MAX_TEXT))
		abort();
	if (frame_get_exit(body, len, &exit_) == 0 && exit_.oom > 1)
		abort();
	(void)!frame_get_stream_end(body, len, &end);
	if (frame_get_warning(body, len, &container, text) == 0 &&
	    strlen(text) > PROTO_MAX_TEXT)
		abort();
	if (frame_get_notify(body, len, &container, text) == 0 &&
	    (!*text || strlen(text) > PROTO_MAX_TEXT || strstr(text, "MAINPID=") == text))
		abort();
	filter(body, len);
	if (!msg_type_name(type))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { 0 };
	struct frame f;

	decode(0, data, size);
	buf_add(&b, data, size);
	while (frame_next(&b, PROTO_MAX_GUEST_BODY, &f) > 0) {
		if (f.len > PROTO_MAX_GUEST_BODY || buf_len(&b) < PROTO_HEADER + f.len)
			abort();
		decode(f.type, buf_ptr(&b) + PROTO_HEADER, f.len);
		buf_consume(&b, PROTO_HEADER + f.len);
	}
	buf_done(&b);
	return 0;
}
