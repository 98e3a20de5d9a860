/* SPDX-License-Identifier: Apache-2.0 */
/* plan: resources of a spec as values for files of the host's cgroup controllers. Pure. */
#ifndef KATA_CGROUP_PLAN_H
#define KATA_CGROUP_PLAN_H

#include "cgroup/cgroup.h"

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

/** struct cg_device - one exception to what the group does with devices. Numbers: -1 = any. */
struct cg_device {
	char type; /* b, c */
	int64_t major, minor;
	unsigned access; /* CG_DEV_* */
	bool ours; /* none of the spec's: what a group above forbids is not missed */
};
#define CG_DEV_M 1u /* as BPF_DEVCG_ACC_* */
#define CG_DEV_R 2u
#define CG_DEV_W 4u

/** struct cg_devices - what rules, one after the other, come to. */
struct cg_devices {
	bool allow; /* all but @v; else only @v */
	struct cg_device *v;
	size_t n;
};

/**
 * cg_devices_make() - the spec's rules in their order, then runtime's and the VM's own.
 * -EINVAL: a type or access that is none, or a rule that v1 would silently not apply: one that
 * takes a part out of an earlier, wider one (as runc).
 */
int cg_devices_make(const struct jt_objv *rules, const struct cgroup_extra *extra,
		    struct arena *a, struct cg_devices *ret,
		    struct kata_err *err) MUST_CHECK;
/** cg_devices_list() - from the text of a v1 group's devices.list. */
void cg_devices_list(const char *text, struct arena *a, struct cg_devices *ret);
/**
 * cg_plan_devices() - v1: the writes that lead from @from to @to, behind the plan's others. What
 * stays allowed is never forbidden on the way: the VM is running.
 */
void cg_plan_devices(const struct cg_devices *from, const struct cg_devices *to,
		     struct cg_plan *p);

struct bpf_insn;
/** cg_devices_program() - v2: a BPF_PROG_TYPE_CGROUP_DEVICE that decides likewise; in @a. */
size_t cg_devices_program(const struct cg_devices *d, struct arena *a,
			  struct bpf_insn **ret);

/* ---- bpf.c ---- */

/** cg_bpf_attach() - @program becomes the group's only filter of ours. */
int cg_bpf_attach(int dir, const struct bpf_insn *program, size_t n) MUST_CHECK;

#endif
