/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: the agent's side of the control connection: requests in, replies and
 * events out. Some replies come later than their handler returns.
 */
#ifndef KATA_AGENT_RPC_H
#define KATA_AGENT_RPC_H

#include <stdint.h>

#include "base/mem.h"
#include "guest.h"
#include "proto/msg.h"

/** struct rpc_call - a request that wants its answer. @id 0 = none. */
struct rpc_call {
	uint32_t id;
	uint64_t from_us;
};

/** rpc_answer() - reply and forget the call; nothing when there is none. @text may be NULL. */
void rpc_answer(struct guest *g, struct rpc_call *call, enum msg_code code, int errnum,
		const char *text);
/** rpc_answer_err() - MSG_FAILED with the text of @err. */
void rpc_answer_err(struct guest *g, struct rpc_call *call, const struct kata_err *err);

void rpc_send_hello(struct guest *g, const struct msg_hello *m);
void rpc_send_exit(struct guest *g, const struct msg_exit *m);
void rpc_send_warning(struct guest *g, uint32_t container, const char *text);
void rpc_send_oom(struct guest *g, uint32_t container);
void rpc_send_notify(struct guest *g, uint32_t container, const char *text);
void rpc_send_stats(struct guest *g, const struct msg_stats *m);
void rpc_send_stream_end(struct guest *g, const struct msg_stream_end *m);

/** rpc_start() - connect @g->control over @fd (taken). Its end is the guest's end. */
int rpc_start_take(struct guest *g, int fd) MUST_CHECK;

#endif
