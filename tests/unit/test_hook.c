// SPDX-License-Identifier: Apache-2.0
/* Hooks: what they get, what their failure says, and that none holds us up. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/loop.h"
#include "hook/hook.h"
#include "suite.h"

static struct kata_err err;

static const struct oci_state state = {
	.id = "box",
	.status = OCI_CREATED,
	.pid = 4711,
	.bundle = "/b",
};

/* sh -c SCRIPT */
static struct oci_hook shell(const char *const *argv)
{
	return (struct oci_hook){ .path = "/bin/sh", .args = { argv, 3 } };
}

static int run_kind(enum oci_hook_kind kind, const struct oci_hook *list, size_t n,
		    const struct hook_place *place)
{
	struct oci_hooks hooks = { 0 };

	hooks.kind[kind] = (struct jt_objv){ list, n };
	return hook_run_all(&hooks, kind, &state, place, &err);
}

static int run_list(const struct oci_hook *list, size_t n, const struct hook_place *place)
{
	return run_kind(OCI_HOOK_PRESTART, list, n, place);
}

static int run_in(const struct tmp *t, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct oci_hook h = shell(argv);
	struct hook_place place = HOOK_PLACE_INIT;

	place.bundle_fd = t->fd;
	return run_list(&h, 1, &place);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(nothing_to_run)
{
	struct oci_hooks hooks = { 0 };
	struct hook_place place = HOOK_PLACE_INIT;

	ck_assert_int_eq(hook_run_all(NULL, OCI_HOOK_POSTSTOP, &state, &place, &err), 0);
	ck_assert_int_eq(hook_run_all(&hooks, OCI_HOOK_POSTSTOP, &state, &place, &err),
			 0);
}
END_TEST

START_TEST(state_on_stdin_and_bundle_as_cwd)
{
	TMP t = tmp_make();
	AUTO_FREE char *text = NULL;
	AUTO(arena) *a = arena_new();
	const struct json *j;
	size_t len;

	ck_assert_int_eq(run_in(&t, "cat >seen"), 0);
	ck_assert_int_eq(fs_read_at(t.fd, "seen", 4096, &text, &len), 0);
	ck_assert_int_eq(json_parse(text, len, &json_limits_default, a, &j, &err), 0);
	ck_assert_str_eq(json_get_str(j, "id"), "box");
	ck_assert_str_eq(json_get_str(j, "status"), "created");
	ck_assert_str_eq(json_get(j, "pid")->str, "4711");
}
END_TEST

START_TEST(every_hook_gets_the_whole_state)
{
	TMP t = tmp_make();
	const char *const argv[] = { "sh", "-c", "grep -q 4711 && echo x >>seen", NULL };
	struct oci_hook list[] = { shell(argv), shell(argv), shell(argv) };
	struct hook_place place = HOOK_PLACE_INIT;
	AUTO_FREE char *text = NULL;
	size_t len;

	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_list(list, 3, &place), 0);
	ck_assert_int_eq(fs_read_at(t.fd, "seen", 4096, &text, &len), 0);
	ck_assert_str_eq(text, "x\nx\nx\n");
}
END_TEST

START_TEST(failure_says_which_and_what)
{
	TMP t = tmp_make();

	ck_assert_int_eq(run_in(&t, "echo out; echo boom >&2; exit 3"), -EIO);
	ck_assert_str_eq(
		err.msg,
		"error running prestart hook #0: exit status 3, stdout: out, stderr: boom");
}
END_TEST

START_TEST(first_failure_stops)
{
	TMP t = tmp_make();
	const char *const good[] = { "sh", "-c", "true", NULL },
			  *const bad[] = { "sh", "-c", "false", NULL },
			  *const trace[] = { "sh", "-c", "touch ran", NULL };
	struct oci_hook list[] = { shell(good), shell(bad), shell(trace) };
	struct hook_place place = HOOK_PLACE_INIT;

	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_list(list, 3, &place), -EIO);
	ck_assert_str_eq(
		err.msg,
		"error running prestart hook #1: exit status 1, stdout: , stderr: ");
	ck_assert_int_eq(faccessat(t.fd, "ran", F_OK, 0), -1);
}
END_TEST

START_TEST(every_poststop_hook_runs)
{
	TMP t = tmp_make();
	const char *const bad[] = { "sh", "-c", "exit 1", NULL },
			  *const worse[] = { "sh", "-c", "exit 2", NULL },
			  *const trace[] = { "sh", "-c", "touch ran", NULL };
	struct oci_hook list[] = { shell(bad), shell(worse), shell(trace) };
	struct hook_place place = HOOK_PLACE_INIT;

	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_kind(OCI_HOOK_POSTSTOP, list, 3, &place), -EIO);
	ck_assert_str_eq(
		err.msg,
		"error running poststop hook #0: exit status 1, stdout: , stderr: ; "
		"error running poststop hook #1: exit status 2, stdout: , stderr: ");
	ck_assert_int_eq(faccessat(t.fd, "ran", F_OK, 0), 0);
}
END_TEST

START_TEST(missing_program)
{
	struct oci_hook h = { .path = "/nonexistent/hook" };
	struct hook_place place = HOOK_PLACE_INIT;

	ck_assert_int_eq(run_list(&h, 1, &place), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "error running prestart hook #0: "));
	ck_assert_ptr_nonnull(strstr(err.msg, "no such file or directory"));
}
END_TEST

START_TEST(environment_is_the_hooks_own_when_it_has_one)
{
	TMP t = tmp_make();
	static const char *const env[] = { "A=1", NULL };
	const char *const has[] = { "sh", "-c",
				    "test \"$A\" = 1 && test -z \"$KATA_TEST\"", NULL };
	const char *const inherits[] = { "sh", "-c", "test \"$KATA_TEST\" = yes", NULL };
	struct oci_hook list[] = { shell(has), shell(inherits), shell(has) };
	struct hook_place place = HOOK_PLACE_INIT;

	setenv("KATA_TEST", "yes", 1);
	list[0].env = (struct jt_strv){ env, 1 };
	list[0].has_env = true;
	list[2].has_env = true; /* empty: no variables at all, so A is not 1 */
	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_list(list, 2, &place), 0);
	ck_assert_int_eq(run_list(&list[2], 1, &place), -EIO);
}
END_TEST

START_TEST(arguments_are_kept)
{
	TMP t = tmp_make();
	const char *const argv[] = {
		"other-name", "-c",  "test \"$0\" = a && test \"$1\" = 'b c'",
		"a",	      "b c", NULL
	};
	struct oci_hook h = { .path = "/bin/sh", .args = { argv, 5 } };
	struct hook_place place = HOOK_PLACE_INIT;

	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_list(&h, 1, &place), 0);
}
END_TEST

START_TEST(timeout_kills_all_of_it)
{
	TMP t = tmp_make();
	static const int64_t one = 1;
	/* the child holds the pipe and would touch the file later */
	const char *const argv[] = { "sh", "-c", "(sleep 3; touch late) & wait", NULL };
	struct oci_hook h = shell(argv);
	struct hook_place place = HOOK_PLACE_INIT;
	int64_t began = now_ms();

	h.timeout = &one;
	place.bundle_fd = t.fd;
	ck_assert_int_eq(run_list(&h, 1, &place), -ETIMEDOUT);
	ck_assert_str_eq(
		err.msg,
		"error running prestart hook #0: hook ran past specified timeout of 1.0s");
	ck_assert_int_ge(now_ms() - began, 1000);
	ck_assert_int_lt(now_ms() - began, 2900);
}
END_TEST

START_TEST(daemon_of_a_hook_does_not_hold_us)
{
	TMP t = tmp_make();
	int64_t began = now_ms();

	ck_assert_int_eq(run_in(&t, "sleep 5 & echo $! >pid"), 0);
	ck_assert_int_lt(now_ms() - began, 4000);
	ck_assert_int_eq(run_in(&t, "kill $(cat pid)"), 0);
}
END_TEST

START_TEST(flood_of_output_is_bounded)
{
	TMP t = tmp_make();

	ck_assert_int_eq(run_in(&t, "head -c 1000000 /dev/zero | tr '\\0' x; exit 1"),
			 -EIO);
	ck_assert_uint_lt(strlen(err.msg), 600);
	ck_assert_ptr_nonnull(strstr(err.msg, ", stderr: "));
}
END_TEST

START_TEST(control_characters_do_not_reach_the_terminal)
{
	TMP t = tmp_make();

	ck_assert_int_eq(run_in(&t, "printf 'a\\033[2Jb\\nc\\n' >&2; exit 1"), -EIO);
	ck_assert_ptr_nonnull(strstr(err.msg, "stderr: a [2Jb c"));
}
END_TEST

START_TEST(cancelled_by_a_signal)
{
	TMP t = tmp_make();
	const char *const argv[] = { "sh", "-c", "sleep 20", NULL };
	struct oci_hook h = shell(argv), list[] = { h, h };
	struct hook_place place = HOOK_PLACE_INIT;
	int64_t began = now_ms();
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	place.cancel_fd = loop_signals(&set);
	place.bundle_fd = t.fd;
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(run_list(&h, 1, &place), -EINTR);
	ck_assert_int_lt(now_ms() - began, 5000);
	/* the signal is still there: whoever waits for all of them is not made to */
	ck_assert_int_eq(run_kind(OCI_HOOK_POSTSTOP, list, 2, &place), -EINTR);
	ck_assert_str_eq(err.msg, "error running poststop hook #0: interrupted");
}
END_TEST

/* What the caller had open or blocked must not reach the hook. */
START_TEST(hook_starts_clean)
{
	TMP t = tmp_make();
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	ck_assert_int_eq(dup2(t.fd, 77), 77);
	/* exec: a shell that waits for a child blocks signals meanwhile */
	ck_assert_int_eq(run_in(&t, "test ! -e /proc/$$/fd/77 && exec grep -q "
				    "'SigBlk:.*0000000000000000' /proc/self/status"),
			 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_to_run,
		state_on_stdin_and_bundle_as_cwd,
		every_hook_gets_the_whole_state,
		failure_says_which_and_what,
		first_failure_stops,
		every_poststop_hook_runs,
		missing_program,
		environment_is_the_hooks_own_when_it_has_one,
		arguments_are_kept,
		timeout_kills_all_of_it,
		daemon_of_a_hook_does_not_hold_us,
		flood_of_output_is_bounded,
		control_characters_do_not_reach_the_terminal,
		cancelled_by_a_signal,
		hook_starts_clean,
	};

	return suite_run("hook", tests, ARRAY_SIZE(tests));
}
