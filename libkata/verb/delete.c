// SPDX-License-Identifier: Apache-2.0
/*
 * delete: ends what still lives, waits for it, runs poststop hooks, removes the
 * directory. May be repeated at any point: what is gone already is fine.
 *
 * A VM outlives the container it was made for while others run in it. So each
 * delete asks the sandbox how many are left, and whoever finds none, or no VM
 * any more, removes what was made for the VM: its directory and the cgroup of
 * its processes (vm_group.c). Every record says where those are; when this is
 * done half-way any other delete can do the rest.
 *
 * A forced delete does not stop at the lock: a create or start that hangs holds
 * it. Killing the container first makes that verb fail and let go.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "base/log.h"
#include "base/proc.h"
#include "sandbox/ctl.h"
#include "verb/verb.h"
#include "verb/vm_group.h"

/* Was the VM made for it? */
static bool has_own_vm(const struct verb_box *box)
{
	return box->rec.vm_memory > 0;
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

static void kill_process(int pidfd, const char *what, const struct verb_box *box)
{
	if (pidfd >= 0 && proc_kill(pidfd, SIGKILL) < 0)
		log_debug("kill %s of %s failed", what, box->rec.id);
}

/* --- the container -------------------------------------------------------------------------- */

static int ask_sandbox(const struct verb_box *box, int sandbox, struct ctl_ask *ask,
		       struct kata_err *err)
{
	/* the directory may be another VM's by now: of the next container of that name */
	if (sandbox < 0)
		return err_set(err, -ECONNRESET, "kata-sandbox has ended");
	ask->timeout_ms = VERB_KILL_WAIT_MS;
	return verb_ask(box, ask, err);
}

/*
 * The guest process is killed through the sandbox, so that its last output is
 * drained. Where that fails, SIGKILL for the shim does it: the sandbox sees its
 * end. A sandbox that is silent, too, cannot be serving anybody: it goes and,
 * being pid 1 of its namespace, takes the VM along. One that is not listening
 * yet has a VM that nobody but us waits for.
 */
static void kill_container(const struct verb_box *box, int shim, int sandbox)
{
	struct ctl_ask ask = {
		.m = { .type = CTL_KILL, .number = SIGKILL, .flags = CTL_F_ALL },
	};
	struct kata_err ignored = { 0 };
	int rc = ask_sandbox(box, sandbox, &ask, &ignored);

	if (rc == 0)
		return;
	log_debug("kill %s: %s", box->rec.id, ignored.msg);
	kill_process(shim, "kata-shim", box);
	if (rc == -ETIMEDOUT || (verb_is_gone(rc) && has_own_vm(box)))
		kill_process(sandbox, "kata-sandbox", box);
}

/* --- its VM --------------------------------------------------------------------------------- */

/** struct vm_use - other containers whose records name the VM's directory. */
struct vm_use {
	unsigned same;	  /* in this very VM */
	unsigned another; /* in a later one of that name */
};

static void count_use(const struct verb_box *box, const char *id, struct vm_use *use)
{
	const struct store_proc *ours = box->rec.sandbox, *theirs;
	struct store_dir dir = STORE_DIR_INIT;
	struct kata_err ignored = { 0 };
	struct store_record r;

	if (str_eq(id, box->rec.id) ||
	    store_open(box->root, id, false, &dir, &ignored) < 0)
		return;
	if (store_record_read(&dir, box->arena, &r, &ignored) == 0 &&
	    str_eq(r.sandbox_id, box->rec.sandbox_id)) {
		theirs = r.sandbox;
		if (ours && theirs && ours->pid == theirs->pid &&
		    ours->start == theirs->start)
			use->same++;
		else
			use->another++;
	}
	store_dir_done(&dir);
}

static struct vm_use vm_used_by(const struct verb_box *box)
{
	struct strv ids = { NULL, 0 };
	struct vm_use use = { 0 };
	struct kata_err ignored = { 0 };

	if (store_list(box->root, &ids, &ignored) < 0)
		return use;
	for (size_t i = 0; i < ids.n; i++)
		count_use(box, ids.v[i], &use);
	strv_done(&ids);
	return use;
}

/*
 * The VM has ended: what was made for it goes, unless a later one has taken over
 * its name. That cannot be while the record of its first container is there.
 */
static int remove_vm(const struct verb_box *box, struct kata_err *err)
{
	int rc;

	if (!has_own_vm(box) && vm_used_by(box).another)
		return 0;
	netns_clean(box->root, box->rec.sandbox_id);
	rc = vm_group_remove(box, err);
	return rc < 0 ? rc : store_sandbox_remove(box->root, box->rec.sandbox_id, err);
}

/* The sandbox closes this connection when the container has ended; nothing else closes it in time. */
static void await_guest(const struct verb_box *box)
{
	struct ctl_msg m = { .type = CTL_EVENTS };
	struct kata_err ignored = { 0 };
	AUTO_CLOSE int fd = verb_connect(box, &ignored);
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	str_copy(m.id, sizeof(m.id), box->rec.id);
	if (fd < 0 || ctl_send(fd, &m, NULL, 0) < 0 ||
	    poll(&p, 1, VERB_KILL_WAIT_MS) <= 0)
		log_debug("the guest does not tell of the end of %s", box->rec.id);
}

/* Return: how many are left in the VM, or -errno. */
static int forget(const struct verb_box *box, int sandbox, struct kata_err *err)
{
	struct ctl_ask ask = { .m = { .type = CTL_DELETE } };
	int rc = ask_sandbox(box, sandbox, &ask, err);

	if (rc == -EINVAL) { /* its shim was killed, its program is just being */
		await_guest(box);
		err_done(err);
		ask = (struct ctl_ask){ .m = { .type = CTL_DELETE } };
		rc = ask_sandbox(box, sandbox, &ask, err);
	}
	return rc < 0 ? rc : (int)ask.m.number;
}

/*
 * Return: 1 the VM has to end, 0 others live on in it, -errno. A sandbox that
 * answers is left to the others, whatever its guest thinks of this container.
 */
static int take_out(const struct verb_box *box, int sandbox, struct kata_err *err)
{
	int left = forget(box, sandbox, err);

	if (left >= 0)
		return left == 0;
	if (!verb_is_gone(left)) {
		if (left != -ETIMEDOUT && vm_used_by(box).same)
			return err_ctx(err, "take container %s out of its VM",
				       box->rec.id);
		kill_process(sandbox, "kata-sandbox", box);
	}
	log_debug("delete %s: %s", box->rec.id, err->msg);
	err_done(err);
	return 1;
}

int verb_leave_vm(const struct verb_box *box, struct kata_err *err)
{
	AUTO_CLOSE int sandbox = open_recorded(box->rec.sandbox);
	int rc = take_out(box, sandbox, err);

	if (rc == 0 && has_own_vm(box))
		vm_group_move_out(box);
	if (rc <= 0)
		return rc;
	rc = await_end(sandbox);
	if (rc < 0)
		return err_sys_code(err, rc, "end kata-sandbox (pid %d)",
				    (int)box->rec.sandbox->pid);
	return remove_vm(box, err);
}

/* @kill: the container may still be alive and shall not be. */
static int end_processes(const struct verb_box *box, bool kill, struct kata_err *err)
{
	AUTO_CLOSE int shim = open_recorded(box->rec.shim);
	AUTO_CLOSE int sandbox = open_recorded(box->rec.sandbox);
	int rc;

	if (kill && (shim >= 0 || sandbox >= 0))
		kill_container(box, shim, sandbox);
	rc = await_end(shim);
	if (rc < 0)
		return err_sys_code(err, rc, "end kata-shim (pid %d)",
				    (int)box->rec.shim->pid);
	rc = verb_leave_vm(box, err);
	if (rc < 0 || str_eq(box->rec.cgroup, box->rec.sandbox_cgroup))
		return rc;
	return group_remove(box->rec.cgroup, err);
}

/* --- the verb ------------------------------------------------------------------------------- */

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

		if (box.rec.phase == STORE_CREATING && has_own_vm(&box))
			kill_process(sandbox, "kata-sandbox", &box);
		else
			kill_container(&box, shim, sandbox);
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
