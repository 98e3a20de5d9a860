/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_kvm: finds out whether KVM is worth using, by using it.
 *
 * /dev/kvm may open, have the right version and make VMs, and still no guest
 * boots: PVM ("kvm_pvm", software KVM for clouds without nested virtualization) runs
 * only kernels made for it and interprets everything else at some 3 million
 * instructions a second. So the processor must have virtualization extensions, and a
 * virtual CPU must get through a loop of 32-bit protected-mode code, the mode that a
 * PVH kernel is entered in, in a time that only hardware can make: it
 * needs 20 us; an interpreter 20 ms.
 */
#include "vmm/host_kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#ifdef __x86_64__
#include <cpuid.h>

#define CODE_ADDR 0x1000u
#define CODE_SIZE 4096u
/** Turns of the loop, two instructions each. */
#define LOOP_TURNS 30000u
/** Slower than this is not hardware; best of LOOP_TRIES, because the host may be busy. */
#define LOOP_MAX_NS 5000000
#define LOOP_TRIES 3
/** A vCPU that does not come back is interrupted, again and again, from here on. */
#define RUN_DEADLINE_US 50000L

struct probe {
	int vm, vcpu;
	unsigned char *code;
	struct kvm_run *run;
	size_t run_size;
};

/* mov ecx, LOOP_TURNS; 1: dec ecx; jnz 1b; hlt */
static const unsigned char loop_code[] = {
	0xb9,
	LOOP_TURNS & 0xff,
	LOOP_TURNS >> 8 & 0xff,
	LOOP_TURNS >> 16 & 0xff,
	0,
	0x49,
	0x75,
	0xfd,
	0xf4,
};

static int fail(char *why, size_t size, const char *what)
{
	snprintf(why, size, "%s: %s", what, err_text(errno));
	return 0;
}

static int has_extensions(void)
{
	unsigned eax, ebx, ecx = 0, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & (1u << 5)) /* VMX */
		return 1;
	return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) &&
	       ecx & (1u << 2); /* SVM */
}

static int make_vm(struct probe *p, int kvm_fd, char *why, size_t size)
{
	struct kvm_userspace_memory_region mem = { .guest_phys_addr = CODE_ADDR,
						   .memory_size = CODE_SIZE };
	int run_size;

	p->vm = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (p->vm < 0)
		return fail(why, size, "KVM_CREATE_VM");
	p->code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->code == MAP_FAILED)
		return fail(why, size, "memory");
	memcpy(p->code, loop_code, sizeof(loop_code));
	mem.userspace_addr = (uintptr_t)p->code;
	/* Intel without "unrestricted guest" needs three pages of its own; harmless elsewhere */
	(void)ioctl(p->vm, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &mem) < 0)
		return fail(why, size, "KVM_SET_USER_MEMORY_REGION");
	p->vcpu = ioctl(p->vm, KVM_CREATE_VCPU, 0);
	if (p->vcpu < 0)
		return fail(why, size, "KVM_CREATE_VCPU");
	run_size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < (int)sizeof(struct kvm_run))
		return fail(why, size, "KVM_GET_VCPU_MMAP_SIZE");
	p->run_size = (size_t)run_size;
	p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->vcpu, 0);
	return p->run == MAP_FAILED ? fail(why, size, "kvm_run") : 1;
}

static int enter_protected_mode(struct probe *p, char *why, size_t size)
{
	const struct kvm_segment code = { .limit = ~0u,
					  .selector = 8,
					  .type = 11,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	const struct kvm_segment data = { .limit = ~0u,
					  .selector = 16,
					  .type = 3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };
	struct kvm_sregs s;

	if (ioctl(p->vcpu, KVM_GET_SREGS, &s) < 0)
		return fail(why, size, "KVM_GET_SREGS");
	s.cr0 |= 1;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	return ioctl(p->vcpu, KVM_SET_SREGS, &s) < 0 ? fail(why, size, "KVM_SET_SREGS")
						     : 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One run of the loop. Return: its time, or -1. */
static int64_t run_once(struct probe *p, char *why, size_t size)
{
	struct kvm_regs regs = { .rip = CODE_ADDR, .rflags = 2 };
	int64_t began = now_ns();

	if (ioctl(p->vcpu, KVM_SET_REGS, &regs) < 0) {
		fail(why, size, "KVM_SET_REGS");
		return -1;
	}
	if (ioctl(p->vcpu, KVM_RUN, 0) < 0) {
		fail(why, size, "KVM_RUN");
		return -1;
	}
	if (p->run->exit_reason != KVM_EXIT_HLT) {
		snprintf(why, size, "a virtual CPU stopped for reason %u",
			 p->run->exit_reason);
		return -1;
	}
	return now_ns() - began;
}

static int is_fast(struct probe *p, char *why, size_t size)
{
	for (int i = 0; i < LOOP_TRIES; i++) {
		int64_t ns = run_once(p, why, size);

		if (ns < 0)
			return 0;
		if (ns < LOOP_MAX_NS)
			return 1;
	}
	snprintf(why, size, "it interprets instead of running code");
	return 0;
}

static void on_alarm(int sig)
{
	(void)sig; /* its arrival is what matters: KVM_RUN returns EINTR */
}

/* is_fast() under a timer whose signal interrupts KVM_RUN; the caller's signal state is put back. */
static int with_deadline(struct probe *p, char *why, size_t size)
{
	const struct itimerval on = { { 0, RUN_DEADLINE_US },
				      { 0, LOOP_TRIES * RUN_DEADLINE_US } };
	const struct itimerval off = { { 0, 0 }, { 0, 0 } };
	struct sigaction act = { .sa_handler = on_alarm }, old_act;
	struct itimerval old_timer;
	sigset_t alarm_set, old_set;
	int r;

	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	sigaction(SIGALRM, &act, &old_act);
	sigprocmask(SIG_UNBLOCK, &alarm_set, &old_set);
	setitimer(ITIMER_REAL, &on, &old_timer);
	r = is_fast(p, why, size);
	setitimer(ITIMER_REAL, &off, NULL);
	sigprocmask(SIG_SETMASK, &old_set, NULL);
	sigaction(SIGALRM, &old_act, NULL);
	setitimer(ITIMER_REAL, &old_timer, NULL);
	return r;
}

static void probe_done(struct probe *p)
{
	if (p->run && p->run != MAP_FAILED)
		munmap(p->run, p->run_size);
	fd_closep(&p->vcpu);
	fd_closep(&p->vm);
	if (p->code && p->code != MAP_FAILED)
		munmap(p->code, CODE_SIZE);
}

static int probe_arch(int kvm_fd, char *why, size_t size)
{
	struct probe p = { .vm = -1, .vcpu = -1 };
	int r;

	if (!has_extensions()) {
		snprintf(why, size, "the processor has no virtualization extensions");
		return 0;
	}
	r = make_vm(&p, kvm_fd, why, size) && enter_protected_mode(&p, why, size) &&
	    with_deadline(&p, why, size);
	probe_done(&p);
	return r;
}

#else /* arm64: virtualization is in the architecture or /dev/kvm is not there */

static int probe_arch(int kvm_fd, char *why, size_t size)
{
	AUTO_CLOSE int vm = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (vm >= 0)
		return 1;
	snprintf(why, size, "KVM_CREATE_VM: %s", err_text(errno));
	return 0;
}

#endif

int host_kvm_probe(int kvm_fd, char *why, size_t size)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION) {
		snprintf(why, size, "its version is %d, not %d", version,
			 KVM_API_VERSION);
		return 0;
	}
	return probe_arch(kvm_fd, why, size);
}
