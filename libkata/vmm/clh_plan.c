/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh_plan: a plan in Cloud Hypervisor's words: a short command line and JSON bodies.
 * Pure; golden files in tests/data/clh hold every line of it, and a test holds them against
 * the API's own definition. Cloud Hypervisor 40 and later.
 *
 * One struct and one table of fields for each schema of the API, of the same name, with
 * the members that we set. Releases that do not know one yet ignore it: what
 * must not be ignored is in all of them.
 */
#include "vmm/clh.h"

#include <errno.h>
#include <stdio.h>

#include "base/jtab.h"
#include "base/mem.h"

/* Its threads have one queue each: a file system's requests wait for the host anyway. */
#define FS_QUEUES 1
#define FS_QUEUE_SIZE 1024
#define NET_QUEUE_SIZE 256
/* vmm/src/landlock.rs: without all of version 3 (Linux 6.2) it refuses to make a VM. */
#define LANDLOCK_ABI 3
/* A queue for each direction. */
#define NET_QUEUES(pairs) (2 * (pairs))

struct cpus_config {
	uint32_t boot_vcpus, max_vcpus;
};

struct memory_config {
	uint64_t size;
	bool shared;
};

struct payload_config {
	const char *kernel, *cmdline, *initramfs;
};

struct disk_config {
	const char *path;
	bool readonly;
	const char *image_type, *serial;
};

struct fs_config {
	const char *tag, *socket;
	uint32_t num_queues, queue_size;
};

struct rng_config {
	const char *src;
};

struct console_config {
	const char *file, *mode;
};

struct vsock_config {
	uint32_t cid;
	const char *socket;
};

struct net_config {
	const char *id, *mac;
	uint32_t num_queues, queue_size;
};

struct vm_config {
	const struct cpus_config *cpus;
	const struct memory_config *memory;
	const struct payload_config *payload;
	struct jt_objv disks, fs;
	const struct rng_config *rng;
	const struct console_config *serial, *console;
	const struct vsock_config *vsock;
	bool landlock_enable;
};

#define TABLE(name, ...)                                                                 \
	static const struct jt_field name##_fields[] = { __VA_ARGS__ };                  \
	static const struct jtab name##_tab = { .what = #name,                           \
						.size = sizeof(struct name),             \
						.fields = name##_fields,                 \
						.n_fields = ARRAY_SIZE(name##_fields) }

TABLE(cpus_config, JT(struct cpus_config, boot_vcpus, JT_U32),
      JT(struct cpus_config, max_vcpus, JT_U32));
TABLE(memory_config, JT(struct memory_config, size, JT_U64),
      JT(struct memory_config, shared, JT_BOOL));
TABLE(payload_config, JT(struct payload_config, kernel, JT_STR),
      JT(struct payload_config, cmdline, JT_STR),
      JT(struct payload_config, initramfs, JT_STR));
TABLE(disk_config, JT(struct disk_config, path, JT_STR),
      JT(struct disk_config, readonly, JT_BOOL),
      JT(struct disk_config, image_type, JT_STR), JT(struct disk_config, serial, JT_STR));
TABLE(fs_config, JT(struct fs_config, tag, JT_STR), JT(struct fs_config, socket, JT_STR),
      JT(struct fs_config, num_queues, JT_U32), JT(struct fs_config, queue_size, JT_U32));
TABLE(rng_config, JT(struct rng_config, src, JT_STR));
TABLE(console_config, JT(struct console_config, file, JT_STR),
      JT(struct console_config, mode, JT_STR));
TABLE(vsock_config, JT(struct vsock_config, cid, JT_U32),
      JT(struct vsock_config, socket, JT_STR));
TABLE(net_config, JT(struct net_config, id, JT_STR), JT(struct net_config, mac, JT_STR),
      JT(struct net_config, num_queues, JT_U32),
      JT(struct net_config, queue_size, JT_U32));
TABLE(vm_config, JT(struct vm_config, cpus, JT_OBJ, .sub = &cpus_config_tab),
      JT(struct vm_config, memory, JT_OBJ, .sub = &memory_config_tab),
      JT(struct vm_config, payload, JT_OBJ, .sub = &payload_config_tab),
      JT(struct vm_config, disks, JT_OBJV, .sub = &disk_config_tab),
      JT(struct vm_config, fs, JT_OBJV, .sub = &fs_config_tab),
      JT(struct vm_config, rng, JT_OBJ, .sub = &rng_config_tab),
      JT(struct vm_config, serial, JT_OBJ, .sub = &console_config_tab),
      JT(struct vm_config, console, JT_OBJ, .sub = &console_config_tab),
      JT(struct vm_config, vsock, JT_OBJ, .sub = &vsock_config_tab),
      JT(struct vm_config, landlock_enable, JT_BOOL, .flags = JT_OMIT_ZERO));

/* The spec's names of formats -> ImageType. */
static const struct {
	const char *format, *image_type;
} formats[] = {
	{ "raw", "Raw" },
	{ "qcow2", "Qcow2" },
	{ "vhd", "FixedVhd" },
	{ "vhdx", "Vhdx" },
};

/* NULL when there is none. */
static const char *image_type(const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (str_eq(formats[i].format, format ? format : "raw"))
			return formats[i].image_type;
	return NULL;
}

int clh_check(const struct vm_plan *plan, struct kata_err *err)
{
	for (unsigned i = 0; i < plan->n_disks; i++)
		if (!image_type(plan->disks[i].format))
			return err_set(err, -ENOTSUP,
				       "vm.image.format: %s cannot be read by "
				       "cloud-hypervisor (raw, qcow2, vhd and vhdx can)",
				       plan->disks[i].format);
	return 0;
}

void clh_argv(const struct vm_plan *plan, struct strv *ret)
{
	strv_add(ret, plan->vmm);
	strv_add(ret, "--api-socket");
	strv_addf(ret, "fd=%d", CLH_FD_API);
	strv_add(ret, "--event-monitor");
	strv_addf(ret, "fd=%d", CLH_FD_EVENTS);
	strv_add(ret, "--seccomp");
	strv_add(ret, "true");
	for (size_t i = 0; plan->extra_args && plan->extra_args[i]; i++)
		strv_add(ret, plan->extra_args[i]);
}

void clh_vm_body(const struct vm_plan *plan, struct buf *out)
{
	const struct cpus_config cpus = { plan->vcpus, plan->vcpus };
	/* shared: vhost-user devices read the guest's memory */
	const struct memory_config memory = { plan->memory, true };
	const struct payload_config payload = { plan->kernel, plan->cmdline,
						plan->initrd };
	const struct rng_config rng = { "/dev/urandom" };
	const struct console_config serial = { plan->console,
					       plan->console ? "File" : "Off" };
	const struct console_config off = { NULL, "Off" }; /* its default is our stdout */
	const struct vsock_config vsock = { plan->cid, plan->vsock_socket };
	const struct fs_config fs = { plan->share_tag, plan->share_socket, FS_QUEUES,
				      FS_QUEUE_SIZE };
	struct disk_config disks[VM_MAX_DISKS];
	const struct vm_config vm = {
		.cpus = &cpus,
		.memory = &memory,
		.payload = &payload,
		.disks = { plan->n_disks ? disks : NULL, plan->n_disks },
		.fs = { plan->share_tag ? &fs : NULL, plan->share_tag ? 1 : 0 },
		.rng = &rng,
		.serial = &serial,
		.console = &off,
		.vsock = &vsock,
		.landlock_enable = plan->landlock >= LANDLOCK_ABI,
	};
	struct json_out o = { .buf = out };

	for (unsigned i = 0; i < plan->n_disks; i++)
		disks[i] = (struct disk_config){ plan->disks[i].path,
						 plan->disks[i].readonly,
						 image_type(plan->disks[i].format),
						 plan->disks[i].serial };
	jtab_encode(&vm_config_tab, &vm, &o);
}

void clh_net_body(const struct vm_plan *plan, unsigned i, struct buf *out)
{
	const struct vm_card *c = &plan->cards[i];
	struct json_out o = { .buf = out };
	char id[16], mac[18];
	const struct net_config net = { id, mac, NET_QUEUES(c->queues), NET_QUEUE_SIZE };

	snprintf(id, sizeof(id), "card%u", i);
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", c->mac[0], c->mac[1],
		 c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
	jtab_encode(&net_config_tab, &net, &o);
}
