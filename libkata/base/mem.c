/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem: allocation that does not fail, and the arena.
 *
 * Out of memory aborts: by the rules of the tree every size here is small or
 * was bounded before. The arena takes chunks of growing size from calloc, so
 * its memory is zero without being written to, and serves them front to back;
 * nothing is ever given back but the whole.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#define ARENA_FIRST 4000u	 /* with its header just below a page */
#define ARENA_LARGEST (1u << 20) /* growth of the chunks stops here */
#define ARENA_ALIGN (_Alignof(max_align_t))

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks; /* the first one is being filled */
	size_t next_size;
};

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n; /* nothing more to be done about it */
	abort();
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_zalloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_grow(void *old, size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	p = realloc(old, total ? total : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = mem_alloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return p;
}

/** arena_new() - an empty arena; arena_free() frees it and all that came from it. */
struct arena *arena_new(void)
{
	struct arena *a = mem_zalloc(sizeof(*a));

	a->next_size = ARENA_FIRST;
	return a;
}

void arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	for (c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c;
	size_t total;

	if (__builtin_add_overflow(sizeof(*c), size, &total))
		out_of_memory();
	c = mem_zalloc(total);
	c->size = size;
	return c;
}

/**
 * A large piece gets a chunk of its own behind the first one, so that what is
 * left in the chunk being filled is not lost.
 */
static void *alloc_large(struct arena *a, size_t size)
{
	struct chunk *c = chunk_new(size);

	c->used = size;
	if (a->chunks) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		a->chunks = c;
	}
	return c->data;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	size_t need;
	void *p;

	if (__builtin_add_overflow(size ? size : 1, ARENA_ALIGN - 1, &need))
		out_of_memory();
	need &= ~(ARENA_ALIGN - 1);
	if (!c || c->size - c->used < need) {
		if (need > a->next_size / 4)
			return alloc_large(a, need);
		c = chunk_new(a->next_size & ~(ARENA_ALIGN - 1));
		c->next = a->chunks;
		a->chunks = c;
		if (a->next_size < ARENA_LARGEST)
			a->next_size *= 2;
	}
	p = (char *)c->data + c->used;
	c->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

/** arena_strndup() - @n bytes of @s (fewer when it ends before), terminated. */
char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p;

	if (len == SIZE_MAX)
		out_of_memory();
	p = arena_alloc(a, len + 1);
	memcpy(p, s, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
