/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_argv: a plan in QEMU's words. Pure; golden files in tests/data/qemu hold
 * every line of it. QEMU 7.2 and later.
 *
 * Machine types differ in four things, which are one line each of machines[]:
 * the -M options, the bus of virtio devices, where the console is, the
 * processor under TCG. Descriptors have the numbers of enum qemu_fd.
 */
#include "vmm/qemu.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"

struct machine {
	const char *options;	 /* of -M, without the memory */
	const char *options_tty; /* ... when there is a console; NULL = the same */
	const char *bus;	 /* how virtio devices' names end */
	const char *cpu_tcg;
	const char *const *extra; /* further arguments; NULL-terminated or NULL */
};

/* microvm: virtio-mmio in its present form; QEMU's default is the legacy one */
static const char *const microvm_extra[] = { "-global", "virtio-mmio.force-legacy=false",
					     NULL };

/*
 * microvm: Debian's kernels find virtio-mmio devices only through ACPI; a kernel that finds them on its
 * command line boots 110 ms sooner without, but there are 8 places then and not 24. rtc: without it the
 * guest spends 2 s looking for one. pit and pic: what TSC calibration falls back to.
 * virt: pointer authentication makes TCG four times slower; gic-version: the version that
 * the accelerator has, and 2 ends at 8 CPUs.
 */
#define MICROVM(acpi, cmdline)                                                           \
	"microvm,acpi=" acpi                                                             \
	",rtc=on,pit=on,pic=on,pcie=off,usb=off,auto-kernel-cmdline=" cmdline            \
	",isa-serial="
#define MICROVM_ACPI MICROVM("on", "off")
#define MICROVM_MMIO MICROVM("off", "on")
#define MICROVM_MMIO_MAX 8
/* erms: told of it, the kernel clears memory with rep stosb, which TCG does byte by byte;
 * without it a boot is 180 ms shorter (measured, cloud kernel). */
#define X86_TCG "max,erms=off"
static const struct machine machines[] = {
	[CONF_MACHINE_MICROVM] = { MICROVM_ACPI "off", MICROVM_ACPI "on", "-device",
				   X86_TCG, microvm_extra },
	[CONF_MACHINE_Q35] = { "q35,smbus=off,sata=off,usb=off,vmport=off", NULL, "-pci",
			       X86_TCG, NULL },
	[CONF_MACHINE_VIRT] = { "virt,gic-version=max", NULL, "-pci", "max,pauth=off",
				NULL },
};

static const struct machine microvm_mmio = { MICROVM_MMIO "off", MICROVM_MMIO "on",
					     "-device", X86_TCG, microvm_extra };

static const struct machine *machine_of(const struct vm_plan *plan)
{
	unsigned devices = 1 + (plan->share_tag ? 1 : 0) + plan->n_disks + plan->n_cards;

	if (plan->machine == CONF_MACHINE_MICROVM && plan->kernel_mmio &&
	    devices <= MICROVM_MMIO_MAX)
		return &microvm_mmio;
	return &machines[plan->machine];
}

/* A value inside a comma-separated option: a comma is doubled (qemu(1), "-drive"). */
static char *escape(const char *s)
{
	char *out = mem_alloc(2 * __builtin_strlen(s) + 1), *p = out;

	for (; *s; s++) {
		if (*s == ',')
			*p++ = ',';
		*p++ = *s;
	}
	*p = 0;
	return out;
}

/*
 * With room for one CPU TCG takes it that nobody else looks at memory, and translates without barriers:
 * a locked instruction to a load and a store, mfence to nothing. But devices look, from threads and
 * processes of their own, and kicks and interrupts get lost (HACKING.md, "Decisions that the design
 * holds"). So there is room for a second one, which the kernel is told to do without (nr_cpus).
 */
static void add_cpus(const struct vm_plan *plan, struct strv *ret)
{
	strv_add(ret, "-smp");
	if (plan->accel == CONF_ACCEL_TCG && plan->vcpus == 1)
		strv_add(ret, "1,maxcpus=2");
	else
		strv_addf(ret, "%" PRIu32, plan->vcpus);
}

static void add_machine(const struct vm_plan *plan, const struct machine *m,
			struct strv *ret)
{
	bool kvm = plan->accel == CONF_ACCEL_KVM;
	const char *options = plan->console && m->options_tty ? m->options_tty
							      : m->options;

	strv_add(ret, "-M");
	strv_addf(ret, "%s,memory-backend=mem", options);
	for (size_t i = 0; m->extra && m->extra[i]; i++)
		strv_add(ret, m->extra[i]);
	strv_add(ret, "-accel");
	/* MiB of translated code: QEMU's own bound is 1024, more than what the host's cgroup of the
	 * container has beyond the guest's RAM (verb/placement.c) */
	strv_add(ret, kvm ? "kvm" : "tcg,thread=multi,tb-size=128");
	strv_add(ret, "-cpu");
	strv_add(ret, kvm ? "host" : m->cpu_tcg);
	add_cpus(plan, ret);
	strv_add(ret, "-m");
	strv_addf(ret, "%" PRIu64 "M", plan->memory >> 20);
	/* shared: vhost-user devices read the guest's memory, and say nothing if they cannot */
	strv_add(ret, "-object");
	strv_addf(ret, "memory-backend-memfd,id=mem,size=%" PRIu64 "M,share=on",
		  plan->memory >> 20);
}

static void add_kernel(const struct vm_plan *plan, struct strv *ret)
{
	strv_add(ret, "-kernel");
	strv_add(ret, plan->kernel);
	if (plan->initrd) {
		strv_add(ret, "-initrd");
		strv_add(ret, plan->initrd);
	}
	strv_add(ret, "-append");
	strv_add(ret, plan->cmdline);
}

static void add_control(struct strv *ret)
{
	strv_add(ret, "-chardev");
	strv_addf(ret, "socket,id=qmp,fd=%d", QEMU_FD_QMP);
	strv_add(ret, "-mon");
	strv_add(ret, "chardev=qmp,mode=control");
}

static void add_console(const struct vm_plan *plan, struct strv *ret)
{
	AUTO_FREE char *path = plan->console ? escape(plan->console) : NULL;

	if (!path)
		return;
	strv_add(ret, "-chardev");
	strv_addf(ret, "file,id=console,path=%s,append=on", path);
	strv_add(ret, "-serial");
	strv_add(ret, "chardev:console");
}

static void add_vsock(const struct vm_plan *plan, const struct machine *m,
		      struct strv *ret)
{
	if (plan->vsock == VM_VSOCK_VHOST) {
		strv_add(ret, "-device");
		strv_addf(ret, "vhost-vsock%s,guest-cid=%" PRIu32 ",vhostfd=%d", m->bus,
			  plan->cid, QEMU_FD_VSOCK);
		return;
	}
	strv_add(ret, "-chardev");
	strv_addf(ret, "socket,id=vsock,fd=%d", QEMU_FD_VSOCK);
	strv_add(ret, "-device");
	strv_addf(ret, "vhost-user-vsock%s,chardev=vsock", m->bus);
}

static void add_share(const struct vm_plan *plan, const struct machine *m,
		      struct strv *ret)
{
	if (!plan->share_tag)
		return;
	strv_add(ret, "-chardev");
	strv_addf(ret, "socket,id=share,fd=%d", QEMU_FD_SHARE);
	strv_add(ret, "-device");
	strv_addf(ret, "vhost-user-fs%s,chardev=share,tag=%s,queue-size=1024", m->bus,
		  plan->share_tag);
}

/* The spec's names for disk formats are QEMU's but for Microsoft's "vhd". */
static const char *disk_driver(const char *format)
{
	if (!format)
		return "raw";
	return str_eq(format, "vhd") ? "vpc" : format;
}

static void add_disk(const struct vm_plan *plan, const struct machine *m, unsigned i,
		     struct strv *ret)
{
	const struct vm_disk *d = &plan->disks[i];
	AUTO_FREE char *path = escape(d->path);
	AUTO_FREE char *serial = d->serial ? mem_printf(",serial=%s", d->serial) : NULL;
	AUTO_FREE char *driver = escape(disk_driver(d->format));
	const char *ro = d->readonly ? "on" : "off";

	strv_add(ret, "-blockdev");
	strv_addf(
		ret,
		"driver=%s,node-name=disk%u,read-only=%s,file.driver=%s,file.filename=%s",
		driver, i, ro, d->serial ? "host_device" : "file", path);
	strv_add(ret, "-device");
	strv_addf(ret, "virtio-blk%s,drive=disk%u%s", m->bus, i, serial ? serial : "");
}

int qemu_card_fd(const struct vm_plan *plan, unsigned i)
{
	unsigned fd = QEMU_FD_CARDS;

	for (unsigned k = 0; k < i; k++)
		fd += plan->cards[k].queues * (plan->cards[k].vhost ? 2 : 1);
	return (int)fd;
}

/* "fd=6", or "fds=6:7:8" of several queues; @kind: "", or "vhost" for those. */
static void add_card_fds(struct buf *b, const char *kind, unsigned first, unsigned n)
{
	buf_addf(b, ",%sfd%s=", kind, n > 1 ? "s" : "");
	for (unsigned i = 0; i < n; i++)
		buf_addf(b, "%s%u", i ? ":" : "", first + i);
}

static void add_netdev(const struct vm_plan *plan, unsigned i, struct strv *ret)
{
	const struct vm_card *c = &plan->cards[i];
	unsigned fd = (unsigned)qemu_card_fd(plan, i);
	struct buf b = { 0 };

	buf_addf(&b, "tap,id=net%u", i);
	add_card_fds(&b, "", fd, c->queues);
	buf_addf(&b, ",vhost=%s", c->vhost ? "on" : "off");
	if (c->vhost)
		add_card_fds(&b, "vhost", fd + c->queues, c->queues);
	strv_add(ret, "-netdev");
	strv_add(ret, buf_cstr(&b));
	buf_done(&b);
}

static void add_card(const struct vm_plan *plan, const struct machine *m, unsigned i,
		     struct strv *ret)
{
	const struct vm_card *c = &plan->cards[i];
	bool pci = str_eq(m->bus, "-pci");
	struct buf b = { 0 };

	add_netdev(plan, i, ret);
	buf_addf(&b, "virtio-net%s,netdev=net%u,mac=%02x:%02x:%02x:%02x:%02x:%02x",
		 m->bus, i, c->mac[0], c->mac[1], c->mac[2], c->mac[3], c->mac[4],
		 c->mac[5]);
	/* an interrupt for each direction of a queue, one for the control queue, one for changes */
	if (c->queues > 1)
		buf_add_str(&b, ",mq=on");
	if (c->queues > 1 && pci)
		buf_addf(&b, ",vectors=%u", 2 * c->queues + 2);
	/* no ROM to boot from the network by: its file is of a package that need not be there */
	if (pci)
		buf_add_str(&b, ",romfile=");
	strv_add(ret, "-device");
	strv_add(ret, buf_cstr(&b));
	buf_done(&b);
}

void qemu_argv(const struct vm_plan *plan, struct strv *ret)
{
	/* -sandbox: seccomp filters; a VMM that its guest has taken over starts no programs */
	static const char *const fixed[] = {
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
	};
	const struct machine *m = machine_of(plan);

	strv_add(ret, plan->vmm);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(ret, fixed[i]);
	add_machine(plan, m, ret);
	add_kernel(plan, ret);
	add_control(ret);
	add_console(plan, ret);
	add_vsock(plan, m, ret);
	add_share(plan, m, ret);
	for (unsigned i = 0; i < plan->n_disks; i++)
		add_disk(plan, m, i, ret);
	for (unsigned i = 0; i < plan->n_cards; i++)
		add_card(plan, m, i, ret);
	for (size_t i = 0; plan->extra_args && plan->extra_args[i]; i++)
		strv_add(ret, plan->extra_args[i]);
}
