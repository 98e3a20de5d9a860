/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subnet: IPv4 and IPv6 addresses and subnets as bytes, in network order, so that
 * both families go through the same code. Pure.
 */
#ifndef KATA_HOOKS_NET_SUBNET_H
#define KATA_HOOKS_NET_SUBNET_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define IP_TEXT INET6_ADDRSTRLEN
#define SUBNET_TEXT (IP_TEXT + 4)
/** Largest number of a host in a subnet that is given to a container. */
#define SUBNET_HOST_MAX 0xfffeu

struct ip {
	int family; /* AF_INET, AF_INET6; 0 = none */
	uint8_t b[16];
};

struct subnet {
	struct ip base; /* bits of the host are zero */
	unsigned len;	/* of the prefix, in bits */
};

/** ip_parse() - "10.1.2.3" or "fd00::1", nothing around it. -EINVAL otherwise. */
int ip_parse(const char *s, struct ip *ret) MUST_CHECK;
/** ip_text() - into @dst of IP_TEXT bytes; "" for none. Returns @dst. */
const char *ip_text(const struct ip *ip, char dst[IP_TEXT]);
/** ip_bytes() - 4, 16, or 0 for none. */
size_t ip_bytes(const struct ip *ip);
/** ip_is_loopback() - 127.0.0.0/8 or ::1. */
bool ip_is_loopback(const struct ip *ip);

/**
 * subnet_parse() - "10.1.0.0/16". -EINVAL, with what it should have been where that is clear:
 * "10.1.2.3/16 has bits of a host; the subnet is 10.1.0.0/16".
 */
int subnet_parse(const char *s, struct subnet *ret, struct kata_err *err) MUST_CHECK;
/** subnet_text() - into @dst of SUBNET_TEXT bytes. Returns @dst. */
const char *subnet_text(const struct subnet *s, char dst[SUBNET_TEXT]);
/** subnet_host() - the address of host @n (at most SUBNET_HOST_MAX); of no family for no subnet. */
struct ip subnet_host(const struct subnet *s, uint32_t n);
/** subnet_last_host() - the largest number that subnet_host() may be asked for; broadcast is left out. */
uint32_t subnet_last_host(const struct subnet *s);
/** subnet_overlaps() - is one within the other? Never for different families. */
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);
bool subnet_equal(const struct subnet *a, const struct subnet *b);

#endif
