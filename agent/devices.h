/* SPDX-License-Identifier: Apache-2.0 */
/* devices: device nodes in a container's /dev. */
#ifndef KATA_AGENT_DEVICES_H
#define KATA_AGENT_DEVICES_H

#include "oci/spec.h"

/** devices_check() - linux.devices[] has only what a guest can give: FIFOs, and character devices
 *  whose numbers mean the same in every kernel. Pure. -ENOTSUP naming the device. */
int devices_check(const struct oci_linux *linux_, struct kata_err *err) MUST_CHECK;

/** devices_make() - the default devices and those of linux.devices[] (NULL = none). umask must be 0. */
int devices_make(int root_fd, const struct oci_linux *linux_,
		 struct kata_err *err) MUST_CHECK;

#endif
