/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs: the container's root: taken from the shared tree, furnished, closed
 * off, and made "/". All in the child, which is in its own mount namespace.
 */
#ifndef KATA_AGENT_ROOTFS_H
#define KATA_AGENT_ROOTFS_H

#include "oci/spec.h"

/** rootfs_isolate() - make all mounts private. */
int rootfs_isolate(struct kata_err *err) MUST_CHECK;
/** rootfs_open() - after it: bind @path (with what is mounted below) on itself.
 *  Return: O_PATH fd of the new mount, which is the root for all that follows. */
int rootfs_open(const char *path, struct kata_err *err) MUST_CHECK;

/** rootfs_links() - /dev/fd, /dev/stdin, /dev/stdout, /dev/stderr, /dev/core, /dev/ptmx. */
int rootfs_links(int root_fd, struct kata_err *err) MUST_CHECK;

/** rootfs_mask() - linux.readonlyPaths and linux.maskedPaths; what is not there is skipped. */
int rootfs_mask(int root_fd, const struct oci_linux *linux_,
		struct kata_err *err) MUST_CHECK;

/** rootfs_readonly() - the root's own mount. */
int rootfs_readonly(int root_fd, struct kata_err *err) MUST_CHECK;

/** rootfs_enter() - pivot_root, the old tree is gone; then rootfsPropagation (NULL = private). */
int rootfs_enter(int root_fd, const char *propagation, struct kata_err *err) MUST_CHECK;

#endif
