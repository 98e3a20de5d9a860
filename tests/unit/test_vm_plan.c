/* SPDX-License-Identifier: Apache-2.0 */
/* vm_plan: what configuration, bundle and host make of a VM, and what is refused. */
#include <errno.h>

#include "base/fs.h"
#include "conf/conf.h"
#include "oci.h"
#include "suite.h"
#include "vmm/vm_plan.h"
#include "vmm/vmm.h"

struct fixture {
	struct conf *conf;
	struct arena *a;
	struct oci_vm_hypervisor hv;
	struct oci_vm_kernel kernel;
	struct oci_vm_image image;
	struct oci_vm_hw hw;
	struct oci_vm vm;
	struct oci_spec spec;
	struct vm_facts facts;
	const char *cpus;
	struct vm_plan plan;
	struct kata_err err;
};

static void fixture_done(struct fixture *f)
{
	conf_free(f->conf);
	arena_free(f->a);
}
#define FIXTURE __attribute__((cleanup(fixture_done))) struct fixture

/* An x86-64 host that has nothing, and a bundle without a vm section. */
static void setup(struct fixture *f, const char *conf)
{
	AUTO_CLOSE int fd = fs_memfd("kata.conf", conf, strlen(conf));

	*f = (struct fixture){
		.a = arena_new(),
		.facts = { .tsc_khz = 2300000, .host_cpus = 2, .machine_arch = "x86_64" }
	};
	ck_assert_msg(conf_load_fd(fd, &f->conf, &f->err) == 0, "%s", f->err.msg);
}

static int make(struct fixture *f)
{
	return vm_plan_make(conf_get(f->conf), &f->spec, &f->facts, 42, NULL, f->a,
			    &f->plan, &f->err);
}

static void must(struct fixture *f)
{
	ck_assert_msg(make(f) == 0, "%s", f->err.msg);
}

static void refused(struct fixture *f, int code, const char *message)
{
	ck_assert_int_eq(make(f), code);
	ck_assert_str_eq(f->err.msg, message);
	f->err = (struct kata_err){ 0 };
}

START_TEST(plain)
{
	FIXTURE f;

	setup(&f, "[guest]\nkernel = /k\ninitrd = /i\n[hypervisor]\npath = /q\n");
	must(&f);
	ck_assert_str_eq(f.plan.vmm, "/q");
	ck_assert_str_eq(f.plan.kernel, "/k");
	ck_assert_str_eq(f.plan.initrd, "/i");
	ck_assert_str_eq(f.plan.arch, "x86_64");
	ck_assert_int_eq(f.plan.machine, CONF_MACHINE_MICROVM);
	ck_assert_int_eq(f.plan.accel, CONF_ACCEL_TCG);
	ck_assert_int_eq(f.plan.vsock, VM_VSOCK_VHOST_USER);
	ck_assert_uint_eq(f.plan.cid, 42);
	ck_assert_uint_eq(f.plan.memory, 512ull << 20);
	ck_assert_ptr_null(f.plan.extra_args);
	ck_assert_uint_eq(f.plan.n_disks + f.plan.n_cards, 0);
	ck_assert_ptr_nonnull(strstr(f.plan.cmdline, " tsc_early_khz=2300000"));
	ck_assert_ptr_nonnull(strstr(f.plan.cmdline, "panic=-1 quiet nr_cpus=1 "));
}
END_TEST

START_TEST(automatic_choices)
{
	static const struct {
		const char *accel, *machine, *host;
		bool kvm;
		int want_accel, want_machine;
		const char *want_arch;
	} cases[] = {
		{ "auto", "auto", "x86_64", true, CONF_ACCEL_KVM, CONF_MACHINE_MICROVM,
		  "x86_64" },
		{ "auto", "q35", "x86_64", true, CONF_ACCEL_KVM, CONF_MACHINE_Q35,
		  "x86_64" },
		{ "tcg", "auto", "x86_64", true, CONF_ACCEL_TCG, CONF_MACHINE_MICROVM,
		  "x86_64" },
		{ "auto", "virt", "x86_64", true, CONF_ACCEL_TCG, CONF_MACHINE_VIRT,
		  "aarch64" },
		{ "auto", "auto", "aarch64", true, CONF_ACCEL_KVM, CONF_MACHINE_VIRT,
		  "aarch64" },
		{ "auto", "auto", "aarch64", false, CONF_ACCEL_TCG, CONF_MACHINE_VIRT,
		  "aarch64" },
		{ "auto", "microvm", "aarch64", true, CONF_ACCEL_TCG,
		  CONF_MACHINE_MICROVM, "x86_64" },
		{ "kvm", "auto", "x86_64", true, CONF_ACCEL_KVM, CONF_MACHINE_MICROVM,
		  "x86_64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE f;
		AUTO_FREE char *conf =
			mem_printf("[hypervisor]\naccel = %s\nmachine = %s\n",
				   cases[i].accel, cases[i].machine);

		setup(&f, conf);
		f.facts.kvm_usable = cases[i].kvm;
		f.facts.machine_arch = cases[i].host;
		must(&f);
		ck_assert_int_eq(f.plan.accel, cases[i].want_accel);
		ck_assert_int_eq(f.plan.machine, cases[i].want_machine);
		ck_assert_str_eq(f.plan.arch, cases[i].want_arch);
	}
}
END_TEST

START_TEST(what_the_host_lacks)
{
	FIXTURE f;
	FIXTURE g;
	FIXTURE h;

	setup(&f, "[hypervisor]\naccel = kvm\n");
	refused(&f, -ENODEV,
		"[hypervisor] accel = kvm: /dev/kvm does not work on this host; "
		"accel = auto or tcg runs without it");
	f.facts.machine_arch = "riscv64";
	refused(&f, -ENOTSUP,
		"[hypervisor] machine = auto: no machine type for hosts of type riscv64");
	setup(&g, "[hypervisor]\naccel = kvm\nmachine = virt\n");
	g.facts.kvm_usable = true;
	refused(&g, -ENOTSUP,
		"[hypervisor] accel = kvm: a guest of type aarch64 cannot run so on x86_64");
	setup(&h, "[hypervisor]\nvsock = vhost\n");
	refused(&h, -ENODEV,
		"[hypervisor] vsock = vhost: no /dev/vhost-vsock on this host "
		"(modprobe vhost_vsock); vsock = auto runs without it");
	h.facts.vhost_vsock = true;
	must(&h);
	ck_assert_int_eq(h.plan.vsock, VM_VSOCK_VHOST);
}
END_TEST

/* A VMM with one machine type, no emulation and a vsock of its own: what says otherwise is refused. */
START_TEST(cloud_hypervisor)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "machine = q35",
		  "[hypervisor] machine: cloud-hypervisor has one kind only, machine = auto" },
		{ "accel = tcg",
		  "[hypervisor] accel = tcg: cloud-hypervisor has no emulation" },
		{ "vsock = vhost-user",
		  "[hypervisor] vsock: cloud-hypervisor serves it itself, vsock = auto" },
	};
	FIXTURE f;

	setup(&f, "[hypervisor]\ndriver = cloud-hypervisor\n");
	f.facts.landlock = 3;
	must(&f);
	ck_assert_str_eq(f.plan.driver, "cloud-hypervisor");
	ck_assert_str_eq(f.plan.vmm, vmm_driver_find("cloud-hypervisor")->program);
	ck_assert_int_eq(f.plan.vsock, VM_VSOCK_VMM);
	ck_assert_int_eq(f.plan.accel, CONF_ACCEL_KVM);
	ck_assert_int_eq(f.plan.machine, CONF_MACHINE_AUTO);
	ck_assert_str_eq(f.plan.arch, "x86_64");
	ck_assert_uint_eq(f.plan.landlock, 3);
	ck_assert_ptr_null(strstr(f.plan.cmdline, "tsc_early_khz"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE g;
		AUTO_FREE char *conf = mem_printf(
			"[hypervisor]\ndriver = cloud-hypervisor\n%s\n", cases[i].line);

		setup(&g, conf);
		refused(&g, -ENOTSUP, cases[i].why);
	}
}
END_TEST

static void annotate(struct fixture *f, const char *driver)
{
	static const char *const keys[] = { VM_ANNOTATION_DRIVER };
	const char **vals = arena_array(f->a, 1, sizeof(*vals));

	vals[0] = driver;
	f->spec.annotations = (struct jt_map){ keys, vals, 1 };
}

START_TEST(driver_by_annotation)
{
	FIXTURE f;
	FIXTURE g;

	setup(&f, "[hypervisor]\npath = /opt/q\n");
	annotate(&f, "cloud-hypervisor");
	refused(&f, -EPERM,
		"annotation io.katacontainers.config.hypervisor.driver: cloud-hypervisor is "
		"not allowed by [runtime] allow_driver in kata.conf");
	annotate(&f, "qemu");
	must(&f);
	ck_assert_str_eq(f.plan.vmm, "/opt/q");
	setup(&g,
	      "[hypervisor]\npath = /opt/q\n[runtime]\nallow_driver = cloud-hypervisor\n");
	annotate(&g, "cloud-hypervisor");
	must(&g);
	ck_assert_str_eq(g.plan.driver, "cloud-hypervisor");
	ck_assert_str_eq(g.plan.vmm, vmm_driver_find("cloud-hypervisor")->program);
	annotate(&g, "xen");
	refused(&g, -EPERM,
		"annotation io.katacontainers.config.hypervisor.driver: xen is not allowed by "
		"[runtime] allow_driver in kata.conf");
}
END_TEST

START_TEST(tsc_only_where_it_helps)
{
	FIXTURE f;
	FIXTURE g;

	setup(&f, "[hypervisor]\nmachine = q35\n");
	must(&f);
	ck_assert_ptr_null(strstr(f.plan.cmdline, "tsc_early_khz"));
	setup(&g, "");
	g.facts.tsc_khz = 0;
	must(&g);
	ck_assert_ptr_null(strstr(g.plan.cmdline, "tsc_early_khz"));
}
END_TEST

static uint64_t memory_with(struct fixture *f, int64_t limit)
{
	const struct oci_memory memory = { .limit = &limit };
	const struct oci_resources res = { .memory = &memory };
	const struct oci_linux lx = { .resources = &res };
	const struct oci_spec spec = { .linux_ = &lx };

	return vm_memory_for(conf_get(f->conf), &spec) >> 20;
}

START_TEST(memory_follows_the_limit)
{
	FIXTURE f, g;

	setup(&f, "");
	ck_assert_uint_eq(memory_with(&f, 0), 512);
	ck_assert_uint_eq(memory_with(&f, -1), 512);
	ck_assert_uint_eq(memory_with(&f, 64 << 20), 64 + 2 + 64);
	ck_assert_uint_eq(memory_with(&f, 1ll << 30), 1024 + 32 + 64);
	ck_assert_uint_eq(memory_with(&f, INT64_MAX), 512);
	ck_assert_uint_eq(memory_with(&f, 1), 66); /* whole huge pages */
	setup(&g, "[guest]\nmemory_room = 64M\n");
	ck_assert_uint_eq(memory_with(&g, 64 << 20), 64 + 64 + 4 + 64);
	ck_assert_uint_eq(memory_with(&g, 0), 512);
}
END_TEST

static uint32_t vcpus_with(struct fixture *f, int64_t quota, uint64_t period)
{
	const struct oci_cpu cpu = { .quota = &quota,
				     .period = period ? &period : NULL,
				     .cpus = f->cpus };
	const struct oci_resources res = { .cpu = &cpu };
	const struct oci_linux lx = { .resources = &res };

	f->spec.linux_ = &lx;
	f->facts.host_cpus = 4;
	must(f);
	f->spec.linux_ = NULL;
	return f->plan.vcpus;
}

START_TEST(vcpus_follow_the_quota)
{
	FIXTURE f;

	setup(&f, "");
	ck_assert_uint_eq(vcpus_with(&f, -1, 100000), 1);
	ck_assert_uint_eq(vcpus_with(&f, 50000, 100000), 1);
	ck_assert_uint_eq(vcpus_with(&f, 150000, 100000), 2);
	ck_assert_uint_eq(vcpus_with(&f, 200000, 0), 2);
	ck_assert_uint_eq(vcpus_with(&f, 6400000, 100000), 4);
	/* a cpuset alone, and the smaller of the two */
	f.cpus = "1,3,3,1-2";
	ck_assert_uint_eq(vcpus_with(&f, 0, 0), 3);
	ck_assert_uint_eq(vcpus_with(&f, 150000, 100000), 2);
	ck_assert_uint_eq(vcpus_with(&f, 400000, 100000), 3);
	f.cpus = "0-4294967295";
	ck_assert_uint_eq(vcpus_with(&f, 0, 0), 4);
}
END_TEST

START_TEST(console)
{
	FIXTURE f;

	setup(&f, "");
	ck_assert_int_eq(vm_plan_make(conf_get(f.conf), &f.spec, &f.facts, 3, "c.log",
				      f.a, &f.plan, &f.err),
			 0);
	ck_assert_str_eq(f.plan.console, "c.log");
	ck_assert_ptr_nonnull(strstr(f.plan.cmdline, "console=ttyS0"));
	ck_assert_ptr_null(strstr(f.plan.cmdline, "quiet"));
}
END_TEST

START_TEST(hardware)
{
	static const uint32_t none = 0, three = 3, many = 256;
	static const uint64_t odd = (300ull << 20) + 1, small = 1 << 20,
			      huge = 2ull << 40;
	static const uint32_t irq = 5;
	static const struct oci_vm_iomem iomem;
	static const char *const dtdev = "/dev";
	FIXTURE f;

	setup(&f, "");
	f.spec.vm = &f.vm;
	f.vm.hwConfig = &f.hw;
	f.hw.vcpus = &three;
	f.hw.memory = &odd;
	must(&f);
	ck_assert_uint_eq(f.plan.vcpus, 3);
	ck_assert_uint_eq(f.plan.memory, 302ull << 20); /* whole huge pages */
	f.hw.vcpus = &none;
	refused(&f, -EINVAL, "vm.hwConfig.vcpus: must be between 1 and 255, is 0");
	f.hw.vcpus = &many;
	refused(&f, -EINVAL, "vm.hwConfig.vcpus: must be between 1 and 255, is 256");
	f.hw.vcpus = NULL;
	f.hw.memory = &small;
	refused(&f, -EINVAL,
		"vm.hwConfig.memory: must be between 64M and 1T bytes, is 1048576");
	f.hw.memory = &huge;
	refused(&f, -EINVAL,
		"vm.hwConfig.memory: must be between 64M and 1T bytes, is 2199023255552");
	f.hw = (struct oci_vm_hw){ .deviceTree = "/dt" };
	refused(&f, -ENOTSUP,
		"vm.hwConfig.deviceTree: a property of Xen, which this runtime does not drive");
	f.hw = (struct oci_vm_hw){ .dtdevs = { &dtdev, 1 } };
	refused(&f, -ENOTSUP,
		"vm.hwConfig.dtdevs: a property of Xen, which this runtime does not drive");
	f.hw = (struct oci_vm_hw){ .iomems = { &iomem, 1 } };
	refused(&f, -ENOTSUP,
		"vm.hwConfig.iomems: a property of Xen, which this runtime does not drive");
	f.hw = (struct oci_vm_hw){ .irqs = { &irq, 1 } };
	refused(&f, -ENOTSUP,
		"vm.hwConfig.irqs: a property of Xen, which this runtime does not drive");
}
END_TEST

START_TEST(allowed_paths)
{
	static const struct {
		const char *path;
		bool allowed;
	} cases[] = {
		{ "/opt/k/one", true },
		{ "/opt/k/two", true },
		{ "/boot/vmlinux-7", true },
		{ "/etc/own", true }, /* the configured one */
		{ "/opt/k/a/b", false },
		{ "/opt/k/../x", false },
		{ "/opt/k/.hidden", false },
		{ "/opt/k//one", false },
		{ "/opt/k/one/", false },
		{ "/opt/k", false },
		{ "/boot/vmlinux-77", false },
		{ "opt/k/one", false },
		{ "/boot/../opt/k/one", false },
	};
	FIXTURE f;

	setup(&f,
	      "[guest]\nkernel = /etc/own\n[runtime]\nallow_kernel = /opt/k/* /boot/vmlinux-?\n");
	f.spec.vm = &f.vm;
	f.vm.kernel = &f.kernel;
	f.facts.kernel_mmio = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *message = mem_printf(
			"vm.kernel.path: %s is not allowed by [runtime] allow_kernel in kata.conf",
			cases[i].path);

		f.kernel.path = cases[i].path;
		if (!cases[i].allowed) {
			refused(&f, -EPERM, message);
			continue;
		}
		must(&f);
		ck_assert_str_eq(f.plan.kernel, cases[i].path);
		/* what is known of [guest] kernel holds for that one */
		ck_assert_int_eq(f.plan.kernel_mmio, str_eq(cases[i].path, "/etc/own"));
	}
}
END_TEST

START_TEST(vm_section)
{
	static const char *const params[] = { "a=1", "b", NULL };
	FIXTURE f;

	setup(&f,
	      "[hypervisor]\nextra_args = -x\n[guest]\nkernel_params = own\n"
	      "[runtime]\nallow_hypervisor = /h/*\nallow_kernel = /k/*\nallow_image = /i/*\n"
	      "allow_hypervisor_args = yes\nallow_kernel_params = yes\n");
	f.spec.vm = &f.vm;
	f.vm.hypervisor = &f.hv;
	f.vm.kernel = &f.kernel;
	f.vm.image = &f.image;
	f.hv = (struct oci_vm_hypervisor){ "/h/q", { params, 2 } };
	f.kernel = (struct oci_vm_kernel){ "/k/v", { params, 2 }, "/k/i" };
	f.image = (struct oci_vm_image){ "/i/disk", "qcow2" };
	must(&f);
	ck_assert_str_eq(f.plan.vmm, "/h/q");
	ck_assert_str_eq(f.plan.initrd, "/k/i");
	ck_assert_str_eq(f.plan.extra_args[0], "-x");
	ck_assert_str_eq(f.plan.extra_args[2], "b");
	ck_assert_ptr_null(f.plan.extra_args[3]);
	ck_assert(str_has_suffix(f.plan.cmdline, " own a=1 b"));
	ck_assert_uint_eq(f.plan.n_disks, 1);
	ck_assert_str_eq(f.plan.disks[0].path, "/i/disk");
	ck_assert_str_eq(f.plan.disks[0].format, "qcow2");
	ck_assert(f.plan.disks[0].readonly);
}
END_TEST

/* Block devices of the host: read-only where the rules say so, once each, none with --privileged. */
START_TEST(block_devices)
{
	static const char
		all[] = "{'allow':true,'access':'rwm'}",
		some[] =
			"{'allow':false,'access':'rwm'},{'allow':true,'type':'b','major':7,"
			"'minor':9,'access':'rm'},{'allow':true,'type':'b','major':8,"
			"'access':'rwm'}",
		unread[] = "{'allow':false}";
	static const char config[] =
		"{'ociVersion':'1.0.2','root':{'path':'r'},'linux':{'devices':["
		"{'path':'/dev/a','type':'b','major':7,'minor':9},"
		"{'path':'/dev/c','type':'c','major':10,'minor':229},"
		"{'path':'/dev/b','type':'b','major':8,'minor':1048575},"
		"{'path':'/dev/aa','type':'b','major':7,'minor':9}],"
		"'resources':{'devices':[%s]}}}";
	FIXTURE f;

	setup(&f, "");
	f.spec = *oci_good(f.a, arena_printf(f.a, config, some));
	must(&f);
	ck_assert_uint_eq(f.plan.n_disks, 2);
	ck_assert_str_eq(f.plan.disks[0].serial, "kata-b7-9");
	ck_assert(f.plan.disks[0].readonly);
	ck_assert_str_eq(f.plan.disks[1].serial, "kata-b8-1048575");
	ck_assert(!f.plan.disks[1].readonly);
	ck_assert_uint_eq(f.plan.disks[1].device, 2);
	f.spec = *oci_good(f.a, arena_printf(f.a, config, all));
	must(&f);
	ck_assert_uint_eq(f.plan.n_disks, 0);
	f.spec = *oci_good(f.a, arena_printf(f.a, config, unread));
	refused(&f, -ENOTSUP,
		"linux.devices[0]: /dev/a (b 7:9): linux.resources.devices must allow to "
		"read what is attached to a VM");
}
END_TEST

START_TEST(vm_section_not_allowed)
{
	static const char *const params[] = { "a=1", NULL };
	FIXTURE f;

	setup(&f, "");
	f.spec.vm = &f.vm;
	f.vm.hypervisor = &f.hv;
	f.hv.path = "/h/q";
	refused(&f, -EPERM,
		"vm.hypervisor.path: /h/q is not allowed by [runtime] allow_hypervisor in kata.conf");
	f.hv = (struct oci_vm_hypervisor){ .parameters = { params, 1 } };
	refused(&f, -EPERM,
		"vm.hypervisor.parameters: not allowed by [runtime] allow_hypervisor_args in kata.conf");
	f.vm = (struct oci_vm){ .kernel = &f.kernel };
	f.kernel = (struct oci_vm_kernel){ .initrd = "/k/i" };
	refused(&f, -EPERM,
		"vm.kernel.initrd: /k/i is not allowed by [runtime] allow_kernel in kata.conf");
	f.kernel = (struct oci_vm_kernel){ .parameters = { params, 1 } };
	refused(&f, -EPERM,
		"vm.kernel.parameters: not allowed by [runtime] allow_kernel_params in kata.conf");
	f.vm = (struct oci_vm){ .image = &f.image };
	f.image = (struct oci_vm_image){ "/i", "raw" };
	refused(&f, -EPERM,
		"vm.image.path: /i is not allowed by [runtime] allow_image in kata.conf");
}
END_TEST

START_TEST(command_line_bound)
{
	FIXTURE f;
	AUTO_FREE char *conf = mem_printf("[guest]\nkernel_params = %02047d\n", 0);

	setup(&f, conf);
	refused(&f, -E2BIG, "the guest kernel's command line is longer than 2047 bytes");
}
END_TEST

START_TEST(facts)
{
	TMP t = tmp_make();
	struct vm_facts first, second;
	struct kata_err err = { 0 };
	AUTO_FREE char *text = NULL;
	size_t len;

	ck_assert_int_eq(vm_facts_gather(t.fd, NULL, &first, &err), 0);
	ck_assert_uint_gt(first.host_cpus, 0);
	ck_assert_int_eq(fs_read_at(t.fd, "@host-facts", 4096, &text, &len), 0);
	ck_assert_int_eq(vm_facts_gather(t.fd, NULL, &second, &err), 0);
	ck_assert_uint_eq(first.tsc_khz, second.tsc_khz);
	ck_assert_int_eq(first.kvm_usable, second.kvm_usable);
}
END_TEST

/* what a kernel can is noted beside it; of one without a note nothing is taken for granted */
START_TEST(facts_of_the_kernel)
{
	static const struct {
		const char *note;
		bool mmio;
	} cases[] = {
		{ "linux-source-6.1\n6.1.1-1\namd64\nvirtio_mmio.device\n", true },
		{ "linux-image-6.1.0-cloud-amd64\n6.1.1-1\namd64\n", false },
		{ "virtio_mmio.devices\n", false },
		{ "", false },
	};
	TMP t = tmp_make();
	AUTO_FREE char *kernel = mem_printf("%s/vmlinux", t.path);
	struct vm_facts f;
	struct kata_err err = { 0 };

	ck_assert_int_eq(vm_facts_gather(t.fd, kernel, &f, &err), 0);
	ck_assert(!f.kernel_mmio);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(fs_write_atomic(t.fd, VM_KERNEL_NOTE, cases[i].note,
						 strlen(cases[i].note), 0600),
				 0);
		ck_assert_int_eq(vm_facts_gather(t.fd, kernel, &f, &err), 0);
		ck_assert_int_eq(f.kernel_mmio, cases[i].mmio);
	}
}
END_TEST

/* what is damaged or from another boot is found out anew and written again */
START_TEST(facts_cache)
{
	static const char *const bad[] = { "",	  "\n",	     "1", "1 0-0 0.0 1 5\n",
					   "2 x", "1 \xff\n" };
	TMP t = tmp_make();
	AUTO_FREE char *good = NULL;
	struct vm_facts f;
	struct kata_err err = { 0 };
	size_t len;

	ck_assert_int_eq(vm_facts_gather(t.fd, NULL, &f, &err), 0);
	ck_assert_int_eq(fs_read_at(t.fd, "@host-facts", 4096, &good, &len), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_FREE char *now = NULL;
		char *tsc;

		ck_assert_int_eq(fs_write_atomic(t.fd, "@host-facts", bad[i],
						 strlen(bad[i]), 0600),
				 0);
		ck_assert_int_eq(vm_facts_gather(t.fd, NULL, &f, &err), 0);
		ck_assert_int_eq(fs_read_at(t.fd, "@host-facts", 4096, &now, &len), 0);
		tsc = strrchr(now, ' '); /* measured again: the last digits may differ */
		ck_assert_int_eq(strncmp(now, good, (size_t)(tsc - now)), 0);
	}
	ck_assert_int_eq(vm_facts_gather(-1, NULL, &f, &err), 0); /* no cache at all */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		plain,
		automatic_choices,
		what_the_host_lacks,
		cloud_hypervisor,
		driver_by_annotation,
		tsc_only_where_it_helps,
		memory_follows_the_limit,
		vcpus_follow_the_quota,
		console,
		hardware,
		allowed_paths,
		vm_section,
		block_devices,
		vm_section_not_allowed,
		command_line_bound,
		facts,
		facts_of_the_kernel,
		facts_cache,
	};

	return suite_run("vm_plan", tests, ARRAY_SIZE(tests));
}
