// SPDX-License-Identifier: Apache-2.0
/*
 * devices: rules of cgroup v1 in the spec's order, and behind them what the programs of a VM open on
 * the host whatever the container may: the guest's devices are its own, not these.
 */
#include "base/str.h"
#include "cgroup/plan.h"

#define PATH "linux.resources.devices"

/* Documentation/admin-guide/devices.txt */
static const char *const shims[] = {
	"c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",   "c 1:9 rwm",
	"c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm",
};
static const char *const vms[] = {
	"c 10:200 rwm", /* /dev/net/tun */
	"c 10:232 rwm", /* /dev/kvm */
	"c 10:238 rwm", /* /dev/vhost-net */
	"c 10:241 rwm", /* /dev/vhost-vsock */
};

static void add_line(struct cg_plan *p, bool allow, const char *line)
{
	struct cg_write *grown = arena_array(p->a, p->n + 1, sizeof(*grown));

	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->v[i];
	grown[p->n++] = (struct cg_write){ "devices",
					   allow ? "devices.allow" : "devices.deny", line,
					   PATH };
	p->v = grown;
}

static const char *number(const struct cg_plan *p, const int64_t *v)
{
	return v && *v >= 0 ? arena_printf(p->a, "%lld", (long long)*v) : "*";
}

static const char *line_of(const struct cg_plan *p, const struct oci_device_cgroup *d)
{
	bool all = !d->type || !*d->type || str_eq(d->type, "a");

	if (all && !d->major && !d->minor)
		return "a";
	return arena_printf(p->a, "%s %s:%s %s", all ? "a" : d->type, number(p, d->major),
			    number(p, d->minor),
			    d->access && *d->access ? d->access : "rwm");
}

void cg_plan_devices(const struct oci_resources *res, const struct cgroup_extra *extra,
		     struct cg_plan *p)
{
	const struct oci_device_cgroup *d = res ? res->devices.v : NULL;

	if (!res || res->devices.n == 0)
		return;
	for (size_t i = 0; i < res->devices.n; i++)
		add_line(p, d[i].allow, line_of(p, &d[i]));
	for (size_t i = 0; i < ARRAY_SIZE(shims); i++)
		add_line(p, true, shims[i]);
	for (size_t i = 0; extra->devices && i < ARRAY_SIZE(vms); i++)
		add_line(p, true, vms[i]);
}
