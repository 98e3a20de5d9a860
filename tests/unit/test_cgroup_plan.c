// SPDX-License-Identifier: Apache-2.0
/* What is written for which resources, on v1 and v2. Values are runc 1.1's, widened where a VM needs it. */
#include "cgroup/plan.h"

#include <errno.h>

#include "base/buf.h"
#include "base/str.h"
#include "suite.h"

static struct kata_err err;
static const struct cgroup_extra none;
static const struct cgroup_extra vm = { .memory = 100, .min_memory = 1000, .pids = 7 };

static const struct oci_resources *load(const char *json)
{
	const struct oci_resources *res;

	ck_assert_msg(oci_resources_load(json, strlen(json), test_arena(), &res, &err) ==
			      0,
		      "%s", err.msg);
	return res;
}

static const char *text(const struct cg_plan *p)
{
	struct buf b = { 0 };
	const char *s;

	for (size_t i = 0; i < p->n; i++)
		buf_addf(&b, "%s/%s=%s\n", p->v[i].controller, p->v[i].file,
			 p->v[i].value);
	s = arena_strdup(test_arena(), buf_cstr(&b));
	buf_done(&b);
	return s;
}

struct row {
	const char *json;
	const struct cgroup_extra *extra;
	enum cgroup_when when;
	const char *v1, *v2; /* NULL: refused */
	const char *cpu_max;
};

static void check_version(const struct row *row, bool unified)
{
	const char *want = unified ? row->v2 : row->v1;
	struct cg_plan p = { .unified = unified,
			     .now.cpu_max = row->cpu_max,
			     .a = test_arena() };
	int r = cg_plan_make(load(row->json), row->extra, row->when, &p, &err);

	if (!want) {
		ck_assert_msg(r < 0, "%s: not refused: %s", row->json, text(&p));
		ck_assert_msg(str_has_prefix(err.msg, "linux.resources."), "%s", err.msg);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", row->json, err.msg);
	ck_assert_msg(strcmp(text(&p), want) == 0, "%s: is\n%swant\n%s", row->json,
		      text(&p), want);
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_version(&rows[i], false);
		check_version(&rows[i], true);
	}
}

START_TEST(memory)
{
	static const struct row rows[] = {
		{ "{}", &vm, CGROUP_AT_CREATE, "", "" },
		{ "{\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0}}", &vm,
		  CGROUP_AT_CREATE, "", "" },
		{ "{\"memory\":{\"limit\":5000}}", &none, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=5000\n", "memory/memory.max=5000\n" },
		{ "{\"memory\":{\"limit\":5000}}", &vm, CGROUP_AT_UPDATE,
		  "memory/memory.limit_in_bytes=5100\n", "memory/memory.max=5100\n" },
		/* never below what the VM needs */
		{ "{\"memory\":{\"limit\":10}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=1000\n", "memory/memory.max=1000\n" },
		/* no limit: no swap limit either */
		{ "{\"memory\":{\"limit\":-1}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=-1\nmemory/memory.memsw.limit_in_bytes=-1\n",
		  "memory/memory.max=max\nmemory/memory.swap.max=max\n" },
		/* OCI's swap is both together; v2's swap alone */
		{ "{\"memory\":{\"limit\":5000,\"swap\":8000}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=5100\nmemory/memory.memsw.limit_in_bytes=8100\n",
		  "memory/memory.max=5100\nmemory/memory.swap.max=3000\n" },
		{ "{\"memory\":{\"limit\":5000,\"swap\":5000}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=5100\nmemory/memory.memsw.limit_in_bytes=5100\n",
		  "memory/memory.max=5100\nmemory/memory.swap.max=0\n" },
		{ "{\"memory\":{\"limit\":5000,\"swap\":-1}}", &none, CGROUP_AT_CREATE,
		  "memory/memory.limit_in_bytes=5000\nmemory/memory.memsw.limit_in_bytes=-1\n",
		  "memory/memory.max=5000\nmemory/memory.swap.max=max\n" },
		{ "{\"memory\":{\"swap\":8000}}", &none, CGROUP_AT_UPDATE,
		  "memory/memory.memsw.limit_in_bytes=8000\n", NULL },
		{ "{\"memory\":{\"reservation\":400}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.soft_limit_in_bytes=500\n", "memory/memory.low=500\n" },
		{ "{\"memory\":{\"reservation\":-1}}", &vm, CGROUP_AT_CREATE,
		  "memory/memory.soft_limit_in_bytes=-1\n", "memory/memory.low=max\n" },
		{ "{\"memory\":{\"kernel\":1,\"kernelTCP\":1,\"useHierarchy\":true}}",
		  &vm, CGROUP_AT_CREATE, "", "" },
		{ "{\"memory\":{\"swappiness\":0,\"disableOOMKiller\":true}}", &vm,
		  CGROUP_AT_CREATE, "memory/memory.swappiness=0\n", "" },
		{ "{\"memory\":{\"swappiness\":18446744073709551615,\"disableOOMKiller\":false}}",
		  &vm, CGROUP_AT_CREATE, "", "" },
		{ "{\"memory\":{\"limit\":5000}}", &vm, CGROUP_AT_START, "", "" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}
END_TEST

START_TEST(cpu)
{
	static const struct row rows[] = {
		/* the quota waits for the start: the boot is not throttled */
		{ "{\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":100000}}", &vm,
		  CGROUP_AT_CREATE, "cpu/cpu.shares=1024\n", "cpu/cpu.weight=39\n" },
		{ "{\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":200000,\"burst\":9}}",
		  &vm, CGROUP_AT_START,
		  "cpu/cpu.cfs_period_us=200000\ncpu/cpu.cfs_quota_us=50000\n"
		  "cpu/cpu.cfs_burst_us=9\n",
		  "cpu/cpu.max=50000 200000\ncpu/cpu.max.burst=9\n" },
		{ "{\"cpu\":{\"shares\":2,\"quota\":-1}}", &vm, CGROUP_AT_UPDATE,
		  "cpu/cpu.cfs_quota_us=-1\ncpu/cpu.shares=2\n",
		  "cpu/cpu.max=max 100000\ncpu/cpu.weight=1\n" },
		{ "{\"cpu\":{\"shares\":262144}}", &vm, CGROUP_AT_CREATE,
		  "cpu/cpu.shares=262144\n", "cpu/cpu.weight=10000\n" },
		/* one of the two: the other stays */
		{ "{\"cpu\":{\"quota\":70000}}", &vm, CGROUP_AT_UPDATE,
		  "cpu/cpu.cfs_quota_us=70000\n", "cpu/cpu.max=70000 50000\n",
		  "max 50000" },
		{ "{\"cpu\":{\"period\":70000}}", &vm, CGROUP_AT_UPDATE,
		  "cpu/cpu.cfs_period_us=70000\n", "cpu/cpu.max=30000 70000\n",
		  "30000 50000" },
		{ "{\"cpu\":{\"idle\":1,\"shares\":5}}", &vm, CGROUP_AT_CREATE,
		  "cpu/cpu.shares=5\ncpu/cpu.idle=1\n",
		  "cpu/cpu.weight=1\ncpu/cpu.idle=1\n" },
		{ "{\"cpu\":{\"idle\":0,\"shares\":5}}", &vm, CGROUP_AT_CREATE,
		  "cpu/cpu.idle=0\ncpu/cpu.shares=5\n",
		  "cpu/cpu.idle=0\ncpu/cpu.weight=1\n" },
		{ "{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}}", &vm, CGROUP_AT_CREATE,
		  "cpuset/cpuset.cpus=0-1\ncpuset/cpuset.mems=0\n",
		  "cpuset/cpuset.cpus=0-1\ncpuset/cpuset.mems=0\n" },
		{ "{\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}}", &vm, CGROUP_AT_UPDATE, "",
		  "" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}
END_TEST

START_TEST(others)
{
	static const struct row rows[] = {
		{ "{\"pids\":{\"limit\":10}}", &vm, CGROUP_AT_CREATE,
		  "pids/pids.max=17\n", "pids/pids.max=17\n" },
		{ "{\"pids\":{\"limit\":-1}}", &vm, CGROUP_AT_CREATE,
		  "pids/pids.max=max\n", "pids/pids.max=max\n" },
		{ "{\"pids\":{\"limit\":0}}", &vm, CGROUP_AT_CREATE, "", "" },
		{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}", &vm,
		  CGROUP_AT_CREATE, "", "" },
		{ "{\"blockIO\":{\"weight\":500}}", &vm, CGROUP_AT_CREATE,
		  "blkio/blkio.weight=500\nblkio/blkio.bfq.weight=500\n",
		  "io/io.bfq.weight=500\nio/io.weight=4950\n" },
		{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":10}]}}",
		  &vm, CGROUP_AT_CREATE,
		  "blkio/blkio.weight_device=8:0 10\nblkio/blkio.bfq.weight_device=8:0 10\n",
		  "io/io.bfq.weight=8:0 10\nio/io.weight=8:0 1\n" },
		{ "{\"blockIO\":{\"leafWeight\":500}}", &vm, CGROUP_AT_CREATE,
		  "blkio/blkio.leaf_weight=500\n", NULL },
		{ "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":600}],"
		  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":300}]}}",
		  &vm, CGROUP_AT_UPDATE,
		  "blkio/blkio.throttle.read_bps_device=8:16 600\n"
		  "blkio/blkio.throttle.write_iops_device=8:16 300\n",
		  "io/io.max=8:16 rbps=600\nio/io.max=8:16 wiops=300\n" },
		/* on a v1 host only the guest has them */
		{ "{\"unified\":{\"memory.high\":\"5000\",\"pids.max\":\"max\",\"cpu.max\":\"1 2\"}}",
		  &vm, CGROUP_AT_CREATE, "",
		  "memory/memory.high=5100\npids/pids.max=max\n" },
		{ "{\"unified\":{\"memory.high\":\"5000\",\"cpu.max\":\"1 2\"}}", &vm,
		  CGROUP_AT_START, "", "cpu/cpu.max=1 2\n" },
		{ "{\"unified\":{\"memory\":\"5000\"}}", &vm, CGROUP_AT_CREATE, NULL,
		  NULL },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}
END_TEST

START_TEST(usage_is_checked_when_asked)
{
	struct cg_plan p = { .unified = true,
			     .now.memory_current = "6000",
			     .a = test_arena() };
	const char *ask = "{\"memory\":{\"limit\":5000,\"checkBeforeUpdate\":true}}";

	ck_assert_int_eq(cg_plan_make(load(ask), &vm, CGROUP_AT_UPDATE, &p, &err),
			 -EBUSY);
	ck_assert_ptr_nonnull(strstr(err.msg, "current usage: 6000"));
	p.now.memory_current = "5100";
	ck_assert_int_eq(cg_plan_make(load(ask), &vm, CGROUP_AT_UPDATE, &p, &err), 0);
}
END_TEST

START_TEST(numbers_do_not_wrap)
{
	static const struct cgroup_extra huge = { .memory = UINT64_MAX / 2 };
	struct cg_plan p = { .a = test_arena() };
	const char *ask = "{\"memory\":{\"limit\":9223372036854775807}}";

	ck_assert_int_eq(cg_plan_make(load(ask), &huge, CGROUP_AT_CREATE, &p, &err), 0);
	ck_assert_str_eq(p.v[0].value, "9223372036854775807");
}
END_TEST

START_TEST(refusals_name_the_property)
{
	struct cg_plan p = { .unified = true, .a = test_arena() };

	ck_assert_int_eq(cg_plan_make(load("{\"blockIO\":{\"leafWeight\":4}}"), &vm,
				      CGROUP_AT_CREATE, &p, &err),
			 -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "linux.resources.blockIO.leafWeight"));
	ck_assert_int_eq(cg_plan_make(load("{\"memory\":{\"swap\":4}}"), &vm,
				      CGROUP_AT_CREATE, &p, &err),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "linux.resources.memory.swap: unable to"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		memory,
		cpu,
		others,
		usage_is_checked_when_asked,
		numbers_do_not_wrap,
		refusals_name_the_property,
	};

	return suite_run("cgroup_plan", tests, ARRAY_SIZE(tests));
}
