// SPDX-License-Identifier: Apache-2.0
/* raw_tty: see raw_tty.h. Attributes belong to the terminal, not to the descriptor. */
#include "base/raw_tty.h"

int tty_make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -1;
	cfmakeraw(&t);
	return tcsetattr(fd, TCSANOW, &t);
}

void raw_tty_enter(struct raw_tty *t, int fd)
{
	t->fd = -1;
	if (tcgetattr(fd, &t->saved) == 0 && tty_make_raw(fd) == 0)
		t->fd = fd;
}

void raw_tty_leave(struct raw_tty *t)
{
	if (t->fd >= 0)
		tcsetattr(t->fd, TCSADRAIN, &t->saved);
	t->fd = -1;
}
