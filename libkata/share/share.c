/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: applies a share plan to the mount table of kata-sandbox's private namespace.
 *
 * Every source is opened once; its kind is judged and the bind is made through that
 * descriptor (open_tree, mount_setattr, move_mount: Linux 5.12), so nobody can put
 * another file under the name in between.
 *
 * The tree is visible to a guest that may be hostile. The tmpfs under the binds is
 * read-only when virtiofsd clones it, and only this process ever sees it
 * writable; all the same nothing here follows a symbolic link in it, and a
 * name that is there already is an error.
 *
 * Sources are looked up, and cloned, in the mount namespace of whoever created the
 * sandbox: what engines mount for the second container of a VM (its rootfs) they mount
 * after our copy of the mounts was made, and where the host's mounts are private, which
 * docker and podman see to for theirs, it never arrives in the copy.  The clones are
 * made slaves, or private where that is asked for, while nobody has them: else taking them
 * off would, by way of their peers, unmount on the host.
 *
 * Mounts are shared (MS_SHARED) so that binds reach the clone that virtiofsd made, and
 * the namespace as a whole is a slave of the host's, which the caller saw to:
 * an unmount on the host arrives here, so nothing of the host is kept busy.
 */
#include "share/share.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "share/idmap.h"

#define SHARE_NAME "share"
/** The tmpfs holds mount points only. */
#define SHARE_SIZE "1m"
#define SHARE_INODES "8192"

/* MNT_DETACH, UMOUNT_NOFOLLOW and MS_SHARED are in <sys/mount.h>, which older glibcs cannot
 * have beside <linux/mount.h>. */
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif
#ifndef MS_SHARED
#define MS_SHARED (1 << 20)
#endif
#ifndef MS_SLAVE
#define MS_SLAVE (1 << 19)
#endif
#ifndef MS_PRIVATE
#define MS_PRIVATE (1 << 18)
#endif

static int sys_open_tree(int fd, unsigned flags)
{
	return (int)syscall(SYS_open_tree, fd, "",
			    flags | AT_EMPTY_PATH | OPEN_TREE_CLOEXEC);
}

static int sys_mount_setattr(int fd, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, attr,
			    sizeof(*attr));
}

static int sys_move_mount(int from, int to)
{
	return (int)syscall(SYS_move_mount, from, "", to, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int sys_umount2(const char *path, int flags)
{
	return (int)syscall(SYS_umount2, path, flags);
}

/* --- the tree ---------------------------------------------------------------------------- */

static int set_tmpfs_options(int fs)
{
	static const struct {
		const char *key, *value;
	} options[] = {
		{ "source", "kata" },
		{ "mode", "0755" },
		{ "size", SHARE_SIZE },
		{ "nr_inodes", SHARE_INODES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i].key,
			    options[i].value, 0) < 0)
			return -errno;
	return syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno
										 : 0;
}

/* A tmpfs that is mounted nowhere yet. Return: its descriptor or -errno. */
static int new_tmpfs(void)
{
	AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int r;

	if (fs < 0)
		return -errno;
	r = set_tmpfs_options(fs);
	if (r < 0)
		return r;
	r = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	return r < 0 ? -errno : r;
}

static int set_readonly(int fd, bool readonly, unsigned flags)
{
	struct mount_attr attr = { 0 };

	if (readonly)
		attr.attr_set = MOUNT_ATTR_RDONLY;
	else
		attr.attr_clr = MOUNT_ATTR_RDONLY;
	return sys_mount_setattr(fd, flags, &attr) < 0 ? -errno : 0;
}

int share_open(int dirfd, struct kata_err *err)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY,
					 .propagation = MS_SHARED };
	AUTO_CLOSE int tree = -1;
	AUTO_CLOSE int dir = -1;

	if (mkdirat(dirfd, SHARE_NAME, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "mkdir " SHARE_NAME);
	dir = openat(dirfd, SHARE_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open " SHARE_NAME);
	tree = new_tmpfs();
	if (tree < 0)
		return err_sys_code(err, tree, "tmpfs of the shared tree");
	if (sys_move_mount(tree, dir) < 0)
		return err_sys(err, "mount the shared tree");
	if (sys_mount_setattr(tree, 0, &attr) < 0)
		return err_sys(err, "mount attributes of the shared tree");
	return TAKE_FD(tree);
}

/* --- one bind ---------------------------------------------------------------------------- */

static int open_source(const struct share_bind *b, struct stat *ret_st,
		       struct kata_err *err)
{
	AUTO_CLOSE int fd = open(b->source, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_sys(err, "%s: %s", b->what, b->source);
	if (b->must_be_dir && !S_ISDIR(ret_st->st_mode))
		return err_sys_code(err, -ENOTDIR, "%s: %s", b->what, b->source);
	return TAKE_FD(fd);
}

/* What virtio-fs cannot carry: the guest would find another object behind the name. */
static int check_kind(const struct share_bind *b, const struct stat *st,
		      struct kata_err *err)
{
	static const struct {
		mode_t type;
		const char *name;
	} kinds[] = {
		{ S_IFSOCK, "socket" },
		{ S_IFIFO, "named pipe" },
		{ S_IFCHR, "character device" },
		{ S_IFBLK, "block device" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((st->st_mode & S_IFMT) == kinds[i].type)
			return err_set(err, -ENOTSUP,
				       "%s: %s: a %s cannot cross into the VM", b->what,
				       b->source, kinds[i].name);
	return 0;
}

static int clone_source(int source, const struct share_bind *b, struct kata_err *err)
{
	const struct mount_attr tie = { .propagation = b->alone ? MS_PRIVATE : MS_SLAVE };
	unsigned below = b->recursive ? AT_RECURSIVE : 0;
	AUTO_CLOSE int tree = sys_open_tree(source, OPEN_TREE_CLONE | below);
	int r = tree < 0 || sys_mount_setattr(tree, below, &tie) < 0 ? -errno : 0;

	if (r == 0 && b->readonly)
		r = set_readonly(tree, true, b->readonly_below ? below : 0);
	if (r < 0)
		return err_sys_code(err, r, "%s: bind %s", b->what, b->source);
	if (b->map.uids.n && idmap_mount(tree, b, err) < 0)
		return err->code;
	return TAKE_FD(tree);
}

/* An empty mount point in the share. Return: O_PATH descriptor or -errno. */
static int make_target(int sharefd, const char *target, bool is_dir)
{
	int fd;

	if (is_dir) {
		if (mkdirat(sharefd, target, 0755) < 0)
			return -errno;
	} else {
		fd = openat(sharefd, target,
			    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	fd = openat(sharefd, target,
		    O_PATH | O_NOFOLLOW | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));
	return fd < 0 ? -errno : fd;
}

static int apply_bind(int sharefd, int tree, const struct stat *st,
		      const struct share_bind *b, struct kata_err *err)
{
	AUTO_CLOSE int target = make_target(sharefd, b->target, S_ISDIR(st->st_mode));

	if (target < 0)
		return err_sys_code(err, target, "%s: make %s in the shared tree",
				    b->what, b->target);
	if (sys_move_mount(tree, target) < 0)
		return err_sys(err, "%s: bind %s", b->what, b->source);
	return 0;
}

/* --- all of them ------------------------------------------------------------------------- */

/* What plan->binds[i].source is, and a clone of the mounts there that nobody has yet. */
struct source {
	int fd, tree;
	struct stat st;
};

struct sources {
	size_t n;
	struct source *v;
};

static void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		fd_drop(&s->v[i].fd);
		fd_drop(&s->v[i].tree);
	}
	free(s->v);
}

/* A mount that nobody has yet, as the clones are. */
static int new_overlay(const struct share_bind *b, struct kata_err *err)
{
	AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return err_sys(err, "%s: overlay on the host", b->what);
	for (size_t i = 0; i < b->overlay.n; i++) {
		const char *word = b->overlay.v[i], *value = strchr(word, '=');
		AUTO_FREE char *key = mem_strndup(word, strcspn(word, "="));
		unsigned how = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (syscall(SYS_fsconfig, fs, how, key, value ? value + 1 : NULL, 0) < 0)
			return err_sys(err, "%s: %s", b->what, word);
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "%s: mount an overlay on the host", b->what);
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0 || !b->readonly)
		return fd < 0 ? err_sys(err, "%s: overlay on the host", b->what) : fd;
	if (set_readonly(fd, true, 0) == 0)
		return fd;
	close(fd);
	return err_set(err, -EIO, "%s: make the overlay read-only", b->what);
}

static int open_and_clone(const struct share_bind *b, struct source *ret,
			  struct kata_err *err)
{
	*ret = (struct source){ .fd = -1, .tree = -1 };
	if (b->overlay.n) {
		ret->tree = new_overlay(b, err);
		if (ret->tree >= 0 && fstat(ret->tree, &ret->st) < 0)
			return err_sys(err, "%s", b->what);
		return ret->tree < 0 ? ret->tree : 0;
	}
	ret->fd = open_source(b, &ret->st, err);
	if (ret->fd < 0 || check_kind(b, &ret->st, err) < 0)
		return err->code;
	ret->tree = clone_source(ret->fd, b, err);
	return ret->tree < 0 ? ret->tree : 0;
}

static int open_sources(const struct share_plan *plan, struct sources *s,
			struct kata_err *err)
{
	s->v = mem_grow(NULL, plan->n, sizeof(*s->v));
	while (s->n < plan->n) {
		size_t i = s->n++;

		if (open_and_clone(&plan->binds[i], &s->v[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* The same in namespace @mounts. Not to come back leaves us where no mount can be made. */
static int open_sources_in(int mounts, const struct share_plan *plan, struct sources *s,
			   struct kata_err *err)
{
	AUTO_CLOSE int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (own < 0 || cwd < 0)
		return err_sys(err, "open the own mount namespace");
	if (setns(mounts, CLONE_NEWNS) < 0)
		return err_sys(err, "enter the creator's mount namespace");
	r = open_sources(plan, s, err);
	if (setns(own, CLONE_NEWNS) < 0 || fchdir(cwd) < 0)
		return err_sys(err, "leave the creator's mount namespace");
	return r;
}

static int make_points(const struct share_plan *plan, const struct sources *s,
		       struct kata_err *err)
{
	AUTO_CLOSE int root = -1;

	if (!plan->n_points)
		return 0;
	root = openat(s->v[0].fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "%s: %s", plan->binds[0].what, plan->binds[0].source);
	for (size_t i = 0; i < plan->n_points; i++) {
		const struct share_point *p = &plan->points[i];
		bool is_dir = p->like < 0 ? p->like == POINT_DIRECTORY
					  : S_ISDIR(s->v[p->like].st.st_mode);
		int fd = is_dir ? fs_mkdir_in_root(root, p->path, 0755)
				: fs_mkfile_in_root(root, p->path, 0644);

		if (fd < 0)
			return err_sys_code(err, fd, "make mount point %s in %s", p->path,
					    plan->binds[0].source);
		close(fd);
	}
	return 0;
}

/* "c1" of "c1/rootfs" */
static char *directory_of(const struct share_plan *plan)
{
	const char *target = plan->binds[0].target;

	return mem_strndup(target, strcspn(target, "/"));
}

static int apply_all(int sharefd, const struct share_plan *plan, const struct sources *s,
		     struct kata_err *err)
{
	AUTO_FREE char *dir = directory_of(plan);

	/* whatever our umask: root of a user namespace in the guest is nobody here, and comes through */
	if (mkdirat(sharefd, dir, 0755) < 0 || fchmodat(sharefd, dir, 0755, 0) < 0)
		return err_sys(err, "make %s in the shared tree", dir);
	for (size_t i = 0; i < plan->n; i++)
		if (apply_bind(sharefd, s->v[i].tree, &s->v[i].st, &plan->binds[i], err) <
		    0)
			return err->code;
	return 0;
}

/* Unmount whatever lies on an entry of @dirfd and remove the entry. */
static int remove_entry(int dirfd, const char *name)
{
	AUTO_FREE char *path = mem_printf("/proc/self/fd/%d/%s", dirfd, name);

	while (sys_umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		; /* mounts may be stacked; each call takes the top one off */
	if (errno != EINVAL && errno != ENOENT)
		return -errno;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int remove_entries(int dirfd)
{
	int r = 0, one;
	DIR *d = fdopendir(dirfd);
	struct dirent *e;

	if (!d) {
		r = -errno;
		close(dirfd);
		return r;
	}
	while ((e = readdir(d))) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		one = remove_entry(dirfd, e->d_name);
		r = r < 0 ? r : one;
	}
	closedir(d);
	return r;
}

static int remove_dir(int sharefd, const char *name)
{
	int fd = openat(sharefd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
	    r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = remove_entries(fd);
	if (unlinkat(sharefd, name, AT_REMOVEDIR) < 0 && r == 0)
		r = -errno;
	return r;
}

int share_apply(int sharefd, int mounts, const struct share_plan *plan,
		struct kata_err *err)
{
	AUTO_FREE char *dir = directory_of(plan);
	struct sources s = { 0 };
	int r, undo;

	r = mounts < 0 ? open_sources(plan, &s, err)
		       : open_sources_in(mounts, plan, &s, err);

	if (r == 0)
		r = make_points(plan, &s, err);
	if (r == 0 && set_readonly(sharefd, false, 0) < 0)
		r = err_sys(err, "open the shared tree for writing");
	if (r == 0) {
		r = apply_all(sharefd, plan, &s, err);
		undo = r < 0 && r != -EEXIST ? remove_dir(sharefd, dir) : 0;
		if (undo < 0)
			err_ctx(err, "(and %s stays behind: %s)", dir, err_text(-undo));
		if (set_readonly(sharefd, true, 0) < 0 && r == 0)
			r = err_sys(err, "close the shared tree for writing");
	}
	sources_done(&s);
	return r;
}

int share_remove(int sharefd, unsigned number)
{
	AUTO_FREE char *dir = mem_printf("c%u", number);
	int r = set_readonly(sharefd, false, 0), again;

	if (r < 0)
		return r;
	r = remove_dir(sharefd, dir);
	again = set_readonly(sharefd, true, 0);
	return r < 0 ? r : again;
}

/* --- descriptors that are passed --------------------------------------------------------- */

int share_clone(int fd, bool readonly)
{
	const struct mount_attr slave = { .propagation = MS_SLAVE };
	AUTO_CLOSE int tree = sys_open_tree(fd, OPEN_TREE_CLONE);
	int r = tree < 0 || sys_mount_setattr(tree, 0, &slave) < 0 ? -errno : 0;

	if (r == 0 && readonly)
		r = set_readonly(tree, true, 0);
	return r < 0 ? r : TAKE_FD(tree);
}

static int add_tree(int sharefd, const struct share_tree *t)
{
	AUTO_CLOSE int target = make_target(sharefd, t->target, t->directory);

	if (target < 0)
		return target;
	return sys_move_mount(t->tree, target) < 0 ? -errno : 0;
}

int share_add(int sharefd, const struct share_tree *v, size_t n, struct kata_err *err)
{
	int r = n ? set_readonly(sharefd, false, 0) : 0;

	if (r < 0)
		return err_sys_code(err, r, "open the shared tree for writing");
	for (size_t i = 0; i < n && r == 0; i++) {
		r = add_tree(sharefd, &v[i]);
		if (r < 0)
			err_sys_code(err, r, "put %s into the shared tree", v[i].target);
	}
	if (n && set_readonly(sharefd, true, 0) < 0 && r == 0)
		r = err_sys(err, "close the shared tree for writing");
	return r;
}

int share_drop(int sharefd, const char *target)
{
	int r = set_readonly(sharefd, false, 0), again;

	if (r < 0)
		return r;
	r = remove_entry(sharefd, target);
	again = set_readonly(sharefd, true, 0);
	return r < 0 ? r : again;
}
