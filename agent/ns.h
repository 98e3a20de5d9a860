/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns: which namespaces of the guest a container gets: new ones, those of the VM, or those of
 * another container of it.
 */
#ifndef KATA_AGENT_NS_H
#define KATA_AGENT_NS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "oci/spec.h"

/* The namespaces that can be joined. */
enum ns_join { NS_JOIN_PID, NS_JOIN_IPC, NS_JOIN_UTS, NS_JOIN_USER, NS_JOINS };

/** struct ns_joins - a descriptor of each, -1 = none. */
struct ns_joins {
	int fd[NS_JOINS];
};
#define NS_JOINS_NONE                                                                    \
	{                                                                                \
		.fd = { -1, -1, -1, -1 }                                                 \
	}

/**
 * struct ns_plan
 * @new_flags: clone flags of the namespaces made for the container
 * @joins:     those of other containers, with their numbers
 */
struct ns_plan {
	unsigned long new_flags;
	struct {
		bool wanted;
		uint32_t container;
	} joins[NS_JOINS];
};

/**
 * ns_plan_make() - the namespaces of the container's init. Pure.
 * The mount namespace is always new. Network: the VM's own, a new one would have no cards.
 * Return: 0; -ENOTSUP for paths other than "/container:N".
 */
int ns_plan_make(const struct oci_spec *spec, struct ns_plan *ret,
		 struct kata_err *err) MUST_CHECK;

/** ns_plan_flags() - clone flags of all that is not the VM's: what a further process enters. */
unsigned long ns_plan_flags(const struct ns_plan *p);

/** ns_flag() - clone flag of a namespace that can be joined. */
unsigned long ns_flag(enum ns_join join);

/** ns_time_text() - what is written to /proc/PID/timens_offsets. Heap. */
char *ns_time_text(const struct oci_time_offsets *t);

/** ns_open() - all of process @pid; one that cannot be had stays -1. */
void ns_open(pid_t pid, struct ns_joins *ret);
void ns_joins_done(struct ns_joins *j);

/** ns_open_mounts() - the mount namespace of process @pid, to keep it; -1 when it is gone. */
int ns_open_mounts(pid_t pid);

#endif
