// SPDX-License-Identifier: Apache-2.0
#include "net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define TUN_PATH "/dev/net/tun"

/* The kernel puts the lowest number for which the name is free. */
#define TAP_TEMPLATE "kata%d"

static int open_queue(const char *name, bool many, struct ifreq *req,
		      struct kata_err *err)
{
	AUTO_CLOSE int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open " TUN_PATH " (modprobe tun)");
	*req = (struct ifreq){ 0 };
	str_copy(req->ifr_name, sizeof(req->ifr_name), name);
	/* vnet header: checksums and large segments stay undone between guest and host */
	req->ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (many)
		req->ifr_flags |= IFF_MULTI_QUEUE;
	if (ioctl(fd, TUNSETIFF, req) < 0)
		return err_sys(err, "make a tap interface");
	return TAKE_FD(fd);
}

/* Without an address of its own the host would still speak on it: listener reports, solicitations. */
static void silence(const char *name)
{
	AUTO_FREE char *path = mem_printf("/proc/sys/net/ipv6/conf/%s/disable_ipv6",
					  name);
	int r = fs_write_str(AT_FDCWD, path, "1");

	if (r < 0 && r != -ENOENT)
		log_debug("%s: IPv6 stays on: %s", name, err_text(-r));
}

int tap_open(unsigned queues, struct tap *ret, struct kata_err *err)
{
	struct tap t = { .name = TAP_TEMPLATE };

	memset(t.fd, -1, sizeof(t.fd));
	memset(t.vhost, -1, sizeof(t.vhost));
	for (; t.queues < queues && t.queues < TAP_MAX_QUEUES; t.queues++) {
		struct ifreq req;
		int fd = open_queue(t.name, queues > 1, &req, err);

		if (fd < 0) {
			tap_close(&t);
			return fd;
		}
		t.fd[t.queues] = fd;
		str_copy(t.name, sizeof(t.name), req.ifr_name);
		t.vhost[t.queues] = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	}
	t.index = (int)if_nametoindex(t.name);
	if (t.index == 0) {
		err_sys(err, "find the tap interface %s", t.name);
		tap_close(&t);
		return err->code;
	}
	silence(t.name);
	*ret = t;
	return 0;
}

void tap_close(struct tap *t)
{
	for (unsigned i = 0; i < TAP_MAX_QUEUES; i++) {
		fd_drop(&t->fd[i]);
		fd_drop(&t->vhost[i]);
	}
}
