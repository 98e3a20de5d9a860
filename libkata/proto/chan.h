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
	struct buf in, out;
	uint32_t max_body;
	/* one whole frame came. Return <0 to drop the connection (on_close follows). */
	int (*on_frame)(struct chan *c, const struct frame *f, const void *body);
	/* closed or broken: @why 0 = orderly end, else -errno. The chan is out of the loop by now;
	 * the owner calls chan_done(). Called once. */
	void (*on_close)(struct chan *c, int why);
};

/** chan_init() - take @fd (made non-blocking), start reading. @max_body: largest frame body accepted. */
int chan_init_take(struct chan *c, struct loop *l, int fd, uint32_t max_body) MUST_CHECK;
/** chan_send() - flush c->out as far as the socket takes it, the rest when it is writable.
 *  Put frames into c->out first. -ENOBUFS when more than 64 MiB wait. */
int chan_send(struct chan *c) MUST_CHECK;
void chan_done(struct chan *c);

#endif
