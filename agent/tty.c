// SPDX-License-Identifier: Apache-2.0
/*
 * tty: see tty.h. The slave is got from the master (TIOCGPTPEER, Linux 4.13), not by name: whatever
 * the image has put at /dev/pts, it is this pair's.
 */
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "mounts.h"

int tty_resize(int fd, uint64_t height, uint64_t width)
{
	struct winsize ws = { .ws_row = (unsigned short)height,
			      .ws_col = (unsigned short)width };

	return ioctl(fd, TIOCSWINSZ, &ws) < 0 ? -errno : 0;
}

static int open_pair(int root_fd, struct tty *ret, struct kata_err *err)
{
	AUTO_CLOSE int master = fs_open_in_root(root_fd, "/dev/ptmx",
						O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	int unlock = 0, slave;

	if (master < 0)
		return err_sys_code(err, master, "open /dev/ptmx");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, "unlock the terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	/* not by O_CLOEXEC, which the kernel would show in fdinfo for ever */
	if (slave < 0 || fcntl(slave, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(err, "open the terminal's slave");
	ret->master = TAKE_FD(master);
	ret->slave = slave;
	return 0;
}

int tty_open(int root_fd, const struct oci_process *p, struct tty *ret,
	     struct kata_err *err)
{
	int r = open_pair(root_fd, ret, err);

	if (r < 0)
		return r;
	if (p->consoleSize) {
		r = tty_resize(ret->master, p->consoleSize->height,
			       p->consoleSize->width);
		if (r < 0)
			return err_sys_code(err, r, "set the terminal's size");
	}
	if (p->user && p->user->uid && fchown(ret->slave, p->user->uid, (gid_t)-1) < 0)
		return err_sys(err, "chown of the terminal");
	return 0;
}

int tty_console(int root_fd, const struct tty *t, struct kata_err *err)
{
	AUTO_CLOSE int src = -1, dest = -1;
	unsigned number;
	char path[32];
	int r;

	if (ioctl(t->master, TIOCGPTN, &number) < 0)
		return err_sys(err, "number of the terminal");
	snprintf(path, sizeof(path), "/dev/pts/%u", number);
	src = fs_open_in_root(root_fd, path, O_PATH, 0);
	if (src < 0)
		return err_sys_code(err, src, "open %s", path);
	dest = fs_mkfile_in_root(root_fd, "/dev/console", 0666);
	if (dest < 0)
		return err_sys_code(err, dest, "make /dev/console");
	r = mounts_bind_fd(&(struct mounts_bind){ .source_fd = src, .dest_fd = dest });
	return r < 0 ? err_sys_code(err, r, "bind %s to /dev/console", path) : 0;
}

int tty_adopt(const struct tty *t, struct kata_err *err)
{
	if (ioctl(t->slave, TIOCSCTTY, 0) < 0)
		return err_sys(err, "make the terminal the controlling one");
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(t->slave, fd) < 0)
			return err_sys(err, "dup2");
	}
	return 0;
}
