// SPDX-License-Identifier: Apache-2.0
/*
 * plan: the values follow runc's: 0 means that nothing is asked for, -1 that there is no limit; v1's
 * shares and weights are converted for v2 by its formulas. Memory and pids are wider by what a VM
 * needs on the host, everything else is the spec's own.
 *
 * kernel and kernelTCP are not written: the kernel has taken them away (5.16), runc ignores them.
 */
#include "cgroup/plan.h"

#include <errno.h>

#include "base/str.h"

#define RES "linux.resources."
#define PERIOD_DEFAULT 100000 /* microseconds, the kernel's */

static void add(struct cg_plan *p, const char *controller, const char *file,
		const char *value, const char *path)
{
	struct cg_write *grown = arena_array(p->a, p->n + 1, sizeof(*grown));

	for (size_t i = 0; i < p->n; i++)
		grown[i] = p->v[i];
	grown[p->n++] = (struct cg_write){ controller, file, value, path };
	p->v = grown;
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

static int64_t widen(int64_t limit, const struct cgroup_extra *extra)
{
	uint64_t v;

	if (limit <= 0)
		return limit;
	v = (uint64_t)limit + extra->memory;
	if (v < extra->min_memory)
		v = extra->min_memory;
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* OCI counts memory and swap together, v2 swap alone. */
static int64_t swap_value(const struct cg_plan *p, const struct oci_memory *m,
			  const struct cgroup_extra *extra)
{
	int64_t limit = value_of(m->limit), swap = value_of(m->swap);

	if (swap <= 0)
		return swap;
	if (limit > 0 && swap >= limit)
		return p->unified ? swap - limit : widen(limit, extra) + (swap - limit);
	return p->unified ? swap : widen(swap, extra);
}

static int plan_memory(const struct oci_memory *m, const struct cgroup_extra *extra,
		       struct cg_plan *p, struct kata_err *err)
{
	bool v2 = p->unified;

	if (!m)
		return 0;
	if (value_of(m->limit))
		add(p, "memory", v2 ? "memory.max" : "memory.limit_in_bytes",
		    limit_text(p, widen(*m->limit, extra)), RES "memory.limit");
	if (value_of(m->swap))
		add(p, "memory", v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
		    limit_text(p, swap_value(p, m, extra)), RES "memory.swap");
	if (value_of(m->reservation))
		add(p, "memory", v2 ? "memory.low" : "memory.soft_limit_in_bytes",
		    limit_text(p, *m->reservation > 0
					  ? *m->reservation + (int64_t)extra->memory
					  : *m->reservation),
		    RES "memory.reservation");
	/* runc on v2: no such file, nothing done; -1 is "as it is" */
	if (m->swappiness && !v2 && *m->swappiness <= 100)
		add(p, "memory", "memory.swappiness", u64_text(p, *m->swappiness),
		    RES "memory.swappiness");
	if (m->swappiness && *m->swappiness > 100 && *m->swappiness != UINT64_MAX)
		return err_set(err, -EINVAL, RES "memory.swappiness: must be 0 to 100");
	if (m->disableOOMKiller && *m->disableOOMKiller && !v2)
		add(p, "memory", "memory.oom_control", "1",
		    RES "memory.disableOOMKiller");
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

static void plan_quota(const struct oci_cpu *c, struct cg_plan *p)
{
	int64_t quota = value_of(c->quota);
	uint64_t period = c->period ? *c->period : 0;

	if (p->unified && (quota || period))
		add(p, "cpu", "cpu.max",
		    arena_printf(p->a, "%s %llu",
				 quota > 0 ? limit_text(p, quota) : "max",
				 (unsigned long long)(period ? period : PERIOD_DEFAULT)),
		    RES "cpu.quota");
	if (!p->unified && period)
		add(p, "cpu", "cpu.cfs_period_us", u64_text(p, period), RES "cpu.period");
	if (!p->unified && quota)
		add(p, "cpu", "cpu.cfs_quota_us", limit_text(p, quota < 0 ? -1 : quota),
		    RES "cpu.quota");
	if (c->burst && *c->burst)
		add(p, "cpu", p->unified ? "cpu.max.burst" : "cpu.cfs_burst_us",
		    u64_text(p, *c->burst), RES "cpu.burst");
}

static int plan_realtime(const struct oci_cpu *c, struct cg_plan *p, struct kata_err *err)
{
	bool asked = (c->realtimePeriod && *c->realtimePeriod) ||
		     value_of(c->realtimeRuntime);

	if (!asked)
		return 0;
	if (p->unified)
		return only_v1(RES "cpu.realtimeRuntime", err);
	if (c->realtimePeriod && *c->realtimePeriod)
		add(p, "cpu", "cpu.rt_period_us", u64_text(p, *c->realtimePeriod),
		    RES "cpu.realtimePeriod");
	if (value_of(c->realtimeRuntime))
		add(p, "cpu", "cpu.rt_runtime_us", limit_text(p, *c->realtimeRuntime),
		    RES "cpu.realtimeRuntime");
	return 0;
}

static int plan_cpu(const struct oci_cpu *c, enum cgroup_when when, struct cg_plan *p,
		    struct kata_err *err)
{
	if (!c)
		return 0;
	if (when != CGROUP_AT_CREATE)
		plan_quota(c, p);
	if (when == CGROUP_AT_START)
		return 0;
	if (c->shares && *c->shares)
		add(p, "cpu", p->unified ? "cpu.weight" : "cpu.shares",
		    u64_text(p, p->unified ? weight_of_shares(*c->shares) : *c->shares),
		    RES "cpu.shares");
	if (c->idle)
		add(p, "cpu", "cpu.idle", limit_text(p, *c->idle), RES "cpu.idle");
	if (c->cpus && *c->cpus)
		add(p, "cpuset", "cpuset.cpus", c->cpus, RES "cpu.cpus");
	if (c->mems && *c->mems)
		add(p, "cpuset", "cpuset.mems", c->mems, RES "cpu.mems");
	return plan_realtime(c, p, err);
}

/* --- block I/O ---------------------------------------------------------------------------- */

/* 10..1000 to 1..10000 of io.bfq.weight's kin, runc's formula. */
static uint64_t io_weight(uint32_t weight)
{
	return 1 + ((uint64_t)(weight < 10 ? 10 : weight) - 10) * 9999 / 990;
}

static void plan_weights(const struct oci_block_io *b, struct cg_plan *p)
{
	const struct oci_weight_device *d = b->weightDevice.v;

	if (b->weight && *b->weight && p->unified)
		add(p, "io", "io.weight",
		    arena_printf(p->a, "default %llu",
				 (unsigned long long)io_weight(*b->weight)),
		    RES "blockIO.weight");
	if (b->weight && *b->weight && !p->unified)
		add(p, "blkio", "blkio.weight", u64_text(p, *b->weight),
		    RES "blockIO.weight");
	if (b->leafWeight && *b->leafWeight && !p->unified)
		add(p, "blkio", "blkio.leaf_weight", u64_text(p, *b->leafWeight),
		    RES "blockIO.leafWeight");
	for (size_t i = 0; i < b->weightDevice.n; i++) {
		uint64_t w = d[i].weight ? *d[i].weight : 0;

		if (!w)
			continue;
		add(p, p->unified ? "io" : "blkio",
		    p->unified ? "io.weight" : "blkio.weight_device",
		    arena_printf(p->a, "%lld:%lld %llu", (long long)d[i].major,
				 (long long)d[i].minor,
				 (unsigned long long)(p->unified ? io_weight((uint32_t)w)
								 : w)),
		    RES "blockIO.weightDevice");
	}
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
			    kinds[k].path);
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

static void plan_hugetlb(const struct jt_objv *limits, struct cg_plan *p)
{
	const struct oci_hugepage_limit *l = limits->v;

	for (size_t i = 0; i < limits->n; i++)
		add(p, "hugetlb",
		    arena_printf(p->a, "hugetlb.%s.%s", l[i].pageSize,
				 p->unified ? "max" : "limit_in_bytes"),
		    u64_text(p, l[i].limit), RES "hugepageLimits");
}

static int plan_network(const struct oci_network *net, struct cg_plan *p,
			struct kata_err *err)
{
	const struct oci_if_prio *prio = net ? net->priorities.v : NULL;
	bool class = net && net->classID && *net->classID;

	if (net && p->unified && (class || net->priorities.n))
		return only_v1(class ? RES "network.classID" : RES "network.priorities",
			       err);
	if (class)
		add(p, "net_cls", "net_cls.classid", u64_text(p, *net->classID),
		    RES "network.classID");
	for (size_t i = 0; net && i < net->priorities.n; i++)
		add(p, "net_prio", "net_prio.ifpriomap",
		    arena_printf(p->a, "%s %u", prio[i].name, prio[i].priority),
		    RES "network.priorities");
	return 0;
}

static void plan_rdma(const struct jt_objmap *rdma, struct cg_plan *p)
{
	for (size_t i = 0; i < rdma->n; i++) {
		const struct oci_rdma *r =
			(const void *)((const char *)rdma->v + i * sizeof(*r));
		const char *value = rdma->keys[i];

		if (r->hcaHandles)
			value = arena_printf(p->a, "%s hca_handle=%u", value,
					     *r->hcaHandles);
		if (r->hcaObjects)
			value = arena_printf(p->a, "%s hca_object=%u", value,
					     *r->hcaObjects);
		add(p, "rdma", "rdma.max", value, RES "rdma");
	}
}

/* Keys of v2, which the guest's group always is. On a v1 host there is nothing else to write. */
static void plan_unified(const struct jt_map *unified, struct cg_plan *p)
{
	for (size_t i = 0; p->unified && i < unified->n; i++)
		add(p, "", unified->keys[i], unified->vals[i], RES "unified");
}

int cg_plan_make(const struct oci_resources *res, const struct cgroup_extra *extra,
		 enum cgroup_when when, struct cg_plan *ret, struct kata_err *err)
{
	int r;

	if (!res)
		return 0;
	r = plan_cpu(res->cpu, when, ret, err);
	if (r < 0 || when == CGROUP_AT_START)
		return r;
	r = plan_memory(res->memory, extra, ret, err);
	if (r == 0)
		r = plan_network(res->network, ret, err);
	if (r < 0)
		return r;
	plan_pids(res->pids, extra, ret);
	plan_hugetlb(&res->hugepageLimits, ret);
	plan_rdma(&res->rdma, ret);
	if (res->blockIO) {
		plan_weights(res->blockIO, ret);
		plan_throttle(res->blockIO, ret);
	}
	plan_unified(&res->unified, ret);
	return 0;
}
