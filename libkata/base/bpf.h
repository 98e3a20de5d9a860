/* SPDX-License-Identifier: Apache-2.0 */
/* bpf: the system call, and how a program gets into the kernel. Programs are built where they belong. */
#ifndef KATA_BASE_BPF_H
#define KATA_BASE_BPF_H

#include <linux/bpf.h>
#include <stddef.h>

#include "base/err.h"

/** bpf_call() - Return: what the command returns, or -errno. */
int bpf_call(enum bpf_cmd cmd, union bpf_attr *attr) MUST_CHECK;

/** bpf_load() - @attach: 0 where the type says it. Return: a descriptor, or -errno. */
int bpf_load(enum bpf_prog_type type, enum bpf_attach_type attach,
	     const struct bpf_insn *program, size_t n) MUST_CHECK;

#endif
