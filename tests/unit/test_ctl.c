// SPDX-License-Identifier: Apache-2.0
/* Messages on the host: what goes through, and what of a strange peer does not. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/str.h"
#include "sandbox/ctl.h"
#include "suite.h"

static int a, b;

static void connect_pair(void)
{
	int pair[2];

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET, pair), 0);
	a = pair[0];
	b = pair[1];
}

static int receive(struct ctl_msg *m)
{
	int fds[SOCK_MAX_FDS];
	size_t n;
	int rc = ctl_recv(b, m, fds, &n);

	ck_assert_uint_eq(n, 0);
	return rc;
}

START_TEST(message_arrives_whole)
{
	struct ctl_msg m = { .type = CTL_KILL,
			     .flags = CTL_F_ALL,
			     .number = 9,
			     .height = 24,
			     .width = 80,
			     .bytes = UINT64_MAX,
			     .status = 7,
			     .code = -5 };
	struct ctl_msg got;

	connect_pair();
	ck_assert(str_copy(m.id, sizeof(m.id), "box"));
	ck_assert(str_copy(m.text, sizeof(m.text), "some text"));
	ck_assert_int_eq(ctl_send(a, &m, NULL, 0), 0);
	ck_assert_int_eq(receive(&got), 1);
	ck_assert_mem_eq(&got, &m, offsetof(struct ctl_msg, id));
	ck_assert_str_eq(got.id, "box");
	ck_assert_str_eq(got.text, "some text");
	ck_assert_uint_eq(got.version, CTL_VERSION);
}
END_TEST

START_TEST(tail_of_text_is_not_sent)
{
	struct ctl_msg m = { .type = CTL_REPLY };
	char raw[sizeof(m)];

	connect_pair();
	ck_assert_int_eq(ctl_send(a, &m, NULL, 0), 0);
	ck_assert_int_eq(recv(b, raw, sizeof(raw), 0),
			 offsetof(struct ctl_msg, text) + 1);
}
END_TEST

START_TEST(longest_text_is_sent)
{
	struct ctl_msg m = { .type = CTL_REPLY }, got;

	connect_pair();
	memset(m.text, 'x', sizeof(m.text)); /* no NUL: the sender puts one */
	memset(m.id, 'i', sizeof(m.id));
	ck_assert_int_eq(ctl_send(a, &m, NULL, 0), 0);
	ck_assert_int_eq(receive(&got), 1);
	ck_assert_uint_eq(strlen(got.text), sizeof(m.text) - 1);
	ck_assert_uint_eq(strlen(got.id), OCI_ID_MAX);
}
END_TEST

START_TEST(descriptors_arrive)
{
	struct ctl_msg m = { .type = CTL_CREATE }, got;
	int fds[SOCK_MAX_FDS], pipefd[2];
	size_t n;

	connect_pair();
	ck_assert_int_eq(pipe(pipefd), 0);
	ck_assert_int_eq(ctl_send(a, &m, pipefd, 2), 0);
	ck_assert_int_eq(ctl_recv(b, &got, fds, &n), 1);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
}
END_TEST

/* What a damaged packet looks like, and what comes of it. */
static const struct {
	const char *what;
	size_t len; /* of the packet; 0 = the whole struct */
	uint16_t version, type;
	bool id_open, text_open;
	int result;
} damaged[] = {
	{ "whole", 0, CTL_VERSION, CTL_REPLY, false, false, 1 },
	{ "one byte", 1, CTL_VERSION, CTL_REPLY, false, false, -EPROTONOSUPPORT },
	{ "older", 0, CTL_VERSION - 1, CTL_REPLY, false, false, -EPROTONOSUPPORT },
	{ "newer and short", 8, CTL_VERSION + 1, CTL_REPLY, false, false,
	  -EPROTONOSUPPORT },
	{ "no text", offsetof(struct ctl_msg, text), CTL_VERSION, CTL_REPLY, false, false,
	  -EPROTO },
	{ "type 0", 0, CTL_VERSION, 0, false, false, -EPROTO },
	{ "type between", 0, CTL_VERSION, CTL_OOM + 1, false, false, -EPROTO },
	{ "id without end", 0, CTL_VERSION, CTL_REPLY, true, false, -EPROTO },
	{ "text without end", 0, CTL_VERSION, CTL_REPLY, false, true, -EPROTO },
};

START_TEST(damaged_packets)
{
	struct ctl_msg m, got;

	connect_pair();
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		size_t len = damaged[i].len ? damaged[i].len : sizeof(m);

		memset(&m, 0, sizeof(m));
		m.version = damaged[i].version;
		m.type = damaged[i].type;
		if (damaged[i].id_open)
			memset(m.id, 'x', sizeof(m.id));
		if (damaged[i].text_open)
			memset(m.text, 'x', sizeof(m) - offsetof(struct ctl_msg, text));
		ck_assert_int_eq(send(a, &m, len, 0), (ssize_t)len);
		ck_assert_msg(receive(&got) == damaged[i].result, "%s", damaged[i].what);
	}
}
END_TEST

START_TEST(damaged_packet_leaks_no_descriptor)
{
	struct ctl_msg m = { .version = CTL_VERSION, .type = 1000 }, got;
	int fds[SOCK_MAX_FDS], pipefd[2];
	char byte;
	size_t n;

	connect_pair();
	ck_assert_int_eq(pipe(pipefd), 0);
	ck_assert_int_eq(sock_send(a, &m, sizeof(m), &pipefd[1], 1), 0);
	close(pipefd[1]);
	ck_assert_int_eq(ctl_recv(b, &got, fds, &n), -EPROTO);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(read(pipefd[0], &byte, 1), 0); /* nobody holds the other end */
}
END_TEST

START_TEST(closed_peer)
{
	struct ctl_msg m = { .type = CTL_REPLY };

	connect_pair();
	close(a);
	ck_assert_int_eq(receive(&m), 0);
	m = (struct ctl_msg){ .type = CTL_REPLY };
	ck_assert_int_eq(ctl_send(b, &m, NULL, 0), -EPIPE);
}
END_TEST

static int call_with_reply(struct ctl_msg *answer, struct kata_err *err)
{
	struct ctl_ask ask = { .m = { .type = CTL_START }, .timeout_ms = 5000 };

	connect_pair();
	if (answer)
		ck_assert_int_eq(ctl_send(a, answer, NULL, 0), 0);
	else
		ck_assert_int_eq(shutdown(a, SHUT_WR), 0);
	return ctl_call(b, &ask, err);
}

START_TEST(call_succeeds)
{
	struct ctl_msg ok = { .type = CTL_REPLY };
	struct kata_err err = { 0 };

	ck_assert_int_eq(call_with_reply(&ok, &err), 0);
}
END_TEST

START_TEST(call_fails_as_the_reply_says)
{
	struct ctl_msg no = {
		.type = CTL_REPLY, .code = -ENOENT, .status = 127, .text = "not there"
	};
	struct kata_err err = { 0 };

	ck_assert_int_eq(call_with_reply(&no, &err), -ENOENT);
	ck_assert_int_eq(err.status, 127);
	ck_assert_str_eq(err.msg, "not there");
}
END_TEST

START_TEST(call_never_takes_the_unknown_for_success)
{
	struct ctl_msg odd = { .type = CTL_REPLY, .code = 5 };
	struct ctl_msg other = { .type = CTL_EXIT };
	struct kata_err err = { 0 };

	ck_assert_int_eq(call_with_reply(&odd, &err), -EIO);
	ck_assert_int_eq(call_with_reply(&other, &err), -EPROTO);
	ck_assert_int_eq(call_with_reply(NULL, &err), -ECONNRESET);
	ck_assert_str_eq(err.msg, "kata-sandbox has ended");
}
END_TEST

START_TEST(call_hands_over_the_descriptor)
{
	struct ctl_ask ask = { .m = { .type = CTL_PS }, .timeout_ms = 5000 };
	struct ctl_msg ok = { .type = CTL_REPLY, .number = 7 };
	struct kata_err err = { 0 };
	int fd = -1;

	connect_pair();
	ask.ret_fd = &fd;
	ck_assert_int_eq(ctl_send(a, &ok, &a, 1), 0);
	ck_assert_int_eq(ctl_call(b, &ask, &err), 0);
	ck_assert_uint_eq(ask.m.number, 7);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(ctl_send(a, &ok, NULL, 0), 0);
	ask.m = (struct ctl_msg){ .type = CTL_PS };
	ck_assert_int_eq(ctl_call(b, &ask, &err), 0);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(call_times_out)
{
	struct ctl_ask ask = { .m = { .type = CTL_START }, .timeout_ms = 30 };
	struct kata_err err = { 0 };

	connect_pair();
	ck_assert_int_eq(ctl_call(b, &ask, &err), -ETIMEDOUT);
	ck_assert_str_eq(err.msg, "kata-sandbox does not answer");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		message_arrives_whole,
		tail_of_text_is_not_sent,
		longest_text_is_sent,
		descriptors_arrive,
		damaged_packets,
		damaged_packet_leaks_no_descriptor,
		closed_peer,
		call_succeeds,
		call_fails_as_the_reply_says,
		call_never_takes_the_unknown_for_success,
		call_hands_over_the_descriptor,
		call_times_out,
	};

	return suite_run("ctl", tests, ARRAY_SIZE(tests));
}
