// SPDX-License-Identifier: Apache-2.0
/*
 * plan: the values follow runc's: 0 means that nothing is asked for, -1 that there is no limit; v1's
 * shares and weights are converted for v2 by its formulas. Memory and pids are wider by what a VM
 * needs on the host, everything else is the spec's own.
 *
 * What the spec forbids (swap below limit, names with slashes) the loader has refused.
 *
 * hugepageLimits are the guest's: its kernel hands the pages out; the VM's RAM has none of the host's.
 * kernel and kernelTCP are not written: the kernel has taken them away (5.16), runc ignores them.
 */
#include "cgroup/plan.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define RES "linux.resources."
#define PERIOD_DEFAULT 100000 /* microseconds, the kernel's */

static struct cg_write *add(struct cg_plan *p, const char *controller, const char *file,
			    const char *value, const char *path)
{
	struct cg_write *grown = arena_array(p->a, p->n + 1, sizeof(*grown));

	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->v[i];
	grown[p->n] = (struct cg_write){ controller, file, value, path, 0 };
	p->v = grown;
	return &p->v[p->n++];
}

/* A number, with "no limit" in the version's own word. */
static const char *limit_text(const struct cg_plan *p, int64_t v)
{
	if (v < 0)
		return p->unified ? "max" : "-1";
	return arena_printf(p->a, "%lld", (long long)v);
}

static const char *u64_text(const struct cg_plan *p, uint64_t v)
{
	return arena_printf(p->a, "%llu", (unsigned long long)v);
}

static int only_v1(const char *path, struct kata_err *err)
{
	return err_set(err, -ENOTSUP, "%s: cgroup v2 of this host has no such control",
		       path);
}

static int64_t value_of(const int64_t *v)
{
	return v ? *v : 0;
}

/* --- memory ------------------------------------------------------------------------------- */

static int64_t widen_only(int64_t limit, const struct cgroup_extra *extra)
{
	uint64_t v = (uint64_t)limit + extra->memory;

	if (limit <= 0)
		return limit;
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static int64_t widen(int64_t limit, const struct cgroup_extra *extra)
{
	int64_t v = widen_only(limit, extra);

	if (limit > 0 && (uint64_t)v < extra->min_memory)
		v = (int64_t)extra->min_memory;
	return v;
}

/** OCI counts memory and swap together, v2 swap alone. @ret: 0 = nothing to write, unless *@zero. */
static int swap_value(const struct cg_plan *p, const struct oci_memory *m,
		      const struct cgroup_extra *extra, int64_t *ret, bool *zero,
		      struct kata_err *err)
{
	int64_t limit = value_of(m->limit), swap = value_of(m->swap);

	*zero = false;
	*ret = swap;
	if (swap == 0 && limit == -1)
		*ret = -1; /* no limit is none of either kind */
	if (swap <= 0)
		return 0;
	if (limit <= 0 && p->unified)
		return err_set(
			err, -EINVAL,
			RES "memory.swap: unable to set swap limit without memory limit");
	if (p->unified)
		*ret = swap - limit;
	else
		*ret = limit > 0 ? widen(limit, extra) + (swap - limit)
				 : widen(swap, extra);
	*zero = *ret == 0;
	return 0;
}

static int plan_swap(const struct oci_memory *m, const struct cgroup_extra *extra,
		     struct cg_plan *p, struct kata_err *err)
{
	struct cg_write *w;
	int64_t swap;
	bool zero;
	int r = swap_value(p, m, extra, &swap, &zero, err);

	if (r < 0 || (swap == 0 && !zero))
		return r;
	w = add(p, "memory",
		p->unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
		limit_text(p, swap), RES "memory.swap");
	w->flags = CG_RETRY;
	/* a kernel that accounts no swap: unlimited it is, and where it is 0 none is given */
	if (swap < 0 || zero)
		w->flags |= CG_IF_THERE;
	return 0;
}

static int check_usage(const struct oci_memory *m, const struct cgroup_extra *extra,
		       const struct cg_plan *p, struct kata_err *err)
{
	int64_t limit = widen(value_of(m->limit), extra), now;

	if (!m->checkBeforeUpdate || !*m->checkBeforeUpdate || limit <= 0 ||
	    !p->now.memory_current ||
	    str_to_i64(p->now.memory_current, 0, INT64_MAX, &now) < 0 || now <= limit)
		return 0;
	return err_set(
		err, -EBUSY,
		RES
		"memory.limit: unable to set memory limit to %lld (current usage: %lld)",
		(long long)limit, (long long)now);
}

/* What v2 has no file for: runc does nothing there, silently, and engines count on it. */
static void plan_memory_v1(const struct oci_memory *m, struct cg_plan *p)
{
	if (p->unified)
		return;
	if (m->swappiness && *m->swappiness <= 100) /* else it is docker's "not set" */
		add(p, "memory", "memory.swappiness", u64_text(p, *m->swappiness),
		    RES "memory.swappiness");
}

static int plan_memory(const struct oci_memory *m, const struct cgroup_extra *extra,
		       struct cg_plan *p, struct kata_err *err)
{
	bool v2 = p->unified;
	int r;

	if (!m)
		return 0;
	r = check_usage(m, extra, p, err);
	if (r < 0)
		return r;
	/* v1 keeps limit <= memsw at all times: raised, memsw goes first */
	if (value_of(m->limit))
		add(p, "memory", v2 ? "memory.max" : "memory.limit_in_bytes",
		    limit_text(p, widen(*m->limit, extra)), RES "memory.limit")
			->flags = CG_RETRY;
	r = plan_swap(m, extra, p, err);
	if (r < 0)
		return r;
	if (value_of(m->reservation))
		add(p, "memory", v2 ? "memory.low" : "memory.soft_limit_in_bytes",
		    limit_text(p, widen_only(*m->reservation, extra)),
		    RES "memory.reservation");
	plan_memory_v1(m, p);
	return 0;
}

/* --- cpu ---------------------------------------------------------------------------------- */

/* 2..262144 to 1..10000, as runc and crun have it. */
static uint64_t weight_of_shares(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + (shares - 2) * 9999 / 262142;
}

/* v2 has both in one file: what is not named stays as it is. */
static const char *cpu_max(const struct cg_plan *p, int64_t quota, uint64_t period)
{
	const char *now = p->now.cpu_max ? p->now.cpu_max : "max";
	const char *left = quota > 0 ? limit_text(p, quota) : "max";
	const char *right = now + strcspn(now, " \n");

	right += strspn(right, " \n");
	if (period)
		right = u64_text(p, period);
	else if (*right)
		right = arena_strndup(p->a, right, strcspn(right, " \n"));
	else
		right = u64_text(p, PERIOD_DEFAULT);
	if (!quota)
		left = arena_strndup(p->a, now, strcspn(now, " \n"));
	return arena_printf(p->a, "%s %s", left, right);
}

static void plan_quota(const struct oci_cpu *c, struct cg_plan *p)
{
	int64_t quota = value_of(c->quota);
	uint64_t period = c->period ? *c->period : 0;

	if (p->unified && (quota || period))
		add(p, "cpu", "cpu.max", cpu_max(p, quota, period), RES "cpu.quota")
			->flags = CG_RETRY;
	/* a period or burst that only fits the new quota */
	if (!p->unified && period)
		add(p, "cpu", "cpu.cfs_period_us", u64_text(p, period), RES "cpu.period")
			->flags = CG_RETRY;
	if (!p->unified && quota)
		add(p, "cpu", "cpu.cfs_quota_us", limit_text(p, quota < 0 ? -1 : quota),
		    RES "cpu.quota")
			->flags = CG_RETRY;
	if (c->burst)
		add(p, "cpu", p->unified ? "cpu.max.burst" : "cpu.cfs_burst_us",
		    u64_text(p, *c->burst), RES "cpu.burst")
			->flags = CG_RETRY | (*c->burst ? 0 : CG_IF_THERE);
}

static void plan_cpu(const struct oci_cpu *c, enum cgroup_when when, struct cg_plan *p)
{
	if (!c)
		return;
	if (when != CGROUP_AT_CREATE)
		plan_quota(c, p);
	if (when == CGROUP_AT_START)
		return;
	/* an idle group takes no weight: EINVAL */
	if (c->idle && *c->idle == 0)
		add(p, "cpu", "cpu.idle", "0", RES "cpu.idle")->flags = CG_IF_THERE;
	if (c->shares && *c->shares)
		add(p, "cpu", p->unified ? "cpu.weight" : "cpu.shares",
		    u64_text(p, p->unified ? weight_of_shares(*c->shares) : *c->shares),
		    RES "cpu.shares");
	if (c->idle && *c->idle)
		add(p, "cpu", "cpu.idle", limit_text(p, *c->idle), RES "cpu.idle");
	if (c->cpus && *c->cpus)
		add(p, "cpuset", "cpuset.cpus", c->cpus, RES "cpu.cpus");
	if (c->mems && *c->mems)
		add(p, "cpuset", "cpuset.mems", c->mems, RES "cpu.mems");
}

/* --- block I/O ---------------------------------------------------------------------------- */

/* 10..1000 to 1..10000 of io.bfq.weight's kin, runc's formula. */
static uint64_t io_weight(uint32_t weight)
{
	return 1 + ((uint64_t)(weight < 10 ? 10 : weight) - 10) * 9999 / 990;
}

/* BFQ's files where that scheduler is, else the other's; @dev: "8:0 " or "". */
static void add_weight(struct cg_plan *p, uint32_t weight, const char *dev, bool device,
		       const char *path)
{
	const char *plain = arena_printf(p->a, "%s%u", dev, weight);

	if (p->unified) {
		add(p, "io", "io.bfq.weight", plain, path)->flags = CG_OR_NEXT;
		add(p, "io", "io.weight",
		    arena_printf(p->a, "%s%llu", dev,
				 (unsigned long long)io_weight(weight)),
		    path);
		return;
	}
	add(p, "blkio", device ? "blkio.weight_device" : "blkio.weight", plain, path)
		->flags = CG_OR_NEXT;
	add(p, "blkio", device ? "blkio.bfq.weight_device" : "blkio.bfq.weight", plain,
	    path);
}

static int plan_leaf_weight(const char *dev, const uint32_t *weight, const char *file,
			    const char *path, struct cg_plan *p, struct kata_err *err)
{
	if (!weight || !*weight)
		return 0;
	if (p->unified)
		return only_v1(path, err);
	add(p, "blkio", file, arena_printf(p->a, "%s%u", dev, *weight), path);
	return 0;
}

static int plan_weights(const struct oci_block_io *b, struct cg_plan *p,
			struct kata_err *err)
{
	const struct oci_weight_device *d = b->weightDevice.v;
	int r;

	if (b->weight && *b->weight)
		add_weight(p, *b->weight, "", false, RES "blockIO.weight");
	r = plan_leaf_weight("", b->leafWeight, "blkio.leaf_weight",
			     RES "blockIO.leafWeight", p, err);
	for (size_t i = 0; i < b->weightDevice.n && r == 0; i++) {
		const char *dev = arena_printf(p->a, "%lld:%lld ", (long long)d[i].major,
					       (long long)d[i].minor);

		if (d[i].weight && *d[i].weight)
			add_weight(p, *d[i].weight, dev, true,
				   arena_printf(p->a,
						RES "blockIO.weightDevice[%zu].weight",
						i));
		r = plan_leaf_weight(
			dev, d[i].leafWeight, "blkio.leaf_weight_device",
			arena_printf(p->a, RES "blockIO.weightDevice[%zu].leafWeight", i),
			p, err);
	}
	return r;
}

static void plan_throttle(const struct oci_block_io *b, struct cg_plan *p)
{
	const struct {
		const struct jt_objv *list;
		const char *v1, *v2, *path;
	} kinds[] = {
		{ &b->throttleReadBpsDevice, "blkio.throttle.read_bps_device", "rbps",
		  RES "blockIO.throttleReadBpsDevice" },
		{ &b->throttleWriteBpsDevice, "blkio.throttle.write_bps_device", "wbps",
		  RES "blockIO.throttleWriteBpsDevice" },
		{ &b->throttleReadIOPSDevice, "blkio.throttle.read_iops_device", "riops",
		  RES "blockIO.throttleReadIOPSDevice" },
		{ &b->throttleWriteIOPSDevice, "blkio.throttle.write_iops_device",
		  "wiops", RES "blockIO.throttleWriteIOPSDevice" },
	};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct oci_throttle_device *d = kinds[k].list->v;

		for (size_t i = 0; i < kinds[k].list->n; i++)
			add(p, p->unified ? "io" : "blkio",
			    p->unified ? "io.max" : kinds[k].v1,
			    arena_printf(
				    p->a, "%lld:%lld %s%s%llu", (long long)d[i].major,
				    (long long)d[i].minor, p->unified ? kinds[k].v2 : "",
				    p->unified ? "=" : "", (unsigned long long)d[i].rate),
			    arena_printf(p->a, "%s[%zu]", kinds[k].path, i));
	}
}

/* --- the rest ----------------------------------------------------------------------------- */

static void plan_pids(const struct oci_pids *pids, const struct cgroup_extra *extra,
		      struct cg_plan *p)
{
	int64_t limit = pids ? value_of(pids->limit) : 0;

	if (!limit)
		return;
	add(p, "pids", "pids.max",
	    limit < 0 ? "max" : limit_text(p, limit + (int64_t)extra->pids),
	    RES "pids.limit");
}

static const char *widen_text(const struct cg_plan *p, const char *key, const char *value,
			      const struct cgroup_extra *extra)
{
	int64_t n;

	if (str_to_i64(value, 0, INT64_MAX, &n) < 0)
		return value; /* "max", or what the kernel refuses */
	if (str_eq(key, "memory.max") || str_eq(key, "memory.high"))
		return u64_text(p, (uint64_t)(n ? widen(n, extra) : 0));
	if (str_eq(key, "pids.max"))
		return u64_text(p, (uint64_t)n + extra->pids);
	return value;
}

static bool is_quota(const char *key)
{
	return str_eq(key, "cpu.max") || str_eq(key, "cpu.max.burst");
}

/* Keys of v2, which the guest's group always is. On a v1 host there is nothing else to write. */
static int plan_unified(const struct jt_map *unified, const struct cgroup_extra *extra,
			enum cgroup_when when, struct cg_plan *p, struct kata_err *err)
{
	for (size_t i = 0; i < unified->n; i++) {
		const char *key = unified->keys[i];
		const char *dot = strchr(key, '.');
		const char *path = arena_printf(p->a, RES "unified[\"%s\"]", key);

		if (!dot || dot == key || !dot[1])
			return err_set(err, -EINVAL,
				       "%s: must be in the form CONTROLLER.PARAMETER",
				       path);
		if (!p->unified || (when != CGROUP_AT_UPDATE &&
				    is_quota(key) != (when == CGROUP_AT_START)))
			continue;
		add(p, arena_strndup(p->a, key, (size_t)(dot - key)), key,
		    widen_text(p, key, unified->vals[i], extra), path);
	}
	return 0;
}

int cg_plan_make(const struct oci_resources *res, const struct cgroup_extra *extra,
		 enum cgroup_when when, struct cg_plan *ret, struct kata_err *err)
{
	int r;

	if (!res)
		return 0;
	plan_cpu(res->cpu, when, ret);
	if (when == CGROUP_AT_START)
		return plan_unified(&res->unified, extra, when, ret, err);
	r = plan_memory(res->memory, extra, ret, err);
	if (r == 0 && res->blockIO)
		r = plan_weights(res->blockIO, ret, err);
	if (r < 0)
		return r;
	plan_pids(res->pids, extra, ret);
	if (res->blockIO)
		plan_throttle(res->blockIO, ret);
	return plan_unified(&res->unified, extra, when, ret, err);
}
