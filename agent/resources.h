/* SPDX-License-Identifier: Apache-2.0 */
/* resources: carries out a resources plan on a group. */
#ifndef KATA_AGENT_RESOURCES_H
#define KATA_AGENT_RESOURCES_H

#include <stdbool.h>

#include "oci/spec.h"

/**
 * resources_apply() - limits of the group @cgroup_fd; @res NULL = none.
 * @update: the container lives; when one cannot be set, those before it are as they were
 */
int resources_apply(int cgroup_fd, const struct oci_resources *res, bool update,
		    struct kata_err *err) MUST_CHECK;

#endif
