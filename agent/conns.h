/* SPDX-License-Identifier: Apache-2.0 */
/* conns: connections to the listening sockets that a process got from the caller (MSG_CONNECT). */
#ifndef KATA_AGENT_CONNS_H
#define KATA_AGENT_CONNS_H

#include "process.h"

/** conn_open() - -ECONNREFUSED: the program listens there no more. */
int conn_open(struct process *p, const struct req_connect *req,
	      struct kata_err *err) MUST_CHECK;
/** conns_sweep() - forget those that are closed on both sides. */
void conns_sweep(struct process *p);
void conns_free(struct process *p);

#endif
