/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh: command line and bodies as kept in tests/data/clh, each body also against the API's own
 * definition; the driver against the stand-in of tests/fakes with a QEMU that runs nothing.
 */
#include "vmm/clh.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json.h"
#include "golden.h"
#include "schema.h"
#include "suite.h"

static struct vm_plan plan_plain(void)
{
	return (struct vm_plan){
		.driver = "cloud-hypervisor",
		.vmm = "/usr/bin/cloud-hypervisor",
		.accel = CONF_ACCEL_KVM,
		.arch = "x86_64",
		.vcpus = 2,
		.memory = 512ull << 20,
		.kernel = "/k/vmlinux",
		.initrd = "/k/initramfs.cpio",
		.cmdline = "panic=-1 quiet",
		.share_tag = "kata",
		.share_socket = "virtiofs.s",
		.vsock = VM_VSOCK_VMM,
		.vsock_socket = "./vsock.s",
		.cid = 4294967294u,
	};
}

/* --- plan -------------------------------------------------------------------------------- */

static void check_body(const char *name, const char *schema, struct buf *body)
{
	AUTO(schema_dir) *dir = schema_dir_open(TEST_DATA "/clh");
	AUTO_FREE char *file = mem_printf("clh/%s.json", name);
	AUTO_FREE char *ref = mem_printf("openapi.json#/components/schemas/%s", schema);
	AUTO_FREE char *line = mem_printf("%s\n", buf_cstr(body));
	struct kata_err err = { 0 };
	const struct json *j;

	ck_assert_int_eq(json_parse(line, strlen(line), &json_limits_default,
				    test_arena(), &j, &err),
			 0);
	ck_assert_msg(schema_check(dir, ref, j, &err) == 0, "%s: %s", name, err.msg);
	golden_check(file, line);
	buf_done(body);
}

static void check_vm(const char *name, const struct vm_plan *p)
{
	struct buf body = { 0 };

	clh_vm_body(p, &body);
	check_body(name, "VmConfig", &body);
}

START_TEST(bodies)
{
	struct vm_plan p = plan_plain();
	struct buf body = { 0 };

	check_vm("plain", &p);
	p.share_tag = NULL;
	p.initrd = NULL;
	p.console = "console.log";
	p.landlock = true;
	check_vm("console-landlock", &p);
	p.n_disks = 4;
	p.disks[0] = (struct vm_disk){ "/i,1", NULL, .readonly = true };
	p.disks[1] = (struct vm_disk){ "/i\"2", "qcow2", false };
	p.disks[2] = (struct vm_disk){ "/i3", "vhd", true, .serial = "kata-7-0" };
	p.disks[3] = (struct vm_disk){ "/i4", "vhdx", true };
	check_vm("disks", &p);
	p.n_cards = 1;
	p.cards[0] = (struct vm_card){ { 2, 0x4b, 0, 0xab, 5, 6 }, 2, false };
	clh_net_body(&p, 0, &body);
	check_body("card", "NetConfig", &body);
}
END_TEST

START_TEST(command_line)
{
	static const char *const extra[] = { "-v", "--log-file", NULL };
	struct vm_plan p = plan_plain();
	struct strv argv = { 0 };
	struct buf text = { 0 };

	p.extra_args = extra;
	clh_argv(&p, &argv);
	for (size_t i = 0; i < argv.n; i++)
		buf_addf(&text, "%s\n", argv.v[i]);
	golden_check("clh/argv", buf_cstr(&text));
	strv_done(&argv);
	buf_done(&text);
}
END_TEST

START_TEST(what_it_cannot_do)
{
	struct vm_plan p = plan_plain();
	struct kata_err err = { 0 };

	p.n_disks = 1;
	p.disks[0] = (struct vm_disk){ "/i", "raw", true };
	ck_assert_int_eq(clh_check(&p, &err), 0);
	p.disks[0].format = "vmdk";
	ck_assert_int_eq(clh_check(&p, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "vm.image.format: vmdk"));
}
END_TEST

/* --- driver ------------------------------------------------------------------------------ */

struct vm {
	struct loop *loop;
	struct vmm *vmm;
	char why[512], text[512];
	int gone, done, code;
};

static void vm_gone(void *arg, const char *why)
{
	struct vm *m = arg;

	str_copy(m->why, sizeof(m->why), why);
	m->gone++;
	loop_stop(m->loop, 0);
}

static void vm_answered(void *arg, int code, const char *text)
{
	struct vm *m = arg;

	str_copy(m->text, sizeof(m->text), text);
	m->code = code;
	m->done++;
	loop_stop(m->loop, 0);
}

static void put_file(struct tmp *t, const char *name, const char *text, mode_t mode)
{
	ck_assert_int_eq(fs_write_atomic(t->fd, name, text, strlen(text), mode), 0);
}

/* The directory gets the VMM and a kernel of that name; the driver works in it. */
static int launch(struct vm *m, struct tmp *t, const char *kernel, const char *trouble,
		  unsigned cards, struct kata_err *err)
{
	AUTO_FREE char *script = mem_printf(
		"#!/bin/sh\nKATA_STAND_IN_VSOCK= KATA_STAND_IN_TROUBLE=%s KATA_STAND_IN_QEMU=%s/tests/fakes/qmp_only.py "
		"exec %s/tests/fakes/cloud-hypervisor \"$@\"\n",
		trouble, getenv("KATA_SRCDIR"), getenv("KATA_SRCDIR"));
	AUTO_FREE char *program = mem_printf("%s/clh", t->path);
	const struct vmm_events ev = { vm_gone, vm_answered, m };
	struct vm_plan plan = plan_plain();
	struct tap taps[VM_MAX_CARDS];
	const struct vmm_fds fds = { .vsock = -1, .share = -1, .taps = taps };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	*m = (struct vm){ 0 };
	put_file(t, "clh", script, 0755);
	put_file(t, "kernel", "\177ELF", 0644);
	put_file(t, "guest-reset", "\177ELF", 0644);
	put_file(t, "guest-shutdown", "\177ELF", 0644);
	put_file(t, "guest-crash", "\177ELF", 0644);
	ck_assert_int_eq(fchdir(t->fd), 0);
	plan.vmm = program;
	plan.kernel = kernel;
	plan.initrd = plan.share_tag = NULL;
	plan.n_cards = cards;
	for (unsigned i = 0; i < cards; i++) {
		plan.cards[i] = (struct vm_card){ { 2, 0, 0, 0, 0, 1 }, 2, false };
		taps[i] = (struct tap){ .fd = { null, null } };
	}
	m->loop = loop_new(err);
	r = clh_driver.launch(&plan, &fds, m->loop, &ev, &m->vmm, err);
	close(null);
	return r;
}

static void vm_done(struct vm *m)
{
	if (m->vmm)
		clh_driver.stop(m->vmm);
	clh_driver.free(m->vmm);
	loop_free(m->loop);
}
#define VM __attribute__((cleanup(vm_done))) struct vm

static void vm_run(struct vm *m)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_run(m->loop, &err), 0);
}

/* How it ends before a guest runs, and what the user reads. */
static const struct {
	const char *kernel, *trouble, *why;
} ends[] = {
	{ "nowhere", "",
	  "clh refused vm.boot: Error from API: The VM could not boot: Cannot open kernel file: "
	  "No such file or directory (os error 2)" },
	{ "kernel", "vm.create:refuse",
	  "clh refused vm.create: Error from API: The VM could not boot: Cannot open kernel file" },
	{ "kernel", "vm.add-net:refuse", "clh refused vm.add-net: Error from API" },
	{ "kernel", "vmm.ping:garbage",
	  "clh sent garbage on its API socket: no HTTP status line" },
	{ "kernel", "vmm.ping:old",
	  "clh is of a release that is not known: v40 or later is needed" },
	{ "kernel", "vm.create:huge",
	  "clh sent garbage on its API socket: a body longer than any answer's" },
	{ "kernel", "vm.boot:half",
	  "clh closed its API socket in the middle of the answer to PUT /api/v1/vm.boot" },
	{ "kernel", "vmm.ping:slow",
	  "clh did not answer GET /api/v1/vmm.ping within 10000 ms" },
	{ "kernel", "vm.create:die", "clh was killed by signal 15: dying as told" },
	{ "kernel", "vm.info:noise", "clh sent garbage on its event monitor: " },
	{ "kernel", "vm.info:garbage",
	  "clh sent garbage on its API socket: no HTTP status line" },
	{ "kernel", "vm.info:twice",
	  "clh sent garbage on its API socket: an answer to nothing asked" },
	{ "guest-reset", "", "the guest's kernel reset; a panic does that" },
	{ "guest-shutdown", "", "the guest powered off" },
	{ "guest-crash", "",
	  "clh exited with status 1: the stand-in's QEMU ended with status 1" },
};

static void end_of(int i)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	VM m;

	ck_assert_msg(launch(&m, &t, ends[i].kernel, ends[i].trouble, 1, &err) == 0, "%s",
		      err.msg);
	vm_run(&m);
	ck_assert_int_eq(m.gone, 1);
	ck_assert_msg(str_has_prefix(m.why, ends[i].why), "%s %s: %s", ends[i].kernel,
		      ends[i].trouble, m.why);
	ck_assert_int_eq(clh_driver.pause(m.vmm, &err), -ESRCH);
	ck_assert_int_eq(chdir("/"), 0);
}

START_TEST(how_it_ends)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (!under_valgrind()) /* which cannot signal by pidfd */
			end_of((int)i);
}
END_TEST

/* Boots with eight cards of two queues; errors of the API are told in its own words. */
static void pause_two(void)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	VM m;

	ck_assert_msg(launch(&m, &t, "kernel", "", VM_MAX_CARDS, &err) == 0, "%s",
		      err.msg);
	ck_assert_int_eq(clh_driver.pause(m.vmm, &err), 0);
	vm_run(&m);
	ck_assert_msg(m.gone == 0 && m.code == 0, "%s%s", m.why, m.text);
	ck_assert_int_eq(clh_driver.pause(m.vmm, &err), 0);
	vm_run(&m);
	ck_assert_int_eq(m.code, -EIO);
	ck_assert_str_eq(m.text,
			 "Error from API: The VM could not be paused: Cannot pause VM: "
			 "invalid VM state transition: Paused to Paused");
	ck_assert_int_eq(clh_driver.resume(m.vmm, &err), 0);
	vm_run(&m);
	ck_assert_int_eq(m.code, 0);
	ck_assert_int_eq(m.done, 3);
	clh_driver.stop(m.vmm);
	ck_assert_int_eq(m.gone, 0);
	ck_assert_int_eq(faccessat(t.fd, "vmm.api", F_OK, 0), -1);
	ck_assert_int_eq(chdir("/"), 0);
}

START_TEST(pause_and_resume)
{
	if (!under_valgrind())
		pause_two();
}
END_TEST

START_TEST(no_such_program)
{
	struct kata_err err = { 0 };
	const struct vmm_events ev = { vm_gone, vm_answered, NULL };
	const struct vmm_fds fds = { .vsock = -1, .share = -1 };
	struct vm_plan plan = plan_plain();
	struct loop *l = loop_new(&err);
	TMP t = tmp_make();
	struct vmm *v = NULL;

	ck_assert_int_eq(fchdir(t.fd), 0);
	plan.vmm = "/nowhere/clh";
	ck_assert_int_eq(clh_driver.launch(&plan, &fds, l, &ev, &v, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "/nowhere/clh"));
	ck_assert_ptr_null(v);
	loop_free(l);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { bodies,	    command_line,     what_it_cannot_do,
				       how_it_ends, pause_and_resume, no_such_program };

	return suite_run("clh", tests, ARRAY_SIZE(tests));
}
