/* SPDX-License-Identifier: Apache-2.0 */
/* twin: look through /proc like the container's process: root, host name, comm, children. */
#ifndef KATA_SHIM_TWIN_H
#define KATA_SHIM_TWIN_H

#include "plan.h"

/**
 * shim_twin() - take on the appearance that @plan asks for. Paths of the host
 * are out of reach afterwards. @rootfs: O_PATH descriptor, borrowed, used with
 * plan->own_root only.
 */
int shim_twin(const struct shim_plan *plan, int rootfs, struct kata_err *err) MUST_CHECK;

/**
 * shim_twin_user() - into the user namespace that @plan asks for, the last of all that takes rights over the host.
 * @fd: SHIM_FD_USERNS; closed when it is done.
 */
int shim_twin_user(const struct shim_plan *plan, int fd, struct kata_err *err) MUST_CHECK;

#endif
