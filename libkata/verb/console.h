/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: the host's side of a terminal (CONTRACT 1.5). The pty that the
 * workload sees is in the guest; the one here only relays and is raw from birth.
 */
#ifndef KATA_VERB_CONSOLE_H
#define KATA_VERB_CONSOLE_H

#include <termios.h>

#include "oci/spec.h"

struct console {
	int master, slave;
	char name[32]; /* /dev/pts/N */
};
#define CONSOLE_INIT                                                                     \
	{                                                                                \
		.master = -1, .slave = -1                                                \
	}

/** console_open() - a new pty, its slave raw. @size may be NULL. */
int console_open(struct console *c, const struct oci_box *size,
		 struct kata_err *err) MUST_CHECK;
/** console_send() - the master to whoever listens at @socket_path; ours is closed then. */
int console_send(struct console *c, const char *socket_path,
		 struct kata_err *err) MUST_CHECK;
void console_done(struct console *c);

/** struct raw_tty - the caller's terminal while it is raw. */
struct raw_tty {
	int fd; /* borrowed; -1 = none */
	struct termios saved;
};
#define RAW_TTY_INIT                                                                     \
	{                                                                                \
		.fd = -1                                                                 \
	}

/** raw_tty_enter() - make @fd raw if it is a terminal; otherwise nothing. */
void raw_tty_enter(struct raw_tty *t, int fd);
/** raw_tty_leave() - as it was. For a cleanup attribute; may be called again. */
void raw_tty_leave(struct raw_tty *t);

#endif
