// SPDX-License-Identifier: Apache-2.0
/*
 * oom: memory.events counts the victims of a group and of those below it, also when it was the VM that
 * had no memory left. The kernel counts before it kills: who has been reaped is in the count.
 * So looks are taken when the file changes (watch.c) and whenever a process was reaped,
 * and the host hears of the OOM before it hears of the EXIT.
 */
#include "oom.h"

#include "cgroup.h"

static uint64_t count(const struct container *c)
{
	uint64_t n;

	if (c->cgroup_fd < 0 ||
	    cgroup_read_key(c->cgroup_fd, "memory.events", "oom_kill", &n) < 0)
		return 0;
	return n;
}

void oom_begin(struct container *c)
{
	c->oom_kills = count(c);
}

void oom_look(struct container *c)
{
	uint64_t n = count(c);

	if (n <= c->oom_kills)
		return;
	c->oom_kills = n;
	rpc_send_oom(c->guest, c->number);
}
