// SPDX-License-Identifier: Apache-2.0
/*
 * mount_plan: mounts[] of the spec to operations. Touches nothing.
 *
 * Rules, each from runc where the spec is silent: a tmpfs that shall be read-only is so only at
 * the end, because mount points and devices are still made in it; /dev that is a bind keeps its
 * content; a cgroup (v1) mount gives the guest's cgroup2 tree, for the guest has no other; a bind
 * for which options ask nothing keeps the attributes of its source, any other has those it asks for
 * and no more.
 */
#include "mount_plan.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fs.h"
#include "base/str.h"
#include "proto/msg.h"

/* Flags of mount(2) that belong to the mount and not to the filesystem. */
static const struct {
	unsigned long flag;
	uint64_t attr;
} attrs[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	{ MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
};

/* The atime bits are one value of three: it is replaced, never or'ed. */
static const struct {
	unsigned long flag;
	uint64_t attr;
} atimes[] = {
	{ MS_NOATIME, MOUNT_ATTR_NOATIME },
	{ MS_STRICTATIME, MOUNT_ATTR_STRICTATIME },
	{ MS_RELATIME, MOUNT_ATTR_RELATIME },
};

static bool asks_atime(const struct mount_opts *o)
{
	return (o->flags & (MS_NOATIME | MS_STRICTATIME | MS_RELATIME)) ||
	       (o->cleared & MS_NOATIME);
}

/* MOUNT_ATTR_* that a mount is to have, all others none. @had: those of the bind's source. */
static uint64_t plan_attrs(const struct mount_opts *o, uint64_t had)
{
	unsigned long any = (o->flags | o->cleared) &
			    ~(unsigned long)(MS_BIND | MS_REC | MS_REMOUNT);
	uint64_t set = had & MOUNT_ATTR__ATIME;

	if (!any)
		return had;
	if (asks_atime(o))
		set = 0; /* relatime, as a word or because it is the default */
	for (size_t i = 0; i < ARRAY_SIZE(atimes) && !set; i++)
		if (o->flags & atimes[i].flag)
			set |= atimes[i].attr;
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (o->flags & attrs[i].flag)
			set |= attrs[i].attr;
	return set;
}

/* What the host says of the mount at the bind's source. */
static uint64_t source_attrs(const struct jt_objv *shared, const char *source)
{
	const struct shared_mount *m = shared->v;

	for (size_t i = 0; i < shared->n; i++)
		if (str_eq(m[i].path, source))
			return m[i].attrs & SHARED_ATTRS;
	return 0;
}

/* What the agent's tree has that a container may: the kernel's own. */
static int plan_own(const struct oci_mount *m, struct arena *a, struct mount_op *op,
		    struct kata_err *err)
{
	static const char *const dirs[] = { "/dev", "/proc", "/sys" };
	AUTO_FREE char *clean = fs_abspath("/", m->source + strlen(SHARED_GUEST));
	bool asks = plan_attrs(&op->opts, SHARED_ATTRS) != SHARED_ATTRS;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (!fs_is_below(clean, dirs[i]))
			continue;
		op->source = arena_strdup(a, clean);
		/* else those of the mount there, which are not known here */
		op->set = asks ? plan_attrs(&op->opts, 0) : 0;
		op->clear = asks ? SHARED_ATTRS : 0;
		return 0;
	}
	return err_set(err, -EINVAL, "mounts[%zu].source: %s is not the guest's",
		       op->index, clean);
}

/* Where a source of the shared tree is: its place may differ from the one in the messages. */
static int plan_bind(const struct oci_mount *m, const struct mount_facts *f,
		     struct arena *a, struct mount_op *op, struct kata_err *err)
{
	size_t n = strlen(PROTO_SHARE_DIR);
	AUTO_FREE char *clean = m->source ? fs_abspath("/", m->source) : NULL;

	op->kind = MOUNT_OP_BIND;
	op->flags &= MS_REC;
	op->data = "";
	if (m->source && str_has_prefix(m->source, SHARED_GUEST))
		return plan_own(m, a, op, err);
	if (!clean || !fs_is_below(clean, PROTO_SHARE_DIR) || clean[n] != '/')
		return err_set(err, -EINVAL,
			       "mounts[%zu].source: %s is not in the shared tree",
			       op->index, m->source ? m->source : "(none)");
	op->source = arena_printf(a, "%s%s", f->share, clean + n);
	op->set = plan_attrs(&op->opts, source_attrs(&f->shared, clean + n + 1));
	op->clear = SHARED_ATTRS;
	return 0;
}

static bool is_bind(const struct oci_mount *m, const struct mount_opts *o)
{
	return (o->flags & MS_BIND) || str_eq(m->type, "bind");
}

/* Where the group is bound, those that every kernel's own file system has are a floor. */
static void plan_cgroup(struct mount_op *op)
{
	op->kind = MOUNT_OP_CGROUP;
	op->data = "";
	op->set = plan_attrs(&op->opts, 0) | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		  MOUNT_ATTR_NOEXEC;
	op->clear = SHARED_ATTRS;
}

/* The container's root stands open already: what is mounted upon it would lie beside it. */
static int check_dest(const struct mount_op *op, struct kata_err *err)
{
	AUTO_FREE char *clean = fs_abspath("/", op->dest);

	if (str_eq(clean, "/") && !(op->flags & MS_REMOUNT))
		return err_set(err, -EINVAL,
			       "mounts[%zu].destination: \"%s\" is the root itself",
			       op->index, op->dest);
	return 0;
}

static int plan_one(const struct oci_mount *m, const struct mount_facts *f,
		    struct arena *a, struct mount_op *op, struct kata_err *err)
{
	int r = mount_opts_parse(&m->options, a, &op->opts, err);

	if (r < 0)
		return err_ctx(err, "mounts[%zu].options", op->index);
	op->dest = m->destination;
	op->flags = op->opts.flags;
	op->data = op->opts.data;
	op->fstype = m->type ? m->type : "";
	op->source = m->source ? m->source : op->fstype;
	r = check_dest(op, err);
	if (r < 0)
		return r;
	if (op->flags & MS_REMOUNT)
		op->kind = MOUNT_OP_REMOUNT;
	else if (is_bind(m, &op->opts))
		return plan_bind(m, f, a, op, err);
	else if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"))
		plan_cgroup(op);
	else if (!op->fstype[0])
		return err_set(err, -EINVAL, "mounts[%zu].type: missing", op->index);
	else
		op->kind = MOUNT_OP_FS;
	return 0;
}

/* A tmpfs that is to be read-only is filled first. Return: was this one? */
static bool plan_late(struct mount_op *op, struct mount_op *late)
{
	if (op->kind != MOUNT_OP_FS || !str_eq(op->fstype, "tmpfs") ||
	    !(op->flags & MS_RDONLY))
		return false;
	op->flags &= ~(unsigned long)MS_RDONLY;
	*late = (struct mount_op){
		.kind = MOUNT_OP_READONLY,
		.index = op->index,
		.dest = op->dest,
		.source = op->source,
		.fstype = op->fstype,
		.data = "",
		.set = MOUNT_ATTR_RDONLY,
	};
	return true;
}

/*
 * The root, and mounts of the host below it and below binds; a bind's own source is in its operation.
 * The root becomes read-only at the end, like a tmpfs.
 */
static int plan_shared(const struct mount_facts *f, struct arena *a, struct mount_plan *p,
		       struct kata_err *err)
{
	const struct shared_mount *m = f->shared.v;

	p->shared = arena_array(a, f->shared.n + 1, sizeof(*p->shared));
	for (size_t i = 0; i < f->shared.n; i++) {
		AUTO_FREE char *clean = fs_abspath("/", m[i].path);
		const char *entry = strchr(m[i].path, '/');

		if (!str_eq(clean + 1, m[i].path) || !entry)
			return err_set(err, -EINVAL, "shared: bad path \"%s\"",
				       m[i].path);
		if (!strchr(entry + 1, '/') && !str_eq(entry, "/rootfs"))
			continue;
		p->shared[p->n_shared] = (struct shared_mount){
			.path = arena_printf(a, "%s/%s", f->share, m[i].path),
			.attrs = m[i].attrs & SHARED_ATTRS,
		};
		if (str_eq(entry, "/rootfs"))
			p->shared[p->n_shared].attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		p->n_shared++;
	}
	return 0;
}

int mount_plan_make(const struct oci_spec *spec, const struct mount_facts *f,
		    struct arena *a, struct mount_plan *ret, struct kata_err *err)
{
	const struct oci_mount *m = spec->mounts.v;
	size_t n = spec->mounts.n, late = n;
	struct mount_plan p = { .n = n, .own_dev = true };
	int r = plan_shared(f, a, &p, err);

	/* behind the mounts, room for one MOUNT_OP_READONLY each */
	p.ops = arena_array(a, 2 * n + 1, sizeof(*p.ops));
	for (size_t i = 0; i < n && r == 0; i++) {
		struct mount_op *op = &p.ops[i];

		op->index = i;
		r = plan_one(&m[i], f, a, op, err);
		if (r == 0 && op->kind == MOUNT_OP_BIND) {
			AUTO_FREE char *dest = fs_abspath("/", op->dest);

			if (str_eq(dest, "/dev"))
				p.own_dev = false;
		}
		if (r == 0 && plan_late(op, &p.ops[late]))
			late++;
	}
	if (r < 0)
		return r;
	p.n = late;
	*ret = p;
	return 0;
}
