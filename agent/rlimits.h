/* SPDX-License-Identifier: Apache-2.0 */
/* rlimits: process.rlimits[] of the calling process. */
#ifndef KATA_AGENT_RLIMITS_H
#define KATA_AGENT_RLIMITS_H

#include "oci/spec.h"

/** rlimits_apply() - set each of @limits (struct oci_rlimit). */
int rlimits_apply(const struct jt_objv *limits, struct kata_err *err) MUST_CHECK;

#endif
