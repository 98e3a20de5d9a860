/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing byte buffer with a bound, and the cursor for bytes from outside.
 *
 * Bytes are consumed at the front and added at the end; what was consumed is
 * reclaimed when room is needed. Once something did not fit nothing more is
 * added, so that what is there is always a prefix of what was meant.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUF_FIRST 256u

/** buf_done() - free the bytes; the bound stays, the buffer can be used again. */
void buf_done(struct buf *b)
{
	if (!b)
		return;
	free(b->data);
	b->data = NULL;
	b->start = b->end = b->cap = 0;
	b->overflow = false;
}

/**
 * Room for @n more at the end, whatever the bound. What was consumed is reclaimed
 * only when it is as much as is moved, so that the cost per byte stays constant.
 */
static void make_room(struct buf *b, size_t n)
{
	size_t len = buf_len(b), need, cap = b->cap ? b->cap : BUF_FIRST;

	if (b->data && b->cap - b->end >= n)
		return;
	if (b->start && b->start >= len) {
		memmove(b->data, b->data + b->start, len);
		b->start = 0;
		b->end = len;
	}
	if (__builtin_add_overflow(b->end, n, &need))
		abort();
	while (cap < need && cap <= SIZE_MAX / 2)
		cap *= 2;
	if (cap < need)
		cap = need;
	if (b->data && cap == b->cap)
		return;
	b->data = mem_grow(b->data, cap, 1);
	b->cap = cap;
}

unsigned char *buf_reserve(struct buf *b, size_t n)
{
	size_t len = buf_len(b);

	if (b->max && (len > b->max || n > b->max - len))
		return NULL;
	make_room(b, n);
	return b->data + b->end;
}

void buf_commit(struct buf *b, size_t n)
{
	if (n > b->cap - b->end)
		abort(); /* more than was reserved: memory is overwritten already */
	b->end += n;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > buf_len(b))
		abort();
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	unsigned char *p;

	if (b->overflow || !n)
		return;
	p = buf_reserve(b, n);
	if (!p) {
		b->overflow = true;
		return;
	}
	memcpy(p, data, n);
	b->end += n;
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

static void add_le(struct buf *b, uint64_t v, size_t n)
{
	unsigned char raw[8];
	size_t i;

	for (i = 0; i < n; i++)
		raw[i] = (unsigned char)(v >> (8 * i));
	buf_add(b, raw, n);
}

void buf_add_u16(struct buf *b, uint16_t v)
{
	add_le(b, v, 2);
}

void buf_add_u32(struct buf *b, uint32_t v)
{
	add_le(b, v, 4);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	add_le(b, v, 8);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	AUTO_FREE char *heap = NULL;
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n < sizeof(text)) {
		buf_add(b, text, (size_t)n);
		return;
	}
	heap = mem_alloc((size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(heap, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_add(b, heap, (size_t)n);
}

void buf_add_hex(struct buf *b, const void *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++) {
		const char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		buf_add(b, pair, sizeof(pair));
	}
}

/** buf_cstr() - the content as a string; the NUL lies behind the end and outside the bound. */
const char *buf_cstr(struct buf *b)
{
	make_room(b, 1);
	b->data[b->end] = '\0';
	return (const char *)b->data + b->start;
}

const unsigned char *cursor_bytes(struct cursor *c, size_t n)
{
	const unsigned char *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return NULL;
	}
	if (n) {
		c->p += n;
		c->left -= n;
	}
	return p;
}

static uint64_t get_le(struct cursor *c, size_t n)
{
	const unsigned char *p = cursor_bytes(c, n);
	uint64_t v = 0;
	size_t i;

	for (i = 0; p && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)get_le(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)get_le(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)get_le(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return get_le(c, 8);
}

void cursor_str(struct cursor *c, size_t n, char *dst, size_t size)
{
	const unsigned char *p;
	size_t i;

	if (size)
		dst[0] = '\0';
	if (n >= size) {
		c->bad = true;
		return;
	}
	p = cursor_bytes(c, n);
	if (!p)
		return;
	for (i = 0; i < n; i++)
		dst[i] = (p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f ? '?' : (char)p[i];
	dst[n] = '\0';
}

bool cursor_end(const struct cursor *c)
{
	return !c->bad && c->left == 0;
}
