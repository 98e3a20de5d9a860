/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh_bed: a plan, and the driver for Cloud Hypervisor on the stand-in of tests/fakes, whose QEMU
 * runs nothing.
 */
#ifndef KATA_TESTS_UNIT_CLH_BED_H
#define KATA_TESTS_UNIT_CLH_BED_H

#include <sys/stat.h>

#include "base/str.h"
#include "suite.h"
#include "vmm/clh.h"

static inline struct vm_plan plan_plain(void)
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

/** struct vm - what has come back of it. @trouble: "vm.boot:garbage", or NULL; @loop: of others, or NULL */
struct vm {
	struct tmp dir;
	struct loop *loop, *own_loop;
	struct vmm *vmm;
	const char *kernel, *trouble, *vsock;
	unsigned cards, landlock;
	char why[512], text[512];
	int gone, done, code;
};

static inline void vm_gone(void *arg, const char *why)
{
	struct vm *m = arg;

	str_copy(m->why, sizeof(m->why), why);
	m->gone++;
	loop_stop(m->loop, 0);
}

static inline void vm_answered(void *arg, int code, const char *text)
{
	struct vm *m = arg;

	str_copy(m->text, sizeof(m->text), text);
	m->code = code;
	m->done++;
	loop_stop(m->loop, 0);
}

static inline void put_file(struct tmp *t, const char *name, const char *text,
			    mode_t mode)
{
	ck_assert_int_eq(fs_write_atomic(t->fd, name, text, strlen(text), mode), 0);
}

/* The stand-in as a program of its own: it is started without an environment. */
static inline void put_stand_in(struct tmp *t, const char *trouble)
{
	const char *src = getenv("KATA_SRCDIR");
	AUTO_FREE char *script = mem_printf(
		"#!/bin/sh\nKATA_STAND_IN_VSOCK= KATA_STAND_IN_TROUBLE=%s KATA_STAND_IN_LOG=%s/log "
		"KATA_STAND_IN_QEMU=%s/tests/fakes/qmp_only.py "
		"exec %s/tests/fakes/cloud-hypervisor \"$@\"\n",
		trouble ? trouble : "", t->path, src, src);

	put_file(t, "clh", script, 0755);
	put_file(t, "kernel", "\177ELF", 0644);
	put_file(t, "guest-reset", "\177ELF", 0644);
	put_file(t, "guest-shutdown", "\177ELF", 0644);
	put_file(t, "guest-crash", "\177ELF", 0644);
}

/* The directory gets the VMM and kernels; the driver works in it. */
static inline void vm_launch(struct vm *m)
{
	AUTO_FREE char *program = NULL;
	const struct vmm_events ev = { vm_gone, vm_answered, m };
	struct vm_plan plan = plan_plain();
	struct tap taps[VM_MAX_CARDS];
	const struct vmm_fds fds = { .vsock = -1, .share = -1, .taps = taps };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct kata_err err = { 0 };

	m->dir = tmp_make();
	put_stand_in(&m->dir, m->trouble);
	ck_assert_int_eq(fchdir(m->dir.fd), 0);
	program = mem_printf("%s/clh", m->dir.path);
	plan.vmm = program;
	plan.kernel = m->kernel ? m->kernel : "kernel";
	plan.initrd = plan.share_tag = NULL;
	plan.landlock = m->landlock;
	if (m->vsock)
		plan.vsock_socket = m->vsock;
	plan.n_cards = m->cards;
	for (unsigned i = 0; i < m->cards; i++) {
		plan.cards[i] = (struct vm_card){ { 2, 0, 0, 0, 0, 1 }, 2, false };
		taps[i] = (struct tap){ .fd = { null, null } };
	}
	if (!m->loop)
		m->loop = m->own_loop = loop_new(&err);
	ck_assert_msg(clh_driver.launch(&plan, &fds, m->loop, &ev, &m->vmm, &err) == 0,
		      "%s", err.msg);
	close(null);
	ck_assert_int_eq(chdir("/"), 0);
}

static inline void vm_run(struct vm *m)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_run(m->loop, &err), 0);
}

static inline void vm_done(struct vm *m)
{
	clh_driver.free(m->vmm);
	loop_free(m->own_loop);
	tmp_done(&m->dir);
}
#define VM __attribute__((cleanup(vm_done))) struct vm

#endif
