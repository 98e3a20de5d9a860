/* SPDX-License-Identifier: Apache-2.0 */
/* reap: the agent is pid 1: every orphan of the guest ends up here. */
#ifndef KATA_AGENT_REAP_H
#define KATA_AGENT_REAP_H

#include "guest.h"

/** reap_start() - block SIGCHLD and collect children from the loop on. */
int reap_start(struct guest *g, struct kata_err *err) MUST_CHECK;

#endif
