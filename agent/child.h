/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: what happens between fork and exec, and how it is told to the agent.
 *
 * Over a SOCK_SEQPACKET pair: the child sends struct child_report when it is ready (code MSG_OK, with
 * the terminal's master), or when it failed. An init then waits for one byte: the exec
 * gate. The end of the connection without a failure is the exec.
 */
#ifndef KATA_AGENT_CHILD_H
#define KATA_AGENT_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "mount_plan.h"
#include "ns.h"
#include "oci/spec.h"
#include "proto/msg.h"
#include "seccomp.h"
#include "userns.h"

struct child_report {
	uint16_t code; /* enum msg_code */
	uint16_t err;  /* errno */
	char text[PROTO_MAX_TEXT + 1];
};

/**
 * struct child_job - all a child needs; everything is borrowed from the agent's memory, of which
 * the child has a copy.
 * @spec:       the container's; @process: what to run, NULL = nothing (never started)
 * @filter:     of all the container's processes
 * @plan, @devices, @rootfs, @id, @bundle: for init only
 * @ns_flags:   init: of its new namespaces; else: of all that are entered
 * @join:       init: namespaces of other containers
 * @userns:     the container's
 * @join_pidfd: of the container's init, to join its namespaces; -1 = this is the init
 * @stdio:      descriptors for 0, 1, 2; unused with a terminal
 * @passed:     descriptors for 3 and up
 * @report_fd:  our end of the pair
 * @cgroup_fd, @cgroup:  the container's group and its path; -1, NULL = none
 * @no_keyring: stay with the session keyring of the agent
 */
struct child_job {
	const struct oci_spec *spec;
	const struct oci_process *process;
	const struct seccomp *filter;
	const struct mount_plan *plan;
	const struct device_plan *devices;
	const char *rootfs, *id, *cgroup, *bundle;
	unsigned long ns_flags;
	struct ns_joins join;
	const struct userns *userns;
	int join_pidfd, report_fd, cgroup_fd;
	int stdio[3];
	int passed[PROTO_PASSED_MAX];
	unsigned n_passed;
	bool no_keyring;
};

/**
 * child_job_waits() - does the child wait for one byte before all else? An init in a user namespace:
 * it is nobody there until it has its maps.
 */
static inline bool child_job_waits(const struct child_job *job)
{
	return job->join_pidfd < 0 && job->userns->on;
}

/** child_main() - in the child: never returns. */
__attribute__((noreturn)) void child_main(const struct child_job *job);

#endif
