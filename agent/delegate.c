// SPDX-License-Identifier: Apache-2.0
/*
 * delegate: see cgroups(7), "Cgroups delegation". Limits stay root's: the files that set them are
 * not in the kernel's list.
 */
#include "delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"

#define DELEGATE "/sys/kernel/cgroup/delegate"
#define DELEGATE_MAX 4096

static bool mounts_writable(const struct mount_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct mount_op *op = &plan->ops[i];

		if (op->kind == MOUNT_OP_CGROUP && !(op->flags & MS_RDONLY))
			return true;
	}
	return false;
}

uid_t delegate_owner(const struct oci_spec *spec, const struct mount_plan *plan,
		     const struct userns *u)
{
	const struct oci_user *user = spec->process ? spec->process->user : NULL;
	uint32_t uid = userns_uid(u, user ? user->uid : 0);

	if (!oci_spec_ns(spec, OCI_NS_CGROUP) || !mounts_writable(plan))
		return 0;
	return uid == ID_NONE ? 0 : uid;
}

int delegate_group(int fd, uid_t owner, struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	char *rest, *name;
	size_t len;
	int r;

	if (owner == 0 || fd < 0)
		return 0;
	if (fchown(fd, owner, (gid_t)-1) < 0)
		return err_sys(err, "chown of the container's cgroup");
	r = fs_read_at(AT_FDCWD, DELEGATE, DELEGATE_MAX, &text, &len);
	if (r < 0)
		return err_sys_code(err, r, "read " DELEGATE);
	rest = text;
	while ((name = strsep(&rest, "\n"))) {
		/* files of controllers that the guest has not */
		if (*name &&
		    fchownat(fd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			return err_sys(err, "chown of the container's %s", name);
	}
	return 0;
}
