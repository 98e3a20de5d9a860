// SPDX-License-Identifier: Apache-2.0
/*
 * apply: the plan's values into the group's files, one write each. What the host cannot do is an
 * error that names the property, the file and what the kernel said.
 */
#include <errno.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "cgroup/impl.h"
#include "cgroup/unit.h"

#define MAX_FILE (1u << 20)
#define DEVICES "linux.resources.devices"

static int write_one(const struct cgroup *g, const struct cg_write *w)
{
	const struct cg_dir *d = cg_dir_of(g, w->controller);

	return d ? fs_write_str(d->fd, w->file, w->value) : -ENODEV;
}

/** cpu.shares outside of its range is changed by v1, without a word. */
static int check_shares(const struct cgroup *g, const struct cg_write *w,
			struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	uint64_t want, have;

	if (!str_eq(w->file, "cpu.shares"))
		return 0;
	if (fs_read_at(cg_dir_of(g, "cpu")->fd, w->file, MAX_FILE, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u64(text, 0, UINT64_MAX, &have) < 0 ||
	    str_to_u64(w->value, 0, UINT64_MAX, &want) < 0 || want == have)
		return 0;
	return err_set(err, -EINVAL, "%s: the %s allowed cpu-shares is %llu", w->path,
		       want > have ? "maximum" : "minimum", (unsigned long long)have);
}

static int failed(const struct cgroup *g, const struct cg_write *w, int code,
		  struct kata_err *err)
{
	const struct cg_dir *d = cg_dir_of(g, w->controller);
	AUTO_FREE char *usage = NULL;

	if (code == -ENODEV && !d)
		return err_set(err, -ENOTSUP,
			       "%s: this host has no cgroup controller \"%s\"", w->path,
			       w->controller);
	if (code == -ENOENT)
		return err_set(
			err, -ENOTSUP,
			"%s: this host has no %s/%s: the controller is not enabled "
			"there, or the kernel is without it",
			w->path, d->path, w->file);
	if (code == -EBUSY && str_eq(w->file, "memory.limit_in_bytes") &&
	    fs_read_at(d->fd, "memory.usage_in_bytes", MAX_FILE, &usage, NULL) == 0) {
		usage[strcspn(usage, "\n")] = '\0';
		return err_set(err, code,
			       "%s: unable to set memory limit to %s (current usage: %s)",
			       w->path, w->value, usage);
	}
	return err_sys_code(err, code, "%s: write \"%s\" to %s/%s", w->path, w->value,
			    d->path, w->file);
}

/** @again: to be written once more, @n_again of them. */
static int write_all(const struct cgroup *g, const struct cg_plan *p,
		     struct kata_err *err)
{
	const struct cg_write **again = arena_array(p->a, p->n + 1, sizeof(*again));
	size_t n_again = 0;
	int r;

	for (size_t i = 0; i < p->n; i++) {
		const struct cg_write *w = &p->v[i];

		r = write_one(g, w);
		if ((w->flags & CG_OR_NEXT) && r != -ENOENT)
			i++;
		else if (w->flags & CG_OR_NEXT)
			continue;
		if (r == -EINVAL && (w->flags & CG_RETRY)) {
			again[n_again++] = w;
			continue;
		}
		if ((r == -ENOENT && (w->flags & CG_IF_THERE)) ||
		    (r == -EPERM && (w->flags & CG_IF_LET)))
			continue;
		r = r < 0 ? failed(g, w, r, err) : check_shares(g, w, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n_again; i++) {
		r = write_one(g, again[i]);
		if (r < 0)
			return failed(g, again[i], r, err);
	}
	return 0;
}

static const char *read_now(const struct cgroup *g, const char *file, struct arena *a)
{
	AUTO_FREE char *text = NULL;

	if (!g->host.unified ||
	    fs_read_at(g->dirs[0].fd, file, MAX_FILE, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return arena_strdup(a, text);
}

static int plan_devices(const struct cgroup *g, const struct jt_objv *rules,
			const struct cgroup_extra *extra, struct cg_plan *p,
			struct kata_err *err)
{
	const struct cg_dir *d = cg_dir_of(g, "devices");
	AUTO_FREE char *list = NULL;
	struct device_rules from, to;
	struct bpf_insn *program;
	size_t n;
	int r;

	r = cg_devices_make(rules, extra, p->a, &to, err);
	if (r < 0)
		return r;
	if (!d)
		return err_set(err, -ENOTSUP,
			       DEVICES
			       ": this host has no cgroup controller \"devices\"");
	if (p->unified) {
		n = device_rules_program(&to, p->a, &program);
		r = device_filter_attach(d->fd, program, n);
		return r < 0 ? err_sys_code(err, r, DEVICES ": attach a filter to %s",
					    d->path)
			     : 0;
	}
	r = fs_read_at(d->fd, "devices.list", MAX_FILE, &list, NULL);
	if (r < 0)
		return err_sys_code(err, r, DEVICES ": read %s/devices.list", d->path);
	cg_devices_list(list, p->a, &from);
	cg_plan_devices(&from, &to, p);
	return 0;
}

static int64_t number_in(const struct cgroup *g, const char *file)
{
	AUTO_FREE char *text = NULL;
	const struct cg_dir *d = cg_dir_of(g, "cpu");
	int64_t n = 0;

	if (!d || fs_read_at(d->fd, file, MAX_FILE, &text, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return str_to_i64(text, -1, INT64_MAX, &n) < 0 ? 0 : n;
}

static int tell_systemd(const struct cgroup *g, const struct cg_plan *p,
			struct kata_err *err)
{
	struct cg_quota now = { 0 };

	if (!p->unified)
		now = (struct cg_quota){
			.quota = number_in(g, "cpu.cfs_quota_us"),
			.period = (uint64_t)number_in(g, "cpu.cfs_period_us"),
		};
	return p->n ? cg_systemd_set(g->name, p, &now, err) : 0;
}

int cgroup_apply(struct cgroup *g, const struct oci_resources *res,
		 const struct cgroup_extra *extra, enum cgroup_when when,
		 struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct cg_plan p = { .unified = g->host.unified, .a = a };
	int r;

	if (g->n_dirs == 0 || !res)
		return 0;
	p.now.cpu_max = read_now(g, "cpu.max", a);
	p.now.memory_current = read_now(g, "memory.current", a);
	r = cg_plan_make(res, extra, when, &p, err);
	if (r == 0 && when != CGROUP_AT_START && res->devices.n)
		r = plan_devices(g, &res->devices, extra, &p, err);
	if (r == 0 && str_has_prefix(g->name, CG_NAME_SYSTEMD))
		r = tell_systemd(g, &p, err);
	return r < 0 ? r : write_all(g, &p, err);
}

struct cgroup_support cgroup_supported(void)
{
	return (struct cgroup_support){ .v1 = true,
					.v2 = true,
					.systemd = cg_systemd_built() };
}
