/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: scan, tap, tc, watch and trace against a real kernel, in a network namespace of the test's own.
 * What cannot be had here (not root and no user namespaces, no /dev/net/tun) is skipped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "base/str.h"
#include "net/nl.h"
#include "net/scan.h"
#include "net/tap.h"
#include "net/tc.h"
#include "net/trace.h"
#include "net/watch.h"
#include "suite.h"

/* struct virtio_net_hdr: in front of each frame of a tap with IFF_VNET_HDR */
#define VNET_HDR 10

static int shell(const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-ec", (char *)script, NULL };
	char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc p = PROC_INIT;
	struct kata_err err = { 0 };
	int status;

	sp.path = "/bin/sh";
	sp.argv = argv;
	sp.envp = envp;
	ck_assert_msg(proc_spawn(&sp, &p, &err) == 0, "%s", err.msg);
	status = proc_wait(&p);
	proc_done(&p);
	return status;
}

#define RUN(script) ck_assert_msg(shell(script) == 0, "failed: %s", script)

/* Return: false, with a word, when it cannot be had. */
static bool own_network(void)
{
	int flags = CLONE_NEWNET | (getuid() ? CLONE_NEWUSER : 0);

	if (unshare(flags) == 0)
		return true;
	printf("# skipped: hardware: no network namespaces for this user\n");
	return false;
}

static bool has_tun(void)
{
	bool has = access("/dev/net/tun", R_OK | W_OK) == 0;

	if (!has)
		printf("# skipped: hardware: no /dev/net/tun\n");
	return has;
}

static struct nl_sock *open_nl(void)
{
	struct kata_err err = { 0 };
	struct nl_sock *sk = NULL;

	ck_assert_msg(nl_open(&sk, &err) == 0, "%s", err.msg);
	return sk;
}

static struct net_scan scan(struct nl_sock *sk)
{
	struct kata_err err = { 0 };
	struct net_scan s;

	ck_assert_msg(net_scan(sk, test_arena(), &s, &err) == 0, "%s", err.msg);
	return s;
}

static const struct net_link *link_of(const struct net_scan *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (str_eq(s->links[i].name, name))
			return &s->links[i];
	return NULL;
}

static int index_of(const char *name)
{
	int index = (int)if_nametoindex(name);

	ck_assert_int_gt(index, 0);
	return index;
}

/* --- scan -------------------------------------------------------------------------------- */

START_TEST(an_empty_network)
{
	AUTO_NL *sk = NULL;
	struct net_scan s;

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link set lo up");
	s = scan(sk);
	ck_assert_uint_ge(s.n_links, 1); /* and what modules put into each namespace */
	ck_assert(link_of(&s, "lo")->loopback);
	ck_assert_uint_eq(s.n_addrs + s.n_routes + s.n_rules + s.n_neighbours, 0);
}
END_TEST

START_TEST(links)
{
	AUTO_NL *sk = NULL;
	const struct net_link *e, *b;
	struct net_scan s;
	const uint8_t mac[] = { 2, 0x42, 0xac, 0x11, 0, 2 };

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 address 02:42:ac:11:00:02 mtu 1400 type veth peer name p0;"
	    "ip link set eth0 up; ip link add b0 type bridge");
	s = scan(sk);
	e = link_of(&s, "eth0");
	b = link_of(&s, "b0");
	ck_assert(e && b);
	ck_assert_str_eq(e->kind, "veth");
	ck_assert(e->up && e->ether && !e->loopback && !e->noarp && !e->l3s);
	ck_assert_mem_eq(e->mac, mac, 6);
	ck_assert_uint_eq(e->mtu, 1400);
	ck_assert(e->accept_ra);
	ck_assert_str_eq(b->kind, "bridge");
	ck_assert(!b->up);
	ck_assert_ptr_eq(net_link_by_index(&s, e->index), e);
	ck_assert_ptr_null(net_link_by_index(&s, 9999));
	RUN("echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra");
	s = scan(sk);
	ck_assert(!link_of(&s, "eth0")->accept_ra);
}
END_TEST

START_TEST(addresses)
{
	AUTO_NL *sk = NULL;
	struct net_scan s;

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 address 02:42:ac:11:00:02 type veth peer name p0;"
	    "ip link set eth0 up; ip link set p0 up; ip link set lo up;"
	    "ip addr add 172.17.0.2/16 brd 172.17.255.255 dev eth0;"
	    "ip addr add 10.0.0.1 peer 10.0.0.2/31 dev eth0;"
	    "ip addr add fd00::2/64 nodad dev eth0;"
	    "ip addr add fe80::1234/64 nodad dev eth0");
	s = scan(sk);
	/* the kernel's own link-local one, of the MAC, is left out; the other is somebody's */
	ck_assert_uint_eq(s.n_addrs, 4);
	ck_assert_str_eq(s.addrs[0].address, "172.17.0.2");
	ck_assert_str_eq(s.addrs[0].broadcast, "172.17.255.255");
	ck_assert_uint_eq(s.addrs[0].prefix, 16);
	ck_assert_int_eq(s.addrs[0].index, index_of("eth0"));
	ck_assert_str_eq(s.addrs[1].address, "10.0.0.1");
	ck_assert_str_eq(s.addrs[1].peer, "10.0.0.2");
	ck_assert_str_eq(s.addrs[2].peer, "");
	ck_assert_uint_eq(s.addrs[2].flags, 2); /* IFA_F_NODAD */
	for (size_t i = 2; i < 4; i++)
		ck_assert(str_eq(s.addrs[i].address, "fd00::2") ||
			  str_eq(s.addrs[i].address, "fe80::1234"));
}
END_TEST

static const struct net_route *route_to(const struct net_scan *s, const char *to)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (str_eq(s->routes[i].destination, to))
			return &s->routes[i];
	ck_abort_msg("no route to %s", to);
	return NULL;
}

START_TEST(routes)
{
	AUTO_NL *sk = NULL;
	const struct net_route *r;
	struct net_scan s;

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up;"
	    "ip addr add 172.17.0.2/16 dev eth0; ip addr add fd00::2/64 nodad dev eth0;"
	    "ip route add default via 172.17.0.1 metric 100 mtu 1400;"
	    "ip route add 10.1.0.0/16 dev eth0 scope link src 172.17.0.2 table 7;"
	    "ip route add 10.2.0.1 via 192.168.1.1 dev eth0 onlink;"
	    "ip route add blackhole 10.3.0.0/16; ip -6 route add default via fd00::1");
	s = scan(sk);
	ck_assert_uint_eq(s.n_routes, 5); /* the kernel's own are left out */
	r = route_to(&s, "0.0.0.0/0");
	ck_assert_str_eq(r->gateway, "172.17.0.1");
	ck_assert_uint_eq(r->metric, 100);
	ck_assert_uint_eq(r->mtu, 1400);
	ck_assert_uint_eq(r->table, 254);
	ck_assert_int_eq(r->index, index_of("eth0"));
	r = route_to(&s, "10.1.0.0/16");
	ck_assert_uint_eq(r->table, 7);
	ck_assert_uint_eq(r->scope, 253);
	ck_assert_str_eq(r->source, "172.17.0.2");
	ck_assert_str_eq(r->gateway, "");
	ck_assert(!r->onlink);
	r = route_to(&s, "10.2.0.1/32");
	ck_assert(r->onlink);
	r = route_to(&s, "10.3.0.0/16");
	ck_assert_uint_eq(r->type, 6);
	ck_assert_int_eq(r->index, 0);
	ck_assert_str_eq(route_to(&s, "::/0")->gateway, "fd00::1");
}
END_TEST

START_TEST(rules_and_neighbours)
{
	AUTO_NL *sk = NULL;
	struct net_scan s;
	const uint8_t mac[] = { 2, 0, 0, 0, 0, 9 };

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up;"
	    "ip addr add 172.17.0.2/16 dev eth0;"
	    "ip rule add from 172.17.0.0/24 table 7 priority 99;"
	    "ip -6 rule add fwmark 5/0xff table 8 priority 100;"
	    "ip neigh add 172.17.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent;"
	    "ip neigh add 172.17.0.8 lladdr 02:00:00:00:00:08 dev eth0 nud reachable");
	s = scan(sk);
	ck_assert_uint_eq(s.n_rules, 2);
	ck_assert_str_eq(s.rules[0].source, "172.17.0.0/24");
	ck_assert_str_eq(s.rules[0].destination, "");
	ck_assert_uint_eq(s.rules[0].family, 4);
	ck_assert_uint_eq(s.rules[0].table, 7);
	ck_assert_uint_eq(s.rules[0].priority, 99);
	ck_assert_uint_eq(s.rules[0].mark, 0);
	ck_assert_uint_eq(s.rules[1].family, 6);
	ck_assert_uint_eq(s.rules[1].mark, 5);
	ck_assert_uint_eq(s.rules[1].mask, 0xff);
	ck_assert_uint_eq(s.n_neighbours, 1);
	ck_assert_str_eq(s.neighbours[0].address, "172.17.0.9");
	ck_assert_mem_eq(s.neighbours[0].mac, mac, 6);
	ck_assert_uint_eq(s.neighbours[0].state, 128);
}
END_TEST

static void refused(const char *script, const char *why)
{
	AUTO_NL *sk = NULL;
	struct kata_err err = { 0 };
	struct net_scan s;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up;"
	    "ip addr add 172.17.0.2/16 dev eth0");
	RUN(script);
	ck_assert_int_lt(net_scan(sk, test_arena(), &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, why));
}

START_TEST(what_cannot_be_told)
{
	if (!own_network())
		return;
	refused("ip route add 10.0.0.0/8 nexthop via 172.17.0.1 nexthop via 172.17.0.3",
		"the route to 10.0.0.0/8 has several gateways");
	refused("ip addr add fd00::2/64 nodad dev eth0;"
		"ip route add 10.0.0.0/8 via inet6 fd00::1 dev eth0",
		"the route to 10.0.0.0/8 has a gateway of another family");
	refused("ip rule add iif eth0 table 7 priority 5",
		"policy rule 5 has an interface");
	refused("ip rule add ipproto tcp dport 80 table 7 priority 6",
		"policy rule 6 has a protocol or port");
	refused("ip rule add from 1.2.3.4 blackhole priority 7",
		"policy rule 7 has another action than a table");
	refused("i=0; while [ $i -lt 300 ]; do echo addr add 10.1.$((i/200)).$((i%200+1))/32 "
		"dev eth0; i=$((i+1)); done | ip -batch -",
		"more than 256 addresses");
}
END_TEST

START_TEST(counters)
{
	AUTO_NL *sk = NULL;
	struct net_counters c[2];
	struct kata_err err = { 0 };
	int index[2];

	if (!own_network())
		return;
	sk = open_nl();
	RUN("ip link add eth0 type veth peer name p0; ip addr add 10.0.0.1/24 dev eth0;"
	    "ip link set eth0 up; ip link set p0 up;"
	    "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:09 dev eth0 nud permanent;"
	    "python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
	    " s.sendto(bytes(958), (\"10.0.0.2\", 9))'");
	index[0] = 9999;
	index[1] = index_of("eth0");
	ck_assert_int_eq(net_read_counters(sk, index, 2, c, &err), 1);
	ck_assert_str_eq(c[0].name, "eth0");
	ck_assert_uint_ge(c[0].tx_bytes, 1000);
	ck_assert_uint_ge(c[0].tx_packets, 1);
}
END_TEST

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
	unwire(sk, t.index, true);
	ck_assert(!crosses(&t, peer));
	RUN("test -z \"$(tc qdisc show dev eth0 ingress)$(tc filter show dev eth0 ingress)\"");
	unwire(sk, index_of("eth0"), true); /* nothing there is fine */
	RUN("ip link del eth0");
	unwire(sk, 9999, true);
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
		an_empty_network,
		links,
		addresses,
		routes,
		rules_and_neighbours,
		what_cannot_be_told,
		counters,
		a_tap_goes_with_its_descriptors,
		frames_cross_the_wire,
		what_was_there_stays,
		a_failed_wire_leaves_nothing,
		changes_are_told,
		a_flood_is_survived,
		a_trace_is_kept,
		a_trace_is_undone_from_outside,
		a_trace_of_another_namespace_is_not_followed,
	};

	return suite_run("net", tests, ARRAY_SIZE(tests));
}
