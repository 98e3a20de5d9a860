/* SPDX-License-Identifier: Apache-2.0 */
/* unit: systemd units as data: their names, where their groups are, their properties. Pure. */
#ifndef KATA_CGROUP_UNIT_H
#define KATA_CGROUP_UNIT_H

#include "cgroup/plan.h"

/** struct cg_unit - "systemd:SLICE:UNIT" taken apart. */
struct cg_unit {
	const char *slice, *name;
	bool is_slice; /* the unit is a slice itself */
};

/** cg_unit_name() - the group's name from "slice:prefix:name"; @path NULL: of @id alone. */
int cg_unit_name(const char *path, const char *id, struct arena *a, const char **ret_name,
		 struct kata_err *err) MUST_CHECK;
/** cg_unit_split() - false: @name is none of systemd's. */
bool cg_unit_split(const char *name, struct arena *a, struct cg_unit *ret);
/** cg_unit_path() - "/a.slice/a-b.slice/x.scope"; NULL: the slice's name is none. */
const char *cg_unit_path(const struct cg_unit *u, struct arena *a);

/** struct cg_prop - a property: @type as D-Bus has it: b y n q i u x t d s, and 'a' for bytes ("ay"). */
struct cg_prop {
	const char *name;
	char type;
	union {
		uint64_t u; /* b y q u t */
		int64_t i;  /* n i x */
		double d;
		const char *s;
		struct {
			const unsigned char *v;
			size_t n;
		} bytes;
	} value;
};
struct cg_props {
	struct cg_prop *v;
	size_t n;
	struct arena *a;
};

/**
 * cg_unit_annotations() - org.systemd.property.NAME, as runc: the value is GVariant text; a
 * name in ...Sec becomes ...USec. -EINVAL names the annotation; kinds other than booleans,
 * numbers and strings are -ENOTSUP.
 */
int cg_unit_annotations(const struct jt_map *annotations, struct cg_props *ret,
			struct kata_err *err) MUST_CHECK;

/** struct cg_quota - v1's two files as they are now; 0 = unknown. */
struct cg_quota {
	int64_t quota;
	uint64_t period;
};
/**
 * cg_unit_props() - what systemd is told of a plan, so that it does not set the files back to its
 * own idea. Rounded as systemd wants it; the files have the exact value afterwards.
 * @version: of systemd; properties it does not know are left out
 */
void cg_unit_props(const struct cg_plan *p, const struct cg_quota *now, unsigned version,
		   struct cg_props *ret);

#endif
