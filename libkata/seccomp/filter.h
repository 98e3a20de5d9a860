/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: linux.seccomp as the program that the guest's kernel runs before each system call.
 *
 * It is compiled here, by libseccomp, and the agent loads bytes: the guest has no libseccomp. Host
 * and guest are of one architecture. What it means is what runc makes of the same profile;
 * where the two could differ a comment says so.
 *
 * Only kata-sandbox and tests link this: a call of kata-runtime does not load libseccomp.
 */
#ifndef KATA_SECCOMP_FILTER_H
#define KATA_SECCOMP_FILTER_H

#include <linux/filter.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/spec.h"

/** struct filter - nothing in the program: no filter. @flags: SECCOMP_FILTER_FLAG_* */
struct filter {
	uint32_t flags;
	struct buf program; /* struct sock_filter[] */
};

/**
 * filter_make() - compile @sec, or take what was compiled before. The caller frees the program.
 * @cache_dirfd: where compiled programs are kept; -1 = nowhere
 * Errors name the JSON path.
 */
int filter_make(int cache_dirfd, const struct oci_seccomp *sec, struct filter *ret,
		struct kata_err *err) MUST_CHECK;

/** filter_flags() - pure: what goes with the program. -ENOTSUP: needs a listener. */
int filter_flags(const struct oci_seccomp *sec, uint32_t *ret_flags,
		 struct kata_err *err) MUST_CHECK;

/**
 * filter_compile() - append the program to @out.
 * -E2BIG: more instructions than a kernel takes. Asks neither the kernel nor a file.
 */
int filter_compile(const struct oci_seccomp *sec, struct buf *out,
		   struct kata_err *err) MUST_CHECK;

/** Bit of a system call's number that says x32 (the kernel's __X32_SYSCALL_BIT). */
#define FILTER_X32 0x40000000u
/** Instructions of filter_stub() for @n architectures. */
#define FILTER_STUB_LEN(n) (1 + 7 * (n))
/** struct filter_stub_arch.last: nothing is known, let the filter decide. */
#define FILTER_NO_LAST UINT32_MAX

/**
 * struct filter_stub_arch - the highest system call that a profile knows.
 * @audit: AUDIT_ARCH_*
 * @last, @last_x32: of numbers without and with FILTER_X32
 */
struct filter_stub_arch {
	uint32_t audit, last, last_x32;
};

/**
 * filter_stub() - pure: append a program whose end is the beginning of the filter that follows,
 * unless the call is newer than the profile: then -ENOSYS. @n: at most 32
 */
void filter_stub(const struct filter_stub_arch *archs, size_t n, struct buf *out);

#endif
