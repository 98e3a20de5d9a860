// SPDX-License-Identifier: Apache-2.0
/*
 * apply: the plan's values into the group's files, one write each. What the host cannot do is an
 * error that names the property, the file and what the kernel said.
 */
#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/impl.h"
#include "cgroup/plan.h"

static int write_one(const struct cgroup *g, const struct cg_write *w)
{
	const struct cg_dir *d = cg_dir_of(g, w->controller);

	return d ? fs_write_str(d->fd, w->file, w->value) : -ENODEV;
}

static int failed(const struct cgroup *g, const struct cg_write *w, int code,
		  struct kata_err *err)
{
	const struct cg_dir *d = cg_dir_of(g, w->controller);

	if (code == -ENODEV)
		return err_set(err, -ENOTSUP,
			       "%s: this host has no cgroup controller \"%s\"", w->path,
			       w->controller);
	if (code == -ENOENT)
		return err_set(err, -ENOTSUP, "%s: this host's kernel has no %s/%s",
			       w->path, d->path, w->file);
	return err_sys_code(err, code, "%s: write \"%s\" to %s/%s", w->path, w->value,
			    d->path, w->file);
}

/*
 * v1 keeps limit <= memsw at every moment: which of the two has to be written first depends on
 * whether they are raised or lowered. Return: 1 = both are written.
 */
static int swapped_pair(const struct cgroup *g, const struct cg_plan *p, size_t i)
{
	const struct cg_write *w = &p->v[i];

	if (i + 1 >= p->n || !str_eq(w->file, "memory.limit_in_bytes") ||
	    !str_eq(w[1].file, "memory.memsw.limit_in_bytes"))
		return 0;
	return write_one(g, &w[1]) == 0 && write_one(g, w) == 0;
}

static int write_all(const struct cgroup *g, const struct cg_plan *p,
		     struct kata_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		int r = write_one(g, &p->v[i]);

		if (r == 0)
			continue;
		if (!swapped_pair(g, p, i))
			return failed(g, &p->v[i], r, err);
		i++;
	}
	return 0;
}

int cgroup_apply(struct cgroup *g, const struct oci_resources *res,
		 const struct cgroup_extra *extra, enum cgroup_when when,
		 struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct cg_plan p = { .unified = g->host.unified, .a = a };
	int r;

	if (g->n_dirs == 0)
		return 0;
	r = cg_plan_make(res, extra, when, &p, err);
	if (r < 0)
		return r;
	if (when != CGROUP_AT_START && !p.unified)
		cg_plan_devices(res, extra, &p);
	return write_all(g, &p, err);
}

struct cgroup_support cgroup_supported(void)
{
	return (struct cgroup_support){ .v1 = true, .v2 = true };
}
