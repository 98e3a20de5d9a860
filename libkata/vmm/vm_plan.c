/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_plan: configuration, the bundle's vm section and facts of the host -> what
 * a VM looks like. Pure: reads no file, asks no kernel.
 *
 * The bundle is written by whoever may run containers; what it may name on the host
 * is limited by the allow-lists of the configuration. The configured path itself is
 * always allowed.
 */
#include "vmm/vm_plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "oci/cpu_list.h"
#include "oci/device_rules.h"
#include "proto/msg.h"
#include "vmm/vmm.h"

#define VM_MEMORY_MIN (64ull << 20)
#define VM_MEMORY_MAX (1ull << 40)
#define VM_MEMORY_ALIGN                                                                  \
	(2ull << 20) /* whole huge pages, if the host backs it with such */
#define VM_VCPUS_MAX 255
/** The kernel cuts longer command lines silently: COMMAND_LINE_SIZE of x86 and arm64. */
#define VM_CMDLINE_MAX 2047

struct planner {
	const struct kata_conf *conf;
	const struct oci_spec *spec;
	const struct oci_vm *vm; /* may be NULL */
	const struct vm_facts *facts;
	struct arena *a;
	const struct vmm_driver *driver;
	struct vm_plan *plan;
	struct kata_err *err;
};

static bool has_cap(const struct planner *p, unsigned cap)
{
	return p->driver->caps & cap;
}

/* The bundle's word counts if it is on the list; the configured one is always allowed. */
static int plan_driver(struct planner *p)
{
	const char *name = oci_annotation(p->spec, VM_ANNOTATION_DRIVER);
	const struct strv *allowed = &p->conf->allow_driver;
	bool ok = !name || str_eq(name, p->conf->driver);

	for (size_t i = 0; i < allowed->n && !ok; i++)
		ok = str_eq(name, allowed->v[i]);
	if (!ok)
		return err_set(
			p->err, -EPERM,
			"annotation " VM_ANNOTATION_DRIVER
			": %s is not allowed by [runtime] allow_driver in kata.conf",
			name);
	p->driver = vmm_driver_find(name ? name : p->conf->driver);
	if (!p->driver)
		return err_set(p->err, -EINVAL, "hypervisor driver \"%s\" is unknown",
			       name ? name : p->conf->driver);
	p->plan->driver = p->driver->name;
	p->plan->landlock = p->facts->landlock;
	return 0;
}

/* The guest's architecture follows from the machine type; auto follows the host. */
static int plan_machine(struct planner *p)
{
	const char *host = p->facts->machine_arch;

	p->plan->machine = p->conf->machine;
	if (p->conf->machine != CONF_MACHINE_AUTO && !has_cap(p, VMM_CAP_MACHINES))
		return err_set(
			p->err, -ENOTSUP,
			"[hypervisor] machine: %s has one kind only, machine = auto",
			p->driver->name);
	switch (p->conf->machine) {
	case CONF_MACHINE_VIRT:
		p->plan->arch = "aarch64";
		return 0;
	case CONF_MACHINE_MICROVM:
	case CONF_MACHINE_Q35:
		p->plan->arch = "x86_64";
		return 0;
	default:
		break;
	}
	if (!has_cap(p, VMM_CAP_MACHINES)) {
		p->plan->arch = host;
		return 0;
	}
	if (str_eq(host, "x86_64")) {
		p->plan->machine = CONF_MACHINE_MICROVM;
		p->plan->arch = "x86_64";
	} else if (str_eq(host, "aarch64")) {
		p->plan->machine = CONF_MACHINE_VIRT;
		p->plan->arch = "aarch64";
	} else {
		return err_set(
			p->err, -ENOTSUP,
			"[hypervisor] machine = auto: no machine type for hosts of type %s",
			host ? host : "unknown");
	}
	return 0;
}

static int plan_accel(struct planner *p)
{
	/* without emulation there is nothing to fall back to: the VMM itself will say what is missing */
	bool always = p->conf->accel == CONF_ACCEL_AUTO && !has_cap(p, VMM_CAP_EMULATION);
	bool native = str_eq(p->plan->arch, p->facts->machine_arch);
	bool kvm = native && p->facts->kvm_usable;

	if (p->conf->accel == CONF_ACCEL_TCG && !has_cap(p, VMM_CAP_EMULATION))
		return err_set(p->err, -ENOTSUP,
			       "[hypervisor] accel = tcg: %s has no emulation",
			       p->driver->name);
	p->plan->accel = kvm || always ? CONF_ACCEL_KVM : CONF_ACCEL_TCG;
	if (p->conf->accel == CONF_ACCEL_TCG)
		p->plan->accel = CONF_ACCEL_TCG;
	if (p->conf->accel != CONF_ACCEL_KVM || kvm)
		return 0;
	if (!native)
		return err_set(
			p->err, -ENOTSUP,
			"[hypervisor] accel = kvm: a guest of type %s cannot run so on %s",
			p->plan->arch, p->facts->machine_arch);
	return err_set(p->err, -ENODEV,
		       "[hypervisor] accel = kvm: /dev/kvm does not work on this host; "
		       "accel = auto or tcg runs without it");
}

static int plan_vsock(struct planner *p, uint32_t cid)
{
	int want = p->conf->vsock;

	p->plan->cid = cid;
	if (has_cap(p, VMM_CAP_OWN_VSOCK)) {
		p->plan->vsock = VM_VSOCK_VMM;
		if (want == CONF_VSOCK_AUTO)
			return 0;
		return err_set(p->err, -ENOTSUP,
			       "[hypervisor] vsock: %s serves it itself, vsock = auto",
			       p->driver->name);
	}
	p->plan->vsock = p->facts->vhost_vsock ? VM_VSOCK_VHOST : VM_VSOCK_VHOST_USER;
	if (want == CONF_VSOCK_VHOST_USER)
		p->plan->vsock = VM_VSOCK_VHOST_USER;
	if (want == CONF_VSOCK_VHOST && !p->facts->vhost_vsock)
		return err_set(
			p->err, -ENODEV,
			"[hypervisor] vsock = vhost: no /dev/vhost-vsock on this host "
			"(modprobe vhost_vsock); vsock = auto runs without it");
	return 0;
}

/*
 * Patterns are matched by path component, and dots only by dots; a path with ".." or "//"
 * would mean another file than the pattern's author had in mind and matches nothing.
 */
static bool is_allowed(const struct strv *patterns, const char *configured,
		       const char *path)
{
	AUTO_FREE char *clean = fs_abspath("/", path);

	if (path[0] != '/' || !str_eq(clean, path))
		return false;
	if (str_eq(path, configured))
		return true;
	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

/* One path of the vm section: replaces *@dst when it is there and allowed. */
static int plan_path(struct planner *p, const char *what, const char *key,
		     const struct strv *patterns, const char *path, const char **dst)
{
	if (!path)
		return 0;
	if (!is_allowed(patterns, *dst, path))
		return err_set(p->err, -EPERM,
			       "%s: %s is not allowed by [runtime] %s in kata.conf", what,
			       path, key);
	*dst = path;
	return 0;
}

static int plan_paths(struct planner *p)
{
	const struct kata_conf *c = p->conf;
	const struct oci_vm_hypervisor *hv = p->vm ? p->vm->hypervisor : NULL;
	const struct oci_vm_kernel *k = p->vm ? p->vm->kernel : NULL;
	int r;

	/* [hypervisor] path is of the configured driver, not of one that an annotation chose */
	p->plan->vmm = p->driver->program;
	if (!str_eq(c->hypervisor, "auto") && str_eq(p->plan->driver, c->driver))
		p->plan->vmm = c->hypervisor;
	p->plan->kernel = c->kernel;
	p->plan->initrd = c->initrd;
	p->plan->kernel_mmio = p->facts->kernel_mmio;
	r = plan_path(p, "vm.hypervisor.path", "allow_hypervisor", &c->allow_hypervisor,
		      hv ? hv->path : NULL, &p->plan->vmm);
	if (r == 0)
		r = plan_path(p, "vm.kernel.path", "allow_kernel", &c->allow_kernel,
			      k ? k->path : NULL, &p->plan->kernel);
	/* nothing is known of the bundle's own */
	if (!str_eq(p->plan->kernel, c->kernel))
		p->plan->kernel_mmio = false;
	if (r == 0)
		r = plan_path(p, "vm.kernel.initrd", "allow_kernel", &c->allow_kernel,
			      k ? k->initrd : NULL, &p->plan->initrd);
	return r;
}

static int plan_extra_args(struct planner *p)
{
	const struct strv *own = &p->conf->hypervisor_args;
	const struct jt_strv none = { 0 };
	const struct jt_strv *more = p->vm && p->vm->hypervisor
					     ? &p->vm->hypervisor->parameters
					     : &none;
	const char **args;

	if (more->n && !p->conf->allow_hypervisor_args)
		return err_set(p->err, -EPERM,
			       "vm.hypervisor.parameters: not allowed by [runtime] "
			       "allow_hypervisor_args in kata.conf");
	if (!own->n && !more->n)
		return 0;
	args = arena_array(p->a, own->n + more->n + 1, sizeof(*args));
	for (size_t i = 0; i < own->n; i++)
		args[i] = arena_strdup(p->a, own->v[i]);
	for (size_t i = 0; i < more->n; i++)
		args[own->n + i] = more->v[i];
	p->plan->extra_args = args;
	return 0;
}

/* What belongs to Xen only, by name, before somebody believes that it was applied. */
static int refuse_xen(struct planner *p, const struct oci_vm_hw *hw)
{
	const struct {
		const char *name;
		bool given;
	} xen[] = {
		{ "deviceTree", hw->deviceTree && *hw->deviceTree },
		{ "dtdevs", hw->dtdevs.n > 0 },
		{ "iomems", hw->iomems.n > 0 },
		{ "irqs", hw->irqs.n > 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(xen); i++)
		if (xen[i].given)
			return err_set(p->err, -ENOTSUP, "vm.hwConfig.%s: " VM_PLAN_XEN,
				       xen[i].name);
	return 0;
}

/*
 * What a guest's kernel and agent keep of the RAM: measured as total minus MemAvailable with
 * Debian's cloud kernel: 60 MB of 96, 60 of 128, 62 of 256, 64 of 512, 94 (free) of 1024.
 */
#define VM_RESERVE (64ull << 20)
#define VM_RESERVE_SHARE 32 /* and one byte of so many: page structs, watermarks */

/* CRI's annotations tell a pod's sandbox what its containers will need together. */
static uint64_t annotated(const struct oci_spec *spec, const char *key)
{
	const char *text = oci_annotation(spec, key);
	uint64_t v;

	return text && str_to_u64(text, 1, VM_MEMORY_MAX, &v) == 0 ? v : 0;
}

static uint64_t memory_limit(const struct oci_spec *spec)
{
	const struct oci_resources *res = spec->linux_ ? spec->linux_->resources : NULL;
	const struct oci_memory *m = res ? res->memory : NULL;
	uint64_t pod = annotated(spec, "io.kubernetes.cri.sandbox-memory");

	if (pod)
		return pod;
	return m && m->limit && *m->limit > 0 ? (uint64_t)*m->limit : 0;
}

static uint64_t vm_memory_around(uint64_t workload)
{
	return workload + workload / VM_RESERVE_SHARE + VM_RESERVE;
}

uint64_t vm_memory_for(const struct kata_conf *conf, const struct oci_spec *spec)
{
	const struct oci_vm_hw *hw = spec->vm ? spec->vm->hwConfig : NULL;
	uint64_t memory = conf->memory, limit = memory_limit(spec);

	if (hw && hw->memory)
		memory = *hw->memory;
	else if (limit > VM_MEMORY_MAX / 2) /* more than any VM has: as good as none */
		memory = conf->memory;
	else if (limit)
		memory = vm_memory_around(limit + conf->memory_room);
	if (memory < VM_MEMORY_MIN || memory > VM_MEMORY_MAX)
		return memory; /* refused, in the user's number */
	return (memory + VM_MEMORY_ALIGN - 1) / VM_MEMORY_ALIGN * VM_MEMORY_ALIGN;
}

/* As many as the quota can keep busy; 0: there is none. */
static uint64_t vcpus_of_quota(const struct planner *p, const struct oci_cpu *cpu)
{
	uint64_t quota = annotated(p->spec, "io.kubernetes.cri.sandbox-cpu-quota");
	uint64_t period = annotated(p->spec, "io.kubernetes.cri.sandbox-cpu-period");

	if (!quota && cpu && cpu->quota && *cpu->quota > 0) {
		quota = (uint64_t)*cpu->quota;
		period = cpu->period ? *cpu->period : 0;
	}
	return quota ? (quota - 1) / (period ? period : 100000) + 1 : 0;
}

/* What quota and cpuset let run at once, no more than the host has: more would only wait. */
static uint32_t vcpus_for(const struct planner *p)
{
	const struct oci_linux *lx = p->spec->linux_;
	const struct oci_cpu *cpu = lx && lx->resources ? lx->resources->cpu : NULL;
	uint64_t n = vcpus_of_quota(p, cpu);
	unsigned set = cpu ? cpu_list_count(cpu->cpus) : 0;

	if (set && (!n || n > set))
		n = set;
	if (!n)
		return p->conf->vcpus;
	if (p->facts->host_cpus && n > p->facts->host_cpus)
		n = p->facts->host_cpus;
	return n > VM_VCPUS_MAX ? VM_VCPUS_MAX : (uint32_t)n;
}

static int plan_hardware(struct planner *p)
{
	const struct oci_vm_hw *hw = p->vm ? p->vm->hwConfig : NULL;

	if (hw && refuse_xen(p, hw) < 0)
		return p->err->code;
	p->plan->vcpus = hw && hw->vcpus ? *hw->vcpus : vcpus_for(p);
	p->plan->memory = vm_memory_for(p->conf, p->spec);
	if (p->plan->vcpus < 1 || p->plan->vcpus > VM_VCPUS_MAX)
		return err_set(p->err, -EINVAL,
			       "vm.hwConfig.vcpus: must be between 1 and %d, is %u",
			       VM_VCPUS_MAX, p->plan->vcpus);
	if (p->plan->memory < VM_MEMORY_MIN || p->plan->memory > VM_MEMORY_MAX)
		return err_set(
			p->err, -EINVAL,
			"vm.hwConfig.memory: must be between 64M and 1T bytes, is %llu",
			(unsigned long long)p->plan->memory);
	return 0;
}

/*
 * The image is a disk of the guest besides the container's root, which always comes
 * over virtio-fs. Read-only: several containers may name the same file.
 */
static int plan_image(struct planner *p)
{
	const struct oci_vm_image *image = p->vm ? p->vm->image : NULL;
	struct vm_disk *d = &p->plan->disks[0];
	int r;

	if (!image)
		return 0;
	r = plan_path(p, "vm.image.path", "allow_image", &p->conf->allow_image,
		      image->path, &d->path);
	if (r < 0 || !d->path)
		return r;
	d->format = image->format;
	d->readonly = true;
	p->plan->n_disks = 1;
	return 0;
}

static bool is_attached(const struct vm_plan *plan, unsigned major, unsigned minor)
{
	for (unsigned i = 0; i < plan->n_disks; i++) {
		const struct vm_disk *d = &plan->disks[i];

		if (d->serial && d->major == major && d->minor == minor)
			return true;
	}
	return false;
}

static int plan_device(struct planner *p, const struct device_rules *rules,
		       const struct oci_device *d, size_t index)
{
	unsigned major = (unsigned)*d->major, minor = (unsigned)*d->minor;
	unsigned may = device_rules_verdict(rules, 'b', major, minor);

	if (is_attached(p->plan, major, minor))
		return 0;
	if (!(may & DEVICE_R))
		return err_set(
			p->err, -ENOTSUP,
			"linux.devices[%zu]: %s (b %u:%u): linux.resources.devices "
			"must allow to read what is attached to a VM",
			index, d->path, major, minor);
	if (p->plan->n_disks == VM_MAX_DISKS)
		return err_set(p->err, -E2BIG,
			       "linux.devices[%zu]: %s: a VM has at most %d disks", index,
			       d->path, VM_MAX_DISKS);
	p->plan->disks[p->plan->n_disks++] = (struct vm_disk){
		.readonly = !(may & DEVICE_W),
		.serial = arena_printf(p->a, PROTO_DISK_SERIAL "%u-%u", major, minor),
		.major = major,
		.minor = minor,
		.device = index,
	};
	return 0;
}

/*
 * Block devices of the host become disks. Not those of a container that may use everything: engines
 * list whatever the host has for it, and mean the machine's own (agent/device_plan.c).
 */
static int plan_devices(struct planner *p)
{
	const struct oci_linux *l = p->spec->linux_;
	const struct oci_device *d = l ? l->devices.v : NULL;
	static const struct jt_objv none;
	struct device_rules rules;
	int r = device_rules_make(l && l->resources ? &l->resources->devices : &none,
				  p->a, &rules, p->err);

	for (size_t i = 0; r == 0 && l && i < l->devices.n; i++) {
		/* numbers that are none: the agent refuses them */
		if (!str_eq(d[i].type, "b") || !d[i].major || !d[i].minor ||
		    *d[i].major < 0 || *d[i].major >= 1 << 12 || *d[i].minor < 0 ||
		    *d[i].minor >= 1 << 20 || device_rules_all(&rules))
			continue;
		r = plan_device(p, &rules, &d[i], i);
	}
	return r;
}

/* Why each is there: MACHINE.md, "traps" and "floors". */
static void base_params(const struct planner *p, struct buf *out)
{
	const struct vm_plan *plan = p->plan;
	bool x86 = str_eq(plan->arch, "x86_64");

	/* a dead guest ends the VM: the kernel resets at once, -no-reboot makes that an exit */
	buf_add_str(out, "panic=-1");
	if (plan->console)
		buf_addf(out, " console=%s", x86 ? "ttyS0" : "ttyAMA0");
	else
		buf_add_str(out, " quiet");
	/* a VMM may have room for more (qemu_argv.c) */
	buf_addf(out, " nr_cpus=%u", plan->vcpus);
	if (x86)
		buf_add_str(
			out,
			" tsc=reliable no_timer_check noreplace-smp cryptomgr.notests");
	/* microvm has no PIT to calibrate against: without this half of all boots under TCG hang */
	if (plan->machine == CONF_MACHINE_MICROVM && p->facts->tsc_khz)
		buf_addf(out, " tsc_early_khz=%llu",
			 (unsigned long long)p->facts->tsc_khz);
}

static int plan_cmdline(struct planner *p)
{
	const struct strv *own = &p->conf->kernel_params;
	const struct oci_vm_kernel *k = p->vm ? p->vm->kernel : NULL;
	struct buf line = { .max = 0 };
	int r = 0;

	if (k && k->parameters.n && !p->conf->allow_kernel_params)
		return err_set(p->err, -EPERM,
			       "vm.kernel.parameters: not allowed by [runtime] "
			       "allow_kernel_params in kata.conf");
	base_params(p, &line);
	for (size_t i = 0; i < own->n; i++)
		buf_addf(&line, " %s", own->v[i]);
	for (size_t i = 0; k && i < k->parameters.n; i++)
		buf_addf(&line, " %s", k->parameters.v[i]);
	if (buf_len(&line) > VM_CMDLINE_MAX)
		r = err_set(p->err, -E2BIG,
			    "the guest kernel's command line is longer than %d bytes",
			    VM_CMDLINE_MAX);
	else
		p->plan->cmdline = arena_strdup(p->a, buf_cstr(&line));
	buf_done(&line);
	return r;
}

int vm_plan_make(const struct kata_conf *conf, const struct oci_spec *spec,
		 const struct vm_facts *facts, uint32_t cid, const char *console,
		 struct arena *a, struct vm_plan *ret_plan, struct kata_err *err)
{
	static int (*const steps[])(struct planner *) = {
		plan_driver,   plan_machine, plan_accel,   plan_paths,	 plan_extra_args,
		plan_hardware, plan_image,   plan_devices, plan_cmdline,
	};
	struct vm_plan plan = { .share_tag = PROTO_SHARE_TAG, .console = console };
	struct planner p = { conf, spec, spec->vm, facts, a, NULL, &plan, err };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](&p);
	if (r == 0)
		r = plan_vsock(&p, cid);
	if (r == 0 && p.driver->check)
		r = p.driver->check(&plan, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	return 0;
}
