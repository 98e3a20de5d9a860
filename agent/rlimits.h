/* SPDX-License-Identifier: Apache-2.0 */
/* rlimits: process.rlimits[]. */
#ifndef KATA_AGENT_RLIMITS_H
#define KATA_AGENT_RLIMITS_H

#include <sys/types.h>

#include "oci/spec.h"

/** rlimits_apply() - set each of @limits (struct oci_rlimit) for @pid; 0 = the caller. */
int rlimits_apply(pid_t pid, const struct jt_objv *limits,
		  struct kata_err *err) MUST_CHECK;

#endif
