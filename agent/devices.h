/* SPDX-License-Identifier: Apache-2.0 */
/* devices: what devices the guest has, nodes in a container's /dev, the filter of its group. */
#ifndef KATA_AGENT_DEVICES_H
#define KATA_AGENT_DEVICES_H

#include "device_plan.h"

/** devices_plan() - see device_plan_make(); the guest's /dev and disks are looked at if it matters. */
int devices_plan(const struct oci_spec *spec, struct arena *a, struct device_plan *ret,
		 struct kata_err *err) MUST_CHECK;

/** devices_make() - the plan's nodes. umask must be 0. */
int devices_make(int root_fd, const struct device_plan *p,
		 struct kata_err *err) MUST_CHECK;

/** devices_filter() - @rules hold for the group from now on. */
int devices_filter(int cgroup_fd, const struct device_rules *rules,
		   struct kata_err *err) MUST_CHECK;

/**
 * devices_update() - other rules for the group of @spec's container, for devices_filter(); *ret in @a. None
 * listed: NULL, the old ones stay. -ENOTSUP: one is about a device that the guest does not have.
 */
int devices_update(const struct oci_spec *spec, const struct oci_resources *res,
		   struct arena *a, const struct device_rules **ret,
		   struct kata_err *err) MUST_CHECK;

#endif
