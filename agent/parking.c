// SPDX-License-Identifier: Apache-2.0
/*
 * parking: drivers put their cards into the machine's first network namespace. The agent and
 * with it all containers live in another one, so that a card is seen when net.c has brought it
 * over, and not before; there are more cards than interfaces. Of the first namespace two sockets
 * are kept: a socket is of the namespace in which it was made.
 *
 * Must not know: which card is wanted.
 */
#include "parking.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "netlink.h"

static int loopback_up(struct kata_err *err)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(err, "lo up");
	return 0;
}

int parking_leave(struct parking *p, struct kata_err *err)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	AUTO_CLOSE int talk = nl_open(err);
	AUTO_CLOSE int watch = -1;

	if (talk < 0)
		return talk;
	watch = nl_open(err);
	if (watch < 0)
		return watch;
	/* one that has not even an address of its own gets no notifications */
	if (bind(watch, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return err_sys(err, "bind a netlink socket");
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(err, "make a network namespace (CONFIG_NET_NS)");
	p->talk = TAKE_FD(talk);
	p->watch = TAKE_FD(watch);
	return loopback_up(err);
}

int parking_follow(pid_t pid, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, "join the container's network namespace");
	return loopback_up(err);
}

static int membership(const struct parking *p, int option)
{
	const int group = RTNLGRP_LINK;

	return setsockopt(p->watch, SOL_NETLINK, option, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

int parking_watch(const struct parking *p)
{
	return membership(p, NETLINK_ADD_MEMBERSHIP);
}

void parking_unwatch(const struct parking *p)
{
	membership(p, NETLINK_DROP_MEMBERSHIP);
}
