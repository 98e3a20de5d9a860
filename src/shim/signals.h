/* SPDX-License-Identifier: Apache-2.0 */
/* signals: which of the signals that reach the shim are meant for the guest process. */
#ifndef KATA_SHIM_SIGNALS_H
#define KATA_SHIM_SIGNALS_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "base/err.h"

enum signal_fate {
	SIGNAL_DROP,	/* a consequence of the shim's own doings on the host */
	SIGNAL_FORWARD, /* somebody sent it */
	SIGNAL_WINSIZE, /* the terminal has changed its size */
};

/** signals_open() - block everything that can be caught, SIGCHLD excepted. Return: signalfd. */
int signals_open(struct kata_err *err) MUST_CHECK;

/** signal_is_key() - does the kernel send it for a key or the end of the caller's terminal? */
bool signal_is_key(const struct signalfd_siginfo *si);

/** signal_fate() - @self: the shim's pid as it sees it itself. */
enum signal_fate signal_fate(const struct signalfd_siginfo *si, pid_t self,
			     bool terminal);

#endif
