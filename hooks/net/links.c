// SPDX-License-Identifier: Apache-2.0
/*
 * links: one socket per call; a hook makes four of them. A socket stays in the network
 * namespace that it was opened in, which is how the container's is reached.
 *
 * The veth's far end is born in the container's namespace with its final name: it never
 * is in the host's, where the name could be taken.
 */
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#define AUTO_NL(type, free) __attribute__((cleanup(free))) struct type

static void sock_freep(struct nl_sock **p)
{
	nl_socket_free(*p);
}

static void link_freep(struct rtnl_link **p)
{
	rtnl_link_put(*p);
}

static void cache_freep(struct nl_cache **p)
{
	if (*p)
		nl_cache_free(*p);
}

static void addr_freep(struct nl_addr **p)
{
	nl_addr_put(*p);
}

static void rtnl_addr_freep(struct rtnl_addr **p)
{
	rtnl_addr_put(*p);
}

static void route_freep(struct rtnl_route **p)
{
	rtnl_route_put(*p);
}

/* libnl keeps the kernel's errno to itself; these are the ones that somebody asks for. */
static int to_errno(int nlerr)
{
	switch (-nlerr) {
	case NLE_EXIST:
		return -EEXIST;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

static int nl_fail(struct kata_err *err, int nlerr, const char *what, const char *name)
{
	return err_set(err, to_errno(nlerr), "%s %s: %s", what, name, nl_geterror(nlerr));
}

/* --- sockets --------------------------------------------------------------------------------- */

static int connect_here(struct nl_sock **ret, struct kata_err *err)
{
	AUTO_NL(nl_sock, sock_freep) *sk = nl_socket_alloc();
	int rc = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (rc < 0)
		return nl_fail(err, rc, "open", "rtnetlink");
	*ret = TAKE_PTR(sk);
	return 0;
}

static int connect_in(int netns_fd, struct nl_sock **ret, struct kata_err *err)
{
	AUTO_CLOSE int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int rc;

	if (own < 0)
		return err_sys(err, "open /proc/self/ns/net");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_sys(err, "enter the container's network namespace");
	rc = connect_here(ret, err);
	if (setns(own, CLONE_NEWNET) < 0)
		return err_sys(err, "leave the container's network namespace");
	return rc;
}

/* --- facts ----------------------------------------------------------------------------------- */

struct survey {
	struct arena *a;
	struct wiring_facts *facts;
	struct subnet *routes;
	int uplink; /* index; 0 = no default route */
};

static void survey_route(struct nl_object *obj, void *arg)
{
	struct rtnl_route *r = (struct rtnl_route *)obj;
	struct nl_addr *dst = rtnl_route_get_dst(r);
	struct survey *s = arg;
	struct subnet *net = &s->routes[s->facts->n_routes];
	unsigned len = dst ? nl_addr_get_len(dst) : 0;

	if (rtnl_route_get_table(r) != RT_TABLE_MAIN)
		return;
	if (!dst || nl_addr_get_prefixlen(dst) == 0) {
		struct rtnl_nexthop *nh = rtnl_route_nexthop_n(r, 0);

		if (nh && !s->uplink)
			s->uplink = rtnl_route_nh_get_ifindex(nh);
		return;
	}
	if (len > sizeof(net->base.b))
		return;
	net->base.family = nl_addr_get_family(dst);
	memcpy(net->base.b, nl_addr_get_binary_addr(dst), len);
	net->len = nl_addr_get_prefixlen(dst);
	s->facts->n_routes++;
}

static unsigned mtu_of(struct nl_sock *sk, int index)
{
	AUTO_NL(rtnl_link, link_freep) *link = NULL;

	return index && rtnl_link_get_kernel(sk, index, NULL, &link) == 0
		       ? rtnl_link_get_mtu(link)
		       : 0;
}

int links_facts(const char *bridge, struct arena *a, struct wiring_facts *ret,
		struct kata_err *err)
{
	AUTO_NL(nl_cache, cache_freep) *routes = NULL;
	AUTO_NL(rtnl_link, link_freep) *link = NULL;
	AUTO_NL(nl_sock, sock_freep) *sk = NULL;
	struct survey s = { .a = a, .facts = ret };
	int rc = connect_here(&sk, err);

	if (rc < 0)
		return rc;
	rc = rtnl_route_alloc_cache(sk, AF_UNSPEC, 0, &routes);
	if (rc < 0)
		return nl_fail(err, rc, "list", "routes");
	s.routes = arena_array(a, (size_t)nl_cache_nitems(routes) + 1, sizeof(*s.routes));
	nl_cache_foreach(routes, survey_route, &s);
	ret->routes = s.routes;
	ret->uplink_mtu = mtu_of(sk, s.uplink);
	ret->bridge_exists = rtnl_link_get_kernel(sk, 0, bridge, &link) == 0;
	return 0;
}

/* --- parts ----------------------------------------------------------------------------------- */

static struct nl_addr *new_addr(const struct ip *ip, unsigned prefix)
{
	struct nl_addr *addr = nl_addr_build(ip->family, ip->b, ip_bytes(ip));

	if (addr)
		nl_addr_set_prefixlen(addr, (int)prefix);
	return addr;
}

static int set_mac(struct rtnl_link *link, const uint8_t mac[WIRING_MAC])
{
	AUTO_NL(nl_addr, addr_freep) *addr = nl_addr_build(AF_LLC, mac, WIRING_MAC);

	if (!addr)
		return -NLE_NOMEM;
	rtnl_link_set_addr(link, addr);
	return 0;
}

/* Nobody else has it: duplicate detection would only keep it from being used for a second. */
static int add_addr(struct nl_sock *sk, int index, const struct ip *ip, unsigned prefix,
		    struct kata_err *err)
{
	AUTO_NL(nl_addr, addr_freep) *local = NULL;
	AUTO_NL(rtnl_addr, rtnl_addr_freep) *addr = NULL;
	char text[IP_TEXT];
	int rc;

	if (!ip->family)
		return 0;
	local = new_addr(ip, prefix);
	addr = rtnl_addr_alloc();
	if (!local || !addr)
		return nl_fail(err, -NLE_NOMEM, "set address", ip_text(ip, text));
	rtnl_addr_set_ifindex(addr, index);
	if (ip->family == AF_INET6)
		rtnl_addr_set_flags(addr, IFA_F_NODAD);
	rc = rtnl_addr_set_local(addr, local);
	if (rc == 0)
		rc = rtnl_addr_add(sk, addr, NLM_F_REPLACE);
	return rc < 0 ? nl_fail(err, rc, "set address", ip_text(ip, text)) : 0;
}

static int add_default_route(struct nl_sock *sk, int index, const struct ip *gateway,
			     struct kata_err *err)
{
	static const struct ip zero;
	AUTO_NL(rtnl_route, route_freep) *route = NULL;
	AUTO_NL(nl_addr, addr_freep) *dst = NULL;
	AUTO_NL(nl_addr, addr_freep) *via = NULL;
	struct ip any = zero;
	struct rtnl_nexthop *nh;
	char text[IP_TEXT];
	int rc;

	if (!gateway->family)
		return 0;
	any.family = gateway->family;
	route = rtnl_route_alloc();
	nh = rtnl_route_nh_alloc();
	dst = new_addr(&any, 0);
	via = new_addr(gateway, 8 * (unsigned)ip_bytes(gateway));
	if (!route || !nh || !dst || !via)
		return nl_fail(err, -NLE_NOMEM, "add route by", ip_text(gateway, text));
	rtnl_route_nh_set_ifindex(nh, index);
	rtnl_route_nh_set_gateway(nh, via);
	rtnl_route_add_nexthop(route, nh); /* takes it */
	rc = rtnl_route_set_dst(route, dst);
	if (rc == 0)
		rc = rtnl_route_add(sk, route, 0);
	return rc < 0 ? nl_fail(err, rc, "add route by", ip_text(gateway, text)) : 0;
}

/* Return: its index, 0 when there is none. */
static int index_of(struct nl_sock *sk, const char *name)
{
	AUTO_NL(rtnl_link, link_freep) *link = NULL;

	return rtnl_link_get_kernel(sk, 0, name, &link) == 0 ? rtnl_link_get_ifindex(link)
							     : 0;
}

static int set_up(struct nl_sock *sk, int index, const char *name, struct kata_err *err)
{
	AUTO_NL(rtnl_link, link_freep) *which = rtnl_link_alloc();
	AUTO_NL(rtnl_link, link_freep) *change = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (which && change) {
		rtnl_link_set_ifindex(which, index);
		rtnl_link_set_flags(change, IFF_UP);
		rc = rtnl_link_change(sk, which, change, 0);
	}
	return rc < 0 ? nl_fail(err, rc, "set up", name) : 0;
}

/* --- the bridge ------------------------------------------------------------------------------ */

/* With a MAC address of its own: else it has its ports' smallest, which changes as they come and go. */
static int make_bridge(struct nl_sock *sk, const struct wiring *w, struct kata_err *err)
{
	AUTO_NL(rtnl_link, link_freep) *link = rtnl_link_alloc();
	int rc = -NLE_NOMEM;

	if (link) {
		rtnl_link_set_name(link, w->bridge);
		rc = rtnl_link_set_type(link, "bridge");
	}
	if (rc == 0)
		rc = set_mac(link, w->bridge_mac);
	if (rc == 0)
		rc = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	return rc < 0 && rc != -NLE_EXIST ? nl_fail(err, rc, "make bridge", w->bridge)
					  : 0;
}

int links_bridge(const struct wiring *w, struct kata_err *err)
{
	AUTO_NL(nl_sock, sock_freep) *sk = NULL;
	int index, rc = connect_here(&sk, err);

	if (rc == 0)
		rc = make_bridge(sk, w, err);
	if (rc < 0)
		return rc;
	index = index_of(sk, w->bridge);
	if (!index)
		return err_set(err, -ENODEV, "bridge %s went away", w->bridge);
	rc = set_up(sk, index, w->bridge, err);
	if (rc == 0)
		rc = add_addr(sk, index, &w->gateway4, w->net4.len, err);
	if (rc == 0)
		rc = add_addr(sk, index, &w->gateway6, w->net6.len, err);
	return rc < 0 ? err_ctx(err, "bridge %s", w->bridge) : 0;
}

/* --- the container's link -------------------------------------------------------------------- */

static int describe_veth(struct rtnl_link *link, struct rtnl_link *peer, int bridge,
			 const struct wiring *w, int netns_fd)
{
	rtnl_link_set_name(link, w->link);
	rtnl_link_set_mtu(link, w->mtu);
	rtnl_link_set_master(link, bridge);
	rtnl_link_set_flags(link, IFF_UP);
	rtnl_link_set_name(peer, WIRING_INSIDE);
	rtnl_link_set_mtu(peer, w->mtu);
	rtnl_link_set_ns_fd(peer, netns_fd);
	return set_mac(peer, w->mac);
}

int links_veth(const struct wiring *w, int netns_fd, struct kata_err *err)
{
	AUTO_NL(rtnl_link, link_freep) *link = rtnl_link_veth_alloc();
	AUTO_NL(rtnl_link, link_freep) *peer = NULL;
	AUTO_NL(nl_sock, sock_freep) *sk = NULL;
	int rc = connect_here(&sk, err);

	if (rc < 0)
		return rc;
	if (!link)
		return nl_fail(err, -NLE_NOMEM, "make link", w->link);
	peer = rtnl_link_veth_get_peer(link);
	rc = describe_veth(link, peer, index_of(sk, w->bridge), w, netns_fd);
	if (rc == 0)
		rc = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	if (rc == -NLE_EXIST)
		return err_set(err, -EEXIST,
			       "make link %s with " WIRING_INSIDE " in the container's "
			       "network namespace: one of them exists",
			       w->link);
	return rc < 0 ? nl_fail(err, rc, "make link", w->link) : 0;
}

int links_inside(const struct wiring *w, int netns_fd, struct kata_err *err)
{
	AUTO_NL(nl_sock, sock_freep) *sk = NULL;
	int index, rc = connect_in(netns_fd, &sk, err);

	if (rc < 0)
		return rc;
	index = index_of(sk, WIRING_INSIDE);
	if (!index)
		return err_set(err, -ENODEV,
			       "the container's " WIRING_INSIDE " went away");
	rc = add_addr(sk, index, &w->addr4, w->net4.len, err);
	if (rc == 0)
		rc = add_addr(sk, index, &w->addr6, w->net6.len, err);
	if (rc == 0)
		rc = set_up(sk, index, WIRING_INSIDE, err);
	if (rc == 0)
		rc = add_default_route(sk, index, &w->gateway4, err);
	if (rc == 0)
		rc = add_default_route(sk, index, &w->gateway6, err);
	return rc < 0 ? err_ctx(err, "the container's " WIRING_INSIDE) : 0;
}

int links_remove(const char *name, struct kata_err *err)
{
	AUTO_NL(nl_sock, sock_freep) *sk = NULL;
	AUTO_NL(rtnl_link, link_freep) *link = rtnl_link_alloc();
	int rc = connect_here(&sk, err);

	if (rc < 0)
		return rc;
	if (!link)
		return nl_fail(err, -NLE_NOMEM, "remove link", name);
	rtnl_link_set_name(link, name);
	rc = rtnl_link_delete(sk, link);
	if (rc < 0 && to_errno(rc) != -ENODEV)
		return nl_fail(err, rc, "remove link", name);
	return 0;
}
