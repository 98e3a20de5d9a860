/* SPDX-License-Identifier: Apache-2.0 */
/* oom: hears of the kernel's OOM killer in a container. */
#ifndef KATA_AGENT_OOM_H
#define KATA_AGENT_OOM_H

#include "container.h"

/** oom_begin() - what was killed in a group of that name before is not this container's. */
void oom_begin(struct container *c);
/** oom_look() - tell the host if it has killed since the last look. */
void oom_look(struct container *c);

#endif
