/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem: allocation, ownership attributes, and the arena.
 *
 * Small allocations abort when memory is out; a size that came from outside
 * is bounded by its reader first.  A parsed document lives in one arena and
 * dies in one call.
 */
#ifndef KATA_BASE_MEM_H
#define KATA_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
/** mem_grow() - realloc to @n elements of @size bytes; overflow aborts. */
void *mem_grow(void *old, size_t n, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/** mem_printf() - asprintf that aborts instead of failing. */
char *mem_printf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), returns_nonnull));

/** struct arena - bump allocator; everything in it is freed at once. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a); /* takes NULL */
/** arena_alloc() - zeroed, aligned for any type, never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/** arena_array() - zeroed array; n * size overflow aborts. */
void *arena_array(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void mem_freep(void *p)
{
	free(*(void **)p);
}

static inline void fd_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/** fd_drop() - close and forget; nothing when it is -1. */
static inline void fd_drop(int *fd)
{
	fd_closep(fd);
	*fd = -1;
}

#define AUTO_FREE __attribute__((cleanup(mem_freep)))
#define AUTO_CLOSE __attribute__((cleanup(fd_closep)))

/**
 * AUTO(type): `AUTO(arena) *a = ...;` calls arena_free(a) at end of scope.
 * DEFINE_AUTO(type) makes the helper that it needs, once, in the header.
 */
#define DEFINE_AUTO(type)                                                                \
	static inline void type##_freep(struct type **p)                                 \
	{                                                                                \
		type##_free(*p);                                                         \
	}
#define AUTO(type) __attribute__((cleanup(type##_freep))) struct type

DEFINE_AUTO(arena)

#define TAKE_PTR(p)                                                                      \
	({                                                                               \
		__typeof__(p) *take_ = &(p);                                             \
		__typeof__(p) val_ = *take_;                                             \
		*take_ = NULL;                                                           \
		val_;                                                                    \
	})
#define TAKE_FD(fd)                                                                      \
	({                                                                               \
		int *take_ = &(fd);                                                      \
		int val_ = *take_;                                                       \
		*take_ = -1;                                                             \
		val_;                                                                    \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
