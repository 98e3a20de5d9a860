// SPDX-License-Identifier: Apache-2.0
/*
 * resources_plan: follows runc on cgroup v2 (its package fs2), order of the writes included: 0 is "not
 * set", -1 is "max", swap is told as memory and swap together, unified comes last
 * and so has the last word.
 *
 * Not here: what cgroup v2 has not (kernel, kernelTCP, swappiness, disableOOMKiller, realtime*: runc
 * ignores them too), and what only the host can do: blockIO, network, rdma are about
 * its devices, whose numbers mean nothing in a guest. CPUs and nodes are the host's numbers as
 * well: the container gets as many of the guest's.
 */
#include "resources_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "oci/cpu_list.h"

#define MEMORY "linux.resources.memory."
#define CPU "linux.resources.cpu."

struct plan {
	const struct oci_resources *res;
	const struct resources_facts *facts;
	struct arena *a;
	struct resources_plan p;
	struct kata_err *err;
};

static int64_t i64_of(const int64_t *n)
{
	return n ? *n : 0;
}

static uint64_t u64_of(const uint64_t *n)
{
	return n ? *n : 0;
}

static struct resources_write *add(struct plan *p, const char *property, const char *file,
				   const char *value)
{
	struct resources_write *w = &p->p.w[p->p.n++];

	*w = (struct resources_write){ .property = property,
				       .file = file,
				       .value = value };
	return w;
}

/* 0: not set; below: no limit. */
static void add_limit(struct plan *p, const char *property, const char *file, int64_t n)
{
	if (n)
		add(p, property, file, n < 0 ? "max" : arena_printf(p->a, "%" PRId64, n));
}

/* --- memory */

static int check_usage(const struct plan *p, const struct oci_memory *m)
{
	uint64_t used = p->facts->memory;
	int64_t limit = i64_of(m->limit), swap = i64_of(m->swap);

	if (!m->checkBeforeUpdate || !*m->checkBeforeUpdate)
		return 0;
	if (swap > 0 && (uint64_t)swap <= used)
		return err_set(p->err, -EBUSY,
			       MEMORY "swap: rejecting memory+swap limit %" PRId64
				      " <= usage %" PRIu64,
			       swap, used);
	if (limit > 0 && (uint64_t)limit <= used)
		return err_set(p->err, -EBUSY,
			       MEMORY "limit: rejecting memory limit %" PRId64
				      " <= usage %" PRIu64,
			       limit, used);
	return 0;
}

/* The limit that the swap is counted from: the new one, else the one in force. 0 = none known. */
static int64_t limit_in_force(const struct plan *p, const struct oci_memory *m)
{
	int64_t n = i64_of(m->limit);

	if (n || !p->facts->update || !p->facts->memory_max)
		return n;
	if (str_eq(p->facts->memory_max, "max"))
		return -1;
	return str_to_i64(p->facts->memory_max, 0, INT64_MAX, &n) < 0 ? 0 : n;
}

static int plan_swap(struct plan *p, const struct oci_memory *m)
{
	int64_t swap = i64_of(m->swap), limit = limit_in_force(p, m);
	struct resources_write *w;

	/* as on cgroup v1, where no limit for memory was none for both */
	if (swap == 0 && i64_of(m->limit) == -1)
		swap = -1;
	if (swap == 0)
		return 0;
	if (swap > 0 && limit == 0)
		return err_set(p->err, -EINVAL,
			       MEMORY
			       "swap: unable to set swap limit without memory limit");
	if (swap > 0 && limit > swap)
		return err_set(p->err, -EINVAL,
			       MEMORY "swap: memory+swap limit %" PRId64
				      " should be >= memory limit %" PRId64,
			       swap, limit);
	if (swap > 0 && limit > 0)
		swap -= limit;
	w = add(p, MEMORY "swap", "memory.swap.max",
		swap < 0 ? "max" : arena_printf(p->a, "%" PRId64, swap));
	/* a kernel without swap: neither all of nothing nor none of it needs a file */
	w->optional = swap <= 0;
	return 0;
}

static int plan_memory(struct plan *p)
{
	const struct oci_memory *m = p->res->memory;
	int64_t limit;
	int r;

	if (!m)
		return 0;
	limit = i64_of(m->limit);
	/* at the start the host has made the VM for it */
	if (p->facts->update && limit > 0 && (uint64_t)limit > p->facts->ram)
		return err_set(p->err, -EINVAL,
			       MEMORY "limit: memory limit %" PRId64
				      " is more than the VM has (%" PRIu64
				      "); [guest] memory_room in kata.conf leaves "
				      "room at create",
			       limit, p->facts->ram);
	r = check_usage(p, m);
	if (r == 0)
		r = plan_swap(p, m);
	if (r < 0)
		return r;
	add_limit(p, MEMORY "limit", "memory.max", limit);
	add_limit(p, MEMORY "reservation", "memory.low", i64_of(m->reservation));
	return 0;
}

/* --- cpu */

/* runc's: 2..262144 onto 1..10000, linear */
static uint64_t weight_of(uint64_t shares)
{
	if (shares <= 2)
		return 1;
	return shares >= 262144 ? 10000 : 1 + ((shares - 2) * 9999) / 262142;
}

static void plan_cpu_max(struct plan *p, int64_t quota, uint64_t period)
{
	char *max;

	if (quota > 0) {
		max = arena_printf(p->a, "%" PRId64, quota);
	} else {
		const char *now = p->facts->update ? p->facts->cpu_max : NULL;

		/* the period alone: the quota in force stays */
		max = quota == 0 && now ? arena_strndup(p->a, now, strcspn(now, " "))
					: arena_strdup(p->a, "max");
	}
	/* without a period the kernel keeps its own */
	if (period)
		max = arena_printf(p->a, "%s %" PRIu64, max, period);
	add(p, quota ? CPU "quota" : CPU "period", "cpu.max", max);
}

/* The kernel wants burst <= quota at every moment, whether both grow or both shrink. */
static void plan_quota(struct plan *p, const struct oci_cpu *c)
{
	int64_t quota = i64_of(c->quota);
	uint64_t period = u64_of(c->period);
	const char *burst = c->burst ? arena_printf(p->a, "%" PRIu64, *c->burst) : NULL;

	if (burst)
		add(p, CPU "burst", "cpu.max.burst", burst)->again = quota != 0;
	if (quota || period)
		plan_cpu_max(p, quota, period);
	if (burst && quota)
		add(p, CPU "burst", "cpu.max.burst", burst);
}

/* The host's numbers: the VM as a whole is kept to those there; here it is as many of its own. */
static void add_list(struct plan *p, const char *property, const char *file,
		     const char *list, unsigned count)
{
	const char *mapped = list ? cpu_list_map(list, count, p->a) : NULL;

	if (mapped)
		add(p, property, file, mapped);
}

static void plan_cpu(struct plan *p)
{
	const struct oci_cpu *c = p->res->cpu;

	if (!c)
		return;
	if (c->idle)
		add(p, CPU "idle", "cpu.idle", arena_printf(p->a, "%" PRId64, *c->idle));
	if (u64_of(c->shares))
		add(p, CPU "shares", "cpu.weight",
		    arena_printf(p->a, "%" PRIu64, weight_of(*c->shares)));
	plan_quota(p, c);
	add_list(p, CPU "cpus", "cpuset.cpus", c->cpus, p->facts->cpus);
	add_list(p, CPU "mems", "cpuset.mems", c->mems, p->facts->nodes);
}

/* --- the rest */

static void plan_pids(struct plan *p)
{
	const int64_t *limit = p->res->pids ? p->res->pids->limit : NULL;

	if (limit)
		add_limit(p, "linux.resources.pids.limit", "pids.max",
			  *limit > 0 ? *limit : -1);
}

static void plan_hugetlb(struct plan *p)
{
	const struct oci_hugepage_limit *h = p->res->hugepageLimits.v;

	for (size_t i = 0; i < p->res->hugepageLimits.n; i++) {
		char *property = arena_printf(p->a, "linux.resources.hugepageLimits[%zu]",
					      i),
		     *value = arena_printf(p->a, "%" PRIu64, h[i].limit);

		/* pages of a size that the kernel does not know it hands out to nobody */
		add(p, property, arena_printf(p->a, "hugetlb.%s.max", h[i].pageSize),
		    value)
			->optional = h[i].limit == 0;
		/* reserved pages count from Linux 5.7 on */
		add(p, property, arena_printf(p->a, "hugetlb.%s.rsvd.max", h[i].pageSize),
		    value)
			->optional = true;
	}
}

static void plan_unified(struct plan *p)
{
	const struct jt_map *u = &p->res->unified;

	for (size_t i = 0; i < u->n; i++)
		add(p, jtab_path(p->a, "linux.resources.unified", u->keys[i]), u->keys[i],
		    u->vals[i]);
}

int resources_plan_make(const struct oci_resources *res, const struct resources_facts *f,
			struct arena *a, struct resources_plan *ret, struct kata_err *err)
{
	struct plan p = { .res = res, .facts = f, .a = a, .err = err };
	int r;

	p.p.w = arena_array(a,
			    RESOURCES_FIXED + 2 * res->hugepageLimits.n + res->unified.n,
			    sizeof(*p.p.w));
	r = plan_memory(&p);
	if (r < 0)
		return r;
	plan_cpu(&p);
	plan_pids(&p);
	plan_hugetlb(&p);
	plan_unified(&p);
	*ret = p.p;
	return 0;
}
