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
	struct shim_input *next;
	struct shim_conn *conn; /* NULL = from the beginning */
	struct loop_src gone; /* of a connection: waits for the guest to have taken all */
	uint32_t stream;      /* proto/msg.h */
	bool attached;	      /* CTL_STREAM has come */
	bool half;
};

/** struct shim_output - a stream from the guest to the caller. */
struct shim_output {
	struct pump pump;
	struct shim *shim;
	struct shim_output *next;
	struct shim_conn *conn;
	uint32_t stream; /* proto/msg.h */
	bool attached;	 /* CTL_STREAM has come: the pump runs or has run */
	bool announced;	 /* CTL_STREAM_END has come */
	bool done;	 /* delivered all there is, or nobody wants it */
	bool half;
};

/** struct shim_conn - accepted at a passed listener. */
struct shim_conn {
	struct shim_input *in;
	struct shim_output *out;
	uint32_t number;
	bool in_done;
};

/** struct shim_listener - a passed one; @fd owned, watched when the guest is there. */
struct shim_listener {
	struct loop_src src;
	struct shim *shim;
	struct shim_listener *next;
	unsigned index;
	int fd;
};

/** Connections at once; more wait in the backlog. */
#define SHIM_MAX_CONNS 256

enum { SHIM_STDIN, SHIM_STDOUT, SHIM_STDERR, SHIM_STDIO };

struct shim {
	struct loop *loop;
	struct link link;
	struct loop_src signals, timer;
	bool terminal;
	bool callers_tty; /* its keys are for the guest process */
	struct shim_input *inputs;
	struct shim_output *outputs;
	struct shim_input *main_in;   /* stdin, or the terminal's */
	struct shim_output *main_out; /* stdout, or the terminal's */
	struct shim_listener *listeners;
	bool accepts; /* the guest is there */
	uint32_t last_conn, n_conns;
	bool ended; /* @status stands; what is left is draining */
	int status;
};

/** struct shim_relay - a passed descriptor: what is read of it, what is written to it. */
struct shim_relay {
	struct end in, out; /* fd -1 = not that way */
	bool socket;
	int listener; /* -1 = it is none */
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

/* For conns.c. */
struct shim_input *shim_add_input(struct shim *s, uint32_t stream, struct end *from,
				  bool half);
struct shim_output *shim_add_output(struct shim *s, uint32_t stream, struct end *to,
				    bool half);

/* conns.c: connections to passed listeners */

/** conns_listen() - @fd taken; nothing is accepted before conns_begin(). */
void conns_listen(struct shim *s, unsigned index, int fd);
void conns_begin(struct shim *s);
/** conn_input_ended() - all is told to the guest, which has it yet to take; @broken: it takes no more. */
void conn_input_ended(struct shim_input *in, bool broken);
/** conn_settle() - an end of it is done: when both are it is freed. */
void conn_settle(struct shim_conn *c);
/** conn_refused() - the guest's listener is not there any more. */
void conn_refused(struct shim_conn *c);

/** shim_run() - until the guest process has ended and its output is delivered. Return: exit status. */
int shim_run(struct shim *s);

#endif
