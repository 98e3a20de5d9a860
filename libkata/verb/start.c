// SPDX-License-Identifier: Apache-2.0
/*
 * start: opens the gate. The record says "running" before the sandbox is told,
 * so that a start killed half-way never leaves a running container that counts
 * as created; a start that failed takes it back.
 *
 * The lock is let go of before the program's readiness is waited for: it can be killed meanwhile.
 */
#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "sandbox/ctl.h"
#include "verb/readiness.h"
#include "verb/verb.h"

static int check_startable(const struct verb_box *box, struct kata_err *err)
{
	switch (verb_status(box)) {
	case OCI_CREATED:
		if (box->rec.has_process)
			return 0;
		return err_set(
			err, -EINVAL,
			"cannot start a container without process in its config.json");
	case OCI_STOPPED:
		return err_set(err, -EINVAL, "cannot start a container that has stopped");
	case OCI_RUNNING:
	case OCI_PAUSED:
		return err_set(err, -EINVAL, "cannot start an already running container");
	case OCI_CREATING:
		break;
	}
	return err_set(err, -EBUSY,
		       "cannot start a container that is still being created");
}

static int write_phase(struct verb_box *box, enum store_phase phase, struct kata_err *err)
{
	box->rec.phase = phase;
	return store_record_write(&box->dir, &box->rec, err);
}

static int open_gate(struct verb_box *box, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	int rc;

	rc = write_phase(box, STORE_RUNNING, err);
	if (rc < 0)
		return rc;
	rc = verb_call(box, CTL_START, 0, 0, err);
	if (rc < 0 && write_phase(box, STORE_CREATED, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return rc;
}

/* runtime-spec 1.3: a failing poststart hook is start's failure and stops the container. */
static int run_poststart(struct verb_box *box, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	int rc;

	rc = verb_hooks(box, OCI_HOOK_POSTSTART, OCI_RUNNING, err);
	if (rc < 0 && verb_call(box, CTL_KILL, SIGKILL, CTL_F_ALL, &ignored) < 0)
		log_debug("%s", ignored.msg);
	return rc;
}

int verb_start(const struct kata *k, const char *id, struct readiness *ready,
	       struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc;

	rc = verb_open(k, id, true, &box, err);
	if (rc < 0)
		return rc;
	rc = check_startable(&box, err);
	if (rc == 0)
		rc = readiness_listen(ready, &box, err);
	if (rc == 0)
		rc = open_gate(&box, err);
	if (rc == 0)
		rc = run_poststart(&box, err);
	verb_box_done(&box);
	return rc;
}

int kata_start(const struct kata *k, const char *id, struct kata_err *err)
{
	struct readiness ready = READINESS_INIT;
	int rc = readiness_open(&ready, k->notify_socket, err);

	if (rc == 0)
		rc = verb_start(k, id, &ready, err);
	if (rc == 0)
		rc = readiness_wait(&ready, err);
	readiness_done(&ready);
	err->status = 0;
	return rc;
}
