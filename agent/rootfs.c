// SPDX-License-Identifier: Apache-2.0
/*
 * rootfs: see rootfs.h. Paths below the root are opened by the kernel (RESOLVE_IN_ROOT).
 * Everything is prepared from outside, through the root's descriptor, and pivot_root comes
 * last: so nothing is ever looked up by a name that the image could bend.
 */
#include "rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "mounts.h"
#include "oci/mount_opts.h"

int rootfs_isolate(struct kata_err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make mounts private");
	return 0;
}

int rootfs_open(const char *path, struct kata_err *err)
{
	AUTO_CLOSE int tree = -1, place = -1;

	tree = open_tree(AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
				 AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return err_sys(err, "error preparing rootfs: open %s", path);
	place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0 ||
	    move_mount(tree, "", place, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "error preparing rootfs: bind %s", path);
	return TAKE_FD(tree);
}

/* What a program expects in /dev beside the devices (config-linux.md, runc's setupDevSymlinks). */
static const struct {
	const char *name, *target;
	const char *only_if; /* path of the agent's tree */
} links[] = {
	{ "fd", "/proc/self/fd", NULL },	  { "stdin", "/proc/self/fd/0", NULL },
	{ "stdout", "/proc/self/fd/1", NULL },	  { "stderr", "/proc/self/fd/2", NULL },
	{ "core", "/proc/kcore", "/proc/kcore" },
};

int rootfs_links(int root_fd, struct kata_err *err)
{
	AUTO_CLOSE int dev = fs_mkdir_in_root(root_fd, "/dev", 0755);

	if (dev < 0)
		return err_sys_code(err, dev, "open /dev");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (links[i].only_if && access(links[i].only_if, F_OK) < 0)
			continue;
		if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
			return err_sys(err, "failed to create symlink /dev/%s",
				       links[i].name);
	}
	/* a device node of that name would be the VM's, not that of the container's devpts */
	if (unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove /dev/ptmx");
	if (symlinkat("pts/ptmx", dev, "ptmx") < 0)
		return err_sys(err, "symlink dev ptmx");
	return 0;
}

/* A read-only copy of the mount upon itself; runc's readonlyPath(). */
static int make_readonly(int root_fd, const char *path)
{
	AUTO_CLOSE int fd = fs_open_in_root(root_fd, path, O_PATH, 0);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = fd,
		.dest_fd = fd,
		.recursive = true,
		.set = MOUNT_ATTR_RDONLY,
	});
}

/*
 * The container's /dev/null, as in runc: its mount has the attributes that the spec gives /dev. One that is no
 * such device, in a /dev that is somebody's bind, would show its content instead: then it is the guest's.
 */
static int open_null(int root_fd)
{
	AUTO_CLOSE int fd = fs_open_in_root(root_fd, "/dev/null", O_PATH, 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	    st.st_rdev == makedev(1, 3))
		return TAKE_FD(fd);
	fd_drop(&fd);
	fd = open("/dev/null", O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : TAKE_FD(fd);
}

/* A file is covered by /dev/null, a directory by an empty tmpfs; runc's maskPath(). */
static int make_masked(int root_fd, const char *path, int null_fd)
{
	AUTO_CLOSE int fd = fs_open_in_root(root_fd, path, O_PATH, 0);
	char dest[32];
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return mounts_bind_fd(
			&(struct mounts_bind){ .source_fd = null_fd, .dest_fd = fd });
	snprintf(dest, sizeof(dest), "/proc/self/fd/%d", fd);
	return mount("tmpfs", dest, "tmpfs", MS_RDONLY, NULL) < 0 ? -errno : 0;
}

int rootfs_mask(int root_fd, const struct oci_linux *linux_, struct kata_err *err)
{
	AUTO_CLOSE int null_fd = -1;
	int r;

	for (size_t i = 0; i < linux_->readonlyPaths.n; i++) {
		r = make_readonly(root_fd, linux_->readonlyPaths.v[i]);
		if (r < 0)
			return err_sys_code(err, r, "can't make \"%s\" read-only",
					    linux_->readonlyPaths.v[i]);
	}
	if (linux_->maskedPaths.n == 0)
		return 0;
	null_fd = open_null(root_fd);
	if (null_fd < 0)
		return err_sys_code(err, null_fd, "open /dev/null");
	for (size_t i = 0; i < linux_->maskedPaths.n; i++) {
		r = make_masked(root_fd, linux_->maskedPaths.v[i], null_fd);
		if (r < 0)
			return err_sys_code(err, r, "can't mask path \"%s\"",
					    linux_->maskedPaths.v[i]);
	}
	return 0;
}

int rootfs_readonly(int root_fd, struct kata_err *err)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(root_fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0)
		return err_sys(err, "error setting rootfs as readonly");
	return 0;
}

int rootfs_enter(int root_fd, const char *propagation, struct kata_err *err)
{
	unsigned long flag = propagation && *propagation
				     ? mount_opt_propagation(propagation)
				     : 0;

	if (fchdir(root_fd) < 0)
		return err_sys(err, "enter rootfs");
	/* old root on top of the new one, then gone: needs no directory to put it (pivot_root(2)) */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, "unmount old root");
	if (chdir("/") < 0)
		return err_sys(err, "chdir /");
	if (flag && mount(NULL, "/", NULL, flag, NULL) < 0)
		return err_sys(err, "set rootfsPropagation %s", propagation);
	return 0;
}
