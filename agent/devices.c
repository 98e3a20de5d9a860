// SPDX-License-Identifier: Apache-2.0
/*
 * devices: see devices.h. A node is made by mknod; where that is refused (a shared root
 * whose host side may not) the guest's own device is bound upon an empty file, as runc does.
 */
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "mounts.h"

struct node {
	const char *path;
	unsigned major, minor; /* of a FIFO: none */
	mode_t mode;	       /* with the type */
	uid_t uid;
	gid_t gid;
};

#define DEVICE (S_IFCHR | 0666)

/* config-linux.md, Default Devices; console and ptmx are no nodes here. */
static const struct node defaults[] = {
	{ "/dev/null", 1, 3, DEVICE, 0, 0 },	{ "/dev/zero", 1, 5, DEVICE, 0, 0 },
	{ "/dev/full", 1, 7, DEVICE, 0, 0 },	{ "/dev/random", 1, 8, DEVICE, 0, 0 },
	{ "/dev/urandom", 1, 9, DEVICE, 0, 0 }, { "/dev/tty", 5, 0, DEVICE, 0, 0 },
};

/* Beyond the defaults: numbers that are the same in every kernel, and do no harm in a VM of one's own. */
static const struct {
	unsigned major, minor;
} more[] = {
	{ 10, 229 }, /* fuse */
	{ 10, 200 }, /* net/tun */
};

static bool is_known(unsigned major, unsigned minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (defaults[i].major == major && defaults[i].minor == minor)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (more[i].major == major && more[i].minor == minor)
			return true;
	}
	return false;
}

/* ptmx and console are listed by some engines; they come with the terminal. */
static bool is_skipped(const struct oci_device *d)
{
	return str_eq(d->path, "/dev/ptmx") || str_eq(d->path, "/dev/console");
}

static bool is_fifo(const struct oci_device *d)
{
	return str_eq(d->type, "p");
}

int devices_check(const struct oci_linux *linux_, struct kata_err *err)
{
	const struct oci_device *d = linux_ ? linux_->devices.v : NULL;

	for (size_t i = 0; linux_ && i < linux_->devices.n; i++) {
		long long major = d[i].major ? *d[i].major : -1;
		long long minor = d[i].minor ? *d[i].minor : -1;
		bool is_char = str_eq(d[i].type, "c") || str_eq(d[i].type, "u");

		if (is_skipped(&d[i]) || is_fifo(&d[i]))
			continue;
		if (!is_char || major < 0 || minor < 0 ||
		    !is_known((unsigned)major, (unsigned)minor))
			return err_set(
				err, -ENOTSUP,
				"linux.devices[%zu]: %s (%s %lld:%lld) is a device of the host "
				"that the guest does not have",
				i, d[i].path ? d[i].path : "?",
				d[i].type ? d[i].type : "?", major, minor);
	}
	return 0;
}

static int bind_node(int root_fd, const struct node *n)
{
	AUTO_CLOSE int src = open(n->path, O_PATH | O_CLOEXEC);
	AUTO_CLOSE int dest = -1;

	if (src < 0)
		return -errno;
	dest = fs_mkfile_in_root(root_fd, n->path, 0644);
	if (dest < 0)
		return dest;
	return mounts_bind_fd(&(struct mounts_bind){ .source_fd = src, .dest_fd = dest });
}

static bool is_there(int dir, const char *name, const struct node *n)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == (n->mode & S_IFMT) &&
	       st.st_rdev == makedev(n->major, n->minor);
}

static int put_node(int dir, const char *name, const struct node *n)
{
	return mknodat(dir, name, n->mode, makedev(n->major, n->minor)) < 0 ? -errno : 0;
}

static int make_node(int root_fd, const struct node *n)
{
	AUTO_FREE char *clean = fs_abspath("/", n->path);
	char *name = strrchr(clean, '/');
	AUTO_CLOSE int dir = -1;
	int r;

	*name++ = '\0';
	dir = fs_mkdir_in_root(root_fd, clean[0] ? clean : "/", 0755);
	if (dir < 0)
		return dir;
	r = put_node(dir, name, n);
	if (r < 0 && is_there(dir, name, n))
		return 0;
	if (r == -EEXIST)
		r = unlinkat(dir, name, 0) < 0 ? -errno : put_node(dir, name, n);
	/* of a FIFO the guest has none that could be bound */
	if (S_ISCHR(n->mode) && (r == -EPERM || r == -EROFS || r == -EACCES))
		return bind_node(root_fd, n);
	if (r < 0)
		return r;
	if ((n->uid || n->gid) &&
	    fchownat(dir, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int make_reported(int root_fd, const struct node *n, struct kata_err *err)
{
	int r = make_node(root_fd, n);

	return r < 0 ? err_sys_code(err, r, "error creating device nodes: mknod %s",
				    n->path)
		     : 0;
}

/* What devices_check() has let pass: a character device has its numbers. */
static struct node node_of(const struct oci_device *d)
{
	bool fifo = is_fifo(d);
	mode_t mode = d->fileMode ? *d->fileMode & 07777 : 0666;

	return (struct node){
		.path = d->path,
		.major = d->major && !fifo ? (unsigned)*d->major : 0,
		.minor = d->minor && !fifo ? (unsigned)*d->minor : 0,
		.mode = (fifo ? S_IFIFO : S_IFCHR) | mode,
		.uid = d->uid ? *d->uid : 0,
		.gid = d->gid ? *d->gid : 0,
	};
}

int devices_make(int root_fd, const struct oci_linux *linux_, struct kata_err *err)
{
	const struct oci_device *d = linux_ ? linux_->devices.v : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		int r = make_reported(root_fd, &defaults[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; linux_ && i < linux_->devices.n; i++) {
		struct node n = node_of(&d[i]);
		int r = is_skipped(&d[i]) ? 0 : make_reported(root_fd, &n, err);

		if (r < 0)
			return r;
	}
	return 0;
}
