/* SPDX-License-Identifier: Apache-2.0 */
/* sysctls: linux.sysctl of a container. */
#ifndef KATA_AGENT_SYSCTLS_H
#define KATA_AGENT_SYSCTLS_H

#include "oci/spec.h"

/** sysctls_check() - only namespaced ones, with runc's words for the others. Pure. */
int sysctls_check(const struct oci_spec *spec, struct kata_err *err) MUST_CHECK;

/**
 * sysctls_apply() - write them, in the caller's namespaces, through the agent's /proc.
 * @left: which are to be written yet, by index; @last: false: those that are not the caller's to
 * write stay left, for another try as somebody else.
 */
int sysctls_apply(const struct oci_linux *linux_, bool *left, bool last,
		  struct kata_err *err) MUST_CHECK;

#endif
