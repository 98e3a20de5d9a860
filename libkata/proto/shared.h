/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared: what the guest cannot see of a mount in the shared tree: its attributes. virtio-fs has a
 * directory that is a mount of the host mounted where it is met, with the attributes of what it is met
 * in: "ro" of a bind would hold below it too, and "nosuid" of the host would hold nowhere.
 */
#ifndef KATA_PROTO_SHARED_H
#define KATA_PROTO_SHARED_H

#include <stdint.h>

#include "base/jtab.h"

/** How the source of a bind begins that is the guest's own: "guest:/dev/null". */
#define SHARED_GUEST "guest:"

/** Mounts of one container that are told of. */
#define SHARED_MAX 1024

/** MOUNT_ATTR_* that are told, from <linux/mount.h>: RDONLY, NOSUID, NODEV, NOEXEC, __ATIME,
 *  NODIRATIME, NOSYMFOLLOW. */
#define SHARED_ATTRS ((uint64_t)(0x1 | 0x2 | 0x4 | 0x8 | 0x70 | 0x80 | 0x00200000))

/** struct shared_mount - @path: below the shared tree, clean: "c1/m3", "c1/m3/sub". */
struct shared_mount {
	const char *path;
	uint64_t attrs;
};

extern const struct jtab shared_tab;

#endif
