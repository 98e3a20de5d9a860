/* SPDX-License-Identifier: Apache-2.0 */
/* The linux section, and the rules that tie settings to namespaces. */
#include "oci.h"

#include "oci/mount_opts.h"

#define LINUX(rest) CONFIG("'linux':{" rest "}")

static const struct oci_linux *lx(struct arena *a, const char *quoted)
{
	return oci_good(a, quoted)->linux_;
}

START_TEST(namespaces_in_order)
{
	AUTO(arena) *a = arena_new();
	const struct oci_linux *l;
	const struct oci_namespace *ns;

	l = lx(a, LINUX("'namespaces':[{'type':'mount'},{'type':'cgroup','path':'/x'},"
			"{'type':'time'}]"));
	ns = l->namespaces.v;
	ck_assert_uint_eq(l->namespaces.n, 3);
	ck_assert_int_eq(ns[0].type, OCI_NS_MOUNT);
	ck_assert_ptr_null(ns[0].path);
	ck_assert_int_eq(ns[1].type, OCI_NS_CGROUP);
	ck_assert_str_eq(ns[1].path, "/x");
	ck_assert_int_eq(ns[2].type, OCI_NS_TIME);
}
END_TEST

START_TEST(namespace_names)
{
	static const char *const names[] = { "mount", "pid",  "network", "uts",
					     "ipc",   "user", "cgroup",	 "time" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(oci_ns_names[i], names[i]);
	ck_assert_ptr_null(oci_ns_names[OCI_NS_TYPES]);
}
END_TEST

START_TEST(devices)
{
	AUTO(arena) *a = arena_new();
	const struct oci_device *d;

	d = lx(a,
	       LINUX("'devices':[{'type':'c','path':'/dev/fuse','major':10,'minor':229,"
		     "'fileMode':8630,'uid':1,'gid':2},{'type':'p','path':'/p'}]"))
		    ->devices.v;
	ck_assert_str_eq(d[0].type, "c");
	ck_assert_str_eq(d[0].path, "/dev/fuse");
	ck_assert_int_eq(*d[0].major, 10);
	ck_assert_int_eq(*d[0].minor, 229);
	ck_assert_uint_eq(*d[0].fileMode & 07777, 0666);
	ck_assert_uint_eq(*d[0].uid, 1);
	ck_assert_uint_eq(*d[0].gid, 2);
	ck_assert_ptr_null(d[1].major);
	ck_assert_ptr_null(d[1].fileMode);
}
END_TEST

START_TEST(net_devices)
{
	AUTO(arena) *a = arena_new();
	const struct oci_linux *l;
	const struct oci_net_device *d;

	l = lx(a, LINUX("'namespaces':[{'type':'network'}],"
			"'netDevices':{'eth1':{'name':'c%d'},'a.100':{}}"));
	d = l->netDevices.v;
	ck_assert_uint_eq(l->netDevices.n, 2);
	ck_assert_str_eq(l->netDevices.keys[0], "eth1");
	ck_assert_str_eq(d[0].name, "c%d");
	ck_assert_str_eq(l->netDevices.keys[1], "a.100");
	ck_assert_ptr_null(d[1].name);
	oci_bad(LINUX("'namespaces':[{'type':'network'}],'netDevices':{'..':{}}"),
		"linux.netDevices: invalid network device name \"..\"");
}
END_TEST

START_TEST(plain_members)
{
	AUTO(arena) *a = arena_new();
	const struct oci_linux *l;

	l = lx(a, LINUX("'namespaces':[{'type':'mount'}],'cgroupsPath':'a:b:c',"
			"'rootfsPropagation':'rslave','mountLabel':'m',"
			"'maskedPaths':['/a','/b'],'readonlyPaths':['/c'],"
			"'personality':{'domain':'LINUX'},'sysctl':{},"
			"'intelRdt':{'closID':'/','schemata':['L3:0=f','MB:0=1'],"
			"'enableMonitoring':true}"));
	ck_assert_str_eq(l->cgroupsPath, "a:b:c");
	ck_assert_str_eq(l->rootfsPropagation, "rslave");
	ck_assert_str_eq(l->mountLabel, "m");
	STRV_EQ(l->maskedPaths, "/a", "/b");
	STRV_EQ(l->readonlyPaths, "/c");
	ck_assert_str_eq(l->personality->domain, "LINUX");
	ck_assert_str_eq(l->intelRdt->closID, "/");
	STRV_EQ(l->intelRdt->schemata, "L3:0=f", "MB:0=1");
	ck_assert(l->intelRdt->enableMonitoring);
	ck_assert_ptr_null(l->resources);
	ck_assert_ptr_null(l->seccomp);
}
END_TEST

/* the schema has four words, runc takes eight; Go's zero value is absence */
START_TEST(rootfs_propagations)
{
	static const char *const words[] = { "private",	   "shared",	 "slave",
					     "unbindable", "rprivate",	 "rshared",
					     "rslave",	   "runbindable" };
	AUTO(arena) *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char text[128];
		const struct oci_linux *l;

		snprintf(text, sizeof(text), LINUX("'rootfsPropagation':'%s'"), words[i]);
		l = lx(a, text);
		ck_assert_str_eq(l->rootfsPropagation, words[i]);
		ck_assert_uint_ne(mount_opt_propagation(l->rootfsPropagation), 0);
	}
	ck_assert_ptr_null(lx(a, LINUX("'rootfsPropagation':''"))->rootfsPropagation);
}
END_TEST

START_TEST(memory_policies)
{
	AUTO(arena) *a = arena_new();
	const struct oci_memory_policy *mp;

	mp = lx(a, LINUX("'memoryPolicy':{'mode':'MPOL_PREFERRED'}"))->memoryPolicy;
	ck_assert_str_eq(mp->mode, "MPOL_PREFERRED");
	ck_assert_ptr_null(mp->nodes);
	mp = lx(a, LINUX("'memoryPolicy':{'mode':'MPOL_DEFAULT','nodes':''}"))
		     ->memoryPolicy;
	ck_assert_str_eq(mp->nodes, "");
	mp = lx(a, LINUX("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0,2-3',"
			 "'flags':['MPOL_F_STATIC_NODES']}"))
		     ->memoryPolicy;
	STRV_EQ(mp->flags, "MPOL_F_STATIC_NODES");
	oci_bad(LINUX("'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'1'}"),
		"linux.memoryPolicy.nodes: must be empty for MPOL_LOCAL");
	oci_bad(LINUX("'memoryPolicy':{'mode':'MPOL_PREFERRED_MANY','nodes':' , '}"),
		"linux.memoryPolicy.nodes: must have a node for MPOL_PREFERRED_MANY");
}
END_TEST

START_TEST(time_offsets)
{
	AUTO(arena) *a = arena_new();
	const struct oci_time_offsets *t;

	t = lx(a, LINUX("'namespaces':[{'type':'time'}],"
			"'timeOffsets':{'boottime':{'secs':-9223372036854775808}}"))
		    ->timeOffsets;
	ck_assert(t->boottime->secs == INT64_MIN);
	ck_assert_uint_eq(t->boottime->nanosecs, 0);
	ck_assert_ptr_null(t->monotonic);
}
END_TEST

START_TEST(user_namespaces)
{
	AUTO(arena) *a = arena_new();
	const struct oci_id_map *map;

	map = lx(a,
		 LINUX("'namespaces':[{'type':'user'}],'uidMappings':[{'containerID':0,"
		       "'hostID':100000,'size':4294867295}],"
		       "'gidMappings':[{'containerID':0,'hostID':5,'size':1}]"))
		      ->uidMappings.v;
	ck_assert_uint_eq(map->hostID, 100000);
	ck_assert_uint_eq(map->size, 4294867295);
	/* containerd and CRI-O give the path and its mappings; runc takes it, too */
	lx(a, LINUX("'namespaces':[{'type':'user','path':'/u'}],"
		    "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]"));
	lx(a, LINUX("'namespaces':[{'type':'user','path':'/u'}]"));
}
END_TEST

START_TEST(sysctls_need_their_namespace)
{
	static const struct {
		const char *ns, *key;
	} good[] = {
		{ "ipc", "kernel.msgmax" },
		{ "ipc", "kernel.shm_rmid_forced" },
		{ "ipc", "kernel/sem" },
		{ "ipc", "fs.mqueue.msg_max" },
		{ "ipc", "fs/mqueue/msg_max" },
		{ "network", "net.core.somaxconn" },
		{ "network", "net/ipv4/conf/eth0.100/rp_filter" },
		{ "network", "net.ipv4.conf.eth0/100.rp_filter" },
		{ "uts", "kernel.domainname" },
	};
	AUTO(arena) *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const char *doc;

		doc = arena_printf(
			a, LINUX("'namespaces':[{'type':'%s'}],'sysctl':{'%s':'1'}"),
			good[i].ns, good[i].key);
		ck_assert_uint_eq(lx(a, doc)->sysctl.n, 1);
		doc = arena_printf(
			a, LINUX("'namespaces':[{'type':'pid'}],'sysctl':{'%s':'1'}"),
			good[i].key);
		{
			const char *text = oci_text(a, doc);
			const struct oci_spec *spec;
			struct kata_err err = { 0 };

			ck_assert_int_lt(
				oci_spec_load(text, strlen(text), a, &spec, &err), 0);
			ck_assert_ptr_nonnull(strstr(err.msg, "linux.sysctl: sysctl \""));
		}
	}
}
END_TEST

START_TEST(sysctls_of_no_namespace_are_refused)
{
#define ALL                                                                              \
	"'namespaces':[{'type':'ipc'},{'type':'network'},{'type':'uts'},{'type':'pid'}],"
	oci_bad(LINUX(ALL "'sysctl':{'kernel.panic':'1'}"),
		"linux.sysctl: sysctl \"kernel.panic\" is not in a separate kernel namespace");
	oci_bad(LINUX(ALL "'sysctl':{'network.x':'1'}"),
		"linux.sysctl: sysctl \"network.x\" is not in a separate kernel namespace");
	oci_bad(LINUX(ALL "'sysctl':{'kernel.hostname':'1'}"),
		"linux.sysctl: sysctl \"kernel.hostname\" is not allowed as it conflicts with "
		"the OCI \"hostname\" field");
	oci_bad(LINUX(ALL "'sysctl':{'x':'1'}"),
		"linux.sysctl: sysctl \"x\" is not in a separate kernel namespace");
#undef ALL
}
END_TEST

/* The agent decodes with the tables alone, and its document lacks what the host has done. */
START_TEST(tables_do_not_ask_for_namespaces)
{
	AUTO(arena) *a = arena_new();
	const char *text = oci_text(a, "{'ociVersion':'1.3.0','hostname':'h','linux':{"
				       "'sysctl':{'net.core.somaxconn':'1'},"
				       "'maskedPaths':['/a']}}");
	struct oci_spec spec;
	struct kata_err err = { 0 };
	int r = jtab_decode(&oci_spec_tab, oci_json(a, text, strlen(text)), a, "spec",
			    &spec, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	ck_assert_str_eq(spec.hostname, "h");
	text = oci_text(a, "{'ociVersion':'1.3.0','process':{'cwd':'x','args':['a']}}");
	ck_assert_int_lt(jtab_decode(&oci_spec_tab, oci_json(a, text, strlen(text)), a,
				     "spec", &spec, &err),
			 0);
	ck_assert_str_eq(err.msg, "spec.process.cwd: must be an absolute path, is \"x\"");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		namespaces_in_order,
		namespace_names,
		devices,
		net_devices,
		plain_members,
		rootfs_propagations,
		memory_policies,
		time_offsets,
		user_namespaces,
		sysctls_need_their_namespace,
		sysctls_of_no_namespace_are_refused,
		tables_do_not_ask_for_namespaces,
	};

	return suite_run("oci_linux", tests, ARRAY_SIZE(tests));
}
