/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay of forwarded connections: the host's end and the guest's in one loop, the test being whoever
 * connects and the server; and one end alone, the test being a hostile other side.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "proto/forward.h"
#include "proto/frame.h"
#include "suite.h"

static struct {
	struct loop *loop;
	struct forward_set host, guest;
	struct loop_src wake;
	unsigned ended;
} t;

static void on_wake(struct loop_src *src, uint32_t events)
{
	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(src->loop, 1);
}

static void on_end(struct forward_set *set)
{
	(void)set;
	t.ended++;
}

static void setup(void)
{
	struct kata_err err = { 0 };

	t.loop = loop_new(&err);
	ck_assert_ptr_nonnull(t.loop);
	t.host = (struct forward_set){ .loop = t.loop, .on_end = on_end };
	t.guest = (struct forward_set){ .loop = t.loop, .on_end = on_end };
	t.wake.fn = on_wake;
	ck_assert_int_eq(loop_add(t.loop, &t.wake, loop_timer(), EPOLLIN), 0);
}

static void teardown(void)
{
	forwards_done(&t.host);
	forwards_done(&t.guest);
	loop_free(t.loop);
}

static void turn(void)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_timer_set(t.wake.fd, 1), 0);
	ck_assert_int_eq(loop_run(t.loop, &err), 1);
}

static void until(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (int i = 0; poll(&p, 1, 0) == 0; i++) {
		ck_assert_int_lt(i, 5000);
		turn();
	}
}

static void until_gone(void)
{
	for (int i = 0; t.host.n || t.guest.n; i++) {
		ck_assert_int_lt(i, 5000);
		turn();
	}
}

/* A TCP connection over loopback: a reset is to be seen. */
static void tcp(int ret[2])
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(l, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&in, &len), 0);
	ret[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(ret[0], (struct sockaddr *)&in, len), 0);
	ck_assert_int_eq(fcntl(ret[0], F_SETFL, O_NONBLOCK), 0);
	ret[1] = sock_accept(l);
	ck_assert_int_ge(ret[1], 0);
	close(l);
}

/** struct line - @client ... host's relay - guest's relay ... @server */
struct line {
	int client, server;
};

static struct line line(void)
{
	int a[2], b[2], peer[2];

	tcp(a);
	tcp(b);
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	forward_add_take(&t.host, &(struct forward_ends){ true, a[1], peer[0], 0 });
	forward_add_take(&t.guest, &(struct forward_ends){ false, b[1], peer[1], 0 });
	return (struct line){ a[0], b[0] };
}

/* The host's end alone. Return: the client; *@ret_peer is the test's. */
static int half(bool host, int *ret_peer)
{
	int a[2], peer[2];

	tcp(a);
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	forward_add_take(host ? &t.host : &t.guest,
			 &(struct forward_ends){ host, a[1], peer[0], 0 });
	*ret_peer = peer[1];
	return a[0];
}

static void says(int fd, const void *data, size_t n)
{
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
}

static void hears(int fd, const char *want, size_t n)
{
	char got[64];

	for (size_t at = 0; at < n;) {
		ssize_t r;

		until(fd, POLLIN);
		r = read(fd, got + at, n - at);
		ck_assert_int_gt(r, 0);
		at += (size_t)r;
	}
	ck_assert_mem_eq(got, want, n);
}

static void ends(int fd)
{
	char c;

	until(fd, POLLIN);
	ck_assert_int_eq(read(fd, &c, 1), 0);
}

/* A read does not tell it of a connection whose other side had said its last word before. */
static void breaks(int fd)
{
	struct pollfd p = { .fd = fd };

	for (int i = 0; poll(&p, 1, 0) == 0 || !(p.revents & POLLERR); i++) {
		ck_assert_int_lt(i, 5000);
		turn();
	}
}

START_TEST(frames)
{
	static const unsigned char wire[] = { 2, 0, 'a', 'b', 0, 0, 0xff, 0xff };
	static const int want[] = { FORWARD_DATA, FORWARD_END, FORWARD_OVER,
				    FORWARD_NOTHING };
	struct buf b = { .max = 64 };
	struct forward_in in = { 0 };
	size_t seen = 0;

	/* byte by byte */
	for (size_t i = 0; i <= sizeof(wire); i++) {
		int what;

		while ((what = forward_next(&in, &b)) > 0) {
			if (what == FORWARD_DATA) {
				buf_consume(&b, 1);
				in.left--;
				seen += in.left == 0;
			} else {
				seen++;
			}
			ck_assert_int_eq(what, want[seen ? seen - 1 : 0]);
		}
		ck_assert_int_eq(what, FORWARD_NOTHING);
		if (i < sizeof(wire))
			buf_add(&b, &wire[i], 1);
	}
	ck_assert_uint_eq(seen, 3);
	buf_done(&b);
}
END_TEST

START_TEST(both_ways_and_half_closed)
{
	struct line l;

	setup();
	l = line();
	says(l.client, "ask", 3);
	hears(l.server, "ask", 3);
	says(l.server, "told", 4);
	hears(l.client, "told", 4);
	/* the client has no more to say; the server has */
	ck_assert_int_eq(shutdown(l.client, SHUT_WR), 0);
	ends(l.server);
	says(l.server, "more", 4);
	hears(l.client, "more", 4);
	ck_assert_uint_eq(t.host.n + t.guest.n, 2);
	close(l.server);
	ends(l.client);
	until_gone();
	ck_assert_uint_eq(t.ended, 2);
	close(l.client);
	/* and the other way round */
	l = line();
	ck_assert_int_eq(shutdown(l.server, SHUT_WR), 0);
	ends(l.client);
	says(l.client, "late", 4);
	hears(l.server, "late", 4);
	close(l.client);
	ends(l.server);
	until_gone();
	close(l.server);
	teardown();
}
END_TEST

START_TEST(resets_are_passed_on)
{
	struct line l;

	setup();
	l = line();
	says(l.client, "x", 1);
	hears(l.server, "x", 1);
	forward_reset(l.client);
	breaks(l.server);
	until_gone();
	close(l.server);

	l = line();
	says(l.server, "x", 1);
	hears(l.client, "x", 1);
	forward_reset(l.server);
	breaks(l.client);
	until_gone();
	close(l.client);

	/* of one that has said its last word before */
	l = line();
	ck_assert_int_eq(shutdown(l.client, SHUT_WR), 0);
	ends(l.server);
	forward_reset(l.client);
	breaks(l.server);
	until_gone();
	close(l.server);
	teardown();
}
END_TEST

/* As much as fits is taken from a client whose server does not read; then it waits, and nothing is lost. */
START_TEST(back_pressure)
{
	static unsigned char block[1 << 16], got[1 << 16];
	size_t sent = 0, received = 0;
	struct line l;
	ssize_t n;

	setup();
	l = line();
	for (int full = 0; full < 50;) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (unsigned char)((sent + i) * 2654435761u >> 13);
		n = write(l.client, block, sizeof(block));
		full = n < 0 ? full + 1 : 0;
		sent += n > 0 ? (size_t)n : 0;
		ck_assert_uint_lt(sent, 256u << 20);
		turn();
	}
	ck_assert_uint_eq(t.host.n + t.guest.n, 2);
	close(l.client);
	while (received < sent) {
		until(l.server, POLLIN);
		n = read(l.server, got, sizeof(got));
		ck_assert_int_gt(n, 0);
		for (size_t i = 0; i < (size_t)n; i++)
			ck_assert_uint_eq(
				got[i],
				(unsigned char)((received + i) * 2654435761u >> 13));
		received += (size_t)n;
	}
	ends(l.server);
	close(l.server);
	until_gone();
	teardown();
}
END_TEST

/* A client that resets while the server's bytes are on their way: what comes is dropped, and it ends. */
START_TEST(reset_under_load)
{
	static const char block[1 << 16];
	struct line l;

	setup();
	l = line();
	while (write(l.server, block, sizeof(block)) > 0)
		turn();
	forward_reset(l.client);
	until_gone();
	until(l.server, POLLIN);
	close(l.server);
	teardown();
}
END_TEST

START_TEST(hostile_frames)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "\xe1\x6f", 2 },	 /* longer than any */
		{ "\xfe\xff", 2 },	 /* ... */
		{ "\0\0\1\0x", 5 },	 /* data behind the end */
		{ "\0\0\0\0", 4 },	 /* two ends */
		{ "\xff\xff", 2 },	 /* over, with nothing ended */
		{ "\0\0\xff\xff", 4 },	 /* the client has not */
		{ "\3\0ab\xff\xff", 6 }, /* in the middle of a frame: that is data */
	};
	int peer, client;

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		client = half(true, &peer);
		says(peer, rows[i].bytes, rows[i].n);
		if (i == ARRAY_SIZE(rows) - 1) {
			hears(client, "ab\xff", 3);
			close(peer);
		}
		breaks(client);
		until_gone();
		close(client);
		if (i < ARRAY_SIZE(rows) - 1)
			close(peer);
	}
	teardown();
}
END_TEST

/* The host does not close before the guest has said OVER; the guest not before the host has closed. */
START_TEST(who_closes)
{
	char word[2];
	int peer, client;

	setup();
	client = half(true, &peer);
	forward_reset(client);
	hears(peer, "\xff\xff", 2);
	for (int i = 0; i < 300; i++) {
		says(peer, "\4\0left", 6); /* is read and dropped */
		turn();
	}
	ck_assert_uint_eq(t.host.n, 1);
	says(peer, "\xff\xff", 2);
	ends(peer);
	ck_assert_uint_eq(t.host.n, 0);
	close(peer);

	client = half(false, &peer);
	close(client);
	hears(peer, "\0\0", 2);
	says(peer, "\0\0", 2);
	hears(peer, "\xff\xff", 2);
	turn();
	ck_assert_uint_eq(t.guest.n, 1);
	ck_assert_int_eq(read(peer, word, 2), -1);
	close(peer);
	until_gone();
	teardown();
}
END_TEST

START_TEST(numbers_are_bounded)
{
	int peer[FORWARD_MAX], client[FORWARD_MAX], one, two;

	setup();
	for (unsigned i = 0; i < FORWARD_MAX; i++)
		client[i] = half(true, &peer[i]);
	ck_assert_uint_eq(t.host.n, FORWARD_MAX);
	one = half(true, &two);
	ck_assert_uint_eq(t.host.n, FORWARD_MAX);
	breaks(one);
	ends(two);
	for (unsigned i = 0; i < FORWARD_MAX; i++) {
		close(peer[i]);
		close(client[i]);
	}
	until_gone();
	teardown();
}
END_TEST

START_TEST(hello_goes_first)
{
	int a[2], peer[2];

	setup();
	tcp(a);
	says(a[0], "x", 1);
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	forward_add_take(&t.guest, &(struct forward_ends){ false, a[1], peer[0],
							   0x0807060504030201u });
	hears(peer[1], "STAK\1\2\3\4\5\6\7\10\1\0x", 15);
	close(a[0]);
	close(peer[1]);
	until_gone();
	teardown();
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		frames,	       both_ways_and_half_closed, resets_are_passed_on,
		back_pressure, reset_under_load,	  hostile_frames,
		who_closes,    numbers_are_bounded,	  hello_goes_first,
	};

	return suite_run("forward", tests, ARRAY_SIZE(tests));
}
