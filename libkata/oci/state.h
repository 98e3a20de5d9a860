/* SPDX-License-Identifier: Apache-2.0 */
/* state: the OCI state document, as `state` prints it and hooks get it on stdin (CONTRACT 1.8, 1.13). */
#ifndef KATA_OCI_STATE_H
#define KATA_OCI_STATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/jtab.h"
#include "base/json.h"

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_PAUSED, OCI_STOPPED };
extern const char *const oci_status_names[]; /* NULL-terminated */

struct oci_state {
	const char *id;
	enum oci_status status;
	pid_t pid;	     /* the shim's; written as 0 when stopped */
	const char *bundle;  /* absolute */
	const char *rootfs;  /* absolute; NULL = left out */
	const char *created; /* RFC 3339 with nanoseconds; NULL = left out */
	const char *owner;   /* NULL = left out */
	struct jt_map annotations;
};

/** oci_state_write() - one object into @o. */
void oci_state_write(const struct oci_state *st, struct json_out *o);

#endif
