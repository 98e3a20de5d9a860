/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attrs: what a process is to the scheduler, the disks, memory and uname: process.scheduler,
 * ioPriority, execCPUAffinity, linux.personality, linux.memoryPolicy. All survive exec.
 */
#ifndef KATA_AGENT_ATTRS_H
#define KATA_AGENT_ATTRS_H

#include <sched.h>

#include "base/mem.h"
#include "oci/spec.h"

/** struct attrs_sched - struct sched_attr of the kernel (5.3 and later; glibc has none). */
struct attrs_sched {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

/** attrs_sched_plan() - what sched_setattr(2) gets. Pure. */
struct attrs_sched attrs_sched_plan(const struct oci_scheduler *s);
/** attrs_ioprio_plan() - what ioprio_set(2) gets. Pure. */
int attrs_ioprio_plan(const struct oci_ioprio *p);
/** attrs_mempolicy_plan() - mode and flags for set_mempolicy(2). Pure. */
int attrs_mempolicy_plan(const struct oci_memory_policy *p);

/**
 * attrs_list() - a list such as "0-3,7" (spec_need_list() has seen it) as a set.
 * @has:  what there is; @what: "CPU", "node"
 * -EINVAL with @path: one of the list is not in @has. Pure.
 */
int attrs_list(const char *list, const cpu_set_t *has, const char *what, const char *path,
	       cpu_set_t *ret, struct kata_err *err) MUST_CHECK;

/** attrs_check() - what a process asks for and this guest has not; @l may be NULL. Before the fork. */
int attrs_check(const struct oci_process *p, const struct oci_linux *l,
		struct kata_err *err) MUST_CHECK;

/** attrs_apply() - to the calling process, which may still do anything. @l may be NULL. */
int attrs_apply(const struct oci_process *p, const struct oci_linux *l,
		struct kata_err *err) MUST_CHECK;

enum attrs_when { ATTRS_INITIAL, ATTRS_FINAL };
/**
 * attrs_affinity() - of an exec: initial while it is not the container's yet, final when it is, as
 * runc has it; a process without either may run everywhere, as it is born here.
 */
int attrs_affinity(const struct oci_process *p, enum attrs_when when,
		   struct kata_err *err) MUST_CHECK;

/**
 * attrs_inherit() - a further process with what it leaves out of the container's own: capabilities, limits, OOM score,
 * umask, labels, scheduler, I/O priority, affinity (runc's newInitConfig). Not
 * noNewPrivileges: that is the document's own, as runc has it. Pure.
 * @of: NULL = the container has none
 */
const struct oci_process *attrs_inherit(const struct oci_process *own,
					const struct oci_process *of, struct arena *a);

#endif
