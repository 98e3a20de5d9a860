/* SPDX-License-Identifier: Apache-2.0 */
/* passed: makes in the guest what stands for a descriptor of the caller (proto/passed.h). */
#ifndef KATA_AGENT_PASSED_H
#define KATA_AGENT_PASSED_H

#include <sys/types.h>

#include "proto/passed.h"

/** struct passed_ends - @child: the process's; @in, @out: ours, of streams; -1 = not that way. */
struct passed_ends {
	int child, in, out;
};

/**
 * passed_open() - all close-on-exec, ours non-blocking.
 * @share: where the shared tree is; @uid: who may open a pipe's end again
 */
int passed_open(const struct passed_fd *f, const char *share, uid_t uid,
		struct passed_ends *ret, struct kata_err *err) MUST_CHECK;

/**
 * passed_place() - put descriptors at 3 and up, inheritable. Those at @own that are in the way are
 * moved: the numbers change.
 */
int passed_place(const int *passed, unsigned n, int *const *own, size_t n_own) MUST_CHECK;

#endif
