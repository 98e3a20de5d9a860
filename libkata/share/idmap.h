/* SPDX-License-Identifier: Apache-2.0 */
/* idmap: a mount whose files belong to others: mounts[].uidMappings, gidMappings. */
#ifndef KATA_SHARE_IDMAP_H
#define KATA_SHARE_IDMAP_H

#include "share/share.h"

/**
 * idmap_mount() - map the owners of the files of @tree, a mount that is nowhere yet, as b->map says;
 * /proc is one that shows this process.
 * Return: 0 or -errno; -ENOTSUP: the host's kernel cannot for this file system.
 */
int idmap_mount(int tree, const struct share_bind *b, struct kata_err *err) MUST_CHECK;

#endif
