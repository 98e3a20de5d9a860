/* SPDX-License-Identifier: Apache-2.0 */
/* network: the request MSG_NETWORK, from its coming to its answer. */
#ifndef KATA_AGENT_NETWORK_H
#define KATA_AGENT_NETWORK_H

#include "base/mem.h"
#include "guest.h"
#include "proto/netmsg.h"
#include "rpc.h"

/** How long a card may take from the host's plugging it in until the guest's kernel has it. */
#define NETWORK_CARD_MS 3000

/**
 * network_request() - make the guest's network that of @m and answer @call; now, or when a card
 * that is not there has come, or has not come in time.
 * @a: what @m lives in; taken, and then NULL, if it is to be kept
 */
void network_request(struct guest *g, const struct netmsg *m, struct rpc_call *call,
		     struct arena **a);

#endif
