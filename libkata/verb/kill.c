// SPDX-License-Identifier: Apache-2.0
/*
 * kill: one signal, delivered once, never waited for. Takes no lock: a
 * container that another verb is busy with must still be killable.
 */
#include <errno.h>

#include "base/proc.h"
#include "sandbox/ctl.h"
#include "verb/verb.h"

static int not_running(struct kata_err *err)
{
	return err_set(err, -ESRCH, "container not running");
}

/* The sandbox is gone but its shim is not yet: it ends by itself, a signal makes it sooner. */
static int signal_shim(const struct store_proc *shim, int signo, struct kata_err *err)
{
	AUTO_CLOSE int pidfd = -1;
	int rc;

	pidfd = proc_open((pid_t)shim->pid, shim->start);
	if (pidfd == -ESRCH)
		return not_running(err);
	if (pidfd < 0)
		return err_sys_code(err, pidfd, "open process %d", (int)shim->pid);
	rc = proc_kill(pidfd, signo);
	return rc < 0 ? err_sys_code(err, rc, "signal process %d", (int)shim->pid) : 0;
}

static int deliver(const struct verb_box *box, int signo, bool all, struct kata_err *err)
{
	int rc;

	if (verb_status(box) == OCI_STOPPED)
		return all ? 0 : not_running(err);
	rc = verb_call(box, CTL_KILL, (unsigned)signo, all ? CTL_F_ALL : 0, err);
	if (rc < 0 && verb_is_gone(rc) && box->rec.shim) {
		err_done(err);
		rc = signal_shim(box->rec.shim, signo, err);
	}
	if (rc == -ESRCH && all) {
		err_done(err);
		rc = 0;
	}
	return rc;
}

int kata_kill(const struct kata *k, const char *id, const char *signal, bool all,
	      struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int signo = str_to_signal(signal ? signal : "SIGTERM");
	int rc;

	if (signo < 0)
		return err_set(err, -EINVAL, "unknown signal \"%s\"", signal);
	rc = verb_open(k, id, false, &box, err);
	if (rc < 0)
		return rc;
	rc = deliver(&box, signo, all, err);
	verb_box_done(&box);
	return rc;
}
