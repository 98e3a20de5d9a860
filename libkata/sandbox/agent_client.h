/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_client: the host's side of the talk with one guest (proto/msg.h).
 *
 * Owns the listening socket, the one control connection, the requests under
 * way with their deadlines, and the table of stream tokens. The guest is
 * hostile: what it sends is decoded by proto/frame, a violation drops the
 * control connection, and connections that have not said who they are are
 * bounded in number, the oldest giving way.
 */
#ifndef KATA_SANDBOX_AGENT_CLIENT_H
#define KATA_SANDBOX_AGENT_CLIENT_H

#include "base/buf.h"
#include "base/loop.h"
#include "proto/frame.h"

/** Connections that have not sent their hello yet. */
#define AGENT_MAX_PENDING 256
/** Streams that the guest has been asked to open and has not. */
#define AGENT_MAX_EXPECTED 4096

struct agent;

/** struct agent_stream - whose stream it is. */
struct agent_stream {
	uint32_t container, process;
	unsigned stream; /* enum msg_stream, or of a passed descriptor */
};

/** struct agent_ops - what the owner hears. None may free the agent. */
struct agent_ops {
	void (*on_hello)(void *arg, const struct msg_hello *m);
	void (*on_exit)(void *arg, const struct msg_exit *m);
	void (*on_stream_end)(void *arg, const struct msg_stream_end *m);
	void (*on_warning)(void *arg, uint32_t container, const char *text);
	void (*on_oom)(void *arg, uint32_t container);
	void (*on_stats)(void *arg, const struct msg_stats *m);
	void (*on_notify)(void *arg, uint32_t container, const char *text);
	/* the guest opened a stream; @fd is the owner's from now on, non-blocking */
	void (*on_stream)(void *arg, const struct agent_stream *s, int fd);
	/* a client of the guest's DNS relay, IPPROTO_TCP or _UDP; @fd is the owner's. NULL: refused */
	void (*on_dns)(void *arg, int protocol, int fd);
	/* control connection closed or dropped: @why is a sentence. Called once. */
	void (*on_gone)(void *arg, const char *why);
};

/** Answer to a request; @code < 0 and m == NULL when none came (deadline, connection lost). */
struct agent_call {
	void (*fn)(void *arg, int code, const struct msg_reply *m);
	void *arg;
};

/**
 * agent_new_take() - listen for the guest on @listen_fd (taken).
 * @cid: when not 0 the only vsock CID connections are accepted from
 */
struct agent *agent_new_take(struct loop *l, int listen_fd, uint32_t cid,
			     const struct agent_ops *ops, void *arg,
			     struct kata_err *err) MUST_CHECK;
void agent_free(struct agent *a);

/**
 * agent_request() - send a request; the callback is called exactly once, unless the agent is freed.
 * @body: JSON
 * @deadline_ms: time for the answer
 */
int agent_request(struct agent *a, enum msg_type type, const void *body, size_t len,
		  uint64_t deadline_ms, const struct agent_call *call) MUST_CHECK;

/** agent_expect() - make a token for a stream the guest will open. 0 = too many, or no randomness. */
uint64_t agent_expect(struct agent *a, const struct agent_stream *s);
/** agent_forget() - tokens of a process that no longer count. */
void agent_forget(struct agent *a, uint32_t container, uint32_t process);

#endif
