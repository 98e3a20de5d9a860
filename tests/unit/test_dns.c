/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNS relay: one end of it in a loop, the test being the client or resolver at its local
 * socket and the other side of the VM at its connection.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "proto/dns.h"
#include "proto/frame.h"
#include "sandbox.h"
#include "suite.h"

static struct {
	struct loop *loop;
	struct dns_relays set;
	struct loop_src wake;
} t;

static void on_wake(struct loop_src *src, uint32_t events)
{
	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(src->loop, 1);
}

static void setup(void)
{
	struct kata_err err = { 0 };

	t.loop = loop_new(&err);
	ck_assert_ptr_nonnull(t.loop);
	ck_assert_int_eq(dns_relays_init(&t.set, t.loop), 0);
	t.wake.fn = on_wake;
	ck_assert_int_eq(loop_add(t.loop, &t.wake, loop_timer(), EPOLLIN), 0);
}

/* Let the loop work until @fd has something to read, or for good when it never has. */
static void until_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct kata_err err = { 0 };

	for (int i = 0; poll(&p, 1, 0) == 0; i++) {
		ck_assert_int_lt(i, 5000);
		ck_assert_int_eq(loop_timer_set(t.wake.fd, 1), 0);
		ck_assert_int_eq(loop_run(t.loop, &err), 1);
	}
}

static void turn(uint64_t ms)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_timer_set(t.wake.fd, ms), 0);
	ck_assert_int_eq(loop_run(t.loop, &err), 1);
}

/* Read exactly this. */
static void gets(int fd, const void *want, size_t len)
{
	unsigned char got[DNS_DATAGRAM_MAX + 64];
	size_t n = 0;

	while (n < len) {
		ssize_t r;

		until_readable(fd);
		r = read(fd, got + n, sizeof(got) - n);
		ck_assert_int_gt(r, 0);
		n += (size_t)r;
	}
	ck_assert_uint_eq(n, len);
	ck_assert_mem_eq(got, want, len);
}

static void ends(int fd)
{
	char c;

	until_readable(fd);
	ck_assert_int_le(read(fd, &c, 1), 0);
}

static void says(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
}

static struct sockaddr_in port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t size = sizeof(a);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	return a;
}

static int udp_socket(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	return fd;
}

static void join(int a, int b)
{
	struct sockaddr_in to = port_of(b);

	ck_assert_int_eq(connect(a, (const struct sockaddr *)&to, sizeof(to)), 0);
}

/* A pair of which the relay gets the first. */
static struct dns_ends make(int protocol, int *ret_local, int *ret_peer)
{
	struct dns_ends e = { .protocol = protocol };
	int pair[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, pair), 0);
	e.peer = pair[0];
	*ret_peer = pair[1];
	if (protocol == IPPROTO_TCP) {
		ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, pair), 0);
		e.local = pair[0];
		*ret_local = pair[1];
		return e;
	}
	e.local = udp_socket();
	*ret_local = udp_socket();
	join(e.local, *ret_local);
	join(*ret_local, e.local);
	return e;
}

START_TEST(datagrams)
{
	static unsigned char big[2 + DNS_DATAGRAM_MAX] = { DNS_DATAGRAM_MAX >> 8, 0 };
	int local, peer;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_UDP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	says(peer, "\0\3ab", 4); /* in pieces, and two at once */
	turn(5);
	says(peer, "c\0\1d\0", 5);
	gets(local, "abc", 3);
	gets(local, "d", 1);
	says(peer, "\2xy", 3);
	gets(local, "xy", 2);
	says(local, "answer", 6);
	says(local, "another", 7);
	gets(peer, "\0\6answer\0\7another", 17);
	says(local, "", 0); /* nothing, and one too long: both are lost */
	says(local, big, sizeof(big));
	says(local, big + 2, sizeof(big) - 2);
	gets(peer, big, sizeof(big));
	says(peer, big, sizeof(big));
	gets(local, big + 2, sizeof(big) - 2);
	ck_assert_uint_eq(t.set.n, 1);
	close(peer);
	turn(20);
	ck_assert_uint_eq(t.set.n, 0);
}
END_TEST

START_TEST(hostile_lengths)
{
	static const char *const bad[] = { "\0\0", "\x40\1" };

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int local, peer;
		struct dns_ends e = make(IPPROTO_UDP, &local, &peer);

		ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
		says(peer, bad[i], 2);
		ends(peer);
		ck_assert_uint_eq(t.set.n, 0);
	}
}
END_TEST

START_TEST(client_that_is_gone)
{
	int local, peer;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_UDP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	close(local);
	says(peer, "\0\1a\0\1b", 6); /* the first brings an ICMP back */
	ends(peer);
	ck_assert_uint_eq(t.set.n, 0);
}
END_TEST

START_TEST(hello_goes_first)
{
	static const unsigned char want[] = { 'D', 'T', 'A', 'K', 17, 0, 0, 0, 0, 1, 'a' };
	struct sockaddr_in client = { .sin_family = AF_INET, .sin_port = 7 }, other;
	int local, peer;
	struct dns_relay *r;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_UDP, &local, &peer);
	e.say_hello = e.connecting = true;
	e.client = client;
	r = dns_relay_add_take(&t.set, &e);
	dns_relay_push(r, "a", 1);
	gets(peer, want, sizeof(want));
	ck_assert_ptr_eq(dns_relay_find(&t.set, &client), r);
	other = client;
	other.sin_port = 8;
	ck_assert_ptr_null(dns_relay_find(&t.set, &other));
}
END_TEST

START_TEST(connections)
{
	int local, peer;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_TCP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	says(local, "\0\5query", 7);
	gets(peer, "\0\5query", 7);
	/* a client that says no more still gets its answer, and then the end */
	shutdown(local, SHUT_WR);
	turn(5);
	says(peer, "\0\6answer", 8);
	close(peer);
	gets(local, "\0\6answer", 8);
	ends(local);
	ck_assert_uint_eq(t.set.n, 0);
	/* one that said nothing wanted nothing */
	e = make(IPPROTO_TCP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	close(local);
	ends(peer);
	ck_assert_uint_eq(t.set.n, 0);
}
END_TEST

START_TEST(lingering_ends)
{
	int local, peer;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_TCP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	says(local, "q", 1);
	gets(peer, "q", 1);
	close(local);
	turn(DNS_LINGER_MS / 2);
	ck_assert_uint_eq(t.set.n, 1);
	turn(DNS_LINGER_MS);
	ck_assert_uint_eq(t.set.n, 0);
	ends(peer);
}
END_TEST

/* Who does not read is not read from. */
START_TEST(memory_is_bounded)
{
	static const char data[4096];
	size_t sent[2] = { 0, 0 };
	int local, peer;
	struct dns_ends e;

	setup();
	e = make(IPPROTO_TCP, &local, &peer);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	for (int i = 0; i < 400; i++) {
		const int fds[] = { local, peer };

		for (int k = 0; k < 2; k++) {
			ssize_t n = write(fds[k], data, sizeof(data));

			sent[k] += n > 0 ? (size_t)n : 0;
		}
		turn(1);
	}
	/* two sockets' worth and one buffer, not the 1.6 MB */
	ck_assert_uint_lt(sent[0], 1000000);
	ck_assert_uint_lt(sent[1], 1000000);
	ck_assert_uint_eq(t.set.n, 1);
}
END_TEST

START_TEST(numbers_are_bounded)
{
	int local[DNS_MAX_RELAYS + 2], peer[DNS_MAX_RELAYS + 2];
	struct dns_ends e;

	setup();
	/* those of TCP too: 128 idle connections would be the guest's last for half a minute */
	for (int i = 0; i < DNS_MAX_RELAYS; i++) {
		e = make(i % 2 ? IPPROTO_TCP : IPPROTO_UDP, &local[i], &peer[i]);
		ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	}
	turn(20);
	says(local[0], "x", 1); /* the first is in use, so the second goes */
	gets(peer[0], "\0\1x", 3);
	turn(5);
	e = make(IPPROTO_UDP, &local[DNS_MAX_RELAYS], &peer[DNS_MAX_RELAYS]);
	ck_assert_ptr_nonnull(dns_relay_add_take(&t.set, &e));
	ck_assert_uint_eq(t.set.n, DNS_MAX_RELAYS);
	ends(peer[1]);
	says(local[0], "x", 1);
	gets(peer[0], "\0\1x", 3);
}
END_TEST

/* --- the host's end, in a network namespace with a resolver */

static int resolver(int type)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(0x7f00000b) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static bool enter_netns(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	return true;
}

START_TEST(host_reaches_the_resolver)
{
	struct sandbox sb = { 0 };
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int udp, tcp, peer[2], fd;
	char got[8];

	if (!enter_netns())
		return; /* not root: nothing to test here */
	setup();
	sb.loop = t.loop;
	udp = resolver(SOCK_DGRAM);
	tcp = resolver(SOCK_STREAM);
	/* not without being switched on */
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	dns_client_take(&sb, IPPROTO_UDP, peer[0]);
	ends(peer[1]);
	ck_assert_int_eq(dns_relay_enable(&sb, true), 0);
	ck_assert_int_eq(dns_relay_enable(&sb, true), 0);
	ck_assert(dns_relay_is_enabled(&sb));

	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	dns_client_take(&sb, IPPROTO_UDP, peer[0]);
	says(peer[1], "\0\3ask", 5);
	until_readable(udp);
	ck_assert_int_eq(
		recvfrom(udp, got, sizeof(got), 0, (struct sockaddr *)&from, &size), 3);
	ck_assert_int_eq(sendto(udp, "told", 4, 0, (struct sockaddr *)&from, size), 4);
	gets(peer[1], "\0\4told", 6);

	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	dns_client_take(&sb, IPPROTO_TCP, peer[0]);
	says(peer[1], "ask", 3);
	until_readable(tcp);
	fd = sock_accept(tcp);
	gets(fd, "ask", 3);
	says(fd, "told", 4);
	gets(peer[1], "told", 4);
	ck_assert_uint_eq(sb.dns.n, 2);
	ck_assert_int_eq(dns_relay_enable(&sb, false), 0);
	ends(peer[1]);

	/* no resolver: the guest's client is let go */
	ck_assert_int_eq(dns_relay_enable(&sb, true), 0);
	close(tcp);
	close(udp);
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, peer), 0);
	dns_client_take(&sb, IPPROTO_TCP, peer[0]);
	ends(peer[1]);
	dns_relays_done(&sb.dns);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		datagrams,	   hostile_lengths,	client_that_is_gone,
		hello_goes_first,  connections,		lingering_ends,
		memory_is_bounded, numbers_are_bounded, host_reaches_the_resolver,
	};

	return suite_run("dns", tests, ARRAY_SIZE(tests));
}
