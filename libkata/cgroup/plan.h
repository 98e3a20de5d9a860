/* SPDX-License-Identifier: Apache-2.0 */
/* plan: resources of a spec as values for files of the host's cgroup controllers. Pure. */
#ifndef KATA_CGROUP_PLAN_H
#define KATA_CGROUP_PLAN_H

#include "cgroup/cgroup.h"
#include "oci/device_rules.h"

/* what may happen to a write without harm */
#define CG_IF_THERE 1u /* no such file: nothing is lost */
#define CG_OR_NEXT                                                                       \
	2u /* no such file: the next write is instead of it; else that one is left out */
#define CG_RETRY 4u  /* EINVAL: once more behind the others, whose values it has to fit */
#define CG_IF_LET 8u /* EPERM: a group above does not have it either */

/** struct cg_write - one value for one file; @path: the property it comes from, for messages. */
struct cg_write {
	const char *controller, *file, *value, *path;
	unsigned flags;
};

/** struct cg_facts - what is in the group's files now, as far as a plan depends on it; NULL = unknown. */
struct cg_facts {
	const char *cpu_max;	    /* v2: "quota period" */
	const char *memory_current; /* v2 */
};

struct cg_plan {
	struct cg_write *v;
	size_t n;
	bool unified; /* for v2 */
	struct cg_facts now;
	struct arena *a;
};

/**
 * cg_plan_make() - what @res asks for at @when, in the order it is to be written.
 * @ret: unified, now and the arena are set by the caller. -ENOTSUP: this version has no such control.
 */
int cg_plan_make(const struct oci_resources *res, const struct cgroup_extra *extra,
		 enum cgroup_when when, struct cg_plan *ret,
		 struct kata_err *err) MUST_CHECK;

/* ---- devices.c ---- */

/**
 * cg_devices_make() - the spec's rules in their order, then runtime's and the VM's own.
 * -EINVAL: a type or access that is none, or a rule that v1 would silently not apply: one that
 * takes a part out of an earlier, wider one (as runc).
 */
int cg_devices_make(const struct jt_objv *rules, const struct cgroup_extra *extra,
		    struct arena *a, struct device_rules *ret,
		    struct kata_err *err) MUST_CHECK;
/** cg_devices_list() - from the text of a v1 group's devices.list. */
void cg_devices_list(const char *text, struct arena *a, struct device_rules *ret);
/**
 * cg_plan_devices() - v1: the writes that lead from @from to @to, behind the plan's others. What
 * stays allowed is never forbidden on the way: the VM is running.
 */
void cg_plan_devices(const struct device_rules *from, const struct device_rules *to,
		     struct cg_plan *p);

#endif
