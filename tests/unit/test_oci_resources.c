/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources, inside a config and alone (update --resources). */
#include "oci.h"

static const struct oci_resources *resources(struct arena *a, const char *quoted)
{
	const char *text = oci_text(a, quoted);
	const struct oci_resources *res = NULL;
	struct kata_err err = { 0 };
	int r = oci_resources_load(text, strlen(text), a, &res, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return res;
}

static void bad(const char *quoted, const char *want)
{
	AUTO(arena) *a = arena_new();
	const char *text = oci_text(a, quoted);
	const struct oci_resources *res = NULL;
	struct kata_err err = { 0 };

	ck_assert_int_lt(oci_resources_load(text, strlen(text), a, &res, &err), 0);
	ck_assert_str_eq(err.msg, want);
	ck_assert_ptr_null(res);
}

START_TEST(nothing_is_required)
{
	AUTO(arena) *a = arena_new();
	const struct oci_resources *res = resources(a, "{'memory':{},'cpu':{},'pids':{},"
						       "'blockIO':{},'network':{}}");

	ck_assert_ptr_null(res->memory->limit);
	ck_assert_ptr_null(res->cpu->shares);
	ck_assert_ptr_null(res->pids->limit);
	ck_assert_ptr_null(res->blockIO->weight);
	ck_assert_ptr_null(res->network->classID);
	ck_assert_ptr_null(resources(a, "{}")->memory);
	ck_assert_ptr_null(resources(a, "{'memory':null,'unified':null}")->memory);
}
END_TEST

START_TEST(absent_zero_and_unlimited_are_three_things)
{
	AUTO(arena) *a = arena_new();
	const struct oci_memory *m;

	m = resources(a, "{'memory':{'limit':0,'swap':-1,'disableOOMKiller':false}}")
		    ->memory;
	ck_assert_int_eq(*m->limit, 0);
	ck_assert_int_eq(*m->swap, -1);
	ck_assert_ptr_null(m->reservation);
	ck_assert_ptr_nonnull(m->disableOOMKiller);
	ck_assert(!*m->disableOOMKiller);
	ck_assert_ptr_null(m->useHierarchy);
}
END_TEST

START_TEST(memory)
{
	AUTO(arena) *a = arena_new();
	const struct oci_memory *m;

	m = resources(
		    a,
		    "{'memory':{'limit':9223372036854775807,'reservation':2,"
		    "'swap':9223372036854775807,'kernel':3,'kernelTCP':4,'swappiness':100,"
		    "'disableOOMKiller':true,'useHierarchy':true,"
		    "'checkBeforeUpdate':true}}")
		    ->memory;
	ck_assert(*m->limit == INT64_MAX && *m->swap == INT64_MAX);
	ck_assert_int_eq(*m->reservation, 2);
	ck_assert_int_eq(*m->kernel, 3);
	ck_assert_int_eq(*m->kernelTCP, 4);
	ck_assert_uint_eq(*m->swappiness, 100);
	ck_assert(*m->disableOOMKiller && *m->useHierarchy && *m->checkBeforeUpdate);
	/* older dockers: -1 as an unsigned number; limit alone, swap "not set" as 0 */
	resources(a, "{'memory':{'swappiness':18446744073709551615}}");
	resources(a, "{'memory':{'limit':100,'swap':0}}");
	resources(a, "{'memory':{'limit':-1,'swap':-1}}");
	bad("{'memory':{'limit':100,'swap':99}}",
	    "memory.swap: 99 is memory and swap, and below the limit 100");
}
END_TEST

START_TEST(cpu)
{
	AUTO(arena) *a = arena_new();
	const struct oci_cpu *c;

	c = resources(a,
		      "{'cpu':{'shares':18446744073709551615,'quota':-1,'period':100000,"
		      "'burst':5,'realtimeRuntime':6,'realtimePeriod':7,'cpus':'0-1,3',"
		      "'mems':'','idle':1}}")
		    ->cpu;
	ck_assert(*c->shares == UINT64_MAX);
	ck_assert_int_eq(*c->quota, -1);
	ck_assert_uint_eq(*c->period, 100000);
	ck_assert_uint_eq(*c->burst, 5);
	ck_assert_int_eq(*c->realtimeRuntime, 6);
	ck_assert_uint_eq(*c->realtimePeriod, 7);
	ck_assert_str_eq(c->cpus, "0-1,3");
	ck_assert_str_eq(c->mems, "");
	ck_assert_int_eq(*c->idle, 1);
	bad("{'cpu':{'idle':-1}}", "cpu.idle: must be between 0 and 1, is -1");
}
END_TEST

START_TEST(device_rules)
{
	AUTO(arena) *a = arena_new();
	const struct oci_resources *res;
	const struct oci_device_cgroup *d;

	res = resources(a, "{'devices':[{'allow':false,'access':'rwm'},"
			   "{'allow':true,'type':'c','major':1,'minor':-1,'access':''},"
			   "{'allow':true,'type':''}]}");
	d = res->devices.v;
	ck_assert_uint_eq(res->devices.n, 3);
	ck_assert(!d[0].allow && d[1].allow);
	ck_assert_ptr_null(d[0].type);
	ck_assert_ptr_null(d[0].major);
	ck_assert_int_eq(*d[1].minor, -1);
}
END_TEST

START_TEST(block_io)
{
	AUTO(arena) *a = arena_new();
	const struct oci_block_io *b;
	const struct oci_weight_device *w;
	const struct oci_throttle_device *t;

	b = resources(a, "{'blockIO':{'weight':0,'leafWeight':1000,"
			 "'weightDevice':[{'major':8,'minor':1,'leafWeight':9}],"
			 "'throttleWriteIOPSDevice':[{'major':8,'minor':2,'rate':7}]}}")
		    ->blockIO;
	ck_assert_uint_eq(*b->weight, 0);
	ck_assert_uint_eq(*b->leafWeight, 1000);
	w = b->weightDevice.v;
	ck_assert_int_eq(w->major, 8);
	ck_assert_int_eq(w->minor, 1);
	ck_assert_ptr_null(w->weight);
	ck_assert_uint_eq(*w->leafWeight, 9);
	t = b->throttleWriteIOPSDevice.v;
	ck_assert_int_eq(t->minor, 2);
	ck_assert_uint_eq(t->rate, 7);
	ck_assert_uint_eq(b->throttleReadBpsDevice.n, 0);
}
END_TEST

START_TEST(hugepages_network_rdma_unified)
{
	AUTO(arena) *a = arena_new();
	const struct oci_resources *res;
	const struct oci_hugepage_limit *hp;
	const struct oci_if_prio *prio;
	const struct oci_rdma *rdma;

	res = resources(
		a, "{'hugepageLimits':[{'pageSize':'16GB','limit':0}],"
		   "'network':{'classID':1,'priorities':[{'name':'eth0','priority':2}]},"
		   "'rdma':{'a':{'hcaHandles':3},'b':{'hcaObjects':4}},"
		   "'unified':{'memory.high':'1','io.max':'8:0 rbps=1\\n8:1 wbps=2'}}");
	hp = res->hugepageLimits.v;
	ck_assert_str_eq(hp->pageSize, "16GB");
	ck_assert_uint_eq(hp->limit, 0);
	prio = res->network->priorities.v;
	ck_assert_uint_eq(*res->network->classID, 1);
	ck_assert_str_eq(prio->name, "eth0");
	ck_assert_uint_eq(prio->priority, 2);
	rdma = res->rdma.v;
	ck_assert_str_eq(res->rdma.keys[1], "b");
	ck_assert_uint_eq(*rdma[0].hcaHandles, 3);
	ck_assert_ptr_null(rdma[1].hcaHandles);
	ck_assert_str_eq(res->unified.vals[1], "8:0 rbps=1\n8:1 wbps=2");
}
END_TEST

START_TEST(page_sizes)
{
	static const char *const wrong[] = { "",     "2",     "2M",   "2mb",
					     " 2MB", "2MB ",  "02MB", "-2MB",
					     "2TB",  "2.5MB", "KB" };
	AUTO(arena) *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		bad(arena_printf(a, "{'hugepageLimits':[{'pageSize':'%s','limit':1}]}",
				 wrong[i]),
		    arena_printf(
			    a,
			    "hugepageLimits[0].pageSize: must be like 64KB, 2MB or 1GB, "
			    "is \"%s\"",
			    wrong[i]));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_is_required,
		absent_zero_and_unlimited_are_three_things,
		memory,
		cpu,
		device_rules,
		block_io,
		hugepages_network_rdma_unified,
		page_sizes,
	};

	return suite_run("oci_resources", tests, ARRAY_SIZE(tests));
}
