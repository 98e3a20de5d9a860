// SPDX-License-Identifier: Apache-2.0
/* A packet of anybody's making on a control connection. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2], fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	if (sock_pair(SOCK_SEQPACKET, pair) < 0)
		__builtin_trap();
	/* a packet that is too long for the socket is no packet */
	if (size &&
	    send(pair[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size) {
		int rc = ctl_recv(pair[1], &m, fds, &n);

		if (n || (rc == 1 &&
			  (strlen(m.id) > OCI_ID_MAX || strlen(m.text) >= KATA_ERR_MAX)))
			__builtin_trap();
	}
	close(pair[0]);
	close(pair[1]);
	return 0;
}
