/* SPDX-License-Identifier: Apache-2.0 */
/* limits: linux.resources that can be changed member by member. */
#ifndef KATA_VERB_LIMITS_H
#define KATA_VERB_LIMITS_H

#include "oci/spec.h"
#include "verb/verb.h"

/**
 * struct limits - @res, and the sections that it points to when anything was said about them. Not
 * to be copied: @res points into it.
 */
struct limits {
	struct oci_resources res;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_pids pids;
	struct oci_block_io block_io;
};

/** limits_take_apart() - a document's; borrows what the members point to. */
void limits_take_apart(const struct oci_resources *res, struct limits *ret);
/** limits_lay() - those of @asked that are set over those of @had. */
void limits_lay(struct limits *had, const struct limits *asked);
/** limits_undo() - what takes @asked back: what it @had, and no limit where it had none. */
void limits_undo(struct limits *ret, const struct limits *had,
		 const struct limits *asked);

/** limits_read() - those in force, in the box's arena. */
int limits_read(const struct verb_box *box, struct limits *ret,
		struct kata_err *err) MUST_CHECK;
int limits_write(const struct verb_box *box, const struct limits *l,
		 struct kata_err *err) MUST_CHECK;

#endif
