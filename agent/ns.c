// SPDX-License-Identifier: Apache-2.0
/*
 * ns: the namespaces of linux.namespaces[] as one table. CLONE_NEWCGROUP and CLONE_NEWTIME are in
 * the flags too; who forks leaves them to the child.
 */
#include "ns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define JOIN_PREFIX "/container:"

enum ns_rule { NS_NEW, NS_OF_VM };

static const struct {
	enum ns_rule rule;
	unsigned long flag;
} ns_rules[OCI_NS_TYPES] = {
	[OCI_NS_MOUNT] = { NS_NEW, CLONE_NEWNS },
	[OCI_NS_PID] = { NS_NEW, CLONE_NEWPID },
	[OCI_NS_UTS] = { NS_NEW, CLONE_NEWUTS },
	[OCI_NS_IPC] = { NS_NEW, CLONE_NEWIPC },
	[OCI_NS_CGROUP] = { NS_NEW, CLONE_NEWCGROUP },
	[OCI_NS_NETWORK] = { NS_OF_VM, 0 },
	[OCI_NS_USER] = { NS_NEW, CLONE_NEWUSER },
	[OCI_NS_TIME] = { NS_NEW, CLONE_NEWTIME },
};

static const struct {
	const char *name; /* below /proc/PID/ns */
	enum oci_ns_type type;
} ns_joinable[NS_JOINS] = {
	[NS_JOIN_PID] = { "pid", OCI_NS_PID },
	[NS_JOIN_IPC] = { "ipc", OCI_NS_IPC },
	[NS_JOIN_UTS] = { "uts", OCI_NS_UTS },
	[NS_JOIN_USER] = { "user", OCI_NS_USER },
};

unsigned long ns_flag(enum ns_join join)
{
	return ns_rules[ns_joinable[join].type].flag;
}

/* "/container:N" of a namespace that can be joined. */
static int plan_join(const struct oci_namespace *ns, struct ns_plan *p)
{
	for (int i = 0; i < NS_JOINS; i++) {
		uint64_t n;

		if ((int)ns_joinable[i].type != ns->type ||
		    !str_has_prefix(ns->path, JOIN_PREFIX) ||
		    str_to_u64(ns->path + strlen(JOIN_PREFIX), 0, UINT32_MAX, &n) < 0)
			continue;
		p->joins[i].wanted = true;
		p->joins[i].container = (uint32_t)n;
		return 0;
	}
	return -ENOTSUP;
}

static int plan_one(const struct oci_namespace *ns, size_t i, struct ns_plan *p,
		    struct kata_err *err)
{
	bool known = ns->type >= 0 && ns->type < OCI_NS_TYPES;

	if (!known)
		return err_set(err, -ENOTSUP,
			       "linux.namespaces[%zu]: the guest knows no such namespace",
			       i);
	if (ns_rules[ns->type].rule != NS_NEW)
		return 0;
	if (!ns->path || !ns->path[0]) {
		p->new_flags |= ns_rules[ns->type].flag;
		return 0;
	}
	if (plan_join(ns, p) < 0)
		return err_set(err, -ENOTSUP,
			       "linux.namespaces[%zu].path: %s is not known to the guest",
			       i, ns->path);
	return 0;
}

int ns_plan_make(const struct oci_spec *spec, struct ns_plan *ret, struct kata_err *err)
{
	struct ns_plan p = { .new_flags = CLONE_NEWNS };
	const struct oci_linux *l = spec->linux_;

	for (size_t i = 0; l && i < l->namespaces.n; i++) {
		int r = plan_one((const struct oci_namespace *)l->namespaces.v + i, i, &p,
				 err);

		if (r < 0)
			return r;
	}
	*ret = p;
	return 0;
}

unsigned long ns_plan_flags(const struct ns_plan *p)
{
	unsigned long flags = p->new_flags;

	for (int i = 0; i < NS_JOINS; i++) {
		if (p->joins[i].wanted)
			flags |= ns_flag((enum ns_join)i);
	}
	return flags;
}

char *ns_time_text(const struct oci_time_offsets *t)
{
	static const struct oci_time_offset none = { 0 };
	const struct oci_time_offset *m = t->monotonic ? t->monotonic : &none;
	const struct oci_time_offset *b = t->boottime ? t->boottime : &none;

	return mem_printf("monotonic %" PRId64 " %" PRIu32 "\nboottime %" PRId64
			  " %" PRIu32 "\n",
			  m->secs, m->nanosecs, b->secs, b->nanosecs);
}

static int open_ns(pid_t pid, const char *name)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void ns_open(pid_t pid, struct ns_joins *ret)
{
	for (int i = 0; i < NS_JOINS; i++)
		ret->fd[i] = open_ns(pid, ns_joinable[i].name);
}

int ns_open_mounts(pid_t pid)
{
	return open_ns(pid, "mnt");
}

void ns_joins_done(struct ns_joins *j)
{
	for (int i = 0; i < NS_JOINS; i++)
		fd_drop(&j->fd[i]);
}
