// SPDX-License-Identifier: Apache-2.0
/* state: the record and the shim's liveness as the OCI state document. Changes nothing. */
#include "verb/verb.h"

int kata_state(const struct kata *k, const char *id, FILE *out, struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	struct oci_state st;
	int rc;

	rc = verb_open(k, id, false, &box, err);
	if (rc < 0)
		return rc;
	verb_state(&box.rec, verb_status(&box), &st);
	oci_state_write(&st, &o);
	rc = verb_print(out, (const char *)buf_ptr(&b), buf_len(&b), err);
	buf_done(&b);
	verb_box_done(&box);
	return rc;
}
