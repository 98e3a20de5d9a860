/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb: what the verbs have in common. Internal to libkata/verb; the public
 * face is kata.h.
 */
#ifndef KATA_VERB_VERB_H
#define KATA_VERB_VERB_H

#include "cgroup/cgroup.h"
#include "hook/hook.h"
#include "kata.h"
#include "oci/state.h"
#include "sandbox/ctl.h"
#include "store/store.h"

/** How long delete waits for a killed container before it turns to SIGKILL on the host. */
#define VERB_KILL_WAIT_MS 10000
/** How long a sandbox may take over a request: a little more than it gives its guest. */
#define VERB_CALL_MS 65000

/** struct verb_box - an existing container, opened by a verb. */
struct verb_box {
	char *root;
	struct arena *arena; /* owns what the record points to */
	struct store_dir dir;
	struct store_record rec;
};
#define VERB_BOX_INIT                                                                    \
	{                                                                                \
		.dir = STORE_DIR_INIT                                                    \
	}
void verb_box_done(struct verb_box *box);

/** verb_root() - the state directory, absolute. Heap. */
char *verb_root(const struct kata *k);

/** verb_open() - open container @id and read its record. On failure @ret holds nothing. */
int verb_open(const struct kata *k, const char *id, bool lock, struct verb_box *ret,
	      struct kata_err *err) MUST_CHECK;

enum oci_status verb_status(const struct verb_box *box);
/** verb_state() - the state document; borrows from @r. */
void verb_state(const struct store_record *r, enum oci_status status,
		struct oci_state *ret);

/** verb_connect() - to the container's sandbox. Return: fd; -ECONNREFUSED, -ENOENT: there is none. */
int verb_connect(const struct verb_box *box, struct kata_err *err) MUST_CHECK;
/** verb_ask() - any request; the container's id is filled in. Codes as verb_call(). */
int verb_ask(const struct verb_box *box, struct ctl_ask *ask,
	     struct kata_err *err) MUST_CHECK;
/**
 * verb_call() - one request to the container's sandbox, waiting for the reply.
 * @type: enum ctl_type. A signal gets VERB_KILL_WAIT_MS, a start as long as the sandbox gives
 * it, everything else VERB_CALL_MS.
 * -ECONNREFUSED, -ENOENT, -ECONNRESET: there is no sandbox (any more).
 */
int verb_call(const struct verb_box *box, unsigned type, unsigned number, unsigned flags,
	      struct kata_err *err) MUST_CHECK;
/** verb_is_gone() - does this code of verb_call() mean that no sandbox was there to answer? */
bool verb_is_gone(int code);

/** verb_hooks() - run @kind's hooks of an existing container, from its stored config.json. */
int verb_hooks(const struct verb_box *box, enum oci_hook_kind kind,
	       enum oci_status status, struct kata_err *err) MUST_CHECK;

/** verb_cgroup_extra() - what the host's cgroup of the container needs beyond the spec's limits. */
void verb_cgroup_extra(const struct store_record *r, struct cgroup_extra *ret);

/** netns_clean() - what a VM that has ended left on interfaces of its network namespace (netns.c). */
void netns_clean(const char *root, const char *sandbox_id);

/**
 * verb_leave_vm() - take the container, whose shim has ended, out of its VM. When it was the last
 * one wait for the VM's end and remove what was made for it.
 */
int verb_leave_vm(const struct verb_box *box, struct kata_err *err) MUST_CHECK;

struct readiness;
/**
 * verb_start() - kata_start() that leaves the program's own status (126, 127) in @err and does not
 * wait: readiness_wait() does, if @ready was opened.
 */
int verb_start(const struct kata *k, const char *id, struct readiness *ready,
	       struct kata_err *err) MUST_CHECK;

/** verb_print() - one JSON document and a newline. */
int verb_print(FILE *out, const char *text, size_t len, struct kata_err *err) MUST_CHECK;

#endif
