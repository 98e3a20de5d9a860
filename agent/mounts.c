// SPDX-License-Identifier: Apache-2.0
/*
 * mounts: carries out a mount plan.
 *
 * Every destination is opened below the container's root by the kernel (RESOLVE_IN_ROOT), made
 * there if missing, and mounted upon through its descriptor, so no link in the image leads
 * out. Each is opened anew: an earlier mount may stand on the way, and then it counts.
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
#include "copyup.h"

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

/* Open the destination, made if missing: a directory, or a file for the bind of a file. */
static int open_dest(const struct mounts_env *env, const char *dest, bool is_file)
{
	if (is_file)
		return fs_mkfile_in_root(env->root_fd, dest, 0755);
	return fs_mkdir_in_root(env->root_fd, dest, 0755);
}

static int do_bind(const struct mount_op *op, const struct mounts_env *env)
{
	/* unlike O_PATH this makes virtio-fs mount what is a filesystem of its own on the host */
	AUTO_CLOSE int src = open_tree(AT_FDCWD, op->source,
				       OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	AUTO_CLOSE int dest = -1;
	struct stat st;

	if (src < 0 || fstat(src, &st) < 0)
		return -errno;
	dest = open_dest(env, op->dest, !S_ISDIR(st.st_mode));
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
		    const char *data)
{
	if (mount(op->source, fd_path(dest).s, fstype, op->flags, data[0] ? data : NULL) <
	    0)
		return -errno;
	return 0;
}

static int do_fs(const struct mount_op *op, const struct mounts_env *env)
{
	AUTO_CLOSE int dest = open_dest(env, op->dest, false);
	AUTO_CLOSE int under = -1, top = -1;
	int r;

	if (dest < 0)
		return dest;
	if (op->opts.copyup) {
		under = fs_open_in_root(env->root_fd, op->dest, O_RDONLY | O_DIRECTORY,
					0);
		if (under < 0)
			return under;
	}
	r = mount_fs(op, dest, op->fstype, op->data);
	if (r < 0 || !op->opts.copyup)
		return r;
	top = fs_open_in_root(env->root_fd, op->dest, O_RDONLY | O_DIRECTORY, 0);
	return top < 0 ? top : copyup_tree(under, top);
}

static int do_cgroup(const struct mount_op *op, const struct mounts_env *env)
{
	AUTO_CLOSE int dest = open_dest(env, op->dest, false);
	uint64_t readonly = op->flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0;
	AUTO_CLOSE int group = -1;

	if (dest < 0)
		return dest;
	if (env->cgroup_ns)
		return mount_fs(op, dest, "cgroup2", "");
	if (!env->cgroup)
		return -ENODEV;
	group = open(env->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return -errno;
	return mounts_bind_fd(&(struct mounts_bind){
		.source_fd = group,
		.dest_fd = dest,
		.set = readonly | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		       MOUNT_ATTR_NOEXEC,
	});
}

static int do_remount(const struct mount_op *op, const struct mounts_env *env)
{
	AUTO_CLOSE int dest = fs_open_in_root(env->root_fd, op->dest, O_PATH, 0);

	return dest < 0 ? dest : mount_fs(op, dest, op->fstype, op->data);
}

static int do_readonly(const struct mount_op *op, const struct mounts_env *env)
{
	AUTO_CLOSE int dest = fs_open_in_root(env->root_fd, op->dest, O_PATH, 0);

	return dest < 0 ? dest : set_attrs(dest, 0, op->set, op->clear);
}

static int (*const actions[])(const struct mount_op *, const struct mounts_env *) = {
	[MOUNT_OP_FS] = do_fs,
	[MOUNT_OP_BIND] = do_bind,
	[MOUNT_OP_CGROUP] = do_cgroup,
	[MOUNT_OP_REMOUNT] = do_remount,
	[MOUNT_OP_READONLY] = do_readonly,
};

/* What applies to a mount that stands already: recursive attributes, propagation. */
static int apply_behind(const struct mount_op *op, const struct mounts_env *env)
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
	for (size_t i = 0; r == 0 && i < o->n_propagation; i++) {
		if (mount(NULL, fd_path(dest).s, NULL, o->propagation[i], NULL) < 0)
			r = -errno;
	}
	return r;
}

static int apply_ops(const struct mount_plan *p, const struct mounts_env *env, bool late,
		     struct kata_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct mount_op *op = &p->ops[i];
		int r;

		if ((op->kind == MOUNT_OP_READONLY) != late)
			continue;
		r = actions[op->kind](op, env);
		if (r == 0)
			r = apply_behind(op, env);
		if (r < 0)
			return err_sys_code(err, r,
					    "error mounting \"%s\" to rootfs at \"%s\"",
					    op->source, op->dest);
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
