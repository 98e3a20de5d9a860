/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: the filter that the host has compiled (libkata/seccomp): check the bytes, load them.
 * The agent knows no profile.
 */
#ifndef KATA_AGENT_SECCOMP_H
#define KATA_AGENT_SECCOMP_H

#include <linux/filter.h>

#include "base/err.h"
#include "base/mem.h"
#include "requests.h"

/** struct seccomp - @program.len 0: no filter. */
struct seccomp {
	uint32_t flags;
	struct sock_fprog program;
};

/** seccomp_decode() - @req may be NULL. What is kept is in @a. -EINVAL, -E2BIG: not a program. */
int seccomp_decode(const struct req_filter *req, struct arena *a, struct seccomp *ret,
		   struct kata_err *err) MUST_CHECK;

/** seccomp_check() - can this kernel load @s? */
int seccomp_check(const struct seccomp *s, struct kata_err *err) MUST_CHECK;

/** seccomp_load() - for the calling process and what it becomes; no_new_privs, or CAP_SYS_ADMIN. */
int seccomp_load(const struct seccomp *s, struct kata_err *err) MUST_CHECK;

#endif
