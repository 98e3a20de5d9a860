/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's small pure parts: namespaces, capabilities, environment, users, devices, sysctls. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attrs.h"
#include "base/str.h"
#include "caps.h"
#include "lookup.h"
#include "ns.h"
#include "oci.h"
#include "resources_plan.h"
#include "seccomp.h"
#include "suite.h"
#include "stats.h"
#include "sysctls.h"
#include "user.h"

static struct jt_strv list(const char *const *v)
{
	struct jt_strv l = { v, 0 };

	while (v[l.n])
		l.n++;
	return l;
}

#define LIST(...) list((const char *const[]){ __VA_ARGS__, NULL })

static int plan_ns(const char *list, struct ns_plan *ret, struct kata_err *err)
{
	char *text = mem_printf(
		"{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[%s]}}", list);
	int r = ns_plan_make(oci_decoded(text), ret, err);

	free(text);
	return r;
}

START_TEST(namespaces)
{
	struct kata_err err = { 0 };
	struct ns_plan p;

	ck_assert_int_eq(
		ns_plan_make(oci_decoded("{\"ociVersion\":\"1.0.0\"}"), &p, &err), 0);
	ck_assert_uint_eq(p.new_flags, CLONE_NEWNS);
	ck_assert_int_eq(
		plan_ns("{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/x\"},"
			"{\"type\":\"cgroup\"},{\"type\":\"mount\"}",
			&p, &err),
		0);
	ck_assert_uint_eq(p.new_flags, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP);
	ck_assert_uint_eq(ns_plan_flags(&p), p.new_flags);
	ck_assert_int_eq(plan_ns("{\"type\":\"time\"},{\"type\":\"user\"}", &p, &err), 0);
	ck_assert_uint_eq(p.new_flags, CLONE_NEWNS | CLONE_NEWTIME | CLONE_NEWUSER);
	ck_assert_int_eq(
		plan_ns("{\"type\":\"user\",\"path\":\"/container:3\"}", &p, &err), 0);
	ck_assert_uint_eq(p.new_flags, CLONE_NEWNS);
	ck_assert(p.joins[NS_JOIN_USER].wanted);
	ck_assert_uint_eq(ns_plan_flags(&p), CLONE_NEWNS | CLONE_NEWUSER);
}
END_TEST

START_TEST(joined_namespaces)
{
	static const char *const bad[] = {
		"{\"type\":\"uts\",\"path\":\"/proc/1/ns/uts\"}",
		"{\"type\":\"uts\",\"path\":\"/container:\"}",
		"{\"type\":\"uts\",\"path\":\"/container:-1\"}",
		"{\"type\":\"uts\",\"path\":\"/container:4294967296\"}",
		"{\"type\":\"cgroup\",\"path\":\"/container:1\"}",
		"{\"type\":\"time\",\"path\":\"/container:1\"}",
		"{\"type\":\"mount\",\"path\":\"/container:1\"}",
	};
	struct kata_err err = { 0 };
	struct ns_plan p;

	ck_assert_int_eq(plan_ns("{\"type\":\"pid\",\"path\":\"/container:7\"},"
				 "{\"type\":\"ipc\",\"path\":\"/container:0\"},"
				 "{\"type\":\"uts\",\"path\":\"\"}",
				 &p, &err),
			 0);
	ck_assert_uint_eq(p.new_flags, CLONE_NEWNS | CLONE_NEWUTS);
	ck_assert_uint_eq(ns_plan_flags(&p),
			  CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC);
	ck_assert(p.joins[NS_JOIN_PID].wanted && p.joins[NS_JOIN_IPC].wanted);
	ck_assert(!p.joins[NS_JOIN_UTS].wanted);
	ck_assert_uint_eq(p.joins[NS_JOIN_PID].container, 7);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(plan_ns(bad[i], &p, &err), -ENOTSUP);
	ck_assert_str_eq(
		err.msg,
		"linux.namespaces[0].path: /container:1 is not known to the guest");
}
END_TEST

START_TEST(capability_sets)
{
	const struct oci_caps spec = {
		.bounding = LIST("CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"),
		.effective = LIST("CAP_CHOWN", "CAP_NO_SUCH"),
	};
	struct caps c = caps_plan(&spec, 40);

	ck_assert_uint_eq(c.bounding, 1ull << 0 | 1ull << 21 | 1ull << 40);
	ck_assert_uint_eq(c.effective, 1);
	ck_assert_uint_eq(c.ambient | c.permitted | c.inheritable, 0);
	/* an older kernel */
	ck_assert_uint_eq(caps_plan(&spec, 37).bounding, 1ull << 0 | 1ull << 21);
	c = caps_plan(NULL, 40);
	ck_assert_uint_eq(c.bounding | c.effective | c.permitted, 0);
}
END_TEST

static const struct oci_process *process_of(const char *members)
{
	char *text = mem_printf("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\","
				"\"args\":[\"x\"]%s}}",
				members);
	const struct oci_spec *spec = oci_decoded(text);

	free(text);
	return spec->process;
}

START_TEST(scheduling)
{
	struct attrs_sched a = attrs_sched_plan(
		process_of(
			",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"nice\":19,"
			"\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_DL_OVERRUN\"],"
			"\"runtime\":1,\"deadline\":2,\"period\":3}")
			->scheduler);

	ck_assert_uint_eq(a.size, 56);
	ck_assert_uint_eq(a.policy, 6); /* linux/sched.h */
	ck_assert_uint_eq(a.flags, 1 | 4);
	ck_assert_int_eq(a.nice, 19);
	ck_assert(a.runtime == 1 && a.deadline == 2 && a.period == 3 && a.priority == 0);
	a = attrs_sched_plan(
		process_of(",\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":7}")
			->scheduler);
	ck_assert(a.policy == SCHED_RR && a.priority == 7 && a.flags == 0);
	ck_assert_int_eq(
		attrs_ioprio_plan(process_of(",\"ioPriority\":{\"class\":\"IOPRIO_"
					     "CLASS_RT\",\"priority\":5}")
					  ->ioPriority),
		1 << 13 | 5);
	ck_assert_int_eq(
		attrs_ioprio_plan(process_of(",\"ioPriority\":{\"class\":\"IOPRIO_"
					     "CLASS_IDLE\",\"priority\":0}")
					  ->ioPriority),
		3 << 13);
}
END_TEST

START_TEST(memory_policies)
{
	const struct oci_memory_policy bind = {
		.mode = "MPOL_BIND",
		.flags = LIST("MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"),
	};
	const struct oci_memory_policy weighted = { .mode = "MPOL_WEIGHTED_INTERLEAVE" };

	ck_assert_int_eq(attrs_mempolicy_plan(&bind), 2 | 1 << 15 | 1 << 13);
	ck_assert_int_eq(attrs_mempolicy_plan(&weighted), 6);
}
END_TEST

static const struct {
	const char *list, *text; /* NULL: fine */
	unsigned count;
} lists[] = {
	{ "0", NULL, 1 },
	{ " 0-1, 3,", NULL, 3 },
	{ "1,1", NULL, 1 },
	{ "2", "p: CPU 2 is not one of the VM's, which has 0-1,3", 0 },
	{ "0-3", "p: CPU 2 is not one of the VM's, which has 0-1,3", 0 },
	{ "3-5000000", "p: CPU 4 is not one of the VM's, which has 0-1,3", 0 },
	{ "4294967295", "p: CPU 4294967295 is not one of the VM's, which has 0-1,3", 0 },
	{ "1-", "p: bad list", 0 },
	{ "x", "p: bad list", 0 },
	{ "99999999999999999999", "p: bad list", 0 },
};

START_TEST(lists_of_processors)
{
	cpu_set_t has, got;

	CPU_ZERO(&has);
	CPU_SET(0, &has);
	CPU_SET(1, &has);
	CPU_SET(3, &has);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct kata_err err = { 0 };
		int r = attrs_list(lists[i].list, &has, "CPU", "p", &got, &err);

		ck_assert_int_eq(r, lists[i].text ? -EINVAL : 0);
		if (lists[i].text)
			ck_assert_str_eq(err.msg, lists[i].text);
		else
			ck_assert_int_eq(CPU_COUNT(&got), lists[i].count);
	}
}
END_TEST

START_TEST(what_an_exec_inherits)
{
	struct arena *a = test_arena();
	const struct oci_process *of = process_of(
		",\"user\":{\"uid\":5,\"umask\":63},\"noNewPrivileges\":true,\"oomScoreAdj\":9,"
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},\"apparmorProfile\":\"p\","
		"\"selinuxLabel\":\"l\",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,"
		"\"hard\":1}],\"scheduler\":{\"policy\":\"SCHED_BATCH\"},\"ioPriority\":{"
		"\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},\"execCPUAffinity\":{\"final\":\"0\"}");
	const struct oci_process *bare = process_of(",\"user\":{\"uid\":7}"), *p;
	const struct oci_process *own = process_of(
		",\"user\":{\"umask\":0},\"oomScoreAdj\":1,"
		"\"capabilities\":{},\"apparmorProfile\":\"q\",\"selinuxLabel\":\"m\","
		"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}],"
		"\"scheduler\":{\"policy\":\"SCHED_IDLE\"},\"ioPriority\":{"
		"\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":0},\"execCPUAffinity\":{}");

	p = attrs_inherit(bare, of, a);
	ck_assert(p->user->uid == 7 && *p->user->umask == 63);
	ck_assert(p->capabilities == of->capabilities && p->rlimits.v == of->rlimits.v);
	ck_assert(*p->oomScoreAdj == 9 && p->scheduler == of->scheduler);
	ck_assert(p->ioPriority == of->ioPriority);
	ck_assert(p->execCPUAffinity == of->execCPUAffinity);
	ck_assert_str_eq(p->apparmorProfile, "p");
	ck_assert_str_eq(p->selinuxLabel, "l");
	ck_assert(!p->noNewPrivileges);
	p = attrs_inherit(own, of, a);
	ck_assert(p->user == own->user && p->capabilities == own->capabilities);
	ck_assert(p->rlimits.v == own->rlimits.v && *p->oomScoreAdj == 1);
	ck_assert(p->scheduler == own->scheduler && p->ioPriority == own->ioPriority);
	ck_assert(p->execCPUAffinity == own->execCPUAffinity);
	ck_assert_str_eq(p->apparmorProfile, "q");
	ck_assert_str_eq(p->selinuxLabel, "m");
	ck_assert_ptr_eq(attrs_inherit(bare, NULL, a), bare);
}
END_TEST

START_TEST(environment)
{
	const struct jt_strv env = LIST("A=1", "PATH=/x", "A=2", "HOME=", "ODD", "B==");
	struct arena *a = arena_new();
	char **e = env_make(&env, "/h", a);

	ck_assert_str_eq(env_get(&env, "A"), "2");
	ck_assert_str_eq(env_get(&env, "B"), "=");
	ck_assert_str_eq(env_get(&env, "HOME"), "");
	ck_assert_ptr_null(env_get(&env, "ODD"));
	ck_assert_ptr_null(env_get(&env, "PAT"));
	ck_assert_str_eq(e[0], "PATH=/x");
	ck_assert_str_eq(e[1], "A=2");
	ck_assert_str_eq(e[2], "ODD");
	ck_assert_str_eq(e[3], "B==");
	ck_assert_str_eq(e[4], "HOME=/h");
	ck_assert_ptr_null(e[5]);
	e = env_make(&(struct jt_strv){ NULL, 0 }, "/", a);
	ck_assert_str_eq(e[0], "HOME=/");
	ck_assert_ptr_null(e[1]);
	arena_free(a);
}
END_TEST

START_TEST(lookup)
{
	struct arena *a = arena_new();
	struct kata_err err = { 0 };
	const char *path;
	TMP t = tmp_make();
	char *env = mem_printf("::relative:/no/such:%s/d:%s:/bin", t.path, t.path);
	int fd = openat(t.fd, "prog", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lookup_program("prog", env, a, &path, &err), -ENOENT);
	ck_assert_int_eq(err.status, 127);
	ck_assert_str_eq(err.msg, "exec: \"prog\": executable file not found in $PATH");
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	ck_assert_int_eq(lookup_program("prog", env, a, &path, &err), 0);
	ck_assert(str_has_suffix(path, "/prog") && str_has_prefix(path, t.path));
	ck_assert_int_eq(lookup_program(t.path, env, a, &path, &err), -EISDIR);
	ck_assert_int_eq(err.status, 126);
	ck_assert(str_has_suffix(err.msg, "\": is a directory: permission denied"));
	ck_assert_int_eq(lookup_program("", env, a, &path, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "exec: \"\": executable file not found in $PATH");
	ck_assert_int_eq(lookup_program("prog", NULL, a, &path, &err), -ENOENT);
	ck_assert_int_eq(lookup_program("./nope", env, a, &path, &err), -ENOENT);
	ck_assert_str_eq(err.msg,
			 "exec: \"./nope\": stat ./nope: no such file or directory");
	free(env);
	arena_free(a);
}
END_TEST

START_TEST(home_directories)
{
	static const char passwd[] =
		"root:x:0:0:root:/root:/bin/sh\n\nbroken\nx:x:-1:0::/no:\n"
		"y:x:4294967296:0::/no:\nshort:x:7:7::/seven\n"
		"e:x:8:8:::\nu:x:1000:1000:a,b:/home/u:/bin/sh:extra\n"
		"again:x:1000:1000::/second:/bin/sh";
	struct arena *a = arena_new();

	ck_assert_str_eq(user_home(passwd, 0, a), "/root");
	ck_assert_str_eq(user_home(passwd, 7, a), "/seven");
	ck_assert_str_eq(user_home(passwd, 8, a), "/");
	ck_assert_str_eq(user_home(passwd, 1000, a), "/home/u");
	ck_assert_str_eq(user_home(passwd, UINT32_MAX, a), "/");
	ck_assert_str_eq(user_home("", 0, a), "/");
	arena_free(a);
}
END_TEST

START_TEST(sysctl_list)
{
	static const struct {
		const char *name;
		bool ipc, uts, ok;
	} cases[] = {
		{ "net.ipv4.ip_forward", false, false, true },
		{ "net/ipv4/conf/eth0.1/forwarding", false, false, true },
		{ "kernel.sem", true, false, true },
		{ "kernel.sem", false, true, false },
		{ "kernel/shmmax", true, false, true },
		{ "fs.mqueue.msg_max", true, false, true },
		{ "fs.mqueue.msg_max", false, false, false },
		{ "kernel.domainname", false, true, true },
		{ "kernel.domainname", false, false, false },
		{ "kernel.hostname", false, true, false },
		{ "kernel.panic", true, true, false },
		{ "vm.swappiness", true, true, false },
		{ "network", true, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = mem_printf(
			"{\"ociVersion\":\"1.0.0\",\"linux\":{\"sysctl\":{\"%s\":\"1\"},"
			"\"namespaces\":[{\"type\":\"mount\"}%s%s]}}",
			cases[i].name, cases[i].ipc ? ",{\"type\":\"ipc\"}" : "",
			cases[i].uts ? ",{\"type\":\"uts\"}" : "");
		struct kata_err err = { 0 };

		ck_assert_msg((sysctls_check(oci_decoded(text), &err) == 0) ==
				      cases[i].ok,
			      "%s: %s", text, err.msg);
		free(text);
	}
}
END_TEST

START_TEST(statistics)
{
	struct msg_stats s;
	char cpu[] = "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periodsx 5\n",
	     limit[] = "max\n", current[] = "4096\n",
	     memory[] = "anon 1\nfile 2\nfile_mapped 3\nkernel_stack 4\n",
	     io[] = "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"
		    "253:16 rbytes=10 wbytes=20 rios=30 wios=40 dbytes=9 dios=9\n";

	stats_read(-1, &s);
	ck_assert_uint_eq(s.n, MSG_STATS_MAX);
	for (size_t i = 0; i < MSG_STATS_MAX; i++)
		ck_assert_uint_eq(s.v[i], MSG_STAT_NONE);
	stats_parse("cpu.stat", cpu, &s);
	ck_assert_uint_eq(s.v[STAT_CPU_USAGE_US], 30);
	ck_assert_uint_eq(s.v[STAT_CPU_SYSTEM_US], 10);
	ck_assert_uint_eq(s.v[STAT_CPU_PERIODS], MSG_STAT_NONE);
	stats_parse("memory.max", limit, &s);
	stats_parse("memory.current", current, &s);
	stats_parse("memory.stat", memory, &s);
	ck_assert_uint_eq(s.v[STAT_MEMORY_LIMIT], MSG_STAT_NONE);
	ck_assert_uint_eq(s.v[STAT_MEMORY_CURRENT], 4096);
	ck_assert_uint_eq(s.v[STAT_MEMORY_FILE], 2);
	ck_assert_uint_eq(s.v[STAT_MEMORY_KERNEL], MSG_STAT_NONE);
	stats_parse("io.stat", io, &s);
	ck_assert_uint_eq(s.v[STAT_IO_READ_BYTES], 11);
	ck_assert_uint_eq(s.v[STAT_IO_WRITES], 44);
	stats_parse("io.stat", (char[]){ "" }, &s);
	ck_assert_uint_eq(s.v[STAT_IO_READ_BYTES], 0);
}
END_TEST

static const struct oci_resources *resources_of(const char *text)
{
	struct arena *a = test_arena();
	struct oci_resources *res = arena_alloc(a, sizeof(*res));
	struct kata_err err = { 0 };
	const struct json *j;

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, a, &j, &err) ==
				      0 &&
			      jtab_decode(&oci_resources_tab, j, a, "", res, &err) == 0,
		      "%s: %s", text, err.msg);
	return res;
}

/* "file=value" of each write; '?' behind an optional one, '*' behind one that comes again. */
static void check_plan(const char *text, const struct resources_facts *f,
		       const char *wanted)
{
	struct buf b = { 0 };
	struct resources_plan p;
	struct kata_err err = { 0 };

	if (resources_plan_make(resources_of(text), f, test_arena(), &p, &err) < 0) {
		buf_add_str(&b, err.msg);
		p.n = 0;
	}
	for (size_t i = 0; i < p.n; i++)
		buf_addf(&b, "%s%s=%s%s%s", i ? " " : "", p.w[i].file, p.w[i].value,
			 p.w[i].optional ? "?" : "", p.w[i].again ? "*" : "");
	ck_assert_msg(str_eq(buf_cstr(&b), wanted), "%s\n gives  %s\n wanted %s", text,
		      buf_cstr(&b), wanted);
	buf_done(&b);
}

static const struct resources_facts many_cpus = { .cpus = 8, .nodes = 1 },
				    new_group = { .cpus = 2, .nodes = 1, .ram = 1 << 20 },
				    old_group = { .update = true,
						  .cpus = 2,
						  .nodes = 1,
						  .ram = 1 << 20,
						  .memory = 500,
						  .memory_max = "1000",
						  .cpu_max = "5000 100000" };

START_TEST(resources_of_memory)
{
	check_plan("{}", &new_group, "");
	check_plan("{\"memory\":{\"limit\":1000,\"swap\":3000,\"reservation\":7,"
		   "\"swappiness\":9,\"kernel\":5,\"disableOOMKiller\":true}}",
		   &new_group, "memory.swap.max=2000 memory.max=1000 memory.low=7");
	check_plan("{\"memory\":{\"limit\":1000,\"swap\":1000}}", &new_group,
		   "memory.swap.max=0? memory.max=1000");
	check_plan("{\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0}}", &new_group,
		   "");
	check_plan("{\"memory\":{\"limit\":-1}}", &new_group,
		   "memory.swap.max=max? memory.max=max");
	check_plan("{\"memory\":{\"limit\":5,\"swap\":-1,\"reservation\":-1}}",
		   &new_group, "memory.swap.max=max? memory.max=5 memory.low=max");
	check_plan("{\"memory\":{\"limit\":-1,\"swap\":9}}", &new_group,
		   "memory.swap.max=9 memory.max=max");
	check_plan("{\"memory\":{\"swap\":9}}", &new_group,
		   "linux.resources.memory.swap: unable to set swap limit without memory "
		   "limit");
	/* more than the VM has: the VM was made for it, or cannot be made larger */
	check_plan("{\"memory\":{\"limit\":1048577}}", &new_group, "memory.max=1048577");
	check_plan(
		"{\"memory\":{\"limit\":1048577}}", &old_group,
		"linux.resources.memory.limit: memory limit 1048577 is more than the VM "
		"has (1048576); [guest] memory_room in kata.conf leaves room at create");
	check_plan("{\"memory\":{\"limit\":1048576}}", &old_group, "memory.max=1048576");
	check_plan("{\"memory\":{\"swap\":1500}}", &old_group, "memory.swap.max=500");
	check_plan(
		"{\"memory\":{\"swap\":900}}", &old_group,
		"linux.resources.memory.swap: memory+swap limit 900 should be >= memory "
		"limit 1000");
	check_plan(
		"{\"memory\":{\"limit\":500,\"checkBeforeUpdate\":true}}", &old_group,
		"linux.resources.memory.limit: rejecting memory limit 500 <= usage 500");
	check_plan("{\"memory\":{\"limit\":501,\"checkBeforeUpdate\":true}}", &old_group,
		   "memory.max=501");
}
END_TEST

START_TEST(resources_of_cpu)
{
	check_plan("{\"cpu\":{\"shares\":1024}}", &new_group, "cpu.weight=39");
	check_plan("{\"cpu\":{\"shares\":1}}", &new_group, "cpu.weight=1");
	check_plan("{\"cpu\":{\"shares\":262144}}", &new_group, "cpu.weight=10000");
	check_plan("{\"cpu\":{\"shares\":18446744073709551615}}", &new_group,
		   "cpu.weight=10000");
	check_plan(
		"{\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"realtimeRuntime\":5}}",
		&new_group, "");
	check_plan("{\"cpu\":{\"quota\":50000,\"period\":200000,\"idle\":1}}", &new_group,
		   "cpu.idle=1 cpu.max=50000 200000");
	check_plan("{\"cpu\":{\"quota\":50000}}", &new_group, "cpu.max=50000");
	check_plan("{\"cpu\":{\"quota\":-1}}", &old_group, "cpu.max=max");
	check_plan("{\"cpu\":{\"period\":2000}}", &new_group, "cpu.max=max 2000");
	check_plan("{\"cpu\":{\"period\":2000}}", &old_group, "cpu.max=5000 2000");
	check_plan("{\"cpu\":{\"burst\":10}}", &old_group, "cpu.max.burst=10");
	check_plan("{\"cpu\":{\"burst\":10,\"quota\":2000}}", &old_group,
		   "cpu.max.burst=10* cpu.max=2000 cpu.max.burst=10");
	/* the host's CPUs, as far as there are as many here */
	check_plan("{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}}", &new_group,
		   "cpuset.cpus=0-1 cpuset.mems=0");
	check_plan("{\"cpu\":{\"cpus\":\"0,2\",\"mems\":\"1\"}}", &new_group,
		   "cpuset.cpus=0-1 cpuset.mems=0");
	check_plan("{\"cpu\":{\"cpus\":\"3\"}}", &new_group, "cpuset.cpus=1");
	check_plan("{\"cpu\":{\"cpus\":\"1\"}}", &new_group, "cpuset.cpus=1");
	check_plan("{\"cpu\":{\"cpus\":\"0-9999\"}}", &new_group, "cpuset.cpus=0-1");
	check_plan("{\"cpu\":{\"cpus\":\" 1, 6-7,9\"}}", &many_cpus,
		   "cpuset.cpus=1-2,6-7");
	check_plan("{\"cpu\":{\"cpus\":\"\"}}", &new_group, "");
}
END_TEST

START_TEST(resources_of_the_rest)
{
	check_plan("{\"pids\":{\"limit\":7}}", &new_group, "pids.max=7");
	check_plan("{\"pids\":{\"limit\":0}}", &new_group, "pids.max=max");
	check_plan("{\"pids\":{\"limit\":-1}}", &new_group, "pids.max=max");
	check_plan("{\"pids\":{}}", &new_group, "");
	check_plan("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}",
		   &new_group, "hugetlb.2MB.max=0? hugetlb.2MB.rsvd.max=0?");
	check_plan(
		"{\"pids\":{\"limit\":7},\"unified\":{\"pids.max\":\"9\",\"x\":\"y z\"}}",
		&new_group, "pids.max=7 pids.max=9 x=y z");
	/* what only the host can apply */
	check_plan("{\"devices\":[{\"allow\":false}],\"blockIO\":{\"weight\":100},"
		   "\"network\":{\"classID\":1},\"rdma\":{\"m\":{\"hcaHandles\":1}}}",
		   &new_group, "");
}
END_TEST

/* Bytes of the host: whole instructions, and not too many. */
START_TEST(filters_of_the_host)
{
	AUTO(arena) *a = arena_new();
	AUTO_FREE char *longest = mem_zalloc(2 * PROTO_MAX_FILTER + 3);
	const struct {
		const char *program;
		int code;
		unsigned len;
	} t[] = {
		{ "060000000000ff7f", 0, 1 },
		{ longest, 0, BPF_MAXINSNS },
		{ "", -EINVAL, 0 },
		{ "060000000000ff", -EINVAL, 0 },
		{ "060000000000ff7", -EINVAL, 0 },
		{ "060000000000FF7F", -EINVAL, 0 },
		{ longest, -E2BIG, 0 },
	};
	struct kata_err err = { 0 };
	struct seccomp s;

	ck_assert_int_eq(seccomp_decode(NULL, a, &s, &err), 0);
	ck_assert_uint_eq(s.program.len, 0);
	memset(longest, '0', 2 * PROTO_MAX_FILTER);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct req_filter req = { .flags = 4, .program = t[i].program };

		if (t[i].code == -E2BIG)
			memset(longest, '0', 2 * PROTO_MAX_FILTER + 2);
		ck_assert_int_eq(seccomp_decode(&req, a, &s, &err), t[i].code);
		ck_assert_uint_eq(s.program.len, t[i].len);
		if (t[i].code < 0) {
			ck_assert(str_has_prefix(err.msg, "linux.seccomp: "));
			continue;
		}
		ck_assert_uint_eq(s.flags, 4);
	}
	ck_assert_int_eq(
		seccomp_decode(&(struct req_filter){ 0, t[0].program }, a, &s, &err), 0);
	ck_assert_uint_eq(s.program.filter->code, 6);
	ck_assert_uint_eq(s.program.filter->k, 0x7fff0000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		namespaces,
		joined_namespaces,
		capability_sets,
		scheduling,
		memory_policies,
		lists_of_processors,
		what_an_exec_inherits,
		environment,
		lookup,
		home_directories,
		sysctl_list,
		statistics,
		resources_of_memory,
		resources_of_cpu,
		resources_of_the_rest,
		filters_of_the_host,
	};

	return suite_run("agent_plans", tests, ARRAY_SIZE(tests));
}
