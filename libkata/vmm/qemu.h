/* SPDX-License-Identifier: Apache-2.0 */
/* qemu: the QEMU driver. qemu_argv.c is pure (golden files), qmp.c speaks QMP, qemu.c joins them. */
#ifndef KATA_VMM_QEMU_H
#define KATA_VMM_QEMU_H

#include "base/str.h"
#include "vmm/vmm.h"

extern const struct vmm_driver qemu_driver;

/** Descriptor numbers QEMU is started with; the argv names them. */
enum qemu_fd {
	QEMU_FD_QMP = 3,
	QEMU_FD_VSOCK = 4,
	QEMU_FD_SHARE = 5,
	QEMU_FD_CARDS = 6, /* and above: see qemu_card_fd() */
};

/** qemu_card_fd() - number of the first descriptor of card @i: its queues' taps, then their vhosts. */
int qemu_card_fd(const struct vm_plan *plan, unsigned i);

/** qemu_argv() - pure: plan -> argv, ret->v[0] = plan->vmm. */
void qemu_argv(const struct vm_plan *plan, struct strv *ret);

#endif
