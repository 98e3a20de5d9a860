/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: QEMU's control channel, one JSON document a line in each direction.
 * What arrives is hostile: the VMM may have been taken over by its guest.
 */
#ifndef KATA_VMM_QMP_H
#define KATA_VMM_QMP_H

#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"

/** Commands under way or waiting for the greeting. */
#define QMP_MAX_COMMANDS 16

struct qmp;

struct qmp_ops {
	/** an event of QEMU's; @data NULL when it has none. Valid during the call only. */
	void (*on_event)(void *arg, const char *name, const struct json *data);
	/** closed, broken or garbage; called once, nothing after it. @why: "closed its control channel" */
	void (*on_gone)(void *arg, const char *why);
	void *arg;
};

/** Answer to a command: 0, or -EIO with QEMU's own words. */
typedef void qmp_done_fn(void *arg, int code, const char *text);

/** qmp_new_take() - @fd: our end of a connected stream socket; taken over, made non-blocking. */
int qmp_new_take(struct loop *l, int fd, const struct qmp_ops *ops, struct qmp **ret_qmp,
		 struct kata_err *err) MUST_CHECK;
/** qmp_free() - forgets commands under way without calling them back. Also from within one. */
void qmp_free(struct qmp *q);
/** qmp_execute() - a command without arguments. Sent once QEMU has greeted. */
int qmp_execute(struct qmp *q, const char *command, qmp_done_fn *done,
		struct kata_err *err) MUST_CHECK;
/** qmp_drain() - take in what has arrived already: QEMU has ended and may have said why. */
void qmp_drain(struct qmp *q);

#endif
