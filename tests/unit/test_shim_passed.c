// SPDX-License-Identifier: Apache-2.0
/* Descriptors that the process gets behind its stdio: pipes, sockets, listeners, and their ends. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sock.h"
#include "fakes/fake_sandbox.h"

#define MB ((uint64_t)1 << 20)

static struct fake_sandbox f;

static void teardown(void)
{
	fake_done(&f);
}

START_TEST(passed_pipes)
{
	unsigned in = stream_passed_in(0), out = stream_passed_out(2);
	int to[2], from[2];
	struct lane lanes[2];
	char byte;

	make_pipe(to);
	make_pipe(from);
	fake_start(&f, &(struct fake_start){ .passed = "r-w",
					     .passed_fd = { to[0], -1, from[1] } });
	close(to[0]);
	close(from[1]);
	fake_streams(&f, false);
	fake_stream(&f, in);
	fake_stream(&f, out);
	lanes[0] = (struct lane){ .to = to[1], .from = f.guest[in], .total = 10 * MB };
	lanes[1] = (struct lane){ .to = f.guest[out], .from = from[0], .total = 10 * MB };
	lanes_run(lanes, 2);
	close(to[1]);
	for (int ends = 0; ends < 2; ends++) { /* stdin is /dev/null */
		struct ctl_msg m = fake_expect(&f, CTL_STDIN_END);

		ck_assert(m.number == in || m.number == STREAM_STDIN);
		ck_assert_uint_eq(m.bytes, m.number == in ? 10 * MB : 0);
	}
	/* its end is an output's like any other: the shim waits for it */
	fake_end(&f, STREAM_STDOUT, 0);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 5);
	ck_assert(fake_alive(&f, 200));
	fake_end(&f, out, 10 * MB);
	ck_assert_int_eq(fake_wait(&f), 5);
	ck_assert_int_eq(fcntl(from[0], F_SETFL, 0), 0);
	ck_assert_int_eq(read(from[0], &byte, 1), 0);
	close(from[0]);
}
END_TEST

/* The test keeps the end that it passes: only a shutdown reaches the other. */
START_TEST(passed_socket)
{
	unsigned in = stream_passed_in(0), out = stream_passed_out(0);
	struct lane lanes[2];
	struct ctl_msg m;
	int pair[2];
	char byte;

	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	fake_start(&f, &(struct fake_start){ .passed = "s", .passed_fd = { pair[1] } });
	fake_streams(&f, false);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).number, STREAM_STDIN);
	fake_stream(&f, in);
	fake_stream(&f, out);
	lanes[0] = (struct lane){ .to = pair[0], .from = f.guest[in], .total = 10 * MB };
	lanes[1] = (struct lane){ .to = f.guest[out], .from = pair[0], .total = 10 * MB };
	lanes_run(lanes, 2);
	ck_assert_int_eq(fcntl(pair[0], F_SETFL, 0), 0);
	/* the guest shuts its half down; the other goes on */
	fake_end(&f, out, 10 * MB);
	ck_assert_int_eq(read(pair[0], &byte, 1), 0);
	ck_assert_int_eq(write(pair[0], "x", 1), 1);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	m = fake_expect(&f, CTL_STDIN_END);
	ck_assert_uint_eq(m.number, in);
	ck_assert_uint_eq(m.bytes, 10 * MB + 1);
	fake_end(&f, STREAM_STDOUT, 0);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 0);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(passed_socket_not_read)
{
	unsigned in = stream_passed_in(0);
	struct pollfd p;
	int pair[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	fake_start(&f, &(struct fake_start){ .passed = "s", .passed_fd = { pair[1] } });
	fake_streams(&f, false);
	fake_stream(&f, in);
	fake_stream(&f, stream_passed_out(0));
	fake_hang_up(&f, in);
	p = (struct pollfd){ .fd = pair[0] };
	for (int i = 0; i < 100 && send(pair[0], "x", 1, MSG_NOSIGNAL) == 1; i++)
		ck_assert_int_ge(poll(&p, 1, 50), 0);
	ck_assert_int_eq(send(pair[0], "x", 1, MSG_NOSIGNAL), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static int connect_client(int listener)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static int start_with_listener(void)
{
	const struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the kernel chooses a name */
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sa, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(fd, 10), 0);
	fake_start(&f, &(struct fake_start){ .passed = "-l", .passed_fd = { -1, fd } });
	return fd;
}

static char read_byte(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c = 0;

	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	ck_assert_int_eq(read(fd, &c, 1), 1);
	return c;
}

/* A connection through: bytes, ends by count, and the word that it is over. */
START_TEST(listener)
{
	int fd = start_with_listener(), client = connect_client(fd), in, out;
	struct ctl_msg m;
	char c;

	/* nothing is accepted before the guest is there */
	ck_assert(fake_silent(&f, 200));
	fake_stream(&f, STREAM_STDOUT);
	m = fake_expect(&f, CTL_CONNECT);
	ck_assert_uint_eq(m.number, 1);
	ck_assert_uint_eq(m.bytes, 1);
	in = fake_stream(&f, stream_connection_in(1));
	out = fake_stream(&f, stream_connection_out(1));
	ck_assert_int_eq(write(client, "q", 1), 1);
	ck_assert_int_eq(read_byte(in), 'q');
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	m = fake_expect(&f, CTL_STDIN_END);
	ck_assert_uint_eq(m.number, stream_connection_in(1));
	ck_assert_uint_eq(m.bytes, 1);
	ck_assert_int_eq(write(out, "a", 1), 1);
	fake_end(&f, stream_connection_out(1), 1);
	ck_assert_int_eq(read_byte(client), 'a');
	ck_assert_int_eq(read(client, &c, 1), 0);
	ck_assert(fake_silent(&f, 100));
	close(in); /* the guest has taken all */
	ck_assert_uint_eq(fake_expect(&f, CTL_DISCONNECT).number, 1);
	close(out);
	close(client);
	close(fd);
}
END_TEST

START_TEST(listener_refused)
{
	int fd = start_with_listener(), client;
	char c;

	fake_stream(&f, STREAM_STDOUT);
	for (unsigned k = 1; k < 4; k++) {
		client = connect_client(fd);
		ck_assert_uint_eq(fake_expect(&f, CTL_CONNECT).bytes, k);
		fake_end(&f, stream_connection_in(k), 0);
		ck_assert_int_eq(read(client, &c, 1), 0);
		close(client);
	}
	fake_end(&f, STREAM_STDOUT, 0);
	fake_exit(&f, 0);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shim_passed");
	TCase *tc = tcase_create("passed");
	SRunner *sr = srunner_create(s);
	int failed;

	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, passed_pipes);
	tcase_add_test(tc, passed_socket);
	tcase_add_test(tc, passed_socket_not_read);
	tcase_add_test(tc, listener);
	tcase_add_test(tc, listener_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
