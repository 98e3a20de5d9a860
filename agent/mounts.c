// SPDX-License-Identifier: Apache-2.0
/*
 * mounts: carries out a mount plan.
 *
 * Every destination is opened below the container's root (mount_dest.c) and mounted upon through its
 * descriptor, so no link in the image leads out. Each is opened anew: an earlier mount may stand on
 * the way, and then it counts.
 *
 * Mounts of the host below a source come first (mounts_meet): by the time it is bound they stand, with
 * attributes of their own, and what is asked of the bind is asked of its top only.
 *
 * Binds: open_tree + mount_setattr + move_mount (Linux 5.12), so that a mount is never seen
 * without its attributes. New filesystems: mount(2) upon /proc/self/fd/N, because
 * it takes the options as one string.
 *
 * Runs in the child, in its own mount namespace, before pivot_root: /proc is the agent's.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "copyup.h"
#include "mount_dest.h"

struct fd_path {
	char s[32];
};

static struct fd_path fd_path(int fd)
{
	struct fd_path p;

	snprintf(p.s, sizeof(p.s), "/proc/self/fd/%d", fd);
	return p;
}

static int set_attrs(int fd, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr a = { .attr_set = set, .attr_clr = clear };

	if (!set && !clear)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH | flags, &a, sizeof(a)) < 0 ? -errno
									       : 0;
}

int mounts_bind_fd(const struct mounts_bind *b)
{
	unsigned rec = b->recursive ? AT_RECURSIVE : 0;
	AUTO_CLOSE int tree = open_tree(b->source_fd, "",
					AT_EMPTY_PATH | OPEN_TREE_CLONE |
						OPEN_TREE_CLOEXEC | rec);
	int r;

	if (tree < 0)
		return -errno;
	r = set_attrs(tree, 0, b->set, b->clear);
	if (r < 0)
		return r;
	if (move_mount(tree, "", b->dest_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/*
 * Of a directory virtio-fs makes a mount; of a file, or where its server does not announce mounts, it
 * does not: then there is one upon itself, which a recursive bind takes along.
 */
static int meet(const struct shared_mount *m)
{
	AUTO_CLOSE int fd = open_tree(AT_FDCWD, m->path,
				      OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	struct statx st;

	if (fd < 0) /* unmounted on the host by now, or hidden by another */
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return -errno;
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return set_attrs(fd, 0, m->attrs, SHARED_ATTRS);
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = fd,
		.dest_fd = fd,
		.set = m->attrs,
		.clear = SHARED_ATTRS,
	});
}

int mounts_meet(const struct mount_plan *p, struct kata_err *err)
{
	for (size_t i = 0; i < p->n_shared; i++) {
		int r = meet(&p->shared[i]);

		if (r < 0)
			return err_sys_code(err, r, "mount of the host at %s",
					    p->shared[i].path);
	}
	return 0;
}

static int open_dest(const struct mount_op *op, const struct mounts_env *env,
		     int source_fd, struct kata_err *err)
{
	struct mount_dest d = { .op = op,
				.root_fd = env->root_fd,
				.source_fd = source_fd };

	return mount_dest_open(&d, err);
}

static int do_bind(const struct mount_op *op, const struct mounts_env *env,
		   struct kata_err *err)
{
	/* unlike O_PATH this makes virtio-fs mount what is a filesystem of its own on the host */
	AUTO_CLOSE int src = open_tree(AT_FDCWD, op->source,
				       OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	AUTO_CLOSE int dest = -1;

	if (src < 0)
		return -errno;
	dest = open_dest(op, env, src, err);
	if (dest < 0)
		return dest;
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = src,
		.dest_fd = dest,
		.recursive = (op->flags & MS_REC) != 0,
		.set = op->set,
		.clear = op->clear,
	});
}

static int mount_fs(const struct mount_op *op, int dest, const char *fstype,
		    const char *data, struct kata_err *err)
{
	if (mount(op->source, fd_path(dest).s, fstype, op->flags,
		  data[0] ? data : NULL) == 0)
		return 0;
	if (errno == ENODEV)
		return err_sys(err, "the guest's kernel has no file system \"%s\"",
			       fstype);
	return err_sys(err, "%s%s%s%s", fstype, data[0] ? " with options \"" : "", data,
		       data[0] ? "\"" : "");
}

/*
 * sysfs shows a network namespace and is its owner's to mount. In a user namespace that does not own
 * the VM's the guest's own is shown, as crun does with the host's.
 */
static int bind_sysfs(const struct mount_op *op, int dest)
{
	AUTO_CLOSE int sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (sys < 0)
		return -errno;
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = sys,
		.dest_fd = dest,
		.recursive = true,
		.set = set | (op->flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0),
	});
}

/* A tmpfs has the permissions of the directory that it covers, unless options say others (runc). */
static char *fs_data(const struct mount_op *op, const struct mount_dest *d)
{
	if (d->mode < 0 || !str_eq(op->fstype, "tmpfs"))
		return mem_strdup(op->data);
	return mem_printf("mode=%04o%s%s", (unsigned)d->mode, op->data[0] ? "," : "",
			  op->data);
}

static int do_fs(const struct mount_op *op, const struct mounts_env *env,
		 struct kata_err *err)
{
	struct mount_dest d = { .op = op, .root_fd = env->root_fd, .source_fd = -1 };
	AUTO_CLOSE int dest = mount_dest_open(&d, err);
	AUTO_CLOSE int under = -1, top = -1;
	AUTO_FREE char *data = NULL;
	int r;

	if (dest < 0)
		return dest;
	if (op->opts.copyup) {
		under = fs_open_in_root(env->root_fd, op->dest, O_RDONLY | O_DIRECTORY,
					0);
		if (under < 0)
			return under;
	}
	data = fs_data(op, &d);
	r = mount_fs(op, dest, op->fstype, data, err);
	if (r == -EPERM && str_eq(op->fstype, "sysfs")) {
		err_done(err);
		r = bind_sysfs(op, dest);
	}
	if (r < 0 || !op->opts.copyup)
		return r;
	top = fs_open_in_root(env->root_fd, op->dest, O_RDONLY | O_DIRECTORY, 0);
	r = top < 0 ? top : copyup_tree(under, top);
	return r < 0 ? err_sys_code(err, r, "tmpcopyup") : 0;
}

static int do_cgroup(const struct mount_op *op, const struct mounts_env *env,
		     struct kata_err *err)
{
	AUTO_CLOSE int dest = open_dest(op, env, -1, err);
	AUTO_CLOSE int group = -1;

	if (dest < 0)
		return dest;
	if (env->cgroup_ns)
		return mount_fs(op, dest, "cgroup2", "", err);
	if (!env->cgroup)
		return err_set(err, -ENODEV, "the guest has no cgroup2");
	group = open(env->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return -errno;
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = group,
		.dest_fd = dest,
		.set = op->set,
		.clear = op->clear,
	});
}

static int do_remount(const struct mount_op *op, const struct mounts_env *env,
		      struct kata_err *err)
{
	AUTO_CLOSE int dest = fs_open_in_root(env->root_fd, op->dest, O_PATH, 0);

	return dest < 0 ? dest : mount_fs(op, dest, op->fstype, op->data, err);
}

static int do_readonly(const struct mount_op *op, const struct mounts_env *env,
		       struct kata_err *err)
{
	AUTO_CLOSE int dest = fs_open_in_root(env->root_fd, op->dest, O_PATH, 0);

	(void)err;
	return dest < 0 ? dest : set_attrs(dest, 0, op->set, op->clear);
}

static int (*const actions[])(const struct mount_op *, const struct mounts_env *,
			      struct kata_err *) = {
	[MOUNT_OP_FS] = do_fs,
	[MOUNT_OP_BIND] = do_bind,
	[MOUNT_OP_CGROUP] = do_cgroup,
	[MOUNT_OP_REMOUNT] = do_remount,
	[MOUNT_OP_READONLY] = do_readonly,
};

/* What applies to a mount that stands already: recursive attributes, propagation. */
static int apply_behind(const struct mount_op *op, const struct mounts_env *env,
			struct kata_err *err)
{
	const struct mount_opts *o = &op->opts;
	AUTO_CLOSE int dest = -1;
	int r;

	if (!o->attr_set && !o->attr_clr && o->n_propagation == 0)
		return 0;
	dest = fs_open_in_root(env->root_fd, op->dest, O_PATH, 0);
	if (dest < 0)
		return dest;
	r = set_attrs(dest, AT_RECURSIVE, o->attr_set, o->attr_clr);
	if (r < 0)
		return err_sys_code(err, r, "recursive options");
	for (size_t i = 0; i < o->n_propagation; i++) {
		if (mount(NULL, fd_path(dest).s, NULL, o->propagation[i], NULL) < 0)
			return err_sys(err, "propagation options");
	}
	return 0;
}

/* Which of mounts[], in runc's words; engines show them to the user. */
static int op_failed(const struct mount_op *op, int r, struct kata_err *err)
{
	if (!err->code)
		err_set(err, r, "%s", err_text(-r));
	return err_ctx(err, "mounts[%zu]: error mounting \"%s\" to rootfs at \"%s\"",
		       op->index, op->source, op->dest);
}

static int apply_ops(const struct mount_plan *p, const struct mounts_env *env, bool late,
		     struct kata_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct mount_op *op = &p->ops[i];
		int r;

		if ((op->kind == MOUNT_OP_READONLY) != late)
			continue;
		r = actions[op->kind](op, env, err);
		if (r == 0)
			r = apply_behind(op, env, err);
		if (r < 0)
			return op_failed(op, r, err);
	}
	return 0;
}

int mounts_apply(const struct mount_plan *p, const struct mounts_env *env,
		 struct kata_err *err)
{
	return apply_ops(p, env, false, err);
}

int mounts_finish(const struct mount_plan *p, const struct mounts_env *env,
		  struct kata_err *err)
{
	return apply_ops(p, env, true, err);
}
