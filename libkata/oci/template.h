/* SPDX-License-Identifier: Apache-2.0 */
/* template: the config.json that `spec` makes to begin with. */
#ifndef KATA_OCI_TEMPLATE_H
#define KATA_OCI_TEMPLATE_H

#include <stdbool.h>

#include "base/json.h"

/**
 * oci_template_write() - runc's template, for a shell in a VM, as one object into @o.
 * @rootless: for a caller without privileges: a user namespace that maps root to the
 *            caller, no network namespace, no resources
 */
void oci_template_write(struct json_out *o, bool rootless);

#endif
