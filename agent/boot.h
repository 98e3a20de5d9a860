/* SPDX-License-Identifier: Apache-2.0 */
/* boot: from the kernel's "run /init" to a guest that containers can be built in. */
#ifndef KATA_AGENT_BOOT_H
#define KATA_AGENT_BOOT_H

#include "guest.h"

/**
 * boot_early() - a root that can be pivoted away, the kernel's filesystems, and modules until vsock is
 * there; fills g->dial.
 */
int boot_early(struct guest *g, struct kata_err *err) MUST_CHECK;
/** boot_late() - what the host need not wait for: remaining modules, the shared tree, loopback. */
int boot_late(struct guest *g, struct kata_err *err) MUST_CHECK;

#endif
