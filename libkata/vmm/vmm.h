/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm: the small interface behind which each hypervisor hides, and the table
 * of drivers. What a VMM answers is hostile input: it may have been taken over.
 */
#ifndef KATA_VMM_VMM_H
#define KATA_VMM_VMM_H

#include "base/loop.h"
#include "base/proc.h"
#include "net/tap.h"
#include "vmm/vm_plan.h"

/** What a driver can do; asked before it is tried. */
enum vmm_cap {
	VMM_CAP_PAUSE = 1 << 0,
	VMM_CAP_EMULATION = 1 << 1, /* runs guests without hardware acceleration too */
	VMM_CAP_MACHINES = 1 << 2,  /* has more than one machine type */
	VMM_CAP_OWN_VSOCK = 1 << 3, /* serves hybrid vsock itself: plan.vsock_socket */
	VMM_CAP_DIALS =
		1 << 4, /* connects to the file server itself: plan.share_socket */
};

/** struct vmm_fds - descriptors the VMM is started with; borrowed. -1 = not used. */
struct vmm_fds {
	int vsock; /* vhost-user: connected to the vsock device; vhost: /dev/vhost-vsock */
	int share;		/* connected to virtiofsd, but for VMM_CAP_DIALS */
	const struct tap *taps; /* one for each of the plan's cards, in their order */
	int cgroup_procs[16];
	unsigned n_cgroup_procs;
};

struct vmm;

struct vmm_events {
	/* the VMM's process has ended or its control channel broke; @why is a sentence with the
	 * VMM's own last words when it had any. Called once. */
	void (*on_gone)(void *arg, const char *why);
	/* reply to vmm_pause / vmm_resume: 0 or -errno with text */
	void (*on_done)(void *arg, int code, const char *text);
	void *arg;
};

struct vmm_driver {
	const char *name;    /* [hypervisor] driver = name */
	const char *program; /* path = auto */
	const char *package; /* what to install, for `check` */
	unsigned caps;
	/* pure: what of a plan it cannot do, by its name in config.json or kata.conf. NULL = nothing */
	int (*check)(const struct vm_plan *plan, struct kata_err *err);
	int (*launch)(const struct vm_plan *plan, const struct vmm_fds *fds,
		      struct loop *l, const struct vmm_events *ev, struct vmm **ret_vmm,
		      struct kata_err *err);
	int (*pause)(struct vmm *v, struct kata_err *err);
	int (*resume)(struct vmm *v, struct kata_err *err);
	/* at its end it is gone, by SIGKILL unless it goes within a second; the guest was synced
	 * before. The loop runs no more: nothing is called */
	void (*stop)(struct vmm *v);
	void (*free)(struct vmm *v);
};

/** vmm_driver_find() - NULL when unknown. */
const struct vmm_driver *vmm_driver_find(const char *name);
/** vmm_driver_names() - NULL-terminated, for messages and `check`. */
extern const char *const vmm_driver_names[];

#endif
