/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup: the container's group on the host: cgroup v1 (a directory of the same path in every
 * hierarchy), v2, or a scope unit of systemd. Shims, and of the sandbox's first container also
 * kata-sandbox with VMM and helpers, are in it, so that what engines count there is true.
 *
 *   plan.c      resources + overhead -> list of (controller, file, value); pure
 *   devices.c   device rules -> v1 lines; pure (v2: oci/device_rules.h)
 *   unit.c      systemd units: names, places, properties; pure
 *   host.c      which hierarchies this host has, from mountinfo and /proc/self/cgroup
 *   cgroup.c    make, join, remove
 *   move.c      processes from one to another
 *   apply.c     a plan into the files
 *   systemd.c   scope units over D-Bus (libsystemd, optional)
 *   overhead.h  what a VM needs beside the guest's RAM
 *
 * A group is known by its name, one string that goes into the record before the group is made:
 * "cgroupfs:/docker/ID" (with further lines where v1 hierarchies differ, host.c),
 * "systemd:SLICE:UNIT", or "" when the manager is disabled.
 */
#ifndef KATA_CGROUP_CGROUP_H
#define KATA_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"
#include "oci/spec.h"

enum cgroup_manager { CGROUP_CGROUPFS, CGROUP_SYSTEMD, CGROUP_DISABLED };

/** struct cgroup_ask - what the spec and the command line say. */
struct cgroup_ask {
	enum cgroup_manager manager;
	const char *path; /* linux.cgroupsPath; NULL or "" = made from @id */
	const char *id;
};

/**
 * cgroup_name() - the group's name, from @a. Touches nothing; reads /proc/self/cgroup for a
 * relative path, which runc takes as below the caller's own group.
 * -EINVAL: linux.cgroupsPath does not fit the manager ("slice:prefix:name" for systemd);
 * -ENOTSUP: built without libsystemd.
 */
int cgroup_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		struct kata_err *err) MUST_CHECK;

/** struct cgroup - an open group. For the name "" every call succeeds and does nothing. */
struct cgroup;

/**
 * struct cgroup_extra - what the host needs beyond the spec's limits: added to memory (bytes) and
 * pids. @min_memory: a memory limit is never set below it (RAM of the VM + its overhead).
 * @devices: the VM's own devices (kvm, vhost, tun) are admitted besides the spec's rules.
 */
struct cgroup_extra {
	uint64_t memory, min_memory;
	unsigned pids;
	bool devices;
};

/**
 * cgroup_make() - make it with process @first in it (systemd needs one), parents included, set
 * @annotations' org.systemd.property.* there. One that is there already is used when it is empty of
 * processes and not frozen; -EBUSY else (runc's words). On failure nothing new is left.
 */
int cgroup_make(const char *name, pid_t first, const struct jt_map *annotations,
		struct cgroup **ret, struct kata_err *err) MUST_CHECK;
/** cgroup_open() - one that is there. -ENOENT. */
int cgroup_open(const char *name, struct cgroup **ret, struct kata_err *err) MUST_CHECK;
void cgroup_free(struct cgroup *g);
DEFINE_AUTO(cgroup)

/** cgroup_procs() - descriptors for struct proc_spawn.cgroup_procs; owned by the group. */
const int *cgroup_procs(const struct cgroup *g, size_t *ret_n);
/** cgroup_memory_dir() - directory with the memory controller's files; borrowed, -1 = none. */
int cgroup_memory_dir(const struct cgroup *g);

enum cgroup_when {
	CGROUP_AT_CREATE, /* all but the CPU quota: the boot is not throttled */
	CGROUP_AT_START,  /* the CPU quota (and burst) */
	CGROUP_AT_UPDATE, /* what @res names, quota included; devices only if listed */
};

/**
 * cgroup_apply() - @res (NULL = nothing) plus @extra. The error names the JSON path of the property
 * and the file: a property the host has no controller for is -ENOTSUP, never dropped. But as
 * with runc: v2 has no swappiness and no disableOOMKiller, and nobody is told; v1 no unified,
 * which is the guest's then.
 */
int cgroup_apply(struct cgroup *g, const struct oci_resources *res,
		 const struct cgroup_extra *extra, enum cgroup_when when,
		 struct kata_err *err) MUST_CHECK;

/**
 * cgroup_remove() - by name; with groups below it. 0 also when it is not there. -EBUSY: processes
 * are in it. A just-killed process may still count for a moment: waits for it, bounded (1 s).
 */
int cgroup_remove(const char *name, struct kata_err *err) MUST_CHECK;

/**
 * cgroup_name_beside() - the name of a group beside @name: its own with @tag behind. NULL where there
 * is none: no group at all, or a slice, whose name says where it is.
 */
const char *cgroup_name_beside(const char *name, const char *tag, struct arena *a);
/**
 * cgroup_move() - all processes of @from, those that they start meanwhile included. Where it fails
 * some may have been moved. -EBUSY: it does not become empty.
 */
int cgroup_move(const struct cgroup *from, const struct cgroup *to,
		struct kata_err *err) MUST_CHECK;

/** cgroup_features() - what this build and host have, for `features`. */
struct cgroup_support {
	bool v1, v2, systemd;
};
struct cgroup_support cgroup_supported(void);

#endif
