// SPDX-License-Identifier: Apache-2.0
/*
 * birth: see birth.h.
 *
 * The fork is clone3: pidfd, namespaces and the cgroup come in one step, so that there is no
 * moment in which a child is outside of its container's group. A further process has to be born
 * in the container's pid namespace, and an init perhaps in another container's: the agent points its
 * children there (setns with a pid namespace does not move the caller), forks, and points them back.
 *
 * A namespace belongs to the user namespace that its maker is in, and proc, sysfs, mqueue, cgroup2 and the host
 * name are free to the root of that one only. So a new user namespace comes with the others, in
 * one clone3 (the kernel makes it first); into one that exists already a process goes between, which
 * then makes the child and ends. The agent waits for that, for as long as two forks take. It cannot go itself: there
 * is no way back.
 *
 * A child that is born in a user namespace has no rights outside. What takes such (its maps, a
 * lower oom score, higher limits) the agent does, while the child waits.
 *
 * Network: the first container of a VM takes the agent along into a namespace that its user
 * namespace owns, as long as nothing is in the old one. Otherwise its root would have no rights over its own
 * network: no ping, no sysfs, no CAP_NET_ADMIN.
 */
#include "birth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/sock.h"
#include "cgroup.h"
#include "container.h"
#include "parking.h"
#include "rlimits.h"

/*
 * clone3 without CLONE_VM, as fork: the child goes on with a copy of the memory. CLONE_NEWCGROUP
 * is left to the child, for its root is the group that the caller of unshare is in; CLONE_NEWTIME too,
 * for its offsets are set before anybody is in it.
 */
static int clone_child(const struct child_job *job, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	if (job->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)job->cgroup_fd;
	}
	if (job->join_pidfd < 0)
		args.flags |= job->ns_flags &
			      ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME);
	return (int)syscall(SYS_clone3, &args, sizeof(args));
}

/*
 * An init that has given controllers to groups below its own (systemd does) has made its own group one
 * that takes no processes: EBUSY. Then a further process goes where init is, as runc has it.
 */
static int clone_into_group(const struct process *p, const struct child_job *job,
			    int *ret_pidfd)
{
	const struct container *c = p->container;
	struct child_job beside = *job;
	AUTO_CLOSE int fd = -1;
	int pid = clone_child(job, ret_pidfd);

	if (pid >= 0 || errno != EBUSY || job->join_pidfd < 0)
		return pid < 0 ? -errno : pid;
	fd = cgroup_open_of(c->cgroup_fd, c->number, c->processes->pid);
	if (fd < 0)
		return -EBUSY;
	beside.cgroup_fd = fd;
	pid = clone_child(&beside, ret_pidfd);
	return pid < 0 ? -errno : pid;
}

/* The pid namespace to be born in, when it is there already; -1 = the agent's, or a new one. */
static int pidns_of(const struct child_job *job)
{
	if (job->join_pidfd < 0)
		return job->join.fd[NS_JOIN_PID];
	return job->ns_flags & CLONE_NEWPID ? job->join_pidfd : -1;
}

/* --- a user namespace that is there already */

static bool joins_userns(const struct child_job *job)
{
	return job->join_pidfd < 0 && job->join.fd[NS_JOIN_USER] >= 0;
}

/*
 * In the process between, which is in the child's group already. It stays in the agent's pid
 * namespace itself, so the number that it is told is the one that the agent knows the child by.
 */
static int make_sibling(const struct child_job *job)
{
	struct child_job rest = *job;
	struct clone_args args = {
		.flags = CLONE_PARENT |
			 (job->ns_flags & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME)),
	};
	int pidns = pidns_of(job), pid;

	if (pidns >= 0 && setns(pidns, CLONE_NEWPID) < 0)
		return -errno;
	if (setns(job->join.fd[NS_JOIN_USER], CLONE_NEWUSER) < 0)
		return -errno;
	pid = (int)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child_main(&rest);
	return pid < 0 ? -errno : pid;
}

/* Return: the child's pid, -errno. */
static int clone_by_another(const struct child_job *job, int *ret_pidfd)
{
	struct child_job between = *job;
	AUTO_CLOSE int reader = -1, writer = -1, pidfd = -1;
	int pipe_fds[2], pid, said = -EIO;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	reader = pipe_fds[0];
	writer = pipe_fds[1];
	between.ns_flags = 0;
	pid = clone_child(&between, &pidfd);
	if (pid == 0) {
		said = make_sibling(job);
		_exit(write(writer, &said, sizeof(said)) != (ssize_t)sizeof(said));
	}
	if (pid < 0) {
		pidfd = -1;
		return -errno;
	}
	/* by its end it has said it, or never will */
	if (waitpid(pid, NULL, 0) < 0 ||
	    read(reader, &said, sizeof(said)) != (ssize_t)sizeof(said) || said < 0)
		return said < 0 ? said : -EIO;
	/* not reaped yet, so it is no other of that number */
	*ret_pidfd = (int)syscall(SYS_pidfd_open, said, 0);
	return *ret_pidfd < 0 ? -errno : said;
}

/* --- fork */

static int fork_failed(int code, bool joins_pidns, struct kata_err *err)
{
	/* the kernel's word for a pid namespace whose first process is dead */
	if (joins_pidns && code == -ENOMEM)
		return err_set(err, -EINVAL,
			       "linux.namespaces: the pid namespace to join has ended "
			       "with its init");
	return err_sys_code(err, code, "fork");
}

static int fork_here(struct process *p, const struct child_job *job, struct kata_err *err)
{
	int pid, pidns = pidns_of(job);

	if (pidns >= 0 && setns(pidns, CLONE_NEWPID) < 0)
		return err_sys(err, "join the container's pid namespace");
	pid = clone_into_group(p, job, &p->pidfd);
	if (pid == 0)
		child_main(job);
	/* cannot fail: it is our own; and if it did, every later container would be wrong */
	if (pidns >= 0 && setns(p->container->guest->pidns_fd, CLONE_NEWPID) < 0)
		abort();
	return pid < 0 ? fork_failed(pid, pidns >= 0, err) : pid;
}

int birth_fork(struct process *p, const struct child_job *job, struct kata_err *err)
{
	int pid;

	if (joins_userns(job)) {
		pid = clone_by_another(job, &p->pidfd);
		if (pid < 0)
			fork_failed(pid, pidns_of(job) >= 0, err);
	} else {
		pid = fork_here(p, job, err);
	}
	if (pid < 0) {
		p->pidfd = -1;
		return pid;
	}
	p->pid = pid;
	return 0;
}

/* --- from outside */

static int set_oom_score(pid_t pid, const struct oci_process *p, struct kata_err *err)
{
	char path[48], text[16];
	int r;

	if (!p || !p->oomScoreAdj)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(text, sizeof(text), "%d", *p->oomScoreAdj);
	r = fs_write_str(AT_FDCWD, path, text);
	return r < 0 ? err_sys_code(err, r, "write oom_score_adj") : 0;
}

int birth_settle(struct process *p, const struct child_job *job, struct kata_err *err)
{
	int r = 0;

	if (job->ns_flags & CLONE_NEWUSER)
		r = userns_write_maps(p->pid, job->userns, err);
	if (r == 0)
		r = set_oom_score(p->pid, job->process, err);
	if (r == 0 && job->process)
		r = rlimits_apply(p->pid, &job->process->rlimits, err);
	if (r == 0 && (job->ns_flags & CLONE_NEWNET))
		r = parking_follow(p->pid, err);
	if (r < 0)
		return r;
	r = sock_send(p->report_fd, "m", 1, NULL, 0);
	return r < 0 ? err_sys_code(err, r, "let the child go on") : 0;
}
