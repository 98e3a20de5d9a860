/* SPDX-License-Identifier: Apache-2.0 */
/* net_plan: which card stands for which interface, and the guest's message, from made-up namespaces. */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "base/json.h"
#include "golden.h"
#include "net/net_plan.h"
#include "suite.h"

#define LINK(i, n, k)                                                                    \
	{                                                                                \
		.index = (i), .name = (n), .kind = (k), .ether = true, .up = true,       \
		.mac = { 2, 0x42, 0xac, 0x11, 0, (i) }, .mtu = 1500                      \
	}

static const struct net_link lo = {
	.index = 1, .name = "lo", .loopback = true, .up = true
};

static const struct net_card cards[3] = {
	{ .tap = 101, .mac = { 2, 0x4b, 0, 0, 0, 1 } },
	{ .tap = 102, .mac = { 2, 0x4b, 0, 0, 0, 2 } },
	{ .tap = 103, .mac = { 2, 0x4b, 0, 0, 0, 3 } },
};

static struct net_plan plan(const struct net_scan *s, const struct net_card *c,
			    unsigned n)
{
	struct kata_err err = { 0 };
	struct net_plan p;

	ck_assert_msg(net_plan_make(s, c, n, &p, &err) == 0, "%s", err.msg);
	return p;
}

START_TEST(each_interface_gets_a_card)
{
	struct net_link l[] = { lo, LINK(2, "eth0", "veth"), LINK(3, "eth1", "macvlan"),
				LINK(101, "kata0", "tun"), LINK(4, "down", "veth") };
	struct net_scan s = { .links = l, .n_links = ARRAY_SIZE(l) };
	struct net_plan p;

	l[4].up = false;
	p = plan(&s, cards, 3);
	ck_assert_int_eq(p.index[0], 2);
	ck_assert_int_eq(p.index[1], 3);
	ck_assert_int_eq(p.index[2], 0);
	ck_assert_ptr_null(p.left);
}
END_TEST

START_TEST(an_interface_keeps_its_card)
{
	struct net_link l[] = { LINK(9, "new", "veth"), LINK(3, "eth1", "veth"), lo };
	struct net_scan s = { .links = l, .n_links = ARRAY_SIZE(l) };
	struct net_card c[3];
	struct net_plan p;

	memcpy(c, cards, sizeof(c));
	c[0].wired = 2; /* has gone */
	c[1].wired = 3;
	p = plan(&s, c, 3);
	ck_assert_int_eq(p.index[0], 9);
	ck_assert_int_eq(p.index[1], 3);
	ck_assert_int_eq(p.index[2], 0);
	/* and whichever comes first in the list */
	c[0].wired = 0;
	c[2].wired = 9;
	p = plan(&s, c, 3);
	ck_assert_int_eq(p.index[0], 0);
	ck_assert_int_eq(p.index[2], 9);
}
END_TEST

START_TEST(too_few_cards)
{
	struct net_link l[] = { LINK(2, "eth0", "veth"), LINK(3, "eth1", "veth"),
				LINK(4, "eth2", "veth") };
	struct net_scan s = { .links = l, .n_links = ARRAY_SIZE(l) };
	struct net_plan p = plan(&s, cards, 1);

	ck_assert_int_eq(p.index[0], 2);
	ck_assert_ptr_nonnull(p.left);
	ck_assert_str_eq(p.left->name, "eth1");
	ck_assert_uint_eq(p.n_left, 2);
	p = plan(&s, NULL, 0);
	ck_assert_uint_eq(p.n_left, 3);
}
END_TEST

static void check_refused(struct net_link l, const char *why)
{
	struct net_scan s = { .links = &l, .n_links = 1 };
	struct kata_err err = { 0 };
	struct net_plan p;

	ck_assert_int_eq(net_plan_make(&s, cards, 3, &p, &err), -ENOTSUP);
	ck_assert_str_eq(err.msg, why);
	l.up = false; /* a fallback device that a module made */
	ck_assert_int_eq(net_plan_make(&s, cards, 3, &p, &err), 0);
	ck_assert_int_eq(p.index[0], 0);
}

START_TEST(kinds_are_refused_by_name)
{
	struct net_link bridge = LINK(2, "br0", "bridge"), tun = LINK(2, "tun0", "tun"),
			ipvlan = LINK(2, "eth0", "ipvlan"), ib = LINK(2, "ib0", "");

	tun.ether = ib.ether = false;
	ipvlan.l3s = true;
	check_refused(bridge,
		      "network interface br0 is of kind bridge, which cannot be given "
		      "to a VM");
	check_refused(tun,
		      "network interface tun0 is of kind tun and has no Ethernet frames, "
		      "which cannot be given to a VM");
	check_refused(ib, "network interface ib0 is of kind unnamed and has no Ethernet "
			  "frames, which cannot be given to a VM");
	check_refused(
		ipvlan,
		"network interface eth0 is an ipvlan in mode l3s, which cannot be given "
		"to a VM; modes l2 and l3 can");
}
END_TEST

static void check_message(const char *name, const struct net_scan *s, unsigned n,
			  bool dns)
{
	AUTO_FREE char *file = mem_printf("net/%s.json", name);
	struct net_plan p = plan(s, cards, n);
	struct buf b = { 0 };
	AUTO_FREE char *text = NULL;
	const struct json *j;
	struct kata_err err = { 0 };
	struct buf pretty = { 0 };
	struct json_out o = { .buf = &pretty, .pretty = true };

	net_plan_write(&p, s, cards, n, dns, &b);
	ck_assert_int_eq(json_parse(buf_cstr(&b), buf_len(&b), &json_limits_default,
				    test_arena(), &j, &err),
			 0);
	json_out_value(&o, j);
	buf_add_str(&pretty, "\n");
	golden_check(file, buf_cstr(&pretty));
	buf_done(&b);
	buf_done(&pretty);
}

START_TEST(no_network)
{
	struct net_link l[] = { lo };
	struct net_scan s = { .links = l, .n_links = 1 };

	check_message("none", &s, 2, false);
}
END_TEST

START_TEST(dual_stack)
{
	struct net_link l[] = { lo, LINK(2, "eth0", "veth"), LINK(3, "eth1", "ipvlan") };
	struct net_addr a[] = {
		{ .index = 2,
		  .address = "172.17.0.2",
		  .prefix = 16,
		  .broadcast = "172.17.255.255" },
		{ .index = 2, .address = "fd00::2", .prefix = 64, .flags = 2 },
		{ .index = 3, .address = "10.0.0.1", .prefix = 31, .peer = "10.0.0.2" },
		{ .index = 7, .address = "10.9.9.9", .prefix = 24 },
	};
	struct net_route r[] = {
		{ .index = 2,
		  .destination = "0.0.0.0/0",
		  .gateway = "172.17.0.1",
		  .table = 254,
		  .type = RTN_UNICAST,
		  .protocol = RTPROT_BOOT,
		  .metric = 100,
		  .mtu = 1400 },
		{ .index = 2,
		  .destination = "172.17.0.1/32",
		  .source = "172.17.0.2",
		  .table = 254,
		  .scope = RT_SCOPE_LINK,
		  .type = RTN_UNICAST,
		  .protocol = 4 },
		{ .index = 7,
		  .destination = "10.9.0.0/16",
		  .table = 254,
		  .type = RTN_UNICAST },
		{ .destination = "10.3.0.0/16", .table = 254, .type = RTN_BLACKHOLE },
		{ .index = 3,
		  .destination = "::/0",
		  .gateway = "fe80::1",
		  .onlink = true,
		  .table = 254,
		  .type = RTN_UNICAST },
	};
	struct net_rule rules[] = {
		{ .priority = 99, .family = 4, .source = "172.17.0.0/24", .table = 7 },
		{ .priority = 100, .family = 6, .table = 8, .mark = 5, .mask = 0xff },
	};
	struct net_neighbour n[] = {
		{ .index = 2,
		  .address = "172.17.0.1",
		  .mac = { 2, 0, 0, 0, 0, 9 },
		  .state = 128 },
		{ .index = 7, .address = "10.9.0.1", .state = 128 },
	};
	struct net_scan s = {
		.links = l,
		.n_links = ARRAY_SIZE(l),
		.addrs = a,
		.n_addrs = ARRAY_SIZE(a),
		.routes = r,
		.n_routes = ARRAY_SIZE(r),
		.rules = rules,
		.n_rules = ARRAY_SIZE(rules),
		.neighbours = n,
		.n_neighbours = ARRAY_SIZE(n),
	};

	l[2].noarp = true;
	l[2].mtu = 9000;
	check_message("dual-stack", &s, 3, true);
	/* one card: what belongs to the other interface is not told either */
	check_message("one-card", &s, 1, false);
}
END_TEST

/* What the host's kernel would make by itself, or would not. */
START_TEST(automatic_ipv6)
{
	struct net_link l[] = { lo, LINK(2, "eth0", "veth"), LINK(3, "eth1", "veth") };
	struct net_scan s = { .links = l, .n_links = ARRAY_SIZE(l) };

	l[1].accept_ra = true;
	l[2].no_ipv6 = true;
	check_message("automatic-ipv6", &s, 2, false);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_interface_gets_a_card,
		an_interface_keeps_its_card,
		too_few_cards,
		kinds_are_refused_by_name,
		no_network,
		dual_stack,
		automatic_ipv6,
	};

	return suite_run("net_cards", tests, ARRAY_SIZE(tests));
}
