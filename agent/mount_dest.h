/* SPDX-License-Identifier: Apache-2.0 */
/* mount_dest: the place of a mount below a container's root: opened, made if missing, judged. */
#ifndef KATA_AGENT_MOUNT_DEST_H
#define KATA_AGENT_MOUNT_DEST_H

#include "mount_plan.h"

/**
 * struct mount_dest
 * @source_fd: of a bind (O_PATH): a file is bound upon a file; else -1
 * @mode:      result: permissions of a directory that was there; -1 = it has been made
 */
struct mount_dest {
	const struct mount_op *op;
	int root_fd, source_fd;
	int mode;
};

/**
 * mount_dest_open() - O_PATH descriptor of d->op->dest.
 * Return: it or -errno; @err is set only where the errno does not say it.
 */
int mount_dest_open(struct mount_dest *d, struct kata_err *err) MUST_CHECK;

#endif
