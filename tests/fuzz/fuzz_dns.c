/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile guest may send to the DNS relay: datagrams behind their lengths, in any pieces. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { .max = DNS_DATAGRAM_MAX + 2 };
	size_t piece, len;
	int r = 0;

	if (size == 0)
		return 0;
	piece = data[0] ? data[0] : size;
	for (size_t at = 1; at < size && r >= 0; at += piece) {
		buf_add(&b, data + at, size - at < piece ? size - at : piece);
		while ((r = dns_frame_next(&b, &len)) > 0) {
			if (len == 0 || len > DNS_DATAGRAM_MAX || buf_len(&b) < len + 2)
				abort();
			buf_consume(&b, len + 2);
		}
		/* what is not whole and not refused has room to become it */
		if (r == 0 && !b.overflow && buf_len(&b) >= b.max)
			abort();
	}
	buf_done(&b);
	return 0;
}
