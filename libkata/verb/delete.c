// SPDX-License-Identifier: Apache-2.0
/*
 * delete: ends what still lives, waits for it, runs poststop hooks, removes the
 * directory. May be repeated at any point: what is gone already is fine.
 *
 * A forced delete does not stop at the lock: a create or start that hangs holds
 * it. Killing the container first makes that verb fail and let go.
 */
#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "base/proc.h"
#include "sandbox/ctl.h"
#include "verb/verb.h"

static bool owns_sandbox(const struct verb_box *box)
{
	return str_eq(box->rec.sandbox_id, box->rec.id);
}

/* pidfd of a recorded process, -1 when it is gone. */
static int open_recorded(const struct store_proc *p)
{
	int fd = p ? proc_open((pid_t)p->pid, p->start) : -1;

	return fd < 0 ? -1 : fd;
}

static int kill_and_wait(int pidfd)
{
	int rc = proc_kill(pidfd, SIGKILL);

	return rc < 0 ? rc : proc_wait_ms(pidfd, VERB_KILL_WAIT_MS);
}

/*
 * The end of one process: by itself within the time, else by force.
 * Return: 0, -EBUSY when even SIGKILL did not end it (a process in uninterruptible sleep).
 */
static int await_end(int pidfd)
{
	int rc;

	if (pidfd < 0)
		return 0;
	rc = proc_wait_ms(pidfd, VERB_KILL_WAIT_MS);
	if (rc == 0)
		rc = kill_and_wait(pidfd);
	return rc == 0 ? -EBUSY : rc < 0 ? rc : 0;
}

/*
 * The guest process is killed through the sandbox, so that its last output is
 * drained. Where nobody answers, SIGKILL for both on the host does it: the
 * sandbox is pid 1 of its namespace and takes the VM with it.
 */
static void kill_container(const struct verb_box *box, int shim, int sandbox)
{
	struct kata_err ignored = { 0 };
	int rc = verb_call(box, CTL_KILL, SIGKILL, CTL_F_ALL, &ignored);

	if (rc == 0)
		return;
	log_debug("kill %s: %s", box->rec.id, ignored.msg);
	if (shim >= 0 && proc_kill(shim, SIGKILL) < 0)
		log_debug("kill kata-shim of %s failed", box->rec.id);
	if (sandbox >= 0 && owns_sandbox(box) && proc_kill(sandbox, SIGKILL) < 0)
		log_debug("kill kata-sandbox of %s failed", box->rec.id);
}

/* @kill: the container may still be alive and shall not be. */
static int end_processes(const struct verb_box *box, bool kill, struct kata_err *err)
{
	AUTO_CLOSE int shim = open_recorded(box->rec.shim);
	AUTO_CLOSE int sandbox = open_recorded(box->rec.sandbox);
	struct kata_err ignored = { 0 };
	int rc;

	if (kill && (shim >= 0 || sandbox >= 0))
		kill_container(box, shim, sandbox);
	rc = await_end(shim);
	if (rc < 0)
		return err_sys_code(err, rc, "end kata-shim (pid %d)",
				    (int)box->rec.shim->pid);
	if (owns_sandbox(box)) {
		rc = await_end(sandbox);
		if (rc < 0)
			return err_sys_code(err, rc, "end kata-sandbox (pid %d)",
					    (int)box->rec.sandbox->pid);
		return store_sandbox_remove(box->root, box->rec.sandbox_id, err);
	}
	/* others live on in that VM */
	if (verb_call(box, CTL_DELETE, 0, 0, &ignored) < 0)
		log_debug("delete %s: %s", box->rec.id, ignored.msg);
	return 0;
}

static int check_deletable(const struct verb_box *box, enum oci_status st, bool force,
			   struct kata_err *err)
{
	if (force || st == OCI_STOPPED || st == OCI_CREATED)
		return 0;
	return err_set(err, -EBUSY, "cannot delete container %s that is not stopped: %s",
		       box->rec.id, oci_status_names[st]);
}

static int remove_container(struct verb_box *box, bool force, struct kata_err *err)
{
	enum oci_status st = verb_status(box);
	struct kata_err hook_err = { 0 };
	int rc;

	rc = check_deletable(box, st, force, err);
	if (rc == 0)
		rc = end_processes(box, st != OCI_STOPPED, err);
	if (rc < 0)
		return rc;
	if (verb_hooks(box, OCI_HOOK_POSTSTOP, OCI_STOPPED, &hook_err) < 0)
		log_warn("%s", hook_err.msg);
	return store_remove(box->root, box->rec.id, &box->dir, err);
}

/* See the file's head: makes whoever holds the lock let go. */
static void break_in(const struct kata *k, const char *id)
{
	struct verb_box box = VERB_BOX_INIT;
	struct kata_err ignored = { 0 };

	if (verb_open(k, id, false, &box, &ignored) == 0 && store_is_busy(&box.dir)) {
		AUTO_CLOSE int shim = open_recorded(box.rec.shim);
		AUTO_CLOSE int sandbox = open_recorded(box.rec.sandbox);

		if (box.rec.phase != STORE_CREATING)
			kill_container(&box, shim, sandbox);
		else if (sandbox >= 0 && owns_sandbox(&box) &&
			 proc_kill(sandbox, SIGKILL) < 0)
			log_debug("kill kata-sandbox of %s failed", id);
	}
	verb_box_done(&box);
}

/* A record that cannot be read names nothing to undo: only the directory is left. */
static int remove_unreadable(const struct kata *k, const char *id, struct kata_err *err)
{
	AUTO_FREE char *root = verb_root(k);
	struct store_dir dir = STORE_DIR_INIT;
	int rc;

	err_done(err);
	rc = store_open(root, id, true, &dir, err);
	if (rc == 0)
		rc = store_remove(root, id, &dir, err);
	store_dir_done(&dir);
	return rc;
}

static int no_container(const struct kata *k, const char *id, struct kata_err *err)
{
	AUTO_FREE char *root = verb_root(k);

	store_sweep(root, id);
	err_done(err);
	return 0;
}

int kata_delete(const struct kata *k, const char *id, bool force, struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc;

	if (force)
		break_in(k, id);
	rc = verb_open(k, id, true, &box, err);
	if (rc == 0)
		rc = remove_container(&box, force, err);
	else if (force && (rc == -EINVAL || rc == -EPROTO))
		rc = remove_unreadable(k, id, err);
	if (rc == -ENOENT && force)
		rc = no_container(k, id, err);
	verb_box_done(&box);
	return rc;
}
