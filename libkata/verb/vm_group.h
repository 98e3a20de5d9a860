/* SPDX-License-Identifier: Apache-2.0 */
/* vm_group: the host's cgroup of a VM's processes, over the VM's life. */
#ifndef KATA_VERB_VM_GROUP_H
#define KATA_VERB_VM_GROUP_H

#include "verb/verb.h"

/**
 * vm_group_move_out() - @box, the container that the VM was made for, is deleted and others live on in
 * the VM: its processes go to a group of their own, and the container's is removed. Where that
 * cannot be the group stays, used, until the VM ends; that is only logged.
 */
void vm_group_move_out(const struct verb_box *box);
/** vm_group_remove() - the VM has ended: remove its group, wherever it was. May be repeated. */
int vm_group_remove(const struct verb_box *box, struct kata_err *err) MUST_CHECK;
/** group_remove() - by name, NULL = none. Processes in it that are not ours are left, with a warning. */
int group_remove(const char *name, struct kata_err *err) MUST_CHECK;

#endif
