/* SPDX-License-Identifier: Apache-2.0 */
/* qemu_argv: every word of QEMU's command line, one a line, as kept in tests/data/qemu. */
#include "golden.h"
#include "suite.h"
#include "vmm/qemu.h"

/* What every case starts from: x86-64 under TCG on microvm, nothing optional. */
static struct vm_plan plan_plain(void)
{
	return (struct vm_plan){
		.vmm = "/usr/bin/qemu-system-x86_64",
		.accel = CONF_ACCEL_TCG,
		.machine = CONF_MACHINE_MICROVM,
		.arch = "x86_64",
		.vcpus = 1,
		.memory = 512ull << 20,
		.kernel = "/k/vmlinux",
		.initrd = "/k/initramfs.cpio",
		.cmdline = "panic=-1 quiet",
		.share_tag = "kata",
		.vsock = VM_VSOCK_VHOST_USER,
		.cid = 42,
	};
}

static void check(const char *name, const struct vm_plan *plan)
{
	AUTO_FREE char *file = mem_printf("qemu/%s.argv", name);
	struct strv argv = { 0 };
	struct buf text = { 0 };

	qemu_argv(plan, &argv);
	for (size_t i = 0; i < argv.n; i++)
		buf_addf(&text, "%s\n", argv.v[i]);
	ck_assert_uint_eq(strv_len(argv.v), argv.n);
	golden_check(file, buf_cstr(&text));
	strv_done(&argv);
	buf_done(&text);
}

START_TEST(microvm_tcg)
{
	struct vm_plan p = plan_plain();

	check("microvm-tcg", &p);
}
END_TEST

/* our kernel needs no ACPI, while there are few enough devices */
START_TEST(microvm_mmio)
{
	struct vm_plan p = plan_plain();

	p.kernel_mmio = true;
	check("microvm-mmio", &p);
	p.machine = CONF_MACHINE_Q35;
	p.console = "console.log";
	check("q35", &p);
}
END_TEST

START_TEST(microvm_mmio_devices)
{
	static const struct {
		unsigned cards, disks;
		bool fits;
	} cases[] = { { 6, 0, true }, { 5, 1, true }, { 7, 0, false }, { 0, 7, false } };
	struct vm_plan p = plan_plain();

	p.kernel_mmio = true;
	for (unsigned i = 0; i < VM_MAX_CARDS; i++)
		p.cards[i].queues = 1;
	for (unsigned i = 0; i < VM_MAX_DISKS; i++)
		p.disks[i].path = "/d";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv argv = { 0 };
		bool off = false;

		p.n_cards = cases[i].cards;
		p.n_disks = cases[i].disks;
		qemu_argv(&p, &argv);
		for (size_t k = 0; k < argv.n; k++)
			off |= strstr(argv.v[k], "acpi=off") != NULL;
		ck_assert_int_eq(off, cases[i].fits);
		strv_done(&argv);
	}
}
END_TEST

START_TEST(microvm_kvm_vhost)
{
	struct vm_plan p = plan_plain();

	p.accel = CONF_ACCEL_KVM;
	p.vsock = VM_VSOCK_VHOST;
	p.vcpus = 4;
	check("microvm-kvm-vhost", &p);
}
END_TEST

START_TEST(microvm_console)
{
	struct vm_plan p = plan_plain();

	p.console = "/run/a,b/console.log";
	check("microvm-console", &p);
}
END_TEST

START_TEST(q35)
{
	struct vm_plan p = plan_plain();

	p.machine = CONF_MACHINE_Q35;
	p.console = "console.log";
	check("q35", &p);
}
END_TEST

START_TEST(q35_vhost)
{
	struct vm_plan p = plan_plain();

	p.machine = CONF_MACHINE_Q35;
	p.vsock = VM_VSOCK_VHOST;
	check("q35-vhost", &p);
}
END_TEST

START_TEST(virt)
{
	struct vm_plan p = plan_plain();

	p.vmm = "/usr/bin/qemu-system-aarch64";
	p.machine = CONF_MACHINE_VIRT;
	p.arch = "aarch64";
	p.console = "console.log";
	check("virt-tcg", &p);
	p.accel = CONF_ACCEL_KVM;
	p.console = NULL;
	check("virt-kvm", &p);
}
END_TEST

START_TEST(no_share_no_initrd)
{
	struct vm_plan p = plan_plain();

	p.share_tag = NULL;
	p.initrd = NULL;
	check("bare", &p);
}
END_TEST

START_TEST(own_args)
{
	static const char *const extra[] = { "-overcommit", "mem-lock=off", NULL };
	struct vm_plan p = plan_plain();

	p.extra_args = extra;
	check("own-args", &p);
}
END_TEST

/* the spec's formats; a path that tries to smuggle in an option */
START_TEST(disks)
{
	static const char *const formats[] = { "raw", "qcow2", "vdi", "vmdk", "vhd" };
	struct vm_plan p = plan_plain();

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		p.disks[p.n_disks++] = (struct vm_disk){ "/i/a,file.driver=host_device",
							 formats[i], i != 1 };
	p.disks[p.n_disks++] = (struct vm_disk){ .path = "/dev/loop9",
						 .serial = "kata-b7-9" };
	check("disks", &p);
}
END_TEST

START_TEST(cards)
{
	struct vm_plan p = plan_plain();

	p.cards[0] = (struct vm_card){ { 2, 0x42, 0xac, 0x11, 0, 2 }, 1, false };
	p.cards[1] = (struct vm_card){ { 0xff, 0xfe, 0, 1, 2, 3 }, 3, true };
	p.cards[2] = (struct vm_card){ { 2, 0, 0, 0, 0, 1 }, 2, false };
	p.cards[3] = (struct vm_card){ { 2, 0, 0, 0, 0, 2 }, 1, true };
	p.n_cards = 4;
	check("cards", &p);
	p.machine = CONF_MACHINE_Q35;
	check("cards-q35", &p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		microvm_tcg,
		microvm_mmio,
		microvm_mmio_devices,
		microvm_kvm_vhost,
		microvm_console,
		q35,
		q35_vhost,
		virt,
		no_share_no_initrd,
		own_args,
		disks,
		cards,
	};

	return suite_run("qemu_argv", tests, ARRAY_SIZE(tests));
}
