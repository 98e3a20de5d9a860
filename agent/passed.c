// SPDX-License-Identifier: Apache-2.0
/*
 * passed: files are opened again, with the caller's flags and offset; pipes and sockets get a far
 * end here, for a stream to the host. Must not know: what a process or a stream is.
 */
#include "passed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"

/** More than the host has connections at once. */
#define BACKLOG 1024
#define FIRST (STDERR_FILENO + 1)

static int open_flags(const struct passed_fd *f)
{
	static const int access[] = {
		[PASSED_READ] = O_RDONLY,
		[PASSED_WRITE] = O_WRONLY,
		[PASSED_BOTH] = O_RDWR,
	};

	return (f->handle ? O_PATH : access[f->access]) | (f->append ? O_APPEND : 0) |
	       (f->nonblock ? O_NONBLOCK : 0) | (f->directory ? O_DIRECTORY : 0) |
	       O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
}

/* The host's word, but a mistake there should not open what is ours. */
static bool is_below(const char *path)
{
	return path && *path && path[0] != '/' && !strstr(path, "..");
}

/* By a mount of its own, so that ".." ends there: beside it are the files of other containers. */
static int open_directory(const struct passed_fd *f, const char *path)
{
	AUTO_CLOSE int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						   AT_SYMLINK_NOFOLLOW);

	return tree < 0 ? -1 : openat(tree, ".", open_flags(f));
}

static int open_below(const struct passed_fd *f, const char *dir, struct passed_ends *ret,
		      struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, f->path ? f->path : "");

	if (!is_below(f->path))
		return err_set(err, -EINVAL, "bad path \"%s\"", path);
	ret->child = f->directory ? open_directory(f, path) : open(path, open_flags(f));
	if (ret->child < 0)
		return err_sys(err, "open %s", path);
	if (f->offset && !f->handle && lseek(ret->child, (off_t)f->offset, SEEK_SET) < 0)
		return err_sys(err, "seek in %s", path);
	return 0;
}

static int set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int settle_ends(const struct passed_fd *f, int child, int ours)
{
	int r = set_nonblock(ours);

	return r == 0 && f->nonblock ? set_nonblock(child) : r;
}

static int open_pipe(const struct passed_fd *f, uid_t uid, struct passed_ends *ret,
		     struct kata_err *err)
{
	bool in = f->access == PASSED_READ;
	int ends[2], ours, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	ret->child = ends[in ? 0 : 1];
	ours = ends[in ? 1 : 0];
	if (in)
		ret->in = ours;
	else
		ret->out = ours;
	r = settle_ends(f, ret->child, ours);
	if (r == 0 && uid && fchown(ours, uid, (gid_t)-1) < 0)
		r = -errno;
	return r < 0 ? err_sys_code(err, r, "make a pipe") : 0;
}

static int open_socket(const struct passed_fd *f, struct passed_ends *ret,
		       struct kata_err *err)
{
	int pair[2], r = sock_pair(SOCK_STREAM, pair);

	if (r < 0)
		return err_sys_code(err, r, "make a socket pair");
	ret->child = pair[1];
	ret->in = pair[0];
	r = settle_ends(f, pair[1], pair[0]);
	if (r == 0) {
		ret->out = fcntl(pair[0], F_DUPFD_CLOEXEC, FIRST);
		r = ret->out < 0 ? -errno : 0;
	}
	return r < 0 ? err_sys_code(err, r, "make a socket pair") : 0;
}

/*
 * A unix one gets a name of the kernel's choice (no path: autobind); TCP the port that it has on
 * the host, unless that is taken.
 */
static socklen_t listen_address(const struct passed_fd *f, bool any_port,
				struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (void *)ret;
	struct sockaddr_in *in = (void *)ret;
	in_port_t port = any_port ? 0 : htons((uint16_t)f->port);

	*ret = (struct sockaddr_storage){ .ss_family = AF_UNIX };
	if (f->family == PASSED_INET) {
		*in = (struct sockaddr_in){ .sin_family = AF_INET,
					    .sin_port = port,
					    .sin_addr = { htonl(INADDR_LOOPBACK) } };
		return sizeof(*in);
	}
	if (f->family == PASSED_INET6) {
		*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					      .sin6_port = port,
					      .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		return sizeof(*in6);
	}
	return sizeof(sa_family_t);
}

static int bind_listener(const struct passed_fd *f, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = listen_address(f, false, &sa);
	int r = bind(fd, (struct sockaddr *)&sa, len);

	if (r < 0 && errno == EADDRINUSE && f->family != PASSED_UNIX) {
		len = listen_address(f, true, &sa);
		r = bind(fd, (struct sockaddr *)&sa, len);
	}
	return r;
}

static int open_listener(const struct passed_fd *f, struct passed_ends *ret,
			 struct kata_err *err)
{
	static const int families[] = {
		[PASSED_UNIX] = AF_UNIX,
		[PASSED_INET] = AF_INET,
		[PASSED_INET6] = AF_INET6,
	};
	int flags = SOCK_STREAM | SOCK_CLOEXEC | (f->nonblock ? SOCK_NONBLOCK : 0);

	if (f->family < 0)
		return err_set(err, -EINVAL, "a listener without a family");
	ret->child = socket(families[f->family], flags, 0);
	ret->addr.len = sizeof(ret->addr.sa);
	if (ret->child < 0 || bind_listener(f, ret->child) < 0 ||
	    listen(ret->child, BACKLOG) < 0 ||
	    getsockname(ret->child, (struct sockaddr *)&ret->addr.sa, &ret->addr.len) < 0)
		return err_sys(err, "listen");
	return 0;
}

int passed_connect(const struct passed_addr *addr, int ret_ends[2])
{
	AUTO_CLOSE int fd = -1;
	int r;

	if (!addr->len)
		return -ENOTSOCK;
	fd = socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr->sa, addr->len) < 0)
		return -errno;
	r = set_nonblock(fd);
	if (r < 0)
		return r;
	ret_ends[1] = fcntl(fd, F_DUPFD_CLOEXEC, FIRST);
	if (ret_ends[1] < 0)
		return -errno;
	ret_ends[0] = TAKE_FD(fd);
	return 0;
}

static int open_one(const struct passed_fd *f, const char *share, uid_t uid,
		    struct passed_ends *ret, struct kata_err *err)
{
	switch (f->kind) {
	case PASSED_FILE:
		return open_below(f, share, ret, err);
	case PASSED_DEVICE:
		return open_below(f, "/dev", ret, err);
	case PASSED_PIPE:
		return open_pipe(f, uid, ret, err);
	case PASSED_SOCKET:
		return open_socket(f, ret, err);
	case PASSED_LISTENER:
		return open_listener(f, ret, err);
	default:
		return err_set(err, -EINVAL, "unknown kind %d", f->kind);
	}
}

int passed_open(const struct passed_fd *f, const char *share, uid_t uid,
		struct passed_ends *ret, struct kata_err *err)
{
	int r;

	*ret = (struct passed_ends){ .child = -1, .in = -1, .out = -1 };
	r = open_one(f, share, uid, ret, err);
	if (r < 0) {
		fd_drop(&ret->child);
		fd_drop(&ret->in);
		fd_drop(&ret->out);
	}
	return r;
}

/* A copy at @top or above of what is in the way below; the old one is about to be overwritten. */
static int move_up(int fd, int top)
{
	int high;

	if (fd < FIRST || fd >= top)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, top);
	return high < 0 ? -errno : high;
}

int passed_place(const int *passed, unsigned n, int *const *own, size_t n_own)
{
	int from[PROTO_PASSED_MAX], top = FIRST + (int)n;

	if (n > PROTO_PASSED_MAX)
		return -EMFILE;
	for (size_t i = 0; i < n_own; i++) {
		int fd = *own[i] < 0 ? 0 : move_up(*own[i], top);

		if (fd < 0)
			return fd;
		*own[i] = *own[i] < 0 ? -1 : fd;
	}
	for (unsigned i = 0; i < n; i++) {
		from[i] = move_up(passed[i], top);
		if (from[i] < 0)
			return from[i];
	}
	for (unsigned i = 0; i < n; i++) {
		if (dup2(from[i], FIRST + (int)i) < 0)
			return -errno;
		close(from[i]);
	}
	return 0;
}
