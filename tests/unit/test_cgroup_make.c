// SPDX-License-Identifier: Apache-2.0
/* Real groups of this host: made, joined, found again, removed. Needs root and a cgroup mount. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "base/str.h"
#include "cgroup/impl.h"
#include "suite.h"

static struct kata_err err;

static const char *test_name(const char *what)
{
	struct cgroup_ask ask = {
		.path = arena_printf(test_arena(), "/kata-test-%ld/%s", (long)getpid(),
				     what),
	};
	const char *name;

	ck_assert_int_eq(cgroup_name(&ask, test_arena(), &name, &err), 0);
	return name;
}

/** A process that waits to be killed. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static char *groups_of(pid_t pid)
{
	AUTO_FREE char *path = mem_printf("/proc/%ld/cgroup", (long)pid);
	char *text;

	ck_assert_int_eq(fs_read_at(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	return text;
}

static void remove_parent(const char *name)
{
	AUTO_FREE char *up = mem_strdup(name);

	*strrchr(up, '/') = '\0';
	ck_assert_msg(cgroup_remove(up, &err) == 0, "%s", err.msg);
}

START_TEST(made_joined_and_removed)
{
	const char *name = test_name("a");
	struct cgroup *g = NULL;
	pid_t pid = sleeper();
	AUTO_FREE char *groups = NULL;
	size_t n;

	ck_assert_msg(cgroup_make(name, pid, NULL, &g, &err) == 0, "%s", err.msg);
	groups = groups_of(pid);
	ck_assert_ptr_nonnull(strstr(groups, name + strlen(CG_NAME_CGROUPFS)));
	for (size_t i = 0; i < g->n_dirs; i++) {
		AUTO_FREE char *line = mem_printf(":%s:%s\n", g->dirs[i].hier->names,
						  name + strlen(CG_NAME_CGROUPFS));
		ck_assert_msg(strstr(groups, line), "%s not in %s", line, groups);
	}
	ck_assert_ptr_nonnull(cgroup_procs(g, &n));
	ck_assert_uint_eq(n, g->n_dirs);
	ck_assert_int_ge(cgroup_memory_dir(g), -1);
	cgroup_free(g);

	ck_assert_int_eq(cgroup_remove(name, &err), -EBUSY);
	end(pid);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
	ck_assert_int_eq(cgroup_open(name, &g, &err), -ENOENT);
	remove_parent(name);
}
END_TEST

START_TEST(processes_move_to_another)
{
	const char *name = test_name("m");
	AUTO(arena) *a = arena_new();
	const char *beside = cgroup_name_beside(name, "-vm1", a);
	struct cgroup *from = NULL, *to = NULL;
	pid_t first = sleeper(), second = sleeper();
	AUTO_FREE char *groups = NULL;

	ck_assert_msg(cgroup_make(name, first, NULL, &from, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < from->n_dirs; i++) {
		AUTO_FREE char *text = mem_printf("%ld", (long)second);

		ck_assert_int_eq(fs_write_str(from->dirs[i].fd, "cgroup.procs", text), 0);
	}
	ck_assert_msg(cgroup_make(beside, first, NULL, &to, &err) == 0, "%s", err.msg);
	ck_assert_msg(cgroup_move(from, to, &err) == 0, "%s", err.msg);
	groups = groups_of(second);
	for (size_t i = 0; i < from->n_dirs; i++) {
		AUTO_FREE char *line = mem_printf(":%s:%s\n", from->dirs[i].hier->names,
						  beside + strlen(CG_NAME_CGROUPFS));
		ck_assert_msg(strstr(groups, line), "%s not in %s", line, groups);
	}
	cgroup_free(from);
	cgroup_free(to);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	end(first);
	end(second);
	ck_assert_msg(cgroup_remove(beside, &err) == 0, "%s", err.msg);
	remove_parent(name);
}
END_TEST

START_TEST(child_is_born_in_it)
{
	const char *name = test_name("b");
	char *const argv[] = { "sleep", "60", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc child = PROC_INIT;
	struct cgroup *g = NULL;
	AUTO_FREE char *groups = NULL;

	if (under_valgrind())
		return; /* proc_spawn() needs pidfd_open */
	ck_assert_msg(cgroup_make(name, 0, NULL, &g, &err) == 0, "%s", err.msg);
	sp.path = "/bin/sleep";
	sp.argv = argv;
	sp.cgroup_procs = cgroup_procs(g, &sp.n_cgroup_procs);
	ck_assert_msg(proc_spawn(&sp, &child, &err) == 0, "%s", err.msg);
	groups = groups_of(child.pid);
	ck_assert_ptr_nonnull(strstr(groups, name + strlen(CG_NAME_CGROUPFS)));
	cgroup_free(g);
	/* just killed, not yet gone: removal waits */
	ck_assert_int_eq(proc_kill(child.pidfd, SIGKILL), 0);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(proc_wait(&child), 128 + SIGKILL);
	proc_done(&child);
	remove_parent(name);
}
END_TEST

START_TEST(one_in_use_is_refused)
{
	const char *name = test_name("c");
	struct cgroup *g = NULL, *again = NULL;
	pid_t pid = sleeper();

	ck_assert_msg(cgroup_make(name, pid, NULL, &g, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(cgroup_make(name, 0, NULL, &again, &err), -EBUSY);
	ck_assert_ptr_nonnull(
		strstr(err.msg, "container's cgroup is not empty: 1 process(es) found"));
	end(pid);
	cgroup_free(g);
	/* empty: taken over */
	ck_assert_msg(cgroup_make(name, 0, NULL, &g, &err) == 0, "%s", err.msg);
	cgroup_free(g);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
	remove_parent(name);
}
END_TEST

START_TEST(frozen_one_is_refused)
{
	const char *name = test_name("d");
	struct cgroup *g = NULL, *again = NULL;
	const struct cg_dir *d;
	bool v2;

	ck_assert_msg(cgroup_make(name, 0, NULL, &g, &err) == 0, "%s", err.msg);
	d = cg_dir_of(g, "freezer");
	ck_assert_ptr_nonnull(d);
	v2 = !*d->hier->names;
	ck_assert_int_eq(fs_write_str(d->fd, v2 ? "cgroup.freeze" : "freezer.state",
				      v2 ? "1" : "FROZEN"),
			 0);
	ck_assert_int_eq(cgroup_make(name, 0, NULL, &again, &err), -EBUSY);
	ck_assert_ptr_nonnull(strstr(err.msg, "container's cgroup unexpectedly frozen"));
	cgroup_free(g);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
	remove_parent(name);
}
END_TEST

START_TEST(removed_with_groups_below)
{
	const char *name = test_name("e");
	struct cgroup *g = NULL;

	ck_assert_msg(cgroup_make(name, 0, NULL, &g, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < g->n_dirs; i++) {
		ck_assert_int_eq(mkdirat(g->dirs[i].fd, "sub", 0755), 0);
		ck_assert_int_eq(mkdirat(g->dirs[i].fd, "sub/deep", 0755), 0);
	}
	cgroup_free(g);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(cgroup_open(name, &g, &err), -ENOENT);
	remove_parent(name);
}
END_TEST

START_TEST(failure_leaves_nothing)
{
	const char *name = test_name("f/g");
	AUTO_FREE char *top = mem_printf(CG_NAME_CGROUPFS "/kata-test-%ld",
					 (long)getpid());
	struct cgroup *g = NULL;
	pid_t pid = sleeper();

	end(pid); /* one that is no more cannot be moved */
	ck_assert_int_lt(cgroup_make(name, pid, NULL, &g, &err), 0);
	ck_assert_int_eq(cgroup_open(top, &g, &err), -ENOENT);
}
END_TEST

START_TEST(disabled_does_nothing)
{
	struct cgroup_ask ask = { .manager = CGROUP_DISABLED, .id = "x" };
	struct cgroup *g;
	const char *name;
	size_t n;

	ck_assert_int_eq(cgroup_name(&ask, test_arena(), &name, &err), 0);
	ck_assert_str_eq(name, "");
	ck_assert_int_eq(cgroup_make(name, getpid(), NULL, &g, &err), 0);
	cgroup_procs(g, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(cgroup_memory_dir(g), -1);
	ck_assert_int_eq(cgroup_apply(g, NULL, NULL, CGROUP_AT_CREATE, &err), 0);
	cgroup_free(g);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
}
END_TEST

static const struct oci_resources *load(const char *json)
{
	const struct oci_resources *res;

	ck_assert_msg(oci_resources_load(json, strlen(json), test_arena(), &res, &err) ==
			      0,
		      "%s", err.msg);
	return res;
}

static void apply(struct cgroup *g, const char *json, enum cgroup_when when)
{
	static const struct cgroup_extra vm = { .memory = 1 << 20,
						.pids = 3,
						.devices = true };

	ck_assert_msg(cgroup_apply(g, load(json), &vm, when, &err) == 0, "%s", err.msg);
}

/** A file of the group without its newline; "" where this host has not got it. */
static const char *value(const struct cgroup *g, const char *controller, const char *file)
{
	const struct cg_dir *d = cg_dir_of(g, controller);
	AUTO_FREE char *text = NULL;

	if (!d || fs_read_at(d->fd, file, 1 << 16, &text, NULL) < 0)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return arena_strdup(test_arena(), text);
}

static bool on_v1(const struct cgroup *g, const char *controller)
{
	const struct cg_dir *d = cg_dir_of(g, controller);

	return d && *d->hier->names;
}

START_TEST(limits_reach_v1_files)
{
	const char *name = test_name("limits");
	struct cgroup *g = NULL;

	ck_assert_msg(cgroup_make(name, 0, NULL, &g, &err) == 0, "%s", err.msg);
	if (on_v1(g, "memory")) {
		bool swap = *value(g, "memory", "memory.memsw.limit_in_bytes");

		apply(g, "{\"memory\":{\"limit\":67108864}}", CGROUP_AT_CREATE);
		ck_assert_str_eq(value(g, "memory", "memory.limit_in_bytes"), "68157440");
		if (swap) {
			/* raised and lowered together: the order is another each time */
			apply(g, "{\"memory\":{\"limit\":67108864,\"swap\":67108864}}",
			      CGROUP_AT_UPDATE);
			apply(g, "{\"memory\":{\"limit\":134217728,\"swap\":134217728}}",
			      CGROUP_AT_UPDATE);
			apply(g, "{\"memory\":{\"limit\":33554432,\"swap\":67108864}}",
			      CGROUP_AT_UPDATE);
			ck_assert_str_eq(
				value(g, "memory", "memory.memsw.limit_in_bytes"),
				"68157440");
		}
		ck_assert_str_eq(value(g, "memory", "memory.limit_in_bytes"),
				 swap ? "34603008" : "68157440");
		apply(g, "{\"memory\":{\"limit\":-1}}", CGROUP_AT_UPDATE);
		ck_assert_uint_gt(strlen(value(g, "memory", "memory.limit_in_bytes")),
				  15);
	}
	if (on_v1(g, "cpu") && *value(g, "cpu", "cpu.cfs_quota_us")) {
		apply(g, "{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000}}",
		      CGROUP_AT_CREATE);
		ck_assert_str_eq(value(g, "cpu", "cpu.shares"), "512");
		ck_assert_str_eq(value(g, "cpu", "cpu.cfs_quota_us"), "-1");
		apply(g, "{\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000}}",
		      CGROUP_AT_START);
		ck_assert_str_eq(value(g, "cpu", "cpu.cfs_quota_us"), "50000");
		ck_assert_int_eq(cgroup_apply(g, load("{\"cpu\":{\"shares\":262145}}"),
					      &(struct cgroup_extra){ 0 },
					      CGROUP_AT_UPDATE, &err),
				 -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.msg,
					     "linux.resources.cpu.shares: the "
					     "maximum allowed cpu-shares is 262144"));
	}
	if (on_v1(g, "cpuset")) {
		apply(g, "{\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}}", CGROUP_AT_CREATE);
		ck_assert_str_eq(value(g, "cpuset", "cpuset.cpus"), "0");
		ck_assert_int_lt(cgroup_apply(g, load("{\"cpu\":{\"cpus\":\"4000\"}}"),
					      &(struct cgroup_extra){ 0 },
					      CGROUP_AT_UPDATE, &err),
				 0);
		ck_assert_ptr_nonnull(strstr(err.msg,
					     "linux.resources.cpu.cpus: write "
					     "\"4000\" to /sys/fs/cgroup/cpuset/"));
	}
	if (on_v1(g, "pids")) {
		apply(g, "{\"pids\":{\"limit\":5}}", CGROUP_AT_CREATE);
		ck_assert_str_eq(value(g, "pids", "pids.max"), "8");
		apply(g, "{\"pids\":{\"limit\":-1}}", CGROUP_AT_UPDATE);
		ck_assert_str_eq(value(g, "pids", "pids.max"), "max");
	}
	if (on_v1(g, "devices")) {
		apply(g,
		      "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,"
		      "\"type\":\"b\",\"major\":8,\"access\":\"r\"}]}",
		      CGROUP_AT_CREATE);
		ck_assert_str_ne(value(g, "devices", "devices.list"), "a *:* rwm");
		apply(g, "{\"pids\":{\"limit\":0},\"devices\":[]}", CGROUP_AT_UPDATE);
		ck_assert_str_ne(value(g, "devices", "devices.list"), "a *:* rwm");
		apply(g, "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}",
		      CGROUP_AT_UPDATE);
		ck_assert_str_eq(value(g, "devices", "devices.list"), "a *:* rwm");
	}
	cgroup_free(g);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
	remove_parent(name);
}
END_TEST

START_TEST(missing_controller_is_told)
{
	const char *name = test_name("missing");
	struct cgroup *g = NULL;
	struct cg_host h;

	ck_assert_int_eq(cg_host_read(0, test_arena(), &h, &err), 0);
	/* whichever stands last in the list is taken for the one that has pids */
	for (size_t i = 0; i < h.n; i++) {
		if (cg_hier_has(&h.v[i], "pids"))
			h.v[i] = h.v[--h.n];
	}
	ck_assert_msg(cg_make_on(&h, name, 0, false, &g, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(cgroup_apply(g, load("{\"pids\":{\"limit\":1}}"),
				      &(struct cgroup_extra){ 0 }, CGROUP_AT_CREATE,
				      &err),
			 -ENOTSUP);
	ck_assert_msg(strstr(err.msg, "linux.resources.pids.limit: this host has no "
				      "cgroup controller \"pids\"") != NULL,
		      "%s", err.msg);
	cgroup_free(g);
	ck_assert_int_eq(cg_remove_on(&h, name, &err), 0);
	remove_parent(name);
}
END_TEST

/** This host as if v2 was all it had; n = 0: it has none. */
static struct cg_host v2_alone(void)
{
	struct cg_host h;

	ck_assert_int_eq(cg_host_read(0, test_arena(), &h, &err), 0);
	while (h.n && *h.v->names) {
		h.v++;
		h.n--;
	}
	h.unified = true;
	return h;
}

START_TEST(v2_group)
{
	struct cg_host h = v2_alone();
	const char *name = arena_printf(test_arena(), "cgroupfs:/kata-test-%ld/x/y",
					(long)getpid());
	AUTO_FREE char *top = mem_printf("cgroupfs:/kata-test-%ld", (long)getpid());
	struct cgroup *g = NULL;
	pid_t pid;

	if (!h.n)
		return;
	pid = sleeper();
	ck_assert_msg(cg_make_on(&h, name, pid, true, &g, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(value(g, "", "cgroup.procs"),
			 arena_printf(test_arena(), "%ld", (long)pid));
	apply(g, "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}",
	      CGROUP_AT_CREATE);
	if (!strstr(value(g, "", "cgroup.controllers"), "memory")) {
		ck_assert_int_eq(cgroup_apply(g, load("{\"memory\":{\"limit\":1}}"),
					      &(struct cgroup_extra){ 0 },
					      CGROUP_AT_CREATE, &err),
				 -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(err.msg,
					     "linux.resources.memory.limit: this "
					     "host has no "));
		ck_assert_ptr_nonnull(strstr(err.msg, "/memory.max: the controller"));
	}
	cgroup_free(g);
	ck_assert_int_eq(cg_remove_on(&h, name, &err), -EBUSY);
	end(pid);
	ck_assert_msg(cg_remove_on(&h, name, &err) == 0, "%s", err.msg);
	ck_assert_msg(cg_remove_on(&h, top, &err) == 0, "%s", err.msg);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		made_joined_and_removed,
		processes_move_to_another,
		child_is_born_in_it,
		one_in_use_is_refused,
		frozen_one_is_refused,
		removed_with_groups_below,
		failure_leaves_nothing,
		disabled_does_nothing,
		limits_reach_v1_files,
		missing_controller_is_told,
		v2_group,
	};
	AUTO(arena) *a = arena_new();
	struct cg_host host;

	if (geteuid() != 0 || cg_host_read(0, a, &host, &err) < 0) {
		printf("1..0 # SKIP needs root and cgroups: %s\n", err.msg);
		return 0;
	}
	return suite_run("cgroup_make", tests, ARRAY_SIZE(tests));
}
