/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cursor: the input is a list of reads and what they read. A cursor over the rest must
 * agree with a plain model of it, and never touch a byte outside.
 *
 * First byte: number of reads; then two bytes for each (kind, length); then the data.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct model {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static void require(int truth)
{
	if (!truth)
		abort();
}

static const uint8_t *model_take(struct model *m, size_t n)
{
	const uint8_t *p = m->p;

	if (m->bad || n > m->left) {
		m->bad = true;
		return NULL;
	}
	m->p += n;
	m->left -= n;
	return p;
}

static uint64_t model_number(struct model *m, size_t n)
{
	const uint8_t *p = model_take(m, n);
	uint64_t v = 0;

	while (p && n--)
		v = v << 8 | p[n];
	return v;
}

static void check_bytes(struct cursor *c, struct model *m, size_t n)
{
	const uint8_t *p = cursor_bytes(c, n);

	require(p == model_take(m, n));
}

static void check_str(struct cursor *c, struct model *m, size_t n)
{
	const uint8_t *p;
	char dst[32];
	size_t i;

	memset(dst, 'X', sizeof(dst));
	cursor_str(c, n, dst, sizeof(dst));
	p = n < sizeof(dst) ? model_take(m, n) : NULL;
	if (!p) {
		m->bad = true;
		require(!dst[0]);
		return;
	}
	require(!dst[n]);
	for (i = 0; i < n; i++) {
		require(dst[i] == '\t' ||
			((unsigned char)dst[i] >= 0x20 && dst[i] != 0x7f));
		require(dst[i] == '?' || dst[i] == (char)p[i]);
	}
}

static void check_one(struct cursor *c, struct model *m, uint8_t kind, uint8_t n)
{
	switch (kind % 6) {
	case 0:
		require(cursor_u8(c) == model_number(m, 1));
		break;
	case 1:
		require(cursor_u16(c) == model_number(m, 2));
		break;
	case 2:
		require(cursor_u32(c) == model_number(m, 4));
		break;
	case 3:
		require(cursor_u64(c) == model_number(m, 8));
		break;
	case 4:
		check_bytes(c, m, n);
		break;
	default:
		check_str(c, m, n);
	}
	require(c->bad == m->bad);
	require(m->bad || c->left == m->left);
	require(cursor_end(c) == (!m->bad && !m->left));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size ? data[0] : 0, head = 1 + 2 * n, i;
	struct cursor c;
	struct model m;

	if (!size || head > size)
		return 0;
	c = cursor_of(data + head, size - head);
	m = (struct model){ data + head, size - head, false };
	for (i = 0; i < n; i++)
		check_one(&c, &m, data[1 + 2 * i], data[2 + 2 * i]);
	return 0;
}
