/* SPDX-License-Identifier: Apache-2.0 */
/* str: strings and strict numbers. Knows nothing of files or errors. */
#ifndef KATA_BASE_STR_H
#define KATA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && __builtin_strcmp(a, b) == 0);
}

bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/**
 * str_to_i64() / str_to_u64() - the whole string as a decimal number.
 * No sign but '-', no white space, no leading "+", nothing behind it.
 * Return: 0; -EINVAL when it is no number, -ERANGE when outside [min, max].
 */
int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret_n);
int str_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_n);

/** str_to_size() - bytes with an optional suffix K, M, G, T (powers of 1024). Same errors. */
int str_to_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret_bytes);

/** str_to_bool() - true|false|yes|no|on|off|1|0 ; -EINVAL otherwise. */
int str_to_bool(const char *s, bool *ret);

/**
 * str_to_signal() - "TERM", "SIGTERM", "15", "RTMIN+3", case-insensitive names.
 * Return: signal number 1..64, or -EINVAL.
 */
int str_to_signal(const char *s);

/**
 * str_to_bytes() - pairs of hex digits (low case) to bytes.
 * Return: how many; -EINVAL when it is no such string, -E2BIG when there are more than @max.
 */
int str_to_bytes(const char *hex, void *dst, size_t max);

/** str_nearest() - the candidate closest to @s by edit distance (<= 1/2 of its length), or NULL. */
const char *str_nearest(const char *s, const char *const *candidates, size_t n);

/** str_copy() - bounded copy, always terminated. Return false when it was cut. */
bool str_copy(char *dst, size_t size, const char *src);

/** strv: NULL-terminated vectors of heap strings. */
struct strv {
	char **v; /* NULL-terminated once anything was added; may be NULL when empty */
	size_t n;
};
void strv_add(struct strv *sv, const char *s);
void strv_addf(struct strv *sv, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void strv_done(struct strv *sv);
size_t strv_len(char *const *v);

/**
 * str_utf8_len() - bytes of the UTF-8 sequence at @s (1 to 4), of which @left are there;
 * 0 when it is none: overlong, a surrogate, above U+10FFFF, or cut.
 */
size_t str_utf8_len(const char *s, size_t left);

#endif
