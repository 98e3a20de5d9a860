/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end: one end of a byte stream, the caller's stdio or a socket to the guest,
 * with a read and a write that do not block whatever stands behind it.
 */
#ifndef KATA_SHIM_END_H
#define KATA_SHIM_END_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum end_kind {
	END_OWN,    /* a non-blocking open file description that is ours alone */
	END_SOCKET, /* MSG_DONTWAIT on every call */
	END_READY,  /* never waits for a peer: regular file, block device, /dev/null */
	END_SHARED, /* somebody else's description: ask poll() first, then little at a time */
};

struct end {
	int fd; /* owned; -1 = none */
	enum end_kind kind;
	bool tty;
};
#define END_INIT                                                                         \
	{                                                                                \
		.fd = -1                                                                 \
	}

/**
 * end_open() - make an end of the borrowed descriptor @fd; its flags stay as they are.
 * Pipes and terminals are opened anew through /proc/self/fd, so call it before
 * the root changes.
 */
int end_open(struct end *ret, int fd, struct kata_err *err) MUST_CHECK;
/** end_socket_take() - an end of a connected socket of ours. */
struct end end_socket_take(int fd);
/** end_done() - close. */
void end_done(struct end *e);

/**
 * end_hang_up() - close a socket so that the guest's writer learns of it.
 * vhost-device-vsock 0.3 does not tell the guest when a connection is closed with bytes
 * unread (its writer hangs), only when it was shut down and read empty before. Other kinds
 * are just closed.
 */
void end_hang_up(struct end *e);

/** end_shut() - a socket's half, @how as shutdown() has it: its peer learns of it. */
void end_shut(const struct end *e, int how);

/** end_read() - bytes, 0 at the end, -EAGAIN when there is nothing now, -errno. */
ssize_t end_read(const struct end *e, void *data, size_t size) MUST_CHECK;
/** end_write() - bytes taken (> 0), -EAGAIN, -EPIPE when nobody reads, -errno. */
ssize_t end_write(const struct end *e, const void *data, size_t len) MUST_CHECK;

#endif
