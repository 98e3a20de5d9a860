/* SPDX-License-Identifier: Apache-2.0 */
/* pause: freezes and thaws a container's group. */
#ifndef KATA_AGENT_PAUSE_H
#define KATA_AGENT_PAUSE_H

#include <stdbool.h>

#include "container.h"

/** pause_set() - freeze or thaw; @call is answered by pause_settle(), when it is so. */
int pause_set(struct container *c, bool freeze, struct rpc_call *call,
	      struct kata_err *err) MUST_CHECK;
/** pause_settle() - answer if the group is by now what was asked for, or never will be. */
void pause_settle(struct container *c);

#endif
