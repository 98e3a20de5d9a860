/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump: moves bytes from one end to another, counts them, and says once why it
 * stopped. It takes bytes only when the far end has taken those before: what
 * it holds is at most one chunk, and nothing while it is idle.
 */
#ifndef KATA_SHIM_PUMP_H
#define KATA_SHIM_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "end.h"

enum pump_stop {
	PUMP_END,    /* the source has ended (why: 0, or -errno when it failed) */
	PUMP_LIMIT,  /* all bytes that were announced have been delivered */
	PUMP_BROKEN, /* the far end takes no more (why: -EPIPE, ...) */
};

struct pump {
	struct end from, to; /* owned */
	struct loop *loop;
	struct loop_src from_src, to_src;
	unsigned char *data; /* one chunk while in use, else NULL */
	size_t off, len;     /* of the bytes in @data that wait */
	uint64_t taken;	     /* bytes read so far */
	uint64_t limit;	     /* deliver so many, then stop */
	bool running;
	bool heed_peer; /* a far end that hangs up stops the pump at once, not at the next write */
	bool drain;   /* stop as soon as there is nothing to read */
	bool discard; /* the far end is gone: go on reading for nobody */
	/* called once, the pump is out of the loop then; the ends are still open */
	void (*on_stop)(struct pump *p, enum pump_stop why, int code);
};

void pump_init(struct pump *p, struct loop *l,
	       void (*on_stop)(struct pump *p, enum pump_stop why, int code));
/** pump_start() - both ends are set: go. May call on_stop before it returns. */
void pump_start(struct pump *p);
/** pump_set_limit() - the source will have delivered @total bytes in all. */
void pump_set_limit(struct pump *p, uint64_t total);
/** pump_drain() - the source gets no more: pass on what is there, then stop. */
void pump_drain(struct pump *p);
/** pump_discard() - from on_stop(PUMP_BROKEN): go on, dropping everything. */
void pump_discard(struct pump *p);
/** pump_done() - stop without on_stop, close both ends. */
void pump_done(struct pump *p);

#endif
