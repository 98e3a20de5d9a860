// SPDX-License-Identifier: Apache-2.0
/*
 * net_item: see the header. The normal form is the kernel's: what it fills in by itself (the
 * metric of an IPv6 route, the mask of a mark) is filled in here, and what it computes (the
 * scope of an IPv6 address) is left out.
 */
#include "net_item.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>

#include "base/buf.h"
#include "base/mem.h"

/** Metric of an IPv6 route that was given none (IP6_RT_PRIO_USER). */
#define IP6_METRIC 1024
/** Flags of an address that are the host's to choose. */
#define ADDRESS_FLAGS IFA_F_NOPREFIXROUTE

bool net_item_eq(const struct net_item *a, const struct net_item *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_zero(const uint8_t ip[16])
{
	static const uint8_t none[16];

	return memcmp(ip, none, sizeof(none)) == 0;
}

static unsigned ip_len(const struct net_item *it)
{
	return it->family == AF_INET ? 4 : 16;
}

/* Types of routes that go nowhere: the kernel has put IPv6 ones on lo. */
static bool is_reject(const struct net_item *it)
{
	return it->kind == NET_ROUTE && it->type >= RTN_BLACKHOLE &&
	       it->type <= RTN_THROW;
}

static void normalise(struct net_item *it)
{
	if (it->family == AF_INET6) {
		if (it->kind == NET_ROUTE && it->metric == 0)
			it->metric = IP6_METRIC;
		it->scope = 0;
	}
	if (is_reject(it))
		it->index = 0;
	if (it->kind == NET_RULE && it->mark && !it->mask)
		it->mask = UINT32_MAX;
	if (it->kind == NET_ADDRESS && memcmp(it->via, it->ip, sizeof(it->ip)) == 0)
		memset(it->via, 0, sizeof(it->via));
}

/* --- from the message */

/* What does not parse did not pass netmsg's checks: it stays zero. */
static void set_ip(const char *s, uint8_t dst[16], uint32_t *family)
{
	struct netmsg_ip ip;

	if (!s || netmsg_to_ip(s, &ip) < 0)
		return;
	memcpy(dst, ip.bytes, sizeof(ip.bytes));
	if (family)
		*family = (uint32_t)ip.family;
}

static void set_prefix(const char *s, uint8_t dst[16], uint32_t *bits, uint32_t *family)
{
	struct netmsg_ip ip;
	uint8_t n;

	if (!s || netmsg_to_prefix(s, &ip, &n) < 0)
		return;
	memcpy(dst, ip.bytes, sizeof(ip.bytes));
	*bits = n;
	*family = (uint32_t)ip.family;
}

static struct net_item make(enum net_kind kind, uint32_t index)
{
	struct net_item it;

	memset(&it, 0, sizeof(it));
	it.kind = kind;
	it.index = index;
	return it;
}

void net_item_address(const struct netmsg_address *a, uint32_t index,
		      struct net_item *ret)
{
	struct net_item it = make(NET_ADDRESS, index);

	set_ip(a->address, it.ip, &it.family);
	set_ip(a->peer, it.via, NULL);
	set_ip(a->broadcast, it.source, NULL);
	it.bits = a->prefix;
	it.scope = a->scope;
	it.flags = a->flags & ADDRESS_FLAGS;
	normalise(&it);
	*ret = it;
}

void net_item_neighbour(const struct netmsg_neighbour *n, uint32_t index,
			struct net_item *ret)
{
	struct net_item it = make(NET_NEIGHBOUR, index);

	set_ip(n->address, it.ip, &it.family);
	it.type = n->state;
	if (netmsg_to_mac(n->mac, it.mac) < 0)
		memset(it.mac, 0, sizeof(it.mac));
	*ret = it;
}

void net_item_route(const struct netmsg_route *rt, uint32_t index, struct net_item *ret)
{
	struct net_item it = make(NET_ROUTE, index);

	set_prefix(rt->destination, it.ip, &it.bits, &it.family);
	set_ip(rt->gateway, it.via, NULL);
	set_ip(rt->source, it.source, NULL);
	it.scope = rt->scope;
	it.type = rt->type;
	it.protocol = rt->protocol;
	it.table = rt->table;
	it.metric = rt->metric;
	it.mtu = rt->mtu;
	it.flags = rt->onlink ? RTNH_F_ONLINK : 0;
	normalise(&it);
	*ret = it;
}

void net_item_rule(const struct netmsg_rule *u, struct net_item *ret)
{
	struct net_item it = make(NET_RULE, 0);

	set_prefix(u->destination, it.ip, &it.bits, &it.family);
	set_prefix(u->source, it.source, &it.source_bits, &it.family);
	it.family = u->family == 4 ? AF_INET : AF_INET6;
	it.metric = u->priority;
	it.table = u->table;
	it.mark = u->mark;
	it.mask = u->mask;
	normalise(&it);
	*ret = it;
}

/* --- from the kernel */

static bool read_address(const struct nlmsghdr *h, struct net_item *it)
{
	const struct ifaddrmsg *a = NLMSG_DATA(h);
	struct nl_attr at[IFA_FLAGS + 1];

	if (!nl_parse_msg(h, sizeof(*a), at, ARRAY_SIZE(at)))
		return false;
	it->family = a->ifa_family;
	it->index = a->ifa_index;
	it->bits = a->ifa_prefixlen;
	it->scope = a->ifa_scope;
	it->flags = nl_u32(&at[IFA_FLAGS], a->ifa_flags) & ADDRESS_FLAGS;
	/* IFA_ADDRESS is the peer where there is one, and IFA_LOCAL then ours */
	nl_copy(&at[IFA_ADDRESS], it->ip, ip_len(it));
	if (at[IFA_LOCAL].data) {
		memcpy(it->via, it->ip, sizeof(it->via));
		nl_copy(&at[IFA_LOCAL], it->ip, ip_len(it));
	}
	nl_copy(&at[IFA_BROADCAST], it->source, ip_len(it));
	return true;
}

static bool read_neighbour(const struct nlmsghdr *h, struct net_item *it)
{
	const struct ndmsg *n = NLMSG_DATA(h);
	struct nl_attr at[NDA_LLADDR + 1];

	if (!nl_parse_msg(h, sizeof(*n), at, ARRAY_SIZE(at)))
		return false;
	it->family = n->ndm_family;
	it->index = (uint32_t)n->ndm_ifindex;
	it->type = n->ndm_state;
	nl_copy(&at[NDA_DST], it->ip, ip_len(it));
	nl_copy(&at[NDA_LLADDR], it->mac, NETMSG_MAC_LEN);
	return true;
}

static bool read_route(const struct nlmsghdr *h, struct net_item *it)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	struct nl_attr at[RTA_VIA + 1], metrics[RTAX_MTU + 1];

	if (!nl_parse_msg(h, sizeof(*rt), at, ARRAY_SIZE(at)))
		return false;
	/* several next hops, a gateway of the other family, a clone: never ours */
	if (at[RTA_MULTIPATH].data || at[RTA_VIA].data ||
	    (rt->rtm_flags & RTM_F_CLONED) || rt->rtm_src_len || rt->rtm_tos)
		return false;
	it->family = rt->rtm_family;
	it->bits = rt->rtm_dst_len;
	it->scope = rt->rtm_scope;
	it->type = rt->rtm_type;
	it->protocol = rt->rtm_protocol;
	it->table = nl_u32(&at[RTA_TABLE], rt->rtm_table);
	it->metric = nl_u32(&at[RTA_PRIORITY], 0);
	it->index = nl_u32(&at[RTA_OIF], 0);
	it->flags = rt->rtm_flags & RTNH_F_ONLINK;
	nl_copy(&at[RTA_DST], it->ip, ip_len(it));
	nl_copy(&at[RTA_GATEWAY], it->via, ip_len(it));
	nl_copy(&at[RTA_PREFSRC], it->source, ip_len(it));
	nl_parse(at[RTA_METRICS].data, at[RTA_METRICS].len, metrics, ARRAY_SIZE(metrics));
	it->mtu = nl_u32(&metrics[RTAX_MTU], 0);
	return true;
}

static bool read_rule(const struct nlmsghdr *h, struct net_item *it)
{
	const struct fib_rule_hdr *u = NLMSG_DATA(h);
	struct nl_attr at[FRA_MAX + 1];

	if (!nl_parse_msg(h, sizeof(*u), at, ARRAY_SIZE(at)))
		return false;
	if (u->action != FR_ACT_TO_TBL || u->tos || (u->flags & FIB_RULE_INVERT) ||
	    at[FRA_IIFNAME].data || at[FRA_OIFNAME].data || at[FRA_UID_RANGE].data ||
	    at[FRA_IP_PROTO].data || at[FRA_SPORT_RANGE].data ||
	    at[FRA_DPORT_RANGE].data || at[FRA_L3MDEV].data)
		return false;
	it->family = u->family;
	it->bits = u->dst_len;
	it->source_bits = u->src_len;
	it->table = nl_u32(&at[FRA_TABLE], u->table);
	it->metric = nl_u32(&at[FRA_PRIORITY], 0);
	it->mark = nl_u32(&at[FRA_FWMARK], 0);
	it->mask = nl_u32(&at[FRA_FWMASK], 0);
	nl_copy(&at[FRA_DST], it->ip, ip_len(it));
	nl_copy(&at[FRA_SRC], it->source, ip_len(it));
	return true;
}

static const struct {
	uint16_t type; /* in a dump */
	bool (*read)(const struct nlmsghdr *h, struct net_item *it);
} readers[NET_KINDS] = {
	[NET_ADDRESS] = { RTM_NEWADDR, read_address },
	[NET_NEIGHBOUR] = { RTM_NEWNEIGH, read_neighbour },
	[NET_ROUTE] = { RTM_NEWROUTE, read_route },
	[NET_RULE] = { RTM_NEWRULE, read_rule },
};

bool net_item_read(const struct nlmsghdr *h, struct net_item *ret)
{
	for (unsigned k = 0; k < NET_KINDS; k++) {
		struct net_item it = make((enum net_kind)k, 0);

		if (readers[k].type != h->nlmsg_type)
			continue;
		/* every reader begins with a check that its fixed part is there */
		if (!readers[k].read(h, &it) ||
		    (it.family != AF_INET && it.family != AF_INET6))
			return false;
		normalise(&it);
		*ret = it;
		return true;
	}
	return false;
}

/* --- to the kernel */

static void put_ip(struct nl_msg *m, uint16_t type, const struct net_item *it,
		   const uint8_t ip[16])
{
	nl_put(m, type, ip, ip_len(it));
}

static void put_some_ip(struct nl_msg *m, uint16_t type, const struct net_item *it,
			const uint8_t ip[16])
{
	if (!is_zero(ip))
		put_ip(m, type, it, ip);
}

static void put_some_u32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	if (v)
		nl_put_u32(m, type, v);
}

static void address_msg(const struct net_item *it, uint16_t type, uint16_t flags,
			struct nl_msg *m)
{
	struct ifaddrmsg a = {
		.ifa_family = (uint8_t)it->family,
		.ifa_prefixlen = (uint8_t)it->bits,
		.ifa_scope = (uint8_t)it->scope,
		.ifa_index = it->index,
	};

	nl_begin(m, type, flags, &a, sizeof(a));
	put_ip(m, IFA_LOCAL, it, it->ip);
	put_ip(m, IFA_ADDRESS, it, is_zero(it->via) ? it->ip : it->via);
	put_some_ip(m, IFA_BROADCAST, it, it->source);
	/* the host's kernel has asked the network already, and its answer would be late */
	nl_put_u32(m, IFA_FLAGS, it->flags | (it->family == AF_INET6 ? IFA_F_NODAD : 0));
}

static void neighbour_msg(const struct net_item *it, uint16_t type, uint16_t flags,
			  struct nl_msg *m)
{
	struct ndmsg n = {
		.ndm_family = (uint8_t)it->family,
		.ndm_ifindex = (int)it->index,
		.ndm_state = (uint16_t)it->type,
	};

	nl_begin(m, type, flags, &n, sizeof(n));
	put_ip(m, NDA_DST, it, it->ip);
	nl_put(m, NDA_LLADDR, it->mac, NETMSG_MAC_LEN);
}

static void route_msg(const struct net_item *it, uint16_t type, uint16_t flags,
		      struct nl_msg *m)
{
	struct rtmsg rt = {
		.rtm_family = (uint8_t)it->family,
		.rtm_dst_len = (uint8_t)it->bits,
		.rtm_scope = (uint8_t)it->scope,
		.rtm_type = (uint8_t)it->type,
		.rtm_protocol = (uint8_t)it->protocol,
		.rtm_flags = it->flags,
	};
	size_t nest;

	nl_begin(m, type, flags, &rt, sizeof(rt));
	nl_put_u32(m, RTA_TABLE, it->table);
	if (it->bits)
		put_ip(m, RTA_DST, it, it->ip);
	put_some_ip(m, RTA_GATEWAY, it, it->via);
	put_some_ip(m, RTA_PREFSRC, it, it->source);
	put_some_u32(m, RTA_OIF, it->index);
	put_some_u32(m, RTA_PRIORITY, it->metric);
	if (!it->mtu)
		return;
	nest = nl_nest(m, RTA_METRICS);
	nl_put_u32(m, RTAX_MTU, it->mtu);
	nl_nest_end(m, nest);
}

static void rule_msg(const struct net_item *it, uint16_t type, uint16_t flags,
		     struct nl_msg *m)
{
	struct fib_rule_hdr u = {
		.family = (uint8_t)it->family,
		.dst_len = (uint8_t)it->bits,
		.src_len = (uint8_t)it->source_bits,
		.action = FR_ACT_TO_TBL,
	};

	nl_begin(m, type, flags, &u, sizeof(u));
	nl_put_u32(m, FRA_TABLE, it->table);
	nl_put_u32(m, FRA_PRIORITY, it->metric);
	if (it->bits)
		put_ip(m, FRA_DST, it, it->ip);
	if (it->source_bits)
		put_ip(m, FRA_SRC, it, it->source);
	put_some_u32(m, FRA_FWMARK, it->mark);
	if (it->mark || it->mask)
		nl_put_u32(m, FRA_FWMASK, it->mask);
}

static const struct {
	uint16_t add, del;
	uint16_t flags; /* what add does about one that is there */
	void (*msg)(const struct net_item *it, uint16_t type, uint16_t flags,
		    struct nl_msg *m);
} writers[NET_KINDS] = {
	[NET_ADDRESS] = { RTM_NEWADDR, RTM_DELADDR, NLM_F_REPLACE, address_msg },
	[NET_NEIGHBOUR] = { RTM_NEWNEIGH, RTM_DELNEIGH, NLM_F_REPLACE, neighbour_msg },
	[NET_ROUTE] = { RTM_NEWROUTE, RTM_DELROUTE, NLM_F_REPLACE, route_msg },
	/* rules are not replaced; two alike are two */
	[NET_RULE] = { RTM_NEWRULE, RTM_DELRULE, NLM_F_EXCL, rule_msg },
};

void net_item_add(const struct net_item *it, struct nl_msg *m)
{
	writers[it->kind].msg(it, writers[it->kind].add,
			      NLM_F_CREATE | writers[it->kind].flags, m);
}

void net_item_del(const struct net_item *it, struct nl_msg *m)
{
	writers[it->kind].msg(it, writers[it->kind].del, 0, m);
}

/* --- for messages */

static void add_ip(struct buf *b, const char *word, const struct net_item *it,
		   const uint8_t ip[16])
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop((int)it->family, ip, text, sizeof(text)))
		buf_addf(b, "%s%s", word, text);
}

static void add_prefix(struct buf *b, const char *word, const struct net_item *it,
		       const uint8_t ip[16], uint32_t bits)
{
	if (bits) {
		add_ip(b, word, it, ip);
		buf_addf(b, "/%u", bits);
	} else {
		buf_addf(b, "%sdefault", word);
	}
}

void net_item_text(const struct net_item *it, const char *iface, char *text, size_t size)
{
	static const char *const names[NET_KINDS] = { "address", "neighbour", "route",
						      "rule" };
	struct buf b = { 0 };

	buf_addf(&b, "%s ", names[it->kind]);
	if (it->kind == NET_RULE) {
		buf_addf(&b, "%u:", it->metric);
		add_prefix(&b, " from ", it, it->source, it->source_bits);
		add_prefix(&b, " to ", it, it->ip, it->bits);
		buf_addf(&b, " lookup %u", it->table);
	} else if (it->kind == NET_NEIGHBOUR) {
		add_ip(&b, "", it, it->ip);
	} else {
		add_prefix(&b, "", it, it->ip, it->bits);
	}
	if (it->kind == NET_ROUTE && !is_zero(it->via))
		add_ip(&b, " via ", it, it->via);
	if (iface)
		buf_addf(&b, " dev %s", iface);
	if (it->kind == NET_ROUTE && it->table != RT_TABLE_MAIN)
		buf_addf(&b, " table %u", it->table);
	snprintf(text, size, "%s", buf_cstr(&b));
	buf_done(&b);
}
