// SPDX-License-Identifier: Apache-2.0
/*
 * netmsg: the tables behind netmsg.h and the rules that a table cannot say. Both sides hold a
 * message against the same rules, so what one encodes the other takes.
 */
#include "proto/netmsg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define ADDRESS_MAX 64 /* bytes of text looked at */

/* --- texts */

int netmsg_to_ip(const char *s, struct netmsg_ip *ret)
{
	struct netmsg_ip ip = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, s, ip.bytes) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

int netmsg_to_prefix(const char *s, struct netmsg_ip *ret, uint8_t *ret_bits)
{
	const char *slash = strchr(s, '/');
	char address[ADDRESS_MAX];
	struct netmsg_ip ip;
	uint64_t bits;

	if (!slash || slash - s >= ADDRESS_MAX)
		return -EINVAL;
	memcpy(address, s, (size_t)(slash - s));
	address[slash - s] = '\0';
	if (netmsg_to_ip(address, &ip) < 0 ||
	    str_to_u64(slash + 1, 0, 8 * netmsg_ip_len(&ip), &bits) < 0)
		return -EINVAL;
	*ret = ip;
	*ret_bits = (uint8_t)bits;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int netmsg_to_mac(const char *s, uint8_t ret[NETMSG_MAC_LEN])
{
	uint8_t mac[NETMSG_MAC_LEN];

	for (int i = 0; i < NETMSG_MAC_LEN; i++, s += 3) {
		int high = hex_digit(s[0]);
		int low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0 || s[2] != (i == NETMSG_MAC_LEN - 1 ? '\0' : ':'))
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

/* --- checks of one object */

static int bad(struct kata_err *err, const char *path, const char *member,
	       const char *value, const char *what)
{
	return err_set(err, -EINVAL, "%s.%s: \"%s\" is no %s", path, member, value, what);
}

/* An optional address, of @family unless that is AF_UNSPEC. */
static int check_ip(const char *path, const char *member, const char *s, int family,
		    struct kata_err *err)
{
	struct netmsg_ip ip;

	if (!s)
		return 0;
	if (netmsg_to_ip(s, &ip) < 0)
		return bad(err, path, member, s, "IP address");
	if (family != AF_UNSPEC && ip.family != family)
		return bad(err, path, member, s,
			   family == AF_INET ? "IPv4 address" : "IPv6 address");
	return 0;
}

/* An optional prefix, the same. *ret_family may be NULL. */
static int check_prefix(const char *path, const char *member, const char *s, int family,
			int *ret_family, struct kata_err *err)
{
	struct netmsg_ip ip;
	uint8_t bits;

	if (!s)
		return 0;
	if (netmsg_to_prefix(s, &ip, &bits) < 0 ||
	    (family != AF_UNSPEC && ip.family != family))
		return bad(err, path, member, s, "prefix of that family");
	if (ret_family)
		*ret_family = ip.family;
	return 0;
}

static int check_mac(const char *path, const char *member, const char *s,
		     struct kata_err *err)
{
	uint8_t mac[NETMSG_MAC_LEN];

	if (netmsg_to_mac(s, mac) < 0)
		return bad(err, path, member, s, "MAC address");
	return 0;
}

/* What the kernel takes for a name (dev_valid_name()), of printable characters. */
static bool is_name(const char *s)
{
	if (strlen(s) > NETMSG_NAME_MAX || !*s || str_eq(s, ".") || str_eq(s, ".."))
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '/' || *s == ':' || *s == '%')
			return false;
	return true;
}

static int count(const char *path, const char *member, size_t n, size_t max,
		 struct kata_err *err)
{
	if (n <= max)
		return 0;
	return err_set(err, -E2BIG, "%s%s%s: %zu are more than %zu", path,
		       *path ? "." : "", member, n, max);
}

static int address_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg_address *a = obj;
	struct netmsg_ip ip;
	int r;

	if (netmsg_to_ip(a->address, &ip) < 0)
		return bad(err, path, "address", a->address, "IP address");
	if (a->prefix > 8 * netmsg_ip_len(&ip))
		return err_set(err, -ERANGE, "%s.prefix: %u is too long for %s", path,
			       a->prefix, a->address);
	r = check_ip(path, "broadcast", a->broadcast, AF_INET, err);
	return r < 0 ? r : check_ip(path, "peer", a->peer, ip.family, err);
}

static int interface_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg_interface *i = obj;
	int r = check_mac(path, "card", i->card, err);

	if (r == 0)
		r = check_mac(path, "mac", i->mac, err);
	if (r < 0)
		return r;
	if (!is_name(i->name) || str_eq(i->name, "lo"))
		return bad(err, path, "name", i->name, "name for a card");
	return count(path, "addresses", i->addresses.n, NETMSG_MAX_ADDRESSES, err);
}

static int route_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg_route *rt = obj;
	int family = AF_UNSPEC;
	int r = check_prefix(path, "destination", rt->destination, AF_UNSPEC, &family,
			     err);

	/* a gateway of the other family (RTA_VIA) is not in the contract */
	if (r == 0)
		r = check_ip(path, "gateway", rt->gateway, family, err);
	return r < 0 ? r : check_ip(path, "source", rt->source, family, err);
}

static int rule_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg_rule *u = obj;
	int family = u->family == 4 ? AF_INET : AF_INET6;
	int r;

	if (u->family != 4 && u->family != 6)
		return err_set(err, -EINVAL, "%s.family: %u is neither 4 nor 6", path,
			       u->family);
	r = check_prefix(path, "source", u->source, family, NULL, err);
	return r < 0 ? r
		     : check_prefix(path, "destination", u->destination, family, NULL,
				    err);
}

static int neighbour_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg_neighbour *n = obj;
	int r = check_ip(path, "address", n->address, AF_UNSPEC, err);

	return r < 0 ? r : check_mac(path, "mac", n->mac, err);
}

/* --- the message as a whole */

static bool is_known(const struct netmsg *m, const char *name)
{
	const struct netmsg_interface *v = m->interfaces.v;

	for (size_t i = 0; i < m->interfaces.n; i++)
		if (str_eq(v[i].name, name))
			return true;
	return str_eq(name, "lo");
}

static int check_unique(const struct netmsg *m, struct kata_err *err)
{
	const struct netmsg_interface *v = m->interfaces.v;

	for (size_t i = 0; i < m->interfaces.n; i++) {
		for (size_t k = 0; k < i; k++) {
			uint8_t a[NETMSG_MAC_LEN], b[NETMSG_MAC_LEN];

			if (str_eq(v[i].name, v[k].name))
				return err_set(err, -EEXIST,
					       "interfaces[%zu].name: %s is there twice",
					       i, v[i].name);
			if (netmsg_to_mac(v[i].card, a) == 0 &&
			    netmsg_to_mac(v[k].card, b) == 0 &&
			    memcmp(a, b, sizeof(a)) == 0)
				return err_set(err, -EEXIST,
					       "interfaces[%zu].card: %s is there twice",
					       i, v[i].card);
		}
	}
	return 0;
}

static int check_names(const struct netmsg *m, struct kata_err *err)
{
	const struct netmsg_route *rt = m->routes.v;
	const struct netmsg_neighbour *n = m->neighbours.v;

	for (size_t i = 0; i < m->routes.n; i++)
		if (rt[i].interface && !is_known(m, rt[i].interface))
			return err_set(err, -ENODEV,
				       "routes[%zu].interface: there is no %s", i,
				       rt[i].interface);
	for (size_t i = 0; i < m->neighbours.n; i++)
		if (!is_known(m, n[i].interface))
			return err_set(err, -ENODEV,
				       "neighbours[%zu].interface: there is no %s", i,
				       n[i].interface);
	return 0;
}

static int netmsg_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct netmsg *m = obj;
	int r = count(path, "interfaces", m->interfaces.n, NETMSG_MAX_INTERFACES, err);

	if (r == 0)
		r = count(path, "routes", m->routes.n, NETMSG_MAX_ROUTES, err);
	if (r == 0)
		r = count(path, "rules", m->rules.n, NETMSG_MAX_RULES, err);
	if (r == 0)
		r = count(path, "neighbours", m->neighbours.n, NETMSG_MAX_NEIGHBOURS,
			  err);
	if (r == 0)
		r = check_unique(m, err);
	return r < 0 ? r : check_names(m, err);
}

/* --- tables */

#define NEEDED .flags = JT_REQUIRED
/* numbers that are a byte in the kernel's messages */
#define BYTE .min = 0, .max = 255

static const struct jt_field address_fields[] = {
	JT(struct netmsg_address, address, JT_STR, NEEDED),
	JT(struct netmsg_address, prefix, JT_U32, NEEDED, .min = 0, .max = 128),
	JT(struct netmsg_address, broadcast, JT_STR),
	JT(struct netmsg_address, peer, JT_STR),
	JT(struct netmsg_address, scope, JT_U32, BYTE),
	JT(struct netmsg_address, flags, JT_U32, .flags = JT_OMIT_ZERO),
};

static const struct jt_field route_fields[] = {
	JT(struct netmsg_route, destination, JT_STR, NEEDED),
	JT(struct netmsg_route, gateway, JT_STR),
	JT(struct netmsg_route, interface, JT_STR),
	JT(struct netmsg_route, source, JT_STR),
	JT(struct netmsg_route, metric, JT_U32),
	JT(struct netmsg_route, scope, JT_U32, BYTE),
	JT(struct netmsg_route, table, JT_U32, NEEDED, .min = 1, .max = UINT32_MAX),
	JT(struct netmsg_route, type, JT_U32, NEEDED, .min = 1, .max = 255),
	JT(struct netmsg_route, protocol, JT_U32, BYTE),
	JT(struct netmsg_route, onlink, JT_BOOL),
	JT(struct netmsg_route, mtu, JT_U32, .flags = JT_OMIT_ZERO),
};

static const struct jt_field rule_fields[] = {
	JT(struct netmsg_rule, priority, JT_U32, NEEDED),
	JT(struct netmsg_rule, family, JT_U32, NEEDED),
	JT(struct netmsg_rule, source, JT_STR),
	JT(struct netmsg_rule, destination, JT_STR),
	JT(struct netmsg_rule, table, JT_U32, NEEDED, .min = 1, .max = UINT32_MAX),
	JT(struct netmsg_rule, mark, JT_U32, .flags = JT_OMIT_ZERO),
	JT(struct netmsg_rule, mask, JT_U32, .flags = JT_OMIT_ZERO),
};

static const struct jt_field neighbour_fields[] = {
	JT(struct netmsg_neighbour, interface, JT_STR, NEEDED),
	JT(struct netmsg_neighbour, address, JT_STR, NEEDED),
	JT(struct netmsg_neighbour, mac, JT_STR, NEEDED),
	JT(struct netmsg_neighbour, state, JT_U32, NEEDED, .min = 1, .max = UINT16_MAX),
};

#define TAB(name, type, list, fn)                                                        \
	const struct jtab name = {                                                       \
		.what = #type,                                                           \
		.size = sizeof(struct type),                                             \
		.fields = (list),                                                        \
		.n_fields = ARRAY_SIZE(list),                                            \
		.check = (fn),                                                           \
	}

static TAB(address_tab, netmsg_address, address_fields, address_check);
static TAB(route_tab, netmsg_route, route_fields, route_check);
static TAB(rule_tab, netmsg_rule, rule_fields, rule_check);
static TAB(neighbour_tab, netmsg_neighbour, neighbour_fields, neighbour_check);

static const struct jt_field interface_fields[] = {
	JT(struct netmsg_interface, card, JT_STR, NEEDED),
	JT(struct netmsg_interface, name, JT_STR, NEEDED),
	JT(struct netmsg_interface, mac, JT_STR, NEEDED),
	JT(struct netmsg_interface, mtu, JT_U32, .min = 0, .max = UINT16_MAX),
	JT(struct netmsg_interface, noarp, JT_BOOL),
	JT_AS(struct netmsg_interface, accept_ra, "acceptRa", JT_BOOL,
	      .flags = JT_OMIT_ZERO),
	JT_AS(struct netmsg_interface, no_ipv6, "noIpv6", JT_BOOL, .flags = JT_OMIT_ZERO),
	JT(struct netmsg_interface, addresses, JT_OBJV, .sub = &address_tab),
};

static TAB(interface_tab, netmsg_interface, interface_fields, interface_check);

static const struct jt_field netmsg_fields[] = {
	JT(struct netmsg, interfaces, JT_OBJV, .sub = &interface_tab),
	JT(struct netmsg, routes, JT_OBJV, .sub = &route_tab),
	JT(struct netmsg, rules, JT_OBJV, .sub = &rule_tab),
	JT(struct netmsg, neighbours, JT_OBJV, .sub = &neighbour_tab),
	JT(struct netmsg, dns, JT_BOOL),
};

TAB(netmsg_tab, netmsg, netmsg_fields, netmsg_check);
