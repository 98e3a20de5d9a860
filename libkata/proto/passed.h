/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passed: descriptors of the caller that a process gets from 3 on. A descriptor cannot cross into a
 * VM; this is what is made in the guest instead, one struct per descriptor, in order. kata-runtime
 * finds out the kind, kata-sandbox adds paths and tokens, the agent makes it.
 */
#ifndef KATA_PROTO_PASSED_H
#define KATA_PROTO_PASSED_H

#include "base/jtab.h"
#include "proto/msg.h"

enum passed_kind {
	PASSED_FILE,	 /* regular file or directory: opened anew in the shared tree */
	PASSED_DEVICE,	 /* /dev/null and its like: the guest's own */
	PASSED_PIPE,	 /* an end of a pipe, relayed in the one direction that it has */
	PASSED_SOCKET,	 /* an end of a stream socket pair, relayed in both */
	PASSED_LISTENER, /* a listening socket: the shim accepts, MSG_CONNECT for each */
	PASSED_KINDS,
};

/** Family of a listener: a program may look. In the guest it listens on loopback. */
enum passed_family { PASSED_UNIX, PASSED_INET, PASSED_INET6 };

enum passed_access { PASSED_READ, PASSED_WRITE, PASSED_BOTH };

/**
 * struct passed_fd
 * @kind, @access: see above; what a pipe's access means is the process's side of it
 * @path:   file: below the shared tree; device: name in /dev
 * @append, @nonblock, @directory, @handle: O_APPEND, O_NONBLOCK, O_DIRECTORY, O_PATH
 * @offset: of a file, when it was passed
 * @family, @port: of a listener; @port: the one it has, or 0
 * @in, @out: tokens of the streams that carry it, decimal; NULL = none
 */
struct passed_fd {
	int kind, access;
	const char *path;
	bool append, nonblock, directory, handle;
	uint64_t offset;
	int family;
	uint32_t port;
	const char *in, *out;
};

/** A table of struct passed_fd, and one of a document that has only them. */
struct passed_list {
	struct jt_objv fds;
};
extern const struct jtab passed_tab, passed_list_tab;

static inline bool passed_is_relayed(const struct passed_fd *f)
{
	return f->kind == PASSED_PIPE || f->kind == PASSED_SOCKET;
}

/* Is there a stream to the guest, one from it? */
static inline bool passed_has_in(const struct passed_fd *f)
{
	return passed_is_relayed(f) && f->access != PASSED_WRITE;
}

static inline bool passed_has_out(const struct passed_fd *f)
{
	return passed_is_relayed(f) && f->access != PASSED_READ;
}

#endif
