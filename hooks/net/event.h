/* SPDX-License-Identifier: Apache-2.0 */
/* event: what the runtime tells on stdin, the OCI state document. */
#ifndef KATA_HOOKS_NET_EVENT_H
#define KATA_HOOKS_NET_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

struct event {
	const char *id, *bundle;
	const char *
		rootfs; /* absolute or relative to the bundle; NULL when it does not say */
	int64_t pid;
	bool stopped; /* poststop; else a container being created */
};

/**
 * event_parse() - in @a; pure. -EINVAL: no state document, or of a container whose network is
 * no hook's business any more: it runs.
 */
int event_parse(const char *text, size_t len, struct arena *a, struct event *ret,
		struct kata_err *err) MUST_CHECK;
/** event_read() - from @fd. */
int event_read(int fd, struct arena *a, struct event *ret,
	       struct kata_err *err) MUST_CHECK;
/** event_rootfs() - absolute path of the rootfs, from the bundle's config.json where the state does
 * not say; in @a. */
int event_rootfs(const struct event *e, struct arena *a, const char **ret,
		 struct kata_err *err) MUST_CHECK;

#endif
