/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm_process: start, blame, kill and stop the process of a VMM.
 *
 * A VMM has two ways to be gone: its process ends, or a channel to it breaks. The second alone is not
 * believed to be harmless: the process is killed, so that "gone" always means that no
 * process is left, and on_gone is called from one place, when it has ended. Of the reasons at hand the most
 * telling one is given: what the guest did, what was wrong with a channel or an
 * answer, how the process ended with its last words.
 */
#include "vmm/vmm_process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Killed by our own hand it says nothing of itself: then the reason that we had does. */
static void on_end(struct child *c, const char *why)
{
	struct vmm_process *p = CONTAINER_OF(c, struct vmm_process, child);
	bool ours = c->status == 128 + SIGKILL;
	AUTO_FREE char *text = NULL;

	if (p->drain)
		p->drain(p);
	if (p->guest_did)
		text = mem_strdup(p->guest_did);
	else
		text = mem_strdup(p->why && ours ? p->why : why);
	p->close(p);
	p->ev.on_gone(p->ev.arg, text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int vmm_process_start(struct vmm_process *p, const struct vm_plan *plan, char **argv,
		      const struct proc_fd *list, size_t n, const struct vmm_fds *fds,
		      const struct vmm_events *ev, struct loop *l, struct kata_err *err)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;

	sp.path = plan->vmm;
	sp.argv = argv;
	sp.fds = list;
	sp.n_fds = n;
	sp.cgroup_procs = fds->cgroup_procs;
	sp.n_cgroup_procs = fds->n_cgroup_procs;
	sp.pdeathsig = SIGKILL;
	p->child = (struct child)CHILD_INIT;
	p->name = mem_strdup(base_name(plan->vmm)); /* the plan may go before the VM */
	p->ev = *ev;
	p->child.name = p->name;
	p->child.on_end = on_end;
	return child_start(&p->child, l, &sp, err);
}

void vmm_process_blame(struct vmm_process *p, const char *text)
{
	if (!p->why)
		p->why = mem_printf("%s %s", p->name, text);
}

void vmm_process_kill(struct vmm_process *p)
{
	/* ended already: the same exit closed the channel, and its status stays */
	if (child_is_running(&p->child) && proc_kill(p->child.proc.pidfd, SIGKILL) < 0)
		return;
}

void vmm_process_answer(struct vmm_process *p, int code, const char *text)
{
	if (p->ev.on_done)
		p->ev.on_done(p->ev.arg, code, text);
}

void vmm_process_stop(struct vmm_process *p)
{
	if (p->name)
		child_stop(&p->child);
	p->close(p);
}

void vmm_process_done(struct vmm_process *p)
{
	vmm_process_stop(p);
	free(p->name);
	free(p->why);
}
