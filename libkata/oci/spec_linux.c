/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_linux: the "linux" section (config-linux.md) but for its two big
 * members, which have files of their own: spec_resources.c, spec_seccomp.c.
 */
#include "oci/spec_tabs.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "oci/mount_opts.h"

/* the kernel's dev_t: 12 bits of major, 20 of minor */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff
/** S_IFMT | 07777: docker and podman write st_mode whole, runc masks it */
#define FILE_MODE_MAX 0177777
#define NANOSECS_MAX 999999999

const char *const oci_ns_names[OCI_NS_TYPES + 1] = {
	[OCI_NS_MOUNT] = "mount",   [OCI_NS_PID] = "pid",   [OCI_NS_NETWORK] = "network",
	[OCI_NS_UTS] = "uts",	    [OCI_NS_IPC] = "ipc",   [OCI_NS_USER] = "user",
	[OCI_NS_CGROUP] = "cgroup", [OCI_NS_TIME] = "time",
};

static const struct jt_field ns_fields[] = {
	JT(struct oci_namespace, type, JT_ENUM, .flags = JT_REQUIRED,
	   .names = oci_ns_names),
	JT(struct oci_namespace, path, JT_STR),
};

static int ns_check(const void *obj, const char *path, struct kata_err *err)
{
	struct oci_namespace *ns = (struct oci_namespace *)obj; /* ours until decoded */

	if (ns->path && !ns->path[0]) /* Go's zero value: a new namespace */
		ns->path = NULL;
	return spec_need_abs(ns->path, path, "path", err);
}

static const struct jtab ns_tab = {
	.what = "namespace",
	.size = sizeof(struct oci_namespace),
	.fields = ns_fields,
	.n_fields = ARRAY_SIZE(ns_fields),
	.check = ns_check,
};

static const struct jt_field device_fields[] = {
	JT(struct oci_device, type, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_device, path, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_device, major, JT_OPT_I64, .max = MAJOR_MAX),
	JT(struct oci_device, minor, JT_OPT_I64, .max = MINOR_MAX),
	JT(struct oci_device, fileMode, JT_OPT_U32, .max = FILE_MODE_MAX),
	JT(struct oci_device, uid, JT_OPT_U32),
	JT(struct oci_device, gid, JT_OPT_U32),
};

static int device_check(const void *obj, const char *path, struct kata_err *err)
{
	static const char *const types[] = { "c", "b", "u", "p", NULL };
	const struct oci_device *dev = obj;
	int r = spec_need_word(dev->type, types, path, "type", err);

	if (r < 0)
		return r;
	if (!str_eq(dev->type, "p") && (!dev->major || !dev->minor))
		return spec_bad(err, path, dev->major ? "minor" : "major",
				"is required for type \"%s\"", dev->type);
	return spec_need_abs(dev->path, path, "path", err);
}

static const struct jtab device_tab = {
	.what = "device",
	.size = sizeof(struct oci_device),
	.fields = device_fields,
	.n_fields = ARRAY_SIZE(device_fields),
	.check = device_check,
};

static const struct jt_field net_device_fields[] = {
	JT(struct oci_net_device, name, JT_STR),
};

static int net_device_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_net_device *dev = obj;

	if (!dev->name || !dev->name[0])
		return 0;
	return spec_need_ifname(dev->name, path, "name", err);
}

static const struct jtab net_device_tab = {
	.what = "network device",
	.size = sizeof(struct oci_net_device),
	.fields = net_device_fields,
	.n_fields = ARRAY_SIZE(net_device_fields),
	.check = net_device_check,
};

static const struct jt_field rdt_fields[] = {
	JT(struct oci_intel_rdt, closID, JT_STR),
	JT(struct oci_intel_rdt, schemata, JT_STRV),
	JT(struct oci_intel_rdt, l3CacheSchema, JT_STR),
	JT(struct oci_intel_rdt, memBwSchema, JT_STR),
	JT(struct oci_intel_rdt, enableMonitoring, JT_BOOL, .flags = JT_OMIT_ZERO),
};

static bool one_line(const char *s)
{
	return !s || !strchr(s, '\n');
}

static int rdt_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_intel_rdt *rdt = obj;
	const char *id = rdt->closID;

	/* a directory below /sys/fs/resctrl; "/" is that one itself */
	if (id && (str_eq(id, ".") || str_eq(id, "..") ||
		   (strchr(id, '/') && !str_eq(id, "/"))))
		return spec_bad(err, path, "closID", "invalid name \"%s\"", id);
	if (!one_line(rdt->l3CacheSchema))
		return spec_bad(err, path, "l3CacheSchema", "must be one line");
	if (!one_line(rdt->memBwSchema) ||
	    (rdt->memBwSchema && !str_has_prefix(rdt->memBwSchema, "MB:")))
		return spec_bad(err, path, "memBwSchema",
				"must be one line beginning with \"MB:\", is \"%s\"",
				rdt->memBwSchema);
	for (size_t i = 0; i < rdt->schemata.n; i++)
		if (!one_line(rdt->schemata.v[i]))
			return spec_bad(err, path, "schemata", "each must be one line");
	return 0;
}

static const struct jtab rdt_tab = {
	.what = "intelRdt",
	.size = sizeof(struct oci_intel_rdt),
	.fields = rdt_fields,
	.n_fields = ARRAY_SIZE(rdt_fields),
	.check = rdt_check,
};

static const struct jt_field memory_policy_fields[] = {
	JT(struct oci_memory_policy, mode, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_memory_policy, nodes, JT_STR),
	JT(struct oci_memory_policy, flags, JT_STRV),
};

/* set_mempolicy(2): which modes want nodes and which want none */
static int memory_policy_check(const void *obj, const char *path, struct kata_err *err)
{
	static const char *const modes[] = {
		"MPOL_DEFAULT",	       "MPOL_LOCAL",
		"MPOL_PREFERRED",      "MPOL_BIND",
		"MPOL_INTERLEAVE",     "MPOL_WEIGHTED_INTERLEAVE",
		"MPOL_PREFERRED_MANY", NULL,
	};
	static const char *const flags[] = {
		"MPOL_F_NUMA_BALANCING",
		"MPOL_F_RELATIVE_NODES",
		"MPOL_F_STATIC_NODES",
		NULL,
	};
	const struct oci_memory_policy *mp = obj;
	bool none = str_eq(mp->mode, "MPOL_DEFAULT") || str_eq(mp->mode, "MPOL_LOCAL");
	bool empty = spec_list_empty(mp->nodes);
	int r = spec_need_word(mp->mode, modes, path, "mode", err);

	if (r < 0)
		return r;
	r = spec_need_list(mp->nodes, path, "nodes", err);
	if (r < 0)
		return r;
	if (none && !empty)
		return spec_bad(err, path, "nodes", "must be empty for %s", mp->mode);
	if (!none && empty && !str_eq(mp->mode, "MPOL_PREFERRED"))
		return spec_bad(err, path, "nodes", "must have a node for %s", mp->mode);
	return spec_need_words(&mp->flags, flags, path, "flags", err);
}

static const struct jtab memory_policy_tab = {
	.what = "memoryPolicy",
	.size = sizeof(struct oci_memory_policy),
	.fields = memory_policy_fields,
	.n_fields = ARRAY_SIZE(memory_policy_fields),
	.check = memory_policy_check,
};

static const struct jt_field personality_fields[] = {
	JT(struct oci_personality, domain, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_personality, flags, JT_STRV),
};

static int personality_check(const void *obj, const char *path, struct kata_err *err)
{
	static const char *const domains[] = { "LINUX", "LINUX32", NULL };
	const struct oci_personality *p = obj;

	if (p->flags.n) /* the spec: "currently no flag values are supported" */
		return spec_bad(err, path, "flags[0]", "unknown value \"%s\"",
				p->flags.v[0]);
	return spec_need_word(p->domain, domains, path, "domain", err);
}

static const struct jtab personality_tab = {
	.what = "personality",
	.size = sizeof(struct oci_personality),
	.fields = personality_fields,
	.n_fields = ARRAY_SIZE(personality_fields),
	.check = personality_check,
};

static const struct jt_field time_offset_fields[] = {
	JT(struct oci_time_offset, secs, JT_I64, .flags = JT_OMIT_ZERO),
	JT(struct oci_time_offset, nanosecs, JT_U32, .flags = JT_OMIT_ZERO,
	   .max = NANOSECS_MAX),
};

static const struct jtab time_offset_tab = {
	.what = "time offset",
	.size = sizeof(struct oci_time_offset),
	.fields = time_offset_fields,
	.n_fields = ARRAY_SIZE(time_offset_fields),
};

static const struct jt_field time_offsets_fields[] = {
	JT(struct oci_time_offsets, boottime, JT_OBJ, .sub = &time_offset_tab),
	JT(struct oci_time_offsets, monotonic, JT_OBJ, .sub = &time_offset_tab),
};

static const struct jtab time_offsets_tab = {
	.what = "timeOffsets",
	.size = sizeof(struct oci_time_offsets),
	.fields = time_offsets_fields,
	.n_fields = ARRAY_SIZE(time_offsets_fields),
};

static const struct jt_field linux_fields[] = {
	JT(struct oci_linux, namespaces, JT_OBJV, .sub = &ns_tab),
	JT(struct oci_linux, uidMappings, JT_OBJV, .sub = &oci_id_map_tab),
	JT(struct oci_linux, gidMappings, JT_OBJV, .sub = &oci_id_map_tab),
	JT(struct oci_linux, devices, JT_OBJV, .sub = &device_tab),
	JT(struct oci_linux, netDevices, JT_OBJMAP, .sub = &net_device_tab),
	JT(struct oci_linux, cgroupsPath, JT_STR),
	JT(struct oci_linux, resources, JT_OBJ, .sub = &oci_resources_tab),
	JT(struct oci_linux, sysctl, JT_MAP),
	JT(struct oci_linux, seccomp, JT_OBJ, .sub = &oci_seccomp_tab),
	JT(struct oci_linux, rootfsPropagation, JT_STR),
	JT(struct oci_linux, mountLabel, JT_STR),
	JT(struct oci_linux, maskedPaths, JT_STRV),
	JT(struct oci_linux, readonlyPaths, JT_STRV),
	JT(struct oci_linux, intelRdt, JT_OBJ, .sub = &rdt_tab),
	JT(struct oci_linux, memoryPolicy, JT_OBJ, .sub = &memory_policy_tab),
	JT(struct oci_linux, personality, JT_OBJ, .sub = &personality_tab),
	JT(struct oci_linux, timeOffsets, JT_OBJ, .sub = &time_offsets_tab),
};

static int namespaces_check(const struct oci_linux *lx, const char *path,
			    struct kata_err *err)
{
	const struct oci_namespace *ns = lx->namespaces.v;
	unsigned seen = 0;

	for (size_t i = 0; i < lx->namespaces.n; i++) {
		char name[40];

		snprintf(name, sizeof(name), "namespaces[%zu].type", i);
		if (seen & 1u << ns[i].type)
			return spec_bad(err, path, name, "\"%s\" is there twice",
					oci_ns_names[ns[i].type]);
		seen |= 1u << ns[i].type;
	}
	return 0;
}

static int net_devices_check(const struct oci_linux *lx, const char *path,
			     struct kata_err *err)
{
	int r = 0;

	for (size_t i = 0; i < lx->netDevices.n && r == 0; i++)
		r = spec_need_ifname(lx->netDevices.keys[i], path, "netDevices", err);
	return r;
}

static int linux_check(const void *obj, const char *path, struct kata_err *err)
{
	struct oci_linux *lx = (struct oci_linux *)obj; /* ours until decoded */
	int r = namespaces_check(lx, path, err);

	if (r < 0)
		return r;
	r = net_devices_check(lx, path, err);
	if (r < 0)
		return r;
	r = spec_need_keys(&lx->sysctl, path, "sysctl", err);
	if (r < 0)
		return r;
	if (lx->rootfsPropagation && !lx->rootfsPropagation[0]) /* Go's zero value */
		lx->rootfsPropagation = NULL;
	if (lx->rootfsPropagation && !mount_opt_propagation(lx->rootfsPropagation))
		return spec_bad(err, path, "rootfsPropagation", "unknown value \"%s\"",
				lx->rootfsPropagation);
	r = spec_need_abs_all(&lx->maskedPaths, path, "maskedPaths", err);
	if (r < 0)
		return r;
	return spec_need_abs_all(&lx->readonlyPaths, path, "readonlyPaths", err);
}

const struct jtab oci_linux_tab = {
	.what = "linux",
	.size = sizeof(struct oci_linux),
	.fields = linux_fields,
	.n_fields = ARRAY_SIZE(linux_fields),
	.check = linux_check,
};
