/* SPDX-License-Identifier: Apache-2.0 */
/* delegate: the container's own cgroup, given to who shall make groups below it. */
#ifndef KATA_AGENT_DELEGATE_H
#define KATA_AGENT_DELEGATE_H

#include "mount_plan.h"
#include "userns.h"

/**
 * delegate_owner() - the guest's id of who is to own the group: process.user.uid, when the container
 * has a cgroup namespace of its own and mounts it writable (runc's rule). Else 0. Pure.
 */
uid_t delegate_owner(const struct oci_spec *spec, const struct mount_plan *plan,
		     const struct userns *u);

/** delegate_group() - give @fd, and what the kernel says belongs to it, to @owner. */
int delegate_group(int fd, uid_t owner, struct kata_err *err) MUST_CHECK;

#endif
