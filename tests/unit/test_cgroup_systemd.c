// SPDX-License-Identifier: Apache-2.0
/*
 * Groups made by systemd: against a manager that this test plays, on a bus of its own. It makes the
 * unit's directory in the hierarchy that is systemd's, as the real one does, and writes down what
 * it was asked. Units named "*fail*" end badly, "*exists*" are there already, "*early*" are
 * ready before the call is answered.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "cgroup/impl.h"
#include "suite.h"

#define MANAGER "org.freedesktop.systemd1.Manager"
#define OBJECT "/org/freedesktop/systemd1"

static struct kata_err err;

/* ---- the manager ---- */

struct fake {
	int log; /* what it was asked, a line each */
	unsigned jobs;
};

/** systemd's own hierarchy: name=systemd, or v2 where there is no v1. */
static struct cg_host systemds(void)
{
	struct cg_host h = { 0 };

	if (cg_host_read(0, test_arena(), &h, &err) < 0)
		return h;
	for (size_t i = 0; i < h.n && !h.unified; i++) {
		if (!cg_hier_has(&h.v[i], "name=systemd"))
			continue;
		h.v += i;
		h.n = 1;
		return h;
	}
	if (!h.unified)
		h.n = 0;
	return h;
}

static void note(const struct fake *f, const char *line)
{
	AUTO_FREE char *text = mem_printf("%s\n", line);

	if (fs_write_all(f->log, text, strlen(text)) < 0)
		_exit(3);
}

static void note_value(const struct fake *f, const char *name, char type,
		       sd_bus_message *m)
{
	union {
		uint64_t t;
		uint32_t u;
		uint8_t y;
		int b;
		const char *s;
	} v = { 0 };

	sd_bus_message_read_basic(m, type, &v);
	if (type == 's')
		note(f, arena_printf(test_arena(), "%s=%s", name, v.s));
	else
		note(f, arena_printf(test_arena(), "%s=%llu", name,
				     type == 't' ? (unsigned long long)v.t : v.u));
}

/** "a(sv)", each noted. @pid, @slice: of them. */
static void read_props(const struct fake *f, sd_bus_message *m, uint32_t *pid,
		       const char **slice)
{
	const char *name, *kind;
	const void *data;
	size_t size;

	sd_bus_message_enter_container(m, 'a', "(sv)");
	while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
		sd_bus_message_read(m, "s", &name);
		sd_bus_message_peek_type(m, NULL, &kind);
		sd_bus_message_enter_container(m, 'v', kind);
		if (str_eq(name, "Slice")) {
			sd_bus_message_read(m, "s", slice);
			note(f, arena_printf(test_arena(), "Slice=%s", *slice));
		} else if (str_eq(kind, "au")) {
			sd_bus_message_read_array(m, 'u', &data, &size);
			if (size >= sizeof(*pid))
				memcpy(pid, data, sizeof(*pid));
		} else if (*kind == 'a') {
			note(f, arena_printf(test_arena(), "%s:%s", name, kind));
			sd_bus_message_skip(m, kind);
		} else {
			note_value(f, name, *kind, m);
		}
		sd_bus_message_exit_container(m);
		sd_bus_message_exit_container(m);
	}
	sd_bus_message_exit_container(m);
}

static int finish_job(struct fake *f, sd_bus_message *m, const char *unit)
{
	AUTO_FREE char *job = mem_printf(OBJECT "/job/%u", ++f->jobs);
	sd_bus *bus = sd_bus_message_get_bus(m);
	const char *result = strstr(unit, "fail") ? "failed" : "done";
	bool early = strstr(unit, "early");

	if (!early)
		sd_bus_reply_method_return(m, "o", job);
	sd_bus_emit_signal(bus, OBJECT, MANAGER, "JobRemoved", "uoss", 999u,
			   OBJECT "/job/999", "other.scope", "failed");
	sd_bus_emit_signal(bus, OBJECT, MANAGER, "JobRemoved", "uoss", f->jobs, job, unit,
			   result);
	return early ? sd_bus_reply_method_return(m, "o", job) : 1;
}

static int start_unit(struct fake *f, sd_bus_message *m)
{
	const char *unit, *mode, *slice = "";
	struct cg_host h = systemds();
	struct cgroup *g = NULL;
	uint32_t pid = 0;

	sd_bus_message_read(m, "ss", &unit, &mode);
	note(f, arena_printf(test_arena(), "start %s %s", unit, mode));
	if (strstr(unit, "exists"))
		return sd_bus_reply_method_errorf(m,
						  "org.freedesktop.systemd1.UnitExists",
						  "Unit %s already exists.", unit);
	read_props(f, m, &pid, &slice);
	if (!strstr(unit, "fail") &&
	    cg_make_on(&h, arena_printf(test_arena(), "systemd:%s:%s", slice, unit),
		       (pid_t)pid, false, &g, &err) < 0)
		note(f, err.msg);
	cgroup_free(g);
	return finish_job(f, m, unit);
}

static int stop_unit(struct fake *f, sd_bus_message *m)
{
	const char *unit, *mode;
	struct cg_host h = systemds();

	sd_bus_message_read(m, "ss", &unit, &mode);
	note(f, arena_printf(test_arena(), "stop %s", unit));
	if (strstr(unit, "gone"))
		return sd_bus_reply_method_errorf(m,
						  "org.freedesktop.systemd1.NoSuchUnit",
						  "Unit %s not loaded.", unit);
	if (cg_remove_on(&h,
			 arena_printf(test_arena(), "systemd:katatest.slice:%s", unit),
			 &err) < 0)
		note(f, err.msg);
	return finish_job(f, m, unit);
}

static int set_properties(struct fake *f, sd_bus_message *m)
{
	const char *unit, *slice;
	uint32_t pid;
	int runtime;

	sd_bus_message_read(m, "sb", &unit, &runtime);
	note(f, arena_printf(test_arena(), "set %s %d", unit, runtime));
	read_props(f, m, &pid, &slice);
	return sd_bus_reply_method_return(m, "");
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct fake *f = userdata;
	const char *what = sd_bus_message_get_member(m);

	if (str_eq(what, "StartTransientUnit"))
		return start_unit(f, m);
	if (str_eq(what, "StopUnit"))
		return stop_unit(f, m);
	if (str_eq(what, "SetUnitProperties"))
		return set_properties(f, m);
	if (str_eq(what, "Subscribe"))
		return sd_bus_reply_method_return(m, "");
	if (str_eq(what, "Get"))
		return sd_bus_reply_method_return(m, "v", "s", "v252.38-1~deb12u1");
	return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit",
					  "not loaded");
}

static void manage(int log, int ready)
{
	struct fake f = { .log = log };
	sd_bus *bus = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sd_bus_open_system(&bus) < 0 ||
	    sd_bus_add_object(bus, NULL, OBJECT, on_call, &f) < 0 ||
	    sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) < 0)
		_exit(2);
	close(ready);
	for (;;) {
		int r = sd_bus_process(bus, NULL);

		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
		if (r < 0)
			_exit(4);
	}
}

/* ---- a bus and the manager on it, for one test ---- */

struct bed {
	struct tmp t;
	pid_t daemon, manager;
};

static void run_daemon(const char *address, int ready)
{
	AUTO_FREE char *print = mem_printf("--print-address=%d", ready);

	int null = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 2); /* it cannot raise its limits, and says so */
	execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile",
	       "--nosyslog", address, print, (char *)NULL);
	_exit(1);
}

static void await(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0 && c != '\n')
		;
	close(fd);
}

static struct bed bed_make(void)
{
	struct bed b = { .t = tmp_make() };
	AUTO_FREE char *unix_path = mem_printf("unix:path=%s/bus", b.t.path);
	AUTO_FREE char *address = mem_printf("--address=%s", unix_path);
	AUTO_CLOSE int log = openat(b.t.fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	int ready[2];

	ck_assert_int_eq(pipe(ready), 0);
	b.daemon = fork();
	if (b.daemon == 0)
		run_daemon(address, ready[1]);
	close(ready[1]);
	await(ready[0]);
	ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", unix_path, 1), 0);
	ck_assert_int_eq(pipe(ready), 0);
	b.manager = fork();
	if (b.manager == 0)
		manage(log, ready[1]);
	close(ready[1]);
	await(ready[0]);
	return b;
}

static void bed_done(struct bed *b)
{
	kill(b->manager, SIGKILL);
	kill(b->daemon, SIGKILL);
	ck_assert_int_eq(waitpid(b->manager, NULL, 0), b->manager);
	ck_assert_int_eq(waitpid(b->daemon, NULL, 0), b->daemon);
	tmp_done(&b->t);
}
#define BED __attribute__((cleanup(bed_done))) struct bed

static bool asked(const struct bed *b, const char *line)
{
	AUTO_FREE char *log = NULL, *want = mem_printf("\n%s\n", line), *all = NULL;

	ck_assert_int_eq(fs_read_at(b->t.fd, "log", 1 << 20, &log, NULL), 0);
	all = mem_printf("\n%s", log);
	return strstr(all, want);
}

static const char *unit_name(const char *what)
{
	struct cgroup_ask ask = {
		.manager = CGROUP_SYSTEMD,
		.path = arena_printf(test_arena(), "katatest.slice:t%ld:%s",
				     (long)getpid(), what),
	};
	const char *name;

	ck_assert_msg(cgroup_name(&ask, test_arena(), &name, &err) == 0, "%s", err.msg);
	return name;
}

static const char *unit_of(const char *what)
{
	return arena_printf(test_arena(), "t%ld-%s.scope", (long)getpid(), what);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

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

static void remove_slice(void)
{
	struct cg_host h;

	ck_assert_int_eq(cg_host_read(0, test_arena(), &h, &err), 0);
	ck_assert_int_eq(cg_remove_on(&h, "cgroupfs:/katatest.slice", &err), 0);
}

static void live(const char *what, const char *also)
{
	BED b = bed_make();
	const char *key = "org.systemd.property.CollectMode", *text = "'inactive'";
	const struct jt_map annotations = { &key, &text, 1 };
	const char *name = unit_name(what);
	struct cgroup *g = NULL;
	AUTO_FREE char *groups = NULL, *file = NULL;
	const struct oci_resources *res;
	pid_t pid = sleeper();

	ck_assert_msg(cgroup_make(name, pid, &annotations, &g, &err) == 0, "%s", err.msg);
	ck_assert(
		asked(&b, arena_printf(test_arena(), "start %s replace", unit_of(what))));
	ck_assert(asked(&b, "Slice=katatest.slice"));
	ck_assert(asked(&b, "Delegate=1"));
	ck_assert(asked(&b, "DefaultDependencies=0"));
	ck_assert(asked(&b, "MemoryAccounting=1"));
	ck_assert(asked(&b, "TasksAccounting=1"));
	ck_assert(asked(&b, "CollectMode=inactive"));
	/* in all hierarchies, not only in systemd's */
	file = mem_printf("/proc/%ld/cgroup", (long)pid);
	ck_assert_int_eq(fs_read_at(AT_FDCWD, file, 1 << 20, &groups, NULL), 0);
	for (size_t i = 0; i < g->n_dirs; i++)
		ck_assert_ptr_nonnull(strstr(
			groups, arena_printf(test_arena(), ":%s:/katatest.slice/%s\n",
					     g->dirs[i].hier->names, unit_of(what))));
	ck_assert_int_eq(oci_resources_load(also, strlen(also), test_arena(), &res, &err),
			 0);
	ck_assert_msg(cgroup_apply(g, res, &(struct cgroup_extra){ .pids = 2 },
				   CGROUP_AT_UPDATE, &err) == 0,
		      "%s", err.msg);
	ck_assert(asked(&b, arena_printf(test_arena(), "set %s 1", unit_of(what))));
	ck_assert(asked(&b, "TasksMax=12"));
	cgroup_free(g);
	/* a unit with processes is not stopped: that would kill them */
	ck_assert_int_eq(cgroup_remove(name, &err), -EBUSY);
	ck_assert(!asked(&b, arena_printf(test_arena(), "stop %s", unit_of(what))));
	end(pid);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	ck_assert(asked(&b, arena_printf(test_arena(), "stop %s", unit_of(what))));
	ck_assert_int_eq(cgroup_open(name, &g, &err), -ENOENT);
	remove_slice();
}

START_TEST(life_of_a_scope)
{
	live("a", "{\"pids\":{\"limit\":10}}");
}
END_TEST

START_TEST(signal_before_the_answer)
{
	live("early", "{\"pids\":{\"limit\":10}}");
}
END_TEST

START_TEST(unit_that_went_by_itself)
{
	BED b = bed_make();
	const char *name = unit_name("gone");
	struct cgroup *g = NULL;
	pid_t pid = sleeper();

	ck_assert_msg(cgroup_make(name, pid, NULL, &g, &err) == 0, "%s", err.msg);
	cgroup_free(g);
	end(pid);
	ck_assert_msg(cgroup_remove(name, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(cgroup_remove(name, &err), 0);
	remove_slice();
}
END_TEST

START_TEST(refusals)
{
	BED b = bed_make();
	const char *key = "org.systemd.property.After", *text = "['x.service']";
	const struct jt_map annotations = { &key, &text, 1 };
	struct cgroup *g = NULL;
	pid_t pid = sleeper();

	ck_assert_int_eq(cgroup_make(unit_name("fail"), pid, NULL, &g, &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.msg, "-fail.scope`: got `failed`"));
	ck_assert_int_eq(cgroup_make(unit_name("exists"), pid, NULL, &g, &err), -EBUSY);
	ck_assert_ptr_nonnull(strstr(err.msg, "already exists"));
	ck_assert_int_eq(cgroup_make(unit_name("x"), pid, &annotations, &g, &err),
			 -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, key));
	ck_assert(
		!asked(&b, arena_printf(test_arena(), "start %s replace", unit_of("x"))));
	end(pid);
}
END_TEST

START_TEST(no_systemd)
{
	struct cgroup *g = NULL;

	ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1),
			 0);
	ck_assert_int_lt(cgroup_make(unit_name("x"), getpid(), NULL, &g, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "systemd not running on this host, cannot "
					      "use systemd cgroups manager"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		life_of_a_scope,
		signal_before_the_answer,
		unit_that_went_by_itself,
		refusals,
		no_systemd,
	};

	if (geteuid() != 0 || systemds().n == 0 ||
	    (access("/usr/bin/dbus-daemon", X_OK) && access("/bin/dbus-daemon", X_OK))) {
		printf("1..0 # SKIP needs root, cgroups and dbus-daemon\n");
		return 0;
	}
	return suite_run("cgroup_systemd", tests, ARRAY_SIZE(tests));
}
