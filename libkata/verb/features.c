// SPDX-License-Identifier: Apache-2.0
/* features: what this runtime can do, for engines that ask before they use it. */
#include "base/buf.h"
#include "oci/features.h"
#include "oci/spec.h"
#include "verb/verb.h"

int kata_features(FILE *out, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	int rc;

	oci_features_write(&o);
	rc = verb_print(out, (const char *)buf_ptr(&b), buf_len(&b), err);
	buf_done(&b);
	return rc;
}

const char *kata_spec_version(void)
{
	return OCI_VERSION_MAX;
}
