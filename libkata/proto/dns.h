/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns: the relays between a resolver's clients in the guest and the resolver in the host's
 * network namespace (msg.h). One relay joins a local socket to a connection with the other
 * side. The guest has the clients as its local sockets, the host has the resolver; for
 * all else the two are alike and use this.
 *
 * Everything is bounded: relays in a set, bytes in a relay, the time that one may be idle. The
 * bytes of the other side are hostile: all that they can do is to fill their own relay.
 */
#ifndef KATA_PROTO_DNS_H
#define KATA_PROTO_DNS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/loop.h"

/** Where docker's resolver is, in each container's network namespace. */
#define DNS_ADDRESS 0x7f00000bu /* 127.0.0.11 */
#define DNS_PORT 53

/** Relays in one set. With one more the one that was idle longest goes: idle clients keep nobody out. */
#define DNS_MAX_RELAYS 128
/** Longest datagram; answers over UDP have 512 bytes, with EDNS a few thousand. */
#define DNS_DATAGRAM_MAX 16384u
/** A resolver asks again after 5 s; glibc's gives up after two tries. */
#define DNS_UDP_IDLE_MS 10000
#define DNS_TCP_IDLE_MS 30000
/** What is left to a TCP relay of which one side has ended: its last bytes are on their way. */
#define DNS_LINGER_MS 2000

struct dns_relay;

/** struct dns_relays - a set of them. Zeroed, or initialised, it may be passed to dns_relays_done(). */
struct dns_relays {
	struct loop *loop;
	struct loop_src timer;
	struct dns_relay *first;
	unsigned n;
};

/**
 * struct dns_ends - what a relay joins; the descriptors are non-blocking.
 * @protocol:   IPPROTO_TCP or IPPROTO_UDP
 * @local:      a connected socket of that protocol (or whose connect() is under way)
 * @peer:       the connection to the other side
 * @connecting: @peer's connect() is under way
 * @say_hello:  this side has dialled: the hello goes first
 * @client:     whose it is, for dns_relay_find(); zero = nobody's
 */
struct dns_ends {
	int protocol, local, peer;
	bool connecting, say_hello;
	struct sockaddr_in client;
};

int dns_relays_init(struct dns_relays *set, struct loop *l) MUST_CHECK;
void dns_relays_done(struct dns_relays *set);

/**
 * dns_relay_add_take() - a relay; both descriptors are taken, and closed on failure.
 * Return: it, until the loop runs next; NULL: it is over already
 */
struct dns_relay *dns_relay_add_take(struct dns_relays *set, const struct dns_ends *ends);
/** dns_relay_find() - the UDP relay of @client, or NULL. */
struct dns_relay *dns_relay_find(const struct dns_relays *set,
				 const struct sockaddr_in *client);
/** dns_relay_push() - a datagram of the local side that came another way; dropped without room. */
void dns_relay_push(struct dns_relay *r, const void *data, size_t len);

/**
 * dns_frame_next() - is there a whole datagram at the front of @b?
 * Return: 1 (@ret_len bytes behind the two of its length), 0 not yet, -EPROTO for a length of
 * 0 or over DNS_DATAGRAM_MAX
 */
int dns_frame_next(const struct buf *b, size_t *ret_len) MUST_CHECK;

#endif
