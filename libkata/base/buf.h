/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing byte buffer with a bound, and the cursor through which all
 * bytes from outside are read.
 */
#ifndef KATA_BASE_BUF_H
#define KATA_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct buf - bytes [start, end) of @data.  Appending past @max sets
 * @overflow and drops the data; the owner asks once at the end.
 */
struct buf {
	unsigned char *data;
	size_t start, end, cap;
	size_t max; /* 0 = no bound: only for data of our own making */
	bool overflow;
};

void buf_done(struct buf *b);
static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}
static inline const unsigned char *buf_ptr(const struct buf *b)
{
	return b->start ? b->data + b->start : b->data; /* NULL + 0 is not defined in C */
}
/** buf_reserve() - room for @n more bytes at the end; returns where, NULL past max. */
unsigned char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);  /* @n bytes were written into the room */
void buf_consume(struct buf *b, size_t n); /* @n bytes are done with */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_u8(struct buf *b, uint8_t v);
void buf_add_u16(struct buf *b, uint16_t v); /* little endian, as all of the wire */
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_add_hex(struct buf *b, const void *data,
		 size_t n); /* two digits each, low case */
/** buf_cstr() - the content NUL-terminated (the NUL is not counted); never NULL. */
const char *buf_cstr(struct buf *b);

/**
 * struct cursor - bounds-checked reader. A read past the end returns 0 / NULL
 * and sets @bad; every later read fails too, so one check at the end is enough.
 */
struct cursor {
	const unsigned char *p;
	size_t left;
	bool bad;
};

static inline struct cursor cursor_of(const void *p, size_t n)
{
	return (struct cursor){ p, n, false };
}
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
const unsigned char *cursor_bytes(struct cursor *c, size_t n);
/**
 * cursor_str() - a string of @n bytes into dst[size], terminated.  Bytes below
 * 0x20 except tab, and DEL, become '?': it may be printed on a terminal.
 * Bad when n >= size.
 */
void cursor_str(struct cursor *c, size_t n, char *dst, size_t size);
/** cursor_end() - true when everything was read and nothing was bad. */
bool cursor_end(const struct cursor *c);

#endif
