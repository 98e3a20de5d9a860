// SPDX-License-Identifier: Apache-2.0
/*
 * shim_userns: the shim's user namespace on the host. Nothing of the container runs in it; it is there to be found:
 * others name it by /proc/PID/ns/user, of which membership.c knows whose it is, and engines read the maps.
 *
 * The shim enters it by itself, as late as it can, for it has no rights outside any more. It cannot write its maps
 * then, so we do, when it has let go of a pipe. One that joins is handed the namespace instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "oci/id_maps.h"
#include "sandbox/ctl.h"
#include "verb/creation.h"

int shim_userns_prepare(struct creation *c, struct shim_userns *ret, struct kata_err *err)
{
	int join = c->membership.ns_fd[OCI_NS_USER], ends[2];

	*ret = (struct shim_userns){ .how = SHIM_USERNS_NONE, .fd = -1 };
	if (!oci_spec_ns(c->bundle.spec, OCI_NS_USER))
		return 0;
	if (join >= 0) {
		*ret = (struct shim_userns){ SHIM_USERNS_JOIN, join, false };
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	c->userns_fd = ends[0];
	*ret = (struct shim_userns){ SHIM_USERNS_NEW, ends[1], true };
	return 0;
}

void shim_userns_given(struct shim_userns *u)
{
	if (u->ours)
		fd_drop(&u->fd);
}

int shim_userns_map(struct creation *c, struct kata_err *err)
{
	const struct oci_linux *lx = c->bundle.spec->linux_;
	struct pollfd p[] = {
		{ .fd = c->userns_fd, .events = POLLIN },
		{ .fd = c->sig_fd, .events = POLLIN },
	};
	int r;

	if (c->userns_fd < 0)
		return 0;
	do {
		r = poll(p, ARRAY_SIZE(p), -1);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(err, "poll");
	/* a signal is dealt with by the steps to come */
	if (!p[0].revents)
		return 0;
	return id_maps_write(c->shim.pid, &lx->uidMappings, &lx->gidMappings, "kata-shim",
			     err);
}
