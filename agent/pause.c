// SPDX-License-Identifier: Apache-2.0
/*
 * pause: cgroup.freeze is a wish; cgroup.events tells when the last process has come to a halt (or
 * a subgroup has), and watch.c hears of it. A process in an uninterruptible wait
 * may take as long as it likes: how long to wait is the host's to know.
 *
 * A frozen process still dies of SIGKILL, so kill and delete need nothing from here.
 */
#include "pause.h"

#include <errno.h>

#include "cgroup.h"

#define ALIVE (CONTAINER_CREATED | CONTAINER_RUNNING)

int pause_set(struct container *c, bool freeze, struct rpc_call *call,
	      struct kata_err *err)
{
	int r;

	if (c->cgroup_fd < 0)
		return err_set(err, -ENOTSUP, "the guest has no cgroups to freeze");
	if (!freeze && !c->paused)
		return err_set(err, -EBUSY, "container not paused");
	r = cgroup_freeze(c->cgroup_fd, freeze);
	if (r < 0)
		return err_sys_code(err, r, "write cgroup.freeze");
	rpc_answer(c->guest, &c->pausing, MSG_FAILED, ECANCELED,
		   "another pause or resume came before this one was done");
	c->paused = freeze;
	c->pausing = *call;
	return 0;
}

void pause_settle(struct container *c)
{
	int frozen;

	if (!c->pausing.id)
		return;
	frozen = cgroup_frozen(c->cgroup_fd);
	if (!(container_state(c) & ALIVE))
		rpc_answer(c->guest, &c->pausing, MSG_NO_SUCH, ESRCH,
			   "container not running");
	else if (frozen < 0)
		rpc_answer(c->guest, &c->pausing, MSG_FAILED, -frozen,
			   "read cgroup.events");
	else if (frozen == (int)c->paused)
		rpc_answer(c->guest, &c->pausing, MSG_OK, 0, NULL);
}
