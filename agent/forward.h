/* SPDX-License-Identifier: Apache-2.0 */
/* forward: connections of the host to ports of the guest's loopback (MSG_FORWARD). */
#ifndef KATA_AGENT_FORWARD_H
#define KATA_AGENT_FORWARD_H

#include "requests.h"
#include "rpc.h"

/** forward_request() - connect, to there and to the host; @call is answered when it is known. */
int forward_request(struct guest *g, const struct req_forward *req, struct rpc_call *call,
		    struct kata_err *err) MUST_CHECK;

#endif
