/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: one stream of a process: a pipe (a terminal's master, half of a socket pair) on one
 * side, a connection to the host on the other, and the bytes between them.
 */
#ifndef KATA_AGENT_IO_H
#define KATA_AGENT_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "proto/msg.h"

struct stream;

/** struct stream_ops - what the owner hears. */
struct stream_ops {
	/* connected, ended or closed: look at the members. Called from the loop only, and last:
	 * the stream may be freed in it */
	void (*changed)(struct stream *s);
	/* all output has been written to the host; @bytes of it. Once, and from any stream_
	 * function: the stream must not be freed in it */
	void (*output_end)(struct stream *s, uint64_t bytes);
};

/** struct pump - bytes under way in one direction. @total: bytes that have left it */
struct pump {
	unsigned char *data;
	size_t start, end;
	uint64_t total;
};

/**
 * struct stream
 * @sock_fd, @pipe_fd: owned; -1 = closed
 * @connecting:  the connection to the host is being made
 * @waiting:     the terminal's master is not here yet
 * @failed:      0, or -errno of the connection that could not be made
 * @draining:    the process is gone: output ends when nothing is left to read
 * @ended:       output_end was told
 * @half:        pipe_fd is a socket that another stream has too: its half is shut down at the end
 */
struct stream {
	const struct stream_ops *ops;
	struct stream *next; /* its owner's */
	void *owner;
	struct loop *loop;
	struct loop_src sock, pipe;
	int sock_fd, pipe_fd;
	uint64_t token;
	struct pump out, in;
	uint64_t in_limit;
	unsigned number; /* enum msg_stream, or of a passed descriptor */
	int failed;
	bool half, used, connecting, waiting, draining, ended;
	bool out_eof, in_eof, in_limited;
};

struct dialer;

/**
 * stream_open_take() - start a stream: dial the host, then move bytes.
 * @pipe_fd: our end, taken; -1 for a terminal whose master comes with stream_set_master_take()
 * Set ops, owner and half before. Failure to connect is returned, or told by changed() with @failed set.
 */
int stream_open_take(struct stream *s, struct loop *l, const struct dialer *d,
		     unsigned number, uint64_t token, int pipe_fd) MUST_CHECK;
void stream_set_master_take(struct stream *s, int master_fd);

/* None of these calls changed(): the caller looks for itself. */

/** stream_set_limit() - MSG_STDIN_END: input ends after @bytes. Ignored by a terminal. */
void stream_set_limit(struct stream *s, uint64_t bytes);
/** stream_drain() - the process has gone: no more input; output ends with what is there now. */
void stream_drain(struct stream *s);
/** stream_give_up() - output ends with what the host's side has taken; the rest is dropped. The
 *  connection stays, for what is on its way. */
void stream_give_up(struct stream *s);
/** stream_abort() - close everything at once, tell nobody but ops->output_end. */
void stream_abort(struct stream *s);

/** stream_has_output() - STREAM_END is owed for it. */
static inline bool stream_has_output(const struct stream *s)
{
	return s->used && !stream_is_input(s->number);
}
static inline bool stream_is_closed(const struct stream *s)
{
	return s->sock_fd < 0 && s->pipe_fd < 0;
}

#endif
