/* SPDX-License-Identifier: Apache-2.0 */
/* passed: makes in the guest what stands for a descriptor of the caller (proto/passed.h). */
#ifndef KATA_AGENT_PASSED_H
#define KATA_AGENT_PASSED_H

#include <sys/socket.h>
#include <sys/types.h>

#include "proto/passed.h"

/** struct passed_addr - where a listener listens; no length: it is none. */
struct passed_addr {
	struct sockaddr_storage sa;
	socklen_t len;
};

/**
 * struct passed_ends - @child: the process's; @in, @out: ours, of streams; -1 = not that way.
 * @addr: of a listener
 */
struct passed_ends {
	int child, in, out;
	struct passed_addr addr;
};

/**
 * passed_open() - all close-on-exec, ours non-blocking.
 * @share: where the shared tree is; @uid: who may open a pipe's end again
 */
int passed_open(const struct passed_fd *f, const char *share, uid_t uid,
		struct passed_ends *ret, struct kata_err *err) MUST_CHECK;

/**
 * passed_connect() - to the process's listener: two descriptors of the connection, as passed_ends
 * has them for a socket. Its backlog has room for all that the host asks for: it does not block.
 */
int passed_connect(const struct passed_addr *addr, int ret_ends[2]) MUST_CHECK;

/**
 * passed_place() - put descriptors at 3 and up, inheritable. Those at @own that are in the way are
 * moved: the numbers change.
 */
int passed_place(const int *passed, unsigned n, int *const *own, size_t n_own) MUST_CHECK;

#endif
