// SPDX-License-Identifier: Apache-2.0
/* The verbs against a sandbox without a VM: what is done to a container that runs. */
#include <poll.h>

#include "store/store.h"
#include "verb/exec.h"
#include "verb_bed.h"

static char exec_pid_file[300];

/* Container "a", which holds; @rest: further members of its process, ' for ". */
static void create_with(const char *rest)
{
	AUTO_FREE char *text = mem_printf(
		"{'ociVersion':'1.3.0','root':{'path':'rootfs'},"
		"'process':{'cwd':'/','args':['fake','hold']%s},"
		"'linux':{'namespaces':[{'type':'network'},{'type':'mount'},{'type':'pid'},"
		"{'type':'ipc'},{'type':'uts'}]}}",
		rest);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	write_at("bundle/config.json", text);
	ck_assert_msg(create("a") == 0, "%s", err.msg);
	snprintf(exec_pid_file, sizeof(exec_pid_file), "%s/exec.pid", dir.path);
}

static void run_a(void)
{
	create_with("");
	ck_assert_int_eq(kata_start(&k, "a", &err), 0);
}

static int exec_with(struct kata_exec_args args, const char *const *argv)
{
	args.id = "a";
	args.argv = argv;
	args.pid_file = exec_pid_file;
	return kata_exec(&k, &args, &err);
}

#define HOW(...) ((struct kata_exec_args){ __VA_ARGS__ })
#define DETACHED HOW(.detach = true)
#define EXEC(how, ...) exec_with(how, (const char *const[]){ "fake", __VA_ARGS__, NULL })

static pid_t exec_pid(void)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int64_t pid;

	ck_assert_int_eq(fs_read_at(dir.fd, "exec.pid", 32, &text, &len), 0);
	ck_assert_int_eq(str_to_i64(text, 1, INT32_MAX, &pid), 0); /* no newline */
	return (pid_t)pid;
}

static int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What kata_ps() prints, heap. */
static char *ps(bool json, const char *const *args)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc = kata_ps(&k, "a", json, args, f, &err);

	fclose(f);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return text;
}

static void expect_ps(pid_t exec)
{
	AUTO_FREE char *got = ps(true, NULL);
	AUTO_FREE char *want = exec ? mem_printf("[%d,%d]\n", (int)shim_pid(), (int)exec)
				    : mem_printf("[%d]\n", (int)shim_pid());

	ck_assert_str_eq(got, want);
}

static ino_t ns_of(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

/* --- exec --------------------------------------------------------------------------------- */

START_TEST(detached_process)
{
	static const char *const shared[] = { "net", "ipc", "uts" };
	static const char *const hosts[] = { "pid", "mnt" };
	pid_t pid;

	run_a();
	ck_assert_msg(EXEC(DETACHED, "hold") == 0, "%s", err.msg);
	pid = exec_pid();
	expect_ps(pid);
	ck_assert_int_eq(getsid(pid), pid);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		ck_assert(ns_of(pid, shared[i]) == ns_of(shim_pid(), shared[i]));
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		ck_assert(ns_of(pid, hosts[i]) == ns_of(getpid(), hosts[i]));
	ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	ck_assert_int_eq(wait_for(pid), 128 + SIGUSR1);
}
END_TEST

START_TEST(exit_status_of_a_detached_process)
{
	create_with(""); /* a created container has them, too */
	ck_assert_msg(EXEC(DETACHED, "exit", "7") == 0, "%s", err.msg);
	ck_assert_int_eq(wait_for(exec_pid()), 7);
}
END_TEST

START_TEST(refused_process_leaves_nothing)
{
	run_a();
	ck_assert_int_lt(EXEC(DETACHED, "refuse"), 0);
	ck_assert_str_eq(
		err.msg,
		"exec failed: unable to start container process: exec: \"x\": executable file not found in $PATH");
	ck_assert_int_eq(err.status, 255);
	ck_assert(!exists("exec.pid"));
	expect_ps(0);
	ck_assert_int_lt(EXEC(HOW(.detach = false), "refuse"), 0);
	ck_assert_int_eq(err.status, 255);
	ck_assert(!exists("exec.pid"));
}
END_TEST

/* In a child of its own, which becomes the process. @out: its stdout. */
static pid_t exec_foreground(int out, const char *const *argv)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	dup2(out, STDOUT_FILENO);
	exec_with(HOW(.detach = false), argv);
	dprintf(STDERR_FILENO, "%s\n", err.msg);
	_exit(99);
}

START_TEST(foreground_is_this_process)
{
	static const char *const argv[] = { "fake", "exit", "9", NULL };
	AUTO_FREE char *text = NULL;
	int out[2];
	size_t len;
	pid_t pid;

	run_a();
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = exec_foreground(out[1], argv);
	close(out[1]);
	ck_assert_int_eq(fs_read_fd(out[0], 1000, &text, &len), 0);
	ck_assert_str_eq(text, "hello\n");
	ck_assert_int_eq(wait_for(pid), 9);
	ck_assert_int_eq(exec_pid(), pid);
	close(out[0]);
}
END_TEST

/* Until @pid is the shim: its command line is the process's. */
static char *await_environ(pid_t pid)
{
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	for (int i = 0; i < 1000; i++) {
		char *text = NULL;

		ck_assert_int_eq(fs_read_at(AT_FDCWD, path, 1 << 16, &text, &len), 0);
		if (str_has_prefix(text, "KATA_SHIM_")) {
			for (size_t at = 0; at < len; at += strlen(text + at) + 1)
				ck_assert(str_has_prefix(text + at, "KATA_SHIM_"));
			return text;
		}
		free(text);
		poll(NULL, 0, 10);
	}
	ck_abort_msg("it does not become a shim");
	return NULL;
}

START_TEST(foreground_has_no_rights_of_ours)
{
	static const char *const argv[] = { "fake", "hold", NULL };
	AUTO_FREE char *environment = NULL;
	pid_t pid;

	run_a();
	pid = exec_foreground(STDOUT_FILENO, argv);
	environment = await_environ(pid);
	ck_assert_int_eq(exec_pid(), pid);
	expect_ps(pid);
	ck_assert(ns_of(pid, "net") == ns_of(shim_pid(), "net"));
	ck_assert_int_eq(getsid(pid), getsid(0));
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(wait_for(pid), 128 + SIGTERM);
}
END_TEST

START_TEST(end_of_the_container_ends_it)
{
	run_a();
	ck_assert_int_eq(EXEC(DETACHED, "hold"), 0);
	ck_assert_int_eq(kata_kill(&k, "a", "KILL", false, &err), 0);
	ck_assert_int_eq(wait_for(exec_pid()), 137);
	ck_assert_int_eq(wait_for_shim(), 137);
	ck_assert_int_lt(EXEC(DETACHED, "hold"), 0);
	ck_assert_str_eq(err.msg, "exec failed: cannot exec in a stopped container");
	ck_assert_int_eq(err.status, 255);
}
END_TEST

START_TEST(rules_of_terminals)
{
	run_a();
	ck_assert_int_lt(EXEC(HOW(.detach = true, .tty = true), "hold"), 0);
	ck_assert_str_eq(
		err.msg,
		"exec failed: cannot allocate tty if runc will detach without setting console socket");
	ck_assert_int_lt(EXEC(HOW(.detach = true, .console_socket = "/nowhere"), "hold"),
			 0);
	ck_assert_str_eq(
		err.msg,
		"exec failed: cannot use console socket if runc will not detach or allocate tty");
	ck_assert_int_lt(EXEC(HOW(.tty = true, .console_socket = "/nowhere"), "hold"), 0);
	ck_assert_str_eq(
		err.msg,
		"exec failed: cannot use console socket if runc will not detach or allocate tty");
	/* a console that cannot be sent: no process, no pid file */
	ck_assert_int_lt(
		EXEC(HOW(.detach = true, .tty = true, .console_socket = "/nowhere"),
		     "hold"),
		0);
	ck_assert_int_eq(err.status, 255);
	ck_assert(!exists("exec.pid"));
	expect_ps(0);
}
END_TEST

START_TEST(refused_options)
{
	run_a();
	ck_assert_int_eq(
		EXEC(HOW(.detach = true, .preserve_fds = PROTO_PASSED_MAX + 1), "hold"),
		-E2BIG);
	ck_assert(str_has_prefix(
		err.msg, "exec failed: LISTEN_FDS and --preserve-fds: 65 descriptors"));
	ck_assert_int_eq(exec_with(DETACHED, NULL), -EINVAL);
	ck_assert_int_eq(EXEC(HOW(.detach = true, .process_file = "/nowhere"), "hold"),
			 -ENOENT);
	ck_assert_str_eq(err.msg,
			 "exec failed: read /nowhere: no such file or directory");
	ck_assert_int_eq(EXEC(HOW(.detach = true, .user = "root"), "hold"), -EINVAL);
	ck_assert_str_eq(
		err.msg,
		"exec failed: --user: \"root\" is not of the form uid[:gid], in numbers");
	expect_ps(0);
}
END_TEST

/* --- what is run -------------------------------------------------------------------------- */

static const char *words_of(const struct jt_strv *v)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < v->n; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", v->v[i]);
	}
	return text;
}

/* The process that @args make of the container's; x->box is to be done. */
static void make_process(struct execution *x, const struct kata_exec_args *args)
{
	*x = (struct execution){ .k = &k, .args = args, .box = VERB_BOX_INIT };
	ck_assert_int_eq(verb_open(&k, "a", false, &x->box, &err), 0);
	ck_assert_msg(exec_process(x, &err) == 0, "%s", err.msg);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(options_lie_over_the_containers_process)
{
	const struct kata_exec_args args = {
		.argv = LIST("ls", "-l"),
		.cwd = "/tmp",
		.env = LIST("B=2", "A=3"),
		.user = "5:6",
		.additional_gids = LIST("7", "8"),
		.caps = LIST("CAP_KILL"),
		.no_new_privs = true,
		.apparmor = "unconfined",
		.tty = true,
	};
	struct execution x;
	const struct oci_process *p;

	create_with(
		",'env':['A=1'],'user':{'uid':1,'gid':2,'additionalGids':[3]},"
		"'capabilities':{'bounding':['CAP_CHOWN'],'inheritable':['CAP_CHOWN']},"
		"'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':2}]");
	make_process(&x, &args);
	p = x.process;
	ck_assert_str_eq(words_of(&p->args), "ls -l");
	ck_assert_str_eq(words_of(&p->env), "A=1 B=2 A=3");
	ck_assert_str_eq(p->cwd, "/tmp");
	ck_assert(p->terminal && p->noNewPrivileges);
	ck_assert_uint_eq(p->user->uid, 5);
	ck_assert_uint_eq(p->user->gid, 6);
	ck_assert_uint_eq(p->user->additionalGids.n, 3);
	ck_assert_uint_eq(p->user->additionalGids.v[2], 8);
	ck_assert_str_eq(words_of(&p->capabilities->bounding), "CAP_CHOWN CAP_KILL");
	ck_assert_str_eq(words_of(&p->capabilities->effective), "CAP_KILL");
	ck_assert_str_eq(words_of(&p->capabilities->permitted), "CAP_KILL");
	ck_assert_str_eq(words_of(&p->capabilities->inheritable), "CAP_CHOWN");
	ck_assert_str_eq(words_of(&p->capabilities->ambient), "CAP_KILL");
	ck_assert_str_eq(p->apparmorProfile, "unconfined");
	ck_assert_uint_eq(p->rlimits.n, 1);
	verb_box_done(&x.box);
}
END_TEST

START_TEST(without_options_it_is_the_containers)
{
	const struct kata_exec_args args = { .argv = LIST("id") };
	struct execution x;

	create_with(",'terminal':false,'env':['A=1'],'noNewPrivileges':true,"
		    "'user':{'uid':1,'gid':2}");
	make_process(&x, &args);
	ck_assert(!x.process->terminal && x.process->noNewPrivileges);
	ck_assert_uint_eq(x.process->user->uid, 1);
	ck_assert_uint_eq(x.process->user->gid, 2);
	ck_assert_str_eq(x.process->cwd, "/");
	ck_assert_str_eq(words_of(&x.process->env), "A=1");
	ck_assert_ptr_null(x.process->capabilities);
	verb_box_done(&x.box);
}
END_TEST

/* --- pause and resume --------------------------------------------------------------------- */

START_TEST(paused_and_resumed)
{
	create_with("");
	ck_assert_int_lt(kata_pause(&k, "a", &err), 0);
	ck_assert_str_eq(err.msg, "container not running");
	ck_assert_int_eq(kata_start(&k, "a", &err), 0);
	ck_assert_int_lt(kata_resume(&k, "a", &err), 0);
	ck_assert_str_eq(err.msg, "container not paused");
	ck_assert_int_eq(kata_pause(&k, "a", &err), 0);
	ck_assert_str_eq(state_of("a", "status"), "paused");
	ck_assert_int_lt(kata_pause(&k, "a", &err), 0);
	ck_assert_str_eq(err.msg, "container not running");
	ck_assert_int_lt(EXEC(DETACHED, "hold"), 0);
	ck_assert_str_eq(
		err.msg,
		"exec failed: cannot exec in a paused container (use --ignore-paused to override)");
	ck_assert_msg(EXEC(HOW(.detach = true, .ignore_paused = true), "exit", "3") == 0,
		      "%s", err.msg);
	ck_assert_int_eq(wait_for(exec_pid()), 3);
	ck_assert_int_eq(kata_resume(&k, "a", &err), 0);
	ck_assert_str_eq(state_of("a", "status"), "running");
}
END_TEST

static void write_phase(enum store_phase phase)
{
	struct verb_box box = VERB_BOX_INIT;

	ck_assert_int_eq(verb_open(&k, "a", true, &box, &err), 0);
	box.rec.phase = (int)phase;
	ck_assert_int_eq(store_record_write(&box.dir, &box.rec, &err), 0);
	verb_box_done(&box);
}

START_TEST(resume_repairs_what_a_killed_verb_left)
{
	run_a();
	/* pause was killed before it wrote */
	ck_assert_int_eq(kata_pause(&k, "a", &err), 0);
	write_phase(STORE_RUNNING);
	ck_assert_int_eq(kata_resume(&k, "a", &err), 0);
	ck_assert_str_eq(state_of("a", "status"), "running");
	/* resume was */
	write_phase(STORE_PAUSED);
	ck_assert_int_eq(kata_resume(&k, "a", &err), 0);
	ck_assert_str_eq(state_of("a", "status"), "running");
	ck_assert_int_eq(kata_pause(&k, "a", &err), 0);
}
END_TEST

/* --- ps ----------------------------------------------------------------------------------- */

START_TEST(ps_as_a_table)
{
	AUTO_FREE char *text = NULL, *want = NULL;

	run_a();
	ck_assert_int_eq(EXEC(DETACHED, "hold"), 0);
	text = ps(false, LIST("-eo", "pid:9,comm"));
	want = mem_printf("%9d fake\n%9d fake\n", (int)shim_pid(), (int)exec_pid());
	ck_assert_msg(str_has_suffix(text, want), "%s", text);
	ck_assert(str_has_prefix(text, "      PID COMMAND\n"));
	ck_assert_uint_eq(strlen(text), strlen("      PID COMMAND\n") + strlen(want));
	ck_assert_int_lt(kata_ps(&k, "a", false, LIST("-eo", "comm"), stdout, &err), 0);
	ck_assert(str_has_prefix(err.msg, "couldn't find PID field in ps output"));
}
END_TEST

START_TEST(ps_of_a_stopped_container)
{
	AUTO_FREE char *text = NULL;

	run_a();
	ck_assert_int_eq(kata_kill(&k, "a", "KILL", false, &err), 0);
	wait_for_shim();
	text = ps(true, NULL);
	ck_assert_str_eq(text, "[]\n");
}
END_TEST

/* --- update and events -------------------------------------------------------------------- */

/* The fake's statistics are the limits that it was told last. */
static char *told(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc = kata_events(&k, "a", true, 1000, f, &err);

	fclose(f);
	ck_assert_msg(rc == 0, "%s", err.msg);
	return text;
}

static const struct {
	enum kata_update_member member;
	const char *value, *told; /* NULL = refused */
} values[] = {
	{ KATA_UPDATE_MEMORY, "1048576", "{\"memory\":{\"limit\":1048576}}" },
	{ KATA_UPDATE_MEMORY, "-1", "{\"memory\":{\"limit\":-1}}" },
	{ KATA_UPDATE_MEMORY, "10m", "{\"memory\":{\"limit\":10485760}}" },
	{ KATA_UPDATE_MEMORY, "1GiB", "{\"memory\":{\"limit\":1073741824}}" },
	{ KATA_UPDATE_MEMORY, "100b", "{\"memory\":{\"limit\":100}}" },
	{ KATA_UPDATE_MEMORY, "-2", NULL },
	{ KATA_UPDATE_MEMORY, "b", NULL },
	{ KATA_UPDATE_MEMORY, "1x", NULL },
	{ KATA_UPDATE_MEMORY_SWAP, "-1", "{\"memory\":{\"swap\":-1}}" },
	{ KATA_UPDATE_MEMORY_RESERVATION, "5", "{\"memory\":{\"reservation\":5}}" },
	{ KATA_UPDATE_CPU_QUOTA, "-1", "{\"cpu\":{\"quota\":-1}}" },
	{ KATA_UPDATE_CPU_PERIOD, "100000", "{\"cpu\":{\"period\":100000}}" },
	{ KATA_UPDATE_CPU_PERIOD, "-1", NULL },
	{ KATA_UPDATE_CPU_SHARE, "2", "{\"cpu\":{\"shares\":2}}" },
	{ KATA_UPDATE_CPU_BURST, "3", "{\"cpu\":{\"burst\":3}}" },
	{ KATA_UPDATE_CPU_IDLE, "1", "{\"cpu\":{\"idle\":1}}" },
	{ KATA_UPDATE_CPUSET_CPUS, "0-1", "{\"cpu\":{\"cpus\":\"0-1\"}}" },
	{ KATA_UPDATE_CPUSET_MEMS, "0", "{\"cpu\":{\"mems\":\"0\"}}" },
	{ KATA_UPDATE_PIDS_LIMIT, "20", "{\"pids\":{\"limit\":20}}" },
	{ KATA_UPDATE_PIDS_LIMIT, "many", NULL },
	{ KATA_UPDATE_BLKIO_WEIGHT, "500", "{\"blockIO\":{\"weight\":500}}" },
	{ KATA_UPDATE_BLKIO_WEIGHT, "1001", NULL },
};

START_TEST(update_by_options)
{
	run_a();
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct kata_update_args args = { .id = "a" };
		AUTO_FREE char *got = NULL, *want = NULL;
		int rc;

		args.value[values[i].member] = values[i].value;
		rc = kata_update(&k, &args, &err);
		ck_assert_msg((rc == 0) == (values[i].told != NULL), "%s: %s",
			      values[i].value, err.msg);
		if (!values[i].told)
			continue;
		got = told();
		want = mem_printf("{\"type\":\"stats\",\"id\":\"a\",\"data\":%s}\n",
				  values[i].told);
		ck_assert_str_eq(got, want);
	}
}
END_TEST

START_TEST(update_by_document_and_options)
{
	AUTO_FREE char *path = mem_printf("%s/limits.json", dir.path);
	struct kata_update_args args = { .id = "a", .resources = path };
	AUTO_FREE char *got = NULL;

	run_a();
	write_at("limits.json",
		 "{\"cpu\":{\"shares\":5,\"quota\":6},\"pids\":{\"limit\":7},\"x\":1}");
	args.value[KATA_UPDATE_CPU_SHARE] = "8";
	args.value[KATA_UPDATE_MEMORY] = "9";
	ck_assert_msg(kata_update(&k, &args, &err) == 0, "%s", err.msg);
	got = told();
	ck_assert_str_eq(got,
			 "{\"type\":\"stats\",\"id\":\"a\",\"data\":"
			 "{\"memory\":{\"limit\":9},\"cpu\":{\"shares\":8,\"quota\":6},"
			 "\"pids\":{\"limit\":7}}}\n");
	write_at("limits.json", "{\"cpu\":{\"shares\":\"5\"}}");
	ck_assert_int_lt(kata_update(&k, &args, &err), 0);
	ck_assert(str_has_prefix(err.msg, path));
	ck_assert_ptr_nonnull(strstr(err.msg, "cpu.shares"));
	write_at("limits.json", "{\"network\":{\"classID\":1}}");
	ck_assert_int_eq(kata_update(&k, &args, &err), -ENOTSUP);
	ck_assert(str_has_prefix(err.msg, "linux.resources.network.classID: "));
}
END_TEST

START_TEST(update_of_a_stopped_container)
{
	struct kata_update_args args = { .id = "a" };

	run_a();
	args.value[KATA_UPDATE_PIDS_LIMIT] = "5";
	ck_assert_int_eq(kata_kill(&k, "a", "KILL", false, &err), 0);
	wait_for_shim();
	ck_assert_int_eq(kata_update(&k, &args, &err), -ESRCH);
	ck_assert_str_eq(err.msg, "container not running");
	ck_assert_int_eq(kata_events(&k, "a", true, 1000, stdout, &err), -ESRCH);
}
END_TEST

/* Its cgroup on the host is @name from now on. */
static void write_cgroup(const char *name)
{
	struct verb_box box = VERB_BOX_INIT;

	ck_assert_int_eq(verb_open(&k, "a", true, &box, &err), 0);
	box.rec.cgroup = name;
	ck_assert_int_eq(store_record_write(&box.dir, &box.rec, &err), 0);
	verb_box_done(&box);
}

START_TEST(update_that_the_host_refuses_is_taken_back)
{
	struct kata_update_args args = { .id = "a" };
	AUTO_FREE char *got = NULL, *after = NULL;

	run_a();
	args.value[KATA_UPDATE_PIDS_LIMIT] = "5";
	args.value[KATA_UPDATE_CPU_SHARE] = "6";
	ck_assert_msg(kata_update(&k, &args, &err) == 0, "%s", err.msg);
	write_cgroup("cgroupfs:/kata-test/there/is/none");
	args.value[KATA_UPDATE_CPU_SHARE] = NULL;
	args.value[KATA_UPDATE_PIDS_LIMIT] = "7";
	args.value[KATA_UPDATE_MEMORY] = "8";
	ck_assert_int_lt(kata_update(&k, &args, &err), 0);
	got = told();
	ck_assert_str_eq(got, "{\"type\":\"stats\",\"id\":\"a\",\"data\":"
			      "{\"memory\":{\"limit\":-1},\"cpu\":{\"shares\":6},"
			      "\"pids\":{\"limit\":5}}}\n");
	write_cgroup("");
	args.value[KATA_UPDATE_MEMORY] = NULL;
	ck_assert_int_eq(kata_update(&k, &args, &err), 0);
	after = told();
	ck_assert_str_eq(after, "{\"type\":\"stats\",\"id\":\"a\",\"data\":"
				"{\"pids\":{\"limit\":7}}}\n");
}
END_TEST

/* In a process of its own, which writes to @out. */
static pid_t follow_events(int out)
{
	pid_t pid = fork();
	FILE *f;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	f = fdopen(out, "w");
	_exit(f && kata_events(&k, "a", false, 20, f, &err) == 0 ? 0 : 99);
}

static void await_line(FILE *f, const char *want)
{
	char line[200];

	while (fgets(line, sizeof(line), f)) {
		if (str_eq(line, want))
			return;
		ck_assert_str_eq(line, "{\"type\":\"stats\",\"id\":\"a\",\"data\":{}}\n");
	}
	ck_abort_msg("%s does not come", want);
}

START_TEST(events_until_the_end)
{
	int out[2];
	FILE *f;
	pid_t pid;

	run_a();
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = follow_events(out[1]);
	close(out[1]);
	f = fdopen(out[0], "r");
	/* it listens before it counts */
	await_line(f, "{\"type\":\"stats\",\"id\":\"a\",\"data\":{}}\n");
	ck_assert_int_eq(kata_kill(&k, "a", "USR2", false, &err), 0);
	await_line(f, "{\"type\":\"oom\",\"id\":\"a\"}\n");
	ck_assert_int_eq(kata_kill(&k, "a", "KILL", false, &err), 0);
	ck_assert_int_eq(wait_for(pid), 0);
	fclose(f);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		detached_process,
		exit_status_of_a_detached_process,
		refused_process_leaves_nothing,
		foreground_is_this_process,
		foreground_has_no_rights_of_ours,
		end_of_the_container_ends_it,
		rules_of_terminals,
		refused_options,
		options_lie_over_the_containers_process,
		without_options_it_is_the_containers,
		paused_and_resumed,
		resume_repairs_what_a_killed_verb_left,
		ps_as_a_table,
		ps_of_a_stopped_container,
		update_by_options,
		update_by_document_and_options,
		update_of_a_stopped_container,
		update_that_the_host_refuses_is_taken_back,
		events_until_the_end,
	};

	return bed_run("exec", tests, ARRAY_SIZE(tests));
}
