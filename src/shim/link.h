/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: the shim's connection to kata-sandbox. What there is to tell is kept
 * as state, not as a queue, so that a sandbox that does not read costs nothing:
 * a signal that waits is pending once, as in the kernel, and of window sizes
 * only the last counts. The rest is as much as there are streams, at most.
 */
#ifndef KATA_SHIM_LINK_H
#define KATA_SHIM_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "sandbox/ctl.h"

/** struct link_news - CTL_STDIN_END, CTL_CONNECT, CTL_DISCONNECT: what they carry. */
struct link_news {
	uint16_t type;
	uint32_t number;
	uint64_t bytes;
};

struct link {
	struct loop_src src; /* its descriptor is borrowed, non-blocking */
	uint64_t signals;    /* bit n-1: signal n waits */
	bool winsize;
	uint16_t height, width;
	struct link_news *news; /* in order */
	size_t n_news;
	/* a message came; a descriptor with it is in *fd (-1 = none), to be taken or left */
	void (*on_msg)(struct link *l, const struct ctl_msg *m, int *fd);
	/* the sandbox has gone; the link is out of the loop */
	void (*on_close)(struct link *l, int code);
};

/** link_init() - watch @fd, which is made non-blocking. Callbacks are set by the caller before. */
int link_init(struct link *l, struct loop *loop, int fd) MUST_CHECK;
/** link_done() - out of the loop; nothing more is said or heard. */
void link_done(struct link *l);

void link_signal(struct link *l, int sig);
void link_winsize(struct link *l, uint16_t height, uint16_t width);
void link_tell(struct link *l, const struct link_news *news);

#endif
