/* SPDX-License-Identifier: Apache-2.0 */
/* mounts: carries out a mount plan below a container's root. */
#ifndef KATA_AGENT_MOUNTS_H
#define KATA_AGENT_MOUNTS_H

#include "mount_plan.h"

/**
 * struct mounts_env - where the operations happen.
 * @root_fd:   the container's root, a mount of its own
 * @cgroup_ns: the caller is in a new cgroup namespace: a fresh cgroup2 shows its own group
 * @cgroup:    else this directory is bound (by path: only what is looked up in the caller's own
 *             mount namespace can be); NULL = the guest has no cgroup2
 */
struct mounts_env {
	int root_fd;
	const char *cgroup;
	bool cgroup_ns;
};

/** mounts_meet() - p->shared; before anything is bound, in a mount namespace that is private. */
int mounts_meet(const struct mount_plan *p, struct kata_err *err) MUST_CHECK;
/** mounts_apply() - all but the late part (MOUNT_OP_READONLY), in order. */
int mounts_apply(const struct mount_plan *p, const struct mounts_env *env,
		 struct kata_err *err) MUST_CHECK;
/** mounts_finish() - the late part. */
int mounts_finish(const struct mount_plan *p, const struct mounts_env *env,
		  struct kata_err *err) MUST_CHECK;

/** mounts_bind_fd() - a copy of what is at @source_fd (O_PATH), attributes set, placed upon @dest_fd.
 *  @recursive: with the mounts below it. Return: 0 or -errno. */
struct mounts_bind {
	int source_fd, dest_fd;
	bool recursive;
	uint64_t set, clear;
};
int mounts_bind_fd(const struct mounts_bind *b) MUST_CHECK;

#endif
