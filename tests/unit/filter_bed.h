/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_bed: profiles as text, and an interpreter for the programs that they become. Not the
 * instructions are looked at but what they say.
 */
#ifndef KATA_TESTS_UNIT_FILTER_BED_H
#define KATA_TESTS_UNIT_FILTER_BED_H

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/str.h"
#include "oci.h"
#include "seccomp/filter.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "no VMs for this architecture"
#endif

#define KILL SECCOMP_RET_KILL_THREAD
#define ALLOW SECCOMP_RET_ALLOW
#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

/* The interpreter: what libseccomp and the stub write. */

static inline bool jumps(const struct sock_filter *i, uint32_t acc)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return acc == i->k;
	case BPF_JGT:
		return acc > i->k;
	case BPF_JGE:
		return acc >= i->k;
	case BPF_JSET:
		return acc & i->k;
	default:
		ck_abort_msg("jump 0x%x", i->code);
	}
}

static inline uint32_t load(const struct seccomp_data *d, uint32_t at)
{
	uint32_t word;

	ck_assert_uint_le(at + sizeof(word), sizeof(*d));
	memcpy(&word, (const char *)d + at, sizeof(word));
	return word;
}

/* What the program answers. */
static inline uint32_t answer(const struct buf *program, const struct seccomp_data *d)
{
	const struct sock_filter *p = (const void *)buf_ptr(program);
	size_t n = buf_len(program) / sizeof(*p), at = 0;
	uint32_t acc = 0;

	ck_assert_uint_eq(buf_len(program) % sizeof(*p), 0);
	ck_assert_uint_le(n, BPF_MAXINSNS);
	for (;;) {
		const struct sock_filter *i = &p[at++];

		ck_assert_uint_le(at, n);
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			acc = load(d, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			acc &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			at += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP)
			at += jumps(i, acc) ? i->jt : i->jf;
		else if (i->code == (BPF_RET | BPF_K))
			return i->k;
		else
			ck_abort_msg("instruction %zu: 0x%x", at - 1, i->code);
	}
}

/* --- profiles */

static inline const struct oci_seccomp *profile(struct arena *a, const char *quoted)
{
	return oci_good(a, arena_printf(a, CONFIG("'linux':{'seccomp':{%s}}"), quoted))
		->linux_->seccomp;
}

static inline void compile(const struct oci_seccomp *sec, struct buf *out)
{
	struct kata_err err = { 0 };

	memset(out, 0, sizeof(*out));
	ck_assert_msg(filter_compile(sec, out, &err) == 0, "%s", err.msg);
}

/* @name: of a system call of this architecture, or a number */
static inline int number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);
	uint64_t n = 0;

	if (nr != __NR_SCMP_ERROR)
		return nr;
	ck_assert_msg(str_to_u64(name, 0, INT32_MAX, &n) == 0, "%s", name);
	return (int)n;
}

#define DENY "'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
#define PASS "'defaultAction':'SCMP_ACT_ALLOW','syscalls':["
#define RULE(names, action, rest)                                                        \
	"{'names':[" names "],'action':'SCMP_ACT_" action "'" rest "}"
#define ARGS(list) ",'args':[" list "]"
#define ARG(index, op, value)                                                            \
	"{'index':" #index ",'op':'SCMP_CMP_" op "','value':" value "}"
#define MASKED(index, mask, value)                                                       \
	"{'index':" #index ",'op':'SCMP_CMP_MASKED_EQ','value':" mask                    \
	",'valueTwo':" value "}"

#endif
