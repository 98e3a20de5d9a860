/* SPDX-License-Identifier: Apache-2.0 */
/* net/scan: what it tells of a real kernel's network namespace. */
#include "netns_bed.h"

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
	ck_assert(!link_of(&s, "eth0")->no_ipv6);
	RUN("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6");
	s = scan(sk);
	ck_assert(link_of(&s, "eth0")->no_ipv6);
	/* the kernel takes IPv6 off a link that is too small for it, and its switches with it */
	RUN("echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip link set eth0 mtu 1000");
	s = scan(sk);
	ck_assert(link_of(&s, "eth0")->no_ipv6);
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

int main(void)
{
	const TTest *const tests[] = {
		an_empty_network,    links,    addresses, routes, rules_and_neighbours,
		what_cannot_be_told, counters,
	};

	return suite_run("net_scan", tests, ARRAY_SIZE(tests));
}
