/* SPDX-License-Identifier: Apache-2.0 */
/* plan: resources of a spec as values for files of the host's cgroup controllers. Pure. */
#ifndef KATA_CGROUP_PLAN_H
#define KATA_CGROUP_PLAN_H

#include "cgroup/cgroup.h"

/** struct cg_write - one value for one file; @path: the property it comes from, for messages. */
struct cg_write {
	const char *controller, *file, *value, *path;
};

struct cg_plan {
	struct cg_write *v;
	size_t n;
	bool unified; /* for v2 */
	struct arena *a;
};

/**
 * cg_plan_make() - what @res asks for at @when, in the order it is to be written.
 * @ret: unified and the arena are set by the caller. -ENOTSUP: this version has no such control.
 */
int cg_plan_make(const struct oci_resources *res, const struct cgroup_extra *extra,
		 enum cgroup_when when, struct cg_plan *ret,
		 struct kata_err *err) MUST_CHECK;

/** cg_plan_devices() - v1's lines for devices.allow and devices.deny, behind the plan's others. */
void cg_plan_devices(const struct oci_resources *res, const struct cgroup_extra *extra,
		     struct cg_plan *p);

#endif
