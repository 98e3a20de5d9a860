/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netmsg: the body of MSG_NETWORK, that is the whole network a VM is to have.
 *
 * Declarative: the agent makes the guest's network like this, whatever it was
 * before, so the host sends it again whenever its own changes and need not
 * know what the last one was. One table encodes it (host) and decodes it
 * (guest); what the table's checks let through is well formed: addresses and
 * prefixes parse, families agree, names are unique and known.
 *
 * Must not know: netlink, taps, what of this a kernel can do.
 */
#ifndef KATA_PROTO_NETMSG_H
#define KATA_PROTO_NETMSG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/jtab.h"

/** Most of each in one message; more is refused with -E2BIG. */
#define NETMSG_MAX_INTERFACES 32
#define NETMSG_MAX_ADDRESSES 256 /* of one interface */
#define NETMSG_MAX_ROUTES 4096
#define NETMSG_MAX_RULES 256
#define NETMSG_MAX_NEIGHBOURS 4096

#define NETMSG_MAC_LEN 6
#define NETMSG_NAME_MAX 15 /* IFNAMSIZ - 1 */

/** Values are the kernel's: scope RT_SCOPE_*, flags IFA_F_*. */
struct netmsg_address {
	const char *address;
	uint32_t prefix;
	const char *broadcast; /* NULL: none. IPv4 only */
	const char *peer;      /* NULL: none */
	uint32_t scope, flags;
};

/**
 * struct netmsg_interface
 * @card:      permanent MAC of the card that it is to be
 * @name, @mac, @mtu, @noarp: of the interface it stands for; @mtu 0 = stays as it is
 * @accept_ra: take router advertisements ("acceptRa"); else its IPv6 is what is listed here
 *             and the link-local address
 * @no_ipv6:   IPv6 is off on it ("noIpv6"), as docker has it in networks without: the host's
 *             disable_ipv6. These two count when the card comes up
 * @addresses: struct netmsg_address
 */
struct netmsg_interface {
	const char *card, *name, *mac;
	uint32_t mtu;
	bool noarp, accept_ra, no_ipv6;
	struct jt_objv addresses;
};

/**
 * struct netmsg_route - order in the list is the order in which they are added: one that makes
 * a gateway reachable stands before its users. The kernel's own are not listed.
 * @destination: "10.0.0.0/8", "::/0": family of the route
 * @gateway, @source: NULL = none
 * @interface: NULL only with a @type that needs none (unreachable, blackhole, prohibit)
 * @scope, @table, @type, @protocol: RT_SCOPE_*, RT_TABLE_*, RTN_*, RTPROT_*
 * @mtu: 0 = the interface's
 */
struct netmsg_route {
	const char *destination, *gateway, *interface, *source;
	uint32_t metric, scope, table, type, protocol, mtu;
	bool onlink;
};

/** struct netmsg_rule - @family: 4 or 6; @source, @destination: prefixes, NULL = all. */
struct netmsg_rule {
	uint32_t priority, family;
	const char *source, *destination;
	uint32_t table, mark, mask;
};

/** struct netmsg_neighbour - @state: NUD_*; only those that do not age are worth sending. */
struct netmsg_neighbour {
	const char *interface, *address, *mac;
	uint32_t state;
};

/**
 * struct netmsg - @interfaces .. @neighbours: arrays of the structs above.
 * @dns: the engine's resolver is at 127.0.0.11: relay it (msg.h, PROTO_DNS_MAGIC)
 */
struct netmsg {
	struct jt_objv interfaces, routes, rules, neighbours;
	bool dns;
};

extern const struct jtab netmsg_tab;

/** struct netmsg_ip - @family AF_INET or AF_INET6; @bytes in network order, 4 or 16 of them. */
struct netmsg_ip {
	int family;
	uint8_t bytes[16];
};

/** netmsg_ip_len() - bytes of an address. */
static inline unsigned netmsg_ip_len(const struct netmsg_ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

/* Strict: the whole string, or -EINVAL. */
int netmsg_to_ip(const char *s, struct netmsg_ip *ret) MUST_CHECK;
/** netmsg_to_prefix() - "address/bits". */
int netmsg_to_prefix(const char *s, struct netmsg_ip *ret, uint8_t *ret_bits) MUST_CHECK;
/** netmsg_to_mac() - "02:42:ac:11:00:02", either case. */
int netmsg_to_mac(const char *s, uint8_t ret[NETMSG_MAC_LEN]) MUST_CHECK;

#endif
