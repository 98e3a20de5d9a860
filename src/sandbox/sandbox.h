/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox: the objects of kata-sandbox and who may touch what.
 *
 *   main.c       descriptors, loop, signals
 *   machine.c    life of the sandbox: state x event table; containers as a whole
 *   host.c       what is made on the host for the VM: table of steps with up and down
 *   callers.c    connections of kata-runtime
 *   requests.c   what it asks for (CTL_*): table of handlers and legal states
 *   network.c    cards, and the interfaces of the network namespace they stand for
 *   shims.c      kata-shims: streams and exits to them, signals and sizes from them
 *   passed.c     descriptors that processes get behind their stdio
 *   conns.c      connections to listening ones of these
 *   dns.c        the engine's resolver, for the guest
 *   forward.c    connections to the namespace's loopback, for the guest
 *   notify.c     what programs say at NOTIFY_SOCKET
 *   oom.c        the guest's want of memory, shown to engines on the host
 *   timeline.c   when each phase was reached
 *
 * One process, one loop. Two callers of callbacks: the guest (agent_client)
 * and the host (ctl). Nothing here blocks but host_up(), which waits a few
 * milliseconds for helpers it has just started, with a deadline.
 */
#ifndef KATA_SRC_SANDBOX_H
#define KATA_SRC_SANDBOX_H

#include "base/child.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "net/lookup.h"
#include "net/trace.h"
#include "oci/spec.h"
#include "proto/dns.h"
#include "proto/forward.h"
#include "proto/notify.h"
#include "sandbox/agent_client.h"
#include "sandbox/ctl.h"
#include "sandbox/guest_spec.h"
#include "share/share.h"
#include "vmm/vmm.h"

struct sandbox;

/** struct host - what was made on the host; host.c owns it. */
struct host {
	struct arena *arena;
	struct vm_facts facts;
	struct vm_plan plan;
	const struct vmm_driver *driver;
	struct vmm *vmm;
	int share_fd;	/* root of the shared tree */
	int inotify_fd; /* watches the directory while sockets are waited for */
	int vsock_fd;	/* given to the VMM */
	int fs_fd;	/* given to the VMM */
	struct child vsock_device, virtiofsd;
	unsigned steps; /* how many of the table are up */
};

/** The address at which docker's resolver answers in a container's namespace. */
#define NETWORK_RELAY_IP "127.0.0.11"

/** struct network - network.c owns it. */
struct network {
	struct nl_sock *nl;
	struct loop_src watch, rest;
	int watch_fd; /* out of the loop while it rests */
	struct tap taps[VM_MAX_CARDS];
	struct net_card cards[VM_MAX_CARDS];
	unsigned n_cards;
	struct net_trace trace;
	bool dns;		 /* answers of DNS servers pass to docker's resolver */
	char *ports;		 /* what trace.ports points to */
	char *told;		 /* the last MSG_NETWORK, unless the guest refused it */
	bool spoken;		 /* there was one */
	unsigned asked;		 /* answers to MSG_NETWORK under way */
	struct kata_err refused; /* the last answer, if it was a refusal */
};

struct arrival;

/** struct forwarding - forward.c owns it. @first: connections that have no relay yet. */
struct forwarding {
	struct lookup lookup;
	struct loop_src listen[LOOKUP_FAMILIES], rest;
	int fd[LOOKUP_FAMILIES]; /* out of the loop while no more are taken */
	uint16_t port[LOOKUP_FAMILIES];
	struct forward_set set;
	struct arrival *first;
	unsigned arrivals;
	uint32_t last;
};

/* Life of a container in this VM. */
enum ct_state {
	CT_ASKED,    /* its shim waits; the guest has not been told (still booting) */
	CT_BUILDING, /* MSG_CREATE is under way */
	CT_CREATED,  /* stands at the exec gate */
	CT_STARTING, /* MSG_START is under way */
	CT_RUNNING,
	CT_PAUSED, /* running, its cgroup is frozen */
	CT_EXITED, /* its init has ended; the shim drains */
};

struct caller;
struct passed;
struct conn;

struct process {
	struct process *next;
	struct container *ct;
	uint32_t number; /* 0 = init */
	pid_t pid; /* of its shim, in kata-runtime's pid namespace; 0 = not known (init) */
	struct loop_src shim;
	uint64_t creator; /* waits for the answer to CTL_CREATE or CTL_EXEC; 0 = none */
	int stream[STREAM_MAX]; /* copies of what the shim got, -1 = none: see shims.c */
	struct passed *passed;	/* NULL = nothing but stdio */
	uint32_t flags;		/* of its CTL_CREATE or CTL_EXEC */
	struct conn *conns;	/* to its passed listeners */
	uint16_t height, width; /* of its terminal, as last told; 0 = never */
	uint64_t signals;	/* came before there was a guest process; bit n - 1 */
	bool built;		/* the guest has it */
	bool started;		/* init: its streams are open */
	bool exited;		/* with @status */
	bool told;		/* the shim has the status */
	uint8_t status;
};

/** struct oom - a helper that is killed for want of memory on the host, see oom.c. */
struct oom {
	struct child helper;
	char limit[32], both[32]; /* the group's own limits while others stand */
};

/** struct notify - @text waits while @src is in the loop, see notify.c. */
struct notify {
	struct loop_src src;
	struct notify_rate rate;
	char text[PROTO_MAX_TEXT + 1];
};

struct container {
	struct container *next;
	struct sandbox *sb;
	uint32_t number; /* unique in this VM, from 1 */
	enum ct_state state;
	char id[OCI_ID_MAX + 1];
	struct arena *arena;
	const struct oci_spec *spec;
	struct filter filter; /* of its system calls */
	const char *bundle;
	struct process *processes;
	bool shared;		      /* its binds are in the shared tree */
	struct jt_objv shared_mounts; /* share_facts(): what the guest is told of them */
	int memory_fd; /* directory of its memory cgroup on the host, -1 = none */
	struct oom oom;
	struct msg_stats stats; /* the last the guest told */
	struct notify notify;
	uint64_t starter; /* its start waits for the guest's network */
	bool start_waits;
};

/**
 * struct caller - one connection of kata-runtime, for one request. Whoever keeps one while others
 * may run keeps its @serial: it can leave at any time, and its memory become another's.
 */
struct caller {
	struct caller *next;
	uint64_t serial; /* unique in this sandbox, from 1 */
	struct sandbox *sb;
	struct loop_src src;
	bool waits;		     /* its answer is under way */
	bool listens;		     /* to the events of @container */
	uint32_t container, process; /* the request's */
};

enum sb_state {
	SB_EMPTY,
	SB_BOOTING,
	SB_UP,
	SB_LOSING, /* it is over, and the VMM has a moment to say that it was first to end */
	SB_ENDING,
	SB_STATES
};
enum sb_event {
	EV_CREATE,
	EV_GUEST_UP,
	EV_TIMEOUT,
	EV_LOST, /* the VMM has ended */
	EV_BROKEN, /* a helper or the agent is gone: the cause, or a consequence of the VMM's end */
	EV_LAST_GONE,
	SB_EVENTS
};

struct timeline {
	uint64_t began_us; /* CLOCK_MONOTONIC when `create` began */
	unsigned n;
	struct {
		const char *name;
		uint64_t us;
	} marks[16];
};

struct sandbox {
	struct loop *loop;
	int dirfd;
	struct conf *conf;
	enum sb_state state;
	struct host host;
	struct network network;
	struct agent *agent;
	uint32_t agent_version; /* that both speak */
	struct loop_src boot_timer, ctl_listen;
	struct container *containers;
	uint32_t last_container, last_process;
	struct caller *callers;
	uint64_t last_caller;
	struct timeline timeline;
	struct dns_relays dns; /* dns.c */
	struct forwarding forwarding;
	struct kata_err why; /* why it ends, when something went wrong */
};

/* machine.c */

/** sandbox_event() - something happened to the sandbox as a whole. @ct: EV_CREATE's; @why: EV_LOST's. */
void sandbox_event(struct sandbox *sb, enum sb_event ev, struct container *ct,
		   const char *why);
extern const struct agent_ops sandbox_agent_ops;

/** struct container_new - from CTL_CREATE; shim_fd, memory_fd and the arena are taken. */
struct container_new {
	const char *id, *bundle;
	const struct oci_spec *spec;
	struct arena *arena;
	int shim_fd, memory_fd;
};
struct container *container_new_take(struct sandbox *sb,
				     const struct container_new *from);
struct container *container_by_id(struct sandbox *sb, const char *id);
struct container *container_by_number(struct sandbox *sb, uint32_t number);
struct process *container_process(struct container *ct, uint32_t number);
/**
 * container_guest_error() - what a failed request means to whoever typed the command, in the
 * words of config.json. @m: the agent's answer; NULL: none came, for the reason @code. @starts: a
 * program was to be run, and runc says so in front.
 */
void container_guest_error(const struct container *ct, const struct msg_reply *m,
			   int code, bool starts, struct kata_err *err);
/** container_tell_exits() - to the shims that have not heard; the container may be gone after. */
void container_tell_exits(struct container *ct);
/** container_remove() - forget it and all of its processes; the last one ends the sandbox. */
void container_remove(struct container *ct);

/* host.c */

/** host_up() - everything the VM needs, and the VM. On failure all is down again. */
int host_up(struct sandbox *sb, struct container *first, struct kata_err *err) MUST_CHECK;
/** host_down() - undo in reverse order. Safe at any time. */
void host_down(struct sandbox *sb);
/** host_share() - the container's files into the shared tree. */
int host_share(struct sandbox *sb, struct container *ct, struct kata_err *err) MUST_CHECK;

/* network.c */

/** network_up() - the step of host.c: cards for what is there and spare ones, wired as far as can be. */
int network_up(struct sandbox *sb, struct container *first,
	       struct kata_err *err) MUST_CHECK;
void network_down(struct sandbox *sb);
/** network_release_taps() - the VMM has them now. */
void network_release_taps(struct sandbox *sb);
/**
 * network_sync() - read the namespace again, wire what has come, tell the guest what has changed. Its
 * answer comes later: network_verdict(). -ENOSPC: there are more interfaces than cards.
 */
int network_sync(struct sandbox *sb, struct kata_err *err) MUST_CHECK;
/** network_verdict() - what the guest said to the last change: 0, or its refusal. */
int network_verdict(const struct sandbox *sb, struct kata_err *err) MUST_CHECK;
/** network_counters() - of the interfaces that are wired. Return: how many. */
int network_counters(struct sandbox *sb, struct net_counters ret[NET_MAX_CARDS]);

/* callers.c */

int caller_add_take(struct sandbox *sb, int fd) MUST_CHECK;
/** caller_answer() - send the one reply and hang up. @err NULL = success. */
void caller_answer(struct caller *c, const struct kata_err *err);
/** caller_answer_with() - success, with a number and a descriptor (borrowed, -1 = none). */
void caller_answer_with(struct caller *c, uint32_t number, int fd);
/** caller_by_serial() - NULL: it has left, or waits for no answer any more. */
struct caller *caller_by_serial(const struct sandbox *sb, uint64_t serial);
/** caller_answer_serial() - as caller_answer(), if it still waits. */
void caller_answer_serial(const struct sandbox *sb, uint64_t serial,
			  const struct kata_err *err);
/** caller_subscribe() - answered, and from now on it hears what happens to @ct. */
void caller_subscribe(struct caller *c, const struct container *ct);
void callers_tell_oom(const struct container *ct);
/** callers_hang_up() - on those that listen to @ct. */
void callers_hang_up(const struct container *ct);
void callers_free(struct sandbox *sb, const struct kata_err *why);
int callers_listen(struct sandbox *sb, struct kata_err *err) MUST_CHECK;

/* requests.c */

/** request_handle() - a packet of a caller. Descriptors that are taken become -1. */
void request_handle(struct caller *c, const struct ctl_msg *m, int *fds, size_t n_fds);
/** requests_network_settled() - the guest has answered MSG_NETWORK: starts that waited go on. */
void requests_network_settled(struct sandbox *sb);

/* dns.c */

/**
 * dns_relay_enable() - may the guest ask the resolver at 127.0.0.11:53 of our network namespace?
 * Off at first, and off again closes what there is. Switch it on before the MSG_NETWORK with
 * "dns": true is sent: that makes the guest listen there.
 * Return: 0, or -errno: no timer
 */
int dns_relay_enable(struct sandbox *sb, bool on) MUST_CHECK;
bool dns_relay_is_enabled(const struct sandbox *sb);
/** dns_client_take() - a connection of the guest's for that resolver; @fd is taken. */
void dns_client_take(struct sandbox *sb, int protocol, int fd);

/* forward.c */

#define FORWARDING_INIT                                                                  \
	{                                                                                \
		.lookup = LOOKUP_INIT, .rest = { .fd = -1 },                             \
		.listen = { { .fd = -1 }, { .fd = -1 } }, .fd = { -1, -1 },              \
	}
/**
 * forwarding_up() - from now on connections to loopback of our network namespace go on in the guest, which
 * is up. A host that cannot do it goes without.
 */
void forwarding_up(struct sandbox *sb);
/** forwarding_down() - none any more; those that are there are reset. */
void forwarding_down(struct sandbox *sb);
/** forwarding_stream_take() - the guest has opened the stream for arrival @number; @fd is taken. */
void forwarding_stream_take(struct sandbox *sb, uint32_t number, int fd);
/**
 * forwarding_route() - where a connection to @port goes. Pure.
 * @own: ports of our own listening sockets, which are no services of the namespace's
 * @taken: something has that port in the namespace
 */
enum forward_route { ROUTE_GUEST, ROUTE_NAMESPACE };
enum forward_route forwarding_route(uint16_t port, const uint16_t own[LOOKUP_FAMILIES],
				    bool taken);

/* notify.c */

/** container_notify() - what its program has said to the socket that stands for NOTIFY_SOCKET on the host. */
void container_notify(struct container *ct, const char *text);
void notify_stop(struct container *ct);

/* oom.c */

/** oom_show() - the guest's kernel has killed in @ct: make the host's count it, too. */
void oom_show(struct container *ct);
/** oom_is_shown() - not under way: exits may be told. */
bool oom_is_shown(const struct container *ct);
void oom_stop(struct container *ct);
/** oom_helper() - main of the helper: take memory until killed. @bytes: how much at most. */
int oom_helper(const char *bytes);
#define OOM_HELPER_ARG "--exhaust"

/* shims.c */

struct process *process_new_take(struct container *ct, uint32_t number, int shim_fd);
void process_free(struct process *p);
/** shim_streams() - what @p's guest process is to open; @st->terminal is set. @st borrows from @p. */
int shim_streams(struct process *p, struct guest_streams *st) MUST_CHECK;
void shim_give_stream_take(struct process *p, unsigned stream, int fd);
void shim_tell(struct process *p, struct ctl_msg *m);
/** shim_drop_stream() - close a stream so that the guest hears of it. */
void shim_drop_stream(int *fd);
/** shim_built() - @p's guest process stands at the exec gate: tell it what came before. */
void shim_built(struct process *p);
/** shim_started() - @p, an init, is about to pass the exec gate: its streams are opened. */
void shim_started(struct process *p);
/** shim_dismiss() - nobody waits for this process: it is killed, its shim let go. */
void shim_dismiss(struct process *p);
/** shim_kill() - the guest process gets SIGKILL; its shim drains and ends with it. */
void shim_kill(struct process *p);

/* passed.c */

/**
 * passed_load() - from what came with CTL_F_PASSED: the document and a mount for each file.
 * The descriptors of mounts are taken.
 */
int passed_load(int *fds, size_t n, struct passed **ret, struct kata_err *err) MUST_CHECK;
void passed_free(struct passed *x);
/** passed_share() - its files into the shared tree; the container's are there already. */
int passed_share(struct process *p, struct kata_err *err) MUST_CHECK;
/** passed_unshare() - of a process that ends before its container. */
void passed_unshare(struct process *p);
/** passed_is_listener() - descriptor @i of @p's. */
bool passed_is_listener(const struct process *p, uint32_t i);
/** passed_streams() - make tokens for what is relayed, fill @st->fds. */
int passed_streams(struct process *p, struct guest_streams *st) MUST_CHECK;

/* conns.c */

/** conn_begin() - CTL_CONNECT: ask the guest for connection @number to listener @i of @p. */
void conn_begin(struct process *p, uint32_t i, uint64_t number);
/** conn_keep_take() - a copy of a stream of one, see shims.c. */
void conn_keep_take(struct process *p, unsigned stream, int fd);
/** conn_end() - CTL_DISCONNECT. */
void conn_end(struct process *p, uint32_t number);
void conns_drop(struct process *p);

/* timeline.c */

void timeline_mark(struct timeline *t, const char *name);
/** timeline_mark_at() - a moment that lies @ago_us before now. */
void timeline_mark_at(struct timeline *t, const char *name, uint64_t ago_us);
/** timeline_write() - <dir>/timeline.json; a failure is only logged. */
void timeline_write(const struct timeline *t, int dirfd);

#endif
