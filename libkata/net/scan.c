// SPDX-License-Identifier: Apache-2.0
/*
 * scan: see scan.h. Each kind of thing is one dump of the kernel's, through libnl's cache of it, and
 * one function that turns an object of the cache into a struct or skips it.
 */
#include "net/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "net/nl.h"

/* How often a dump that changes while it is made is begun again. */
#define DUMP_TRIES 8

/** struct list - an array of the result that grows by one kind of thing. */
struct list {
	void *v;
	size_t n, max, size;
	const char *what;
};

/* Take @obj into the list. Return: 1 taken, 0 skipped, -errno. */
typedef int take_fn(struct nl_object *obj, const struct net_scan *s, void *dst,
		    struct kata_err *err);
typedef int alloc_fn(struct nl_sock *sk, struct nl_cache **ret);

/* A list that changed under way would have holes (NLM_F_DUMP_INTR): it is read again. */
static int dump(struct nl_sock *sk, alloc_fn *alloc, const char *what,
		struct nl_cache **ret, struct kata_err *err)
{
	int r = -NLE_DUMP_INTR;

	for (int i = 0; i < DUMP_TRIES && r == -NLE_DUMP_INTR; i++)
		r = alloc(sk, ret);
	return r < 0 ? nl_err(err, r, "list the network's %s", what) : 0;
}

static int take_all(struct nl_cache *cache, const struct net_scan *s, take_fn *take,
		    struct list *l, struct arena *a, struct kata_err *err)
{
	size_t room = (size_t)nl_cache_nitems(cache);
	int r = 0;

	l->v = arena_array(a, room < l->max ? room + 1 : l->max + 1, l->size);
	for (struct nl_object *o = nl_cache_get_first(cache); o;
	     o = nl_cache_get_next(o)) {
		r = take(o, s, (char *)l->v + l->n * l->size, err);
		if (r < 0)
			return r;
		l->n += (size_t)r;
		if (l->n > l->max)
			return err_set(err, -E2BIG,
				       "the network namespace has more than %zu %s",
				       l->max, l->what);
	}
	return 0;
}

/* "" for no address; without a prefix. */
static void put_address(const struct nl_addr *addr, char dst[INET6_ADDRSTRLEN])
{
	dst[0] = 0;
	if (addr && nl_addr_get_len(addr) > 0)
		inet_ntop(nl_addr_get_family(addr), nl_addr_get_binary_addr(addr), dst,
			  INET6_ADDRSTRLEN);
}

static void put_prefix(const struct nl_addr *addr, char dst[INET6_ADDRSTRLEN + 4])
{
	char text[INET6_ADDRSTRLEN];

	put_address(addr, text);
	if (text[0])
		snprintf(dst, INET6_ADDRSTRLEN + 4, "%s/%u", text,
			 nl_addr_get_prefixlen(addr));
}

const struct net_link *net_link_by_index(const struct net_scan *s, int index)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

/* --- links ------------------------------------------------------------------------------- */

static int alloc_links(struct nl_sock *sk, struct nl_cache **ret)
{
	return rtnl_link_alloc_cache(sk, AF_UNSPEC, ret);
}

static bool is_l3s(struct rtnl_link *link)
{
	uint16_t mode = 0;

	return rtnl_link_is_ipvlan(link) && rtnl_link_ipvlan_get_mode(link, &mode) == 0 &&
	       mode == rtnl_link_ipvlan_str2mode("l3s");
}

/* A switch of the link's IPv6, see ip-sysctl.txt: 0 or 1. -ENOENT: the kernel has no IPv6 on it. */
static int read_ipv6(const char *name, const char *what)
{
	AUTO_FREE char *path = mem_printf("/proc/sys/net/ipv6/conf/%s/%s", name, what);
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r = fs_read_at(AT_FDCWD, path, 16, &text, &len);

	return r < 0 ? r : text[0] != '0';
}

/* accept_ra 1: unless it forwards; 2: always */
static void take_ipv6(struct net_link *l)
{
	int off = read_ipv6(l->name, "disable_ipv6");

	l->accept_ra = read_ipv6(l->name, "accept_ra") > 0;
	l->no_ipv6 = off > 0 || off == -ENOENT;
}

static int take_link(struct nl_object *obj, const struct net_scan *s, void *dst,
		     struct kata_err *err)
{
	struct rtnl_link *link = (struct rtnl_link *)obj;
	const struct nl_addr *mac = rtnl_link_get_addr(link);
	const char *kind = rtnl_link_get_type(link);
	unsigned flags = rtnl_link_get_flags(link);
	struct net_link *l = dst;

	(void)s;
	(void)err;
	*l = (struct net_link){
		.index = rtnl_link_get_ifindex(link),
		.ether = rtnl_link_get_arptype(link) == ARPHRD_ETHER && mac &&
			 nl_addr_get_len(mac) == sizeof(l->mac),
		.loopback = flags & IFF_LOOPBACK,
		.up = flags & IFF_UP,
		.noarp = flags & IFF_NOARP,
		.l3s = is_l3s(link),
		.mtu = rtnl_link_get_mtu(link),
	};
	str_copy(l->name, sizeof(l->name), rtnl_link_get_name(link));
	str_copy(l->kind, sizeof(l->kind), kind ? kind : "");
	if (l->up)
		take_ipv6(l);
	if (l->ether)
		memcpy(l->mac, nl_addr_get_binary_addr(mac), sizeof(l->mac));
	return 1;
}

/* --- addresses --------------------------------------------------------------------------- */

/* fe80::/64 with the interface identifier that the kernel makes of the MAC (RFC 4291, appendix A). */
static bool is_made_of_mac(const unsigned char ip[16], const uint8_t mac[6])
{
	const unsigned char want[16] = { 0xfe, 0x80,   0,	   0,	   0,	   0,
					 0,    0,      mac[0] ^ 2, mac[1], mac[2], 0xff,
					 0xfe, mac[3], mac[4],	   mac[5] };

	return memcmp(ip, want, sizeof(want)) == 0;
}

/* The guest's kernel makes it as the host's did: link-local by itself, others by advertisement. */
static bool is_automatic(struct rtnl_addr *addr, const struct net_link *l)
{
	const struct nl_addr *local = rtnl_addr_get_local(addr);
	unsigned flags = rtnl_addr_get_flags(addr);

	if (rtnl_addr_get_family(addr) != AF_INET6)
		return false;
	if (!(flags & IFA_F_PERMANENT) || (flags & IFA_F_STABLE_PRIVACY))
		return true;
	return local && nl_addr_get_len(local) == 16 && l->ether &&
	       is_made_of_mac(nl_addr_get_binary_addr(local), l->mac);
}

static int alloc_addrs(struct nl_sock *sk, struct nl_cache **ret)
{
	return rtnl_addr_alloc_cache(sk, ret);
}

static int take_addr(struct nl_object *obj, const struct net_scan *s, void *dst,
		     struct kata_err *err)
{
	/* the rest is state of the kernel's */
	const unsigned wishes = IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
	struct rtnl_addr *addr = (struct rtnl_addr *)obj;
	const struct net_link *l = net_link_by_index(s, rtnl_addr_get_ifindex(addr));
	int family = rtnl_addr_get_family(addr);
	struct net_addr *to = dst;

	(void)err;
	if (!l || l->loopback || (family != AF_INET && family != AF_INET6) ||
	    is_automatic(addr, l))
		return 0;
	*to = (struct net_addr){
		.index = l->index,
		.prefix = (unsigned)rtnl_addr_get_prefixlen(addr),
		.scope = (unsigned)rtnl_addr_get_scope(addr),
		.flags = rtnl_addr_get_flags(addr) & wishes,
	};
	put_address(rtnl_addr_get_local(addr), to->address);
	put_address(rtnl_addr_get_broadcast(addr), to->broadcast);
	put_address(rtnl_addr_get_peer(addr), to->peer);
	return to->address[0] != 0;
}

/* --- routes ------------------------------------------------------------------------------ */

static int alloc_routes(struct nl_sock *sk, struct nl_cache **ret)
{
	return rtnl_route_alloc_cache(sk, AF_UNSPEC, 0, ret);
}

static bool is_wanted_route(struct rtnl_route *route)
{
	int family = rtnl_route_get_family(route),
	    protocol = rtnl_route_get_protocol(route);
	int type = rtnl_route_get_type(route);

	if (family != AF_INET && family != AF_INET6)
		return false;
	if (protocol == RTPROT_KERNEL || protocol == RTPROT_REDIRECT ||
	    protocol == RTPROT_RA)
		return false;
	return type == RTN_UNICAST || type == RTN_BLACKHOLE || type == RTN_UNREACHABLE ||
	       type == RTN_PROHIBIT || type == RTN_THROW;
}

/* The way out. Return: false when it leaves by the loopback interface, which the guest has its own of. */
static bool put_nexthop(struct rtnl_route *route, const struct net_scan *s,
			struct net_route *to)
{
	struct rtnl_nexthop *nh = rtnl_route_get_nnexthops(route)
					  ? rtnl_route_nexthop_n(route, 0)
					  : NULL;
	const struct net_link *l;

	if (!nh || to->type != RTN_UNICAST)
		return to->type != RTN_UNICAST;
	to->index = rtnl_route_nh_get_ifindex(nh);
	to->onlink = rtnl_route_nh_get_flags(nh) & RTNH_F_ONLINK;
	put_address(rtnl_route_nh_get_gateway(nh), to->gateway);
	l = net_link_by_index(s, to->index);
	return l && !l->loopback;
}

static int take_route(struct nl_object *obj, const struct net_scan *s, void *dst,
		      struct kata_err *err)
{
	struct rtnl_route *route = (struct rtnl_route *)obj;
	const struct nl_addr *to_addr = rtnl_route_get_dst(route);
	struct net_route *to = dst;

	if (!is_wanted_route(route))
		return 0;
	*to = (struct net_route){
		.metric = rtnl_route_get_priority(route),
		.table = rtnl_route_get_table(route),
		.scope = rtnl_route_get_scope(route),
		.type = rtnl_route_get_type(route),
		.protocol = rtnl_route_get_protocol(route),
	};
	put_prefix(to_addr, to->destination);
	if (!to->destination[0])
		str_copy(to->destination, sizeof(to->destination),
			 rtnl_route_get_family(route) == AF_INET ? "0.0.0.0/0" : "::/0");
	put_address(rtnl_route_get_pref_src(route), to->source);
	if (rtnl_route_get_metric(route, RTAX_MTU, &to->mtu) < 0)
		to->mtu = 0;
	if (rtnl_route_get_nnexthops(route) > 1)
		return err_set(err, -ENOTSUP,
			       "the route to %s has several gateways, which cannot be "
			       "given to a VM",
			       to->destination);
	if (rtnl_route_get_nnexthops(route) == 1 &&
	    rtnl_route_nh_get_via(rtnl_route_nexthop_n(route, 0)))
		return err_set(err, -ENOTSUP,
			       "the route to %s has a gateway of another family, which "
			       "cannot be given to a VM",
			       to->destination);
	return put_nexthop(route, s, to);
}

/* --- rules ------------------------------------------------------------------------------- */

static int alloc_rules(struct nl_sock *sk, struct nl_cache **ret)
{
	return rtnl_rule_alloc_cache(sk, AF_UNSPEC, ret);
}

/* libnl has all ones for an attribute that is not there. */
static uint32_t number(uint32_t v)
{
	return v == UINT32_MAX ? 0 : v;
}

/* What a rule may select by besides what the guest is told of; NULL = nothing. */
static const char *odd_selector(struct rtnl_rule *rule)
{
	uint16_t from, to;
	uint8_t proto;

	if (rtnl_rule_get_action(rule) != FR_ACT_TO_TBL)
		return "another action than a table";
	if (rtnl_rule_get_iif(rule) || rtnl_rule_get_oif(rule))
		return "an interface";
	if (rtnl_rule_get_dsfield(rule))
		return "a type of service";
	if (rtnl_rule_get_l3mdev(rule) > 0)
		return "an l3mdev";
	if (rtnl_rule_get_ipproto(rule, &proto) == 0 ||
	    rtnl_rule_get_sport(rule, &from, &to) == 0 ||
	    rtnl_rule_get_dport(rule, &from, &to) == 0)
		return "a protocol or port";
	return NULL;
}

/* local, main and default, as every namespace begins with */
static bool is_default_rule(struct rtnl_rule *rule)
{
	uint32_t priority = rtnl_rule_get_prio(rule), table = rtnl_rule_get_table(rule);

	return !odd_selector(rule) && !rtnl_rule_get_src(rule) &&
	       !rtnl_rule_get_dst(rule) && number(rtnl_rule_get_mark(rule)) == 0 &&
	       ((priority == 0 && table == RT_TABLE_LOCAL) ||
		(priority == 32766 && table == RT_TABLE_MAIN) ||
		(priority == 32767 && table == RT_TABLE_DEFAULT));
}

static int take_rule(struct nl_object *obj, const struct net_scan *s, void *dst,
		     struct kata_err *err)
{
	struct rtnl_rule *rule = (struct rtnl_rule *)obj;
	int family = rtnl_rule_get_family(rule);
	const char *odd = odd_selector(rule);
	struct net_rule *to = dst;

	(void)s;
	if ((family != AF_INET && family != AF_INET6) || is_default_rule(rule))
		return 0;
	if (odd)
		return err_set(err, -ENOTSUP,
			       "policy rule %u has %s, which cannot be given to a VM",
			       rtnl_rule_get_prio(rule), odd);
	*to = (struct net_rule){
		.priority = rtnl_rule_get_prio(rule),
		.table = rtnl_rule_get_table(rule),
		.mark = number(rtnl_rule_get_mark(rule)),
		.mask = rtnl_rule_get_mask(rule),
		.family = family == AF_INET ? 4 : 6,
	};
	put_prefix(rtnl_rule_get_src(rule), to->source);
	put_prefix(rtnl_rule_get_dst(rule), to->destination);
	return 1;
}

/* --- neighbours -------------------------------------------------------------------------- */

static int alloc_neighbours(struct nl_sock *sk, struct nl_cache **ret)
{
	return rtnl_neigh_alloc_cache(sk, ret);
}

static int take_neighbour(struct nl_object *obj, const struct net_scan *s, void *dst,
			  struct kata_err *err)
{
	struct rtnl_neigh *n = (struct rtnl_neigh *)obj;
	const struct nl_addr *mac = rtnl_neigh_get_lladdr(n);
	const struct net_link *l = net_link_by_index(s, rtnl_neigh_get_ifindex(n));
	int family = rtnl_neigh_get_family(n);
	struct net_neighbour *to = dst;

	(void)err;
	if (!l || l->loopback || (family != AF_INET && family != AF_INET6) ||
	    rtnl_neigh_get_state(n) != NUD_PERMANENT ||
	    (rtnl_neigh_get_flags(n) & NTF_PROXY) || !mac ||
	    nl_addr_get_len(mac) != sizeof(to->mac))
		return 0;
	*to = (struct net_neighbour){ .index = l->index, .state = NUD_PERMANENT };
	put_address(rtnl_neigh_get_dst(n), to->address);
	memcpy(to->mac, nl_addr_get_binary_addr(mac), sizeof(to->mac));
	return to->address[0] != 0;
}

/* --- all --------------------------------------------------------------------------------- */

int net_scan(struct nl_sock *sk, struct arena *a, struct net_scan *ret,
	     struct kata_err *err)
{
	struct net_scan s = { 0 };
	/* links first: what follows names them */
	const struct {
		alloc_fn *alloc;
		take_fn *take;
		const char *what;
		size_t size, max;
		void **v;
		size_t *n;
	} kinds[] = {
		{ alloc_links, take_link, "interfaces", sizeof(*s.links), NET_MAX_LINKS,
		  (void **)&s.links, &s.n_links },
		{ alloc_addrs, take_addr, "addresses", sizeof(*s.addrs),
		  NET_MAX_ADDRESSES, (void **)&s.addrs, &s.n_addrs },
		{ alloc_routes, take_route, "routes", sizeof(*s.routes), NET_MAX_ROUTES,
		  (void **)&s.routes, &s.n_routes },
		{ alloc_rules, take_rule, "policy rules", sizeof(*s.rules), NET_MAX_RULES,
		  (void **)&s.rules, &s.n_rules },
		{ alloc_neighbours, take_neighbour, "permanent neighbours",
		  sizeof(*s.neighbours), NET_MAX_NEIGHBOURS, (void **)&s.neighbours,
		  &s.n_neighbours },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct list l = { .size = kinds[i].size,
				  .max = kinds[i].max,
				  .what = kinds[i].what };
		struct nl_cache *cache = NULL;
		int r = dump(sk, kinds[i].alloc, l.what, &cache, err);

		if (r == 0)
			r = take_all(cache, &s, kinds[i].take, &l, a, err);
		nl_cache_free(cache);
		if (r < 0)
			return r;
		*kinds[i].v = l.v;
		*kinds[i].n = l.n;
	}
	*ret = s;
	return 0;
}

/* --- counters ---------------------------------------------------------------------------- */

static void put_counters(struct rtnl_link *link, struct net_counters *to)
{
	*to = (struct net_counters){
		.rx_bytes = rtnl_link_get_stat(link, RTNL_LINK_RX_BYTES),
		.rx_packets = rtnl_link_get_stat(link, RTNL_LINK_RX_PACKETS),
		.rx_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_ERRORS),
		.rx_dropped = rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED),
		.tx_bytes = rtnl_link_get_stat(link, RTNL_LINK_TX_BYTES),
		.tx_packets = rtnl_link_get_stat(link, RTNL_LINK_TX_PACKETS),
		.tx_errors = rtnl_link_get_stat(link, RTNL_LINK_TX_ERRORS),
		.tx_dropped = rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED),
	};
	str_copy(to->name, sizeof(to->name), rtnl_link_get_name(link));
}

int net_read_counters(struct nl_sock *sk, const int *index, size_t n,
		      struct net_counters *ret, struct kata_err *err)
{
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		struct rtnl_link *link = NULL;
		int r = rtnl_link_get_kernel(sk, index[i], NULL, &link);

		if (r < 0 && nl_errno(r) != -ENODEV && nl_errno(r) != -ENOENT)
			return nl_err(err, r, "read the counters of interface %d",
				      index[i]);
		if (r == 0)
			put_counters(link, &ret[found++]);
		rtnl_link_put(link);
	}
	return found;
}
