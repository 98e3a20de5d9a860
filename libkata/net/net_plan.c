// SPDX-License-Identifier: Apache-2.0
#include "net/net_plan.h"

#include <errno.h>

#include "base/str.h"
#include "proto/netmsg.h"

/*
 * What has Ethernet frames and passes them through tc. A tun interface is one of kind "tun" without
 * frames. Others may well work; nobody has tried.
 */
static const char *const kinds[] = {
	"",	   /* a device of the machine's, moved in */
	"veth",	   /* nearly all engines */
	"macvlan", /* an address of its own on the host's network */
	"ipvlan",  /* the same behind the host's MAC */
	"vlan",	   "dummy",
	"tun", /* a tap that another process serves: slirp4netns, pasta */
};

static bool is_known_kind(const struct net_link *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i], l->kind))
			return true;
	return false;
}

static bool is_tap(const struct net_link *l, const struct net_card *cards, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (cards[i].tap == l->index)
			return true;
	return false;
}

/* Down: not configured yet, or a fallback device that comes with a tunnel's module (tunl0, sit0). */
bool net_is_guests(const struct net_link *l, const struct net_card *cards, unsigned n)
{
	return l->up && !l->loopback && !is_tap(l, cards, n);
}

static int check_link(const struct net_link *l, struct kata_err *err)
{
	const char *kind = l->kind[0] ? l->kind : "unnamed";

	if (l->l3s)
		return err_set(
			err, -ENOTSUP,
			"network interface %s is an ipvlan in mode l3s, which cannot "
			"be given to a VM; modes l2 and l3 can",
			l->name);
	if (is_known_kind(l) && l->ether)
		return 0;
	return err_set(
		err, -ENOTSUP,
		"network interface %s is of kind %s%s, which cannot be given to a VM",
		l->name, kind, l->ether ? "" : " and has no Ethernet frames");
}

static void keep(const struct net_link *l, const struct net_card *cards, unsigned n,
		 struct net_plan *p)
{
	for (unsigned i = 0; i < n; i++)
		if (cards[i].wired == l->index)
			p->index[i] = l->index;
}

static bool has_card(const struct net_plan *p, const struct net_link *l)
{
	for (unsigned i = 0; i < NET_MAX_CARDS; i++)
		if (p->index[i] == l->index)
			return true;
	return false;
}

static void find_card(const struct net_link *l, unsigned n, struct net_plan *p)
{
	for (unsigned i = 0; i < n; i++) {
		if (p->index[i])
			continue;
		p->index[i] = l->index;
		return;
	}
	if (!p->left)
		p->left = l;
	p->n_left++;
}

int net_plan_make(const struct net_scan *s, const struct net_card *cards, unsigned n,
		  struct net_plan *ret, struct kata_err *err)
{
	struct net_plan p = { 0 };
	int r = 0;

	for (size_t i = 0; i < s->n_links && r == 0; i++) {
		if (!net_is_guests(&s->links[i], cards, n))
			continue;
		r = check_link(&s->links[i], err);
		keep(&s->links[i], cards, n, &p);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n_links; i++)
		if (net_is_guests(&s->links[i], cards, n) && !has_card(&p, &s->links[i]))
			find_card(&s->links[i], n, &p);
	*ret = p;
	return 0;
}

/* --- the message ------------------------------------------------------------------------- */

struct writer {
	const struct net_plan *plan;
	const struct net_scan *scan;
	struct arena *a;
};

/* Ours have "" for what is not there. */
static const char *opt(const char *text)
{
	return text[0] ? text : NULL;
}

static const char *mac_text(const struct writer *w, const uint8_t m[6])
{
	return arena_printf(w->a, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
			    m[4], m[5]);
}

static struct jt_objv addresses(const struct writer *w, const struct net_link *l)
{
	const struct net_scan *s = w->scan;
	struct netmsg_address *v = arena_array(w->a, s->n_addrs + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < s->n_addrs; i++) {
		const struct net_addr *from = &s->addrs[i];

		if (from->index == l->index)
			v[n++] = (struct netmsg_address){
				.address = from->address,
				.prefix = from->prefix,
				.broadcast = opt(from->broadcast),
				.peer = opt(from->peer),
				.scope = from->scope,
				.flags = from->flags,
			};
	}
	return (struct jt_objv){ v, n };
}

static struct jt_objv interfaces(const struct writer *w, const struct net_card *cards,
				 unsigned n_cards)
{
	struct netmsg_interface *v = arena_array(w->a, n_cards + 1, sizeof(*v));
	size_t n = 0;

	for (unsigned i = 0; i < n_cards; i++) {
		int index = w->plan->index[i];
		const struct net_link *l = index ? net_link_by_index(w->scan, index)
						 : NULL;

		if (l)
			v[n++] = (struct netmsg_interface){
				.card = mac_text(w, cards[i].mac),
				.name = l->name,
				.mac = mac_text(w, l->mac),
				.mtu = l->mtu,
				.noarp = l->noarp,
				.accept_ra = l->accept_ra,
				.no_ipv6 = l->no_ipv6,
				.addresses = addresses(w, l),
			};
	}
	return (struct jt_objv){ v, n };
}

/* Name of the interface if the guest has it, else NULL. */
static const char *guests_name(const struct writer *w, int index)
{
	const struct net_link *l = index ? net_link_by_index(w->scan, index) : NULL;

	return l && has_card(w->plan, l) ? l->name : NULL;
}

static struct netmsg_route route(const struct net_route *from, const char *name)
{
	return (struct netmsg_route){
		.destination = from->destination,
		.gateway = opt(from->gateway),
		.interface = name,
		.source = opt(from->source),
		.metric = from->metric,
		.scope = from->scope,
		.table = from->table,
		.type = from->type,
		.protocol = from->protocol,
		.mtu = from->mtu,
		.onlink = from->onlink,
	};
}

/* A gateway must be within reach when its route is made: those without one come first. */
static struct jt_objv routes(const struct writer *w)
{
	const struct net_scan *s = w->scan;
	struct netmsg_route *v = arena_array(w->a, s->n_routes + 1, sizeof(*v));
	size_t n = 0;

	for (int with_gateway = 0; with_gateway <= 1; with_gateway++) {
		for (size_t i = 0; i < s->n_routes; i++) {
			const struct net_route *from = &s->routes[i];
			const char *name = guests_name(w, from->index);

			if ((from->gateway[0] != 0) == with_gateway &&
			    (name || !from->index))
				v[n++] = route(from, name);
		}
	}
	return (struct jt_objv){ v, n };
}

static struct jt_objv rules(const struct writer *w)
{
	const struct net_scan *s = w->scan;
	struct netmsg_rule *v = arena_array(w->a, s->n_rules + 1, sizeof(*v));

	for (size_t i = 0; i < s->n_rules; i++) {
		const struct net_rule *from = &s->rules[i];

		v[i] = (struct netmsg_rule){
			.priority = from->priority,
			.family = from->family,
			.source = opt(from->source),
			.destination = opt(from->destination),
			.table = from->table,
			.mark = from->mark,
			.mask = from->mask,
		};
	}
	return (struct jt_objv){ v, s->n_rules };
}

static struct jt_objv neighbours(const struct writer *w)
{
	const struct net_scan *s = w->scan;
	struct netmsg_neighbour *v = arena_array(w->a, s->n_neighbours + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < s->n_neighbours; i++) {
		const struct net_neighbour *from = &s->neighbours[i];
		const char *name = guests_name(w, from->index);

		if (name)
			v[n++] = (struct netmsg_neighbour){
				.interface = name,
				.address = from->address,
				.mac = mac_text(w, from->mac),
				.state = from->state,
			};
	}
	return (struct jt_objv){ v, n };
}

void net_plan_write(const struct net_plan *p, const struct net_scan *s,
		    const struct net_card *cards, unsigned n, bool dns, struct buf *out)
{
	AUTO(arena) *a = arena_new();
	const struct writer w = { p, s, a };
	struct json_out o = { .buf = out };
	const struct netmsg m = {
		.interfaces = interfaces(&w, cards, n),
		.routes = routes(&w),
		.rules = rules(&w),
		.neighbours = neighbours(&w),
		.dns = dns,
	};

	jtab_encode(&netmsg_tab, &m, &o);
}
