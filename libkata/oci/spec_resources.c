/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_resources: "linux.resources" (config-linux.md, Control groups), which is
 * also the whole document of `update --resources`. Members hold what was
 * written; -1 stays "unlimited", and what a controller makes of a number is
 * left to the one who writes it.
 */
#include "oci/spec_tabs.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define WEIGHT_MAX UINT16_MAX
/** docker before 20.10 writes "not set" as -1 in an unsigned number */
#define SWAPPINESS_UNSET UINT64_MAX

static const struct jt_field device_fields[] = {
	JT(struct oci_device_cgroup, allow, JT_BOOL, .flags = JT_REQUIRED),
	JT(struct oci_device_cgroup, type, JT_STR),
	JT(struct oci_device_cgroup, major, JT_OPT_I64, .min = -1, .max = INT64_MAX),
	JT(struct oci_device_cgroup, minor, JT_OPT_I64, .min = -1, .max = INT64_MAX),
	JT(struct oci_device_cgroup, access, JT_STR),
};

static int device_check(const void *obj, const char *path, struct kata_err *err)
{
	static const char *const types[] = { "", "a", "b", "c", NULL };
	const struct oci_device_cgroup *dev = obj;
	int r = spec_need_word(dev->type, types, path, "type", err);

	if (r < 0)
		return r;
	if (dev->access && dev->access[strspn(dev->access, "rwm")])
		return spec_bad(err, path, "access",
				"must be made of \"r\", \"w\" and \"m\", is \"%s\"",
				dev->access);
	return 0;
}

static const struct jtab device_tab = {
	.what = "device rule",
	.size = sizeof(struct oci_device_cgroup),
	.fields = device_fields,
	.n_fields = ARRAY_SIZE(device_fields),
	.check = device_check,
};

#define LIMIT(m) JT(struct oci_memory, m, JT_OPT_I64, .min = -1, .max = INT64_MAX)

static const struct jt_field memory_fields[] = {
	LIMIT(limit),
	LIMIT(reservation),
	LIMIT(swap),
	LIMIT(kernel),
	LIMIT(kernelTCP),
	JT(struct oci_memory, swappiness, JT_OPT_U64),
	JT(struct oci_memory, disableOOMKiller, JT_OPT_BOOL),
	JT(struct oci_memory, useHierarchy, JT_OPT_BOOL),
	JT(struct oci_memory, checkBeforeUpdate, JT_OPT_BOOL),
};

static int memory_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_memory *m = obj;

	if (m->swappiness && *m->swappiness > 100 && *m->swappiness != SWAPPINESS_UNSET)
		return spec_bad(err, path, "swappiness",
				"must be between 0 and 100, is %" PRIu64, *m->swappiness);
	/* swap is memory and swap together; 0 is docker's "not set" */
	if (m->limit && m->swap && *m->swap > 0 && *m->swap < *m->limit)
		return spec_bad(err, path, "swap",
				"%" PRId64
				" is memory and swap, and below the limit %" PRId64,
				*m->swap, *m->limit);
	return 0;
}

static const struct jtab memory_tab = {
	.what = "memory",
	.size = sizeof(struct oci_memory),
	.fields = memory_fields,
	.n_fields = ARRAY_SIZE(memory_fields),
	.check = memory_check,
};

static const struct jt_field cpu_fields[] = {
	JT(struct oci_cpu, shares, JT_OPT_U64),
	JT(struct oci_cpu, quota, JT_OPT_I64),
	JT(struct oci_cpu, burst, JT_OPT_U64),
	JT(struct oci_cpu, period, JT_OPT_U64),
	JT(struct oci_cpu, realtimeRuntime, JT_OPT_I64),
	JT(struct oci_cpu, realtimePeriod, JT_OPT_U64),
	JT(struct oci_cpu, cpus, JT_STR),
	JT(struct oci_cpu, mems, JT_STR),
	JT(struct oci_cpu, idle, JT_OPT_I64, .max = 1),
};

static int cpu_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_cpu *cpu = obj;
	int r = spec_need_list(cpu->cpus, path, "cpus", err);

	return r < 0 ? r : spec_need_list(cpu->mems, path, "mems", err);
}

static const struct jtab cpu_tab = {
	.what = "cpu",
	.size = sizeof(struct oci_cpu),
	.fields = cpu_fields,
	.n_fields = ARRAY_SIZE(cpu_fields),
	.check = cpu_check,
};

/* specs-go 1.3 has "limit,omitempty": an empty object is what it writes for "not set" */
static const struct jt_field pids_fields[] = {
	JT(struct oci_pids, limit, JT_OPT_I64, .min = -1, .max = INT64_MAX),
};

static const struct jtab pids_tab = {
	.what = "pids",
	.size = sizeof(struct oci_pids),
	.fields = pids_fields,
	.n_fields = ARRAY_SIZE(pids_fields),
};

static const struct jt_field weight_fields[] = {
	JT(struct oci_weight_device, major, JT_I64, .flags = JT_REQUIRED),
	JT(struct oci_weight_device, minor, JT_I64, .flags = JT_REQUIRED),
	JT(struct oci_weight_device, weight, JT_OPT_U32, .max = WEIGHT_MAX),
	JT(struct oci_weight_device, leafWeight, JT_OPT_U32, .max = WEIGHT_MAX),
};

static int weight_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_weight_device *dev = obj;

	if (dev->weight || dev->leafWeight)
		return 0;
	return spec_bad(err, path, "", "must have weight or leafWeight");
}

static const struct jtab weight_tab = {
	.what = "weight device",
	.size = sizeof(struct oci_weight_device),
	.fields = weight_fields,
	.n_fields = ARRAY_SIZE(weight_fields),
	.check = weight_check,
};

static const struct jt_field throttle_fields[] = {
	JT(struct oci_throttle_device, major, JT_I64, .flags = JT_REQUIRED),
	JT(struct oci_throttle_device, minor, JT_I64, .flags = JT_REQUIRED),
	JT(struct oci_throttle_device, rate, JT_U64, .flags = JT_REQUIRED),
};

static const struct jtab throttle_tab = {
	.what = "throttle device",
	.size = sizeof(struct oci_throttle_device),
	.fields = throttle_fields,
	.n_fields = ARRAY_SIZE(throttle_fields),
};

#define THROTTLE(m) JT(struct oci_block_io, m, JT_OBJV, .sub = &throttle_tab)

static const struct jt_field block_io_fields[] = {
	JT(struct oci_block_io, weight, JT_OPT_U32, .max = WEIGHT_MAX),
	JT(struct oci_block_io, leafWeight, JT_OPT_U32, .max = WEIGHT_MAX),
	JT(struct oci_block_io, weightDevice, JT_OBJV, .sub = &weight_tab),
	THROTTLE(throttleReadBpsDevice),
	THROTTLE(throttleWriteBpsDevice),
	THROTTLE(throttleReadIOPSDevice),
	THROTTLE(throttleWriteIOPSDevice),
};

static const struct jtab block_io_tab = {
	.what = "blockIO",
	.size = sizeof(struct oci_block_io),
	.fields = block_io_fields,
	.n_fields = ARRAY_SIZE(block_io_fields),
};

static const struct jt_field hugepage_fields[] = {
	JT(struct oci_hugepage_limit, pageSize, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_hugepage_limit, limit, JT_U64, .flags = JT_REQUIRED),
};

/* ^[1-9][0-9]*[KMG]B$ */
static int hugepage_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_hugepage_limit *hp = obj;
	size_t digits = strspn(hp->pageSize, "0123456789");
	const char *unit = hp->pageSize + digits;

	if (digits && hp->pageSize[0] != '0' &&
	    (str_eq(unit, "KB") || str_eq(unit, "MB") || str_eq(unit, "GB")))
		return 0;
	return spec_bad(err, path, "pageSize", "must be like 64KB, 2MB or 1GB, is \"%s\"",
			hp->pageSize);
}

static const struct jtab hugepage_tab = {
	.what = "hugepage limit",
	.size = sizeof(struct oci_hugepage_limit),
	.fields = hugepage_fields,
	.n_fields = ARRAY_SIZE(hugepage_fields),
	.check = hugepage_check,
};

static const struct jt_field if_prio_fields[] = {
	JT(struct oci_if_prio, name, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_if_prio, priority, JT_U32, .flags = JT_REQUIRED),
};

static int if_prio_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_if_prio *prio = obj;

	return spec_need_ifname(prio->name, path, "name", err);
}

static const struct jtab if_prio_tab = {
	.what = "network priority",
	.size = sizeof(struct oci_if_prio),
	.fields = if_prio_fields,
	.n_fields = ARRAY_SIZE(if_prio_fields),
	.check = if_prio_check,
};

static const struct jt_field network_fields[] = {
	JT(struct oci_network, classID, JT_OPT_U32),
	JT(struct oci_network, priorities, JT_OBJV, .sub = &if_prio_tab),
};

static const struct jtab network_tab = {
	.what = "network",
	.size = sizeof(struct oci_network),
	.fields = network_fields,
	.n_fields = ARRAY_SIZE(network_fields),
};

static const struct jt_field rdma_fields[] = {
	JT(struct oci_rdma, hcaHandles, JT_OPT_U32),
	JT(struct oci_rdma, hcaObjects, JT_OPT_U32),
};

static int rdma_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_rdma *rdma = obj;

	if (rdma->hcaHandles || rdma->hcaObjects)
		return 0;
	return spec_bad(err, path, "", "must have hcaHandles or hcaObjects");
}

static const struct jtab rdma_tab = {
	.what = "rdma",
	.size = sizeof(struct oci_rdma),
	.fields = rdma_fields,
	.n_fields = ARRAY_SIZE(rdma_fields),
	.check = rdma_check,
};

static const struct jt_field resources_fields[] = {
	JT(struct oci_resources, devices, JT_OBJV, .sub = &device_tab),
	JT(struct oci_resources, memory, JT_OBJ, .sub = &memory_tab),
	JT(struct oci_resources, cpu, JT_OBJ, .sub = &cpu_tab),
	JT(struct oci_resources, pids, JT_OBJ, .sub = &pids_tab),
	JT(struct oci_resources, blockIO, JT_OBJ, .sub = &block_io_tab),
	JT(struct oci_resources, hugepageLimits, JT_OBJV, .sub = &hugepage_tab),
	JT(struct oci_resources, network, JT_OBJ, .sub = &network_tab),
	JT(struct oci_resources, rdma, JT_OBJMAP, .sub = &rdma_tab),
	JT(struct oci_resources, unified, JT_MAP),
};

static int resources_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_resources *res = obj;

	/* keys become file names below the cgroup */
	for (size_t i = 0; i < res->unified.n; i++)
		if (strchr(res->unified.keys[i], '/'))
			return spec_bad(err, path, "unified",
					"\"%s\" must be a file name (no slashes)",
					res->unified.keys[i]);
	return spec_need_keys(&res->unified, path, "unified", err);
}

const struct jtab oci_resources_tab = {
	.what = "resources",
	.size = sizeof(struct oci_resources),
	.fields = resources_fields,
	.n_fields = ARRAY_SIZE(resources_fields),
	.check = resources_check,
};
