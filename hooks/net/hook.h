/* SPDX-License-Identifier: Apache-2.0 */
/* hook: what kata-hook-net does for a container, and undoes. */
#ifndef KATA_HOOKS_NET_HOOK_H
#define KATA_HOOKS_NET_HOOK_H

#include "event.h"
#include "options.h"

/** hook_add() - a network for the container; all or nothing. */
int hook_add(const struct options *o, const struct event *e, struct arena *a,
	     struct kata_err *err) MUST_CHECK;
/** hook_remove() - takes away what was made for it; 0 also when nothing was, or not by us. */
int hook_remove(const struct options *o, const struct event *e, struct arena *a,
		struct kata_err *err) MUST_CHECK;

#endif
