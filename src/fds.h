/* SPDX-License-Identifier: Apache-2.0 */
/* fds: which of the descriptors that we were started with the container gets; the others are closed. */
#ifndef KATA_FDS_H
#define KATA_FDS_H

#include "base/err.h"

/** struct fds - how many from 3 on: first those of LISTEN_FDS, behind them those of --preserve-fds. */
struct fds {
	unsigned listen, preserve;
};

/** fds_listening() - LISTEN_FDS, when LISTEN_PID says that we are meant; else 0. */
unsigned fds_listening(void);

/**
 * fds_settle() - close what is neither stdio nor counted by @f, before anything else is opened.
 * Callers leak descriptors into us, and what we start must not hold them (CONTRACT 0.5). 0, 1 and
 * 2 exist afterwards: a file of ours that landed there would become the container's stdio.
 * -ENOENT: a counted one is missing, in runc's words; all are closed then.
 */
int fds_settle(struct fds *f, struct kata_err *err) MUST_CHECK;

#endif
