/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim: the stand-in at work: streams between the caller's stdio and the
 * guest, signals, and the end. All that kata-shim has at run time.
 */
#ifndef KATA_SHIM_SHIM_H
#define KATA_SHIM_SHIM_H

#include "link.h"
#include "plan.h"
#include "pump.h"

/*
 * A passed socket is one of each with its own descriptor. Closing one says nothing to the far side while
 * there is the other: so it is shut down (@half).
 */

/** struct shim_input - a stream from the caller to the guest. */
struct shim_input {
	struct pump pump;
	struct shim *shim;
	uint32_t stream; /* proto/msg.h */
	bool attached;	 /* CTL_STREAM has come */
	bool half;
};

/** struct shim_output - a stream from the guest to the caller. */
struct shim_output {
	struct pump pump;
	struct shim *shim;
	uint32_t stream; /* proto/msg.h */
	bool attached;	 /* CTL_STREAM has come: the pump runs or has run */
	bool announced;	 /* CTL_STREAM_END has come */
	bool done;	 /* delivered all there is, or nobody wants it */
	bool half;
};

enum { SHIM_STDIN, SHIM_STDOUT, SHIM_STDERR, SHIM_STDIO };

struct shim {
	struct loop *loop;
	struct link link;
	struct loop_src signals, timer;
	bool terminal;
	bool callers_tty; /* its keys are for the guest process */
	/* [0]: stdin, or the terminal's. Allocated once, never moved */
	struct shim_input *inputs;
	/* [0], [1]: stdout, stderr; with a terminal the first is both */
	struct shim_output *outputs;
	size_t n_inputs, n_outputs;
	bool ended; /* @status stands; what is left is draining */
	int status;
};

/** struct shim_relay - a passed descriptor: what is read of it, what is written to it. */
struct shim_relay {
	struct end in, out; /* fd -1 = not that way */
	bool socket;
};

/**
 * struct shim_start - what a shim begins with; the ends are taken.
 * @relays: of the passed descriptors, in order; those that are not the shim's have no ends
 * @signals: signalfd, taken. @ctl: the connection to kata-sandbox
 */
struct shim_start {
	bool terminal;
	struct end stdio[SHIM_STDIO];
	struct shim_relay *relays;
	size_t n_relays;
	int signals, ctl;
};

/** shim_init() - nothing is read from the caller before the guest's stream for it is there. */
int shim_init(struct shim *s, struct shim_start *from, struct kata_err *err) MUST_CHECK;

/** shim_run() - until the guest process has ended and its output is delivered. Return: exit status. */
int shim_run(struct shim *s);

#endif
