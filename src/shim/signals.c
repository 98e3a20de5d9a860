// SPDX-License-Identifier: Apache-2.0
/*
 * signals: engines signal the shim's pid directly (CONTRACT 0.2), so whatever
 * a process sends goes to the guest. What the host's kernel sends on its own
 * account does not:
 *
 *   SIGPIPE, SIGXFSZ of our own writes look as if we had sent them to ourselves
 *   (SEND_SIG_NOINFO: SI_USER with the pid of the writer);
 *   SIGHUP, SIGCONT, SIGTTOU of the terminal come with a positive si_code. The
 *   guest's terminal is another one; that the engine closed its side is no
 *   reason for the container to die (conmon opens it again).
 *
 * SIGKILL and SIGSTOP cannot be caught: the sandbox notices the first through
 * the closed connection and kills the guest process.
 */
#include "signals.h"

#include <signal.h>

#include "base/loop.h"
#include "base/mem.h"

int signals_open(struct kata_err *err)
{
	sigset_t all;
	int fd;

	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	fd = loop_signals(&all);
	return fd < 0 ? err_sys_code(err, fd, "open signalfd") : fd;
}

bool signal_is_key(const struct signalfd_siginfo *si)
{
	static const uint32_t keys[] = { SIGINT, SIGQUIT, SIGHUP, SIGTSTP };

	for (size_t i = 0; si->ssi_code == SI_KERNEL && i < ARRAY_SIZE(keys); i++) {
		if (si->ssi_signo == keys[i])
			return true;
	}
	return false;
}

enum signal_fate signal_fate(const struct signalfd_siginfo *si, pid_t self, bool terminal)
{
	/* any sender: TIOCSWINSZ, or kata-runtime for the terminal it holds */
	if (terminal && si->ssi_signo == SIGWINCH)
		return SIGNAL_WINSIZE;
	if (si->ssi_code > 0)
		return SIGNAL_DROP;
	if (si->ssi_code == SI_USER && (pid_t)si->ssi_pid == self)
		return SIGNAL_DROP;
	return SIGNAL_FORWARD;
}
