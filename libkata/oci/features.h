/* SPDX-License-Identifier: Apache-2.0 */
/* features: what this runtime can do, as `features` prints it (runtime-spec features.md). */
#ifndef KATA_OCI_FEATURES_H
#define KATA_OCI_FEATURES_H

#include "base/json.h"

void oci_features_write(struct json_out *o);

/** oci_template_write() - the config.json that `spec` makes: runc's, for a shell in a VM. */
void oci_template_write(struct json_out *o, bool rootless);

#endif
