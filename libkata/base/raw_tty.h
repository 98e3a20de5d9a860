/* SPDX-License-Identifier: Apache-2.0 */
/* raw_tty: the caller's terminal while keys are interpreted elsewhere. */
#ifndef KATA_BASE_RAW_TTY_H
#define KATA_BASE_RAW_TTY_H

#include <termios.h>

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

/** tty_make_raw() - 0, or -1 with errno. */
int tty_make_raw(int fd);

#endif
