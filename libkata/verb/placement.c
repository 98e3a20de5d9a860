// SPDX-License-Identifier: Apache-2.0
/*
 * placement: the container's cgroup on the host, as part of its creation. In it
 * are its shims and, when the VM is made for it, kata-sandbox before it starts
 * anything: VMM and helpers are born there, so that what engines read in that
 * group is what the container costs.
 *
 * The spec's limits are the guest's to hold, exactly. The host's are wider by
 * what a VM needs, so that the host never ends a VMM that keeps to its RAM.
 *
 * The name is in the record before the group is made; delete finds it there.
 */
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "cgroup/overhead.h"
#include "verb/creation.h"

void verb_cgroup_extra(const struct store_record *r, struct cgroup_extra *ret)
{
	*ret = (struct cgroup_extra){ .memory = CGROUP_SHIM_MEMORY,
				      .pids = CGROUP_VM_PIDS };
	if (!r->vm_memory)
		return;
	ret->memory = CGROUP_VM_MEMORY;
	ret->min_memory = r->vm_memory + CGROUP_VM_MEMORY;
	ret->devices = true;
}

int placement_name(struct creation *c, struct kata_err *err)
{
	const struct oci_linux *lx = c->bundle.spec->linux_;
	const struct cgroup_ask ask = {
		.manager = c->k->no_cgroup	  ? CGROUP_DISABLED
			   : c->k->systemd_cgroup ? CGROUP_SYSTEMD
						  : CGROUP_CGROUPFS,
		.path = lx ? lx->cgroupsPath : NULL,
		.id = c->args->id,
	};

	return cgroup_name(&ask, c->bundle.arena, &c->cgroup_name, err);
}

static int apply(struct creation *c, enum cgroup_when when, struct kata_err *err)
{
	const struct oci_linux *lx = c->bundle.spec->linux_;
	struct cgroup_extra extra;

	verb_cgroup_extra(&c->rec, &extra);
	return cgroup_apply(c->cgroup, lx ? lx->resources : NULL, &extra, when, err);
}

int placement_make(struct creation *c, struct kata_err *err)
{
	pid_t first = c->membership.host ? c->shim.pid : c->sandbox.pid;
	int rc = cgroup_make(c->cgroup_name, first, &c->bundle.spec->annotations,
			     &c->cgroup, err);

	return rc < 0 ? rc : apply(c, CGROUP_AT_CREATE, err);
}

int placement_throttle(struct creation *c, struct kata_err *err)
{
	return apply(c, CGROUP_AT_START, err);
}

void placement_remove(struct creation *c)
{
	struct kata_err ignored = { 0 };

	/* one that was not made is somebody else's */
	if (c->cgroup && cgroup_remove(c->cgroup_name, &ignored) < 0)
		log_debug("%s", ignored.msg);
}
