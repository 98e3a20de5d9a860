/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: the OCI runtime-spec 1.3 configuration for Linux and vm, as C structs.
 * The field tables that load them are in spec.c (document), spec_process.c,
 * spec_mounts.c, spec_linux.c, spec_resources.c, spec_seccomp.c, spec_hooks.c
 * and spec_vm.c, one per section; rules between sections are in spec_rules.c.
 *
 * Everything lives in the arena given to the loader. Optional numbers are
 * pointers (NULL = absent), optional strings are NULL, lists have a count.
 */
#ifndef KATA_OCI_SPEC_H
#define KATA_OCI_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"

/** The versions that `features` names; any 1.x is accepted. */
#define OCI_VERSION_MIN "1.0.0"
#define OCI_VERSION_MAX "1.3.0"

struct oci_id_map { /* linux.uidMappings[], mounts[].uidMappings[] */
	uint32_t containerID, hostID, size;
};

struct oci_root {
	const char *path; /* as written; relative to the bundle */
	bool readonly;
};

struct oci_mount {
	const char *destination, *type, *source;
	struct jt_strv options;
	struct jt_objv uidMappings, gidMappings; /* struct oci_id_map */
};

struct oci_box { /* process.consoleSize */
	uint64_t height, width;
};

struct oci_user {
	uint32_t uid, gid;
	const uint32_t *umask;
	struct jt_u32v additionalGids;
	const char *username; /* Windows only; carried */
};

struct oci_caps {
	struct jt_strv bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	const char *type; /* RLIMIT_* */
	uint64_t soft, hard;
};

enum oci_ioprio_class { OCI_IOPRIO_RT, OCI_IOPRIO_BE, OCI_IOPRIO_IDLE };
struct oci_ioprio {
	int class; /* enum oci_ioprio_class */
	int32_t priority;
};

enum oci_sched_policy {
	OCI_SCHED_OTHER,
	OCI_SCHED_FIFO,
	OCI_SCHED_RR,
	OCI_SCHED_BATCH,
	OCI_SCHED_ISO,
	OCI_SCHED_IDLE,
	OCI_SCHED_DEADLINE,
};
struct oci_scheduler {
	int policy; /* enum oci_sched_policy */
	int32_t nice, priority;
	struct jt_strv flags;
	uint64_t runtime, deadline, period; /* nanoseconds */
};
/* NULL-terminated: SCHED_FLAG_*; index = bit in sched_attr.sched_flags */
extern const char *const oci_sched_flags[];

struct oci_cpu_affinity {
	const char *initial, *final;
};

struct oci_process {
	bool terminal;
	const struct oci_box *consoleSize;
	const struct oci_user *user; /* never NULL after loading: 0:0 when absent */
	struct jt_strv args, env;
	const char *commandLine; /* Windows only; carried */
	const char *cwd;
	const struct oci_caps *capabilities;
	struct jt_objv rlimits; /* struct oci_rlimit */
	bool noNewPrivileges;
	const char *apparmorProfile, *selinuxLabel;
	const int32_t *oomScoreAdj;
	const struct oci_scheduler *scheduler;
	const struct oci_ioprio *ioPriority;
	const struct oci_cpu_affinity *execCPUAffinity;
};

struct oci_hook {
	const char *path;
	struct jt_strv args, env;
	bool has_env;		/* "env" was there: even empty it replaces the caller's */
	const int64_t *timeout; /* seconds, >= 1 */
};

/* in the order of the life cycle; names in oci_hook_names[] */
enum oci_hook_kind {
	OCI_HOOK_PRESTART,
	OCI_HOOK_CREATE_RUNTIME,
	OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER,
	OCI_HOOK_POSTSTART,
	OCI_HOOK_POSTSTOP,
	OCI_HOOK_KINDS,
};
extern const char *const oci_hook_names[OCI_HOOK_KINDS + 1];

struct oci_hooks {
	struct jt_objv kind[OCI_HOOK_KINDS]; /* struct oci_hook */
};

/* names in oci_ns_names[] */
enum oci_ns_type {
	OCI_NS_MOUNT,
	OCI_NS_PID,
	OCI_NS_NETWORK,
	OCI_NS_UTS,
	OCI_NS_IPC,
	OCI_NS_USER,
	OCI_NS_CGROUP,
	OCI_NS_TIME,
	OCI_NS_TYPES,
};
extern const char *const oci_ns_names[OCI_NS_TYPES + 1];

struct oci_namespace {
	int type; /* enum oci_ns_type */
	const char *path;
};

struct oci_device {
	const char *type, *path;      /* c b u p */
	const int64_t *major, *minor; /* there unless type is p */
	const uint32_t
		*fileMode; /* may carry S_IFMT bits, as stat gave them: mask with 07777 */
	const uint32_t *uid, *gid;
};

struct oci_net_device {
	const char *name;
};

struct oci_device_cgroup {
	bool allow;
	const char *type, *access;
	const int64_t *major, *minor;
};

struct oci_memory {
	const int64_t *limit, *reservation, *swap, *kernel, *kernelTCP;
	const uint64_t *swappiness;
	const bool *disableOOMKiller, *useHierarchy, *checkBeforeUpdate;
};

struct oci_cpu {
	const uint64_t *shares, *period, *burst, *realtimePeriod;
	const int64_t *quota, *realtimeRuntime, *idle;
	const char *cpus, *mems;
};

struct oci_pids {
	const int64_t *limit;
};

struct oci_weight_device {
	int64_t major, minor;
	const uint32_t *weight, *leafWeight;
};
struct oci_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};
struct oci_block_io {
	const uint32_t *weight, *leafWeight;
	struct jt_objv weightDevice; /* struct oci_weight_device */
	struct jt_objv throttleReadBpsDevice, throttleWriteBpsDevice,
		throttleReadIOPSDevice,
		throttleWriteIOPSDevice; /* struct oci_throttle_device */
};

struct oci_hugepage_limit {
	const char *pageSize;
	uint64_t limit;
};

struct oci_if_prio {
	const char *name;
	uint32_t priority;
};
struct oci_network {
	const uint32_t *classID;
	struct jt_objv priorities; /* struct oci_if_prio */
};

struct oci_rdma {
	const uint32_t *hcaHandles, *hcaObjects;
};

struct oci_resources {
	struct jt_objv devices; /* struct oci_device_cgroup */
	const struct oci_memory *memory;
	const struct oci_cpu *cpu;
	const struct oci_pids *pids;
	const struct oci_block_io *blockIO;
	struct jt_objv hugepageLimits; /* struct oci_hugepage_limit */
	const struct oci_network *network;
	struct jt_objmap rdma; /* struct oci_rdma */
	struct jt_map unified;
};

struct oci_syscall_arg {
	uint32_t index;
	uint64_t value, valueTwo;
	int op; /* index into oci_seccomp_ops[] */
};
struct oci_syscall {
	struct jt_strv names;
	int action; /* index into oci_seccomp_actions[] */
	const uint32_t *errnoRet;
	struct jt_objv args; /* struct oci_syscall_arg */
};
/* names in oci_seccomp_actions[] */
enum oci_seccomp_action {
	OCI_ACT_KILL,
	OCI_ACT_KILL_PROCESS,
	OCI_ACT_KILL_THREAD,
	OCI_ACT_TRAP,
	OCI_ACT_ERRNO,
	OCI_ACT_TRACE,
	OCI_ACT_ALLOW,
	OCI_ACT_LOG,
	OCI_ACT_NOTIFY,
};
struct oci_seccomp {
	int defaultAction;
	const uint32_t *defaultErrnoRet;
	struct jt_strv architectures, flags;
	const char *listenerPath, *listenerMetadata;
	struct jt_objv syscalls; /* struct oci_syscall */
};
extern const char *const oci_seccomp_actions[]; /* NULL-terminated: SCMP_ACT_* */
extern const char *const oci_seccomp_flags[]; /* NULL-terminated: SECCOMP_FILTER_FLAG_* */
/** The last one needs a listener. */
#define OCI_SECCOMP_FLAGS_SUPPORTED 3u
extern const char *const oci_seccomp_ops[]; /* NULL-terminated: SCMP_CMP_* */

struct oci_intel_rdt {
	const char *closID, *l3CacheSchema, *memBwSchema;
	struct jt_strv schemata;
	bool enableMonitoring;
};

struct oci_memory_policy {
	const char *mode, *nodes;
	struct jt_strv flags;
};

struct oci_personality {
	const char *domain;
	struct jt_strv flags;
};

struct oci_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};
struct oci_time_offsets {
	const struct oci_time_offset *boottime, *monotonic;
};

struct oci_linux {
	struct jt_objv namespaces;		 /* struct oci_namespace */
	struct jt_objv uidMappings, gidMappings; /* struct oci_id_map */
	struct jt_objv devices;			 /* struct oci_device */
	struct jt_objmap netDevices;		 /* struct oci_net_device */
	const char *cgroupsPath;
	const struct oci_resources *resources;
	struct jt_map sysctl;
	const struct oci_seccomp *seccomp;
	const char *rootfsPropagation, *mountLabel;
	struct jt_strv maskedPaths, readonlyPaths;
	const struct oci_intel_rdt *intelRdt;
	const struct oci_memory_policy *memoryPolicy;
	const struct oci_personality *personality;
	const struct oci_time_offsets *timeOffsets;
};

struct oci_vm_hypervisor {
	const char *path;
	struct jt_strv parameters;
};
struct oci_vm_kernel {
	const char *path;
	struct jt_strv parameters;
	const char *initrd;
};
struct oci_vm_image {
	const char *path;
	const char *format; /* raw qcow2 vdi vmdk vhd */
};
struct oci_vm_iomem {
	const uint64_t *firstGFN;
	uint64_t firstMFN, nrMFNs;
};
struct oci_vm_hw {
	const char *deviceTree;
	const uint32_t *vcpus;
	const uint64_t *memory; /* bytes */
	struct jt_strv dtdevs;
	struct jt_objv iomems; /* struct oci_vm_iomem */
	struct jt_u32v irqs;
};
struct oci_vm {
	const struct oci_vm_hypervisor *hypervisor;
	const struct oci_vm_kernel *kernel;
	const struct oci_vm_image *image;
	const struct oci_vm_hw *hwConfig; /* "hwconfig" (specs-go's spelling) decodes too */
};

struct oci_spec {
	const char *ociVersion;
	const struct oci_root *root;
	const struct oci_process *process; /* NULL: create is legal, start is not */
	const char *hostname, *domainname;
	struct jt_objv mounts; /* struct oci_mount, order matters */
	const struct oci_hooks *hooks;
	struct jt_map annotations;
	const struct oci_linux
		*linux_; /* "linux"; the bare word is a macro of old compilers */
	const struct oci_vm *vm;
};

/**
 * oci_spec_load() - parse and validate a config.json.
 * Everything the spec calls an error for Linux and vm is one, with the JSON path in front:
 * "process.cwd: must be an absolute path, is \"x\"". Unknown members are ignored.
 * @a:    owns all of the result
 */
int oci_spec_load(const char *text, size_t len, struct arena *a,
		  const struct oci_spec **ret_spec, struct kata_err *err) MUST_CHECK;

/** oci_process_load() - the same for a bare process document (exec --process). */
int oci_process_load(const char *text, size_t len, struct arena *a,
		     const struct oci_process **ret_process,
		     struct kata_err *err) MUST_CHECK;

/** oci_resources_load() - a bare linux.resources document (update --resources). */
int oci_resources_load(const char *text, size_t len, struct arena *a,
		       const struct oci_resources **ret_res,
		       struct kata_err *err) MUST_CHECK;

/** The tables, for encoding (guest_spec writes what the agent reads with the same ones). */
extern const struct jtab oci_spec_tab, oci_process_tab, oci_mount_tab, oci_resources_tab,
	oci_seccomp_tab;

/** oci_spec_ns() - the namespace entry of @type, or NULL. */
const struct oci_namespace *oci_spec_ns(const struct oci_spec *spec,
					enum oci_ns_type type);

/** oci_annotation() - value of an annotation or NULL. */
const char *oci_annotation(const struct oci_spec *spec, const char *key);

#endif
