// SPDX-License-Identifier: Apache-2.0
/*
 * end: the caller's stdio are open file descriptions that other processes
 * share (a shell, an engine's copy loop), and O_NONBLOCK belongs to the
 * description, not to the descriptor. Setting it would make their writes fail
 * with EAGAIN (CONTRACT 1.5), so there are four ways around it, see end_kind:
 *
 *   pipe, fifo, tty   opened again through /proc/self/fd: a description of our own
 *   socket            cannot be opened again, but takes MSG_DONTWAIT
 *   regular file      must not be opened again (the offset is shared on purpose,
 *                     `{ kata-runtime run c; date; } > log`), does not block
 *   the rest          poll() with no timeout before every call, and no write
 *                     larger than what a pipe that polls writable takes whole
 *
 * The last is the fallback of the first too: a descriptor from another user
 * namespace, no /proc, a fifo without a reader (ENXIO).
 */
#include "end.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

/* Members of major 1 (Documentation/admin-guide/devices.txt) that never wait. */
static bool is_memory_device(const struct stat *st)
{
	enum { MEM_MAJOR = 1, MEM_NULL = 3, MEM_ZERO = 5, MEM_FULL = 7, MEM_URANDOM = 9 };

	if (!S_ISCHR(st->st_mode) || major(st->st_rdev) != MEM_MAJOR)
		return false;
	switch (minor(st->st_rdev)) {
	case MEM_NULL:
	case MEM_ZERO:
	case MEM_FULL:
	case MEM_URANDOM:
		return true;
	default:
		return false;
	}
}

/* The master side opened again would be a new pair. */
static bool is_pty_master(int fd)
{
	unsigned int number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}

/* With the access mode it has: a fifo that is open for both is its own reader. */
static int open_again(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	char path[32];

	if (flags < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static enum end_kind kind_of(int fd, const struct stat *st, bool tty)
{
	if (S_ISSOCK(st->st_mode))
		return END_SOCKET;
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) || is_memory_device(st))
		return END_READY;
	if (S_ISFIFO(st->st_mode) || (tty && !is_pty_master(fd)))
		return END_OWN;
	return END_SHARED;
}

int end_open(struct end *ret, int fd, struct kata_err *err)
{
	struct stat st;
	struct end e = END_INIT;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat descriptor %d", fd);
	e.tty = S_ISCHR(st.st_mode) && isatty(fd);
	e.kind = kind_of(fd, &st, e.tty);
	if (e.kind == END_OWN) {
		e.fd = open_again(fd);
		if (e.fd < 0)
			e.kind = END_SHARED;
	}
	if (e.fd < 0)
		e.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (e.fd < 0)
		return err_sys(err, "duplicate descriptor %d", fd);
	*ret = e;
	return 0;
}

struct end end_socket_take(int fd)
{
	return (struct end){ .fd = fd, .kind = END_SOCKET };
}

void end_done(struct end *e)
{
	int fd = TAKE_FD(e->fd);

	if (fd >= 0)
		close(fd);
}

void end_shut(const struct end *e, int how)
{
	/* one that is not connected any more has nobody to tell */
	if (e->fd >= 0 && shutdown(e->fd, how) < 0)
		return;
}

void end_hang_up(struct end *e)
{
	char discard[4096];

	if (e->fd >= 0 && e->kind == END_SOCKET && shutdown(e->fd, SHUT_RDWR) == 0)
		while (recv(e->fd, discard, sizeof(discard), MSG_DONTWAIT) > 0)
			;
	end_done(e);
}

static bool ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) > 0;
}

ssize_t end_read(const struct end *e, void *data, size_t size)
{
	ssize_t n;

	if (e->kind == END_SHARED && !ready(e->fd, POLLIN))
		return -EAGAIN;
	do {
		if (e->kind == END_SOCKET)
			n = recv(e->fd, data, size, MSG_DONTWAIT);
		else
			n = read(e->fd, data, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t end_write(const struct end *e, const void *data, size_t len)
{
	ssize_t n;

	if (e->kind == END_SHARED) {
		if (!ready(e->fd, POLLOUT))
			return -EAGAIN;
		len = len > PIPE_BUF ? PIPE_BUF : len;
	}
	do {
		if (e->kind == END_SOCKET)
			n = send(e->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			n = write(e->fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
