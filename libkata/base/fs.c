/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs: reading, writing and removing files, and lexical paths. What opens or
 * makes things below a container's root is in fs_root.c.
 *
 * All descriptors are close-on-exec. Functions without a kata_err return
 * -errno only: their callers word the failure.
 */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"

#define READ_FIRST 4096u
#define TEMP_TRIES 100u

/* ---- reading and writing ---- */

static size_t first_size(int fd, size_t max)
{
	struct stat st;
	size_t size = READ_FIRST;

	/* one byte more than there is: read() says "end" without another round of growing */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		size = (size_t)st.st_size + 1;
	return size > max ? max + 1 : size;
}

int fs_read_fd(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	AUTO_FREE char *data = NULL;
	size_t size, len = 0;
	ssize_t n;

	if (max > SIZE_MAX / 2 - 2)
		return -EINVAL;
	size = first_size(fd, max);
	data = mem_alloc(size + 1);
	for (;;) {
		n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len > max)
			return -E2BIG;
		if (n == 0)
			break;
		if (len == size) {
			size = size > max / 2 ? max + 1 : size * 2;
			data = mem_grow(data, size + 1, 1);
		}
	}
	data[len] = '\0';
	*ret_data = TAKE_PTR(data);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int fs_read_at(int dirfd, const char *name, size_t max, char **ret_data, size_t *ret_len)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fs_read_fd(fd, max, ret_data, ret_len);
}

int fs_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fs_write_str(int dirfd, const char *name, const char *s)
{
	AUTO_CLOSE int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(s);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, s, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0
				: -EIO; /* a kernel file that took half of it is broken */
}

/** A new file with a name nobody has. Return: fd, its name in @name. */
static int open_temp(int dirfd, mode_t mode, char name[64])
{
	unsigned i;
	int fd;

	for (i = 0; i < TEMP_TRIES; i++) {
		snprintf(name, 64, FS_TMP_PREFIX "%ld.%u", (long)getpid(), i);
		fd = openat(dirfd, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/**
 * fs_write_atomic() - temp file + rename
 * @mode: as for open(), so the umask applies
 *
 * Not flushed to disk: what we write this way (records, pid files) lives no longer
 * than the boot.
 */
int fs_write_atomic(int dirfd, const char *name, const void *data, size_t len,
		    mode_t mode)
{
	char temp[64];
	int fd, r;

	fd = open_temp(dirfd, mode, temp);
	if (fd < 0)
		return fd;
	r = fs_write_all(fd, data, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temp, 0);
	return r;
}

int fs_write_atomic_path(const char *path, const void *data, size_t len, mode_t mode,
			 struct kata_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	AUTO_FREE char *dir = NULL;
	AUTO_CLOSE int dirfd = -1;
	int r;

	dir = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_sys(err, "write %s", path);
	if (!*name)
		return err_sys_code(err, -EISDIR, "write %s", path);
	r = fs_write_atomic(dirfd, name, data, len, mode);
	return r < 0 ? err_sys_code(err, r, "write %s", path) : 0;
}

int fs_memfd(const char *name, const void *data, size_t len)
{
	AUTO_CLOSE int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* ---- directories ---- */

/** Is @path a directory, links followed? mkdir's EEXIST does not say. */
static int check_dir(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/** mkdir; an existing directory is fine whatever else mkdir says (EROFS, EACCES come first). */
static int make_dir(const char *path, mode_t mode)
{
	int r;

	if (mkdir(path, mode) == 0)
		return 0;
	r = -errno;
	if (r == -ENOENT)
		return r;
	if (check_dir(path) == 0)
		return 0;
	return r == -EEXIST ? -ENOTDIR : r;
}

int fs_mkdir_p(const char *path, mode_t mode, struct kata_err *err)
{
	AUTO_FREE char *p = mem_strdup(path);
	char *slash;
	int r = make_dir(p, mode);

	if (r == 0)
		return 0;
	for (slash = p; r == -ENOENT && *slash;) {
		slash += strspn(slash, "/");
		slash += strcspn(slash, "/");
		if (!*slash)
			break;
		*slash = '\0';
		r = make_dir(p, mode);
		*slash = '/';
		if (r == 0)
			r = -ENOENT; /* of the whole, so far */
		else if (r == -ENOENT)
			return err_sys_code(err, r, "mkdir %s", path);
	}
	if (r == -ENOENT)
		r = make_dir(p, mode);
	return r < 0 ? err_sys_code(err, r, "mkdir %s", path) : 0;
}

/*
 * Removing a tree. One directory is open at a time and none is entered by
 * recursion, so that depth costs neither stack nor descriptors: the way down is
 * a list of names and inodes, the way up is "..", checked against the inode.
 */
struct level {
	char *name; /* as it is called in its parent */
	ino_t ino;
	dev_t dev;
};

struct removal {
	struct level *levels; /* levels[0] is what was asked for */
	size_t n;
	int parent; /* the caller's dirfd */
	int fd;	    /* of the innermost level */
};

/** The mount that @fd is on, or 0 on a kernel that does not tell (before 5.8). */
static uint64_t mount_of(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return 0;
	return stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0;
}

/** Go into a subdirectory: no link followed, no mount crossed, bind mounts included. */
static int descend(struct removal *rm, const char *name)
{
	int at = rm->n ? rm->fd : rm->parent;
	AUTO_CLOSE int fd = openat(at, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st, above;

	if (fd < 0 || fstat(fd, &st) < 0 || fstat(at, &above) < 0)
		return -errno;
	if (st.st_dev != above.st_dev || mount_of(fd) != mount_of(at))
		return -EXDEV;
	if ((rm->n & (rm->n + 1)) == 0)
		rm->levels = mem_grow(rm->levels, 2 * (rm->n + 1), sizeof(*rm->levels));
	rm->levels[rm->n++] = (struct level){ mem_strdup(name), st.st_ino, st.st_dev };
	if (rm->fd >= 0)
		close(rm->fd);
	rm->fd = TAKE_FD(fd);
	return 0;
}

/** Leave the innermost level, which is empty now, and remove it. */
static int ascend(struct removal *rm)
{
	AUTO_FREE char *name = rm->levels[rm->n - 1].name;
	AUTO_CLOSE int up = -1;
	struct stat st;
	int at;

	rm->n--;
	if (rm->n) {
		up = openat(rm->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &st) < 0)
			return -errno;
		if (st.st_ino != rm->levels[rm->n - 1].ino ||
		    st.st_dev != rm->levels[rm->n - 1].dev)
			return -ESTALE; /* moved away under us: stop rather than follow it */
	}
	at = rm->n ? up : rm->parent;
	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	close(rm->fd);
	rm->fd = TAKE_FD(up);
	return 0;
}

/**
 * Remove one name that may be a directory.
 * Return: 0 gone, 1 it is a directory with something in it, -errno.
 */
static int remove_name(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	return errno == ENOTDIR ? -EPERM
				: -errno; /* EPERM of unlinkat: an immutable file */
}

/**
 * Remove the entries of the innermost level, up to the first subdirectory that
 * is not empty. Return: 0 empty now, 1 that subdirectory was entered, -errno.
 */
static int empty_level(struct removal *rm)
{
	int copy = fcntl(rm->fd, F_DUPFD_CLOEXEC, 3), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *de;

	if (!dir) {
		r = -errno;
		if (copy >= 0)
			close(copy);
		return r;
	}
	rewinddir(dir);
	while (r == 0 && (errno = 0, de = readdir(dir))) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		r = remove_name(rm->fd, de->d_name);
		if (r == 1 && (r = descend(rm, de->d_name)) == 0)
			r = 1;
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(dir);
	return r;
}

static void removal_done(struct removal *rm)
{
	while (rm->n)
		free(rm->levels[--rm->n].name);
	free(rm->levels);
	if (rm->fd >= 0)
		close(rm->fd);
}

/** A tree by its name alone, without a slash. */
static int remove_entry(int dirfd, const char *name)
{
	struct removal rm = { .parent = dirfd, .fd = -1 };
	int r = remove_name(dirfd, name);

	if (r <= 0)
		return r;
	r = descend(&rm, name);
	while (r >= 0 && rm.n) {
		r = empty_level(&rm);
		if (r == 0)
			r = ascend(&rm);
	}
	removal_done(&rm);
	return r;
}

/**
 * fs_remove_tree() - rm -rf
 * @name: may be a path; only its last component is not followed if it is a link
 *
 * Stops at the first thing that cannot be removed. A mount inside the tree is
 * never entered: -EXDEV or -EBUSY.
 *
 * Return: 0, also when nothing was there; -errno.
 */
int fs_remove_tree(int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	AUTO_FREE char *parent = NULL;
	AUTO_CLOSE int fd = -1;

	if (!slash && dirfd != AT_FDCWD)
		return remove_entry(dirfd, name);
	parent = slash ? mem_strndup(name, (size_t)(slash - name) + 1) : mem_strdup(".");
	fd = openat(dirfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_entry(fd, slash ? slash + 1 : name);
}

/* ---- paths as text ---- */

/** Append the components of @path to the clean absolute path p[0, len). Returns the new length. */
static size_t add_components(char *p, size_t len, const char *path)
{
	size_t n;

	for (; *path; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (len && p[--len] != '/')
				;
			continue;
		}
		p[len++] = '/';
		memcpy(p + len, path, n);
		len += n;
	}
	return len;
}

/**
 * fs_abspath() - absolute and clean
 * @base: what a relative @path starts from; NULL = the working directory
 */
char *fs_abspath(const char *base, const char *path)
{
	AUTO_FREE char *cwd = NULL;
	size_t len = 0;
	char *p;

	if (path[0] == '/')
		base = "";
	else if (!base || base[0] != '/')
		cwd = getcwd(NULL, 0);
	if (!base)
		base = "";
	p = mem_alloc((cwd ? strlen(cwd) : 0) + strlen(base) + strlen(path) + 5);
	if (cwd)
		len = add_components(p, len, cwd);
	len = add_components(p, len, base);
	len = add_components(p, len, path);
	if (!len)
		p[len++] = '/';
	p[len] = '\0';
	return p;
}

int fs_fd_path(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

bool fs_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1 && dir[0] == '/')
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
