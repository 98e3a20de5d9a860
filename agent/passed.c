// SPDX-License-Identifier: Apache-2.0
/*
 * passed: files are opened again, with the caller's flags and offset; pipes and sockets get a far
 * end here, for a stream to the host. Must not know: what a process or a stream is.
 */
#include "passed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"

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
	default:
		return err_set(err, -EINVAL, "unknown kind %d", f->kind);
	}
}

int passed_open(const struct passed_fd *f, const char *share, uid_t uid,
		struct passed_ends *ret, struct kata_err *err)
{
	int r;

	*ret = (struct passed_ends){ -1, -1, -1 };
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
