/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chan: a framed, non-blocking connection in a loop; both sides use it for the
 * control connection. Owns its descriptor, an input buffer bounded by one
 * frame, and an output buffer with a bound.
 */
#ifndef KATA_PROTO_CHAN_H
#define KATA_PROTO_CHAN_H

#include "base/loop.h"
#include "proto/frame.h"

struct chan {
	struct loop_src src;
	int fd; /* owned; valid until chan_done(), also after the end */
	struct buf in, out;
	uint32_t max_body;
	/* one whole frame came. Return <0 to drop the connection (on_close follows); calling
	 * chan_done() from here is not allowed. */
	int (*on_frame)(struct chan *c, const struct frame *f, const void *body);
	/* closed or broken: @why 0 = orderly end, else -errno. The chan is out of the loop by now;
	 * the owner calls chan_done(). Called once. */
	void (*on_close)(struct chan *c, int why);
};

/** chan_init_take() - take @fd (made non-blocking), start reading; the caller set on_frame and
 *  on_close. @max_body: largest frame body accepted. On failure @fd is closed. */
int chan_init_take(struct chan *c, struct loop *l, int fd, uint32_t max_body) MUST_CHECK;
/** chan_send() - flush c->out as far as the socket takes it, the rest when it is writable.
 *  Put frames into c->out first. -ENOBUFS when more than 64 MiB wait; -errno when the connection is
 *  broken: on_close is not called from here but follows from the loop. */
int chan_send(struct chan *c) MUST_CHECK;
/** chan_done() - leave the loop, close, free. Safe on a zeroed struct with fd -1. */
void chan_done(struct chan *c);

#endif
