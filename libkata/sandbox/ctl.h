/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl: messages between kata-runtime, kata-sandbox and kata-shim on the host.
 *
 * SOCK_SEQPACKET, one struct ctl_msg per packet (the text's unused tail is not
 * sent), descriptors by SCM_RIGHTS. kata-runtime starts a sandbox with one end
 * of a socket pair; later calls connect to <root>/<sandbox id>/ctl. A shim is
 * started with one end of another pair whose other end the sandbox got with
 * CTL_CREATE or CTL_EXEC.
 *
 * A closed connection is a message too:
 *   creator gone before its CTL_REPLY   the sandbox undoes the container
 *   shim gone before CTL_EXIT           the guest process is killed (SIGKILL)
 *   shim gone after CTL_EXIT            drained: the process is done with
 *   sandbox gone                        shims exit 137, callers report it
 */
#ifndef KATA_SANDBOX_CTL_H
#define KATA_SANDBOX_CTL_H

#include <stdint.h>

#include "base/err.h"
#include "base/sock.h"
#include "oci/names.h"
#include "proto/msg.h"

#define CTL_VERSION 1

enum ctl_type {
	/* kata-runtime -> kata-sandbox; each gets one CTL_REPLY */
	CTL_CREATE =
		1, /* id; text = bundle; fds: config.json (memfd), shim's connection and, with
			 * CTL_F_CGROUP, the directory of its memory cgroup on the host.
			 * Built to the exec gate when the reply comes */
	CTL_START, /* id: open the gate */
	CTL_EXEC, /* id; number = the shim's pid, bytes = its start time; fds: process.json,
			 * shim's connection; flags & CTL_F_PAUSED. Runs when the reply comes */
	CTL_KILL, /* id; number = signal; flags & CTL_F_ALL */
	CTL_PAUSE,
	CTL_RESUME, /* id */
	CTL_DELETE, /* id: forget a stopped container; the reply's number = containers left */
	CTL_UPDATE, /* id; fds: resources.json */
	CTL_STATS,  /* id; the reply's fd: JSON, the "data" of runc's events --stats */
	CTL_PS,	    /* id; the reply's fd: JSON array of the pids of its execs' shims */
	CTL_EVENTS, /* id; after the reply the connection stays open and gets CTL_OOM; it is
		     * closed when the container has ended */
	/* kata-sandbox -> kata-runtime */
	CTL_REPLY = 32, /* code, status, text, number; maybe one fd */
	CTL_OOM,	/* the guest's kernel killed for want of memory */
	/* kata-sandbox -> kata-shim */
	CTL_STREAM =
		64, /* number = the stream's (proto/msg.h); fd: connected to the guest's */
	CTL_STREAM_END, /* number, bytes: the guest wrote so many bytes in all */
	CTL_EXIT,	/* status: the guest process has ended; drain and exit */
	/* kata-shim -> kata-sandbox */
	CTL_SIGNAL = 96, /* number = signal */
	CTL_WINSIZE,	 /* height, width */
	CTL_STDIN_END, /* number = an input stream, bytes: the host wrote so many in all */
	CTL_CONNECT, /* number = a passed listener's index, bytes = the connection's number. It is
		      * refused by a CTL_STREAM_END of its input */
	CTL_DISCONNECT, /* number = the connection's: it is over, both ways */
	CTL_FAILED, /* text: why the stand-in of a container could not begin; it ends */
};

#define CTL_F_ALL 1u	/* every process of the container */
#define CTL_F_CGROUP 2u /* a third descriptor is there */
#define CTL_F_PAUSED 4u /* exec --ignore-paused */
/* CTL_CREATE, CTL_EXEC: descriptor 0, 1 or 2 of the shim is /dev/null; so is the guest process's */
#define CTL_F_NULL(stream) (8u << (stream))
#define CTL_F_NO_KEYRING 256u /* create --no-new-keyring */
#define CTL_F_PASSED                                                                     \
	128u /* behind the others: passed.json (proto/passed.h), and for each file in it, in
	    * order, a mount that is nowhere yet */

struct ctl_msg {
	uint16_t version, type;
	uint32_t flags;
	int32_t code; /* 0 or -errno */
	uint32_t status; /* exit status; in a reply: the status the caller should end with, 0 = its default */
	uint32_t number;
	uint16_t height, width;
	uint64_t bytes;
	char id[OCI_ID_MAX + 1];
	char text[KATA_ERR_MAX];
};

/** ctl_send() - one message; borrowed descriptors. */
int ctl_send(int fd, struct ctl_msg *m, const int *fds, size_t n_fds) MUST_CHECK;
/**
 * ctl_recv() - one message, checked (version, type known, strings terminated, numbers of
 * descriptors <= SOCK_MAX_FDS). 1 = got one, 0 = closed, -errno (-EAGAIN when non-blocking).
 */
int ctl_recv(int fd, struct ctl_msg *ret, int fds[SOCK_MAX_FDS],
	     size_t *ret_n) MUST_CHECK;

/**
 * struct ctl_ask - a request and its answer.
 * @m:          in: the request; out: the reply
 * @fds, @n_fds: go with it, borrowed
 * @timeout_ms: -1 = no limit
 * @ret_fd:     where the reply's descriptor goes (-1 = there was none); NULL = it is closed
 */
struct ctl_ask {
	struct ctl_msg m;
	const int *fds;
	size_t n_fds;
	int timeout_ms;
	int *ret_fd;
};

/** ctl_begin() - only send: what is to be done while the sandbox is at work goes between. */
int ctl_begin(int fd, const struct ctl_ask *ask, struct kata_err *err) MUST_CHECK;
/** ctl_end() - wait for the CTL_REPLY to ctl_begin(); a failure in it becomes @err. */
int ctl_end(int fd, struct ctl_ask *ask, struct kata_err *err) MUST_CHECK;
/** ctl_call() - both. */
int ctl_call(int fd, struct ctl_ask *ask, struct kata_err *err) MUST_CHECK;

/** Descriptors that kata-sandbox and kata-shim are started with. */
enum sandbox_fd {
	SANDBOX_FD_CTL = 3,
	SANDBOX_FD_DIR = 4,
	SANDBOX_FD_CONF = 5,
	SANDBOX_FD_MOUNTS = 6, /* the creator's mount namespace; stays open */
	SANDBOX_FD_FIRST_FREE = 7
};
enum shim_fd {
	SHIM_FD_CTL = 3,
	SHIM_FD_ROOTFS = 4,
	SHIM_FD_FIRST_FREE = 5,
	SHIM_FD_PASSED = 5, /* first of those in SHIM_ENV_PASSED */
	SHIM_FD_USERNS = SHIM_FD_PASSED +
			 PROTO_PASSED_MAX, /* what it is: SHIM_ENV_USERNS */
};

/**
 * What kata-shim is for: the container's init, which stands for its namespaces too, or a further
 * process. The latter may be kata-runtime itself, which became the shim by exec (foreground): then
 * the terminal is the caller's, raw while the process runs.
 *
 * kata-shim's argv is the container's own command line, so that ps and docker top show it;
 * its settings come in these environment variables (no others):
 */
#define SHIM_ENV_CALLERS_TTY "KATA_SHIM_CALLERS_TTY" /* "1": see above */
#define SHIM_ENV_TERMINAL "KATA_SHIM_TERMINAL"	     /* "0" streams, "1" terminal */
#define SHIM_ENV_HOSTNAME "KATA_SHIM_HOSTNAME"	     /* "" = leave */
#define SHIM_ENV_COMM "KATA_SHIM_COMM"		     /* name for PR_SET_NAME */
/* how the shim gets into a user namespace: SHIM_FD_USERNS is a pipe to close then, or the namespace */
#define SHIM_ENV_USERNS "KATA_SHIM_USERNS"
#define SHIM_USERNS_NONE ""
#define SHIM_USERNS_NEW "new"
#define SHIM_USERNS_JOIN "join"
#define SHIM_ENV_NEWNS                                                                   \
	"KATA_SHIM_MOUNTS" /* "1": SHIM_FD_ROOTFS becomes the root of the own mount ns */
/*
 * One letter for each descriptor that the process gets behind its stdio: who in the guest does what
 * with the relayed one at SHIM_FD_PASSED + its index. The others are not the shim's.
 */
#define SHIM_ENV_PASSED "KATA_SHIM_PASSED"
enum shim_passed {
	SHIM_PASSED_NOT = '-',
	SHIM_PASSED_READ = 'r',	    /* a pipe that is read in the guest */
	SHIM_PASSED_WRITE = 'w',    /* ... that is written there */
	SHIM_PASSED_SOCKET = 's',   /* both */
	SHIM_PASSED_LISTENER = 'l', /* connections are accepted and relayed */
};

#endif
