// SPDX-License-Identifier: Apache-2.0
/*
 * run: create and start in one call. In the foreground the shim is our child
 * and has our stdio; we pass signals on, wait, and clean up. A terminal of ours
 * is raw meanwhile: the one that interprets keys is in the guest.
 *
 * When we are killed the container lives on, as with runc; `delete` ends it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/raw_tty.h"
#include "verb/creation.h"
#include "verb/readiness.h"

/* Ours alone: they tell of our own children and sockets. */
static bool is_forwarded(uint32_t signo)
{
	return signo != SIGCHLD && signo != SIGURG && signo != SIGPIPE;
}

static void forward_signals(int sig_fd, int pidfd)
{
	struct signalfd_siginfo si;

	while (loop_signal_read(sig_fd, &si) == 1) {
		if (is_forwarded(si.ssi_signo) && proc_kill(pidfd, (int)si.ssi_signo) < 0)
			log_debug("signal %u could not be passed on", si.ssi_signo);
	}
}

/* The service manager's main process is us: we end with the program. */
static void tell_ready(struct readiness *ready)
{
	struct kata_err ignored = { 0 };

	if (readiness_tell(ready, getpid(), &ignored) < 0)
		log_warn("%s", ignored.msg);
}

/* Return: the program's exit status, or -errno. */
static int attend(struct creation *c, struct readiness *ready, struct kata_err *err)
{
	__attribute__((cleanup(raw_tty_leave))) struct raw_tty tty = RAW_TTY_INIT;
	AUTO_CLOSE int sig_fd = -1;
	struct pollfd p[3];
	sigset_t all;
	int rc;

	sigfillset(&all);
	sig_fd = loop_signals(&all);
	if (sig_fd < 0)
		return err_sys_code(err, sig_fd, "signalfd");
	if (c->bundle.spec->process->terminal)
		raw_tty_enter(&tty, STDIN_FILENO);
	p[0] = (struct pollfd){ .fd = c->shim.pidfd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = sig_fd, .events = POLLIN };
	p[2] = (struct pollfd){ .events = POLLIN };
	do {
		p[2].fd = ready->sock_fd;
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		forward_signals(sig_fd, c->shim.pidfd);
		tell_ready(ready);
	} while (!p[0].revents);
	rc = proc_wait(&c->shim);
	return rc < 0 ? err_sys_code(err, rc, "wait for kata-shim") : rc;
}

static void clean_up(struct creation *c)
{
	struct kata_err ignored = { 0 };

	if (kata_delete(c->k, c->args->id, true, &ignored) < 0)
		log_warn("%s", ignored.msg);
}

/* As with runc a service manager that is not there keeps no container from running. */
static void open_readiness(const struct kata *k, struct readiness *ready)
{
	struct kata_err ignored = { 0 };

	if (readiness_open(ready, k->notify_socket, &ignored) < 0)
		log_warn("%s", ignored.msg);
}

static int run_created(struct creation *c, struct readiness *ready, struct kata_err *err)
{
	int rc;

	store_dir_done(&c->dir); /* start takes the lock itself */
	open_readiness(c->k, ready);
	rc = verb_start(c->k, c->args->id, ready, err);
	if (rc < 0) {
		clean_up(c);
		spawn_end(&c->shim);
		return rc;
	}
	if (!c->foreground)
		return 0;
	rc = attend(c, ready, err);
	if (!c->args->keep)
		clean_up(c);
	return rc;
}

static void wait_ready(struct readiness *ready)
{
	struct kata_err ignored = { 0 };

	if (readiness_wait(ready, &ignored) < 0)
		log_warn("%s", ignored.msg);
}

int kata_run(const struct kata *k, const struct kata_create_args *args,
	     struct kata_err *err)
{
	struct readiness ready = READINESS_INIT;
	struct creation c;
	int rc;

	rc = creation_run(&c, k, args, !args->detach, err);
	if (rc == 0)
		rc = run_created(&c, &ready, err);
	creation_done(&c);
	if (args->detach)
		err->status = 0;
	/* signals are as they were: one that ends us leaves the container running */
	if (args->detach && rc == 0)
		wait_ready(&ready);
	readiness_done(&ready);
	return rc;
}
