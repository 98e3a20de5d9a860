// SPDX-License-Identifier: Apache-2.0
/* update: change the limits of a container. */
#include "cmd.h"

struct update_args {
	struct cmd_args common;
	struct kata_update_args kata;
};

static int run_update(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	const struct update_args *from = args;
	struct kata_update_args a = from->kata;

	(void)n;
	a.id = words[0];
	return kata_update(k, &a, err);
}

#define MEMBER_OPT(option, arg, member, doc)                                             \
	{                                                                                \
		option, 0, OPT_STR, arg,                                                 \
			offsetof(struct update_args, kata.value[member]), NULL, doc      \
	}

static const struct opt update_opts[] = {
	{ "resources", 'r', OPT_STR, "FILE", offsetof(struct update_args, kata.resources),
	  NULL, "limits as JSON (linux.resources); - reads standard input" },
	MEMBER_OPT("blkio-weight", "N", KATA_UPDATE_BLKIO_WEIGHT,
		   "share of the host's disks, 10 to 1000"),
	MEMBER_OPT("cpu-burst", "US", KATA_UPDATE_CPU_BURST,
		   "microseconds that may be saved up"),
	MEMBER_OPT("cpu-idle", "0|1", KATA_UPDATE_CPU_IDLE,
		   "run only when others do not"),
	MEMBER_OPT("cpu-period", "US", KATA_UPDATE_CPU_PERIOD,
		   "microseconds of the quota's period"),
	MEMBER_OPT("cpu-quota", "US", KATA_UPDATE_CPU_QUOTA, "microseconds per period"),
	CMD_REFUSE_OPT("cpu-rt-period", 0, "US",
		       "the guest's kernel has no real-time groups"),
	CMD_REFUSE_OPT("cpu-rt-runtime", 0, "US",
		       "the guest's kernel has no real-time groups"),
	MEMBER_OPT("cpu-share", "N", KATA_UPDATE_CPU_SHARE, "CPU shares"),
	MEMBER_OPT("cpuset-cpus", "LIST", KATA_UPDATE_CPUSET_CPUS, "CPUs of the host"),
	MEMBER_OPT("cpuset-mems", "LIST", KATA_UPDATE_CPUSET_MEMS,
		   "memory nodes of the host"),
	CMD_REFUSE_OPT(
		"kernel-memory", 0, "BYTES",
		"current kernels have no such limit; --memory counts the kernel's too"),
	CMD_REFUSE_OPT(
		"kernel-memory-tcp", 0, "BYTES",
		"the guest's cgroup v2 has no such limit; --memory counts sockets too"),
	CMD_REFUSE_OPT("l3-cache-schema", 0, "SCHEMA",
		       "there are no resctrl groups of VMs yet"),
	CMD_REFUSE_OPT("mem-bw-schema", 0, "SCHEMA",
		       "there are no resctrl groups of VMs yet"),
	MEMBER_OPT("memory", "BYTES", KATA_UPDATE_MEMORY, "memory limit, -1 = none"),
	MEMBER_OPT("memory-reservation", "BYTES", KATA_UPDATE_MEMORY_RESERVATION,
		   "memory that is kept from others"),
	MEMBER_OPT("memory-swap", "BYTES", KATA_UPDATE_MEMORY_SWAP,
		   "memory and swap, -1 = no limit"),
	MEMBER_OPT("pids-limit", "N", KATA_UPDATE_PIDS_LIMIT, "number of processes"),
	CMD_HELP_OPT,
};

const struct cmd cmd_update = {
	.name = "update",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "change the limits of a container",
	.opts = CMD_OPTS(update_opts, "update"),
	.args_size = sizeof(struct update_args),
	.run = run_update,
};
