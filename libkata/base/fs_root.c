/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs_root: opening and making things below a container's root.
 *
 * The tree is the container's: any component may be a link that points
 * anywhere and may change while we look. So the kernel resolves every path
 * (openat2, RESOLVE_IN_ROOT, Linux 5.6): "/" and ".." stay inside whatever
 * happens.
 *
 * Making what is missing has no such call. The walk keeps the part that is
 * resolved as a path without links ("done"), takes one component at a time,
 * reads links itself and puts their target in front of what is left. Each step
 * opens "done" again with RESOLVE_NO_SYMLINKS as well: a component swapped for
 * a link behind our back is an error (-ELOOP), not a way out.
 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/mem.h"

#define MAX_LINKS 40 /* as the kernel's own limit */
#define RACE_RETRIES                                                                     \
	128 /* openat2 says EAGAIN when a rename anywhere may have raced with ".." */

static int open_resolved(int rootfd, const char *path, int flags, mode_t mode,
			 uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		/* a mode without a flag that creates is EINVAL here, unlike openat() */
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd, tries = 0;

	do {
		fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	} while (fd < 0 &&
		 (errno == EINTR || (errno == EAGAIN && tries++ < RACE_RETRIES)));
	return fd < 0 ? -errno : fd;
}

int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(rootfd, *path ? path : ".", flags, mode, 0);
}

struct walk {
	int rootfd;
	mode_t mode;
	bool want_file; /* the last component is to be a file */
	char *done;	/* "" or "a/b": resolved, no links */
	char *rest;	/* still to do */
	int links;
};

/** Take the next component off w->rest; NULL when there is none. */
static char *next_component(struct walk *w)
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");
	char *name, *rest;

	if (!n)
		return NULL;
	name = mem_strndup(from, n);
	rest = mem_strdup(from + n);
	free(w->rest);
	w->rest = rest;
	return name;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
	else
		w->done[0] = '\0';
}

static char *join(const char *dir, const char *name)
{
	return mem_printf("%s%s%s", dir, *dir ? "/" : "", name);
}

static int open_done(const struct walk *w, const char *path, int flags)
{
	return open_resolved(w->rootfd, *path ? path : ".", O_PATH | flags, 0,
			     RESOLVE_NO_SYMLINKS);
}

/** Make @name in w->done. Somebody else having made it meanwhile is fine. */
static int make(const struct walk *w, const char *name)
{
	AUTO_CLOSE int dirfd = open_done(w, w->done, O_DIRECTORY);
	mode_t mode;
	int fd;

	if (dirfd < 0)
		return dirfd;
	if (!w->want_file || !is_last(w)) {
		mode = w->want_file ? w->mode | (w->mode & 0444) >> 2 : w->mode;
		return mkdirat(dirfd, name, mode) < 0 && errno != EEXIST ? -errno : 0;
	}
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    w->mode);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return 0;
}

/** Put the target of the link @fd in front of what is left. */
static int follow(struct walk *w, int fd)
{
	char target[PATH_MAX];
	char *rest;
	ssize_t n;

	if (++w->links > MAX_LINKS)
		return -ELOOP;
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	target[n] = '\0';
	if (strlen(w->rest) + (size_t)n >= 2 * PATH_MAX)
		return -ENAMETOOLONG;
	rest = mem_printf("%s%s", target, w->rest);
	free(w->rest);
	w->rest = rest;
	if (target[0] == '/')
		w->done[0] = '\0';
	return 0;
}

/** One component: make it if it is not there, follow it if it is a link, else go into it. */
static int step(struct walk *w, const char *name)
{
	AUTO_FREE char *path = join(w->done, name);
	AUTO_CLOSE int fd = open_done(w, path, O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd == -ENOENT) {
		r = make(w, name);
		if (r < 0)
			return r;
		fd = open_done(w, path, O_NOFOLLOW);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow(w, fd);
	if (!S_ISDIR(st.st_mode) && !(w->want_file && is_last(w)))
		return -ENOTDIR;
	free(w->done);
	w->done = TAKE_PTR(path);
	return 0;
}

static int run_walk(struct walk *w)
{
	int r = 0;

	while (r == 0) {
		AUTO_FREE char *name = next_component(w);

		if (!name)
			break;
		if (strcmp(name, "..") == 0)
			go_up(w);
		else if (strcmp(name, ".") != 0)
			r = step(w, name);
	}
	return r < 0 ? r : open_done(w, w->done, w->want_file ? 0 : O_DIRECTORY);
}

static int make_in_root(int rootfd, const char *path, mode_t mode, bool want_file)
{
	struct walk w = { .rootfd = rootfd, .mode = mode, .want_file = want_file };
	int r = fs_open_in_root(rootfd, path, O_PATH | (want_file ? 0 : O_DIRECTORY), 0);

	if (r != -ENOENT)
		return r;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	w.done = mem_strdup("");
	w.rest = mem_strdup(path);
	r = run_walk(&w);
	free(w.done);
	free(w.rest);
	return r;
}

/**
 * fs_mkdir_in_root() - make @path and its parents below @rootfd
 * @mode: of the directories that are made, less the umask
 *
 * A link to something missing gets its target made, inside the root.
 *
 * Return: O_PATH descriptor of the last, or -errno; -ENOTDIR when something else is
 * in the way.
 */
int fs_mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
	return make_in_root(rootfd, path, mode, false);
}

/**
 * fs_mkfile_in_root() - the same, the last component an empty file
 *
 * Whatever is there already is taken as it is, a directory or device as well. Parents
 * that are made get @mode with search permission wherever it gives read permission.
 */
int fs_mkfile_in_root(int rootfd, const char *path, mode_t mode)
{
	return make_in_root(rootfd, path, mode, true);
}
