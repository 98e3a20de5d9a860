/* SPDX-License-Identifier: Apache-2.0 */
/*
 * creation: a container being made: everything `create` and `run` hold until
 * it stands or is undone.
 */
#ifndef KATA_VERB_CREATION_H
#define KATA_VERB_CREATION_H

#include <signal.h>

#include "base/proc.h"
#include "conf/conf.h"
#include "verb/bundle.h"
#include "verb/console.h"
#include "verb/verb.h"

struct creation {
	const struct kata *k;
	const struct kata_create_args *args;
	bool foreground;   /* run without --detach */
	uint64_t began_us; /* CLOCK_MONOTONIC */
	char *root;
	struct conf *conf;
	struct bundle bundle;
	struct console console;
	int netns_fd;	  /* the network namespace of sandbox and shim; -1 = not yet */
	bool netns_given; /* the spec names it by path */
	struct store_dir dir;
	int sandbox_fd; /* the sandbox's directory, when it is ours to start */
	struct store_record rec;
	struct store_proc rec_shim, rec_sandbox;
	struct proc sandbox, shim;
	int ctl_fd;  /* to the sandbox */
	int shim_fd; /* the shim's end of its connection to the sandbox */
	int sig_fd;  /* signals that interrupt the creation */
	sigset_t old_mask;
};

/** creation_run() - the whole of `create`; on failure everything is undone again. */
int creation_run(struct creation *c, const struct kata *k,
		 const struct kata_create_args *args, bool foreground,
		 struct kata_err *err) MUST_CHECK;
/** creation_done() - let go of what is held; the container stays. After a failure too. */
void creation_done(struct creation *c);

/* spawn.c: the two processes on the host */
int spawn_sandbox(struct creation *c, struct kata_err *err) MUST_CHECK;
int spawn_shim(struct creation *c, struct kata_err *err) MUST_CHECK;
/** spawn_end() - kill and reap; nothing when it never started. */
void spawn_end(struct proc *p);

/* netns.c: which network namespace they live in */
int netns_open(struct creation *c, struct kata_err *err) MUST_CHECK;
int netns_of_process(pid_t pid, struct kata_err *err) MUST_CHECK;

#endif
