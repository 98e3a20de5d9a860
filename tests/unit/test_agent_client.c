/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_client against a scripted guest: a second socket in the same process
 * says what a good, a broken or a hostile guest would, and the loop is run
 * until the expected callback stops it (a deadline fails the test).
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"
#include "sandbox/agent_client.h"

static struct {
	char dir[32];
	int dirfd, guest;
	struct loop *loop;
	struct agent *agent;
	struct loop_src deadline;
	unsigned hellos, exits, ends, gone, streams, replies;
	char why[256];
	struct msg_exit exit;
	struct msg_stream_end end;
	struct agent_stream stream;
	int stream_fd, reply_code, dns;
	char said[PROTO_MAX_TEXT + 1];
	struct msg_reply reply;
} t;

static void on_hello(void *arg, const struct msg_hello *m)
{
	(void)arg;
	ck_assert_str_eq(m->release, "6.1.0-test");
	t.hellos++;
	loop_stop(t.loop, 1);
}

static void on_exit_msg(void *arg, const struct msg_exit *m)
{
	(void)arg;
	t.exit = *m;
	t.exits++;
	loop_stop(t.loop, 1);
}

static void on_stream_end(void *arg, const struct msg_stream_end *m)
{
	(void)arg;
	t.end = *m;
	t.ends++;
	loop_stop(t.loop, 1);
}

static void on_warning(void *arg, uint32_t container, const char *text)
{
	(void)arg;
	(void)container;
	(void)text;
	loop_stop(t.loop, 1);
}

static void on_notify(void *arg, uint32_t container, const char *text)
{
	(void)arg;
	ck_assert_uint_eq(container, 6);
	str_copy(t.said, sizeof(t.said), text);
	loop_stop(t.loop, 1);
}

static void on_stream(void *arg, const struct agent_stream *s, int fd)
{
	(void)arg;
	t.stream = *s;
	t.stream_fd = fd;
	t.streams++;
	loop_stop(t.loop, 1);
}

static void on_dns(void *arg, int protocol, int fd)
{
	(void)arg;
	t.dns = protocol;
	t.stream_fd = fd;
	loop_stop(t.loop, 1);
}

static void on_gone(void *arg, const char *why)
{
	(void)arg;
	t.gone++;
	str_copy(t.why, sizeof(t.why), why);
	loop_stop(t.loop, 1);
}

static const struct agent_ops ops = {
	.on_hello = on_hello,
	.on_exit = on_exit_msg,
	.on_stream_end = on_stream_end,
	.on_warning = on_warning,
	.on_notify = on_notify,
	.on_stream = on_stream,
	.on_dns = on_dns,
	.on_gone = on_gone,
};

static void on_reply(void *arg, int code, const struct msg_reply *m)
{
	(void)arg;
	t.replies++;
	t.reply_code = code;
	if (m)
		t.reply = *m;
	loop_stop(t.loop, 1);
}

static void on_deadline(struct loop_src *src, uint32_t events)
{
	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(t.loop, 0);
}

/* Run until a callback stopped the loop; false when nothing happened in time. */
static bool run_for(uint64_t ms)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_timer_set(t.deadline.fd, ms), 0);
	return loop_run(t.loop, &err) == 1;
}

static bool run(void)
{
	return run_for(5000);
}

static int dial(void)
{
	int fd = sock_connect_at(t.dirfd, "s", SOCK_STREAM);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void say(int fd, struct buf *b)
{
	ck_assert_int_eq(write(fd, buf_ptr(b), buf_len(b)), (ssize_t)buf_len(b));
	buf_done(b);
}

static void setup(void)
{
	struct kata_err err = { 0 };
	int fd;

	memset(&t, 0, sizeof(t));
	strcat(t.dir, "/tmp/kata-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.dir));
	t.dirfd = open(t.dir, O_DIRECTORY | O_CLOEXEC);
	fd = sock_listen_at(t.dirfd, "s", SOCK_STREAM | SOCK_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	t.loop = loop_new(&err);
	t.agent = agent_new_take(t.loop, fd, 0, &ops, NULL, &err);
	ck_assert_ptr_nonnull(t.agent);
	t.deadline.fn = on_deadline;
	ck_assert_int_eq(loop_add(t.loop, &t.deadline, loop_timer(), EPOLLIN), 0);
	t.guest = t.stream_fd = -1;
}

static void teardown(void)
{
	int timer = t.deadline.fd;

	agent_free(t.agent);
	loop_del(&t.deadline);
	close(timer);
	loop_free(t.loop);
	if (t.guest >= 0)
		close(t.guest);
	if (t.stream_fd >= 0)
		close(t.stream_fd);
	unlinkat(t.dirfd, "s", 0);
	close(t.dirfd);
	rmdir(t.dir);
}

static void hello_of(struct buf *b, uint16_t min, uint16_t max)
{
	struct msg_hello m = { .version_min = min,
			       .version_max = max,
			       .release = "6.1.0-test" };

	m.release_len = (uint16_t)strlen(m.release);
	buf_add_u32(b, PROTO_CONTROL_MAGIC);
	frame_add_hello(b, &m);
}

static void guest_up(void)
{
	struct buf b = { 0 };

	t.guest = dial();
	hello_of(&b, PROTO_VERSION_MIN, PROTO_VERSION);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.hellos, 1);
}

static int ask(uint64_t deadline_ms)
{
	return agent_request(t.agent, MSG_START, "{}", 2, deadline_ms,
			     &(struct agent_call){ on_reply, NULL });
}

START_TEST(hello_in_single_bytes)
{
	struct buf b = { 0 };

	t.guest = dial();
	hello_of(&b, PROTO_VERSION_MIN, PROTO_VERSION);
	for (size_t i = 0; i + 1 < buf_len(&b); i++) {
		ck_assert_int_eq(write(t.guest, buf_ptr(&b) + i, 1), 1);
		ck_assert(!run_for(1));
		ck_assert_uint_eq(t.hellos, 0);
	}
	ck_assert_int_eq(write(t.guest, buf_ptr(&b) + buf_len(&b) - 1, 1), 1);
	buf_done(&b);
	ck_assert(run());
	ck_assert_uint_eq(t.hellos, 1);
}
END_TEST

START_TEST(request_before_hello_is_refused)
{
	ck_assert_int_eq(ask(1000), -ENOTCONN);
}
END_TEST

START_TEST(other_version_is_refused)
{
	struct buf b = { 0 };

	t.guest = dial();
	hello_of(&b, PROTO_VERSION + 1, PROTO_VERSION + 3);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.gone, 1);
	ck_assert_uint_eq(t.hellos, 0);
	ck_assert_ptr_nonnull(strstr(t.why, "speaks versions"));
}
END_TEST

START_TEST(reply_reaches_its_request)
{
	struct msg_reply m = {
		.code = MSG_NOT_FOUND, .err = ENOENT, .text_len = 4, .text = "gone"
	};
	struct buf b = { 0 };

	guest_up();
	ck_assert_int_eq(ask(5000), 0);
	frame_add_reply(&b, 77, &m); /* never asked for: ignored */
	frame_add_reply(&b, 1, &m);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.replies, 1);
	ck_assert_int_eq(t.reply_code, 0);
	ck_assert_uint_eq(t.reply.code, MSG_NOT_FOUND);
	ck_assert_str_eq(t.reply.text, "gone");
}
END_TEST

START_TEST(reply_given_twice_counts_once)
{
	struct msg_reply m = { .code = MSG_OK };
	struct buf b = { 0 };

	guest_up();
	ck_assert_int_eq(ask(5000), 0);
	frame_add_reply(&b, 1, &m);
	frame_add_reply(&b, 1, &m);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert(!run_for(50));
	ck_assert_uint_eq(t.replies, 1);
	ck_assert_uint_eq(t.gone, 0);
}
END_TEST

START_TEST(no_answer_is_a_timeout)
{
	guest_up();
	ck_assert_int_eq(ask(20), 0);
	ck_assert(run());
	ck_assert_int_eq(t.reply_code, -ETIMEDOUT);
}
END_TEST

START_TEST(lost_connection_fails_requests)
{
	guest_up();
	ck_assert_int_eq(ask(5000), 0);
	close(t.guest);
	t.guest = -1;
	ck_assert(run());
	ck_assert_uint_eq(t.replies, 1);
	ck_assert_int_eq(t.reply_code, -ECONNRESET);
	ck_assert_uint_eq(t.gone, 1);
	ck_assert_int_eq(ask(5000), -ENOTCONN);
}
END_TEST

START_TEST(malformed_frame_drops_the_guest)
{
	struct buf b = { 0 };

	guest_up();
	frame_add(&b, MSG_EXIT, 0, "xy", 2);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.gone, 1);
	ck_assert_uint_eq(t.exits, 0);
	ck_assert_ptr_nonnull(strstr(t.why, "malformed"));
}
END_TEST

START_TEST(oversized_frame_drops_the_guest)
{
	struct buf b = { 0 };

	guest_up();
	buf_add_u32(&b, PROTO_MAX_GUEST_BODY + 1);
	buf_add_u16(&b, MSG_EXIT);
	buf_add_u16(&b, 0);
	buf_add_u32(&b, 0);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.gone, 1);
}
END_TEST

START_TEST(host_message_from_the_guest_drops_it)
{
	struct buf b = { 0 };

	guest_up();
	frame_add(&b, MSG_SHUTDOWN, 0, "{}", 2);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.gone, 1);
}
END_TEST

START_TEST(exit_and_stream_end_arrive)
{
	const struct msg_stream_end e = { 1, 0, STREAM_STDOUT, 1234567890123 };
	const struct msg_exit x = {
		.container = 1, .process = 2, .status = 137, .oom = 1
	};
	struct buf b = { 0 };

	guest_up();
	frame_add_stream_end(&b, &e);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.end.bytes, 1234567890123);
	ck_assert_uint_eq(t.end.stream, STREAM_STDOUT);
	frame_add_exit(&b, &x);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.exit.status, 137);
	ck_assert_uint_eq(t.exit.process, 2);
	ck_assert_uint_eq(t.exit.oom, 1);
}
END_TEST

START_TEST(notify_arrives)
{
	struct buf b = { 0 };

	guest_up();
	frame_add_notify(&b, 6, "STATUS=x\nREADY=1");
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_str_eq(t.said, "STATUS=x\nREADY=1");
	frame_add_notify(&b, 6, "MAINPID=1");
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.gone, 1);
}
END_TEST

START_TEST(stream_with_its_token_arrives_whole)
{
	const struct agent_stream want = { 3, 4, STREAM_STDERR };
	struct buf b = { 0 };
	char got[8] = "";
	uint64_t token;

	guest_up();
	token = agent_expect(t.agent, &want);
	ck_assert_uint_ne(token, 0);
	close(t.guest);
	t.guest = dial();
	frame_add_stream_hello(&b, token);
	buf_add_str(&b, "data"); /* right behind the hello: belongs to the stream */
	say(t.guest, &b);
	while (t.streams == 0)
		ck_assert(run());
	ck_assert_uint_eq(t.stream.container, 3);
	ck_assert_uint_eq(t.stream.process, 4);
	ck_assert_uint_eq(t.stream.stream, STREAM_STDERR);
	ck_assert_int_eq(read(t.stream_fd, got, sizeof(got)), 4);
	ck_assert_str_eq(got, "data");
}
END_TEST

START_TEST(token_counts_once)
{
	const struct agent_stream want = { 3, 4, STREAM_STDIN };
	struct buf b = { 0 };
	uint64_t token = agent_expect(t.agent, &want);
	char c;

	t.guest = dial();
	frame_add_stream_hello(&b, token);
	say(t.guest, &b);
	ck_assert(run());
	ck_assert_uint_eq(t.streams, 1);
	close(t.guest);
	t.guest = dial();
	frame_add_stream_hello(&b, token);
	say(t.guest, &b);
	ck_assert(!run_for(50));
	ck_assert_uint_eq(t.streams, 1);
	ck_assert_int_eq(recv(t.guest, &c, 1, MSG_DONTWAIT), 0); /* hung up on */
}
END_TEST

START_TEST(forgotten_token_is_refused)
{
	const struct agent_stream want = { 3, 4, STREAM_STDIN };
	struct buf b = { 0 };
	uint64_t token = agent_expect(t.agent, &want);

	agent_forget(t.agent, 3, 4);
	t.guest = dial();
	frame_add_stream_hello(&b, token);
	say(t.guest, &b);
	ck_assert(!run_for(50));
	ck_assert_uint_eq(t.streams, 0);
}
END_TEST

START_TEST(second_control_connection_is_refused)
{
	struct buf b = { 0 };
	int second;
	char c;

	guest_up();
	second = dial();
	hello_of(&b, PROTO_VERSION_MIN, PROTO_VERSION);
	say(second, &b);
	ck_assert(!run_for(50));
	ck_assert_uint_eq(t.hellos, 1);
	ck_assert_uint_eq(t.gone, 0);
	ck_assert_int_eq(recv(second, &c, 1, MSG_DONTWAIT),
			 -1); /* reset: unread bytes were dropped */
	close(second);
}
END_TEST

START_TEST(garbage_hello_is_hung_up_on)
{
	struct buf b = { 0 };
	char c;

	t.guest = dial();
	buf_add_str(&b, "GET / HTTP/1.1");
	say(t.guest, &b);
	ck_assert(!run_for(50));
	ck_assert_int_le(recv(t.guest, &c, 1, MSG_DONTWAIT), 0);
	ck_assert_int_ne(errno, EAGAIN);
}
END_TEST

START_TEST(dns_clients_are_told_apart)
{
	static const struct {
		uint32_t protocol;
		bool taken;
	} cases[] = {
		{ 6, true }, { 17, true }, { 0, false }, { 7, false }, { 262, false }
	};
	struct buf b = { 0 };
	int fd = dial();
	char c;

	/* nobody's before the guest has said hello */
	frame_add_dns_hello(&b, 17);
	say(fd, &b);
	ck_assert(!run_for(50));
	ck_assert_int_eq(t.dns, 0);
	ck_assert_int_eq(read(fd, &c, 1), 0);
	close(fd);
	guest_up();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fd = dial();
		frame_add_dns_hello(&b, cases[i].protocol);
		buf_add_str(&b, "x");
		say(fd, &b);
		t.dns = 0;
		ck_assert(run_for(cases[i].taken ? 5000 : 50) == cases[i].taken);
		ck_assert_int_eq(t.dns, cases[i].taken ? (int)cases[i].protocol : 0);
		if (cases[i].taken) {
			/* what is behind the hello is whole */
			ck_assert_int_eq(read(t.stream_fd, &c, 1), 1);
			ck_assert_int_eq(c, 'x');
			close(t.stream_fd);
			t.stream_fd = -1;
		}
		close(fd);
	}
}
END_TEST

START_TEST(silent_connections_do_not_keep_the_agent_out)
{
	int silent[AGENT_MAX_PENDING * 2];

	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		silent[i] = dial();
		ck_assert(!run_for(1));
	}
	guest_up();
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		close(silent[i]);
}
END_TEST

START_TEST(expected_streams_are_bounded)
{
	const struct agent_stream want = { 1, 1, STREAM_STDIN };

	for (size_t i = 0; i < AGENT_MAX_EXPECTED; i++)
		ck_assert_uint_ne(agent_expect(t.agent, &want), 0);
	ck_assert_uint_eq(agent_expect(t.agent, &want), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("agent_client");
	TCase *tc = tcase_create("guest");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hello_in_single_bytes);
	tcase_add_test(tc, request_before_hello_is_refused);
	tcase_add_test(tc, other_version_is_refused);
	tcase_add_test(tc, reply_reaches_its_request);
	tcase_add_test(tc, reply_given_twice_counts_once);
	tcase_add_test(tc, no_answer_is_a_timeout);
	tcase_add_test(tc, lost_connection_fails_requests);
	tcase_add_test(tc, malformed_frame_drops_the_guest);
	tcase_add_test(tc, oversized_frame_drops_the_guest);
	tcase_add_test(tc, host_message_from_the_guest_drops_it);
	tcase_add_test(tc, exit_and_stream_end_arrive);
	tcase_add_test(tc, notify_arrives);
	tcase_add_test(tc, stream_with_its_token_arrives_whole);
	tcase_add_test(tc, token_counts_once);
	tcase_add_test(tc, forgotten_token_is_refused);
	tcase_add_test(tc, second_control_connection_is_refused);
	tcase_add_test(tc, garbage_hello_is_hung_up_on);
	tcase_add_test(tc, dns_clients_are_told_apart);
	tcase_add_test(tc, silent_connections_do_not_keep_the_agent_out);
	tcase_add_test(tc, expected_streams_are_bounded);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
