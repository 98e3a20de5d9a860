/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_plan: all that a VMM is told, computed before anything is touched, in no
 * VMM's words. A driver turns it into a command line or REST calls.
 */
#ifndef KATA_VMM_VM_PLAN_H
#define KATA_VMM_VM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "oci/spec.h"

/** Most network cards of one VM, queues of a card, disks. */
#define VM_MAX_CARDS 8
#define VM_MAX_QUEUES 8
#define VM_MAX_DISKS 12

/** How the guest's vsock gets out: by the host's kernel, a helper, or the VMM itself. */
enum vm_vsock_kind { VM_VSOCK_VHOST, VM_VSOCK_VHOST_USER, VM_VSOCK_VMM };

/** The annotation that chooses a driver, where [runtime] allow_driver permits it. */
#define VM_ANNOTATION_DRIVER "io.katacontainers.config.hypervisor.driver"

/** struct vm_card - its descriptors (a tap's, vhost-net's) are handed over when the VM is launched. */
struct vm_card {
	uint8_t mac[6];
	unsigned queues; /* 1 to VM_MAX_QUEUES */
	bool vhost;	 /* the host's kernel serves it */
};

/**
 * struct vm_disk - a file, or a block device of the host.
 * @format:   raw, qcow2, ...
 * @serial:   by which the agent knows it (PROTO_DISK_SERIAL); NULL = none, a file
 * @major, @minor, @device: of a block device: its numbers, and its place in linux.devices; its
 *            path is not known before vm_disk_find()
 */
struct vm_disk {
	const char *path;
	const char *format;
	bool readonly;
	const char *serial;
	unsigned major, minor;
	size_t device;
};

struct vm_plan {
	const char *driver;
	const char *vmm;  /* path of the binary */
	int accel;	  /* CONF_ACCEL_KVM or CONF_ACCEL_TCG, never auto */
	int machine;	  /* auto when the VMM has but one */
	const char *arch; /* "x86_64", "aarch64" */
	uint32_t vcpus;
	uint64_t memory; /* bytes */
	const char *kernel, *initrd;
	bool kernel_mmio; /* the kernel finds virtio-mmio devices on its command line */
	const char *cmdline;	       /* whole kernel command line */
	const char *const *extra_args; /* NULL-terminated or NULL */
	const char *share_tag;	       /* NULL = no share */
	const char *share_socket;      /* for VMM_CAP_DIALS; relative to its directory */
	const char *vsock_socket; /* VM_VSOCK_VMM: the guest's port P arrives at <it>_P */
	int vsock;		  /* enum vm_vsock_kind */
	uint32_t cid;
	const char *console; /* file for the guest's console, NULL = none */
	struct vm_card cards[VM_MAX_CARDS];
	unsigned n_cards;
	struct vm_disk disks[VM_MAX_DISKS];
	unsigned n_disks;
	unsigned landlock; /* version of the kernel's, with which a VMM can confine itself; 0 = none */
};

/** struct vm_facts - what the plan needs to know of the host, gathered by the caller. */
struct vm_facts {
	bool kvm_usable; /* /dev/kvm opens, KVM_GET_API_VERSION is 12, KVM_CREATE_VM works */
	bool vhost_vsock;  /* /dev/vhost-vsock opens */
	unsigned landlock; /* version of its ABI, 0 = none or switched off */
	uint64_t tsc_khz;  /* 0 = unknown */
	unsigned host_cpus;
	bool kernel_mmio;	  /* of [guest] kernel: see vm_plan */
	const char *machine_arch; /* uname -m */
};

/**
 * vm_memory_for() - bytes of RAM of the VM for @spec, pure: what vm.hwConfig says, else the memory
 * limit (of the pod, when an annotation of CRI has it) and what the guest needs for itself,
 * else [guest] memory. Whole 2 MiB.
 */
uint64_t vm_memory_for(const struct kata_conf *conf, const struct oci_spec *spec);

/** What is said of each property of the Xen hypervisor in vm.hwConfig. */
#define VM_PLAN_XEN "a property of Xen, which this runtime does not drive"

/**
 * vm_plan_make() - pure: configuration, the spec's vm section and facts -> plan.
 * vm.kernel, vm.hypervisor, vm.image are honoured where the configuration's allow-lists
 * permit: else "vm.kernel.path: /x is not allowed by [runtime] allow_kernel in kata.conf".
 * hwConfig's Xen properties (deviceTree, dtdevs, iomems, irqs) are refused by name.
 */
int vm_plan_make(const struct kata_conf *conf, const struct oci_spec *spec,
		 const struct vm_facts *facts, uint32_t cid, const char *console,
		 struct arena *a, struct vm_plan *ret_plan,
		 struct kata_err *err) MUST_CHECK;

/** vm_disks_find() - paths of the plan's block devices, from @a. The error names the device. */
int vm_disks_find(struct vm_plan *plan, struct arena *a, struct kata_err *err) MUST_CHECK;

/** Beside a kernel of ours: what it is, and from the fourth line on what it can, a word each. */
#define VM_KERNEL_NOTE "kernel.version"

/** vm_kernel_note() - all of the note beside @kernel. Heap; NULL: there is none. */
char *vm_kernel_note(const char *kernel);

/**
 * vm_facts_gather() - look at this host, and at what is noted beside @kernel (NULL: nothing is).
 * Fast (< 1 ms); the TSC frequency is cached in @cache_dirfd.
 */
int vm_facts_gather(int cache_dirfd, const char *kernel, struct vm_facts *ret_facts,
		    struct kata_err *err) MUST_CHECK;

#endif
