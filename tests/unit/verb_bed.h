/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb_bed: a place for verbs to work in, with a sandbox without a VM
 * (fakes/kata-sandbox.c) and the real kata-shim of the build tree. Needs root:
 * both live in namespaces of their own.
 */
#ifndef KATA_TESTS_UNIT_VERB_BED_H
#define KATA_TESTS_UNIT_VERB_BED_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/proc.h"
#include "base/str.h"
#include "kata.h"
#include "suite.h"

static struct tmp dir;
static struct kata k;
static struct kata_err err;
static char root[300], bundle[300], pid_file[300], bin[300], conf[300], member_text[512];

static inline const char *build_dir(void)
{
	const char *d = getenv("KATA_BUILDDIR");

	return d ? d : ".";
}

static inline void write_at(const char *name, const char *text)
{
	ck_assert_int_eq(fs_write_atomic(dir.fd, name, text, strlen(text), 0644), 0);
}

static inline void link_helper(const char *from, const char *name)
{
	AUTO_FREE char *path = mem_printf("%s/%s", build_dir(), from);
	AUTO_FREE char *full = realpath(path, NULL);

	ck_assert_msg(full != NULL, "%s is not built", path);
	ck_assert_int_eq(symlinkat(full, dir.fd, name), 0);
}

static inline void setup(void)
{
	int null = open("/dev/null", O_RDWR);

	/* containers' stdio is ours: not in the middle of the results */
	ck_assert_int_eq(dup2(null, STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(dup2(null, STDOUT_FILENO), STDOUT_FILENO);
	dir = tmp_make();
	snprintf(root, sizeof(root), "%s/root", dir.path);
	snprintf(bundle, sizeof(bundle), "%s/bundle", dir.path);
	snprintf(pid_file, sizeof(pid_file), "%s/pid", dir.path);
	ck_assert_int_eq(mkdirat(dir.fd, "bundle", 0755), 0);
	ck_assert_int_eq(mkdirat(dir.fd, "bundle/rootfs", 0755), 0);
	write_at("kata.conf", "");
	ck_assert_int_eq(mkdirat(dir.fd, "bin", 0755), 0);
	link_helper("tests/fakes/kata-sandbox", "bin/kata-sandbox");
	link_helper("kata-shim", "bin/kata-shim");
	snprintf(bin, sizeof(bin), "%s/bin", dir.path);
	snprintf(conf, sizeof(conf), "%s/kata.conf", dir.path);
	setenv("KATA_LIBEXEC", bin, 1);
	/* groups have names that all runs on this host would share */
	k = (struct kata){
		.root = root, .root_given = true, .config = conf, .no_cgroup = true
	};
	/* as engines do: what a create leaves behind becomes our child */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static inline void teardown(void)
{
	static const char *const ids[] = { "a", "b" };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ck_assert_int_eq(kata_delete(&k, ids[i], true, &err), 0);
	tmp_done(&dir);
}

static inline int create(const char *id)
{
	const struct kata_create_args args = { .id = id,
					       .bundle = bundle,
					       .pid_file = pid_file };

	return kata_create(&k, &args, &err);
}

static inline bool exists(const char *name)
{
	return faccessat(dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A member of the state document, until the next call; "" when there is no container. */
static inline const char *state_of(const char *id, const char *member)
{
	AUTO(arena) *a = arena_new();
	AUTO_FREE char *text = NULL;
	const struct json *j;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc = kata_state(&k, id, f, &err);

	fclose(f);
	if (rc < 0)
		return "";
	ck_assert_int_eq(json_parse(text, len, &json_limits_default, a, &j, &err), 0);
	j = json_get(j, member);
	ck_assert(str_copy(member_text, sizeof(member_text), j && j->str ? j->str : ""));
	return member_text;
}

static inline pid_t shim_pid(void)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int64_t pid;

	ck_assert_int_eq(fs_read_at(dir.fd, "pid", 32, &text, &len), 0);
	ck_assert_int_eq(str_to_i64(text, 1, INT32_MAX, &pid), 0); /* no newline */
	return (pid_t)pid;
}

/* The container's end as its engine sees it. */
static inline int wait_for_shim(void)
{
	int status;

	ck_assert_int_gt(waitpid(shim_pid(), &status, 0), 0);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The suite of a file whose tests need the bed. */
static inline int bed_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	int failed;

	if (geteuid() != 0) {
		puts("1..0 # SKIP needs root");
		return EXIT_SUCCESS;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
