// SPDX-License-Identifier: Apache-2.0
/*
 * dial: how the agent reaches the host: CID 2, port = the guest's own CID; or, in tests, a
 * unix socket that stands for it.
 *
 * Must not know: what is said on a connection.
 */
#include "dial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "base/mem.h"
#include "base/sock.h"

/** The host listens before it starts the VM: waiting longer than this is a fault. */
#define DIAL_TIMEOUT_MS 20000

bool dial_vsock_ready(struct dialer *d)
{
	AUTO_CLOSE int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
	unsigned int cid = VMADDR_CID_ANY;

	if (fd < 0 || ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) < 0)
		return false;
	/* without a transport the loopback's or no CID is told */
	if (cid == VMADDR_CID_ANY || cid <= VMADDR_CID_HOST)
		return false;
	d->cid = VMADDR_CID_HOST;
	d->port = cid;
	return true;
}

int dial_control(const struct dialer *d)
{
	if (d->path)
		return sock_connect_path(d->path, SOCK_STREAM);
	return sock_vsock_connect(d->cid, d->port, DIAL_TIMEOUT_MS);
}

static int dial_vsock(const struct dialer *d, bool *ret_connecting)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = d->cid,
		.svm_port = d->port,
	};
	AUTO_CLOSE int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   0);

	if (fd < 0)
		return -errno;
	*ret_connecting = false;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		*ret_connecting = true;
	}
	return TAKE_FD(fd);
}

int dial_stream(const struct dialer *d, bool *ret_connecting)
{
	int fd, flags;

	if (!d->path)
		return dial_vsock(d, ret_connecting);
	*ret_connecting = false;
	fd = sock_connect_path(d->path, SOCK_STREAM);
	if (fd < 0)
		return fd;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		int code = -errno;

		close(fd);
		return code;
	}
	return fd;
}
