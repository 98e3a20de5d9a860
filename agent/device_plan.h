/* SPDX-License-Identifier: Apache-2.0 */
/* device_plan: which device nodes a container gets and which it may use, in the guest's numbers. Pure. */
#ifndef KATA_AGENT_DEVICE_PLAN_H
#define KATA_AGENT_DEVICE_PLAN_H

#include <sys/types.h>

#include "oci/device_rules.h"

/** struct device_node - one to be made. @mode: with the type. @source: the guest's own, NULL = @path */
struct device_node {
	const char *path, *source;
	unsigned major, minor; /* of a FIFO: none */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/** struct device_disk - a block device of the host that is a disk of this VM. */
struct device_disk {
	const char *path; /* in the guest */
	unsigned host_major, host_minor, major, minor;
};

/**
 * struct device_facts - what the guest has.
 * @own: nodes of its /dev, looked at for a container that may use everything
 */
struct device_facts {
	const struct device_node *own;
	size_t n_own;
	const struct device_disk *disks;
	size_t n_disks;
};

/** struct device_plan - @warning: what was left out, NULL = nothing. */
struct device_plan {
	struct device_node *nodes;
	size_t n;
	struct device_rules rules;
	const char *warning;
};

/**
 * device_plan_make() - what @spec asks for: the default devices, those of linux.devices[], and for
 * a container that may use everything the guest's own. @rules: what device_rules_make() has made
 * of the spec's. -ENOTSUP naming a device that the guest does not have.
 */
int device_plan_make(const struct oci_spec *spec, const struct device_rules *rules,
		     const struct device_facts *facts, struct arena *a,
		     struct device_plan *ret, struct kata_err *err) MUST_CHECK;

/**
 * device_plan_rules() - @rules in the guest's numbers. @ret_left: those that would allow what is not
 * here: block devices of the host that are no disks of this VM. (To forbid such needs nothing.)
 */
void device_plan_rules(const struct device_rules *rules, const struct device_facts *facts,
		       struct arena *a, struct device_rules *ret,
		       struct device_rules *ret_left);

/** device_plan_wants_disks() - does it name block devices? */
bool device_plan_wants_disks(const struct oci_linux *linux_);

#endif
