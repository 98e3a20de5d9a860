// SPDX-License-Identifier: Apache-2.0
#include "net/watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* Datagrams of one call: whoever makes more is not served faster, nor anybody else later. */
#define DRAIN_MAX 256
/* A datagram of a notification is one message; a link with all its attributes has some KiB. */
#define DATAGRAM_MAX 32768

int net_watch_open(struct kata_err *err)
{
	static const int groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,	 RTNLGRP_NEIGH,
		RTNLGRP_IPV4_RULE,  RTNLGRP_IPV6_RULE,
	};
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   NETLINK_ROUTE);
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		self.nl_groups |= 1u << (groups[i] - 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return err_sys(err, "watch the network namespace");
	return TAKE_FD(fd);
}

static void look(const void *data, size_t len, void (*gone)(void *arg, int index),
		 void *arg)
{
	const struct nlmsghdr *h = data;
	const struct ifinfomsg *info;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		info = NLMSG_DATA(h);
		if (h->nlmsg_type == RTM_DELLINK &&
		    h->nlmsg_len >= NLMSG_LENGTH(sizeof(*info)) &&
		    info->ifi_family == AF_UNSPEC)
			gone(arg, info->ifi_index);
	}
}

bool net_watch_drain(int fd, void (*gone)(void *arg, int index), void *arg)
{
	_Alignas(struct nlmsghdr) char data[DATAGRAM_MAX];
	bool lost = false;

	for (int i = 0; i < DRAIN_MAX; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from,
				     &len);

		if (n < 0 && errno == ENOBUFS)
			lost = true;
		else if (n < 0 && errno != EINTR)
			break;
		else if (n > 0 && from.nl_pid == 0) /* the kernel, not a neighbour */
			look(data, (size_t)n, gone, arg);
	}
	return lost;
}
