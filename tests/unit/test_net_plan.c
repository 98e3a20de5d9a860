/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's network: what steps a message means, and how they look as netlink messages. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>

#include "base/buf.h"
#include "base/str.h"
#include "net_plan.h"
#include "suite.h"

/* --- a guest that the test plays */

struct bed {
	struct net_state is;
	struct net_items owned;
	struct net_link links[8];
};

static void add_card(struct bed *b, uint32_t index, const char *name, const char *mac)
{
	struct net_link *l = &b->links[b->is.n_links++];

	*l = (struct net_link){
		.index = index, .mtu = 1500, .is_card = true, .has_perm = true
	};
	str_copy(l->name, sizeof(l->name), name);
	l->card[0] = l->mac[0] = 2;
	l->card[5] = l->mac[5] = (uint8_t)index;
	if (mac)
		ck_assert_int_eq(netmsg_to_mac(mac, l->mac), 0);
	b->is.links = b->links;
}

static const struct netmsg *message(const char *text)
{
	struct netmsg *m = arena_alloc(test_arena(), sizeof(*m));
	struct kata_err err = { 0 };
	const struct json *j;

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, test_arena(),
				 &j, &err) == 0 &&
			      jtab_decode(&netmsg_tab, j, test_arena(), "", m, &err) == 0,
		      "%s", err.msg);
	return m;
}

static struct net_want want(struct bed *b, const char *text)
{
	struct kata_err err = { 0 };
	struct net_want w;

	ck_assert_msg(net_want_make(message(text), &b->is, test_arena(), &w, &err) == 0,
		      "%s", err.msg);
	return w;
}

static void steps_are(const struct net_plan *p, const char *wanted)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		char text[256];

		net_op_text(&p->ops[i], text, sizeof(text));
		buf_addf(&b, "%s\n", text);
	}
	ck_assert_str_eq(buf_cstr(&b), wanted);
	buf_done(&b);
}

static void clear_is(struct bed *b, const struct net_want *w, const char *wanted)
{
	struct net_plan p;

	net_plan_clear(&b->is, &b->owned, w, test_arena(), &p);
	steps_are(&p, wanted);
}

static void build_is(struct bed *b, const struct net_want *w, const char *wanted)
{
	struct net_plan p;

	net_plan_build(&b->is, w, test_arena(), &p);
	steps_are(&p, wanted);
}

#define IFACE(card, name, rest)                                                          \
	"{\"card\":\"02:00:00:00:00:0" card "\",\"name\":\"" name                        \
	"\",\"mac\":\"02:42:00:00:00:0" card "\"" rest "}"
#define UP_STEPS(name)                                                                   \
	"interface " name ": /proc/sys/net/ipv6/conf/" name "/accept_ra\n"               \
	"interface " name ": /proc/sys/net/ipv6/conf/" name "/disable_ipv6\n"            \
	"interface " name ": /proc/sys/net/ipv6/conf/" name "/accept_dad\n"              \
	"interface " name ": up\n"

START_TEST(first_message)
{
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", NULL);
	add_card(&b, 3, "eth1", NULL);
	w = want(
		&b,
		"{\"interfaces\":[" IFACE(
			"2", "eth0",
			",\"mtu\":9000,\"noarp\":true,\"addresses\":[{\"address\":\"10.0.0.2\","
			"\"prefix\":8},{\"address\":\"fd00::2\",\"prefix\":64}]") "],"
										  "\"routes\":[{\"destination\":\"0.0.0.0/0\",\"gateway\":\"10.0.0.1\","
										  "\"interface\":\"eth0\",\"table\":254,\"type\":1}],"
										  "\"rules\":[{\"priority\":9,\"family\":6,\"source\":\"fd00::/8\",\"table\":5}],"
										  "\"neighbours\":[{\"interface\":\"eth0\",\"address\":\"10.0.0.1\","
										  "\"mac\":\"02:00:00:00:00:01\",\"state\":128}]}");
	clear_is(&b, &w, "interface eth1: park its card\n");
	build_is(&b, &w,
		 "interface eth0: MAC address\n"
		 "interface eth0: MTU 9000\n"
		 "interface eth0: ARP off\n" UP_STEPS(
			 "eth0") "address 10.0.0.2/8 dev eth0\n"
				 "address fd00::2/64 dev eth0\n"
				 "neighbour 10.0.0.1 dev eth0\n"
				 "route default via 10.0.0.1 dev eth0\n"
				 "rule 9: from fd00::/8 to default lookup 5\n");
}
END_TEST

START_TEST(the_same_again_is_nothing)
{
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", "02:42:00:00:00:02");
	b.links[0].flags = IFF_UP;
	w = want(&b,
		 "{\"interfaces\":[" IFACE("2", "eth0",
					   ",\"addresses\":[{\"address\":\"10.0.0.2\","
					   "\"prefix\":8}]") "]}");
	b.is.items = b.owned = w.items;
	clear_is(&b, &w, "");
	build_is(&b, &w, "");
}
END_TEST

START_TEST(swapped_names)
{
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", "02:42:00:00:00:02");
	add_card(&b, 3, "eth1", "02:42:00:00:00:03");
	b.links[0].flags = b.links[1].flags = IFF_UP;
	w = want(&b, "{\"interfaces\":[" IFACE("2", "eth1", "") "," IFACE("3", "eth0",
									  "") "]}");
	clear_is(&b, &w,
		 "interface eth0: down\ninterface eth0: name card2\n"
		 "interface eth1: down\ninterface eth1: name card3\n");
	str_copy(b.links[0].name, IFNAMSIZ, "card2");
	str_copy(b.links[1].name, IFNAMSIZ, "card3");
	b.links[0].flags = b.links[1].flags = 0;
	build_is(&b, &w,
		 "interface card2: name eth1\n" UP_STEPS(
			 "eth1") "interface card3: name eth0\n" UP_STEPS("eth0"));
}
END_TEST

/* A name that looks neutral and is wanted, or taken, is not given to another. */
START_TEST(neutral_names_do_not_collide)
{
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", NULL);
	add_card(&b, 3, "eth1", NULL);
	add_card(&b, 4, "card2_1", NULL);
	b.links[2].is_card = false;
	w = want(&b, "{\"interfaces\":[" IFACE("2", "eth1", "") "," IFACE("3", "card2",
									  "") "]}");
	clear_is(&b, &w,
		 "interface eth0: name card2_2\n"
		 "interface eth1: name card3\n");
}
END_TEST

START_TEST(only_what_was_brought_goes)
{
	struct bed b = { 0 };
	struct net_want had, w;

	add_card(&b, 2, "eth0", "02:42:00:00:00:02");
	add_card(&b, 3, "eth1", "02:42:00:00:00:03");
	add_card(&b, 4, "docker0", NULL);
	b.links[2].is_card = false;
	b.links[0].flags = b.links[1].flags = b.links[2].flags = IFF_UP;
	had = want(
		&b,
		"{\"interfaces\":[" IFACE("2", "eth0", "") "," IFACE(
			"3", "eth1",
			"") "],"
			    "\"routes\":[{\"destination\":\"10.1.0.0/16\",\"interface\":\"eth1\","
			    "\"table\":254,\"type\":1},{\"destination\":\"0.0.0.0/0\",\"gateway\":"
			    "\"10.1.0.1\",\"interface\":\"eth1\",\"table\":254,\"type\":1}]}");
	for (size_t i = 0; i < had.items.n; i++) {
		net_items_add(&b.owned, &had.items.v[i]);
		net_items_add(&b.is.items, &had.items.v[i]);
	}
	for (uint32_t index = 2; index <= 4; index++) {
		/* the guest's own */
		const struct netmsg_address a = { .address = "10.77.0.1", .prefix = 16 };
		struct net_item it;

		net_item_address(&a, index, &it);
		net_items_add(&b.is.items, &it);
	}
	w = want(&b, "{\"interfaces\":[" IFACE("2", "eth0", "") "]}");
	clear_is(&b, &w,
		 "remove route default via 10.1.0.1 dev eth1\n"
		 "remove route 10.1.0.0/16 dev eth1\n"
		 "interface eth1: down\n"
		 "interface eth1: MAC address\n"
		 "interface eth1: park its card\n");
	build_is(&b, &w, "");
	net_items_remove(&b.owned, &had.items.v[0]);
	ck_assert_uint_eq(b.owned.n, 1);
	ck_assert(net_items_have(&b.owned, &had.items.v[1]));
	free(b.owned.v);
	free(b.is.items.v);
}
END_TEST

START_TEST(unknown_card)
{
	struct kata_err err = { 0 };
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", NULL);
	b.links[0].is_card = false;
	ck_assert_int_eq(
		net_want_make(message("{\"interfaces\":[" IFACE("2", "eth0", "") "]}"),
			      &b.is, test_arena(), &w, &err),
		-ENODEV);
	ck_assert_str_eq(err.msg, "interface eth0: the VM has no card 02:00:00:00:00:02");
}
END_TEST

static void fetch_is(const char *text, const struct bed *here, const struct bed *parked,
		     int code, const char *wanted)
{
	struct kata_err err = { 0 };
	struct net_plan p;

	ck_assert_int_eq(net_plan_fetch(message(text), &here->is, &parked->is,
					test_arena(), &p, &err),
			 code);
	steps_are(&p, code ? "" : wanted);
	if (code)
		ck_assert_str_eq(err.msg, wanted);
}

/* What is parked under a name or an index has nothing to do with who has that here. */
START_TEST(cards_are_brought_over)
{
	static const char three[] = "{\"interfaces\":[" IFACE("2", "eth0", "") "," IFACE(
		"3", "eth1", "") "," IFACE("4", "eth2", "") "]}";
	struct bed here = { 0 }, parked = { 0 };
	struct nl_attr at[IFLA_IFNAME + 1];
	struct kata_err err = { 0 };
	struct net_plan p;
	struct nl_msg m;

	add_card(&parked, 2, "eth9", NULL);
	add_card(&parked, 4, "eth0", NULL);
	fetch_is(three, &here, &parked, -ENODEV,
		 "interface eth1: the VM has no card 02:00:00:00:00:03");
	add_card(&here, 3, "eth0", NULL);
	fetch_is(three, &here, &parked, 0,
		 "interface eth0: bring its card over\n"
		 "interface eth2: bring its card over\n");
	ck_assert_int_eq(net_plan_fetch(message(three), &here.is, &parked.is,
					test_arena(), &p, &err),
			 0);
	/* somebody has the name still */
	ck_assert_uint_eq(p.ops[0].index, 2);
	ck_assert_str_eq(p.ops[0].text, "card%d");
	ck_assert_uint_eq(p.ops[1].index, 4);
	ck_assert_str_eq(p.ops[1].text, "eth2");
	net_op_msg(&p.ops[1], &m);
	ck_assert_uint_eq(m.head.nlmsg_type, RTM_NEWLINK);
	ck_assert(nl_parse_msg(&m.head, sizeof(struct ifinfomsg), at, ARRAY_SIZE(at)));
	ck_assert_str_eq((const char *)at[IFLA_IFNAME].data, "eth2");
	add_card(&here, 2, "card0", NULL);
	add_card(&here, 4, "eth2", NULL);
	fetch_is(three, &here, &parked, 0, "");
	fetch_is("{}", &here, &parked, 0, "");
}
END_TEST

/* --- messages */

START_TEST(builder_stays_in_bounds)
{
	static const uint8_t big[NL_MSG_MAX];
	struct kata_err err = { 0 };
	struct nl_msg m;
	size_t nest;

	nl_begin(&m, RTM_NEWLINK, 0, big, sizeof(struct ifinfomsg));
	ck_assert_uint_eq(m.head.nlmsg_len, 32);
	nl_put(&m, 1, "abc", 3);
	ck_assert_uint_eq(m.head.nlmsg_len, 39);
	nest = nl_nest(&m, 2);
	nl_put_u32(&m, 3, 7);
	nl_nest_end(&m, nest);
	ck_assert_uint_eq(m.head.nlmsg_len, 40 + 4 + 8);
	ck_assert_uint_eq(m.bytes[40], 12); /* length of the nest */
	/* what fills it to the last byte fits, one more does not */
	nl_put(&m, 4, big, NL_MSG_MAX - 52 - 4);
	ck_assert(!m.overflow);
	ck_assert_uint_eq(m.head.nlmsg_len, NL_MSG_MAX);
	nl_put(&m, 5, "", 0);
	ck_assert(m.overflow);
	ck_assert_int_eq(nl_talk(-1, &m, &err), -EMSGSIZE);
	nl_begin(&m, RTM_NEWLINK, 0, big, sizeof(big));
	ck_assert(m.overflow);
	nl_begin(&m, RTM_NEWLINK, 0, big, 4);
	nl_put(&m, 1, big, SIZE_MAX);
	ck_assert(m.overflow);
}
END_TEST

START_TEST(reader_stays_in_bounds)
{
	struct nl_attr at[3];
	struct net_item it;
	struct net_link l;
	struct nl_msg m;
	/* a length of 3, a length past the end, an attribute that is cut */
	static const uint8_t bad[][8] = { { 3, 0, 1, 0 }, { 9, 0, 1, 0 }, { 8, 0, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		nl_parse(bad[i], i == 2 ? 3 : 8, at, ARRAY_SIZE(at));
		ck_assert_ptr_null(at[1].data);
	}
	/* every message cut at every byte is no message, or one without its tail */
	for (uint32_t len = NLMSG_HDRLEN; len < 120; len++) {
		static const uint16_t types[] = { RTM_NEWADDR, RTM_NEWNEIGH, RTM_NEWROUTE,
						  RTM_NEWRULE, RTM_NEWLINK };

		for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
			struct nlmsghdr *h = calloc(1, len);

			memset(h, 0x08, len);
			h->nlmsg_len = len;
			h->nlmsg_type = types[i];
			if (net_item_read(h, &it))
				ck_abort_msg("family 8 was taken");
			if (net_link_read(h, &l))
				ck_assert_uint_ge(len, 32);
			free(h);
		}
	}
	nl_begin(&m, RTM_NEWADDR, 0, "", 0);
	ck_assert(!net_item_read(&m.head, &it));
}
END_TEST

/* What is asked for is read back as the same, with what the kernel adds taken into account. */
START_TEST(items_there_and_back)
{
	struct bed b = { 0 };
	struct net_want w;

	add_card(&b, 2, "eth0", NULL);
	w = want(
		&b,
		"{\"interfaces\":[" IFACE(
			"2", "eth0",
			",\"addresses\":[{\"address\":\"10.0.0.2\",\"prefix\":8,\"broadcast\":"
			"\"10.255.255.255\"},{\"address\":\"10.0.0.3\",\"prefix\":32,\"peer\":"
			"\"10.9.0.1\",\"scope\":253},{\"address\":\"fd00::2\",\"prefix\":64,"
			"\"flags\":640}]") "],"
					   "\"routes\":[{\"destination\":\"10.5.0.0/16\",\"gateway\":\"10.0.0.1\",\"source\":"
					   "\"10.0.0.2\",\"interface\":\"eth0\",\"table\":1000,\"type\":1,\"metric\":5,"
					   "\"mtu\":1300,\"onlink\":true,\"scope\":253,\"protocol\":4},"
					   "{\"destination\":\"fd99::/16\",\"table\":254,\"type\":7},"
					   "{\"destination\":\"::/0\",\"gateway\":\"fe80::1\",\"interface\":\"eth0\","
					   "\"table\":254,\"type\":1}],"
					   "\"rules\":[{\"priority\":9,\"family\":4,\"source\":\"10.0.0.0/8\",\"destination\":"
					   "\"10.2.0.0/16\",\"table\":300,\"mark\":1}],"
					   "\"neighbours\":[{\"interface\":\"eth0\",\"address\":\"fd00::1\","
					   "\"mac\":\"02:00:00:00:00:01\",\"state\":128}]}");
	ck_assert_uint_eq(w.items.n, 8);
	for (size_t i = 0; i < w.items.n; i++) {
		struct net_item got;
		struct nl_msg m;

		net_item_add(&w.items.v[i], &m);
		ck_assert(!m.overflow);
		ck_assert_msg(net_item_read(&m.head, &got), "%zu", i);
		ck_assert_msg(net_item_eq(&got, &w.items.v[i]), "%zu", i);
		net_item_del(&w.items.v[i], &m);
		ck_assert(!m.overflow);
		ck_assert_uint_eq(m.head.nlmsg_flags, NLM_F_REQUEST);
	}
	/* 640 = NOPREFIXROUTE | PERMANENT: the kernel's own flags are none of ours */
	ck_assert_uint_eq(w.items.v[2].flags, IFA_F_NOPREFIXROUTE);
}
END_TEST

START_TEST(ipv6_addresses_are_at_once)
{
	const struct netmsg_address a = { .address = "fd00::2", .prefix = 64 };
	struct nl_attr at[IFA_FLAGS + 1];
	struct net_item it;
	struct nl_msg m;

	net_item_address(&a, 7, &it);
	net_item_add(&it, &m);
	ck_assert_uint_eq(m.head.nlmsg_type, RTM_NEWADDR);
	ck_assert_uint_eq(m.head.nlmsg_flags,
			  NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
	ck_assert(nl_parse_msg(&m.head, sizeof(struct ifaddrmsg), at, ARRAY_SIZE(at)));
	ck_assert_uint_eq(nl_u32(&at[IFA_FLAGS], 0), IFA_F_NODAD);
	ck_assert_uint_eq(at[IFA_LOCAL].len, 16);
}
END_TEST

START_TEST(links_are_read)
{
	static const uint8_t now[] = { 2, 0x42, 0, 0, 0, 1 },
			     perm[] = { 2, 0x4b, 0, 0, 0, 1 };
	const struct ifinfomsg i = { .ifi_type = ARPHRD_ETHER,
				     .ifi_index = 9,
				     .ifi_flags = IFF_UP };
	struct net_link l;
	struct nl_msg m;

	nl_begin(&m, RTM_NEWLINK, 0, &i, sizeof(i));
	nl_put(&m, IFLA_IFNAME, "eth0", 5);
	nl_put(&m, IFLA_ADDRESS, now, sizeof(now));
	ck_assert(net_link_read(&m.head, &l));
	ck_assert(l.is_card && !l.has_perm && l.index == 9 && l.flags == IFF_UP);
	ck_assert_str_eq(l.name, "eth0");
	ck_assert_mem_eq(l.card, now, sizeof(now));
	nl_put(&m, IFLA_PERM_ADDRESS, perm, sizeof(perm));
	ck_assert(net_link_read(&m.head, &l));
	ck_assert(l.has_perm);
	ck_assert_mem_eq(l.card, perm, sizeof(perm));
	ck_assert_mem_eq(l.mac, now, sizeof(now));
	/* a bridge of the container's */
	nl_put(&m, IFLA_LINKINFO, "", 0);
	ck_assert(net_link_read(&m.head, &l));
	ck_assert(!l.is_card);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		first_message,
		the_same_again_is_nothing,
		swapped_names,
		neutral_names_do_not_collide,
		only_what_was_brought_goes,
		unknown_card,
		cards_are_brought_over,
		builder_stays_in_bounds,
		reader_stays_in_bounds,
		items_there_and_back,
		ipv6_addresses_are_at_once,
		links_are_read,
	};

	return suite_run("net_plan", tests, ARRAY_SIZE(tests));
}
