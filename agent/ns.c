// SPDX-License-Identifier: Apache-2.0
/*
 * ns: the namespaces of linux.namespaces[] as one table. CLONE_NEWCGROUP is in the flags too;
 * who forks leaves it out, for its root is the group the child is in when it unshares.
 */
#include "ns.h"

#include <errno.h>
#include <sched.h>

enum ns_rule { NS_NEW, NS_OF_VM, NS_REFUSED };

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
	[OCI_NS_USER] = { NS_REFUSED, 0 },
	[OCI_NS_TIME] = { NS_REFUSED, 0 },
};

int ns_plan(const struct oci_spec *spec, unsigned long *ret_flags, struct kata_err *err)
{
	unsigned long flags = CLONE_NEWNS;
	const struct oci_namespace *ns;

	*ret_flags = flags;
	if (!spec->linux_)
		return 0;
	ns = spec->linux_->namespaces.v;
	for (size_t i = 0; i < spec->linux_->namespaces.n; i++) {
		int type = ns[i].type;

		if (type < 0 || type >= OCI_NS_TYPES || ns_rules[type].rule == NS_REFUSED)
			return err_set(
				err, -ENOTSUP,
				"linux.namespaces[%zu]: the guest makes no %s namespace",
				i,
				type >= 0 && type < OCI_NS_TYPES ? oci_ns_names[type]
								 : "such");
		if (ns[i].path && ns[i].path[0] && ns_rules[type].rule == NS_NEW)
			return err_set(
				err, -ENOTSUP,
				"linux.namespaces[%zu].path: %s is not known to the guest",
				i, ns[i].path);
		flags |= ns_rules[type].flag;
	}
	*ret_flags = flags;
	return 0;
}
