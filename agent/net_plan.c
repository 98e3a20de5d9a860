// SPDX-License-Identifier: Apache-2.0
/*
 * net_plan: cards come over first, so that all is in one namespace. Then two halves, because
 * the kernel takes more away than it is asked to: a link that goes down loses its routes and
 * IPv6 addresses, an IPv4 address its secondaries. So first all goes that has to, then the
 * state is read again, then what is missing is added. Each part is empty when there is nothing
 * to do, and a message that comes twice does nothing.
 */
#include "net_plan.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* --- lists of items */

bool net_items_have(const struct net_items *l, const struct net_item *it)
{
	for (size_t i = 0; i < l->n; i++)
		if (net_item_eq(&l->v[i], it))
			return true;
	return false;
}

void net_items_add(struct net_items *l, const struct net_item *it)
{
	/* by doubling */
	if ((l->n & (l->n - 1)) == 0)
		l->v = mem_grow(l->v, l->n ? 2 * l->n : 1, sizeof(*l->v));
	l->v[l->n++] = *it;
}

void net_items_remove(struct net_items *l, const struct net_item *it)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!net_item_eq(&l->v[i], it))
			continue;
		memmove(l->v + i, l->v + i + 1, (l->n - i - 1) * sizeof(*l->v));
		l->n--;
		return;
	}
}

/* --- links */

bool net_link_read(const struct nlmsghdr *h, struct net_link *ret)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	struct nl_attr at[IFLA_PERM_ADDRESS + 1];
	struct net_link l = { 0 };

	if (h->nlmsg_type != RTM_NEWLINK ||
	    !nl_parse_msg(h, sizeof(*i), at, ARRAY_SIZE(at)) || i->ifi_index <= 0)
		return false;
	l.index = (uint32_t)i->ifi_index;
	l.flags = i->ifi_flags;
	l.mtu = nl_u32(&at[IFLA_MTU], 0);
	nl_copy(&at[IFLA_IFNAME], l.name, sizeof(l.name) - 1);
	nl_copy(&at[IFLA_ADDRESS], l.mac, sizeof(l.mac));
	nl_copy(at[IFLA_PERM_ADDRESS].data ? &at[IFLA_PERM_ADDRESS] : &at[IFLA_ADDRESS],
		l.card, sizeof(l.card));
	l.has_perm = at[IFLA_PERM_ADDRESS].data;
	/* what software made has a kind there */
	l.is_card = i->ifi_type == ARPHRD_ETHER && !at[IFLA_LINKINFO].data;
	l.is_ether = i->ifi_type == ARPHRD_ETHER;
	*ret = l;
	return true;
}

static const struct net_link *link_by_index(const struct net_state *is, uint32_t index)
{
	for (size_t i = 0; i < is->n_links; i++)
		if (is->links[i].index == index)
			return &is->links[i];
	return NULL;
}

static const struct net_link *link_by_name(const struct net_state *is, const char *name)
{
	for (size_t i = 0; i < is->n_links; i++)
		if (str_eq(is->links[i].name, name))
			return &is->links[i];
	return NULL;
}

static const struct net_link *link_by_card(const struct net_state *is, const char *text)
{
	uint8_t card[NETMSG_MAC_LEN];

	if (netmsg_to_mac(text, card) < 0)
		return NULL;
	for (size_t i = 0; i < is->n_links; i++)
		if (is->links[i].is_card &&
		    memcmp(is->links[i].card, card, sizeof(card)) == 0)
			return &is->links[i];
	return NULL;
}

static const struct net_want_link *wanted_link(const struct net_want *w, uint32_t index)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (w->links[i].index == index)
			return &w->links[i];
	return NULL;
}

/* --- what is wanted */

static int no_card(const struct netmsg_interface *i, struct kata_err *err)
{
	return err_set(err, -ENODEV, "interface %s: the VM has no card %s", i->name,
		       i->card);
}

static int want_link(const struct netmsg_interface *i, const struct net_state *is,
		     struct net_want_link *ret, struct kata_err *err)
{
	const struct net_link *l = link_by_card(is, i->card);

	if (!l)
		return no_card(i, err);
	*ret = (struct net_want_link){
		.index = l->index,
		.mtu = i->mtu,
		.name = i->name,
		.noarp = i->noarp,
		.accept_ra = i->accept_ra,
		.no_ipv6 = i->no_ipv6,
	};
	/* netmsg's checks let no other through */
	return netmsg_to_mac(i->mac, ret->mac) < 0 ? -ENODEV : 0;
}

/* Index of an interface of the message; netmsg's checks leave none out. */
static uint32_t index_of(const struct net_want *w, const struct net_state *is,
			 const char *name)
{
	const struct net_link *l = link_by_name(is, name);

	for (size_t i = 0; i < w->n_links; i++)
		if (str_eq(w->links[i].name, name))
			return w->links[i].index;
	return l ? l->index : 0;
}

static struct net_item *next_item(struct net_want *w)
{
	return &w->items.v[w->items.n++];
}

static void want_items(const struct netmsg *m, const struct net_state *is,
		       struct net_want *w)
{
	const struct netmsg_interface *i = m->interfaces.v;
	const struct netmsg_neighbour *n = m->neighbours.v;
	const struct netmsg_route *rt = m->routes.v;
	const struct netmsg_rule *u = m->rules.v;

	for (size_t k = 0; k < m->interfaces.n; k++)
		for (size_t j = 0; j < i[k].addresses.n; j++)
			net_item_address((const struct netmsg_address *)i[k].addresses.v +
						 j,
					 w->links[k].index, next_item(w));
	for (size_t k = 0; k < m->neighbours.n; k++)
		net_item_neighbour(&n[k], index_of(w, is, n[k].interface), next_item(w));
	for (size_t k = 0; k < m->routes.n; k++)
		net_item_route(&rt[k],
			       rt[k].interface ? index_of(w, is, rt[k].interface) : 0,
			       next_item(w));
	for (size_t k = 0; k < m->rules.n; k++)
		net_item_rule(&u[k], next_item(w));
}

int net_want_make(const struct netmsg *m, const struct net_state *is, struct arena *a,
		  struct net_want *ret, struct kata_err *err)
{
	const struct netmsg_interface *v = m->interfaces.v;
	size_t n = m->neighbours.n + m->routes.n + m->rules.n;
	struct net_want w = { .n_links = m->interfaces.n };

	w.links = arena_array(a, w.n_links, sizeof(*w.links));
	for (size_t i = 0; i < w.n_links; i++) {
		int r = want_link(&v[i], is, &w.links[i], err);

		if (r < 0)
			return r;
		n += v[i].addresses.n;
	}
	w.items.v = arena_array(a, n, sizeof(*w.items.v));
	want_items(m, is, &w);
	*ret = w;
	return 0;
}

/* --- steps */

/* The arena's array is made for the most there can be. */
static struct net_op *step(struct net_plan *p, enum net_op_kind kind, uint32_t index,
			   const char *iface)
{
	p->ops[p->n] = (struct net_op){ .kind = kind, .index = index, .iface = iface };
	return &p->ops[p->n++];
}

#define OPS_PER_LINK 12

static void make_room(struct net_plan *p, struct arena *a, size_t links, size_t items)
{
	p->n = 0;
	p->ops = arena_array(a, links * OPS_PER_LINK + items, sizeof(*p->ops));
}

/* --- cards that are parked */

/* Where it goes the kernel makes the lowest free number of it. */
#define ANY_NAME "card%d"

/*
 * A card keeps its index where it goes, but if somebody has that there: nothing else can be
 * planned for it as long as it is parked.
 */
int net_plan_fetch(const struct netmsg *m, const struct net_state *is,
		   const struct net_state *parked, struct arena *a, struct net_plan *ret,
		   struct kata_err *err)
{
	const struct netmsg_interface *i = m->interfaces.v;

	make_room(ret, a, m->interfaces.n, 0);
	for (size_t k = 0; k < m->interfaces.n; k++) {
		const struct net_link *l = link_by_card(parked, i[k].card);

		if (link_by_card(is, i[k].card))
			continue;
		if (!l) {
			ret->n = 0;
			return no_card(&i[k], err);
		}
		step(ret, OP_FETCH, l->index, i[k].name)->text =
			link_by_name(is, i[k].name) ? ANY_NAME : i[k].name;
	}
	return 0;
}

/* As it came, so that it is found again. Addresses and routes it leaves behind by itself. */
static void park_card(struct net_plan *p, const struct net_link *l)
{
	if (l->flags & IFF_UP)
		step(p, OP_DOWN, l->index, l->name);
	if (memcmp(l->card, l->mac, sizeof(l->mac)) != 0)
		memcpy(step(p, OP_MAC, l->index, l->name)->mac, l->card, sizeof(l->card));
	step(p, OP_PARK, l->index, l->name)->text = ANY_NAME;
}

/* --- the two halves */

/* What the host calls it, or else what the guest does. */
static const char *name_of(const struct net_state *is, const struct net_want *w,
			   uint32_t index)
{
	const struct net_want_link *l = wanted_link(w, index);
	const struct net_link *g = link_by_index(is, index);

	return l ? l->name : g ? g->name : NULL;
}

static void drop_item(struct net_plan *p, const struct net_state *is,
		      const struct net_want *w, const struct net_item *it)
{
	step(p, OP_DEL, it->index, name_of(is, w, it->index))->item = it;
}

static bool is_wanted_name(const struct net_want *w, const char *name)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (str_eq(w->links[i].name, name))
			return true;
	return false;
}

/* "card2" of the link with index 2, unless somebody has or wants that. */
static const char *neutral_name(const struct net_state *is, const struct net_want *w,
				uint32_t index, struct arena *a)
{
	const char *name = arena_printf(a, "card%u", index);

	for (unsigned n = 1; is_wanted_name(w, name) || link_by_name(is, name); n++)
		name = arena_printf(a, "card%u_%u", index, n);
	return name;
}

/* A card that becomes another interface, or none. */
static void clear_card(struct net_plan *p, const struct net_state *is,
		       const struct net_want *w, const struct net_link *l,
		       struct arena *a)
{
	const struct net_want_link *to = wanted_link(w, l->index);
	bool rename;

	if (!to) {
		park_card(p, l);
		return;
	}
	rename = !str_eq(to->name, l->name);
	if ((l->flags & IFF_UP) &&
	    (rename || memcmp(to->mac, l->mac, sizeof(l->mac)) != 0))
		step(p, OP_DOWN, l->index, l->name);
	if (rename)
		step(p, OP_RENAME, l->index, l->name)->text = neutral_name(is, w,
									   l->index, a);
}

void net_plan_clear(const struct net_state *is, const struct net_items *owned,
		    const struct net_want *w, struct arena *a, struct net_plan *ret)
{
	make_room(ret, a, is->n_links, owned->n);
	/* last in, first out: a gateway's route is behind what makes it reachable */
	for (size_t i = owned->n; i-- > 0;)
		if (!net_items_have(&w->items, &owned->v[i]))
			drop_item(ret, is, w, &owned->v[i]);
	for (size_t i = 0; i < is->n_links; i++)
		if (is->links[i].is_card)
			clear_card(ret, is, w, &is->links[i], a);
}

static void sysctl_step(struct net_plan *p, const struct net_want_link *to,
			const char *name, uint32_t value, struct arena *a)
{
	struct net_op *op = step(p, OP_SYSCTL, to->index, to->name);

	op->text = arena_printf(a, "net/ipv6/conf/%s/%s", to->name, name);
	op->value = value;
}

/* Is an IPv6 address to be added to it? */
static bool lacks_ipv6(const struct net_state *is, const struct net_want *w,
		       uint32_t index)
{
	for (size_t i = 0; i < w->items.n; i++) {
		const struct net_item *it = &w->items.v[i];

		if (it->kind == NET_ADDRESS && it->family == AF_INET6 &&
		    it->index == index && !net_items_have(&is->items, it))
			return true;
	}
	return false;
}

static void build_card(struct net_plan *p, const struct net_state *is,
		       const struct net_want *w, const struct net_want_link *to,
		       struct arena *a)
{
	const struct net_link *l = link_by_index(is, to->index);
	bool noarp = l && (l->flags & IFF_NOARP);

	if (!l) /* gone since the first half: what follows fails and names it */
		return;
	if (memcmp(l->mac, to->mac, sizeof(l->mac)) != 0)
		memcpy(step(p, OP_MAC, l->index, to->name)->mac, to->mac,
		       sizeof(to->mac));
	if (!str_eq(l->name, to->name))
		step(p, OP_RENAME, l->index, l->name)->text = to->name;
	if (to->mtu && l->mtu != to->mtu)
		step(p, OP_MTU, l->index, to->name)->value = to->mtu;
	if (noarp != to->noarp)
		step(p, OP_NOARP, l->index, to->name)->value = to->noarp;
	if (l->flags & IFF_UP) {
		/* an address of a link that had no IPv6 when it came up */
		if (!to->no_ipv6 && lacks_ipv6(is, w, l->index))
			sysctl_step(p, to, "disable_ipv6", 0, a);
		return;
	}
	/* only now: a container that has set them otherwise keeps them */
	sysctl_step(p, to, "accept_ra", to->accept_ra, a);
	sysctl_step(p, to, "disable_ipv6", to->no_ipv6, a);
	/* the link-local address has been asked for by the host's kernel, too */
	sysctl_step(p, to, "accept_dad", 0, a);
	step(p, OP_UP, l->index, to->name);
}

void net_plan_build(const struct net_state *is, const struct net_want *w, struct arena *a,
		    struct net_plan *ret)
{
	make_room(ret, a, w->n_links, w->items.n);
	for (size_t i = 0; i < w->n_links; i++)
		build_card(ret, is, w, &w->links[i], a);
	for (unsigned kind = 0; kind < NET_KINDS; kind++) {
		for (size_t i = 0; i < w->items.n; i++) {
			const struct net_item *it = &w->items.v[i];

			if (it->kind != kind || net_items_have(&is->items, it))
				continue;
			step(ret, OP_ADD, it->index, name_of(is, w, it->index))->item =
				it;
		}
	}
}

/* --- a step as a request, and as text */

static void link_msg(const struct net_op *op, uint32_t flags, uint32_t change,
		     struct nl_msg *m)
{
	struct ifinfomsg i = {
		.ifi_index = (int)op->index,
		.ifi_flags = flags,
		.ifi_change = change,
	};

	nl_begin(m, RTM_NEWLINK, 0, &i, sizeof(i));
}

void net_op_msg(const struct net_op *op, struct nl_msg *m)
{
	switch (op->kind) {
	case OP_DOWN:
		link_msg(op, 0, IFF_UP, m);
		break;
	case OP_UP:
		link_msg(op, IFF_UP, IFF_UP, m);
		break;
	case OP_NOARP:
		link_msg(op, op->value ? IFF_NOARP : 0, IFF_NOARP, m);
		break;
	case OP_FETCH:
	case OP_PARK:
	case OP_RENAME:
		link_msg(op, 0, 0, m);
		nl_put(m, IFLA_IFNAME, op->text, strlen(op->text) + 1);
		break;
	case OP_MAC:
		link_msg(op, 0, 0, m);
		nl_put(m, IFLA_ADDRESS, op->mac, sizeof(op->mac));
		break;
	case OP_MTU:
		link_msg(op, 0, 0, m);
		nl_put_u32(m, IFLA_MTU, op->value);
		break;
	case OP_ADD:
		net_item_add(op->item, m);
		break;
	case OP_DEL:
		net_item_del(op->item, m);
		break;
	case OP_SYSCTL:
		break;
	}
}

void net_op_text(const struct net_op *op, char *text, size_t size)
{
	char item[160];

	switch (op->kind) {
	case OP_FETCH:
		snprintf(text, size, "interface %s: bring its card over", op->iface);
		break;
	case OP_PARK:
		snprintf(text, size, "interface %s: park its card", op->iface);
		break;
	case OP_DOWN:
		snprintf(text, size, "interface %s: down", op->iface);
		break;
	case OP_UP:
		snprintf(text, size, "interface %s: up", op->iface);
		break;
	case OP_NOARP:
		snprintf(text, size, "interface %s: ARP %s", op->iface,
			 op->value ? "off" : "on");
		break;
	case OP_RENAME:
		snprintf(text, size, "interface %s: name %s", op->iface, op->text);
		break;
	case OP_MAC:
		snprintf(text, size, "interface %s: MAC address", op->iface);
		break;
	case OP_MTU:
		snprintf(text, size, "interface %s: MTU %u", op->iface, op->value);
		break;
	case OP_SYSCTL:
		snprintf(text, size, "interface %s: /proc/sys/%s", op->iface, op->text);
		break;
	case OP_ADD:
	case OP_DEL:
		net_item_text(op->item, op->iface, item, sizeof(item));
		snprintf(text, size, "%s%s", op->kind == OP_DEL ? "remove " : "", item);
		break;
	}
}
