/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str: strings and strict numbers.
 *
 * The parsers look at the whole string and accept exactly what the header
 * says; none of libc's (white space, signs, octal, locale) are used. Must not
 * know files or errors.
 */
#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define NEAREST_MAX 48u /* longer words are no typing slips */

/* What the C library and every engine call RTMIN: the two below are the library's own. */
#define SIG_RTMIN 34
#define SIG_RTMAX 64

struct signal_name {
	const char *name;
	int sig;
};

static const struct signal_name signal_names[] = {
	{ "HUP", SIGHUP },	 { "INT", SIGINT },	  { "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	 { "TRAP", SIGTRAP },	  { "ABRT", SIGABRT },
	{ "IOT", SIGABRT },	 { "BUS", SIGBUS },	  { "FPE", SIGFPE },
	{ "KILL", SIGKILL },	 { "USR1", SIGUSR1 },	  { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 },	 { "PIPE", SIGPIPE },	  { "ALRM", SIGALRM },
	{ "TERM", SIGTERM },	 { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },	 { "CONT", SIGCONT },	  { "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },	 { "TTIN", SIGTTIN },	  { "TTOU", SIGTTOU },
	{ "URG", SIGURG },	 { "XCPU", SIGXCPU },	  { "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },	  { "IO", SIGIO },
	{ "POLL", SIGIO },	 { "WINCH", SIGWINCH },	  { "PWR", SIGPWR },
	{ "SYS", SIGSYS },	 { "UNUSED", SIGSYS },	  { "RTMIN", SIG_RTMIN },
	{ "RTMAX", SIG_RTMAX },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

/** Digits up to the end or to the first other byte; @ret_end tells where that was. */
static int scan_digits(const char *s, uint64_t *ret, const char **ret_end)
{
	uint64_t v = 0;
	bool over = false;
	const char *p;

	for (p = s; is_digit(*p); p++) {
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			over = true;
	}
	*ret_end = p;
	if (p == s)
		return -EINVAL;
	*ret = v;
	return over ? -ERANGE : 0;
}

/**
 * str_to_u64() - the whole string as a decimal number
 *
 * A negative number is a number outside the range (-ERANGE), not a malformed one.
 */
int str_to_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret_n)
{
	bool negative = *s == '-';
	const char *end;
	uint64_t v = 0;
	int r;

	r = scan_digits(s + negative, &v, &end);
	if (r == -EINVAL || *end)
		return -EINVAL;
	if (r < 0 || (negative && v) || v < min || v > max)
		return -ERANGE;
	*ret_n = v;
	return 0;
}

/** str_to_i64() - the whole string as a decimal number, "-" allowed in front. */
int str_to_i64(const char *s, int64_t min, int64_t max, int64_t *ret_n)
{
	bool negative = *s == '-';
	uint64_t v = 0, limit = (uint64_t)INT64_MAX + negative;
	const char *end;
	int64_t n;
	int r;

	r = scan_digits(s + negative, &v, &end);
	if (r == -EINVAL || *end)
		return -EINVAL;
	if (r < 0 || v > limit)
		return -ERANGE;
	n = negative ? (int64_t)(0 - v) : (int64_t)v;
	if (n < min || n > max)
		return -ERANGE;
	*ret_n = n;
	return 0;
}

/** str_to_size() - bytes, or with one of K, M, G, T (either case) behind, powers of 1024. */
int str_to_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret_bytes)
{
	static const char suffixes[] = "KMGT";
	const char *end, *at;
	unsigned shift = 0;
	uint64_t v = 0;
	int r;

	r = scan_digits(s, &v, &end);
	if (r == -EINVAL)
		return r;
	if (*end) {
		at = strchr(suffixes, upper(*end));
		if (!at || end[1])
			return -EINVAL;
		shift = 10 * (unsigned)(at - suffixes + 1);
	}
	if (r < 0 || v > UINT64_MAX >> shift)
		return -ERANGE;
	v <<= shift;
	if (v < min || v > max)
		return -ERANGE;
	*ret_bytes = v;
	return 0;
}

/** str_to_bool() - true|false|yes|no|on|off|1|0, lower case only. */
int str_to_bool(const char *s, bool *ret)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" }
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_eq(s, words[i][0]) || str_eq(s, words[i][1])) {
			*ret = str_eq(s, words[i][1]);
			return 0;
		}
	}
	return -EINVAL;
}

/** Does @s begin with @word, in either case? Returns what follows, or NULL. */
static const char *after_word(const char *s, const char *word)
{
	for (; *word; s++, word++) {
		if (upper(*s) != *word)
			return NULL;
	}
	return s;
}

/** "RTMIN+3", "RTMAX-2", after "SIG". */
static int realtime_signal(const char *s)
{
	const char *offset = after_word(s, "RTMIN+");
	uint64_t n;

	if (offset && is_digit(*offset) &&
	    str_to_u64(offset, 0, SIG_RTMAX - SIG_RTMIN, &n) == 0)
		return SIG_RTMIN + (int)n;
	offset = after_word(s, "RTMAX-");
	if (offset && is_digit(*offset) &&
	    str_to_u64(offset, 0, SIG_RTMAX - SIG_RTMIN, &n) == 0)
		return SIG_RTMAX - (int)n;
	return -EINVAL;
}

/** str_to_signal() - a signal by name or number; engines send both forms. */
int str_to_signal(const char *s)
{
	const char *rest;
	uint64_t n;
	size_t i;

	if (is_digit(*s))
		return str_to_u64(s, 1, SIG_RTMAX, &n) == 0 ? (int)n : -EINVAL;
	rest = after_word(s, "SIG");
	if (rest)
		s = rest;
	for (i = 0; i < ARRAY_SIZE(signal_names); i++) {
		rest = after_word(s, signal_names[i].name);
		if (rest && !*rest)
			return signal_names[i].sig;
	}
	return realtime_signal(s);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_to_bytes(const char *hex, void *dst, size_t max)
{
	unsigned char *p = dst;
	size_t n = 0;

	for (; hex[0]; hex += 2) {
		if (hex_digit(hex[0]) < 0 || hex_digit(hex[1]) < 0)
			return -EINVAL;
		if (n == max)
			return -E2BIG;
		p[n++] = (unsigned char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
	}
	return (int)n;
}

/** Levenshtein distance, one row at a time; both at most NEAREST_MAX long. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[NEAREST_MAX + 1], diag, above, i, j;

	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= m; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1,
				      diag + (a[i - 1] != b[j - 1]));
			diag = above;
		}
	}
	return row[m];
}

/** str_nearest() - for "unknown option, did you mean": at most half of @s wrong. */
const char *str_nearest(const char *s, const char *const *candidates, size_t n)
{
	size_t len = strlen(s), best = len / 2 + 1, i, m, d;
	const char *found = NULL;

	if (len > NEAREST_MAX)
		return NULL;
	for (i = 0; i < n; i++) {
		m = strlen(candidates[i]);
		if (m > NEAREST_MAX)
			continue;
		d = distance(s, len, candidates[i], m);
		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

/** str_copy() - bounded copy, terminated unless @size is 0; false when it was cut. */
bool str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);

	if (!size)
		return false;
	if (n >= size) {
		memcpy(dst, src, size - 1);
		dst[size - 1] = '\0';
		return false;
	}
	memcpy(dst, src, n + 1);
	return true;
}

static void strv_add_take(struct strv *sv, char *s)
{
	/* room doubles whenever the length is a power of two: no capacity to keep */
	if ((sv->n & (sv->n + 1)) == 0)
		sv->v = mem_grow(sv->v, 2 * (sv->n + 1), sizeof(*sv->v));
	sv->v[sv->n++] = s;
	sv->v[sv->n] = NULL;
}

void strv_add(struct strv *sv, const char *s)
{
	strv_add_take(sv, mem_strdup(s));
}

void strv_addf(struct strv *sv, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	strv_add_take(sv, s);
}

void strv_done(struct strv *sv)
{
	size_t i;

	if (!sv)
		return;
	for (i = 0; i < sv->n; i++)
		free(sv->v[i]);
	free(sv->v);
	sv->v = NULL;
	sv->n = 0;
}

/** strv_len() - strings before the NULL; a NULL vector has none. */
size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/**
 * str_utf8_len() - bytes of the UTF-8 sequence at @s
 *
 * The table of RFC 3629 section 4: the first byte gives the length and the
 * range of the second, which is what shuts out overlong forms and surrogates.
 */
size_t str_utf8_len(const char *s, size_t left)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t n, i;

	if (!left)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}
