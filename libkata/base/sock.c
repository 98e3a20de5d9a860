/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock: unix and vsock sockets, descriptors in messages.
 *
 * Unix sockets are addressed through /proc/self/fd: for binding the directory's
 * descriptor, for connecting an O_PATH descriptor of the socket itself. So the
 * length of a path never matters.
 */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "base/mem.h"

#define BACKLOG 64

static int unix_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int sock_bind_at(int dirfd, const char *name, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = unix_socket(type);
	int n;

	if (fd < 0)
		return fd;
	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", dirfd,
		     name);
	if (dirfd == AT_FDCWD)
		n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", name);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	/* bind gives the new inode the socket's own mode: never open to others, not even briefly */
	if (fchmod(fd, 0600) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sock_listen_at(int dirfd, const char *name, int type)
{
	AUTO_CLOSE int fd = sock_bind_at(dirfd, name, type);

	if (fd < 0)
		return fd;
	return listen(fd, BACKLOG) < 0 ? -errno : TAKE_FD(fd);
}

int sock_connect_at(int dirfd, const char *name, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	AUTO_CLOSE int at = openat(dirfd, name, O_PATH | O_CLOEXEC);
	AUTO_CLOSE int fd = -1;
	int r;

	if (at < 0)
		return -errno;
	fd = unix_socket(type);
	if (fd < 0)
		return fd;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", at);
	do {
		r = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : TAKE_FD(fd);
}

int sock_connect_path(const char *path, int type)
{
	return sock_connect_at(AT_FDCWD, path, type);
}

int sock_pair(int type, int ret_fd[2])
{
	return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_fd) < 0 ? -errno : 0;
}

int sock_accept(int fd)
{
	int r;

	do {
		r = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (r < 0 && (errno == EINTR || errno == ECONNABORTED));
	return r < 0 ? -errno : r;
}

int sock_vsock_listen(uint32_t port)
{
	struct sockaddr_vm sa = {
		.svm_family = AF_VSOCK,
		.svm_port = port,
		.svm_cid = VMADDR_CID_ANY,
	};
	AUTO_CLOSE int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sock_vsock_connect(uint32_t cid, uint32_t port, int timeout_ms)
{
	struct sockaddr_vm sa = { .svm_family = AF_VSOCK,
				  .svm_port = port,
				  .svm_cid = cid };
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	AUTO_CLOSE int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (timeout_ms > 0 &&
	    setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &tv, sizeof(tv)) < 0)
		return -errno;
	/* not repeated after EINTR: vsock gives the attempt up then (-EINTR to the caller) */
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int sock_vsock_peer_cid(int fd, uint32_t *ret_cid)
{
	struct sockaddr_vm sa = { 0 };
	socklen_t len = sizeof(sa);

	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	if (sa.svm_family != AF_VSOCK)
		return -EAFNOSUPPORT;
	*ret_cid = sa.svm_cid;
	return 0;
}

/* Room for the descriptors of one message, aligned as a cmsghdr wants it. */
union fd_room {
	struct cmsghdr head;
	char room[CMSG_SPACE(SOCK_MAX_FDS * sizeof(int))];
};

static void attach_fds(struct msghdr *mh, union fd_room *room, const int *fds,
		       size_t n_fds)
{
	struct cmsghdr *cm;

	if (!n_fds)
		return;
	memset(room, 0, sizeof(*room));
	mh->msg_control = room->room;
	mh->msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
}

/**
 * sock_send() - send all of @len bytes, the descriptors with the first of them
 *
 * A non-blocking stream that takes only a part is broken for message use and
 * gives -EIO.
 */
int sock_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_room room;
	bool partly = false;
	ssize_t n;

	if (n_fds > SOCK_MAX_FDS || (n_fds && !len))
		return -EINVAL;
	attach_fds(&mh, &room, fds, n_fds);
	do {
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return partly ? -EIO : -errno;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		mh.msg_control = NULL;
		mh.msg_controllen = 0;
		partly = true;
	} while (iov.iov_len);
	return 0;
}

static void close_all(const int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

/** Collect the descriptors of a message; the room given to the kernel holds no more than fit. */
static size_t take_fds(struct msghdr *mh, int fds[SOCK_MAX_FDS])
{
	struct cmsghdr *cm;
	size_t n = 0, bytes;

	for (cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = cm->cmsg_len - CMSG_LEN(0);
		if (bytes / sizeof(int) > SOCK_MAX_FDS - n)
			bytes = (SOCK_MAX_FDS - n) * sizeof(int);
		memcpy(fds + n, CMSG_DATA(cm), bytes);
		n += bytes / sizeof(int);
	}
	return n;
}

/**
 * sock_recv() - one recvmsg
 * @fds: NULL when none are expected: those that come are closed
 */
ssize_t sock_recv(int fd, void *data, size_t size, int fds[SOCK_MAX_FDS], size_t *ret_n)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union fd_room room;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.room,
		.msg_controllen = sizeof(room.room),
	};
	int got[SOCK_MAX_FDS];
	size_t n_got;
	ssize_t n;

	do {
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_got = take_fds(&mh, got);
	if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_all(got, n_got);
		return -EMSGSIZE;
	}
	if (!fds) {
		close_all(got, n_got);
		n_got = 0;
	} else {
		memcpy(fds, got, n_got * sizeof(int));
	}
	if (ret_n)
		*ret_n = n_got;
	return n;
}
