/* SPDX-License-Identifier: Apache-2.0 */
/*
 * props: every property of config.json (the schemas of runtime-spec 1.3) and what becomes of it here. The
 * table of kata-oci(7); test_props holds it against the schemas and against guest_spec_check().
 */
#ifndef KATA_SANDBOX_PROPS_H
#define KATA_SANDBOX_PROPS_H

#include <stddef.h>

enum prop_fate {
	PROP_APPLIED, /* @where */
	PROP_WARNED, /* the container runs without it; an error with "unsupported = refuse" */
	PROP_REFUSED, /* an error in any case */
	PROP_IGNORED, /* there is nothing to be done */
};

#define PROP_HOST                                                                        \
	1u /* kata-runtime, kata-sandbox and kata-shim: cgroups, files, namespaces */
#define PROP_GUEST 2u /* kata-agent */
#define PROP_VMM 4u   /* what the VM is made of */

/**
 * struct prop
 * @path: as in messages, with [] for each of a list and {} for each of a map
 * @text: what is said, behind "<path>: "; NULL = as for the property it is in
 */
struct prop {
	const char *path;
	enum prop_fate fate;
	unsigned where;
	const char *text;
};

extern const struct prop props[];
extern const size_t props_count;

/** prop_text() - what is said of @p, found in what it is in if need be. NULL for one that is applied. */
const char *prop_text(const struct prop *p);

#endif
