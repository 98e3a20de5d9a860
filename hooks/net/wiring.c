// SPDX-License-Identifier: Apache-2.0
/*
 * wiring: decisions.
 *
 * A container is a number in its bridge's subnets: 1 is the host, the lowest free one is
 * given. Addresses, the name of the host's link and the MAC address follow from it, so two
 * containers cannot be given the same, and whoever gets an address after another has
 * the other's MAC address as well: what neighbours remember stays right.
 */
#include "wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define HOST_GATEWAY 1u
#define HOST_FIRST 2u
#define MTU_DEFAULT 1500u

/* Where the default is looked for: 10.94.0.0/16 to 10.109.0.0/16. podman has 10.88, Kubernetes
 * and flannel 10.96 and 10.244, docker 172.17 and up; what is in use shows in the routes. */
enum { AUTO_FIRST = 94, AUTO_LAST = 109, AUTO_LEN = 16 };

/* --- a new bridge ---------------------------------------------------------------------------- */

/* A route or another bridge of ours that is in the way of @s; NULL = it is free. */
static const char *in_the_way(const struct ledger *l, const struct wiring_facts *f,
			      const struct subnet *s, char text[SUBNET_TEXT])
{
	struct kata_err ignored = { 0 };
	struct subnet other;

	for (size_t i = 0; i < f->n_routes; i++) {
		if (subnet_overlaps(&f->routes[i], s))
			return subnet_text(&f->routes[i], text);
	}
	for (size_t i = 0; i < l->nets.n; i++) {
		const struct ledger_net *n = &ledger_nets(l)[i];

		if (subnet_parse(n->subnet, &other, &ignored) == 0 &&
		    subnet_overlaps(&other, s))
			return subnet_text(&other, text);
		if (n->subnet6 && subnet_parse(n->subnet6, &other, &ignored) == 0 &&
		    subnet_overlaps(&other, s))
			return subnet_text(&other, text);
	}
	return NULL;
}

static int check_free(const struct ledger *l, const struct wiring_facts *f,
		      const char *option, const struct subnet *s, struct kata_err *err)
{
	char mine[SUBNET_TEXT], theirs[SUBNET_TEXT];
	const char *other = s->base.family ? in_the_way(l, f, s, theirs) : NULL;

	if (!other)
		return 0;
	return err_set(err, -EADDRINUSE,
		       "%s: %s overlaps %s, to which this host has a route already",
		       option, subnet_text(s, mine), other);
}

static int choose_subnet(const struct ledger *l, const struct wiring_facts *f,
			 struct subnet *ret, struct kata_err *err)
{
	char text[SUBNET_TEXT];

	for (int i = AUTO_FIRST; i <= AUTO_LAST; i++) {
		struct subnet s = { { AF_INET, { 10, (uint8_t)i } }, AUTO_LEN };

		if (!in_the_way(l, f, &s, text)) {
			*ret = s;
			return 0;
		}
	}
	return err_set(err, -EADDRINUSE,
		       "this host has routes into all of 10.%d.0.0/16 to 10.%d.0.0/16: "
		       "choose a subnet with --subnet",
		       AUTO_FIRST, AUTO_LAST);
}

static int new_net(const struct ledger *l, const struct options *o,
		   const struct wiring_facts *f, struct arena *a, struct ledger_net *ret,
		   struct kata_err *err)
{
	unsigned uplink = f->uplink_mtu ? f->uplink_mtu : MTU_DEFAULT;
	struct subnet s = o->subnet;
	char text[SUBNET_TEXT];
	int rc;

	if (f->bridge_exists)
		return err_set(
			err, -EEXIST,
			"a link called %s exists and is not of kata-hook-net's making: "
			"choose another name with --bridge, or remove it",
			o->bridge);
	rc = s.base.family ? check_free(l, f, "--subnet", &s, err)
			   : choose_subnet(l, f, &s, err);
	if (rc == 0)
		rc = check_free(l, f, "--subnet6", &o->subnet6, err);
	if (rc < 0)
		return rc;
	*ret = (struct ledger_net){
		.bridge = arena_strdup(a, o->bridge),
		.subnet = arena_strdup(a, subnet_text(&s, text)),
		.mtu = o->mtu ? o->mtu : uplink,
		.nat = !o->no_nat,
	};
	if (o->subnet6.base.family)
		ret->subnet6 = arena_strdup(a, subnet_text(&o->subnet6, text));
	return 0;
}

/* --- an existing bridge ---------------------------------------------------------------------- */

static int differs(const struct ledger_net *n, const char *option, const char *is,
		   struct kata_err *err)
{
	return err_set(err, -EINVAL,
		       "%s: bridge %s is in use and has %s; give the same, or another "
		       "--bridge",
		       option, n->bridge, is);
}

/* What is not given is as it is. */
static int check_same(const struct ledger_net *n, const struct options *o,
		      struct kata_err *err)
{
	char text[SUBNET_TEXT];

	if (o->subnet.base.family && !str_eq(subnet_text(&o->subnet, text), n->subnet))
		return differs(n, "--subnet", n->subnet, err);
	if (o->subnet6.base.family && !str_eq(subnet_text(&o->subnet6, text), n->subnet6))
		return differs(n, "--subnet6", n->subnet6 ? n->subnet6 : "no IPv6", err);
	if (o->mtu && o->mtu != n->mtu) {
		snprintf(text, sizeof(text), "%u", n->mtu);
		return differs(n, "--mtu", text, err);
	}
	if (o->no_nat == n->nat)
		return differs(n, "--no-nat", n->nat ? "NAT" : "none", err);
	return 0;
}

/* --- the container --------------------------------------------------------------------------- */

static bool is_taken(const struct ledger *l, const char *bridge, uint32_t host)
{
	for (size_t i = 0; i < l->users.n; i++) {
		const struct ledger_user *u = &ledger_users(l)[i];

		if (u->host == host && str_eq(u->bridge, bridge))
			return true;
	}
	return false;
}

static int give_host(const struct ledger *l, const struct ledger_net *n, uint32_t *ret,
		     struct kata_err *err)
{
	struct subnet s;
	int rc = subnet_parse(n->subnet, &s, err);

	if (rc < 0)
		return rc;
	for (uint32_t host = HOST_FIRST; host <= subnet_last_host(&s); host++) {
		if (!is_taken(l, n->bridge, host)) {
			*ret = host;
			return 0;
		}
	}
	return err_set(err, -ENOSPC, "no address of %s is free", n->subnet);
}

static int check_port(const struct ledger *l, const char *mine, struct kata_err *err)
{
	struct publish p, other;
	int rc = publish_parse(mine, &p, err);

	for (size_t i = 0; i < l->users.n && rc == 0; i++) {
		const struct ledger_user *u = &ledger_users(l)[i];

		for (size_t j = 0; j < u->publish.n && rc == 0; j++) {
			rc = publish_parse(u->publish.v[j], &other, err);
			if (rc == 0 && publish_clash(&p, &other))
				rc = err_set(err, -EADDRINUSE,
					     "--publish %s: container %s has that port, "
					     "by %s",
					     mine, u->id, u->publish.v[j]);
		}
	}
	return rc;
}

static int give_ports(const struct ledger *l, const struct options *o, struct arena *a,
		      struct jt_strv *ret, struct kata_err *err)
{
	const char **v = arena_array(a, o->publish.n + 1, sizeof(*v));

	for (size_t i = 0; i < o->publish.n; i++) {
		int rc = check_port(l, o->publish.v[i], err);

		if (rc < 0)
			return rc;
		v[i] = o->publish.v[i];
	}
	*ret = (struct jt_strv){ v, o->publish.n };
	return 0;
}

int wiring_plan(const struct ledger *old, const struct options *o,
		const struct wiring_facts *facts, struct ledger_user *user,
		struct arena *a, struct ledger *ret, struct kata_err *err)
{
	const struct ledger_net *net = ledger_net(old, o->bridge);
	struct ledger l = *old;
	struct ledger_net made;
	int rc;

	if (net) {
		rc = check_same(net, o, err);
	} else {
		rc = new_net(old, o, facts, a, &made, err);
		if (rc == 0)
			ledger_add_net(&l, a, &made);
	}
	if (rc == 0)
		rc = give_ports(old, o, a, &user->publish, err);
	if (rc == 0)
		rc = give_host(&l, ledger_net(&l, o->bridge), &user->host, err);
	if (rc < 0)
		return rc;
	net = ledger_net(&l, o->bridge);
	user->bridge = net->bridge;
	l.forward4 = l.forward4 || !facts->forward4;
	l.forward6 = l.forward6 || (net->subnet6 && !facts->forward6);
	ledger_add_user(&l, a, user);
	*ret = l;
	return 0;
}

/* --- what follows ---------------------------------------------------------------------------- */

/* Locally administered, and the IPv4 address, which is nobody else's on this host. */
static void mac_of(const struct ip *ip, uint8_t mac[WIRING_MAC])
{
	mac[0] = 0x02;
	mac[1] = 0x4b;
	memcpy(mac + 2, ip->b, 4);
}

int wiring_of(const struct ledger *l, const struct ledger_user *user, struct wiring *ret,
	      struct kata_err *err)
{
	const struct ledger_net *n = ledger_net(l, user->bridge);
	struct wiring w = { .bridge = n->bridge, .mtu = n->mtu, .nat = n->nat };
	int rc = subnet_parse(n->subnet, &w.net4, err);

	if (rc == 0 && n->subnet6)
		rc = subnet_parse(n->subnet6, &w.net6, err);
	if (rc < 0)
		return rc;
	w.gateway4 = subnet_host(&w.net4, HOST_GATEWAY);
	w.gateway6 = subnet_host(&w.net6, HOST_GATEWAY);
	w.addr4 = subnet_host(&w.net4, user->host);
	w.addr6 = subnet_host(&w.net6, user->host);
	snprintf(w.link, sizeof(w.link), "kv%02x%02x%02x%02x", w.addr4.b[0], w.addr4.b[1],
		 w.addr4.b[2], w.addr4.b[3]);
	mac_of(&w.gateway4, w.bridge_mac);
	mac_of(&w.addr4, w.mac);
	*ret = w;
	return 0;
}
