/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh_vm: the driver for Cloud Hypervisor against the stand-in: a VM that lives, how one ends, and a VMM that
 * misbehaves at each call of the sequence.
 */
#include <errno.h>
#include <stdio.h>

#include "clh_bed.h"

/* Until it is gone: what the user reads then. After it nothing can be asked. */
static const char *end_of(struct vm *m)
{
	struct kata_err err = { 0 };

	vm_run(m);
	ck_assert_int_eq(m->gone, 1);
	ck_assert_int_eq(clh_driver.pause(m->vmm, &err), -ESRCH);
	return m->why;
}

static void check_end(struct vm *m, const char *why)
{
	const char *got = end_of(m);

	ck_assert_msg(str_has_prefix(got, why), "%s %s: %s", m->kernel ? m->kernel : "",
		      m->trouble ? m->trouble : "", got);
}

static const struct {
	const char *kernel, *trouble, *why, *vsock;
} ends[] = {
	{ .kernel = "nowhere",
	  .why = "clh refused vm.boot: Error from API: The VM could not boot: Cannot open kernel file: "
		 "No such file or directory (os error 2)" },
	/* why the plan has "./": landlock has a rule for the directory of the path */
	{ .vsock = "vsock.s",
	  .why = "clh refused vm.boot: Error from API: The VM could not boot: an empty path: "
		 "Permission denied" },
	{ .trouble = "vmm.ping:old",
	  .why = "clh is of a release that is not known: v40 or later is needed" },
	{ .kernel = "guest-reset", .why = "the guest's kernel reset; a panic does that" },
	{ .kernel = "guest-shutdown", .why = "the guest powered off" },
	{ .kernel = "guest-crash",
	  .why = "clh exited with status 1: the stand-in's QEMU ended with status 1" },
};

START_TEST(how_it_ends)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		VM m = { .kernel = ends[i].kernel,
			 .trouble = ends[i].trouble,
			 .vsock = ends[i].vsock,
			 .landlock = 3,
			 .cards = 1 };

		vm_launch(&m);
		check_end(&m, ends[i].why);
	}
}
END_TEST

/* --- a VMM that misbehaves ---------------------------------------------------------------- */

static const struct {
	const char *name, *method;
} requests[] = {
	{ "vmm.ping", "GET" }, { "vm.create", "PUT" }, { "vm.add-net", "PUT" },
	{ "vm.boot", "PUT" },  { "vm.info", "GET" },   { "vm.pause", "PUT" },
};
#define FIRST_AFTER_BOOT 5 /* asked for when the VM runs */

enum names { NO_NAME, ITS_NAME, ITS_LINE };

/* @names: what of the request the text goes on with */
static const struct {
	const char *kind, *why;
	enum names names;
} kinds[] = {
	{ "garbage", "clh sent garbage on its API socket: no HTTP status line", NO_NAME },
	{ "half", "clh closed its API socket in the middle of the answer to ", ITS_LINE },
	{ "huge", "clh sent garbage on its API socket: a body longer than any answer's",
	  NO_NAME },
	{ "twice", "clh sent garbage on its API socket: an answer to nothing asked",
	  NO_NAME },
	{ "refuse", "clh refused ", ITS_NAME },
	{ "die", "clh was killed by signal 15: dying as told", NO_NAME },
	{ "leave", "clh was killed by signal 15: dying as told", NO_NAME },
	{ "noise", "clh sent garbage on its event monitor: ", NO_NAME },
};

static char *expected(size_t request, size_t kind)
{
	const char *why = kinds[kind].why, *name = requests[request].name;

	switch (kinds[kind].names) {
	case ITS_NAME:
		return mem_printf("%s%s: Error from API: The VM could not boot: ", why,
				  name);
	case ITS_LINE:
		return mem_printf("%s%s /api/v1/%s", why, requests[request].method, name);
	default:
		return mem_strdup(why);
	}
}

/* What a running VM refuses is told to who asked, and is no reason to end it. */
static bool is_end(size_t request, size_t kind)
{
	return request < FIRST_AFTER_BOOT || !str_eq(kinds[kind].kind, "refuse");
}

static void misbehave(size_t request, size_t kind)
{
	AUTO_FREE char *trouble = mem_printf("%s:%s", requests[request].name,
					     kinds[kind].kind);
	AUTO_FREE char *why = expected(request, kind);
	struct kata_err err = { 0 };
	VM m = { .trouble = trouble, .cards = 1 };

	vm_launch(&m);
	ck_assert_int_eq(clh_driver.pause(m.vmm, &err), 0);
	vm_run(&m);
	if (m.done && !m.gone) /* an answer that was good so far */
		vm_run(&m);
	ck_assert_msg(m.gone == 1 && str_has_prefix(m.why, why), "%s: %s", trouble,
		      m.why);
	ck_assert_int_eq(clh_driver.pause(m.vmm, &err), -ESRCH);
}

static void misbehave_at(size_t request)
{
	unsigned n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (is_end(request, k)) {
			misbehave(request, k);
			n++;
		}
	printf("# %s: %u ways to misbehave\n", requests[request].name, n);
}

#define AT(name, i)                                                                      \
	START_TEST(name)                                                                 \
	{                                                                                \
		misbehave_at(i);                                                         \
	}                                                                                \
	END_TEST

AT(at_ping, 0)
AT(at_create, 1)
AT(at_add_net, 2)
AT(at_boot, 3)
AT(at_info, 4)
AT(at_pause, 5)

/* All at once: each takes as long as an answer may. The boot, which may take longer, is left to test_rest. */
START_TEST(no_answer)
{
	static const size_t which[] = { 0, 1, 2, 4, 5 };
	struct vm vms[ARRAY_SIZE(which)] = { 0 };
	struct kata_err err = { 0 };
	struct loop *loop = loop_new(&err);

	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		vms[i].loop = loop;
		vms[i].trouble = mem_printf("%s:slow", requests[which[i]].name);
		vms[i].cards = 1;
		vm_launch(&vms[i]);
		ck_assert_int_eq(clh_driver.pause(vms[i].vmm, &err), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		AUTO_FREE char *why =
			mem_printf("clh did not answer %s /api/v1/%s within 10000 ms",
				   requests[which[i]].method, requests[which[i]].name);

		while (!vms[i].gone)
			vm_run(&vms[i]);
		ck_assert_msg(vms[i].gone == 1 && str_eq(vms[i].why, why), "%s: %s",
			      vms[i].trouble, vms[i].why);
		free((char *)(uintptr_t)vms[i].trouble);
		vm_done(&vms[i]);
	}
	loop_free(loop);
}
END_TEST

/* --- a VM that lives ---------------------------------------------------------------------- */

/* Boots with eight cards of two queues; errors of the API are told in its own words. */
START_TEST(pause_and_resume)
{
	struct kata_err err = { 0 };
	VM m = { .cards = VM_MAX_CARDS, .landlock = 3 };

	vm_launch(&m);
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
	ck_assert_int_eq(faccessat(m.dir.fd, "vmm.api", F_OK, 0), -1);
}
END_TEST

static char *requests_of(struct vm *m)
{
	char *text = NULL;
	size_t len;
	int fd = openat(m->dir.fd, "log", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(fs_read_fd(fd, 65536, &text, &len), 0);
	close(fd);
	return text;
}

/* A VM that runs, stopped while the VMM does @trouble. */
static char *stop_with(const char *trouble)
{
	struct kata_err err = { 0 };
	VM m = { .cards = 2, .trouble = trouble };

	vm_launch(&m);
	ck_assert_int_eq(clh_driver.resume(m.vmm, &err), 0); /* refused: it runs */
	vm_run(&m);
	ck_assert_msg(m.done == 1 && m.gone == 0, "%s", m.why);
	clh_driver.stop(m.vmm);
	ck_assert_int_eq(m.gone, 0);
	clh_driver.stop(m.vmm);
	return requests_of(&m);
}

#define BEFORE_END                                                                       \
	"vmm.ping\nvm.create\nvm.add-net\nvm.add-net\nvm.boot\nvm.info\nvm.resume\n"

START_TEST(stop_in_order)
{
	AUTO_FREE char *log = stop_with(NULL);

	ck_assert_str_eq(log, BEFORE_END "vm.shutdown\nvmm.shutdown\n(ended)\n");
}
END_TEST

/* Whatever it does then, it is gone, within the time that is given to one that is slow. */
START_TEST(stop_anyway)
{
	static const struct {
		const char *trouble, *requests;
	} cases[] = {
		{ "vm.shutdown:slow", "vm.shutdown\n" },
		{ "vm.shutdown:garbage", "vm.shutdown\n" },
		{ "vm.shutdown:half", "vm.shutdown\n" },
		{ "vm.shutdown:huge", "vm.shutdown\n" },
		{ "vm.shutdown:refuse", "vm.shutdown\n" },
		{ "vm.shutdown:die", "vm.shutdown\n" },
		{ "vmm.shutdown:slow", "vm.shutdown\nvmm.shutdown\n" },
		{ "vmm.shutdown:die", "vm.shutdown\nvmm.shutdown\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *log = stop_with(cases[i].trouble);
		AUTO_FREE char *want = mem_printf(BEFORE_END "%s", cases[i].requests);

		ck_assert_msg(str_has_prefix(log, want) && !strstr(log, "ended"),
			      "%s: %s", cases[i].trouble, log);
	}
}
END_TEST

/* Stopped while the API has not come to its end: there is nothing to end in order. */
START_TEST(stop_early)
{
	VM m = { .trouble = "vmm.ping:slow" };

	vm_launch(&m);
	clh_driver.stop(m.vmm);
	ck_assert_int_eq(m.gone, 0);
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
	const TTest *const tests[] = {
		how_it_ends, at_ping,	 at_create,	  at_add_net,	    at_boot,
		at_info,     at_pause,	 no_answer,	  pause_and_resume, stop_in_order,
		stop_anyway, stop_early, no_such_program,
	};

	return suite_run_for("clh_vm", tests, ARRAY_SIZE(tests), 240);
}
