/* SPDX-License-Identifier: Apache-2.0 */
/* caps: the five capability sets of a process, by the system calls themselves. */
#ifndef KATA_AGENT_CAPS_H
#define KATA_AGENT_CAPS_H

#include <stdint.h>

#include "oci/spec.h"

#define CAP_BIT(n) ((uint64_t)1 << (n))

/** struct caps - bit n = capability number n. */
struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/** caps_plan() - sets from the spec; NULL = none at all, as runc has it. Names and numbers above
 *  @last (the kernel's last capability) are left out. Pure. */
struct caps caps_plan(const struct oci_caps *spec, unsigned last);

/** caps_last() - number of the last capability that this kernel knows. */
unsigned caps_last(void);

/** caps_bound() - shrink the bounding set, keep the rest over a change of user. */
int caps_bound(const struct caps *c, struct kata_err *err) MUST_CHECK;

/**
 * caps_apply() - after the change of user: the other four.
 * @reserve: permitted besides, so that they can be used once more; 0 = none
 * caps_use() - make them effective; caps_drop() - give them up for good.
 */
int caps_apply(const struct caps *c, uint64_t reserve, struct kata_err *err) MUST_CHECK;
int caps_use(const struct caps *c, uint64_t reserve, struct kata_err *err) MUST_CHECK;
int caps_drop(const struct caps *c, struct kata_err *err) MUST_CHECK;

#endif
