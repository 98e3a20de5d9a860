/* SPDX-License-Identifier: Apache-2.0 */
/* features: what this runtime can do, as `features` prints it (runtime-spec features.md). */
#ifndef KATA_OCI_FEATURES_H
#define KATA_OCI_FEATURES_H

#include "base/json.h"

/** oci_features_write() - one object into @o. */
void oci_features_write(struct json_out *o);

#endif
