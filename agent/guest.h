/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest: what there is once per agent. Made by main, passed to all who act.
 */
#ifndef KATA_AGENT_GUEST_H
#define KATA_AGENT_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "proto/chan.h"

struct container;
struct dns;
struct forwards;
struct net;
struct network;

/**
 * struct dialer - the way to the host.
 * @path: a unix socket instead of vsock: the test entry; NULL in a VM
 */
struct dialer {
	uint32_t cid, port;
	const char *path;
};

/** struct parking - netlink sockets of the parking place (parking.c). @watch: its notifications. */
struct parking {
	int talk, watch;
};

/**
 * struct guest
 * @share:      where the shared tree is mounted
 * @is_vm:      pid 1 of a VM: its end is the machine's end. False under --test-socket
 * @welcomed:   MSG_WELCOME came; before it nothing else is legal
 * @cgroup_fd:  root of the cgroup2 tree, below which each container gets a group; -1 = none
 * @cgroup:     path of cgroup_fd
 * @modules, @modules_left: text of the list of modules, and what of it is still to be loaded
 * @watch:      inotify on the containers' groups (watch.c)
 * @net:        what MSG_NETWORK brought (net.c); NULL = nothing yet
 * @network:    a MSG_NETWORK that waits for its card (network.c); NULL = none
 * @dns:        the relay of dns.c; NULL = the host wants none
 * @forwards:   connections to ports of loopback (forward.c); NULL = none yet
 * @pidns_fd:   the agent's own pid namespace, to come back to after a fork into another
 */
struct guest {
	struct loop *loop;
	struct chan control;
	struct dialer dial;
	struct parking parking;
	struct loop_src signals, watch;
	const char *share, *cgroup;
	bool is_vm, welcomed;
	int signal_fd, watch_fd, cgroup_fd, pidns_fd;
	struct container *containers;
	struct net *net;
	struct network *network;
	struct dns *dns;
	struct forwards *forwards;
	char *modules, *modules_left;
};

/** guest_settle() - take every container and process as far as it can go now; the tail of every
 *  event. May free containers and processes: the caller touches none afterwards. */
void guest_settle(struct guest *g);

/** guest_end() - the host is gone or wants the end: sync, then the machine stops. */
__attribute__((noreturn)) void guest_end(const struct guest *g, int status);

#endif
