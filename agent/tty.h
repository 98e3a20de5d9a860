/* SPDX-License-Identifier: Apache-2.0 */
/* tty: the terminal of a process, out of its container's own devpts. */
#ifndef KATA_AGENT_TTY_H
#define KATA_AGENT_TTY_H

#include "oci/spec.h"

struct tty {
	int master, slave;
};

/** tty_open() - a new pair from /dev/ptmx below @root_fd, with its size and owner set.
 *  Descriptors are close-on-exec, the master non-blocking. */
int tty_open(int root_fd, const struct oci_process *p, struct tty *ret,
	     struct kata_err *err) MUST_CHECK;

/** tty_console() - bind the slave upon /dev/console below @root_fd. */
int tty_console(int root_fd, const struct tty *t, struct kata_err *err) MUST_CHECK;

/** tty_adopt() - make the slave the controlling terminal and descriptors 0, 1, 2; the caller leads a session. */
int tty_adopt(const struct tty *t, struct kata_err *err) MUST_CHECK;

/** tty_resize() - TIOCSWINSZ. 0 or -errno. */
int tty_resize(int fd, uint64_t height, uint64_t width) MUST_CHECK;

#endif
