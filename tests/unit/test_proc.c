/* SPDX-License-Identifier: Apache-2.0 */
/* Spawned children get what was listed and nothing else; processes are known again. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "suite.h"

static struct kata_err err;

static size_t open_fds(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 300; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* no child, not even a zombie */
static void check_no_children(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static struct proc start(const struct proc_spawn *sp)
{
	struct proc p = PROC_INIT;

	ck_assert_msg(proc_spawn(sp, &p, &err) == 0, "%s", err.msg);
	ck_assert_int_gt(p.pid, 0);
	ck_assert_int_eq(fcntl(p.pidfd, F_GETFD), FD_CLOEXEC);
	return p;
}

static int finish(struct proc *p)
{
	int status = proc_wait(p);

	proc_done(p);
	ck_assert_int_eq(p->pidfd, -1);
	return status;
}

/* Run @sp with its stdout, and @more descriptors, and return what it wrote. */
static char *output_of(struct proc_spawn sp, const struct proc_fd *more, size_t n_more)
{
	struct proc_fd fds[8];
	struct proc p;
	char *text;
	int out[2];

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	fds[0] = (struct proc_fd){ out[1], 1 };
	ck_assert_uint_lt(n_more, 8);
	if (n_more)
		memcpy(fds + 1, more, n_more * sizeof(*more));
	sp.fds = fds;
	sp.n_fds = n_more + 1;
	p = start(&sp);
	close(out[1]);
	ck_assert_int_eq(fs_read_fd(out[0], 1 << 20, &text, NULL), 0);
	close(out[0]);
	ck_assert_int_eq(finish(&p), 0);
	return text;
}

#define SHELL(script)                                                                    \
	.path = "/bin/sh", .argv = (char *[]){ "sh", "-c", (char *)(script), NULL },     \
	.exec_fd = -1, .ctty = -1, .cwd_fd = -1

static void shell_gives(struct proc_spawn sp, const char *want)
{
	AUTO_FREE char *text = output_of(sp, NULL, 0);

	ck_assert_str_eq(text, want);
}

START_TEST(status_of_exit_and_signal)
{
	struct proc_spawn seven = { SHELL("exit 7") }, term = { SHELL("kill -TERM $$") };
	struct proc p = start(&seven);

	ck_assert_int_eq(finish(&p), 7);
	p = start(&term);
	ck_assert_int_eq(finish(&p), 128 + SIGTERM);
	proc_done(&p);
	proc_done(NULL);
	check_no_children();
}
END_TEST

START_TEST(failed_exec_names_step_and_reason)
{
	struct proc_spawn sp = { SHELL("") };
	struct proc p = PROC_INIT;
	size_t before = open_fds();

	sp.path = "/nonexistent/program";
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -ENOENT);
	ck_assert_str_eq(err.msg,
			 "start /nonexistent/program: exec: no such file or directory");
	ck_assert_int_eq(p.pid, -1);
	ck_assert_int_eq(p.pidfd, -1);
	sp.path = "/etc/passwd";
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -EACCES);
	ck_assert_str_eq(err.msg, "start /etc/passwd: exec: permission denied");
	ck_assert_uint_eq(open_fds(), before);
	check_no_children();
}
END_TEST

START_TEST(failed_steps_are_named)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct proc_fd bad = { 250, 5 };
	struct proc_spawn sp = { SHELL("") };
	struct proc p = PROC_INIT;

	sp.fds = &bad;
	sp.n_fds = 1;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -EBADF);
	ck_assert_str_eq(err.msg,
			 "start /bin/sh: place descriptors: bad file descriptor");
	sp.n_fds = 0;
	sp.cwd_fd = null_fd;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -ENOTDIR);
	ck_assert_str_eq(err.msg, "start /bin/sh: change directory: not a directory");
	sp.cwd_fd = -1;
	sp.setns = &null_fd;
	sp.n_setns = 1;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "start /bin/sh: join namespace: invalid argument");
	sp.n_setns = 0;
	sp.ctty = 0;
	sp.new_session = true;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -ENOTTY);
	ck_assert_str_eq(err.msg, "start /bin/sh: set controlling terminal: "
				  "inappropriate ioctl for device");
	sp.ctty = -1;
	sp.cgroup_procs = &null_fd; /* not open for writing */
	sp.n_cgroup_procs = 1;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -EBADF);
	ck_assert_str_eq(err.msg, "start /bin/sh: join cgroup: bad file descriptor");
	sp.n_cgroup_procs = 0;
	sp.clone_flags = CLONE_SIGHAND;
	ck_assert_int_eq(proc_spawn(&sp, &p, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "start /bin/sh: clone: invalid argument");
	check_no_children();
	close(null_fd);
}
END_TEST

START_TEST(unlisted_descriptors_are_null_or_closed)
{
	struct proc_spawn sp = { SHELL("readlink /proc/$$/fd/0; readlink /proc/$$/fd/2;"
				       "for n in 3 4 5 6 7 8 9 77 120;"
				       "do [ ! -e /proc/$$/fd/$n ] || echo $n; done") };
	int fd = open("/etc/passwd", O_RDONLY); /* not close-on-exec */

	ck_assert_int_eq(dup2(fd, 77), 77);
	ck_assert_int_eq(dup2(fd, 120), 120);
	shell_gives(sp, "/dev/null\n/dev/null\n");
	close(fd);
	close(77);
	close(120);
}
END_TEST

/* each of these numbers is somebody's source and somebody else's target */
START_TEST(descriptors_may_change_places)
{
	TMP t = tmp_make();
	struct proc_spawn sp = { SHELL("") };
	AUTO_FREE char *text = NULL;
	struct proc_fd fds[5];
	char name[2] = "a";
	int i, fd;

	for (i = 0; i < 4; i++, name[0]++) {
		fd = openat(t.fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_eq(write(fd, name, 1), 1);
		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
		ck_assert_int_eq(dup3(fd, 30 + i, O_CLOEXEC), 30 + i);
		close(fd);
	}
	fds[0] = (struct proc_fd){ 30, 31 };
	fds[1] = (struct proc_fd){ 31, 32 };
	fds[2] = (struct proc_fd){ 32, 30 };
	fds[3] = (struct proc_fd){ 33, 33 }; /* to itself: close-on-exec must go */
	fds[4] = (struct proc_fd){ open("/dev/null", O_RDONLY | O_CLOEXEC), 0 };
	sp.path = "/bin/cat";
	sp.argv = (char *[]){ "cat",
			      "/proc/self/fd/30",
			      "/proc/self/fd/31",
			      "/proc/self/fd/32",
			      "/proc/self/fd/33",
			      "/proc/self/fd/0",
			      NULL };
	text = output_of(sp, fds, 5);
	ck_assert_str_eq(text, "cabd");
}
END_TEST

/* targets that are free with us: where a duplicate would land first */
START_TEST(descriptors_may_go_to_free_numbers)
{
	TMP t = tmp_make();
	struct proc_spawn sp = { SHELL("") };
	AUTO_FREE char *text = NULL;
	struct proc_fd fds[3];
	char name[2] = "a", path[3][32];
	int i, fd, lowest;

	for (i = 0; i < 3; i++, name[0]++) {
		fd = openat(t.fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_eq(write(fd, name, 1), 1);
		ck_assert_int_eq(dup3(fd, 40 + i, O_CLOEXEC), 40 + i);
		close(fd);
	}
	/* output_of() takes two more, the spawn four: reach well above them */
	lowest = fcntl(0, F_DUPFD_CLOEXEC, 3);
	close(lowest);
	for (i = 0; i < 3; i++) {
		fds[i] = (struct proc_fd){ 40 + i, lowest + 6 - i };
		snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d", lowest + 6 - i);
	}
	sp.path = "/bin/cat";
	sp.argv = (char *[]){ "cat", path[0], path[1], path[2], NULL };
	text = output_of(sp, fds, 3);
	ck_assert_str_eq(text, "abc");
}
END_TEST

START_TEST(environment_is_what_was_given)
{
	struct proc_spawn sp = { SHELL("") };
	AUTO_FREE char *none = NULL;
	AUTO_FREE char *some = NULL;

	setenv("LEAK", "1", 1);
	sp.path = "/usr/bin/env";
	sp.argv = (char *[]){ "env", NULL };
	none = output_of(sp, NULL, 0);
	ck_assert_str_eq(none, "");
	sp.envp = (char *[]){ "A=1", "B=2", NULL };
	some = output_of(sp, NULL, 0);
	ck_assert_str_eq(some, "A=1\nB=2\n");
}
END_TEST

START_TEST(signals_are_as_at_birth)
{
	struct proc_spawn sp = { SHELL("") };
	AUTO_FREE char *text = NULL;
	sigset_t all, old;
	int sig;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (sig = 1; sig <= 64; sig++)
		sigaction(sig, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sp.path = "/bin/grep";
	sp.argv = (char *[]){ "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL };
	text = output_of(sp, NULL, 0);
	ck_assert_str_eq(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, NULL, &all); /* ours is untouched */
	ck_assert(sigismember(&all, SIGUSR1));
	sigprocmask(SIG_SETMASK, &old, NULL);
}
END_TEST

/* All but SIGKILL and SIGSTOP, which nobody blocks. */
START_TEST(signals_wait_for_who_asks)
{
	struct proc_spawn sp = { SHELL(""), .signals_wait = true };

	sp.path = "/bin/grep";
	sp.argv = (char *[]){ "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL };
	shell_gives(sp, "SigBlk:\tfffffffffffbfeff\nSigIgn:\t0000000000000000\n");
}
END_TEST

START_TEST(exec_by_descriptor)
{
	struct proc_spawn sp = { SHELL("echo $0") };
	int fd = open("/bin/sh", O_PATH | O_CLOEXEC);

	sp.path = NULL;
	sp.argv = (char *[]){ "its-name", "-c", "echo $0", NULL };
	sp.exec_fd = fd;
	shell_gives(sp, "its-name\n");
	ck_assert_int_eq(dup2(fd, 1), 1); /* a number that the child uses otherwise */
	close(fd);
	sp.exec_fd = 1;
	shell_gives(sp, "its-name\n");
}
END_TEST

START_TEST(directory)
{
	TMP t = tmp_make();
	struct proc_spawn sp = { SHELL("pwd -P") };
	char want[300];

	sp.cwd_fd = t.fd;
	snprintf(want, sizeof(want), "%s\n", t.path);
	shell_gives(sp, want);
}
END_TEST

/* a child that lives until its stdin ends; close *ret_stdin to end it */
static struct proc start_waiting(struct proc_spawn sp, int *ret_stdin)
{
	struct proc_fd fd0;
	struct proc p;
	int in[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	fd0 = (struct proc_fd){ in[0], 0 };
	sp.path = "/bin/cat";
	sp.argv = (char *[]){ "cat", NULL };
	sp.fds = &fd0;
	sp.n_fds = 1;
	p = start(&sp);
	close(in[0]);
	*ret_stdin = in[1];
	return p;
}

START_TEST(session)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;
	int in;
	struct proc p = start_waiting(sp, &in);

	ck_assert_int_eq(getsid(p.pid), getsid(0));
	close(in);
	ck_assert_int_eq(finish(&p), 0);
	sp.new_session = true;
	p = start_waiting(sp, &in);
	ck_assert_int_eq(getsid(p.pid), p.pid);
	ck_assert_int_eq(getpgid(p.pid), p.pid);
	close(in);
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

START_TEST(controlling_terminal)
{
	struct proc_spawn sp = { SHELL("echo told >/dev/tty") };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct proc_fd fd0;
	char text[16] = "";
	struct proc p;
	int slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	fd0 = (struct proc_fd){ slave, 0 };
	sp.fds = &fd0;
	sp.n_fds = 1;
	sp.new_session = true;
	sp.ctty = 0;
	p = start(&sp);
	ck_assert_int_eq(finish(&p), 0);
	ck_assert_int_gt(read(master, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "told\r\n");
}
END_TEST

START_TEST(cgroup_files_get_a_zero)
{
	struct proc_spawn sp = { SHELL("exit 0") };
	TMP t = tmp_make();
	AUTO_FREE char *text = NULL;
	struct proc p;
	int fds[2];

	fds[0] = openat(t.fd, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fds[1] = openat(t.fd, "b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	sp.cgroup_procs = fds;
	sp.n_cgroup_procs = 2;
	p = start(&sp);
	ck_assert_int_eq(finish(&p), 0);
	ck_assert_int_eq(fs_read_at(t.fd, "a", 9, &text, NULL), 0);
	ck_assert_str_eq(text, "0");
	free(text);
	ck_assert_int_eq(fs_read_at(t.fd, "b", 9, &text, NULL), 0);
	ck_assert_str_eq(text, "0");
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* the child's stdout is the pipe: it ends when the child is gone */
START_TEST(child_dies_with_its_parent)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;
	int out[2], in[2], fd = -1;
	pid_t middle;
	char c;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	middle = fork();
	if (middle == 0) {
		struct proc_fd fds[] = { { in[0], 0 }, { out[1], 1 } };
		struct proc p = PROC_INIT;

		sp.path = "/bin/cat";
		sp.argv = (char *[]){ "cat", NULL };
		sp.fds = fds;
		sp.n_fds = 2;
		sp.pdeathsig = SIGKILL;
		_exit(proc_spawn(&sp, &p, &err) < 0);
	}
	close(out[1]);
	ck_assert_int_eq(waitpid(middle, &fd, 0), middle);
	ck_assert_int_eq(fd, 0);
	ck_assert_int_eq(read(out[0], &c, 1), 0);
	close(in[1]);
}
END_TEST

/* ---- namespaces: need root ---- */

static bool is_root(void)
{
	return geteuid() == 0;
}

static char *ns_link(pid_t pid, const char *ns)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, ns);
	ck_assert_int_gt(readlink(path, text, sizeof(text) - 1), 0);
	return mem_strdup(text);
}

START_TEST(new_namespaces)
{
	struct proc_spawn sp = { SHELL("echo $$") };
	AUTO_FREE char *own = ns_link(getpid(), "uts");
	AUTO_FREE char *theirs = NULL;
	struct proc p;
	int in;

	if (!is_root())
		return;
	sp.clone_flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
	shell_gives(sp, "1\n");
	sp.pdeathsig = SIGKILL; /* the parent's pid is 0 over there */
	shell_gives(sp, "1\n");
	p = start_waiting(sp, &in);
	theirs = ns_link(p.pid, "uts");
	ck_assert_str_ne(own, theirs);
	close(in);
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

START_TEST(mounts_of_a_new_namespace_are_slaves)
{
	struct proc_spawn sp = { SHELL("grep -c ' shared:' /proc/self/mountinfo;"
				       "grep ' - tmpfs kata-test' /proc/self/mountinfo |"
				       "grep -c master:") };
	TMP t = tmp_make();
	char m[300];

	if (!is_root())
		return;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("", "/", "", MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(m, sizeof(m), "%s/m", t.path);
	ck_assert_int_eq(mkdir(m, 0700), 0);
	ck_assert_int_eq(mount("kata-test", m, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mount("", m, "", MS_SHARED, NULL), 0);
	sp.envp = (char *[]){ "PATH=/bin:/usr/bin", NULL };
	sp.clone_flags = CLONE_NEWNS;
	shell_gives(sp, "0\n1\n");
	ck_assert_int_eq(umount2(m, MNT_DETACH), 0);
}
END_TEST

START_TEST(namespaces_are_joined)
{
	struct proc_spawn sp = PROC_SPAWN_INIT, join = { SHELL("echo $$") };
	AUTO_FREE char *uts = NULL;
	AUTO_FREE char *pid_ns = NULL;
	AUTO_FREE char *joined_uts = NULL;
	AUTO_FREE char *joined_pid = NULL;
	AUTO_FREE char *later = NULL;
	AUTO_FREE char *own = ns_link(getpid(), "pid");
	int in, in2, ns[2];
	struct proc p, q;
	char path[64];

	if (!is_root())
		return;
	sp.clone_flags = CLONE_NEWPID | CLONE_NEWUTS;
	p = start_waiting(sp, &in);
	uts = ns_link(p.pid, "uts");
	pid_ns = ns_link(p.pid, "pid");
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", (int)p.pid);
	ns[0] = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)p.pid);
	ns[1] = open(path, O_RDONLY | O_CLOEXEC);
	join.setns = ns;
	join.n_setns = 2;
	shell_gives(join, "2\n"); /* itself in the pid namespace, not only its children */
	sp.clone_flags = 0;
	sp.setns = ns;
	sp.n_setns = 2;
	q = start_waiting(sp, &in2);
	joined_uts = ns_link(q.pid, "uts");
	joined_pid = ns_link(q.pid, "pid");
	ck_assert_str_eq(joined_uts, uts);
	ck_assert_str_eq(joined_pid, pid_ns);
	close(in2);
	ck_assert_int_eq(finish(&q), 0);
	sp.n_setns = 0; /* the next one is at home again */
	q = start_waiting(sp, &in2);
	later = ns_link(q.pid, "pid");
	ck_assert_str_eq(later, own);
	close(in2);
	ck_assert_int_eq(finish(&q), 0);
	close(in);
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

/* ---- knowing processes ---- */

START_TEST(waiting_with_a_limit)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;
	int in;
	struct proc p;

	if (under_valgrind())
		return; /* no pidfd_open, no pidfd_send_signal */
	p = start_waiting(sp, &in);
	ck_assert_int_eq(proc_wait_ms(p.pidfd, 0), 0);
	ck_assert_int_eq(proc_wait_ms(p.pidfd, 30), 0);
	ck_assert_int_eq(proc_kill(p.pidfd, SIGKILL), 0);
	ck_assert_int_eq(proc_wait_ms(p.pidfd, -1), 1);
	ck_assert_int_eq(proc_wait_ms(p.pidfd, 0), 1);
	ck_assert_int_eq(proc_wait(&p), 128 + SIGKILL);
	ck_assert_int_eq(proc_kill(p.pidfd, SIGKILL), 0); /* ended already: fine */
	ck_assert_int_eq(proc_wait(&p), -ECHILD);
	proc_done(&p);
	ck_assert_int_eq(proc_wait_ms(250, 0), -EBADF);
	ck_assert_int_eq(proc_kill(250, SIGTERM), -EBADF);
	close(in);
}
END_TEST

START_TEST(start_time_is_read_past_any_name)
{
	uint64_t plain = 1, odd = 2, none = 3;

	ck_assert_int_eq(proc_start_time(getpid(), &plain), 0);
	ck_assert_uint_gt(plain, 0);
	ck_assert_int_eq(prctl(PR_SET_NAME, "a) Z 1 (b) 5"), 0);
	ck_assert_int_eq(proc_start_time(getpid(), &odd), 0);
	ck_assert_uint_eq(plain, odd);
	ck_assert_int_eq(proc_start_time(0x3fffffff, &none), -ESRCH);
	ck_assert_uint_eq(none, 3);
}
END_TEST

START_TEST(process_is_known_again_or_not)
{
	struct proc_spawn sp = PROC_SPAWN_INIT;
	uint64_t ticks;
	int in, fd;
	struct proc p;

	if (under_valgrind())
		return; /* no pidfd_open, no pidfd_send_signal */
	p = start_waiting(sp, &in);
	ck_assert_int_eq(proc_start_time(p.pid, &ticks), 0);
	fd = proc_open(p.pid, ticks);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(proc_open(p.pid, ticks + 1), -ESRCH);
	ck_assert_int_eq(proc_open(0, ticks), -ESRCH);
	ck_assert_int_eq(proc_open(-1, ticks), -ESRCH);
	close(in);
	ck_assert_int_eq(proc_wait_ms(fd, 5000), 1);
	ck_assert_int_eq(proc_open(p.pid, ticks), -ESRCH); /* a zombie */
	ck_assert_int_eq(proc_start_time(p.pid, &ticks), -ESRCH);
	ck_assert_int_eq(finish(&p), 0);
	ck_assert_int_eq(proc_open(p.pid, ticks), -ESRCH);
	close(fd);
}
END_TEST

/* in a child: libcheck's own descriptors are among those closed. Returns a number that is wrong. */
static int close_most(void)
{
	static const int keep[] = { 150, 7, 100, 7, 101, 2, 299 };
	int fd, kept;

	for (fd = 3; fd < 300; fd++)
		(void)!dup2(2, fd);
	if (proc_close_from(5, keep, ARRAY_SIZE(keep)) < 0)
		return 1;
	for (fd = 0; fd < 300; fd++) {
		kept = fd < 5 || fd == 7 || fd == 100 || fd == 101 || fd == 150 ||
		       fd == 299;
		if ((fcntl(fd, F_GETFD) >= 0) != kept)
			return 2;
	}
	if (proc_close_from(5, NULL, 0) < 0 || fcntl(299, F_GETFD) >= 0)
		return 3;
	return 0;
}

START_TEST(closing_keeps_what_is_listed)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(close_most());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(nothing_is_left_open)
{
	struct proc_spawn sp = { SHELL("exit 0") };
	size_t before = open_fds();
	struct proc p;
	int i;

	for (i = 0; i < 20; i++) {
		p = start(&sp);
		ck_assert_int_eq(finish(&p), 0);
	}
	ck_assert_uint_eq(open_fds(), before);
	check_no_children();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		status_of_exit_and_signal,
		failed_exec_names_step_and_reason,
		failed_steps_are_named,
		unlisted_descriptors_are_null_or_closed,
		descriptors_may_change_places,
		descriptors_may_go_to_free_numbers,
		environment_is_what_was_given,
		signals_are_as_at_birth,
		signals_wait_for_who_asks,
		exec_by_descriptor,
		directory,
		session,
		controlling_terminal,
		cgroup_files_get_a_zero,
		child_dies_with_its_parent,
		new_namespaces,
		mounts_of_a_new_namespace_are_slaves,
		namespaces_are_joined,
		waiting_with_a_limit,
		start_time_is_read_past_any_name,
		process_is_known_again_or_not,
		closing_keeps_what_is_listed,
		nothing_is_left_open,
	};

	return suite_run("proc", tests, ARRAY_SIZE(tests));
}
