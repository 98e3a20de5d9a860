/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: what a network namespace has: interfaces, addresses, routes, rules and
 * permanent neighbours, IPv4 and IPv6, as plain data that net_plan works on.
 *
 * What the kernel makes by itself is left out, since the guest's kernel will make it too: routes of
 * protocol "kernel", link-local addresses that follow from the MAC, the three default rules,
 * what router advertisements brought. What the guest could not be told of is refused by name.
 */
#ifndef KATA_NET_SCAN_H
#define KATA_NET_SCAN_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/** Most of each that one namespace may have. */
#define NET_MAX_LINKS 64
#define NET_MAX_ADDRESSES 256
#define NET_MAX_ROUTES 1024
#define NET_MAX_RULES 128
#define NET_MAX_NEIGHBOURS 512

struct nl_sock;

struct net_link {
	int index;
	char name[IFNAMSIZ];
	char kind[16]; /* IFLA_INFO_KIND; "" = a device of the machine's */
	bool ether;    /* has Ethernet frames and a MAC */
	bool loopback, up, noarp;
	bool l3s;	/* ipvlan in the mode that bypasses tc */
	bool accept_ra; /* takes router advertisements; with no_ipv6, false while down */
	bool no_ipv6;	/* IPv6 is off on it, or not in the host's kernel */
	uint8_t mac[6];
	uint32_t mtu;
};

struct net_addr {
	int index; /* of its link */
	char address[INET6_ADDRSTRLEN];
	char broadcast[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN]; /* "" = none */
	unsigned prefix, scope, flags;				  /* IFA_F_* */
};

struct net_route {
	int index;				/* of the link it leaves by, 0 = none */
	char destination[INET6_ADDRSTRLEN + 4]; /* with "/prefix" */
	char gateway[INET6_ADDRSTRLEN], source[INET6_ADDRSTRLEN]; /* "" = none */
	uint32_t metric, table, mtu;	/* mtu: 0 = the link's */
	unsigned scope, type, protocol; /* RT_SCOPE_*, RTN_*, RTPROT_* */
	bool onlink;
};

struct net_rule {
	uint32_t priority, table, mark, mask;
	unsigned family; /* 4 or 6 */
	char source[INET6_ADDRSTRLEN + 4],
		destination[INET6_ADDRSTRLEN + 4]; /* "" = all */
};

struct net_neighbour {
	int index;
	char address[INET6_ADDRSTRLEN];
	uint8_t mac[6];
	unsigned state; /* NUD_* */
};

struct net_scan {
	struct net_link *links;
	struct net_addr *addrs;
	struct net_route *routes;
	struct net_rule *rules;
	struct net_neighbour *neighbours;
	size_t n_links, n_addrs, n_routes, n_rules, n_neighbours;
};

/**
 * net_scan() - the namespace that @sk was opened in. Memory from @a.
 * -E2BIG over a limit; -ENOTSUP for what cannot be told to a guest.
 */
int net_scan(struct nl_sock *sk, struct arena *a, struct net_scan *ret,
	     struct kata_err *err) MUST_CHECK;

/** net_link_by_index() - NULL when there is none. */
const struct net_link *net_link_by_index(const struct net_scan *s, int index);

/** struct net_counters - an interface's, as the kernel counts them. */
struct net_counters {
	char name[IFNAMSIZ];
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/** net_read_counters() - of the links @index[0..n-1] that are there. Return: how many, in @ret. */
int net_read_counters(struct nl_sock *sk, const int *index, size_t n,
		      struct net_counters *ret, struct kata_err *err) MUST_CHECK;

#endif
