/* SPDX-License-Identifier: Apache-2.0 */
/* names: container ids and the names of kernel objects (capabilities, rlimits). */
#ifndef KATA_OCI_NAMES_H
#define KATA_OCI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/** Longest container id, as a directory name with room for suffixes. */
#define OCI_ID_MAX 128

/** oci_id_check() - [A-Za-z0-9_+.-]+, not "." or "..", as runc: "invalid container ID format: ..." */
int oci_id_check(const char *id, struct kata_err *err) MUST_CHECK;

/** oci_cap_number() - "CAP_SYS_ADMIN" (any case, prefix optional as runc) -> 21, -1 when unknown. */
int oci_cap_number(const char *name);
/** oci_cap_names() - NULL-terminated table indexed by number. */
extern const char *const oci_cap_names[];

/** oci_rlimit_number() - "RLIMIT_NOFILE" -> RLIMIT_NOFILE, -1 when unknown. */
int oci_rlimit_number(const char *name);

#endif
