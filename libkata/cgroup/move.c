/* SPDX-License-Identifier: Apache-2.0 */
/*
 * move: processes from one group to another, and the name of a group beside a given one. For a VM
 * that outlives the container it was made for: that one's group is its name's, and is given back.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "cgroup/impl.h"
#include "cgroup/unit.h"

#define MAX_FILE (1u << 20)
#define SCOPE ".scope"
/* looks until the group must be empty: what forks between two is moved by the next */
#define MOVE_ROUNDS 64

static const char *scope_beside(const struct cg_unit *u, const char *tag, struct arena *a)
{
	if (u->is_slice || !str_has_suffix(u->name, SCOPE))
		return NULL;
	return arena_printf(a, CG_NAME_SYSTEMD "%s:%.*s%s" SCOPE, u->slice,
			    (int)(strlen(u->name) - strlen(SCOPE)), u->name, tag);
}

const char *cgroup_name_beside(const char *name, const char *tag, struct arena *a)
{
	struct buf b = { 0 };
	struct cg_unit u;
	const char *ret;
	size_t n;

	if (cg_unit_split(name, a, &u))
		return scope_beside(&u, tag, a);
	if (!str_has_prefix(name, CG_NAME_CGROUPFS))
		return NULL;
	for (; *name; name += n + (name[n] == '\n')) {
		n = strcspn(name, "\n");
		buf_addf(&b, "%s%.*s%s", buf_len(&b) ? "\n" : "", (int)n, name, tag);
	}
	ret = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return ret;
}

static const struct cg_dir *same_hier(const struct cgroup *g, const struct cg_dir *d)
{
	for (size_t i = 0; i < g->n_dirs; i++)
		if (str_eq(g->dirs[i].hier->names, d->hier->names))
			return &g->dirs[i];
	return NULL;
}

/** One look at who is in @from. *@ret_left: how many lines were read. */
static int move_those_there(const struct cg_dir *from, const struct cg_dir *to,
			    unsigned *ret_left, struct kata_err *err)
{
	AUTO_FREE char *pids = NULL;
	char *pid, *rest;
	int r = fs_read_at(from->fd, "cgroup.procs", MAX_FILE, &pids, NULL);

	*ret_left = 0;
	if (r < 0)
		return err_sys_code(err, r, "read %s/cgroup.procs", from->path);
	for (pid = strtok_r(pids, "\n", &rest); pid; pid = strtok_r(NULL, "\n", &rest)) {
		++*ret_left;
		r = fs_write_str(to->fd, "cgroup.procs", pid);
		/* it has ended since */
		if (r < 0 && r != -ESRCH)
			return err_sys_code(err, r, "move process %s to %s", pid,
					    to->path);
	}
	return 0;
}

static int empty_dir(const struct cg_dir *from, const struct cg_dir *to,
		     struct kata_err *err)
{
	unsigned left = 0;
	int r;

	for (unsigned i = 0; i < MOVE_ROUNDS; i++) {
		r = move_those_there(from, to, &left, err);
		if (r < 0 || !left)
			return r;
	}
	return err_set(err, -EBUSY, "%s: %u process(es) do not leave it", from->path,
		       left);
}

int cgroup_move(const struct cgroup *from, const struct cgroup *to, struct kata_err *err)
{
	int r = 0;

	for (size_t i = 0; i < from->n_dirs && r == 0; i++) {
		const struct cg_dir *there = same_hier(to, &from->dirs[i]);

		if (there)
			r = empty_dir(&from->dirs[i], there, err);
	}
	return r;
}
