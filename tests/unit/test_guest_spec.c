// SPDX-License-Identifier: Apache-2.0
/* What the agent is told, and what the user is told about what it is not. */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "oci.h"
#include "sandbox/guest_spec.h"

#define NET "'linux':{'namespaces':[{'type':'network'},{'type':'pid'}]"

/* --- the body of MSG_CREATE ---------------------------------------------------------------- */

static const struct json *create_body(struct arena *a, const char *quoted,
				      const struct guest_streams *st)
{
	const struct oci_spec *spec = oci_good(a, quoted);
	struct kata_err err = { 0 };
	const struct json *j;
	struct buf b = { 0 };

	ck_assert_msg(guest_create_write(&(struct guest_create){ .spec = spec,
								 .id = "box",
								 .number = 7,
								 .streams = *st },
					 &b, &err) == 0,
		      "%s", err.msg);
	ck_assert_msg(json_parse((const char *)buf_ptr(&b), buf_len(&b),
				 &json_limits_default, a, &j, &err) == 0,
		      "%s", err.msg);
	buf_done(&b);
	return j;
}

static const struct json *at(const struct json *j, const char *key, size_t i)
{
	const struct json *list = json_get(j, key);

	ck_assert_ptr_nonnull(list);
	ck_assert_uint_lt(i, list->len);
	return list->items[i];
}

static const char big[] =
	"{'ociVersion':'1.0.2','root':{'path':'/host/secret','readonly':true},"
	"'process':{'cwd':'/','args':['sh','-c','true'],'env':['A=b'],'user':{'uid':5,'gid':6},"
	"'oomScoreAdj':-3,'rlimits':[{'type':'RLIMIT_NOFILE','soft':1,'hard':18446744073709551615}]},"
	"'hostname':'h',"
	"'hooks':{'poststop':[{'path':'/bin/true'}]},"
	"'annotations':{'secret':'x'},"
	"'vm':{'kernel':{'path':'/vmlinux'}},"
	"'mounts':["
	"{'destination':'/proc','type':'proc','source':'proc'},"
	"{'destination':'/data','type':'bind','source':'/host/data','options':['rbind','ro']},"
	"{'destination':'/more','type':'none','source':'/host/more','options':['bind']},"
	"{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['size=64k']}],"
	"'linux':{'namespaces':[{'type':'network','path':'/run/netns/x'},{'type':'uts'},{'type':'mount'},{'type':'pid'}],"
	"'resources':{'memory':{'limit':100},'cpu':{'quota':5,'cpus':'0-1'},'blockIO':{'weight':9},'pids':{'limit':3}},'cgroupsPath':'/a/b',"
	"'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'},"
	"'sysctl':{'net.ipv4.ip_forward':'1'},'maskedPaths':['/proc/kcore']}}";

START_TEST(frame_names_container_and_streams)
{
	AUTO(arena) *a = arena_new();
	struct guest_streams st = {
		.token = { [STREAM_STDIN] = 1, [STREAM_STDERR] = UINT64_MAX }
	};
	const struct json *j = create_body(a, big, &st),
			  *streams = json_get(j, "streams");

	ck_assert_str_eq(json_get(j, "container")->str, "7");
	ck_assert_str_eq(json_get_str(j, "id"), "box");
	ck_assert_str_eq(json_get_str(j, "rootfs"), "c7/rootfs");
	ck_assert_uint_eq(streams->len, 2);
	ck_assert_str_eq(json_get_str(streams, "stdin"), "1");
	ck_assert_str_eq(json_get_str(streams, "stderr"), "18446744073709551615");
}
END_TEST

START_TEST(bind_sources_become_the_shares)
{
	AUTO(arena) *a = arena_new();
	struct guest_streams st = { 0 };
	const struct json *spec = json_get(create_body(a, big, &st), "spec");

	ck_assert_uint_eq(json_get(spec, "mounts")->len, 4);
	ck_assert_str_eq(json_get_str(at(spec, "mounts", 0), "source"), "proc");
	ck_assert_str_eq(json_get_str(at(spec, "mounts", 1), "source"),
			 "/run/kata/share/c7/m1");
	ck_assert_str_eq(json_get_str(at(spec, "mounts", 2), "source"),
			 "/run/kata/share/c7/m2");
	ck_assert_str_eq(json_get_str(at(spec, "mounts", 3), "source"), "tmpfs");
	ck_assert_str_eq(at(at(spec, "mounts", 1), "options", 1)->str, "ro");
}
END_TEST

START_TEST(what_the_host_does_stays_there)
{
	AUTO(arena) *a = arena_new();
	struct guest_streams st = { 0 };
	const struct json *spec = json_get(create_body(a, big, &st), "spec");
	const struct json *lx = json_get(spec, "linux");
	static const char *const gone[] = { "hooks", "annotations", "vm" };
	static const char *const gone_linux[] = { "seccomp", "intelRdt", "netDevices" };

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		ck_assert_msg(!json_get(spec, gone[i]), "%s", gone[i]);
	for (size_t i = 0; i < ARRAY_SIZE(gone_linux); i++)
		ck_assert_msg(!json_get(lx, gone_linux[i]), "%s", gone_linux[i]);
	ck_assert_uint_eq(json_get(lx, "namespaces")->len, 4);
	ck_assert_str_eq(json_get_str(at(lx, "namespaces", 0), "type"), "network");
	ck_assert_ptr_null(json_get(at(lx, "namespaces", 0), "path"));
}
END_TEST

START_TEST(limits_of_the_guest_arrive)
{
	AUTO(arena) *a = arena_new();
	struct guest_streams st = { 0 };
	const struct json *spec = json_get(create_body(a, big, &st), "spec");
	const struct json *res = json_get(json_get(spec, "linux"), "resources");

	ck_assert_str_eq(json_get(json_get(res, "memory"), "limit")->str, "100");
	ck_assert_str_eq(json_get(json_get(res, "pids"), "limit")->str, "3");
	ck_assert_str_eq(json_get(json_get(res, "cpu"), "quota")->str, "5");
	ck_assert_ptr_nonnull(json_get(json_get(res, "cpu"), "cpus"));
	ck_assert_ptr_null(json_get(res, "blockIO"));
}
END_TEST

static unsigned number_of(void *arg, const char *id)
{
	(void)arg;
	return str_eq(id, "pause") ? 3 : 0;
}

#define JOIN(path)                                                                       \
	"'linux':{'namespaces':[{'type':'network'},{'type':'ipc','path':'" path "'}]}"

START_TEST(namespaces_of_another_container)
{
	AUTO(arena) *a = arena_new();
	struct guest_create g = { .id = "box", .number = 7, .number_of = number_of };
	struct kata_err err = { 0 };
	struct buf b = { 0 };

	g.spec = oci_good(a, CONFIG(JOIN("/container:pause")));
	ck_assert_int_eq(guest_create_write(&g, &b, &err), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\"/container:3\""));
	g.spec = oci_good(a, CONFIG(JOIN("/container:gone")));
	ck_assert_int_eq(guest_create_write(&g, &b, &err), -ESRCH);
	ck_assert_str_eq(err.msg,
			 "linux.namespaces: container gone, whose ipc namespace is to "
			 "be joined, has ended");
	g.spec = oci_good(a, CONFIG(JOIN("/proc/1/ns/ipc")));
	ck_assert_int_eq(guest_create_write(&g, &b, &err), -ENOTSUP);
	buf_done(&b);
}
END_TEST

START_TEST(what_the_agent_does_arrives)
{
	AUTO(arena) *a = arena_new();
	struct guest_streams st = { 0 };
	const struct json *spec = json_get(create_body(a, big, &st), "spec");
	const struct json *p = json_get(spec, "process");

	ck_assert_str_eq(at(p, "args", 1)->str, "-c");
	ck_assert_str_eq(at(p, "env", 0)->str, "A=b");
	ck_assert_str_eq(json_get(json_get(p, "user"), "uid")->str, "5");
	ck_assert_str_eq(json_get(p, "oomScoreAdj")->str, "-3");
	ck_assert_str_eq(json_get(at(p, "rlimits", 0), "hard")->str,
			 "18446744073709551615");
	ck_assert_str_eq(json_get_str(spec, "hostname"), "h");
	ck_assert(json_get(json_get(spec, "root"), "readonly")->boolean);
	ck_assert_str_eq(json_get_str(json_get(json_get(spec, "linux"), "sysctl"),
				      "net.ipv4.ip_forward"),
			 "1");
}
END_TEST

/* The agent reads it with the same loader: what we write must satisfy it. */
START_TEST(spec_loads_again)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = oci_good(a, big), *again;
	struct guest_streams st = { 0 };
	struct kata_err err = { 0 };
	struct json_out o = { .buf = &(struct buf){ 0 } };

	json_out_value(&o, json_get(create_body(a, big, &st), "spec"));
	ck_assert_msg(oci_spec_load((const char *)buf_ptr(o.buf), buf_len(o.buf), a,
				    &again, &err) == 0,
		      "%s", err.msg);
	ck_assert_uint_eq(again->mounts.n, spec->mounts.n);
	buf_done(o.buf);
}
END_TEST

START_TEST(paths_of_the_share_become_the_users)
{
	static const struct {
		const char *guest, *host;
	} cases[] = {
		{ "nothing to see", "nothing to see" },
		{ "open /run/kata/share/c7/m1/x: no", "open /host/data/x: no" },
		{ "\"/run/kata/share/c7/m2\" on \"/run/kata/share/c7/rootfs/a\"",
		  "\"/host/more\" on \"/host/secret/a\"" },
		/* what is no bind, no mount, another container's stays */
		{ "/run/kata/share/c7/m0", "/run/kata/share/c7/m0" },
		{ "/run/kata/share/c7/m9", "/run/kata/share/c7/m9" },
		{ "/run/kata/share/c7/m99999999999", "/run/kata/share/c7/m99999999999" },
		{ "/run/kata/share/c7/m", "/run/kata/share/c7/m" },
		{ "/run/kata/share/c8/m1", "/run/kata/share/c8/m1" },
	};
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = oci_good(a, big);
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		guest_text_to_host(spec, 7, cases[i].guest, out, sizeof(out));
		ck_assert_str_eq(out, cases[i].host);
	}
	guest_text_to_host(spec, 7, "/run/kata/share/c7/m1", out, 6);
	ck_assert_str_eq(out, "/host");
}
END_TEST

START_TEST(hooks_of_the_container_arrive)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = oci_good(
		a, CONFIG("'annotations':{'k':'v'},'hooks':{'prestart':[{'path':'/p'}],"
			  "'startContainer':[{'path':'/s','timeout':3}]}," NET "}"));
	struct guest_create g = { .spec = spec, .id = "box", .number = 7, .bundle = "/b" };
	struct kata_err err = { 0 };
	const struct json *j, *copy;
	struct buf b = { 0 };

	ck_assert_int_eq(guest_create_write(&g, &b, &err), 0);
	ck_assert_int_eq(json_parse((const char *)buf_ptr(&b), buf_len(&b),
				    &json_limits_default, a, &j, &err),
			 0);
	copy = json_get(j, "spec");
	ck_assert_str_eq(json_get_str(j, "bundle"), "/b");
	ck_assert_str_eq(json_get_str(json_get(copy, "annotations"), "k"), "v");
	ck_assert_uint_eq(json_get(copy, "hooks")->len, 1);
	ck_assert_str_eq(
		json_get_str(at(json_get(copy, "hooks"), "startContainer", 0), "path"),
		"/s");
	buf_done(&b);
}
END_TEST

START_TEST(exec_body)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = oci_good(a, big);
	const struct passed_fd fds[] = {
		{ .kind = PASSED_FILE, .path = "c7/x3-0", .append = true },
		{ .kind = PASSED_PIPE, .access = PASSED_WRITE, .out = "11" },
	};
	struct guest_streams st = { .terminal = true,
				    .token = { [STREAM_TTY] = 9 },
				    .fds = fds,
				    .n_fds = ARRAY_SIZE(fds) };
	struct kata_err err = { 0 };
	const struct passed_fd *got;
	struct passed_list list;
	const struct json *j;
	struct buf b = { 0 };

	guest_exec_write(spec->process, 7, 3, &st, &b);
	ck_assert_int_eq(json_parse((const char *)buf_ptr(&b), buf_len(&b),
				    &json_limits_default, a, &j, &err),
			 0);
	ck_assert_str_eq(json_get(j, "container")->str, "7");
	ck_assert_str_eq(json_get(j, "process")->str, "3");
	ck_assert_str_eq(json_get_str(json_get(j, "streams"), "tty"), "9");
	ck_assert_str_eq(at(json_get(j, "spec"), "args", 0)->str, "sh");
	ck_assert_int_eq(jtab_decode(&passed_list_tab, j, a, "", &list, &err), 0);
	got = list.fds.v;
	ck_assert_uint_eq(list.fds.n, 2);
	ck_assert(got[0].kind == PASSED_FILE && got[0].append && !got[0].out);
	ck_assert_str_eq(got[0].path, "c7/x3-0");
	ck_assert(got[1].kind == PASSED_PIPE && got[1].access == PASSED_WRITE);
	ck_assert_str_eq(got[1].out, "11");
	buf_done(&b);
}
END_TEST

START_TEST(filter_arrives_as_hex)
{
	AUTO(arena) *a = arena_new();
	struct filter f = { .flags = 6 };
	struct guest_create g = { .id = "box", .number = 7, .filter = &f };
	struct kata_err err = { 0 };
	struct buf b = { 0 };
	const struct json *j;

	g.spec = oci_good(a, CONFIG(NET "}"));
	ck_assert_int_eq(guest_create_write(&g, &b, &err), 0);
	ck_assert_ptr_null(json_get(oci_json(a, buf_cstr(&b), buf_len(&b)), "filter"));
	buf_done(&b);
	buf_add(&f.program, "\x00\x7f\xf0\xff", 4);
	ck_assert_int_eq(guest_create_write(&g, &b, &err), 0);
	j = json_get(oci_json(a, buf_cstr(&b), buf_len(&b)), "filter");
	ck_assert_str_eq(json_get_str(j, "program"), "007ff0ff");
	ck_assert_str_eq(json_get(j, "flags")->str, "6");
	buf_done(&b);
	buf_done(&f.program);
}
END_TEST

/* --- guest_spec_check ---------------------------------------------------------------------- */

struct heard {
	size_t n;
	char all[8192];
};

static void hear(void *arg, const char *text)
{
	struct heard *h = arg;
	size_t len = strlen(h->all);

	h->n++;
	snprintf(h->all + len, sizeof(h->all) - len, "%s\n", text);
}

static int check(const char *quoted, struct heard *h, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();

	memset(h, 0, sizeof(*h));
	return guest_spec_check(oci_good(a, quoted), hear, h, err);
}

#define LINUX(rest) CONFIG(NET "," rest "}")
#define RESOURCES(rest) LINUX("'resources':{" rest "}")
#define PROC(rest) CONFIG("'process':" PROCESS(rest) "," NET "}")

/* @path: of the one warning; NULL = none. */
static const struct {
	const char *config, *path;
} warnings[] = {
	{ CONFIG(NET "}"), NULL },
	{ LINUX("'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}"), NULL },
	{ LINUX("'mountLabel':'x'"), "linux.mountLabel: " },
	{ LINUX("'rootfsPropagation':'shared'"), "linux.rootfsPropagation: " },
	{ LINUX("'rootfsPropagation':'rslave'"), NULL },
	{ LINUX("'rootfsPropagation':'private'"), NULL },
	{ LINUX("'devices':[{'path':'/dev/null','type':'c','major':1,'minor':3}]"),
	  NULL },
	{ LINUX("'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229}]"),
	  NULL },
	{ LINUX("'personality':{'domain':'LINUX32'}"), NULL },
	{ LINUX("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0'}"), NULL },
	{ RESOURCES(""), NULL },
	{ RESOURCES("'devices':[{'allow':false,'access':'rwm'}]"), NULL },
	{ RESOURCES("'memory':{'limit':1048576,'kernel':-1,'kernelTCP':0,"
		    "'disableOOMKiller':false}"),
	  NULL },
	{ RESOURCES("'cpu':{'realtimeRuntime':0,'realtimePeriod':0}"), NULL },
	{ RESOURCES("'network':{'classID':0,'priorities':[]}"), NULL },
	{ RESOURCES("'memory':{'limit':1048576,'swappiness':0},'pids':{'limit':100}"),
	  NULL },
	{ PROC("'apparmorProfile':'docker-default'"), "process.apparmorProfile: " },
	{ PROC("'apparmorProfile':''"), NULL },
	{ PROC("'apparmorProfile':'unconfined'"), NULL },
	{ PROC("'selinuxLabel':'system_u:system_r:container_t:s0'"),
	  "process.selinuxLabel: " },
	{ PROC("'oomScoreAdj':500,'noNewPrivileges':true"), NULL },
	{ PROC("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':4}"), NULL },
	{ PROC("'scheduler':{'policy':'SCHED_OTHER'}"), NULL },
	{ PROC("'execCPUAffinity':{'initial':'0','final':'0'}"), NULL },
	{ PROC("'capabilities':{'bounding':['CAP_KILL','CAP_OLD']}"),
	  "process.capabilities: ignoring unknown or unavailable capabilities: [CAP_OLD]\n" },
	{ PROC("'capabilities':{'ambient':['CAP_OLD','CAP_NEW'],'permitted':['CAP_NEW']}"),
	  "process.capabilities: ignoring unknown or unavailable capabilities: "
	  "[CAP_NEW CAP_OLD]\n" },
	{ CONFIG("'linux':{'namespaces':[{'type':'network'}]}"),
	  "linux.namespaces: no pid namespace" },
	{ CONFIG("'hooks':{'poststop':[{'path':'/x'}]}," NET "}"), NULL },
	{ CONFIG("'hooks':{'startContainer':[{'path':'/x'}]}," NET "}"), NULL },
};

START_TEST(warnings_name_the_property)
{
	struct kata_err err = { 0 };
	struct heard h;

	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
		const char *path = warnings[i].path;

		ck_assert_msg(check(warnings[i].config, &h, &err) == 0, "%s: %s",
			      warnings[i].config, err.msg);
		ck_assert_msg(h.n == (path ? 1u : 0u), "%s: %s", warnings[i].config,
			      h.all);
		if (path)
			ck_assert_msg(str_has_prefix(h.all, path), "%s: %s",
				      warnings[i].config, h.all);
	}
}
END_TEST

static const struct {
	const char *config, *path;
} errors[] = {
	{ CONFIG("'linux':{}"), "linux.namespaces: network: the host's network" },
	{ CONFIG("'linux':{'namespaces':[{'type':'pid'}]}"),
	  "linux.namespaces: network: " },
	{ CONFIG("'linux':{'namespaces':[{'type':'network'},{'type':'mount','path':'/proc/1/ns/mnt'}]}"),
	  "linux.namespaces: mount path: " },
	{ CONFIG("'linux':{'namespaces':[{'type':'network'},{'type':'time','path':'/proc/1/ns/time'}]}"),
	  "linux.namespaces: time path: " },
	{ LINUX("'netDevices':{'eth0':{'name':'x'}}"), "linux.netDevices: " },
	{ RESOURCES("'memory':{'kernel':4096}"), "linux.resources.memory.kernel: " },
	{ RESOURCES("'memory':{'kernelTCP':4096}"),
	  "linux.resources.memory.kernelTCP: " },
	{ RESOURCES("'memory':{'disableOOMKiller':true}"),
	  "linux.resources.memory.disableOOMKiller: " },
	{ RESOURCES("'cpu':{'realtimeRuntime':950}"),
	  "linux.resources.cpu.realtimeRuntime: " },
	{ RESOURCES("'cpu':{'realtimePeriod':1000}"),
	  "linux.resources.cpu.realtimePeriod: " },
	{ RESOURCES("'network':{'classID':1}"), "linux.resources.network.classID: " },
	{ RESOURCES("'network':{'priorities':[{'name':'a','priority':1}]}"),
	  "linux.resources.network.priorities: " },
	{ RESOURCES("'rdma':{'mlx5':{'hcaHandles':3}}"), "linux.resources.rdma: " },
	{ LINUX("'intelRdt':{'closID':'x'}"), "linux.intelRdt: " },
	{ LINUX("'seccomp':{'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/x'}"),
	  "linux.seccomp.listenerPath: " },
};

START_TEST(errors_name_the_property)
{
	struct kata_err err = { 0 };
	struct heard h;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		ck_assert_msg(check(errors[i].config, &h, &err) == -ENOTSUP, "%s",
			      errors[i].config);
		ck_assert_msg(str_has_prefix(err.msg, errors[i].path), "%s: %s",
			      errors[i].config, err.msg);
	}
}
END_TEST

START_TEST(network_path_is_fine)
{
	struct kata_err err = { 0 };
	struct heard h;

	ck_assert_int_eq(check(CONFIG("'linux':{'namespaces':[{'type':'pid'},"
				      "{'type':'network','path':'/run/netns/x'}]}"),
			       &h, &err),
			 0);
	ck_assert_uint_eq(h.n, 0);
}
END_TEST

/* What engines ask for by default is there. */
START_TEST(default_configs_of_engines_pass)
{
	static const char *const files[] = { "docker.json", "podman.json",
					     "containerd-cri.json" };
	struct kata_err err = { 0 };
	struct heard h;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO(arena) *a = arena_new();
		AUTO_FREE char *text = NULL;
		char path[512];
		const struct oci_spec *spec;
		size_t len;

		snprintf(path, sizeof(path), TEST_DATA "/guest_spec/%s", files[i]);
		ck_assert_int_eq(fs_read_at(AT_FDCWD, path, 1 << 20, &text, &len), 0);
		ck_assert_msg(oci_spec_load(text, len, a, &spec, &err) == 0, "%s: %s",
			      files[i], err.msg);
		memset(&h, 0, sizeof(h));
		ck_assert_msg(guest_spec_check(spec, hear, &h, &err) == 0, "%s: %s",
			      files[i], err.msg);
		/* docker's host had AppArmor */
		if (h.n == 1 && str_has_prefix(h.all, "process.apparmorProfile: "))
			continue;
		ck_assert_msg(h.n == 0, "%s: %s", files[i], h.all);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		frame_names_container_and_streams,
		bind_sources_become_the_shares,
		what_the_host_does_stays_there,
		limits_of_the_guest_arrive,
		namespaces_of_another_container,
		what_the_agent_does_arrives,
		spec_loads_again,
		hooks_of_the_container_arrive,
		exec_body,
		filter_arrives_as_hex,
		paths_of_the_share_become_the_users,
		warnings_name_the_property,
		errors_name_the_property,
		network_path_is_fine,
		default_configs_of_engines_pass,
	};

	return suite_run("guest_spec", tests, ARRAY_SIZE(tests));
}
