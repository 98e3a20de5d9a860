/* SPDX-License-Identifier: Apache-2.0 */
/* watch: wakes the agent when something happens in a container's group that no signal tells. */
#ifndef KATA_AGENT_WATCH_H
#define KATA_AGENT_WATCH_H

#include "guest.h"

/** watch_start() - the inotify descriptor, into the loop. */
int watch_start(struct guest *g, struct kata_err *err) MUST_CHECK;
/** watch_group() - watch the group at @path until it is removed. */
int watch_group(const struct guest *g, const char *path, struct kata_err *err) MUST_CHECK;

#endif
