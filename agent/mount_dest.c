// SPDX-License-Identifier: Apache-2.0
/*
 * mount_dest: see mount_dest.h. The kernel resolves the path below the root (RESOLVE_IN_ROOT), so
 * links in the image stay in it. Then the rules of runc, which are about what programs and the
 * agent itself take from fixed places: proc and sysfs stand on ordinary directories; /proc is a
 * proc, and nothing but the files that lxcfs emulates is put over what is in it.
 */
#include "mount_dest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"

#define MODE_BITS 07777

/* runc's checkProcMount() */
static const char *const over_proc[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static bool is_kernels(const struct mount_op *op)
{
	return op->kind == MOUNT_OP_FS &&
	       (str_eq(op->fstype, "proc") || str_eq(op->fstype, "sysfs"));
}

static int check_ordinary(const struct mount_dest *d, struct kata_err *err)
{
	AUTO_CLOSE int fd = fs_open_in_root(d->root_fd, d->op->dest, O_PATH | O_NOFOLLOW,
					    0);
	struct stat st;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	if (S_ISDIR(st.st_mode))
		return 0;
	return err_set(err, -ENOTDIR,
		       "filesystem \"%s\" must be mounted on ordinary directory",
		       d->op->fstype);
}

static bool gives_proc(const struct mount_dest *d)
{
	struct statfs fs;

	if (d->op->kind == MOUNT_OP_BIND)
		return fstatfs(d->source_fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	return str_eq(d->op->fstype, "proc");
}

/* @at: where it really is, in the container */
static int check_proc(const struct mount_dest *d, const char *at, struct kata_err *err)
{
	if (!fs_is_below(at, "/proc"))
		return 0;
	if (str_eq(at, "/proc"))
		return gives_proc(d) ? 0
				     : err_set(err, -EPERM,
					       "\"%s\" cannot be mounted because it is "
					       "not of type proc",
					       at);
	for (size_t i = 0; i < ARRAY_SIZE(over_proc); i++)
		if (str_eq(at, over_proc[i]))
			return 0;
	return err_set(err, -EPERM, "\"%s\" cannot be mounted because it is inside /proc",
		       at);
}

static int check_place(const struct mount_dest *d, int fd, struct kata_err *err)
{
	char root[PATH_MAX], at[PATH_MAX];
	int r = fs_fd_path(d->root_fd, root);
	size_t n;

	if (r == 0)
		r = fs_fd_path(fd, at);
	if (r < 0)
		return r;
	n = strlen(root);
	if (!fs_is_below(at, root))
		return err_set(err, -EXDEV, "mountpoint is outside of rootfs");
	if (!at[n])
		return err_set(err, -EINVAL, "mountpoint is on the top of rootfs");
	return check_proc(d, at + n, err);
}

static bool wants_file(const struct mount_dest *d)
{
	struct stat st;

	return d->source_fd >= 0 && fstat(d->source_fd, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int open_or_make(struct mount_dest *d)
{
	const char *dest = d->op->dest;
	bool is_file = wants_file(d);
	int fd = fs_open_in_root(d->root_fd, dest, O_PATH | (is_file ? 0 : O_DIRECTORY),
				 0);
	struct stat st;

	d->mode = -1;
	if (fd == -ENOENT)
		return is_file ? fs_mkfile_in_root(d->root_fd, dest, 0644)
			       : fs_mkdir_in_root(d->root_fd, dest, 0755);
	if (fd >= 0 && fstat(fd, &st) == 0)
		d->mode = (int)(st.st_mode & MODE_BITS);
	return fd;
}

int mount_dest_open(struct mount_dest *d, struct kata_err *err)
{
	int r = is_kernels(d->op) ? check_ordinary(d, err) : 0, fd;

	if (r < 0)
		return r;
	fd = open_or_make(d);
	if (fd < 0)
		return fd;
	r = check_place(d, fd, err);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}
