/* SPDX-License-Identifier: Apache-2.0 */
/* plan: what kata-shim was asked for, read once from its environment. Touches nothing else. */
#ifndef KATA_SHIM_PLAN_H
#define KATA_SHIM_PLAN_H

#include <stdbool.h>

#include "base/err.h"

/** struct shim_plan - the strings belong to the environment. */
struct shim_plan {
	bool terminal; /* one stream in both directions instead of three */
	bool callers_tty; /* we were kata-runtime exec: terminal and its keys are the caller's */
	bool own_root;	      /* SHIM_FD_ROOTFS becomes the root of our mount namespace */
	const char *hostname; /* "" = leave it */
	const char *comm;     /* "" = leave it */
	const char *userns;   /* SHIM_USERNS_* */
	const char *passed;   /* a letter of enum shim_passed for each descriptor */
};

/** shim_plan_load() - from KATA_SHIM_*; absent ones mean no. -EINVAL for what it cannot be. */
int shim_plan_load(struct shim_plan *ret, struct kata_err *err) MUST_CHECK;

#endif
