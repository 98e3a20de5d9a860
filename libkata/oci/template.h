/* SPDX-License-Identifier: Apache-2.0 */
/* template: the config.json that `spec` makes to begin with. */
#ifndef KATA_OCI_TEMPLATE_H
#define KATA_OCI_TEMPLATE_H

#include <stdbool.h>

#include "base/json.h"

struct oci_template {
	bool rootless; /* for a caller without privileges: a user namespace that maps root
			      * to the caller, no network namespace, no resources */
	const char *
		net_hook; /* absolute path: createRuntime and poststop hook; NULL = none */
};

/** oci_template_write() - runc's template, for a shell in a VM, as one object into @o. */
void oci_template_write(struct json_out *o, const struct oci_template *t);

#endif
