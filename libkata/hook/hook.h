/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook: run OCI hooks on the host (CONTRACT 1.13). The state document goes to
 * stdin, cwd is the bundle, the environment is exactly the hook's when it has
 * one; a timeout kills the hook's process group. Output is kept (bounded) for
 * the error text: "error running prestart hook #0: exit status 1, stdout: , stderr: boom".
 */
#ifndef KATA_HOOK_HOOK_H
#define KATA_HOOK_HOOK_H

#include "oci/spec.h"
#include "oci/state.h"

/**
 * struct hook_place - where hooks run; descriptors are borrowed.
 * @bundle_fd: cwd of the hooks
 * @mntns_fd:  when >= 0 the mount namespace they run in (createContainer), else ours
 * @cancel_fd: when >= 0 (a signalfd): readable = kill the hook and fail with -EINTR
 */
struct hook_place {
	int bundle_fd, mntns_fd, cancel_fd;
};
#define HOOK_PLACE_INIT                                                                  \
	{                                                                                \
		-1, -1, -1                                                               \
	}

/**
 * hook_run_all() - the hooks of @kind in order; stops at the first failure, but for poststop
 * hooks, which all run: then @err tells of every failure and has the first one's code.
 * @hooks may be NULL. -ETIMEDOUT: ran past its timeout; -EINTR: cancelled; -EIO: it failed.
 */
int hook_run_all(const struct oci_hooks *hooks, enum oci_hook_kind kind,
		 const struct oci_state *state, const struct hook_place *place,
		 struct kata_err *err) MUST_CHECK;

#endif
