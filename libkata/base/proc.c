/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: starting processes. Waiting for them and knowing them again is in
 * proc_watch.c.
 *
 * The child is made by clone3() with its namespaces and a pidfd, sets itself up
 * step by step and executes. Every step has a name; the one that fails travels
 * with its errno through a close-on-exec pipe, whose silent end tells the parent
 * that exec happened. Between clone and exec the child only makes system calls
 * on memory prepared before.
 *
 * Steps and why in this order:
 *   a new mount namespace is cut off from the host before anything can happen
 *   in it; cgroups, while we still have the parent's rights; namespaces, users'
 *   first, as it gives the rights over the others; session; then descriptors,
 *   which all the above needed as they were; terminal and directory, which are
 *   known by their new numbers; signals last, blocked until then.
 *
 * A pid namespace cannot be joined, only chosen for children: the parent does
 * that around clone3() and returns to its own.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/mem.h"

#define SIG_MAX 64

enum step {
	STEP_CLONE,
	STEP_MOUNTS,
	STEP_CGROUP,
	STEP_SETNS,
	STEP_SETSID,
	STEP_FDS,
	STEP_CTTY,
	STEP_PDEATHSIG,
	STEP_CWD,
	STEP_SIGNALS,
	STEP_EXEC,
};

static const char *const step_names[] = {
	[STEP_CLONE] = "clone",
	[STEP_MOUNTS] = "make mounts slave",
	[STEP_CGROUP] = "join cgroup",
	[STEP_SETNS] = "join namespace",
	[STEP_SETSID] = "new session",
	[STEP_FDS] = "place descriptors",
	[STEP_CTTY] = "set controlling terminal",
	[STEP_PDEATHSIG] = "set parent death signal",
	[STEP_CWD] = "change directory",
	[STEP_SIGNALS] = "reset signals",
	[STEP_EXEC] = "exec",
};

/** What the child writes when a step failed. */
struct report {
	uint32_t step; /* enum step */
	int32_t error; /* errno, positive */
};

/** All that the child works on, prepared by the parent. */
struct birth {
	const struct proc_spawn *sp;
	int report_fd;
	int exec_fd, cwd_fd; /* moved out of the way of the child's own numbers */
	int base;	     /* first number above all that the child gets */
	int null_fd;
	int *high; /* n_fds descriptors, each moved to base or above */
};

/* ---- in the child ---- */

static int child_cgroups(struct birth *c)
{
	const struct proc_spawn *sp = c->sp;
	size_t i;

	for (i = 0; i < sp->n_cgroup_procs; i++) {
		if (write(sp->cgroup_procs[i], "0", 1) != 1)
			return -errno;
	}
	return 0;
}

/** Changes of the new mount namespace must not reach the host; the host's reach us. */
static int child_mounts(struct birth *c)
{
	if (!(c->sp->clone_flags & CLONE_NEWNS))
		return 0;
	return mount("", "/", "", MS_REC | MS_SLAVE, NULL) < 0 ? -errno : 0;
}

static bool is_pid_ns(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWPID;
}

static int child_setns(struct birth *c)
{
	const struct proc_spawn *sp = c->sp;
	size_t i;

	for (i = 0; i < sp->n_setns; i++) {
		if (!is_pid_ns(sp->setns[i]) && setns(sp->setns[i], 0) < 0)
			return -errno;
	}
	return 0;
}

static int child_setsid(struct birth *c)
{
	return c->sp->new_session && setsid() < 0 ? -errno : 0;
}

/** Move one of ours to a number that no target can hit. */
static int move_up(int *fd, int base)
{
	int moved;

	if (*fd < 0)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, base);
	if (moved < 0)
		return -errno;
	*fd = moved;
	return 0;
}

static int place_std(struct birth *c)
{
	size_t i;
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		for (i = 0; i < c->sp->n_fds && c->sp->fds[i].to != fd; i++)
			;
		if (i == c->sp->n_fds && dup2(c->null_fd, fd) < 0)
			return -errno;
	}
	return 0;
}

/**
 * First everything that is still needed goes up, then all there is becomes
 * close-on-exec, then what the child keeps is put into place (dup2 clears the
 * flag). So any overlap of numbers is fine, and what nobody listed is closed.
 */
static int child_fds(struct birth *c)
{
	const struct proc_spawn *sp = c->sp;
	size_t i;
	int r;

	for (i = 0; i < sp->n_fds; i++) {
		c->high[i] = sp->fds[i].from;
		r = move_up(&c->high[i], c->base);
		if (r < 0)
			return r;
	}
	if ((r = move_up(&c->report_fd, c->base)) < 0 ||
	    (r = move_up(&c->exec_fd, c->base)) < 0 ||
	    (r = move_up(&c->cwd_fd, c->base)) < 0 ||
	    (r = move_up(&c->null_fd, c->base)) < 0)
		return r;
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	for (i = 0; i < sp->n_fds; i++) {
		if (dup2(c->high[i], sp->fds[i].to) < 0)
			return -errno;
	}
	return place_std(c);
}

static int child_ctty(struct birth *c)
{
	return c->sp->ctty >= 0 && ioctl(c->sp->ctty, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

/**
 * The parent may have died before the signal was asked for. Its pid does not
 * tell (0 in a new pid namespace), but it alone holds the other end of the pipe.
 */
static int child_pdeathsig(struct birth *c)
{
	struct pollfd pfd = { .fd = c->report_fd };

	if (!c->sp->pdeathsig)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, c->sp->pdeathsig, 0, 0, 0) < 0)
		return -errno;
	if (poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLERR))
		return -EOWNERDEAD;
	return 0;
}

static int child_cwd(struct birth *c)
{
	return c->cwd_fd >= 0 && fchdir(c->cwd_fd) < 0 ? -errno : 0;
}

/**
 * By system call: libc does not let its own two signals be touched, but a parent
 * may have ignored them. A zeroed sigaction is SIG_DFL on every architecture.
 */
static int child_signals(struct birth *c)
{
	static const unsigned long dfl[8];
	const uint64_t mask = c->sp->signals_wait ? ~UINT64_C(0) : 0;
	int sig;

	for (sig = 1; sig <= SIG_MAX; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP)
			syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(mask));
	}
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)) < 0
		       ? -errno
		       : 0;
}

static int child_exec(struct birth *c)
{
	static char *const no_env[] = { NULL };
	const struct proc_spawn *sp = c->sp;
	char *const *envp = sp->envp ? sp->envp : no_env;

	if (c->exec_fd >= 0)
		syscall(SYS_execveat, c->exec_fd, "", sp->argv, envp, AT_EMPTY_PATH);
	else
		execve(sp->path, sp->argv, envp);
	return -errno;
}

struct birth_step {
	enum step step;
	int (*run)(struct birth *c);
};

static const struct birth_step child_steps[] = {
	{ STEP_MOUNTS, child_mounts },
	{ STEP_CGROUP, child_cgroups },
	{ STEP_SETNS, child_setns },
	{ STEP_SETSID, child_setsid },
	{ STEP_FDS, child_fds },
	{ STEP_CTTY, child_ctty },
	{ STEP_PDEATHSIG, child_pdeathsig },
	{ STEP_CWD, child_cwd },
	{ STEP_SIGNALS, child_signals },
	{ STEP_EXEC, child_exec },
};

static _Noreturn void child_main(struct birth *c, int parent_end)
{
	struct report rep = { 0 };
	ssize_t n;
	size_t i;
	int r;

	close(parent_end);
	for (i = 0; i < ARRAY_SIZE(child_steps); i++) {
		r = child_steps[i].run(c);
		if (r < 0) {
			rep.step = child_steps[i].step;
			rep.error = -r;
			break;
		}
	}
	n = write(c->report_fd, &rep, sizeof(rep));
	(void)n; /* the parent is gone then */
	_exit(127);
}

/* ---- in the parent ---- */

static int highest_target(const struct proc_spawn *sp)
{
	int top = 2;
	size_t i;

	for (i = 0; i < sp->n_fds; i++) {
		if (sp->fds[i].to > top)
			top = sp->fds[i].to;
	}
	return top;
}

/**
 * Choose the pid namespace for the next child, if one is to be joined.
 * Return: descriptor of our own to go back to, -1 when nothing was done, else -errno.
 */
static int enter_pid_ns(const struct proc_spawn *sp, int *ret_own)
{
	AUTO_CLOSE int own = -1;
	size_t i;

	*ret_own = -1;
	for (i = 0; i < sp->n_setns && !is_pid_ns(sp->setns[i]); i++)
		;
	if (i == sp->n_setns)
		return 0;
	own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(sp->setns[i], CLONE_NEWPID) < 0)
		return -errno;
	*ret_own = TAKE_FD(own);
	return 0;
}

static int leave_pid_ns(int own)
{
	int r = 0;

	if (own < 0)
		return 0;
	if (setns(own, CLONE_NEWPID) < 0)
		r = -errno;
	close(own);
	return r;
}

/**
 * clone3 is refused as unknown by seccomp profiles that want to look at the flags (older
 * Docker's among them), and by valgrind; clone can do all of it but time namespaces.
 */
static pid_t clone_child(unsigned long flags, int *pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0 && errno == ENOSYS && !(flags & CLONE_NEWTIME))
		pid = (pid_t)syscall(SYS_clone, args.flags | SIGCHLD, NULL, pidfd, 0, 0);
	return pid;
}

/**
 * Clone with all signals blocked, so that no handler of ours runs in the child.
 * Return: 0 with @p filled in, -errno.
 */
static int make_child(struct birth *c, int parent_end, struct proc *p)
{
	sigset_t all, old;
	pid_t pid;
	int own, r;

	r = enter_pid_ns(c->sp, &own);
	if (r < 0)
		return r;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone_child(c->sp->clone_flags, &p->pidfd);
	if (pid == 0)
		child_main(c, parent_end);
	r = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	p->pid = pid;
	if (r < 0)
		p->pidfd = -1;
	if (leave_pid_ns(own) < 0 && r == 0)
		r = -ENOTRECOVERABLE; /* all later children would be born over there */
	return r;
}

/** The child's report. Return: 0 none, exec happened; 1 in @rep. */
static int read_report(int fd, struct report *rep)
{
	ssize_t n;

	do {
		n = read(fd, rep, sizeof(*rep));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*rep) || rep->step >= ARRAY_SIZE(step_names))
		*rep = (struct report){ STEP_EXEC, EIO };
	return 1;
}

static int spawn_failed(const char *path, uint32_t step, int code, struct kata_err *err)
{
	return err_sys_code(err, code, "start %s: %s", path, step_names[step]);
}

static const char *name_of(const struct proc_spawn *sp)
{
	return sp->path ? sp->path : sp->argv[0];
}

/* A child that will not come to be, or of which that is not known: nothing is left of it. */
static void forget(struct proc *p)
{
	if (p->pidfd >= 0) {
		(void)!proc_kill(p->pidfd, SIGKILL);
		(void)!proc_wait(p);
	}
	proc_done(p);
	*p = (struct proc)PROC_INIT;
}

/** Clone. Return: 0, the pipe that the report comes through in @ret_report. */
static int begin(struct birth *c, struct proc *p, int *ret_report, struct kata_err *err)
{
	AUTO_CLOSE int read_end = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, "start %s: pipe", name_of(c->sp));
	read_end = fds[0];
	c->report_fd = fds[1];
	r = make_child(c, read_end, p);
	close(fds[1]);
	if (r < 0) {
		forget(p);
		return spawn_failed(name_of(c->sp), STEP_CLONE, r, err);
	}
	*ret_report = TAKE_FD(read_end);
	return 0;
}

int proc_spawn_begin(const struct proc_spawn *sp, struct proc *ret_proc, int *ret_report,
		     struct kata_err *err)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	AUTO_FREE int *high = mem_grow(NULL, sp->n_fds, sizeof(int));
	struct birth c = {
		.sp = sp,
		.exec_fd = sp->exec_fd,
		.cwd_fd = sp->cwd_fd,
		.base = highest_target(sp) + 1,
		.null_fd = null_fd,
		.high = high,
	};
	struct proc p = PROC_INIT;
	int r;

	if (null_fd < 0)
		return err_sys(err, "open /dev/null");
	r = begin(&c, &p, ret_report, err);
	if (r == 0)
		*ret_proc = p;
	return r;
}

int proc_spawn_end(const char *path, struct proc *p, int report, struct kata_err *err)
{
	struct report rep;

	if (!read_report(report, &rep))
		return 0;
	forget(p);
	return spawn_failed(path, rep.step, -rep.error, err);
}

/**
 * proc_spawn() - start a process
 *
 * Blocks until exec happened in the child, which no event loop of ours notices:
 * it takes well below a millisecond, but for the 10 ms of joining a cgroup. A child that is
 * killed before exec counts as started; its end tells.
 *
 * Return: 0, @ret_proc filled in; -errno, "start <program>: <step>: <why>" in @err.
 */
int proc_spawn(const struct proc_spawn *sp, struct proc *ret_proc, struct kata_err *err)
{
	AUTO_CLOSE int report = -1;
	int r = proc_spawn_begin(sp, ret_proc, &report, err);

	return r < 0 ? r : proc_spawn_end(name_of(sp), ret_proc, report, err);
}
