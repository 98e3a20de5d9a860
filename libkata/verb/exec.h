/* SPDX-License-Identifier: Apache-2.0 */
/* exec: a further process being started: what `exec` holds until it runs or is undone. */
#ifndef KATA_VERB_EXEC_H
#define KATA_VERB_EXEC_H

#include "base/proc.h"
#include "cgroup/cgroup.h"
#include "verb/console.h"
#include "verb/passing.h"
#include "verb/verb.h"

enum { EXEC_NS_NET, EXEC_NS_IPC, EXEC_NS_UTS, EXEC_NAMESPACES };

struct execution {
	const struct kata *k;
	const struct kata_exec_args *args;
	struct verb_box box;
	const struct oci_process *process;
	struct console console;
	struct passing passing;
	int ns_fd[EXEC_NAMESPACES]; /* of the container's shim */
	struct cgroup *cgroup;
	int shim_fd;	  /* the shim's end of its connection to the sandbox */
	int sandbox_end;  /* the other, until the sandbox has it */
	struct proc shim; /* detached */
	int birth_fd;	  /* of the shim, until it stands */
	int ask_fd;	  /* where the sandbox will answer */
};

/** exec_process() - fills x->process. */
int exec_process(struct execution *x, struct kata_err *err) MUST_CHECK;

#endif
