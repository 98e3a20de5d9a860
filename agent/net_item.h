/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_item: addresses, neighbours, routes and rules as plain values in one normal form, whether
 * they come from the host's message or from the kernel: equal ones are equal bytes.
 */
#ifndef KATA_AGENT_NET_ITEM_H
#define KATA_AGENT_NET_ITEM_H

#include "netlink.h"
#include "proto/netmsg.h"

/** In the order in which they are added; they go in the reverse order. */
enum net_kind { NET_ADDRESS, NET_NEIGHBOUR, NET_ROUTE, NET_RULE, NET_KINDS };

/**
 * struct net_item - no padding, what a kind does not use is zero.
 * @index:    of the interface
 * @ip:       address; address of a neighbour; destination of a route or rule; with @bits
 * @via:      peer of an address; gateway of a route
 * @source:   broadcast of an address; preferred source of a route; source of a rule, with
 *            @source_bits
 * @type:     RTN_*; of a neighbour NUD_*
 * @metric:   of a rule its priority
 * @flags:    IFA_F_NOPREFIXROUTE; RTNH_F_ONLINK
 */
struct net_item {
	uint32_t kind, family, index, bits, source_bits;
	uint32_t scope, type, protocol, table, metric, flags, mtu, mark, mask;
	uint8_t ip[16], via[16], source[16], mac[8];
};

bool net_item_eq(const struct net_item *a, const struct net_item *b);

/* From the host's message, which has passed its checks. */
void net_item_address(const struct netmsg_address *a, uint32_t index,
		      struct net_item *ret);
void net_item_neighbour(const struct netmsg_neighbour *n, uint32_t index,
			struct net_item *ret);
/** @index: 0 for a route that has no interface. */
void net_item_route(const struct netmsg_route *rt, uint32_t index, struct net_item *ret);
void net_item_rule(const struct netmsg_rule *u, struct net_item *ret);

/** net_item_read() - from a message of a dump. False: it is none, or of a sort that we never make. */
bool net_item_read(const struct nlmsghdr *h, struct net_item *ret);

/** net_item_add() - the request that makes it. */
void net_item_add(const struct net_item *it, struct nl_msg *m);
/** net_item_del() - the request that takes it away. */
void net_item_del(const struct net_item *it, struct nl_msg *m);

/** net_item_text() - as ip(8) has it, with @iface for the interface's name. */
void net_item_text(const struct net_item *it, const char *iface, char *text, size_t size);

#endif
