// SPDX-License-Identifier: Apache-2.0
#include "net/net_plan.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"

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

static void put_str(struct json_out *o, const char *key, const char *value)
{
	if (!value[0])
		return;
	json_out_key(o, key);
	json_out_str(o, value);
}

static void put_num(struct json_out *o, const char *key, uint64_t value)
{
	json_out_key(o, key);
	json_out_u64(o, value);
}

static void put_bool(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_bool(o, value);
}

static void put_mac(struct json_out *o, const char *key, const uint8_t m[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
		 m[3], m[4], m[5]);
	put_str(o, key, text);
}

static void begin_list(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_begin_array(o);
}

static void write_address(const struct net_addr *a, struct json_out *o)
{
	json_out_begin_object(o);
	put_str(o, "address", a->address);
	put_num(o, "prefix", a->prefix);
	put_str(o, "broadcast", a->broadcast);
	put_str(o, "peer", a->peer);
	put_num(o, "scope", a->scope);
	if (a->flags)
		put_num(o, "flags", a->flags);
	json_out_end_object(o);
}

static void write_interface(const struct net_scan *s, const struct net_link *l,
			    const struct net_card *card, struct json_out *o)
{
	json_out_begin_object(o);
	put_mac(o, "card", card->mac);
	put_str(o, "name", l->name);
	put_mac(o, "mac", l->mac);
	put_num(o, "mtu", l->mtu);
	put_bool(o, "noarp", l->noarp);
	begin_list(o, "addresses");
	for (size_t i = 0; i < s->n_addrs; i++)
		if (s->addrs[i].index == l->index)
			write_address(&s->addrs[i], o);
	json_out_end_array(o);
	json_out_end_object(o);
}

/* Name of the interface if the guest has it, else NULL. */
static const char *guests_name(const struct net_plan *p, const struct net_scan *s,
			       int index)
{
	const struct net_link *l = index ? net_link_by_index(s, index) : NULL;

	return l && has_card(p, l) ? l->name : NULL;
}

static void write_route(const struct net_route *r, const char *name, struct json_out *o)
{
	json_out_begin_object(o);
	put_str(o, "destination", r->destination);
	put_str(o, "gateway", r->gateway);
	if (name)
		put_str(o, "interface", name);
	put_str(o, "source", r->source);
	put_num(o, "metric", r->metric);
	put_num(o, "scope", r->scope);
	put_num(o, "table", r->table);
	put_num(o, "type", r->type);
	put_num(o, "protocol", r->protocol);
	put_bool(o, "onlink", r->onlink);
	if (r->mtu)
		put_num(o, "mtu", r->mtu);
	json_out_end_object(o);
}

/* A gateway must be within reach when its route is made: those without one come first. */
static void write_routes(const struct net_plan *p, const struct net_scan *s,
			 struct json_out *o)
{
	begin_list(o, "routes");
	for (int with_gateway = 0; with_gateway <= 1; with_gateway++) {
		for (size_t i = 0; i < s->n_routes; i++) {
			const struct net_route *r = &s->routes[i];
			const char *name = guests_name(p, s, r->index);

			if ((r->gateway[0] != 0) == with_gateway && (name || !r->index))
				write_route(r, name, o);
		}
	}
	json_out_end_array(o);
}

static void write_rules(const struct net_scan *s, struct json_out *o)
{
	begin_list(o, "rules");
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct net_rule *r = &s->rules[i];

		json_out_begin_object(o);
		put_num(o, "priority", r->priority);
		put_num(o, "family", r->family);
		put_str(o, "source", r->source);
		put_str(o, "destination", r->destination);
		put_num(o, "table", r->table);
		if (r->mark || r->mask) {
			put_num(o, "mark", r->mark);
			put_num(o, "mask", r->mask);
		}
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

static void write_neighbours(const struct net_plan *p, const struct net_scan *s,
			     struct json_out *o)
{
	begin_list(o, "neighbours");
	for (size_t i = 0; i < s->n_neighbours; i++) {
		const struct net_neighbour *n = &s->neighbours[i];
		const char *name = guests_name(p, s, n->index);

		if (!name)
			continue;
		json_out_begin_object(o);
		put_str(o, "interface", name);
		put_str(o, "address", n->address);
		put_mac(o, "mac", n->mac);
		put_num(o, "state", n->state);
		json_out_end_object(o);
	}
	json_out_end_array(o);
}

void net_plan_write(const struct net_plan *p, const struct net_scan *s,
		    const struct net_card *cards, unsigned n, bool dns, struct buf *out)
{
	struct json_out o = { .buf = out };

	json_out_begin_object(&o);
	begin_list(&o, "interfaces");
	for (unsigned i = 0; i < n; i++) {
		const struct net_link *l = p->index[i] ? net_link_by_index(s, p->index[i])
						       : NULL;

		if (l)
			write_interface(s, l, &cards[i], &o);
	}
	json_out_end_array(&o);
	write_routes(p, s, &o);
	write_rules(s, &o);
	write_neighbours(p, s, &o);
	put_bool(&o, "dns", dns);
	json_out_end_object(&o);
}
