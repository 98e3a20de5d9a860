/* SPDX-License-Identifier: Apache-2.0 */
/* clh: the Cloud Hypervisor driver. clh_plan.c is pure (golden files), rest.c speaks HTTP, clh.c joins them. */
#ifndef KATA_VMM_CLH_H
#define KATA_VMM_CLH_H

#include "base/str.h"
#include "vmm/vmm.h"

extern const struct vmm_driver clh_driver;

/** Descriptor numbers the VMM is started with; the argv names them. */
enum clh_fd {
	CLH_FD_API = 3,	   /* a listening socket */
	CLH_FD_EVENTS = 4, /* the event monitor writes to it */
};

/** The oldest release whose API this is. */
#define CLH_VERSION_MIN 40

/** clh_argv() - pure: plan -> argv, ret->v[0] = plan->vmm. */
void clh_argv(const struct vm_plan *plan, struct strv *ret);
/** clh_vm_body() - pure: the body of vm.create. Cards are added after it: it takes no descriptors. */
void clh_vm_body(const struct vm_plan *plan, struct buf *out);
/** clh_net_body() - pure: the body of vm.add-net for card @i. */
void clh_net_body(const struct vm_plan *plan, unsigned i, struct buf *out);
/** clh_check() - pure: what of a plan this VMM cannot do, by name. */
int clh_check(const struct vm_plan *plan, struct kata_err *err) MUST_CHECK;

#endif
