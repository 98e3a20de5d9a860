// SPDX-License-Identifier: Apache-2.0
/*
 * vm_group: a VM's processes are in the cgroup of the container that it was made for, so that engines
 * count them there. When that one is deleted and others live on in the VM, its group is
 * given back, for a container of that name may be made again (docker restart): the processes move to
 * a group beside it, with the same limits.
 *
 * Nothing needs to be recorded before: the group's name is made of the old one's and of
 * kata-sandbox's pid, which every member has in its record. When the old group has gone a file in the
 * VM's directory says so; from then on its name is somebody else's.
 */
#include "verb/vm_group.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "verb/limits.h"

#define MOVED_NAME "cgroup-moved"

/* NULL: none can be */
static const char *name_apart(const struct verb_box *box)
{
	const struct store_record *r = &box->rec;

	if (!r->sandbox || !r->sandbox_cgroup)
		return NULL;
	return cgroup_name_beside(
		r->sandbox_cgroup,
		arena_printf(box->arena, "-vm%lld", (long long)r->sandbox->pid),
		box->arena);
}

/* Processes in it that are not ours are no reason to keep a container for ever. */
int group_remove(const char *name, struct kata_err *err)
{
	int rc = name ? cgroup_remove(name, err) : 0;

	if (rc != -EBUSY)
		return rc;
	log_warn("%s: processes that are not the container's are in it", err->msg);
	err_done(err);
	return 0;
}

static int open_vm_dir(const struct verb_box *box)
{
	AUTO_FREE char *path = store_sandbox_path(box->root, box->rec.sandbox_id);

	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- moving -------------------------------------------------------------------------------- */

static int limit(const struct verb_box *box, struct cgroup *g, struct kata_err *err)
{
	struct cgroup_extra extra;
	struct limits had;
	int rc = limits_read(box, &had, err);

	verb_cgroup_extra(&box->rec, &extra);
	if (rc == 0)
		rc = cgroup_apply(g, &had.res, &extra, CGROUP_AT_CREATE, err);
	return rc < 0 ? rc : cgroup_apply(g, &had.res, &extra, CGROUP_AT_START, err);
}

/* A delete that was killed has made it already. */
static int open_or_make(const struct verb_box *box, const char *name, struct cgroup **ret,
			struct kata_err *err)
{
	int rc = cgroup_open(name, ret, err);

	if (rc != -ENOENT)
		return rc;
	err_done(err);
	return cgroup_make(name, (pid_t)box->rec.sandbox->pid, &box->rec.annotations, ret,
			   err);
}

static int move(const struct verb_box *box, const char *name, struct kata_err *err)
{
	AUTO(cgroup) *from = NULL;
	AUTO(cgroup) *to = NULL;
	int rc = open_or_make(box, name, &to, err);

	if (rc == 0)
		rc = limit(box, to, err);
	if (rc == 0)
		rc = cgroup_open(box->rec.sandbox_cgroup, &from, err);
	if (rc == 0)
		rc = cgroup_move(from, to, err);
	if (rc == 0)
		rc = cgroup_remove(box->rec.sandbox_cgroup, err);
	return rc;
}

void vm_group_move_out(const struct verb_box *box)
{
	AUTO_CLOSE int dir = open_vm_dir(box);
	const char *name = name_apart(box);
	struct kata_err err = { 0 };
	int rc;

	if (!name || dir < 0 || !box->rec.vm_memory)
		return;
	rc = move(box, name, &err);
	if (rc == 0)
		rc = fs_write_atomic(dir, MOVED_NAME, "", 0, 0600);
	if (rc < 0)
		log_warn("the VM of %s goes on in its cgroup: %s", box->rec.id,
			 err.code ? err.msg : err_text(-rc));
}

/* --- removing ------------------------------------------------------------------------------ */

int vm_group_remove(const struct verb_box *box, struct kata_err *err)
{
	AUTO_CLOSE int dir = open_vm_dir(box);
	int rc;

	/* the directory goes last: who finds none has nothing to clean up but its own */
	if (dir < 0)
		return box->rec.vm_memory ? group_remove(box->rec.cgroup, err) : 0;
	rc = group_remove(name_apart(box), err);
	if (rc < 0 || faccessat(dir, MOVED_NAME, F_OK, 0) == 0)
		return rc;
	return group_remove(box->rec.sandbox_cgroup, err);
}
