// SPDX-License-Identifier: Apache-2.0
/* What kata-shim was asked for, and which signals are meant for the guest. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/shim/plan.h"
#include "../../src/shim/signals.h"
#include "proto/msg.h"
#include "sandbox/ctl.h"

static void clear_env(void)
{
	unsetenv(SHIM_ENV_TERMINAL);
	unsetenv(SHIM_ENV_HOSTNAME);
	unsetenv(SHIM_ENV_COMM);
	unsetenv(SHIM_ENV_NEWNS);
	unsetenv(SHIM_ENV_CALLERS_TTY);
	unsetenv(SHIM_ENV_PASSED);
	unsetenv(SHIM_ENV_USERNS);
}

START_TEST(plan_reads_all)
{
	struct kata_err err = { 0 };
	struct shim_plan plan;

	setenv(SHIM_ENV_TERMINAL, "1", 1);
	setenv(SHIM_ENV_HOSTNAME, "box", 1);
	setenv(SHIM_ENV_COMM, "sh", 1);
	setenv(SHIM_ENV_NEWNS, "1", 1);
	setenv(SHIM_ENV_CALLERS_TTY, "1", 1);
	setenv(SHIM_ENV_PASSED, "-rws", 1);
	setenv(SHIM_ENV_USERNS, SHIM_USERNS_JOIN, 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), 0);
	ck_assert_str_eq(plan.passed, "-rws");
	ck_assert_str_eq(plan.userns, SHIM_USERNS_JOIN);
	ck_assert(plan.terminal && plan.own_root && plan.callers_tty);
	ck_assert_str_eq(plan.hostname, "box");
	ck_assert_str_eq(plan.comm, "sh");
}
END_TEST

START_TEST(plan_of_nothing_does_the_least)
{
	struct kata_err err = { 0 };
	struct shim_plan plan;

	clear_env();
	ck_assert_int_eq(shim_plan_load(&plan, &err), 0);
	ck_assert(!plan.terminal && !plan.own_root && !plan.callers_tty);
	ck_assert_str_eq(plan.passed, "");
	ck_assert_str_eq(plan.userns, SHIM_USERNS_NONE);
	ck_assert_str_eq(plan.hostname, "");
	ck_assert_str_eq(plan.comm, "");
}
END_TEST

START_TEST(plan_refuses_other_flags)
{
	struct kata_err err = { 0 };
	struct shim_plan plan;

	clear_env();
	setenv(SHIM_ENV_NEWNS, "yes", 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), -EINVAL);
	ck_assert_str_eq(err.msg, SHIM_ENV_NEWNS " is \"yes\", neither \"0\" nor \"1\"");
	clear_env();
	setenv(SHIM_ENV_CALLERS_TTY, "", 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), -EINVAL);
	clear_env();
	setenv(SHIM_ENV_USERNS, "1", 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), -EINVAL);
}
END_TEST

START_TEST(plan_refuses_other_letters)
{
	char many[PROTO_PASSED_MAX + 2] = { 0 };
	struct kata_err err = { 0 };
	struct shim_plan plan;

	clear_env();
	setenv(SHIM_ENV_PASSED, "rx", 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), -EINVAL);
	memset(many, SHIM_PASSED_READ, sizeof(many) - 1);
	setenv(SHIM_ENV_PASSED, many, 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), -EINVAL);
	setenv(SHIM_ENV_PASSED, many + 1, 1);
	ck_assert_int_eq(shim_plan_load(&plan, &err), 0);
}
END_TEST

#define SELF 7

/* What the kernel reports, and what becomes of it. */
static const struct {
	struct signalfd_siginfo si;
	bool terminal;
	enum signal_fate fate;
} fates[] = {
	{ { .ssi_signo = SIGTERM, .ssi_code = SI_USER, .ssi_pid = 1 },
	  false,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGTERM, .ssi_code = SI_USER, .ssi_pid = 0 },
	  false,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGUSR1, .ssi_code = SI_TKILL, .ssi_pid = 1 },
	  false,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGUSR1, .ssi_code = SI_QUEUE, .ssi_pid = 1 },
	  false,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGPIPE, .ssi_code = SI_USER, .ssi_pid = 1 },
	  false,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGPIPE, .ssi_code = SI_USER, .ssi_pid = SELF },
	  false,
	  SIGNAL_DROP },
	{ { .ssi_signo = SIGHUP, .ssi_code = SI_KERNEL }, true, SIGNAL_DROP },
	{ { .ssi_signo = SIGHUP, .ssi_code = SI_USER, .ssi_pid = 1 },
	  true,
	  SIGNAL_FORWARD },
	{ { .ssi_signo = SIGWINCH, .ssi_code = SI_KERNEL }, true, SIGNAL_WINSIZE },
	{ { .ssi_signo = SIGWINCH, .ssi_code = SI_USER, .ssi_pid = 1 },
	  true,
	  SIGNAL_WINSIZE },
	{ { .ssi_signo = SIGWINCH, .ssi_code = SI_USER, .ssi_pid = 1 },
	  false,
	  SIGNAL_FORWARD },
};

START_TEST(signal_fates)
{
	ck_assert_int_eq(signal_fate(&fates[_i].si, SELF, fates[_i].terminal),
			 fates[_i].fate);
}
END_TEST

/* Of the kernel's own signals only those that a person at the terminal means. */
START_TEST(keys)
{
	static const uint32_t others[] = { SIGCONT, SIGTTOU, SIGWINCH, SIGPIPE, SIGTERM };
	static const uint32_t meant[] = { SIGINT, SIGQUIT, SIGTSTP, SIGHUP };
	struct signalfd_siginfo si = { .ssi_code = SI_KERNEL };

	for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++) {
		si.ssi_signo = meant[i];
		ck_assert(signal_is_key(&si));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		si.ssi_signo = others[i];
		ck_assert(!signal_is_key(&si));
	}
	si = (struct signalfd_siginfo){ .ssi_signo = SIGINT, .ssi_code = SI_USER };
	ck_assert(!signal_is_key(&si));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shim_plan");
	TCase *tc = tcase_create("plan");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, plan_reads_all);
	tcase_add_test(tc, plan_of_nothing_does_the_least);
	tcase_add_test(tc, plan_refuses_other_flags);
	tcase_add_test(tc, plan_refuses_other_letters);
	tcase_add_loop_test(tc, signal_fates, 0, sizeof(fates) / sizeof(fates[0]));
	tcase_add_test(tc, keys);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
