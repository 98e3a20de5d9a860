// SPDX-License-Identifier: Apache-2.0
/*
 * cpu_list: a list becomes a set, bounded, whatever its numbers are; sets are what is counted and
 * mapped.
 */
#include "oci/cpu_list.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

struct cpus {
	bool has[CPU_LIST_MAX];
	unsigned n;
};

/* The digits at *@s; CPU_LIST_MAX when it is more than that. */
static unsigned number(const char **s)
{
	char text[12];
	size_t n = strspn(*s, "0123456789");
	uint64_t v = CPU_LIST_MAX;

	if (n < sizeof(text)) {
		memcpy(text, *s, n);
		text[n] = '\0';
		if (str_to_u64(text, 0, CPU_LIST_MAX, &v) < 0)
			v = CPU_LIST_MAX;
	}
	*s += n;
	return (unsigned)v;
}

static void set_one(struct cpus *c, unsigned cpu)
{
	c->n += !c->has[cpu];
	c->has[cpu] = true;
}

/* The list is well-formed: spec_need_list(). What is not a number or '-' stands between elements. */
static void read_list(const char *list, struct cpus *ret)
{
	const char *s = list;

	while (*(s += strcspn(s, "0123456789"))) {
		unsigned first = number(&s), last = first;

		if (*s == '-') {
			s++;
			last = number(&s);
		}
		for (unsigned i = first; i <= last && i < CPU_LIST_MAX; i++)
			set_one(ret, i);
	}
}

unsigned cpu_list_count(const char *list)
{
	struct cpus c = { .n = 0 };

	if (list)
		read_list(list, &c);
	return c.n;
}

static void place(struct cpus *to, unsigned cpu, unsigned count)
{
	unsigned at = cpu % count;

	while (to->has[at])
		at = (at + 1) % count;
	set_one(to, at);
}

/* First those that keep their number, then the others where there is room. */
static void map(const struct cpus *from, unsigned count, struct cpus *to)
{
	for (unsigned i = 0; i < count; i++) {
		if (from->has[i])
			set_one(to, i);
	}
	for (unsigned i = count; i < CPU_LIST_MAX && to->n < count; i++) {
		if (from->has[i])
			place(to, i, count);
	}
}

const char *cpu_list_map(const char *list, unsigned count, struct arena *a)
{
	struct cpus from = { .n = 0 }, to = { .n = 0 };
	struct buf b = { 0 };
	const char *text;

	read_list(list, &from);
	if (from.n == 0 || count == 0 || count > CPU_LIST_MAX)
		return NULL;
	map(&from, count, &to);
	for (unsigned i = 0; i < count; i++) {
		unsigned first = i;

		while (i < count && to.has[i])
			i++;
		if (i > first)
			buf_addf(&b, "%s%u", buf_len(&b) ? "," : "", first);
		if (i > first + 1)
			buf_addf(&b, "-%u", i - 1);
	}
	text = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return text;
}
