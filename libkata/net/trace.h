/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: what was made on the interfaces of a network namespace that is not ours, kept in the
 * sandbox's directory before it is made. Whoever cleans up after a sandbox that was killed takes
 * it away again, even if the namespace lives on. Taps are not in it: they go with the VMM.
 */
#ifndef KATA_NET_TRACE_H
#define KATA_NET_TRACE_H

#include "base/err.h"
#include "net/net_plan.h"
#include "net/nl.h"

/** struct net_mark - an interface with our filter on it. @qdisc: the ingress qdisc is ours as well. */
struct net_mark {
	int32_t index;
	bool qdisc;
};

/**
 * struct net_trace - all that was made.
 * @path:  of the namespace as the bundle has it, NULL = it was made for the container
 * @ports: what net.ipv4.ip_local_port_range was before, NULL = not changed
 */
struct net_trace {
	struct netns_id ns;
	const char *path, *ports;
	struct net_mark marks[NET_MAX_CARDS];
	size_t n_marks;
};

/** net_trace_write() - replace the trace in @dirfd; without marks and ports it is removed. */
int net_trace_write(int dirfd, const struct net_trace *t,
		    struct kata_err *err) MUST_CHECK;
/** net_trace_read() - strings live in @a. Return: 1, 0 = there is none, -errno. */
int net_trace_read(int dirfd, struct arena *a, struct net_trace *ret,
		   struct kata_err *err) MUST_CHECK;

/**
 * net_ports_get() - the ports that the stack of the calling thread's namespace gives out, heap.
 * net_ports_set() - change that; "61440 65535".
 */
int net_ports_get(char **ret_ports, struct kata_err *err) MUST_CHECK;
int net_ports_set(const char *ports, struct kata_err *err) MUST_CHECK;

/**
 * net_trace_undo() - remove what the trace in @dirfd has, wherever its namespace is mounted, then the
 * trace. 0 when there is none, or when the namespace cannot be found any more.
 */
int net_trace_undo(int dirfd, struct kata_err *err) MUST_CHECK;

#endif
