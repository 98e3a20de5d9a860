/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: a helper process that lives as long as its owner: watched by pidfd,
 * its stderr read so that its last words can go into the one error line.
 */
#ifndef KATA_BASE_CHILD_H
#define KATA_BASE_CHILD_H

#include "base/loop.h"
#include "base/proc.h"

/** Bytes of a child's stderr that are kept (the last ones). */
#define CHILD_WORDS 512
/** Most descriptors given to a child besides stderr. */
#define CHILD_MAX_FDS 16

struct child {
	const char *name; /* borrowed, for messages */
	struct proc proc;
	/* ended: @why = "<name> exited with status 1: <last line of stderr>". Called once, from the loop. */
	void (*on_end)(struct child *c, const char *why);
	int status; /* once it has ended: exit status, 128 + signal */
	struct loop_src pid_src, err_src;
	int err_fd;
	size_t n_words;
	char words[CHILD_WORDS];
};
#define CHILD_INIT                                                                       \
	{                                                                                \
		.proc = PROC_INIT, .err_fd = -1                                          \
	}

/**
 * child_start() - spawn and watch. @sp as for proc_spawn(), without descriptor 2.
 * The caller has set name and on_end.
 */
int child_start(struct child *c, struct loop *l, const struct proc_spawn *sp,
		struct kata_err *err) MUST_CHECK;
/** child_why() - it has ended: its end as an error, without on_end. Blocks until it has. Return: -ECHILD. */
int child_why(struct child *c, struct kata_err *err) MUST_CHECK;
/** child_stop() - SIGKILL, reap, forget; on_end is not called. Safe when not started. */
void child_stop(struct child *c);
static inline bool child_is_running(const struct child *c)
{
	return c->proc.pidfd >= 0;
}

#endif
