/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile guest may send on a forwarded connection: frames, in any pieces. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct forward_in *in, const struct buf *b, int what, bool ended)
{
	if (in->left > FORWARD_DATA_MAX)
		abort();
	if (what == FORWARD_DATA && (!in->left || !buf_len(b) || ended))
		abort();
	if (what == FORWARD_END && ended)
		abort();
}

/* The first byte says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = { .max = FORWARD_DATA_MAX + 2 };
	struct forward_in in = { 0 };
	size_t piece, n;
	int what = 0;

	if (size == 0)
		return 0;
	piece = data[0] ? data[0] : size;
	for (size_t at = 1; at < size && what >= 0; at += piece) {
		bool ended = in.ended;

		buf_add(&b, data + at, size - at < piece ? size - at : piece);
		while ((what = forward_next(&in, &b)) > 0) {
			check(&in, &b, what, ended);
			ended = in.ended;
			if (what != FORWARD_DATA)
				continue;
			n = buf_len(&b) < in.left ? buf_len(&b) : in.left;
			buf_consume(&b, n);
			in.left -= n;
		}
		/* all but a part of a word is taken at once */
		if (what == 0 && !b.overflow && buf_len(&b) > 1)
			abort();
	}
	buf_done(&b);
	return 0;
}
