// SPDX-License-Identifier: Apache-2.0
/* mkprops: the table of kata-oci(7), in mdoc, on stdout. A tool of the build. */
#include <stdio.h>

#include "base/mem.h"
#include "sandbox/props.h"

static void print_where(unsigned where)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ PROP_HOST, "host" },
		{ PROP_GUEST, "guest" },
		{ PROP_VMM, "VM" },
	};
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(where & names[i].bit))
			continue;
		printf("%s%s", sep, names[i].name);
		sep = ", ";
	}
	putchar('\n');
}

int main(void)
{
	static const char *const fates[] = {
		[PROP_WARNED] = "warned of",
		[PROP_REFUSED] = "refused",
		[PROP_IGNORED] = "ignored",
	};

	for (size_t i = 0; i < props_count; i++) {
		const struct prop *p = &props[i];

		printf(".It Va %s\n", p->path);
		if (p->fate == PROP_APPLIED)
			print_where(p->where);
		else
			printf("%s: %s\n", fates[p->fate], prop_text(p));
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
