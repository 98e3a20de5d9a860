/* SPDX-License-Identifier: Apache-2.0 */
/* parking: the network namespace of the cards that no container is to see. */
#ifndef KATA_AGENT_PARKING_H
#define KATA_AGENT_PARKING_H

#include <sys/types.h>

#include "guest.h"

/**
 * parking_leave() - make the network namespace we are in the parking place, and go on in a new
 * one, which has lo, up. Once, before anything else of the network is made.
 */
int parking_leave(struct parking *p, struct kata_err *err) MUST_CHECK;

/**
 * parking_follow() - go on in the network namespace that @pid was born with instead of ours, lo up.
 * Only while ours has nothing that is to be kept.
 */
int parking_follow(pid_t pid, struct kata_err *err) MUST_CHECK;

/** parking_watch() - have notifications of links in the parking place come at p->watch. */
int parking_watch(const struct parking *p) MUST_CHECK;
/** parking_unwatch() - no more of them; some may be left to read. */
void parking_unwatch(const struct parking *p);

#endif
