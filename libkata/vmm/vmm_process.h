/* SPDX-License-Identifier: Apache-2.0 */
/* vmm_process: the process of a VMM, in what all drivers have in common: its start, and why it ended. */
#ifndef KATA_VMM_VMM_PROCESS_H
#define KATA_VMM_VMM_PROCESS_H

#include <stdbool.h>

#include "base/child.h"
#include "base/str.h"
#include "vmm/vmm.h"

/**
 * struct vmm_process - embedded in the driver's struct vmm.
 * @guest_did: what the VMM told of the guest's end, a constant; NULL = nothing. Set by the driver
 * @drain:     take in what has arrived: the process has ended. NULL = nothing to do
 * @close:     channels to the process are closed, for good. Also by vmm_process_stop()
 */
struct vmm_process {
	struct child child;
	char *name; /* of the program, for messages */
	char *why;  /* why it was killed: a refusal, a broken channel */
	const char *guest_did;
	struct vmm_events ev;
	void (*drain)(struct vmm_process *p);
	void (*close)(struct vmm_process *p);
};

/** vmm_process_start() - plan->vmm with @argv and descriptors @list, in fds' cgroups. Sets all but the callbacks. */
int vmm_process_start(struct vmm_process *p, const struct vm_plan *plan, char **argv,
		      const struct proc_fd *list, size_t n, const struct vmm_fds *fds,
		      const struct vmm_events *ev, struct loop *l,
		      struct kata_err *err) MUST_CHECK;
/** vmm_process_blame() - note "<name> @text" as the reason, unless there is one. */
void vmm_process_blame(struct vmm_process *p, const char *text);
/** vmm_process_kill() - its end is ours: on_gone comes when it has ended. */
void vmm_process_kill(struct vmm_process *p);
/** vmm_process_answer() - the on_done of whoever asked for the last thing. */
void vmm_process_answer(struct vmm_process *p, int code, const char *text);
/** vmm_process_stop() - SIGKILL, reap, close; on_gone is not called. Safe when not started. */
void vmm_process_stop(struct vmm_process *p);
/** vmm_process_done() - stop, and free what it holds. */
void vmm_process_done(struct vmm_process *p);

#endif
