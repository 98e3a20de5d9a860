// SPDX-License-Identifier: Apache-2.0
/*
 * vm_disks: where a block device is that config.json names by numbers. Its path there is one of the
 * container; the kernel tells the name in /dev (devtmpfs), with and without udev. A node of our own
 * would not do: /run, where it would be, is mounted nodev.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fs.h"
#include "base/str.h"
#include "vmm/vm_plan.h"

#define UEVENT_MAX 4096

/* "/dev/NAME" of a device that is there, from "DEVNAME=NAME". */
static const char *node_of(char *uevent, struct arena *a)
{
	char *line;

	while ((line = strsep(&uevent, "\n"))) {
		if (str_has_prefix(line, "DEVNAME="))
			return arena_printf(a, "/dev/%s", line + strlen("DEVNAME="));
	}
	return NULL;
}

static int find_one(struct vm_disk *d, struct arena *a, struct kata_err *err)
{
	const char *sys = arena_printf(a, "/sys/dev/block/%u:%u/uevent", d->major,
				       d->minor);
	AUTO_FREE char *uevent = NULL;
	const char *path;
	struct stat st;
	size_t len;

	if (fs_read_at(AT_FDCWD, sys, UEVENT_MAX, &uevent, &len) < 0)
		return err_set(err, -ENODEV,
			       "linux.devices[%zu]: the host has no block device %u:%u",
			       d->device, d->major, d->minor);
	path = node_of(uevent, a);
	if (!path || stat(path, &st) < 0 || !S_ISBLK(st.st_mode) ||
	    st.st_rdev != makedev(d->major, d->minor))
		return err_set(
			err, -ENODEV,
			"linux.devices[%zu]: block device %u:%u of the host is not "
			"at %s",
			d->device, d->major, d->minor, path ? path : "/dev");
	d->path = path;
	return 0;
}

int vm_disks_find(struct vm_plan *plan, struct arena *a, struct kata_err *err)
{
	int r = 0;

	for (unsigned i = 0; i < plan->n_disks && r == 0; i++) {
		if (plan->disks[i].serial)
			r = find_one(&plan->disks[i], a, err);
	}
	return r;
}
