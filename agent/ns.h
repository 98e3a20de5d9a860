/* SPDX-License-Identifier: Apache-2.0 */
/* ns: which namespaces of the guest a container gets. */
#ifndef KATA_AGENT_NS_H
#define KATA_AGENT_NS_H

#include "oci/spec.h"

/**
 * ns_plan() - clone flags for the container's init. Pure.
 * The mount namespace is always new. Network: the VM's own, a new one would have no cards.
 * Return: 0; -ENOTSUP for user and time namespaces and for paths.
 */
int ns_plan(const struct oci_spec *spec, unsigned long *ret_flags,
	    struct kata_err *err) MUST_CHECK;

#endif
