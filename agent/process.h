/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: one process that the host asked for: the init of a container or a
 * further one, from fork (birth.c) to the report of its exit.
 */
#ifndef KATA_AGENT_PROCESS_H
#define KATA_AGENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "io.h"
#include "passed.h"
#include "requests.h"
#include "rpc.h"

struct container;
struct connection;
struct child_job;
struct child_report;

/*
 * A process goes down this list and never up. What is owed to the host on the way:
 * a reply when it is built (init) or runs (exec), one when the gate has opened (init), the
 * STREAM_ENDs, the EXIT.
 */
enum process_state {
	PROCESS_BUILDING, /* forked; the child sets itself up */
	PROCESS_GATE,	  /* init: built, waits for MSG_START */
	PROCESS_STARTING, /* init: gate open, not exec'd yet; exec: built */
	PROCESS_RUNNING,  /* exec has happened */
	PROCESS_DEAD,	  /* reaped */
	PROCESS_TOLD,	  /* MSG_EXIT sent, or nothing to tell */
};

/**
 * struct process
 * @number:  0 = the container's init
 * @spec:    NULL: nothing to run
 * @arena:   what spec lives in, when it is not the container's
 * @report_fd: our end of the pair with the child (child.h), -1 when it has ended
 * @call:    the request whose answer waits for the child
 * @quiet:   it never came to be, as far as the host knows: no EXIT
 * @failure: why it did not come to be, answered when nothing of it is left
 * @ran:     exec has happened
 * @killed:  the host, or the end of its container, sent it SIGKILL
 * @passed:  what it gets behind its stdio, in the arena
 * @oom_base: victims of the OOM killer in the container before it was born
 * @status, @oom: as in struct msg_exit
 */
struct process {
	struct process *next;
	struct container *container;
	uint32_t number;
	const struct oci_process *spec;
	struct arena *arena;
	pid_t pid;
	int pidfd, report_fd;
	struct loop_src report;
	enum process_state state;
	struct rpc_call call;
	struct child_report *failure;
	bool quiet, ran, killed, oom;
	uint8_t status;
	uint64_t oom_base;
	const struct passed_list *passed;
	struct passed_addr *listeners; /* by passed descriptor */
	struct connection *connections;
	struct stream *all_streams; /* those of connections and all of the following */
	unsigned n_streams;
	struct stream streams[]; /* by number: stdio, then two for each passed descriptor */
};

/** process_new_take() - not started. @passed: borrowed; @arena: taken, may be NULL. */
struct process *process_new_take(struct container *c, uint32_t number,
				 const struct oci_process *spec,
				 const struct passed_list *passed, struct arena *arena);
/** process_free() - closes all it has; it must be reaped, or never have been started. */
void process_free(struct process *p);

/**
 * process_start() - make stdio, connect the streams, fork.
 * @job: what differs between init and exec; stdio, report_fd and process are filled in here
 */
int process_start(struct process *p, const struct req_streams *streams,
		  struct child_job *job, struct kata_err *err) MUST_CHECK;

/** process_stream() - by its number; NULL = it has none. */
struct stream *process_stream(struct process *p, unsigned number);
/** process_add_stream() - one that came later; it leaves p->all_streams before it is freed. */
void process_add_stream(struct process *p, struct stream *s);

/** process_open_gate() - MSG_START. */
int process_open_gate(struct process *p) MUST_CHECK;

/** process_reaped() - its wait status; the caller settles. */
void process_reaped(struct process *p, const siginfo_t *info);

/** process_settle() - take it as far as it goes by itself, up to "all output has ended". */
void process_settle(struct process *p);
/** process_give_up_output() - it is dead, and nobody has read its output for too long. */
void process_give_up_output(struct process *p);
/** process_is_drained() - dead and all its output told: the EXIT may be sent. */
bool process_is_drained(const struct process *p);
/** process_tell_exit() - send it (unless quiet). */
void process_tell_exit(struct process *p);
/** process_is_done() - told, and the host has closed its streams: may be freed. */
bool process_is_done(const struct process *p);

/** process_signal() - 0, -ESRCH when it has ended. */
int process_signal(struct process *p, int sig) MUST_CHECK;

/** process_fork_sync() - a child that writes the guest's filesystems out. Return: its pid or -errno. */
pid_t process_fork_sync(const struct guest *g) MUST_CHECK;
/** process_sync() - the same at once, in the caller. */
void process_sync(const struct guest *g);

#endif
