// SPDX-License-Identifier: Apache-2.0
/*
 * console: pty pair. The slave is opened through the master
 * (TIOCGPTPEER, Linux 4.13): no path is looked up, so it does not matter which
 * devpts is mounted at /dev/pts.
 */
#include "verb/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/raw_tty.h"
#include "base/sock.h"

void console_done(struct console *c)
{
	if (c->master >= 0)
		close(c->master);
	if (c->slave >= 0)
		close(c->slave);
	*c = (struct console)CONSOLE_INIT;
}

static unsigned short to_cells(uint64_t n)
{
	return n > USHRT_MAX ? USHRT_MAX : (unsigned short)n;
}

static int open_pair(struct console *c, struct kata_err *err)
{
	const int unlock = 0;
	unsigned number = 0;

	c->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->master < 0)
		return err_sys(err, "open /dev/ptmx");
	if (ioctl(c->master, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(c->master, TIOCGPTN, &number) < 0)
		return err_sys(err, "unlock a pseudo terminal");
	snprintf(c->name, sizeof(c->name), "/dev/pts/%u", number);
	c->slave = ioctl(c->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return c->slave < 0 ? err_sys(err, "open %s", c->name) : 0;
}

int console_open(struct console *c, const struct oci_box *size, struct kata_err *err)
{
	struct winsize ws = { 0 };
	int rc;

	rc = open_pair(c, err);
	if (rc < 0)
		return rc;
	if (tty_make_raw(c->slave) < 0)
		return err_sys(err, "make %s raw", c->name);
	if (!size)
		return 0;
	ws.ws_row = to_cells(size->height);
	ws.ws_col = to_cells(size->width);
	return ioctl(c->master, TIOCSWINSZ, &ws) < 0
		       ? err_sys(err, "set size of %s", c->name)
		       : 0;
}

int console_send(struct console *c, const char *socket_path, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;
	int rc;

	fd = sock_connect_path(socket_path, SOCK_STREAM);
	if (fd < 0)
		return err_sys_code(err, fd, "connect to console socket %s", socket_path);
	/* receivers take one message with at least one byte and exactly one descriptor */
	rc = sock_send(fd, c->name, strlen(c->name), &c->master, 1);
	if (rc < 0)
		return err_sys_code(err, rc, "send terminal to console socket %s",
				    socket_path);
	close(c->master);
	c->master = -1;
	return 0;
}
