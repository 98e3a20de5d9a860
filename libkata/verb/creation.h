/* SPDX-License-Identifier: Apache-2.0 */
/*
 * creation: a container being made: everything `create` and `run` hold until
 * it stands or is undone.
 */
#ifndef KATA_VERB_CREATION_H
#define KATA_VERB_CREATION_H

#include <signal.h>

#include "base/buf.h"
#include "base/proc.h"
#include "cgroup/cgroup.h"
#include "conf/conf.h"
#include "verb/bundle.h"
#include "verb/console.h"
#include "verb/passing.h"
#include "verb/verb.h"

/**
 * struct membership - whose VM the container runs in, and whose namespaces it shares there.
 * @host:      a live container of that VM, in the bundle's arena; NULL = it gets a VM of its own
 * @annotated: annotations say so, not only namespaces
 * @owner:     by type: whose namespace linux.namespaces[].path is; NULL = nobody's of that VM
 * @ns_fd:     by type, open: ipc, uts, pid and user that are named by path; -1 = none
 */
struct membership {
	const struct store_record *host;
	bool annotated;
	const char *owner[OCI_NS_TYPES];
	int ns_fd[OCI_NS_TYPES];
};

struct creation {
	const struct kata *k;
	const struct kata_create_args *args;
	bool foreground;   /* run without --detach */
	uint64_t began_us; /* CLOCK_MONOTONIC */
	char *root;
	struct conf *conf;
	struct bundle bundle;
	struct console console;
	struct passing passing;
	int netns_fd;	  /* the network namespace of sandbox and shim; -1 = not yet */
	bool netns_given; /* the spec names it by path */
	struct membership membership;
	struct store_dir dir;
	const char *cgroup_name; /* in the bundle's arena */
	struct cgroup *cgroup;	 /* NULL = not made */
	int sandbox_fd;		 /* the sandbox's directory, when it is ours to start */
	struct store_record rec;
	struct store_proc rec_shim, rec_sandbox;
	struct proc sandbox, shim;
	int ctl_fd;	    /* to the sandbox */
	int shim_fd;	    /* the shim's end of its connection to the sandbox */
	int sandbox_end_fd; /* the other end, until the sandbox has it */
	int userns_fd; /* at its end the shim is in its new user namespace; -1 = in none */
	int sig_fd;    /* signals that interrupt the creation */
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
/** spawn_connect() - to the sandbox that is joined, instead of starting one. */
int spawn_connect(struct creation *c, struct kata_err *err) MUST_CHECK;
int spawn_shim(struct creation *c, struct kata_err *err) MUST_CHECK;
/** spawn_end() - kill and reap; nothing when it never started. */
void spawn_end(struct proc *p);

/* shim_userns.c: the shim's user namespace */

/** struct shim_userns - what the shim is given: @how is the value of SHIM_ENV_USERNS, "" = none. */
struct shim_userns {
	const char *how;
	int fd;
	bool ours; /* to close */
};
int shim_userns_prepare(struct creation *c, struct shim_userns *ret,
			struct kata_err *err) MUST_CHECK;
/** shim_userns_given() - the shim has it; ours would hide that it has let go. */
void shim_userns_given(struct shim_userns *u);
/** shim_userns_map() - wait until the shim is in a new one, and write its maps. */
int shim_userns_map(struct creation *c, struct kata_err *err) MUST_CHECK;

/* netns.c: which network namespace they live in */
int netns_open(struct creation *c, struct kata_err *err) MUST_CHECK;
/** netns_check_free() - after membership_decide(): a VM of its own takes all the traffic there is. */
int netns_check_free(struct creation *c, struct kata_err *err) MUST_CHECK;
int netns_of_process(pid_t pid, struct kata_err *err) MUST_CHECK;

/* placement.c: its cgroup on the host */

/** placement_name() - what it will be called; touches nothing. */
int placement_name(struct creation *c, struct kata_err *err) MUST_CHECK;
/**
 * placement_make() - with the sandbox in it, or the shim of a container that joins a VM; limits
 * but the CPU quota.
 */
int placement_make(struct creation *c, struct kata_err *err) MUST_CHECK;
/** placement_throttle() - the CPU quota: the boot was not to be slowed by it. */
int placement_throttle(struct creation *c, struct kata_err *err) MUST_CHECK;
/** placement_remove() - of a creation that is undone, after its processes have ended. */
void placement_remove(struct creation *c);

/* membership.c: whose VM it runs in */

/** membership_decide() - after netns_open(). Touches nothing. */
int membership_decide(struct creation *c, struct kata_err *err) MUST_CHECK;
/** membership_config() - the config.json for the sandbox: containers' ids instead of paths, LISTEN_FDS. */
void membership_config(const struct creation *c, struct buf *out);
void membership_done(struct membership *m);

#endif
