/* SPDX-License-Identifier: Apache-2.0 */
/* guest_notify: has the container a NOTIFY_SOCKET that has to be passed on? Pure. */
#ifndef KATA_SANDBOX_GUEST_NOTIFY_H
#define KATA_SANDBOX_GUEST_NOTIFY_H

#include "oci/spec.h"

/** guest_notify_mount() - the index in mounts[] of the bind that holds the socket; -1 = no. */
int guest_notify_mount(const struct oci_spec *spec);

#endif
