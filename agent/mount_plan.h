/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_plan: what has to be mounted into a container, as a list of operations
 * in the order they are done. Pure.
 */
#ifndef KATA_AGENT_MOUNT_PLAN_H
#define KATA_AGENT_MOUNT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/mount_opts.h"
#include "oci/spec.h"
#include "proto/shared.h"

enum mount_op_kind {
	MOUNT_OP_FS,	  /* a new filesystem: mount(fstype) with flags and data */
	MOUNT_OP_BIND,	  /* @source, a path of the agent's own tree, file or directory */
	MOUNT_OP_CGROUP,  /* the container's cgroup tree */
	MOUNT_OP_REMOUNT, /* flags and data of a mount that is there */
	MOUNT_OP_READONLY, /* the mount at @dest becomes read-only: for what had to be filled first */
};

/**
 * struct mount_op
 * @index: of mounts[], for messages
 * @flags: MS_* for mount(2); MOUNT_OP_BIND: MS_REC or nothing
 * @set, @clear: MOUNT_ATTR_* of this mount (MOUNT_OP_BIND, MOUNT_OP_CGROUP where it is a bind)
 * @opts:  propagation and recursive attributes, applied behind; copyup
 */
struct mount_op {
	enum mount_op_kind kind;
	size_t index;
	const char *source, *dest, *fstype, *data;
	unsigned long flags;
	uint64_t set, clear;
	struct mount_opts opts;
};

/**
 * struct mount_plan
 * @shared:  mounts of the host below root and binds, by their path here, parents first: they are met,
 *           and given attributes of their own, before anything is bound from there
 * @own_dev: no bind stands at /dev, so the default devices are made there
 */
struct mount_plan {
	struct mount_op *ops;
	size_t n;
	struct shared_mount *shared;
	size_t n_shared;
	bool own_dev;
};

/**
 * struct mount_facts
 * @share:  where the shared tree really is; sources of binds must be below PROTO_SHARE_DIR
 * @shared: struct shared_mount, as the host said
 */
struct mount_facts {
	const char *share;
	struct jt_objv shared;
};

/** mount_plan_make() - plan for spec->mounts; memory from @a. Errors name mounts[N]. */
int mount_plan_make(const struct oci_spec *spec, const struct mount_facts *f,
		    struct arena *a, struct mount_plan *ret,
		    struct kata_err *err) MUST_CHECK;

#endif
