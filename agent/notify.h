/* SPDX-License-Identifier: Apache-2.0 */
/* notify: a container's NOTIFY_SOCKET in the guest (proto/notify.h). */
#ifndef KATA_AGENT_NOTIFY_H
#define KATA_AGENT_NOTIFY_H

#include "container.h"

/**
 * notify_begin() - listen, in a directory that takes the place of the source of c->plan's bind
 * @mount; before its init is started.
 */
int notify_begin(struct container *c, uint32_t mount, struct kata_err *err) MUST_CHECK;
/** notify_drain() - its processes have ended: what they said last goes before the EXIT. */
void notify_drain(struct container *c);
/** notify_end() - nothing when there is none. */
void notify_end(struct container *c);

#endif
