/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_common: the kinds of rule that more than one section of the spec has.
 *
 * jtab has checked types, ranges and presence before any of these runs, so
 * they see complete objects. They keep to one shape, value - where - err, and
 * take NULL as "absent, fine".
 */
#include "oci/spec_tabs.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

int spec_bad(struct kata_err *err, const char *path, const char *member, const char *fmt,
	     ...)
{
	char text[KATA_ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* values come from outside and an error is one line */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return err_set(err, -EINVAL, "%s%s%s: %s", path, *path && *member ? "." : "",
		       member, text);
}

int spec_need_abs(const char *value, const char *path, const char *member,
		  struct kata_err *err)
{
	if (!value || value[0] == '/')
		return 0;
	return spec_bad(err, path, member, "must be an absolute path, is \"%s\"", value);
}

static const char *element(char *buf, size_t size, const char *member, size_t i)
{
	snprintf(buf, size, "%s[%zu]", member, i);
	return buf;
}

int spec_need_abs_all(const struct jt_strv *values, const char *path, const char *member,
		      struct kata_err *err)
{
	char name[64];
	int r;

	for (size_t i = 0; i < values->n; i++) {
		r = spec_need_abs(values->v[i], path,
				  element(name, sizeof(name), member, i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(value, *words))
			return true;
	return false;
}

int spec_need_word(const char *value, const char *const *words, const char *path,
		   const char *member, struct kata_err *err)
{
	struct buf list = { 0 };
	int r;

	if (!value || is_one_of(value, words))
		return 0;
	for (; *words; words++)
		if (**words) /* "" may be allowed, but is not worth naming */
			buf_addf(&list, "%s%s", buf_len(&list) ? ", " : "", *words);
	r = spec_bad(err, path, member, "\"%.64s\" is not one of %s", value,
		     buf_cstr(&list));
	buf_done(&list);
	return r;
}

int spec_need_words(const struct jt_strv *values, const char *const *words,
		    const char *path, const char *member, struct kata_err *err)
{
	char name[64];
	int r;

	for (size_t i = 0; i < values->n; i++) {
		r = spec_need_word(values->v[i], words, path,
				   element(name, sizeof(name), member, i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One number at *s, advancing it; -1 when there is none or it is above the bound. */
static long list_number(const char **s)
{
	long n = 0;

	if (**s < '0' || **s > '9')
		return -1;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		n = n * 10 + (**s - '0');
		if (n > OCI_LIST_MAX)
			return -1;
	}
	return n;
}

/* One element, "n" or "n-m", at *s, advancing it. */
static bool list_element(const char **s)
{
	long first = list_number(s), last = first;

	if (first >= 0 && **s == '-') {
		(*s)++;
		last = list_number(s);
	}
	*s += strspn(*s, " ");
	return first >= 0 && last >= first && (**s == ',' || !**s);
}

int spec_need_list(const char *value, const char *path, const char *member,
		   struct kata_err *err)
{
	const char *s = value;

	if (!value)
		return 0;
	for (s += strspn(s, ", "); *s; s += strspn(s, ", "))
		if (!list_element(&s))
			return spec_bad(err, path, member,
					"must be a list such as \"0-3,7\", is \"%s\"",
					value);
	return 0;
}

bool spec_list_empty(const char *value)
{
	return !value || !value[strspn(value, ", ")];
}

int spec_need_keys(const struct jt_map *map, const char *path, const char *member,
		   struct kata_err *err)
{
	for (size_t i = 0; i < map->n; i++)
		if (!map->keys[i][0])
			return spec_bad(err, path, member, "has an empty key");
	return 0;
}

int spec_need_ifname(const char *value, const char *path, const char *member,
		     struct kata_err *err)
{
	size_t len = strlen(value);

	if (len > 0 && len < IFNAMSIZ && !str_eq(value, ".") && !str_eq(value, "..") &&
	    !value[strcspn(value, "/: \t\n\v\f\r")])
		return 0;
	return spec_bad(err, path, member, "invalid network device name \"%s\"", value);
}
