/* SPDX-License-Identifier: Apache-2.0 */
/* container: the containers of this guest and what the host may do with them. */
#ifndef KATA_AGENT_CONTAINER_H
#define KATA_AGENT_CONTAINER_H

#include "device_plan.h"
#include "mount_plan.h"
#include "ns.h"
#include "process.h"
#include "seccomp.h"
#include "userns.h"

/* Bits, because a request names all the states in which it is legal. */
enum container_state {
	CONTAINER_BUILDING = 1u << 0, /* CREATE not answered yet */
	CONTAINER_CREATED = 1u << 1,  /* stands at the exec gate */
	CONTAINER_RUNNING = 1u << 2,
	CONTAINER_STOPPING =
		1u << 3, /* init is dead; others, output or the disk are not done */
	CONTAINER_STOPPED = 1u << 4, /* EXIT of init sent */
};

/**
 * struct container
 * @arena:     what spec and plan live in
 * @processes: init first
 * @doomed:    forget it as soon as nothing of it is left
 * @deleting:  MSG_DELETE, answered then
 * @ns:        its namespaces, for others to join, also when its init has ended
 * @userns:    with the maps of who made it
 * @oom_kills: victims of the OOM killer, as far as the host knows
 * @drain:     runs since init's death while further processes have output that nobody reads
 * @impatient: it has run out
 * @sync_pid:  of the child that writes the filesystems out, 0 = none yet; @synced: it is done
 * @bundle:    for hooks, NULL when there are none
 * @no_keyring: its processes get no session keyring of the container's
 * @notify:    its NOTIFY_SOCKET (notify.c); NULL = none
 * @paused:    its group was told to freeze; @pausing: MSG_PAUSE or MSG_RESUME, answered when it has
 */
struct container {
	struct container *next;
	struct guest *guest;
	uint32_t number;
	const char *id, *cgroup, *bundle;
	struct arena *arena;
	const struct oci_spec *spec;
	struct mount_plan plan;
	struct device_plan devices;
	struct seccomp filter;
	struct ns_plan ns_plan;
	struct ns_joins ns;
	struct userns userns;
	int cgroup_fd;
	uint64_t oom_kills;
	struct process *processes;
	struct loop_src drain;
	int drain_fd, mntns_fd;
	pid_t sync_pid;
	bool doomed, killed, impatient, synced, paused, no_keyring;
	struct rpc_call deleting, pausing;
	struct notify *notify;
};

struct container *container_find(const struct guest *g, uint32_t number);
enum container_state container_state(const struct container *c);
/** container_process() - by number, NULL when there is none. */
struct process *container_process(const struct container *c, uint32_t number);

/** container_create() - MSG_CREATE; answers @call by itself, perhaps later. Keeps @a on success. */
int container_create(struct guest *g, const struct req_create *req, struct rpc_call *call,
		     struct arena **a, struct kata_err *err) MUST_CHECK;
/** container_exec() - MSG_EXEC, the same. */
int container_exec(struct container *c, const struct req_exec *req, struct rpc_call *call,
		   struct arena **a, struct kata_err *err) MUST_CHECK;
/** container_start() - MSG_START, the same. */
int container_start(struct container *c, struct rpc_call *call,
		    struct kata_err *err) MUST_CHECK;

/** container_signal() - to all its processes. 0, -ESRCH. */
int container_signal(struct container *c, int sig) MUST_CHECK;
/** container_delete() - kill what is left; @call is answered when it is gone. */
void container_delete(struct container *c, struct rpc_call *call);

/** container_synced() - child @pid has ended: was it one that wrote filesystems out? */
void container_synced(struct guest *g, pid_t pid, bool well);

/** container_is_empty() - no process is left, known to us or not. */
bool container_is_empty(const struct container *c);

#endif
