/* SPDX-License-Identifier: Apache-2.0 */
/* dial: connections to the host. The guest dials, always; it never listens. */
#ifndef KATA_AGENT_DIAL_H
#define KATA_AGENT_DIAL_H

#include <stdbool.h>

#include "guest.h"

/** dial_vsock_ready() - has the kernel a vsock device by now? Fills cid and port (the guest's own
 *  CID for both reasons: the host listens there). */
bool dial_vsock_ready(struct dialer *d);

/** dial_control() - connect, blocking. Return: fd or -errno. */
int dial_control(const struct dialer *d) MUST_CHECK;

/** dial_stream() - start a non-blocking connection; *ret_connecting: done when it is writable. */
int dial_stream(const struct dialer *d, bool *ret_connecting) MUST_CHECK;

#endif
