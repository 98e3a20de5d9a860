// SPDX-License-Identifier: Apache-2.0
/* device_filter: device filters of cgroup v2: loaded into the kernel and attached to a group. */
#include <errno.h>
#include <string.h>

#include "base/bpf.h"
#include "oci/device_rules.h"

#define MAX_FILTERS 64u

/** Filters attached to the group itself, systemd's too. Return: how many, or -errno. */
static int attached(int dir, uint32_t ids[MAX_FILTERS])
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = MAX_FILTERS;
	r = bpf_call(BPF_PROG_QUERY, &attr);
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int detach(int dir, uint32_t id)
{
	AUTO_CLOSE int prog = -1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	prog = bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);
	if (prog < 0)
		return prog == -ENOENT ? 0 : prog;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return bpf_call(BPF_PROG_DETACH, &attr);
}

/**
 * The old ones go after the new one has come: all that are attached must allow, so that for
 * a moment less is allowed than ever, not more.
 */
int device_filter_attach(int dir, const struct bpf_insn *program, size_t n)
{
	uint32_t old[MAX_FILTERS];
	AUTO_CLOSE int prog = bpf_load(BPF_PROG_TYPE_CGROUP_DEVICE, 0, program, n);
	union bpf_attr attr;
	int n_old, r;

	if (prog < 0)
		return prog;
	n_old = attached(dir, old);
	if (n_old < 0)
		return n_old;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	r = bpf_call(BPF_PROG_ATTACH, &attr);
	for (int i = 0; i < n_old && r == 0; i++)
		r = detach(dir, old[i]);
	return r;
}
