/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire is what comes out; everything a guest may not send is refused. */
#include <errno.h>

#include "proto/frame.h"
#include "suite.h"

/* The next frame of @b, which is consumed; its body stays valid until the next call. */
static struct frame take(struct buf *b, const unsigned char **body)
{
	struct frame f;

	ck_assert_int_eq(frame_next(b, PROTO_MAX_GUEST_BODY, &f), 1);
	*body = buf_ptr(b) + PROTO_HEADER;
	buf_consume(b, PROTO_HEADER + f.len);
	return f;
}

START_TEST(header_is_little_endian)
{
	static const unsigned char want[] = { 3,    0,	  0, 0, 65,  0,	  0,  0,
					      0x04, 0x03, 2, 1, 'a', 'b', 'c' };
	struct buf b = { 0 };

	frame_add(&b, MSG_CREATE, 0x01020304, "abc", 3);
	ck_assert_uint_eq(buf_len(&b), sizeof(want));
	ck_assert_mem_eq(buf_ptr(&b), want, sizeof(want));
	buf_done(&b);
}
END_TEST

START_TEST(hello_and_stream_hello)
{
	static const unsigned char stream[] = { 0x53, 0x54, 0x41, 0x4b, 8, 7,
						6,    5,    4,	  3,	2, 1 };
	const struct msg_hello m = { .version_min = 1,
				     .version_max = 3,
				     .uptime_kernel_us = 5,
				     .uptime_ready_us = 1ull << 40,
				     .release = "6.1.0-x" };
	const unsigned char *body;
	struct msg_hello got;
	struct buf b = { 0 };
	struct frame f;

	frame_add_hello(&b, &m);
	f = take(&b, &body);
	ck_assert_uint_eq(f.type, MSG_HELLO);
	ck_assert_uint_eq(f.id, 0);
	ck_assert_int_eq(frame_get_hello(body, f.len, &got), 0);
	ck_assert_uint_eq(got.version_max, 3);
	ck_assert_uint_eq(got.uptime_ready_us, 1ull << 40);
	ck_assert_str_eq(got.release, "6.1.0-x");
	frame_add_stream_hello(&b, 0x0102030405060708);
	ck_assert_uint_eq(buf_len(&b), PROTO_HELLO_STREAM);
	ck_assert_mem_eq(buf_ptr(&b), stream, sizeof(stream));
	buf_done(&b);
}
END_TEST

START_TEST(events)
{
	const struct msg_exit exit_ = { 1, 2, 137, 1 };
	const struct msg_stream_end end = { 3, 4, STREAM_TTY, 1ull << 50 };
	char text[PROTO_MAX_TEXT + 1];
	struct msg_stream_end got_end;
	const unsigned char *body;
	struct msg_exit got_exit;
	uint32_t container;
	struct buf b = { 0 };
	struct frame f;

	frame_add_exit(&b, &exit_);
	frame_add_stream_end(&b, &end);
	frame_add_warning(&b, 9, "no\x1b[2J such");
	f = take(&b, &body);
	ck_assert_int_eq(frame_get_exit(body, f.len, &got_exit), 0);
	ck_assert(got_exit.container == 1 && got_exit.process == 2 &&
		  got_exit.status == 137 && got_exit.oom == 1);
	f = take(&b, &body);
	ck_assert_int_eq(frame_get_stream_end(body, f.len, &got_end), 0);
	ck_assert(got_end.container == 3 && got_end.process == 4 &&
		  got_end.stream == STREAM_TTY && got_end.bytes == 1ull << 50);
	f = take(&b, &body);
	ck_assert_int_eq(frame_get_warning(body, f.len, &container, text), 0);
	ck_assert_uint_eq(container, 9);
	/* it may be printed on a terminal */
	ck_assert_str_eq(text, "no?[2J such");
	buf_done(&b);
}
END_TEST

static int notify_of(const char *text, size_t n)
{
	char got[PROTO_MAX_TEXT + 1];
	uint32_t container;
	struct buf b = { 0 };
	int r;

	buf_add_u32(&b, 9);
	buf_add_u16(&b, (uint16_t)n);
	buf_add(&b, text, n);
	r = frame_get_notify(buf_ptr(&b), buf_len(&b), &container, got);
	buf_done(&b);
	if (r == 0)
		ck_assert(container == 9 && strlen(got) == n &&
			  memcmp(got, text, n) == 0);
	return r;
}

/* What our own agent does not send is nobody's we want to hear. */
START_TEST(notify_is_what_the_filter_leaves)
{
	char longest[PROTO_MAX_TEXT + 2];
	const unsigned char *body;
	struct buf b = { 0 };
	struct frame f;

	frame_add_notify(&b, 9, "READY=1");
	f = take(&b, &body);
	ck_assert_uint_eq(f.type, MSG_NOTIFY);
	ck_assert_uint_eq(f.len, 4 + 2 + 7);
	buf_done(&b);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "STATUS=", 7);
	ck_assert_int_eq(notify_of("STATUS=x\nREADY=1", 16), 0);
	ck_assert_int_eq(notify_of(longest, PROTO_MAX_TEXT), 0);
	ck_assert_int_eq(notify_of(longest, PROTO_MAX_TEXT + 1), -EPROTO);
	ck_assert_int_eq(notify_of("", 0), -EPROTO);
	ck_assert_int_eq(notify_of("READY=1\n", 8), -EPROTO);
	ck_assert_int_eq(notify_of("READY=1\nMAINPID=1", 17), -EPROTO);
	ck_assert_int_eq(notify_of("READY=\0", 7), -EPROTO);
	ck_assert_int_eq(notify_of("STATUS=\x1b", 8), -EPROTO);
}
END_TEST

START_TEST(longest_reply_fits)
{
	struct msg_reply m = { .code = MSG_NOT_FOUND, .err = ENOENT, .took_us = 7 };
	const unsigned char *body;
	struct msg_reply got;
	struct buf b = { 0 };
	struct frame f;

	memset(m.text, 'x', PROTO_MAX_TEXT);
	frame_add_reply(&b, 77, &m);
	f = take(&b, &body);
	ck_assert_uint_eq(f.id, 77);
	ck_assert_int_eq(frame_get_reply(body, f.len, &got), 0);
	ck_assert_uint_eq(got.text_len, PROTO_MAX_TEXT);
	ck_assert_str_eq(got.text, m.text);
	ck_assert(got.code == MSG_NOT_FOUND && got.err == ENOENT && got.took_us == 7);
	buf_done(&b);
}
END_TEST

START_TEST(header_is_checked)
{
	struct buf b = { 0 };
	struct frame f;

	frame_add(&b, MSG_EXIT, 0, "0123456789", 10);
	ck_assert_int_eq(frame_next(&b, 9, &f), -EMSGSIZE);
	ck_assert_int_eq(frame_next(&b, 10, &f), 1);
	/* told by the header alone, before the body is there */
	b.end = b.start + PROTO_HEADER;
	ck_assert_int_eq(frame_next(&b, 9, &f), -EMSGSIZE);
	ck_assert_int_eq(frame_next(&b, 10, &f), 0);
	b.end--;
	ck_assert_int_eq(frame_next(&b, 9, &f), 0);
	b.end++;
	b.data[b.start + 6] = 1;
	ck_assert_int_eq(frame_next(&b, 10, &f), -EPROTO);
	buf_done(&b);
}
END_TEST

/* Each body, one byte short and one byte long. */
START_TEST(sizes_are_exact)
{
	static const unsigned char zero[64];
	char text[PROTO_MAX_TEXT + 1];
	struct msg_stream_end end;
	struct msg_hello hello;
	struct msg_reply reply;
	struct msg_exit exit_;
	uint32_t n;

	for (size_t len = 0; len < sizeof(zero); len++) {
		ck_assert_int_eq(frame_get_hello(zero, len, &hello),
				 len == 22 ? 0 : -EPROTO);
		ck_assert_int_eq(frame_get_reply(zero, len, &reply),
				 len == 14 ? 0 : -EPROTO);
		ck_assert_int_eq(frame_get_exit(zero, len, &exit_),
				 len == 10 ? 0 : -EPROTO);
		ck_assert_int_eq(frame_get_stream_end(zero, len, &end),
				 len == 20 ? 0 : -EPROTO);
		ck_assert_int_eq(frame_get_warning(zero, len, &n, text),
				 len == 6 ? 0 : -EPROTO);
	}
}
END_TEST

START_TEST(ranges_are_checked)
{
	unsigned char body[32] = { 0 };
	struct msg_stream_end end;
	struct msg_hello hello;
	struct msg_reply reply;
	struct msg_exit exit_;

	body[0] = MSG_CODES;
	ck_assert_int_eq(frame_get_reply(body, 14, &reply), -EPROTO);
	body[0] = 0;
	body[3] = 0x10; /* errno 4096 */
	ck_assert_int_eq(frame_get_reply(body, 14, &reply), -EPROTO);
	memset(body, 0, sizeof(body));
	body[9] = 2;
	ck_assert_int_eq(frame_get_exit(body, 10, &exit_), -EPROTO);
	memset(body, 0, sizeof(body));
	ck_assert_int_eq(frame_get_stream_end(body, 17, &end), -EPROTO);
	ck_assert_int_eq(frame_get_stream_end(body, 20, &end), 0);
	body[0] = 2; /* min above max */
	body[2] = 1;
	ck_assert_int_eq(frame_get_hello(body, 22, &hello), -EPROTO);
	/* a string longer than its place, all of it there */
	ck_assert_int_eq(frame_get_hello(memset(body, 0, sizeof(body)), 22, &hello), 0);
	body[20] = 65;
	ck_assert_int_eq(frame_get_hello(body, 32, &hello), -EPROTO);
}
END_TEST

START_TEST(names_for_logs)
{
	ck_assert_str_eq(msg_type_name(MSG_STREAM_END), "STREAM_END");
	ck_assert_str_eq(msg_type_name(MSG_SHUTDOWN), "SHUTDOWN");
	ck_assert_str_eq(msg_type_name(0), "?");
	ck_assert_str_eq(msg_type_name(40), "?");
	ck_assert_str_eq(msg_type_name(65535), "?");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		header_is_little_endian,
		hello_and_stream_hello,
		events,
		longest_reply_fits,
		header_is_checked,
		sizes_are_exact,
		ranges_are_checked,
		names_for_logs,
		notify_is_what_the_filter_leaves,
	};

	return suite_run("frame", tests, ARRAY_SIZE(tests));
}
