/* SPDX-License-Identifier: Apache-2.0 */
/* host_kvm: does KVM run ordinary guests here, and at hardware speed? */
#ifndef KATA_VMM_HOST_KVM_H
#define KATA_VMM_HOST_KVM_H

#include <stddef.h>

#include "base/err.h"

/**
 * host_kvm_probe() - make a VM through @kvm_fd and let it compute for a moment.
 * Takes a few milliseconds where KVM works, up to 200 where it does not: cache the answer.
 * Return: 1 works; 0 does not, with the reason in @why.
 */
int host_kvm_probe(int kvm_fd, char *why, size_t size) MUST_CHECK;

#endif
