/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward: a TCP connection of the host that goes on in the guest (MSG_FORWARD in msg.h). A relay joins a
 * local socket to a connection with the other side; the host has whoever connected as its local
 * socket, the guest has the server. For all but the end of it the two are alike and use this.
 *
 * On the connection there are frames, for vsock devices have no half-close and lose what was written
 * before a close (msg.h). The host closes, when the guest has said that nothing is to come.
 *
 * Everything is bounded; a relay at rest has no memory but its own, and no timer. What the
 * other side sends is hostile: all that it can do is to end its own relay.
 */
#ifndef KATA_PROTO_FORWARD_H
#define KATA_PROTO_FORWARD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/loop.h"

/** Relays in one set. */
#define FORWARD_MAX 256u
/** Most bytes in a frame: with the hello before it one write of a vsock connection. */
#define FORWARD_DATA_MAX 28640u

struct forward;

/** struct forward_set - a set of them. @on_end: one has gone; may be NULL */
struct forward_set {
	struct loop *loop;
	struct forward *first;
	unsigned n;
	void (*on_end)(struct forward_set *set);
};

/**
 * struct forward_ends - what a relay joins; the descriptors are non-blocking and connected.
 * @host:  this is the host's end
 * @token: this side has dialled: the hello with it goes first; 0 = not
 */
struct forward_ends {
	bool host;
	int local, peer;
	uint64_t token;
};

/** forward_add_take() - a relay; both descriptors are taken. With FORWARD_MAX in the set both are closed. */
void forward_add_take(struct forward_set *set, const struct forward_ends *ends);
/** forwards_done() - all of them, as if the other side had gone. */
void forwards_done(struct forward_set *set);
/** forward_reset() - close @fd (taken) so that its peer has its connection reset. */
void forward_reset(int fd);

/* --- frames: u16 length in little endian and as many bytes; or one of two words, without */

/** struct forward_in - where in the frames one is. @left: of the data at the front. */
struct forward_in {
	size_t left;
	bool ended;
};

enum forward_what {
	FORWARD_NOTHING, /* not yet */
	FORWARD_DATA, /* the first @left bytes of @b that are there; who takes some says so */
	FORWARD_END,  /* no data will come */
	FORWARD_OVER, /* nothing will come: whoever sent it has no local socket any more */
};

/** forward_next() - what is at the front of @b? Return: enum forward_what, or -EPROTO. */
int forward_next(struct forward_in *in, struct buf *b) MUST_CHECK;

#endif
