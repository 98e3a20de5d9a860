/* SPDX-License-Identifier: Apache-2.0 */
/* resources_plan: linux.resources as a list of files of the guest's cgroup2 group. Pure. */
#ifndef KATA_AGENT_RESOURCES_PLAN_H
#define KATA_AGENT_RESOURCES_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/spec.h"

/** Most writes of a plan, without those of lists. */
#define RESOURCES_FIXED 12

/**
 * struct resources_write
 * @property: JSON path, for messages
 * @optional: a kernel without the file does what is wanted anyway
 * @again:    -EINVAL is no failure: the same comes once more, behind what it depends on
 */
struct resources_write {
	const char *property, *file, *value;
	bool optional, again;
};

struct resources_plan {
	struct resources_write *w;
	size_t n;
};

/**
 * struct resources_facts - what the plan depends on.
 * @update: the container lives; what is not named stays
 * @ram:    bytes of the VM; @memory: used by the group now
 * @cpus, @nodes: how many there are, numbered from 0
 * @memory_max, @cpu_max: content of these files; NULL = not known
 */
struct resources_facts {
	bool update;
	uint64_t ram, memory;
	unsigned cpus, nodes;
	const char *memory_max, *cpu_max;
};

/** resources_plan_make() - memory from @a. Errors name the property. */
int resources_plan_make(const struct oci_resources *res, const struct resources_facts *f,
			struct arena *a, struct resources_plan *ret,
			struct kata_err *err) MUST_CHECK;

#endif
