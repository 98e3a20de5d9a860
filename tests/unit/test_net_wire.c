/* SPDX-License-Identifier: Apache-2.0 */
/* net: tap, tc, watch and trace against a real kernel, in a network namespace of the test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "net/tap.h"
#include "net/tc.h"
#include "net/trace.h"
#include "net/watch.h"
#include "netns_bed.h"

/* struct virtio_net_hdr: in front of each frame of a tap with IFF_VNET_HDR */
#define VNET_HDR 10

/* --- tap and tc -------------------------------------------------------------------------- */

static struct tap make_tap(unsigned queues)
{
	struct kata_err err = { 0 };
	struct tap t;

	ck_assert_msg(tap_open(queues, &t, &err) == 0, "%s", err.msg);
	return t;
}

START_TEST(a_tap_goes_with_its_descriptors)
{
	struct tap a, b;

	if (!own_network() || !has_tun())
		return;
	RUN("ip link add kata0 type veth peer name p0"); /* somebody had the name */
	a = make_tap(1);
	b = make_tap(4);
	ck_assert_str_eq(a.name, "kata1");
	ck_assert_str_eq(b.name, "kata2");
	ck_assert_int_eq(a.index, index_of("kata1"));
	ck_assert_uint_eq(b.queues, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_ge(b.fd[i], 0);
	ck_assert_int_eq(b.fd[4], -1);
	RUN("ip -d link show kata2 | grep -q multi_queue && ip -d link show kata2 | grep -q vnet_hdr");
	tap_close(&b);
	tap_close(&a);
	RUN("! ip link show kata1 2>/dev/null && ! ip link show kata2 2>/dev/null");
}
END_TEST

static int packet_socket(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = index_of(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static const unsigned char frame[64] = {
	2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, 'h', 'e', 'l', 'l', 'o',
};

/* Does our frame come out of @fd within a second? @skip: bytes in front of it. */
static bool comes(int fd, size_t skip)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char got[2048];

	while (poll(&p, 1, 1000) > 0) {
		ssize_t n = read(fd, got, sizeof(got));

		if (n >= (ssize_t)(skip + sizeof(frame)) &&
		    memcmp(got + skip, frame, sizeof(frame)) == 0)
			return true;
	}
	return false;
}

static void wire(struct nl_sock *sk, int index, int tap)
{
	struct kata_err err = { 0 };

	int had = tc_has_ingress(sk, index, &err);

	ck_assert_int_ge(had, 0);
	ck_assert_msg(tc_wire(sk, index, tap, !had, &err) == 0, "%s", err.msg);
}

static void unwire(struct nl_sock *sk, int index, bool qdisc)
{
	struct kata_err err = { 0 };

	ck_assert_msg(tc_unwire(sk, index, qdisc, &err) == 0, "%s", err.msg);
}

/* What the guest sends when its tap stands alone: nobody takes it. */
static bool comes_out(struct tap *t, int peer)
{
	unsigned char with_header[VNET_HDR + sizeof(frame)] = { 0 };

	ck_assert_int_eq(write(peer, frame, sizeof(frame)), sizeof(frame));
	return comes(t->fd[0], VNET_HDR) ||
	       write(t->fd[0], with_header, sizeof(with_header)) >= 0 || errno != EIO;
}

static void unwire_tap(struct nl_sock *sk, struct tap *t)
{
	struct kata_err err = { 0 };

	ck_assert_msg(tc_unwire_tap(sk, t->index, &err) == 0, "%s", err.msg);
}

static bool crosses(struct tap *t, int peer)
{
	unsigned char with_header[VNET_HDR + sizeof(frame)] = { 0 };

	memcpy(with_header + VNET_HDR, frame, sizeof(frame));
	ck_assert_int_eq(write(peer, frame, sizeof(frame)), sizeof(frame));
	if (!comes(t->fd[0], VNET_HDR))
		return false;
	ck_assert_int_eq(write(t->fd[0], with_header, sizeof(with_header)),
			 sizeof(with_header));
	return comes(peer, 0);
}

START_TEST(frames_cross_the_wire)
{
	AUTO_NL *sk = NULL;
	struct tap t;
	int peer;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up");
	t = make_tap(1);
	peer = packet_socket("p0");
	wire(sk, index_of("eth0"), t.index);
	ck_assert(crosses(&t, peer));
	wire(sk, index_of("eth0"), t.index); /* once more is the same */
	ck_assert(crosses(&t, peer));
	unwire(sk, index_of("eth0"), true);
	unwire_tap(sk, &t);
	ck_assert(!comes_out(&t, peer));
	RUN("test -z \"$(tc qdisc show dev eth0 ingress)$(tc filter show dev eth0 ingress)\"");
	unwire(sk, index_of("eth0"), true); /* nothing there is fine */
	RUN("ip link del eth0");
	unwire(sk, 9999, true);
	tap_close(&t);
	close(peer);
}
END_TEST

/* Both ways, a frame of 14 bytes and one more, of which a selector on the packet would find nothing. */
START_TEST(short_frames_cross_too)
{
	AUTO_NL *sk = NULL;
	unsigned char out[VNET_HDR + 15] = { 0 };
	struct pollfd p = { .events = POLLIN };
	unsigned char got[2048];
	struct tap t;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up");
	t = make_tap(1);
	p.fd = packet_socket("p0");
	wire(sk, index_of("eth0"), t.index);
	memcpy(out + VNET_HDR, frame, 12);
	out[VNET_HDR + 12] = 8; /* IPv4 */
	ck_assert_int_eq(write(t.fd[0], out, sizeof(out)), sizeof(out));
	do /* the kernel says something on it, too */
		ck_assert_int_eq(poll(&p, 1, 1000), 1);
	while (read(p.fd, got, sizeof(got)) < 15 || memcmp(got, frame, 12) != 0);
	RUN("test $(awk '$1 == \"Ip:\" && $3 ~ /[0-9]/ { print $4 }' /proc/net/snmp) = 0");
	tap_close(&t);
	close(p.fd);
}
END_TEST

/* An IPv4 or ARP frame on @peer: does it come to @fd? */
static bool passes(int peer, int fd, size_t skip, const unsigned char *what, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char got[2048];

	ck_assert_int_eq(write(peer, what, len), (ssize_t)len);
	while (poll(&p, 1, 300) > 0) {
		ssize_t n = read(fd, got, sizeof(got));

		if (n >= (ssize_t)(skip + len) && memcmp(got + skip, what, len) == 0)
			return true;
	}
	return false;
}

/* UDP 10.0.0.2:53 -> 10.0.0.1:@port, to the MAC of eth0 */
static void make_answer(unsigned char f[60], unsigned port, unsigned from)
{
	const unsigned char head[] = { 2, 0, 0,	 0, 0, 1,  2,  0, 0, 0, 0,  2,
				       8, 0, 69, 0, 0, 46, 0,  0, 0, 0, 64, 17,
				       0, 0, 10, 0, 0, 2,  10, 0, 0, 1 };
	unsigned sum = 0;

	memset(f, 0, 60);
	memcpy(f, head, sizeof(head));
	f[34] = (unsigned char)(from >> 8);
	f[35] = (unsigned char)from;
	f[36] = (unsigned char)(port >> 8);
	f[37] = (unsigned char)port;
	f[39] = 26; /* length; no checksum */
	for (int i = 14; i < 34; i += 2)
		sum += (unsigned)f[i] << 8 | f[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	f[24] = (unsigned char)(sum >> 8);
	f[25] = (unsigned char)sum;
}

static int udp_socket(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static bool is_heard(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned char got[64];

	return poll(&p, 1, 300) == 1 && read(fd, got, sizeof(got)) == 18;
}

START_TEST(answers_of_dns_servers_reach_the_stack)
{
	static const unsigned char arp[60] = {
		2, 0, 0, 0, 0, 1, 2, 0,	 0, 0, 0, 2, 8, 6, 0, 1, 8, 0,	6, 4, 0,
		2, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1
	};
	const struct {
		unsigned from, to;
		bool host;
	} cases[] = { { 53, 61440, true },
		      { 53, 65535, true },
		      { 53, 61439, false },
		      { 53, 40000, false },
		      { 54, 61440, false } };
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };
	unsigned char f[60];
	struct tap t;
	int peer, e;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 address 02:00:00:00:00:01 type veth peer name p0;"
	    "ip link set eth0 up; ip link set p0 up; ip addr add 10.0.0.1/24 dev eth0");
	t = make_tap(1);
	peer = packet_socket("p0");
	e = index_of("eth0");
	wire(sk, e, t.index);
	ck_assert(passes(peer, t.fd[0], VNET_HDR, arp, sizeof(arp)));
	RUN("test -z \"$(ip neigh show 10.0.0.2)\"");
	for (int again = 0; again < 2; again++)
		ck_assert_msg(tc_admit_dns(sk, e, t.index, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = udp_socket(cases[i].to);

		make_answer(f, cases[i].to, cases[i].from);
		ck_assert_int_eq(passes(peer, t.fd[0], VNET_HDR, f, sizeof(f)),
				 !cases[i].host);
		ck_assert_int_eq(is_heard(fd), cases[i].host);
		close(fd);
	}
	/* to both; the stack takes it because it has asked */
	RUN("ip neigh add 10.0.0.2 dev eth0 nud incomplete");
	ck_assert(passes(peer, t.fd[0], VNET_HDR, arp, sizeof(arp)));
	RUN("ip neigh show 10.0.0.2 | grep -q 02:00:00:00:00:02");
	ck_assert(crosses(&t, peer));
	unwire(sk, e, true);
	RUN("test -z \"$(tc filter show dev eth0 ingress)\"");
	tap_close(&t);
	close(peer);
}
END_TEST

/* A part of UDP 10.0.0.2:53 -> 10.0.0.1:@port with 28 bytes of data, in two: 16 and 12. */
static void make_part(unsigned char f[60], unsigned port, bool first)
{
	unsigned sum = 0;

	make_answer(f, port, 53);
	f[17] = first ? 44 : 32;
	f[18] = 7;		  /* id */
	f[20] = first ? 0x20 : 0; /* more follow */
	f[21] = first ? 0 : 3;
	f[39] = 36;
	f[24] = f[25] = 0;
	for (int i = 14; i < 34; i += 2)
		sum += (unsigned)f[i] << 8 | f[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	f[24] = (unsigned char)(sum >> 8);
	f[25] = (unsigned char)sum;
}

START_TEST(answers_in_fragments_reach_the_stack)
{
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };
	unsigned char f[60], got[64];
	struct tap t;
	int peer, fd;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 address 02:00:00:00:00:01 type veth peer name p0;"
	    "ip link set eth0 up; ip link set p0 up; ip addr add 10.0.0.1/24 dev eth0");
	t = make_tap(1);
	peer = packet_socket("p0");
	wire(sk, index_of("eth0"), t.index);
	ck_assert_msg(tc_admit_dns(sk, index_of("eth0"), t.index, &err) == 0, "%s",
		      err.msg);
	fd = udp_socket(61440);
	make_part(f, 61440, true);
	ck_assert(!passes(peer, t.fd[0], VNET_HDR, f, sizeof(f)));
	make_part(f, 61440, false); /* whose it is cannot be seen */
	ck_assert(passes(peer, t.fd[0], VNET_HDR, f, sizeof(f)));
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000),
			 1);
	ck_assert_int_eq(read(fd, got, sizeof(got)), 28);
	close(fd);
	fd = udp_socket(40000);
	for (int first = 1; first >= 0; first--) {
		make_part(f, 40000, first);
		ck_assert(passes(peer, t.fd[0], VNET_HDR, f, sizeof(f)));
	}
	ck_assert(!is_heard(fd));
	close(fd);
	tap_close(&t);
	close(peer);
}
END_TEST

#define PART6_MAX 82

/* The same over IPv6, fd00::2 to fd00::1: parts of 16 and 20 bytes behind the fragment header. */
static size_t make_part6(unsigned char f[PART6_MAX], unsigned port, bool first)
{
	unsigned char head[62] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60 };
	const unsigned udp[] = { 53, port, 36, 0 };
	/* of the pseudo-header's addresses, length and protocol, and of UDP's header */
	unsigned sum = 2 * 0xfd00u + 2 + 1 + 36 + 17 + 53 + port + 36;

	head[19] = first ? 24 : 28; /* length behind the IPv6 header */
	head[20] = 44;		    /* a fragment header, */
	head[21] = 64;
	head[22] = head[38] = 0xfd;
	head[37] = 2;
	head[53] = 1;
	head[54] = 17;		   /* UDP behind it */
	head[57] = first ? 1 : 16; /* offset; bit 0: more follow */
	head[61] = 9;		   /* id */
	memset(f, 0, PART6_MAX);
	memcpy(f, head, sizeof(head));
	for (size_t i = 0; first && i < ARRAY_SIZE(udp); i++) {
		f[62 + 2 * i] = (unsigned char)(udp[i] >> 8);
		f[63 + 2 * i] = (unsigned char)udp[i];
	}
	sum = ~((sum & 0xffff) + (sum >> 16));
	if (first) {
		f[68] = (unsigned char)(sum >> 8);
		f[69] = (unsigned char)sum;
	}
	return first ? 78 : PART6_MAX;
}

static int udp6_socket(unsigned port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

START_TEST(ipv6_answers_in_fragments_reach_the_stack)
{
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };
	unsigned char f[PART6_MAX], got[64];
	struct pollfd p = { .events = POLLIN };
	struct tap t;
	size_t len;
	int peer;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 address 02:00:00:00:00:01 type veth peer name p0;"
	    "ip link set eth0 up; ip link set p0 up; ip addr add fd00::1/64 dev eth0 nodad");
	t = make_tap(1);
	peer = packet_socket("p0");
	wire(sk, index_of("eth0"), t.index);
	ck_assert_msg(tc_admit_dns(sk, index_of("eth0"), t.index, &err) == 0, "%s",
		      err.msg);
	p.fd = udp6_socket(61440);
	len = make_part6(f, 61440, true);
	ck_assert(!passes(peer, t.fd[0], VNET_HDR, f, len));
	len = make_part6(f, 61440, false);
	ck_assert(passes(peer, t.fd[0], VNET_HDR, f, len));
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	ck_assert_int_eq(read(p.fd, got, sizeof(got)), 28);
	close(p.fd);
	p.fd = udp6_socket(40000);
	for (int first = 1; first >= 0; first--) {
		len = make_part6(f, 40000, first);
		ck_assert(passes(peer, t.fd[0], VNET_HDR, f, len));
	}
	ck_assert_int_eq(poll(&p, 1, 300), 0);
	close(p.fd);
	tap_close(&t);
	close(peer);
}
END_TEST

START_TEST(what_was_there_stays)
{
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };
	struct tap t;
	int peer, e;

	if (!own_network() || !has_tun())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up;"
	    "tc qdisc add dev eth0 ingress;"
	    "tc filter add dev eth0 ingress prio 7 protocol ip u32 match ip dst 9.9.9.9/32 "
	    "flowid :1");
	t = make_tap(1);
	peer = packet_socket("p0");
	e = index_of("eth0");
	ck_assert_int_eq(tc_has_ingress(sk, e, &err), 1);
	ck_assert_int_eq(tc_has_ingress(sk, t.index, &err), 0);
	wire(sk, e, t.index);
	ck_assert(crosses(&t, peer));
	unwire(sk, e, false);
	RUN("tc filter show dev eth0 ingress | grep -q 'pref 7' &&"
	    "! tc filter show dev eth0 ingress | grep -q mirred");
	tap_close(&t);
	close(peer);
}
END_TEST

START_TEST(a_failed_wire_leaves_nothing)
{
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0");
	ck_assert_int_eq(tc_wire(sk, index_of("eth0"), 9999, true, &err), -ENODEV);
	ck_assert_ptr_nonnull(strstr(err.msg, "interface 9999"));
	RUN("test -z \"$(tc qdisc show dev eth0 ingress)\"");
}
END_TEST

/* --- watch ------------------------------------------------------------------------------- */

struct heard {
	int gone[16];
	size_t n;
};

static void on_gone(void *arg, int index)
{
	struct heard *h = arg;

	if (h->n < ARRAY_SIZE(h->gone))
		h->gone[h->n++] = index;
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

START_TEST(changes_are_told)
{
	struct kata_err err = { 0 };
	struct heard h = { .n = 0 };
	int fd, index;

	if (!own_network())
		return;
	fd = net_watch_open(&err);
	ck_assert_int_ge(fd, 0);
	ck_assert(!is_readable(fd));
	RUN("ip link add eth0 type veth peer name p0");
	index = index_of("eth0");
	ck_assert(is_readable(fd));
	ck_assert(!net_watch_drain(fd, on_gone, &h));
	ck_assert_uint_eq(h.n, 0);
	RUN("ip addr add 10.0.0.1/24 dev eth0");
	ck_assert(is_readable(fd));
	ck_assert(!net_watch_drain(fd, on_gone, &h));
	RUN("ip rule add from 10.0.0.1 table 7");
	ck_assert(is_readable(fd));
	ck_assert(!net_watch_drain(fd, on_gone, &h));
	ck_assert(!is_readable(fd));
	RUN("ip link del eth0");
	ck_assert(!net_watch_drain(fd, on_gone, &h));
	ck_assert(h.n == 2 && (h.gone[0] == index || h.gone[1] == index));
	close(fd);
}
END_TEST

START_TEST(a_flood_is_survived)
{
	struct kata_err err = { 0 };
	struct heard h = { .n = 0 };
	bool lost = false;
	int fd;

	if (!own_network())
		return;
	fd = net_watch_open(&err);
	ck_assert_int_ge(fd, 0);
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up;"
	    "i=0; while [ $i -lt 4000 ]; do echo addr add 10.1.0.1/24 dev eth0;"
	    "echo addr del 10.1.0.1/24 dev eth0; i=$((i+1)); done | ip -batch -");
	for (int i = 0; is_readable(fd); i++) {
		ck_assert_int_lt(i, 1000);
		lost = net_watch_drain(fd, on_gone, &h) || lost;
	}
	ck_assert(lost);
	RUN("ip addr add 10.2.0.1/24 dev eth0");
	ck_assert(is_readable(fd));
	close(fd);
}
END_TEST

/* --- trace ------------------------------------------------------------------------------- */

static bool keep_trace(const struct tmp *t, const struct net_trace *trace)
{
	struct kata_err err = { 0 };

	ck_assert_msg(net_trace_write(t->fd, trace, &err) == 0, "%s", err.msg);
	return faccessat(t->fd, "net.json", F_OK, 0) == 0;
}

START_TEST(a_trace_is_kept)
{
	TMP t = tmp_make();
	struct net_trace out, in = { .ns = { 4, UINT64_MAX, 77 },
				     .path = "/run/netns/a b",
				     .ports = "1024 60999",
				     .marks = { { 2, true }, { 5, false } },
				     .n_marks = 2 };
	struct kata_err err = { 0 };

	ck_assert_int_eq(net_trace_read(t.fd, test_arena(), &out, &err), 0);
	ck_assert(keep_trace(&t, &in));
	ck_assert_int_eq(net_trace_read(t.fd, test_arena(), &out, &err), 1);
	ck_assert_uint_eq(out.ns.ino, UINT64_MAX);
	ck_assert_uint_eq(out.ns.cookie, 77);
	ck_assert_str_eq(out.path, "/run/netns/a b");
	ck_assert_str_eq(out.ports, "1024 60999");
	ck_assert_uint_eq(out.n_marks, 2);
	ck_assert_int_eq(out.marks[1].index, 5);
	ck_assert(out.marks[0].qdisc && !out.marks[1].qdisc);
	in.n_marks = 0;
	in.ports = NULL;
	ck_assert(!keep_trace(&t, &in));
	ck_assert_int_eq(net_trace_undo(t.fd, &err), 0);
}
END_TEST

/* As after kill -9 of a sandbox: the namespace lives on, mounted somewhere, and we are elsewhere. */
START_TEST(a_trace_is_undone_from_outside)
{
	TMP t = tmp_make();
	AUTO_NL *sk = NULL;
	AUTO_FREE char *at = mem_printf("%s/a name", t.path);
	struct net_trace trace = { .n_marks = 1 };
	struct kata_err err = { 0 };
	int inside, index;

	if (!own_network())
		return;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		printf("# skipped: hardware: no mount namespaces for this user\n");
		return;
	}
	sk = open_nl();
	inside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up");
	index = index_of("eth0");
	wire(sk, index, index_of("p0"));
	trace.marks[0] = (struct net_mark){ index, true };
	ck_assert_int_eq(netns_id_own(&trace.ns, &err), 0);
	ck_assert(keep_trace(&t, &trace));
	close(open(at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_int_eq(mount("/proc/self/ns/net", at, NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_msg(net_trace_undo(t.fd, &err) == 0, "%s", err.msg);
	ck_assert_int_ne(faccessat(t.fd, "net.json", F_OK, 0), 0);
	ck_assert_uint_eq(if_nametoindex("eth0"), 0); /* we are back */
	ck_assert_int_eq(umount2(at, MNT_DETACH), 0);
	ck_assert_int_eq(setns(inside, CLONE_NEWNET), 0);
	RUN("test -z \"$(tc qdisc show dev eth0 ingress)\"");
	close(inside);
}
END_TEST

START_TEST(a_trace_of_another_namespace_is_not_followed)
{
	TMP t = tmp_make();
	AUTO_NL *sk = NULL;
	struct net_trace trace = { .path = "/proc/self/ns/net", .n_marks = 1 };
	struct kata_err err = { 0 };

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up");
	wire(sk, index_of("eth0"), index_of("p0"));
	trace.marks[0] = (struct net_mark){ index_of("eth0"), true };
	ck_assert_int_eq(netns_id_own(&trace.ns, &err), 0);
	if (!trace.ns.cookie)
		return; /* a kernel before 5.14 */
	trace.ns.cookie++;
	ck_assert(keep_trace(&t, &trace));
	ck_assert_int_eq(net_trace_undo(t.fd, &err), 0);
	RUN("tc filter show dev eth0 ingress | grep -q mirred");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_tap_goes_with_its_descriptors,
		frames_cross_the_wire,
		short_frames_cross_too,
		answers_of_dns_servers_reach_the_stack,
		answers_in_fragments_reach_the_stack,
		ipv6_answers_in_fragments_reach_the_stack,
		what_was_there_stays,
		a_failed_wire_leaves_nothing,
		changes_are_told,
		a_flood_is_survived,
		a_trace_is_kept,
		a_trace_is_undone_from_outside,
		a_trace_of_another_namespace_is_not_followed,
	};

	return suite_run("net_wire", tests, ARRAY_SIZE(tests));
}
