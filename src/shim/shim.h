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

/** struct shim_output - a stream from the guest to the caller. */
struct shim_output {
	struct pump pump;
	struct shim *shim;
	uint32_t stream; /* enum msg_stream */
	bool attached;	 /* CTL_STREAM has come: the pump runs or has run */
	bool announced;	 /* CTL_STREAM_END has come */
	bool done;	 /* delivered all there is, or nobody wants it */
};

enum { SHIM_STDIN, SHIM_STDOUT, SHIM_STDERR, SHIM_STDIO };

struct shim {
	struct loop *loop;
	struct link link;
	struct loop_src signals, timer;
	bool terminal;
	bool callers_tty; /* its keys are for the guest process */
	struct pump input;
	bool input_attached;
	struct shim_output
		outputs[2]; /* stdout, stderr; with a terminal the first is both */
	bool ended;	    /* @status stands; what is left is draining */
	int status;
};

/**
 * shim_init() - take the three @stdio ends and the signalfd @signals. @ctl is
 * the connection to kata-sandbox. Nothing is read from stdin before the guest's
 * stream for it is there.
 */
int shim_init(struct shim *s, bool terminal, struct end stdio[SHIM_STDIO], int signals,
	      int ctl, struct kata_err *err) MUST_CHECK;

/** shim_run() - until the guest process has ended and its output is delivered. Return: exit status. */
int shim_run(struct shim *s);

#endif
