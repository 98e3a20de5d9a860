// SPDX-License-Identifier: Apache-2.0
/*
 * resources: gathers the facts, has the plan made, writes it. An update is all or nothing: what the
 * files said before is read as they are written, and put back in the other order when one is refused.
 *
 * A write may take its time: memory.max below what is used reclaims first, in the agent's own
 * call, as runc's does.
 */
#include "resources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "resources_plan.h"

/** Longest limit file; io.max has a line for each device. */
#define LIMIT_FILE_MAX (64u << 10)

/* The first line of a limit; NULL: cannot be told. */
static char *read_limit(int cgroup_fd, const char *file, struct arena *a)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fs_read_at(cgroup_fd, file, LIMIT_FILE_MAX, &text, &len) < 0)
		return NULL;
	return arena_strndup(a, text, strcspn(text, "\n"));
}

static struct resources_facts gather(int cgroup_fd, bool update, struct arena *a)
{
	struct resources_facts f = {
		.update = update,
		.cpus = (unsigned)get_nprocs(),
		/* a VM is given one node */
		.nodes = 1,
		.memory_max = read_limit(cgroup_fd, "memory.max", a),
		.cpu_max = read_limit(cgroup_fd, "cpu.max", a),
	};
	const char *used = read_limit(cgroup_fd, "memory.current", a);
	struct sysinfo info;

	if (sysinfo(&info) == 0)
		f.ram = (uint64_t)info.totalram * info.mem_unit;
	if (used && str_to_u64(used, 0, UINT64_MAX, &f.memory) < 0)
		f.memory = 0;
	return f;
}

/* Files of several lines take one in a write. */
static int write_lines(int cgroup_fd, const char *file, const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);
	char *rest = copy, *line;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		if (*line || !rest)
			r = fs_write_str(cgroup_fd, file, line);
	}
	return r;
}

static int write_one(int cgroup_fd, const struct resources_write *w, struct kata_err *err)
{
	int r = write_lines(cgroup_fd, w->file, w->value);

	if ((r == -ENOENT && w->optional) || (r == -EINVAL && w->again))
		return 0;
	if (r == -ENOENT)
		return err_set(err, r, "%s: the guest's kernel has no %s", w->property,
			       w->file);
	return r < 0 ? err_sys_code(err, r, "%s: write \"%s\" to %s", w->property,
				    w->value, w->file)
		     : 0;
}

/* What was there; files that only take commands (memory.reclaim) have nothing to go back to. */
static char *remember(int cgroup_fd, const char *file, struct arena *a)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fs_read_at(cgroup_fd, file, LIMIT_FILE_MAX, &text, &len) < 0)
		return NULL;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return arena_strdup(a, text);
}

static int write_plan(int cgroup_fd, const struct resources_plan *p, bool update,
		      struct arena *a, struct kata_err *err)
{
	char **old = arena_array(a, p->n + 1, sizeof(*old));
	size_t done = 0;
	int r = 0;

	for (; done < p->n; done++) {
		old[done] = update ? remember(cgroup_fd, p->w[done].file, a) : NULL;
		r = write_one(cgroup_fd, &p->w[done], err);
		if (r < 0)
			break;
	}
	while (r < 0 && done-- > 0) {
		/* the failure that is reported is the first one */
		if (old[done] && write_lines(cgroup_fd, p->w[done].file, old[done]) < 0)
			continue;
	}
	return r;
}

int resources_apply(int cgroup_fd, const struct oci_resources *res, bool update,
		    struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct resources_facts facts;
	struct resources_plan plan;
	int r;

	if (!res)
		return 0;
	facts = gather(cgroup_fd, update, a);
	r = resources_plan_make(res, &facts, a, &plan, err);
	if (r < 0 || plan.n == 0)
		return r;
	if (cgroup_fd < 0)
		return err_set(err, -ENOTSUP, "%s: the guest has no cgroups",
			       plan.w[0].property);
	return write_plan(cgroup_fd, &plan, update, a, err);
}
