// SPDX-License-Identifier: Apache-2.0
/*
 * mount_plan: mounts[] of the spec to operations. Touches nothing.
 *
 * Rules, each from runc where the spec is silent: a tmpfs that shall be read-only is so only at
 * the end, because mount points and devices are still made in it; /dev that is a bind keeps its
 * content; a cgroup (v1) mount gives the guest's cgroup2 tree, for the guest has no other.
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

static void plan_attrs(const struct mount_opts *o, struct mount_op *op)
{
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (o->flags & attrs[i].flag)
			op->set |= attrs[i].attr;
		if (o->cleared & attrs[i].flag)
			op->clear |= attrs[i].attr;
	}
	for (size_t i = 0; i < ARRAY_SIZE(atimes); i++) {
		if (!(o->flags & atimes[i].flag))
			continue;
		op->clear |= MOUNT_ATTR__ATIME;
		op->set |= atimes[i].attr;
		return;
	}
	if (o->cleared & MS_NOATIME)
		op->clear |= MOUNT_ATTR__ATIME;
}

/* Where a source of the shared tree is: its place may differ from the one in the messages. */
static int plan_bind(const struct oci_mount *m, const char *share, struct arena *a,
		     struct mount_op *op, struct kata_err *err)
{
	size_t n = strlen(PROTO_SHARE_DIR);
	AUTO_FREE char *clean = m->source ? fs_abspath("/", m->source) : NULL;

	if (!clean || !fs_is_below(clean, PROTO_SHARE_DIR) || clean[n] != '/')
		return err_set(err, -EINVAL,
			       "mounts[%zu].source: %s is not in the shared tree",
			       op->index, m->source ? m->source : "(none)");
	op->kind = MOUNT_OP_BIND;
	op->source = arena_printf(a, "%s%s", share, clean + n);
	op->flags &= MS_REC;
	op->data = "";
	plan_attrs(&op->opts, op);
	return 0;
}

static bool is_bind(const struct oci_mount *m, const struct mount_opts *o)
{
	return (o->flags & MS_BIND) || str_eq(m->type, "bind") ||
	       str_eq(m->type, "rbind");
}

static int plan_one(const struct oci_mount *m, const char *share, struct arena *a,
		    struct mount_op *op, struct kata_err *err)
{
	int r = mount_opts_parse(&m->options, a, &op->opts, err);

	if (r < 0)
		return err_ctx(err, "mounts[%zu]", op->index);
	op->dest = m->destination;
	op->flags = op->opts.flags;
	op->data = op->opts.data;
	op->fstype = m->type ? m->type : "";
	op->source = m->source ? m->source : op->fstype;
	if (str_eq(m->type, "rbind"))
		op->flags |= MS_REC;
	if (op->flags & MS_REMOUNT)
		op->kind = MOUNT_OP_REMOUNT;
	else if (is_bind(m, &op->opts))
		return plan_bind(m, share, a, op, err);
	else if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"))
		op->kind = MOUNT_OP_CGROUP;
	else if (!op->fstype[0])
		return err_set(err, -EINVAL, "mounts[%zu].type: missing", op->index);
	else
		op->kind = MOUNT_OP_FS;
	return 0;
}

int mount_plan_make(const struct oci_spec *spec, const char *share, struct arena *a,
		    struct mount_plan *ret, struct kata_err *err)
{
	const struct oci_mount *m = spec->mounts.v;
	size_t n = spec->mounts.n, late = n;
	struct mount_plan p = { .n = n, .own_dev = true };

	/* behind the mounts, room for one MOUNT_OP_READONLY each */
	p.ops = arena_array(a, 2 * n + 1, sizeof(*p.ops));
	for (size_t i = 0; i < n; i++) {
		struct mount_op *op = &p.ops[i];
		int r;

		op->index = i;
		r = plan_one(&m[i], share, a, op, err);
		if (r < 0)
			return r;
		if (op->kind == MOUNT_OP_BIND) {
			AUTO_FREE char *dest = fs_abspath("/", op->dest);

			if (str_eq(dest, "/dev"))
				p.own_dev = false;
		}
		if (op->kind == MOUNT_OP_FS && str_eq(op->fstype, "tmpfs") &&
		    (op->flags & MS_RDONLY)) {
			op->flags &= ~(unsigned long)MS_RDONLY;
			p.ops[late] = (struct mount_op){
				.kind = MOUNT_OP_READONLY,
				.index = i,
				.dest = op->dest,
				.source = op->source,
				.fstype = op->fstype,
				.data = "",
				.set = MOUNT_ATTR_RDONLY,
			};
			late++;
		}
	}
	p.n = late;
	*ret = p;
	return 0;
}
