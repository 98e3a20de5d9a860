// SPDX-License-Identifier: Apache-2.0
/*
 * exec: a further process in a container, in order as a table of steps. What a failed step leaves is
 * undone by letting go: a shim whose process does not come to be is killed, a connection that
 * closes before its answer makes the sandbox kill what it had begun. Therefore the guest can be asked
 * before the shim stands: to join a cgroup the host's kernel may need 10 ms (a grace period of
 * RCU), in which the guest has done most of its part.
 *
 * The shim is not quite the container's twin: it shares network, ipc and uts namespaces and the
 * cgroup, but stays in the host's pid namespace, where it lives until it has drained, and in the host's
 * mount namespace. In the foreground this very process becomes the shim: one process less, and
 * whoever kills it kills the process in the guest.
 *
 * Takes no lock: other verbs may be at work on the container.
 */
#include "verb/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/sock.h"
#include "verb/stand_in.h"

#define EXEC_FAILED 255 /* runc's */

/* --- what is asked for -------------------------------------------------------------------- */

static int check_state(struct execution *x, struct kata_err *err)
{
	switch (verb_status(&x->box)) {
	case OCI_CREATING:
		return err_set(err, -EBUSY,
			       "cannot exec in a container that is still being created");
	case OCI_STOPPED:
		return err_set(err, -EINVAL, "cannot exec in a stopped container");
	case OCI_PAUSED:
		if (x->args->ignore_paused)
			return 0;
		return err_set(
			err, -EBUSY,
			"cannot exec in a paused container (use --ignore-paused to "
			"override)");
	case OCI_CREATED:
	case OCI_RUNNING:
		break;
	}
	return 0;
}

/* First of all: what is opened must not land where one of them is missing. */
static int take_passed(struct execution *x, struct kata_err *err)
{
	return passing_take(&x->passing, 0, x->args->preserve_fds, err);
}

static int open_container(struct execution *x, struct kata_err *err)
{
	int rc = verb_open(x->k, x->args->id, false, &x->box, err);

	return rc < 0 ? rc : check_state(x, err);
}

/* runc's rules and texts (CONTRACT 1.5). */
static int open_console(struct execution *x, struct kata_err *err)
{
	bool terminal = x->process->terminal;

	if (x->args->detach && terminal && !x->args->console_socket)
		return err_set(err, -EINVAL,
			       "cannot allocate tty if runc will detach without setting "
			       "console socket");
	if ((!x->args->detach || !terminal) && x->args->console_socket)
		return err_set(err, -EINVAL,
			       "cannot use console socket if runc will not detach or "
			       "allocate tty");
	if (!x->args->detach || !terminal)
		return 0;
	return console_open(&x->console, x->process->consoleSize, err);
}

/* --- where it will be --------------------------------------------------------------------- */

static int open_namespaces(struct execution *x, struct kata_err *err)
{
	static const char *const names[EXEC_NAMESPACES] = {
		[EXEC_NS_NET] = "net",
		[EXEC_NS_IPC] = "ipc",
		[EXEC_NS_UTS] = "uts",
	};
	const struct store_proc *shim = x->box.rec.shim;
	/* while it is held and alive its pid is nobody else's */
	AUTO_CLOSE int pidfd = shim ? proc_open((pid_t)shim->pid, shim->start) : -ESRCH;
	char path[48];

	for (int i = 0; i < EXEC_NAMESPACES && pidfd >= 0; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)shim->pid, names[i]);
		x->ns_fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (x->ns_fd[i] < 0 && errno != ENOENT)
			return err_sys(err, "open %s", path);
	}
	if (pidfd < 0 || proc_wait_ms(pidfd, 0) != 0 || x->ns_fd[EXEC_NS_UTS] < 0)
		return err_set(err, -ESRCH, "cannot exec in a stopped container");
	return 0;
}

static int open_cgroup(struct execution *x, struct kata_err *err)
{
	return cgroup_open(x->box.rec.cgroup ? x->box.rec.cgroup : "", &x->cgroup, err);
}

static int make_connection(struct execution *x, struct kata_err *err)
{
	int pair[2];
	int rc = sock_pair(SOCK_SEQPACKET, pair);

	if (rc < 0)
		return err_sys_code(err, rc, "socketpair");
	x->shim_fd = pair[0];
	x->sandbox_end = pair[1];
	return 0;
}

/* --- the shim ----------------------------------------------------------------------------- */

static int spawn_detached(struct execution *x, struct kata_err *err)
{
	AUTO_FREE char *path = stand_in_path("kata-shim");
	struct strv env = { NULL, 0 };
	int tty = x->console.slave;
	struct proc_fd fds[4 + PROTO_PASSED_MAX] = {
		{ tty >= 0 ? tty : 0, 0 },
		{ tty >= 0 ? tty : 1, 1 },
		{ tty >= 0 ? tty : 2, 2 },
		{ x->shim_fd, SHIM_FD_CTL },
	};
	struct proc_spawn sp = PROC_SPAWN_INIT;
	int rc;

	if (!x->args->detach)
		return 0;
	stand_in_env(&(struct stand_in_env){ .process = x->process,
					     .passed = x->passing.letters },
		     &env);
	sp.path = path;
	sp.argv = stand_in_argv(x->process);
	sp.envp = env.v;
	sp.fds = fds;
	sp.n_fds = passing_for_shim(&x->passing, fds, 4);
	sp.setns = x->ns_fd;
	sp.n_setns = EXEC_NAMESPACES;
	sp.cgroup_procs = cgroup_procs(x->cgroup, &sp.n_cgroup_procs);
	sp.new_session = true;
	sp.signals_wait = true;
	sp.ctty = tty >= 0 ? 0 : -1;
	rc = proc_spawn_begin(&sp, &x->shim, &x->birth_fd, err);
	strv_done(&env);
	/* the shim has it now; ours would hide its end from the sandbox */
	fd_drop(&x->shim_fd);
	fd_drop(&x->console.slave);
	return rc;
}

static int await_shim(struct execution *x, struct kata_err *err)
{
	return x->birth_fd < 0 ? 0
			       : proc_spawn_end("kata-shim", &x->shim, x->birth_fd, err);
}

static pid_t shim_pid(const struct execution *x)
{
	return x->args->detach ? x->shim.pid : getpid();
}

static int send_console(struct execution *x, struct kata_err *err)
{
	return x->console.master < 0
		       ? 0
		       : console_send(&x->console, x->args->console_socket, err);
}

/* --- the process -------------------------------------------------------------------------- */

static int ask(struct execution *x, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	AUTO_CLOSE int document = -1;
	AUTO_CLOSE int passed = -1;
	int fds[SOCK_MAX_FDS] = { -1, x->sandbox_end };
	struct store_proc shim;
	struct ctl_ask a = {
		.m = { .type = CTL_EXEC,
		       .flags = x->args->ignore_paused ? CTL_F_PAUSED : 0 },
		.fds = fds,
	};
	int rc;

	jtab_encode(&oci_process_tab, x->process, &o);
	document = fs_memfd("process.json", buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	if (document < 0)
		return err_sys_code(err, document, "memfd");
	rc = stand_in_record(shim_pid(x), &shim, err);
	if (rc < 0)
		return rc;
	a.m.flags |= stand_in_null_streams(x->process);
	a.m.number = (uint32_t)shim.pid;
	a.m.bytes = shim.start;
	str_copy(a.m.id, sizeof(a.m.id), x->box.rec.id);
	fds[0] = document;
	rc = passing_for_sandbox(&x->passing, &a.m, fds, 2, &passed, err);
	if (rc < 0)
		return rc;
	a.n_fds = (size_t)rc;
	x->ask_fd = verb_connect(&x->box, err);
	rc = x->ask_fd < 0 ? x->ask_fd : ctl_begin(x->ask_fd, &a, err);
	fd_drop(&x->sandbox_end);
	if (verb_is_gone(rc) || rc == -ECONNRESET)
		return err_set(err, -ESRCH, "cannot exec in a stopped container");
	return rc;
}

static int await_answer(struct execution *x, struct kata_err *err)
{
	struct ctl_ask a = { .timeout_ms = VERB_CALL_MS };
	int rc = ctl_end(x->ask_fd, &a, err);

	if (rc == -ECONNRESET)
		return err_set(err, -ESRCH, "cannot exec in a stopped container");
	return rc;
}

static int write_pid_file(struct execution *x, struct kata_err *err)
{
	return stand_in_pid_file(x->args->pid_file, shim_pid(x), err);
}

/* --- becoming the shim -------------------------------------------------------------------- */

static int enter(struct execution *x, struct kata_err *err)
{
	size_t n;
	const int *procs = cgroup_procs(x->cgroup, &n);

	if (x->args->detach)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (write(procs[i], "0", 1) != 1)
			return err_sys(err, "join the container's cgroup");
	}
	for (int i = 0; i < EXEC_NAMESPACES; i++) {
		if (setns(x->ns_fd[i], 0) < 0)
			return err_sys(err, "join the container's namespaces");
	}
	return 0;
}

/*
 * As proc_spawn() has it: what a caller ignores the program in the guest is to get nevertheless, and
 * what comes before the shim reads signals waits.
 */
static void reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &dfl, NULL);
}

static int place_connection(int fd)
{
	return fd == SHIM_FD_CTL ? fcntl(fd, F_SETFD, 0) : dup2(fd, SHIM_FD_CTL);
}

/* Return: only when it failed. */
static int become(struct execution *x, struct kata_err *err)
{
	AUTO_FREE char *path = stand_in_path("kata-shim");
	struct strv env = { NULL, 0 };
	const struct stand_in_env e = { .process = x->process,
					.callers_tty = true,
					.passed = x->passing.letters };

	if (x->args->detach)
		return 0;
	stand_in_env(&e, &env);
	reset_signals();
	if (place_connection(x->shim_fd) < 0 || passing_become(&x->passing) < 0)
		err_sys(err, "dup2");
	else if (execve(path, stand_in_argv(x->process), env.v) < 0)
		err_sys(err, "exec %s", path);
	strv_done(&env);
	if (x->args->pid_file)
		unlink(x->args->pid_file);
	return err->code;
}

/* --- the order ---------------------------------------------------------------------------- */

static int (*const steps[])(struct execution *x, struct kata_err *err) = {
	take_passed, open_container,  exec_process,   open_console,   open_namespaces,
	open_cgroup, make_connection, spawn_detached, send_console,   ask,
	enter,	     await_shim,      await_answer,   write_pid_file, become,
};

static void let_go(struct execution *x, bool failed)
{
	if (failed && x->shim.pidfd >= 0 &&
	    (proc_kill(x->shim.pidfd, SIGKILL) < 0 || proc_wait(&x->shim) < 0))
		log_debug("kata-shim could not be ended");
	proc_done(&x->shim);
	console_done(&x->console);
	passing_done(&x->passing);
	for (int i = 0; i < EXEC_NAMESPACES; i++)
		fd_drop(&x->ns_fd[i]);
	fd_drop(&x->shim_fd);
	fd_drop(&x->sandbox_end);
	fd_drop(&x->birth_fd);
	fd_drop(&x->ask_fd);
	cgroup_free(x->cgroup);
	verb_box_done(&x->box);
}

int kata_exec(const struct kata *k, const struct kata_exec_args *args,
	      struct kata_err *err)
{
	struct execution x = {
		.k = k,
		.args = args,
		.box = VERB_BOX_INIT,
		.console = CONSOLE_INIT,
		.ns_fd = { -1, -1, -1 },
		.shim_fd = -1,
		.sandbox_end = -1,
		.shim = PROC_INIT,
		.birth_fd = -1,
		.ask_fd = -1,
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && rc >= 0; i++)
		rc = steps[i](&x, err);
	let_go(&x, rc < 0);
	if (rc >= 0)
		return 0;
	rc = err_ctx(err, "exec failed");
	err->status = EXEC_FAILED;
	return rc;
}
