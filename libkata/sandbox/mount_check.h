/* SPDX-License-Identifier: Apache-2.0 */
/* mount_check: which of mounts[] cannot be had, and which are less than they say. Pure. */
#ifndef KATA_SANDBOX_MOUNT_CHECK_H
#define KATA_SANDBOX_MOUNT_CHECK_H

#include "base/err.h"
#include "oci/spec.h"

/** mount_check() - @warn: one call per mount that is less than asked for. -ENOTSUP: refused. */
int mount_check(const struct oci_spec *spec, void (*warn)(void *arg, const char *text),
		void *arg, struct kata_err *err) MUST_CHECK;

#endif
