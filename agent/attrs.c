// SPDX-License-Identifier: Apache-2.0
/*
 * attrs: small system calls, each with a plan of its arguments. The numbers of CPUs and memory nodes
 * are the guest's: what it has not is refused by the property's name, not left to the kernel,
 * which drops numbers that it does not know.
 */
#include "attrs.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* linux/ioprio.h is not there before Linux 5.15's headers */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13

/* linux/mempolicy.h: MPOL_WEIGHTED_INTERLEAVE came with Linux 6.9 */
#define MODE_WEIGHTED_INTERLEAVE 6

struct word {
	const char *name;
	int number;
};

static int number_of(const struct word *words, const char *name)
{
	while (words->name && !str_eq(words->name, name))
		words++;
	return words->number;
}

/* --- plans */

struct attrs_sched attrs_sched_plan(const struct oci_scheduler *s)
{
	struct attrs_sched a = {
		.size = sizeof(a),
		/* enum oci_sched_policy has the kernel's numbers */
		.policy = (uint32_t)s->policy,
		.nice = s->nice,
		.priority = (uint32_t)s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};

	for (size_t i = 0; i < s->flags.n; i++) {
		for (unsigned bit = 0; oci_sched_flags[bit]; bit++) {
			if (str_eq(s->flags.v[i], oci_sched_flags[bit]))
				a.flags |= (uint64_t)1 << bit;
		}
	}
	return a;
}

int attrs_ioprio_plan(const struct oci_ioprio *p)
{
	/* classes begin with "none" in the kernel */
	return (p->class + 1) << IOPRIO_CLASS_SHIFT | p->priority;
}

int attrs_mempolicy_plan(const struct oci_memory_policy *p)
{
	static const struct word modes[] = {
		{ "MPOL_DEFAULT", MPOL_DEFAULT },
		{ "MPOL_PREFERRED", MPOL_PREFERRED },
		{ "MPOL_BIND", MPOL_BIND },
		{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
		{ "MPOL_LOCAL", MPOL_LOCAL },
		{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
		{ "MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED_INTERLEAVE },
		{ NULL, MPOL_DEFAULT },
	};
	static const struct word flags[] = {
		{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
		{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
		{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
		{ NULL, 0 },
	};
	int mode = number_of(modes, p->mode);

	for (size_t i = 0; i < p->flags.n; i++)
		mode |= number_of(flags, p->flags.v[i]);
	return mode;
}

/* What there is, for a message: "0-1,4". */
static void list_text(const cpu_set_t *set, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < CPU_SETSIZE && len < size; i++) {
		size_t last = i;
		int n;

		if (!CPU_ISSET(i, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		n = snprintf(out + len, size - len, last > i ? "%s%zu-%zu" : "%s%zu",
			     len ? "," : "", i, last);
		len += n > 0 ? (size_t)n : 0;
		i = last;
	}
}

/* A number at *s, advancing it; its length is bounded by what str_to_u64() takes. */
static int list_number(const char **s, uint64_t *ret)
{
	size_t n = strspn(*s, "0123456789");
	char digits[16];

	if (n == 0 || n >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, *s, n);
	digits[n] = '\0';
	*s += n;
	return str_to_u64(digits, 0, UINT32_MAX, ret);
}

static int list_element(const char **s, const cpu_set_t *has, cpu_set_t *set,
			uint64_t *ret_missing)
{
	uint64_t first, last;

	if (list_number(s, &first) < 0)
		return -EINVAL;
	last = first;
	if (**s == '-') {
		++*s;
		if (list_number(s, &last) < 0)
			return -EINVAL;
	}
	for (uint64_t i = first; i <= last; i++) {
		*ret_missing = i;
		if (i >= CPU_SETSIZE || (has && !CPU_ISSET(i, has)))
			return -ENOENT;
		CPU_SET(i, set);
	}
	return 0;
}

int attrs_list(const char *list, const cpu_set_t *has, const char *what, const char *path,
	       cpu_set_t *ret, struct kata_err *err)
{
	char there[64];
	uint64_t missing = 0;
	int r = 0;

	CPU_ZERO(ret);
	for (list += strspn(list, ", "); *list && r == 0; list += strspn(list, ", "))
		r = list_element(&list, has, ret, &missing);
	if (r == -EINVAL)
		return err_set(err, r, "%s: bad list", path);
	if (r == 0)
		return 0;
	if (!has)
		return err_set(err, -EINVAL, "%s: %s %llu is too large a number", path,
			       what, (unsigned long long)missing);
	list_text(has, there, sizeof(there));
	return err_set(err, -EINVAL, "%s: %s %llu is not one of the VM's, which has %s",
		       path, what, (unsigned long long)missing, there);
}

/* --- affinity */

static const char *affinity_list(const struct oci_process *p, enum attrs_when when)
{
	const struct oci_cpu_affinity *aff = p->execCPUAffinity;
	const char *list = !aff			   ? NULL
			   : when == ATTRS_INITIAL ? aff->initial
						   : aff->final;

	return list && list[strspn(list, ", ")] ? list : NULL;
}

static int affinity_set(const struct oci_process *p, enum attrs_when when, cpu_set_t *ret,
			struct kata_err *err)
{
	cpu_set_t has;

	/* the agent's own: nobody has taken anything from it */
	if (sched_getaffinity(0, sizeof(has), &has) < 0)
		return err_sys(err, "sched_getaffinity");
	return attrs_list(affinity_list(p, when), &has, "CPU",
			  when == ATTRS_INITIAL ? "process.execCPUAffinity.initial"
						: "process.execCPUAffinity.final",
			  ret, err);
}

int attrs_affinity(const struct oci_process *p, enum attrs_when when,
		   struct kata_err *err)
{
	bool is_final = when == ATTRS_FINAL;
	cpu_set_t set;

	if (!affinity_list(p, when))
		return 0;
	/* checked before the fork; since then the initial one may be narrower */
	if (attrs_list(affinity_list(p, when), NULL, "CPU", "process.execCPUAffinity",
		       &set, err) < 0)
		return err->code;
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return err_sys(err,
			       "process.execCPUAffinity: error setting %s CPU affinity",
			       is_final ? "final" : "initial");
	return 0;
}

/* --- memory */

static int policy_nodes(const struct oci_memory_policy *p, cpu_set_t *ret,
			struct kata_err *err)
{
	/* relative ones are counted round and round: any number will do */
	bool relative = attrs_mempolicy_plan(p) & MPOL_F_RELATIVE_NODES;
	cpu_set_t has;

	CPU_ZERO(&has);
	if (syscall(SYS_get_mempolicy, NULL, &has, CPU_SETSIZE, NULL,
		    MPOL_F_MEMS_ALLOWED) < 0)
		return err_sys(err, "linux.memoryPolicy: memory nodes of the VM");
	return attrs_list(p->nodes ? p->nodes : "", relative ? NULL : &has, "node",
			  "linux.memoryPolicy.nodes", ret, err);
}

static int apply_policy(const struct oci_memory_policy *p, struct kata_err *err)
{
	cpu_set_t nodes;
	int r = policy_nodes(p, &nodes, err);

	if (r < 0)
		return r;
	/* the kernel takes one bit less than it is told */
	if (syscall(SYS_set_mempolicy, attrs_mempolicy_plan(p),
		    CPU_COUNT(&nodes) ? &nodes : NULL,
		    CPU_COUNT(&nodes) ? CPU_SETSIZE + 1 : 0) < 0)
		return err_sys(err, "linux.memoryPolicy: set_mempolicy to %s", p->mode);
	return 0;
}

/* --- all */

int attrs_check(const struct oci_process *p, const struct oci_linux *l,
		struct kata_err *err)
{
	cpu_set_t unused;
	int r = 0;

	for (int when = ATTRS_INITIAL; p && when <= ATTRS_FINAL && r == 0; when++) {
		if (affinity_list(p, (enum attrs_when)when))
			r = affinity_set(p, (enum attrs_when)when, &unused, err);
	}
	if (r == 0 && l && l->memoryPolicy)
		r = policy_nodes(l->memoryPolicy, &unused, err);
	return r;
}

int attrs_apply(const struct oci_process *p, const struct oci_linux *l,
		struct kata_err *err)
{
	if (p->scheduler) {
		struct attrs_sched a = attrs_sched_plan(p->scheduler);

		if (syscall(SYS_sched_setattr, 0, &a, 0) < 0)
			return err_sys(err, "process.scheduler: error setting scheduler");
	}
	if (p->ioPriority && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
				     attrs_ioprio_plan(p->ioPriority)) < 0)
		return err_sys(err, "process.ioPriority: failed to set io priority");
	if (l && l->personality &&
	    personality(str_eq(l->personality->domain, "LINUX32") ? PER_LINUX32
								  : PER_LINUX) < 0)
		return err_sys(err, "linux.personality: set %s", l->personality->domain);
	return l && l->memoryPolicy ? apply_policy(l->memoryPolicy, err) : 0;
}

static const struct oci_user *inherit_user(const struct oci_user *own,
					   const struct oci_user *of, struct arena *a)
{
	struct oci_user *u;

	if (!own || own->umask || !of || !of->umask)
		return own;
	u = arena_alloc(a, sizeof(*u));
	*u = *own;
	u->umask = of->umask;
	return u;
}

const struct oci_process *attrs_inherit(const struct oci_process *own,
					const struct oci_process *of, struct arena *a)
{
	struct oci_process *p;

	if (!of)
		return own;
	p = arena_alloc(a, sizeof(*p));
	*p = *own;
	p->user = inherit_user(own->user, of->user, a);
	if (!p->capabilities)
		p->capabilities = of->capabilities;
	if (!p->rlimits.n)
		p->rlimits = of->rlimits;
	if (!p->oomScoreAdj)
		p->oomScoreAdj = of->oomScoreAdj;
	if (!p->apparmorProfile || !*p->apparmorProfile)
		p->apparmorProfile = of->apparmorProfile;
	if (!p->selinuxLabel || !*p->selinuxLabel)
		p->selinuxLabel = of->selinuxLabel;
	if (!p->scheduler)
		p->scheduler = of->scheduler;
	if (!p->ioPriority)
		p->ioPriority = of->ioPriority;
	if (!p->execCPUAffinity)
		p->execCPUAffinity = of->execCPUAffinity;
	return p;
}
