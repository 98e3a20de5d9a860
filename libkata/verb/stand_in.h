/* SPDX-License-Identifier: Apache-2.0 */
/* stand_in: what the makers of a kata-shim have in common. */
#ifndef KATA_VERB_STAND_IN_H
#define KATA_VERB_STAND_IN_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/spec.h"
#include "store/store.h"

/** stand_in_path() - of a helper program. Heap. KATA_LIBEXEC is for running from a build tree. */
char *stand_in_path(const char *name);

/** stand_in_env() - KATA_SHIM_*. @p may be NULL; @hostname NULL = leave it. */
struct stand_in_env {
	const struct oci_process *process;
	const char *hostname;
	bool own_root, callers_tty;
	const char *passed; /* struct passing's letters */
	const char *userns; /* SHIM_USERNS_*; NULL = none */
};
void stand_in_env(const struct stand_in_env *e, struct strv *ret_env);

/** stand_in_argv() - the process's own command line. */
char *const *stand_in_argv(const struct oci_process *p);

/**
 * stand_in_null_streams() - CTL_F_NULL() of each of the caller's 0, 1, 2 that is /dev/null, which the
 * guest has too: no bytes have to travel. None with a terminal.
 */
uint32_t stand_in_null_streams(const struct oci_process *p);

/** stand_in_record() - pid and start time. One that has ended already gets a time that never fits. */
int stand_in_record(pid_t pid, struct store_proc *ret, struct kata_err *err) MUST_CHECK;

/** stand_in_pid_file() - decimal, no newline (go-runc converts all of it), by rename. @path NULL = none wanted. */
int stand_in_pid_file(const char *path, pid_t pid, struct kata_err *err) MUST_CHECK;

#endif
