/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc: starting processes with explicit descriptors, namespaces and nothing
 * else; knowing a process again (pid + start time). The only place on the host
 * that forks.
 */
#ifndef KATA_BASE_PROC_H
#define KATA_BASE_PROC_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/** struct proc_fd - descriptor @from of ours becomes @to in the child (@from is borrowed). */
struct proc_fd {
	int from;
	int to;
};

/**
 * struct proc_spawn - all that a child gets.
 * @exec_fd:   when >= 0 the program, run by execveat; else @path is used, no PATH search
 * @fds:       the child's descriptors. 0, 1, 2 that are not listed are /dev/null;
 *             anything else is closed. @from may equal any other's @to.
 * @clone_flags: CLONE_NEW* of namespaces made for the child
 * @setns:     namespaces joined before exec: descriptors, in order (user first); n_setns of them
 * @cgroup_procs: descriptors open for writing on cgroup.procs / tasks files: the child writes "0"
 *             into each before anything else
 * @new_session: setsid()
 * @ctty:      when >= 0, child's descriptor number that becomes the controlling terminal
 * @pdeathsig: signal when the parent dies, 0 = none
 * @cwd_fd:    when >= 0 fchdir() to it before exec
 * @signals_wait: all signals are blocked, for a program that reads them by signalfd: one that comes
 *             before it does would kill it
 * The child starts with default dispositions and, without @signals_wait, an empty signal mask.
 */
struct proc_spawn {
	const char *path;
	int exec_fd;
	char *const *argv;
	char *const *envp; /* NULL = empty environment */
	const struct proc_fd *fds;
	size_t n_fds;
	unsigned long clone_flags;
	const int *setns;
	size_t n_setns;
	const int *cgroup_procs;
	size_t n_cgroup_procs;
	bool new_session;
	bool signals_wait;
	int ctty;
	int pdeathsig;
	int cwd_fd;
};
#define PROC_SPAWN_INIT                                                                  \
	{                                                                                \
		.exec_fd = -1, .ctty = -1, .cwd_fd = -1                                  \
	}

/** struct proc - a running child. @pidfd is owned; proc_done() closes it. */
struct proc {
	pid_t pid;
	int pidfd;
};
#define PROC_INIT                                                                        \
	{                                                                                \
		.pid = -1, .pidfd = -1                                                   \
	}

/**
 * proc_spawn() - start it; returns once exec happened (or failed: the error says which step).
 * proc_spawn_begin() - returns when there is a child; the steps up to exec are its own business until
 * proc_spawn_end(), which is given *@ret_report. To end it before that: proc_kill(), proc_wait().
 */
int proc_spawn_begin(const struct proc_spawn *sp, struct proc *ret_proc, int *ret_report,
		     struct kata_err *err) MUST_CHECK;
int proc_spawn_end(const char *path, struct proc *p, int report,
		   struct kata_err *err) MUST_CHECK;
int proc_spawn(const struct proc_spawn *sp, struct proc *ret_proc,
	       struct kata_err *err) MUST_CHECK;
void proc_done(struct proc *p);

/** proc_wait() - block until a child ended. Return: exit status, 128 + signal, or -errno. */
int proc_wait(const struct proc *p) MUST_CHECK;
/** proc_wait_ms() - any process by its pidfd: 1 ended, 0 not within @ms (-1 = for ever), -errno. */
int proc_wait_ms(int pidfd, int ms) MUST_CHECK;
/** proc_kill() - pidfd_send_signal. 0 also when it has ended already. */
int proc_kill(int pidfd, int sig) MUST_CHECK;

/**
 * proc_start_time() - field 22 of /proc/PID/stat (clock ticks since boot); zombie or absent: -ESRCH.
 * @pid: as the mounted /proc has it: of the host, not of a pid namespace that was entered
 */
int proc_start_time(pid_t pid, uint64_t *ret_ticks) MUST_CHECK;
/**
 * proc_open() - pidfd of (@pid, @start_time), both recorded earlier. -ESRCH when that very
 * process is gone or a zombie.
 */
int proc_open(pid_t pid, uint64_t start_time) MUST_CHECK;

/** proc_close_from() - close every descriptor >= @lowest except the @n given in @keep (any order). */
int proc_close_from(int lowest, const int *keep, size_t n) MUST_CHECK;

#endif
