// SPDX-License-Identifier: Apache-2.0
/*
 * stub: -ENOSYS for system calls that are newer than the profile.
 *
 * A C library tries the newest call first (clone3, faccessat2, openat2) and falls back when
 * it hears ENOSYS. A profile that knows nothing of the new call answers EPERM by its default,
 * and the library gives up. So a number above the highest that the profile names, on that
 * architecture, is answered as an older kernel would: runc's rule (libcontainer/seccomp/patchbpf).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "seccomp/filter.h"

#define BLOCK_LEN 7

/* Seven instructions that expect the architecture in the accumulator, and leave it there for the next. */
static void add_block(const struct filter_stub_arch *a, uint32_t behind, struct buf *out)
{
	const struct sock_filter block[BLOCK_LEN] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, a->audit, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FILTER_X32, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, a->last, 1, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, a->last_x32, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_JMP | BPF_JA, behind),
	};

	buf_add(out, block, sizeof(block));
}

void filter_stub(const struct filter_stub_arch *archs, size_t n, struct buf *out)
{
	const struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));

	buf_add(out, &load, sizeof(load));
	for (size_t i = 0; i < n; i++)
		add_block(&archs[i], (uint32_t)(BLOCK_LEN * (n - 1 - i)), out);
}
