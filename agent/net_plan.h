/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_plan: from what the guest's network is to what the host wants it to be. Pure.
 *
 * What the guest itself has made (bridges, tunnels, routes of a VPN) is none of the host's
 * business and stays: only what the host's messages brought is taken away again.
 */
#ifndef KATA_AGENT_NET_PLAN_H
#define KATA_AGENT_NET_PLAN_H

#include <net/if.h>

#include "base/mem.h"
#include "net_item.h"

/**
 * struct net_link - an interface of the guest.
 * @card:      permanent MAC, by which the host knows it
 * @has_perm:  the kernel tells it; else @card is what the MAC was when it was first seen
 * @is_card:   hardware: what software of the guest has made is not the host's
 */
struct net_link {
	uint32_t index, flags, mtu;
	char name[IFNAMSIZ];
	uint8_t mac[NETMSG_MAC_LEN], card[NETMSG_MAC_LEN];
	bool is_card, has_perm, is_ether;
};

struct net_items {
	struct net_item *v;
	size_t n;
};

/** struct net_state - what is. */
struct net_state {
	struct net_link *links;
	size_t n_links;
	struct net_items items;
};

/** struct net_want_link - a card and what it is to be. @name lives as long as the message. */
struct net_want_link {
	uint32_t index, mtu;
	const char *name;
	uint8_t mac[NETMSG_MAC_LEN];
	bool noarp, accept_ra, no_ipv6;
};

/** struct net_want - what is to be. */
struct net_want {
	struct net_want_link *links;
	size_t n_links;
	struct net_items items;
};

enum net_op_kind {
	OP_FETCH, /* from the parking place */
	OP_PARK,
	OP_DOWN,
	OP_UP,
	OP_RENAME,
	OP_MAC,
	OP_MTU,
	OP_NOARP,
	OP_SYSCTL, /* of IPv6: a kernel that has none is no failure */
	OP_ADD,
	OP_DEL, /* one that is gone already is no failure */
};

/**
 * struct net_op - one step.
 * @iface:  the interface's name as the host knows it, or what it is called; NULL = none
 * @text:   OP_RENAME, OP_FETCH, OP_PARK: new name, "%d" in it being the kernel's choice;
 *          OP_SYSCTL: path below /proc/sys
 * @value:  OP_MTU, OP_NOARP (0, 1), OP_SYSCTL
 * @item:   OP_ADD, OP_DEL
 */
struct net_op {
	enum net_op_kind kind;
	uint32_t index, value;
	const char *iface, *text;
	uint8_t mac[NETMSG_MAC_LEN];
	const struct net_item *item;
};

struct net_plan {
	struct net_op *ops;
	size_t n;
};

/**
 * net_plan_fetch() - before the halves: cards of @m that are @parked are brought over. After it
 * the state is another one. @is: its links are enough
 * Return: 0; -ENODEV naming a card that is nowhere, and no steps
 */
int net_plan_fetch(const struct netmsg *m, const struct net_state *is,
		   const struct net_state *parked, struct arena *a, struct net_plan *ret,
		   struct kata_err *err) MUST_CHECK;

/**
 * net_want_make() - the message in terms of the guest's links. Memory from @a.
 * Return: 0; -ENODEV naming a card that is not there. It fails for nothing else
 */
int net_want_make(const struct netmsg *m, const struct net_state *is, struct arena *a,
		  struct net_want *ret, struct kata_err *err) MUST_CHECK;

/**
 * net_plan_clear() - first half: what has to go. Cards that will be no interface are parked;
 * those that will be another one go down and get neutral names, so that names can be swapped.
 * @owned: what earlier messages brought
 */
void net_plan_clear(const struct net_state *is, const struct net_items *owned,
		    const struct net_want *want, struct arena *a, struct net_plan *ret);
/** net_plan_build() - second half, from a state read anew after the first. */
void net_plan_build(const struct net_state *is, const struct net_want *want,
		    struct arena *a, struct net_plan *ret);

/** net_op_msg() - the netlink request of a step that is not OP_SYSCTL. OP_FETCH and OP_PARK lack
 *  IFLA_NET_NS_FD: where to. */
void net_op_msg(const struct net_op *op, struct nl_msg *m);
/** net_op_text() - for "<text>: <why>". */
void net_op_text(const struct net_op *op, char *text, size_t size);

/** net_link_read() - from an RTM_NEWLINK. False: it is none. */
bool net_link_read(const struct nlmsghdr *h, struct net_link *ret);
bool net_items_have(const struct net_items *l, const struct net_item *it);
void net_items_add(struct net_items *l, const struct net_item *it);
void net_items_remove(struct net_items *l, const struct net_item *it);

#endif
