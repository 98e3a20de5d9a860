// SPDX-License-Identifier: Apache-2.0
/* The verbs against a sandbox without a VM: several containers in it. */
#include "base/buf.h"
#include "store/store.h"
#include "verb/verb.h"
#include "verb_bed.h"

/* config.json of a container of a pod; @namespaces without mount, @rest further members. */
static void write_pod(const char *command, const char *namespaces, const char *rest)
{
	AUTO_FREE char *text =
		mem_printf("{'ociVersion':'1.3.0','root':{'path':'rootfs'},"
			   "'process':{'cwd':'/','args':['fake',%s]},%s"
			   "'linux':{'namespaces':[{'type':'mount'},%s]}}",
			   command, rest, namespaces);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	write_at("bundle/config.json", text);
}

#define OWN_NS "{'type':'network'},{'type':'ipc'},{'type':'uts'},{'type':'pid'}"

/* Container "a", alone in its VM. Return: its shim's pid. */
static pid_t create_first(void)
{
	write_pod("'hold'", OWN_NS, "");
	ck_assert_msg(create("a") == 0, "%s", err.msg);
	return shim_pid();
}

/* @how: "N" network, "I" ipc, "U" uts, "P" pid by path of @pid, small letters: new ones. */
static char *namespaces_of(pid_t pid, const char *how)
{
	static const struct {
		char letter;
		const char *type, *file;
	} kinds[] = {
		{ 'n', "network", "net" },
		{ 'i', "ipc", "ipc" },
		{ 'u', "uts", "uts" },
		{ 'p', "pid", "pid" },
	};
	struct buf b = { 0 };
	char *text;

	for (; *how; how++) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			if (kinds[i].letter == *how)
				buf_addf(&b, "{'type':'%s'},", kinds[i].type);
			else if (kinds[i].letter == (*how | 0x20))
				buf_addf(&b, "{'type':'%s','path':'/proc/%d/ns/%s'},",
					 kinds[i].type, (int)pid, kinds[i].file);
		}
	}
	text = mem_strndup(buf_cstr(&b), buf_len(&b) - 1);
	buf_done(&b);
	return text;
}

static int create_member(const char *command, pid_t pid, const char *how,
			 const char *annotations)
{
	AUTO_FREE char *ns = namespaces_of(pid, how);

	write_pod(command, ns, annotations);
	return create("b");
}

static bool same_ns(pid_t a, pid_t b, const char *name)
{
	char path[64];
	struct stat one, two;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)a, name);
	ck_assert_int_eq(stat(path, &one), 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)b, name);
	ck_assert_int_eq(stat(path, &two), 0);
	return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static pid_t sandbox_pid(const char *id)
{
	AUTO(arena) *a = arena_new();
	struct store_dir d = STORE_DIR_INIT;
	struct store_record r;

	ck_assert_int_eq(store_open(root, id, false, &d, &err), 0);
	ck_assert_int_eq(store_record_read(&d, a, &r, &err), 0);
	store_dir_done(&d);
	return (pid_t)r.sandbox->pid;
}

#define CRI(type, id)                                                                    \
	"'annotations':{'io.kubernetes.cri.container-type':'" type                       \
	"','io.kubernetes.cri.sandbox-id':'" id "'},"
#define CRIO(type, id)                                                                   \
	"'annotations':{'io.kubernetes.cri-o.ContainerType':'" type                      \
	"','io.kubernetes.cri-o.SandboxID':'" id "'},"

static const struct {
	const char *how, *annotations;
	const char *
		told; /* what the sandbox is told of namespaces, behind the network's path */
	const char *joined;
} joins[] = {
	{ "NIUP", "", "ipc=/container:a uts=/container:a pid=/container:a ",
	  "net ipc uts" },
	{ "Nip", "", "", "net" },
	{ "nip", CRI("container", "a"), "", "net" },
	{ "NIp", CRIO("container", "a"), "ipc=/container:a ", "net ipc" },
};

START_TEST(members_join_the_vm)
{
	pid_t first = create_first();

	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		static const char *const files[] = { "net", "ipc", "uts", "pid" };
		char told[256];

		ck_assert_int_lt(create_member("'paths'", first, joins[i].how,
					       joins[i].annotations),
				 0);
		if (joins[i].how[0] == 'N')
			snprintf(told, sizeof(told), "network=/proc/%d/ns/net %s",
				 (int)first, joins[i].told);
		else
			str_copy(told, sizeof(told), joins[i].told);
		ck_assert_str_eq(err.msg, told);
		ck_assert(!exists("root/b"));
		ck_assert_msg(create_member("'hold'", first, joins[i].how,
					    joins[i].annotations) == 0,
			      "%s", err.msg);
		ck_assert(!exists("root/@b"));
		ck_assert_int_eq(sandbox_pid("b"), sandbox_pid("a"));
		for (size_t f = 0; f < ARRAY_SIZE(files); f++)
			ck_assert_msg(same_ns(first, shim_pid(), files[f]) ==
					      (strstr(joins[i].joined, files[f]) != NULL),
				      "%zu: %s", i, files[f]);
		ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
		ck_assert_str_eq(state_of("a", "status"), "created");
	}
}
END_TEST

static const struct {
	const char *how, *annotations, *says;
} strangers[] = {
	{ "nIp", "",
	  "linux.namespaces: a network of its own cannot be had in the VM of container "
	  "a, which shares a namespace; join its network too" },
	{ "nip", CRI("container", "x"),
	  "annotations: io.kubernetes.cri.sandbox-id: no container x is running in " },
	{ "nip", CRI("container", ""),
	  "annotations: a container of a pod needs io.kubernetes.cri.sandbox-id" },
	{ "Nip", CRIO("sandbox", "b"),
	  "annotations: io.kubernetes.cri-o.ContainerType is sandbox, but "
	  "linux.namespaces are of container a: a sandbox has a VM of its own" },
};

START_TEST(contradictions_are_refused)
{
	pid_t first = create_first();

	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		ck_assert_int_lt(create_member("'hold'", first, strangers[i].how,
					       strangers[i].annotations),
				 0);
		ck_assert_msg(str_has_prefix(err.msg, strangers[i].says), "%s", err.msg);
		ck_assert(!exists("root/b"));
	}
	/* of the host, and of nobody's */
	ck_assert_int_lt(create_member("'hold'", getpid(), "nIp", ""), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "is the host's ipc namespace"));
}
END_TEST

START_TEST(namespaces_of_strangers_are_refused)
{
	pid_t pid = fork();

	if (pid == 0) {
		ck_assert_int_eq(unshare(CLONE_NEWIPC | CLONE_NEWNET), 0);
		ck_assert_int_eq(kill(getpid(), SIGSTOP), 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
	ck_assert_int_lt(create_member("'hold'", pid, "nIp", ""), 0);
	ck_assert_ptr_nonnull(
		strstr(err.msg, "is no ipc namespace of a running container"));
	/* a network of a stranger is one for a VM of its own */
	ck_assert_msg(create_member("'hold'", pid, "Nip", "") == 0, "%s", err.msg);
	ck_assert(exists("root/@b"));
	create_first();
	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert_int_lt(create_member("'hold'", pid, "Nip", CRI("container", "a")), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "is not the network of container a"));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* The VM goes with the last one, whichever that is. */
START_TEST(either_is_deleted_first)
{
	static const char *const order[][2] = { { "a", "b" }, { "b", "a" } };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		pid_t first = create_first();

		ck_assert_int_eq(create_member("'hold'", first, "NIUP", ""), 0);
		ck_assert_int_eq(kata_kill(&k, order[i][0], "KILL", false, &err), 0);
		ck_assert_int_eq(kata_delete(&k, order[i][0], true, &err), 0);
		ck_assert(exists("root/@a"));
		ck_assert_str_eq(state_of(order[i][1], "status"), "created");
		ck_assert_int_eq(kata_start(&k, order[i][1], &err), 0);
		ck_assert_int_eq(kata_delete(&k, order[i][1], true, &err), 0);
		ck_assert(!exists("root/@a"));
		ck_assert(!exists("root/a"));
		ck_assert(!exists("root/b"));
	}
}
END_TEST

START_TEST(end_of_the_vm_ends_all)
{
	pid_t first = create_first();

	ck_assert_int_eq(create_member("'hold'", first, "NIUP", ""), 0);
	ck_assert_int_eq(kill(sandbox_pid("b"), SIGKILL), 0);
	ck_assert_int_eq(wait_for_shim(), 137);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert_str_eq(state_of("a", "status"), "stopped");
	ck_assert_str_eq(state_of("b", "status"), "stopped");
	ck_assert_int_lt(create_member("'hold'", 1, "nip", CRI("container", "a")), 0);
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert(!exists("root/@a"));
	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert(!exists("root/b"));
}
END_TEST

/* `docker restart` of a container whose network another one shares. */
START_TEST(first_is_made_again_while_its_vm_lives)
{
	pid_t first = create_first();

	ck_assert_int_eq(create_member("'hold'", first, "NIUP", ""), 0);
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	create_first();
	ck_assert(exists("root/@a"));
	ck_assert(exists("root/@a~2"));
	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert(!exists("root/@a"));
	ck_assert_str_eq(state_of("a", "status"), "created");
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert(!exists("root/@a~2"));
}
END_TEST

/* The record of a member whose VM has ended does not lead to a later VM of that name. */
START_TEST(stale_members_leave_later_vms_alone)
{
	pid_t first = create_first();

	ck_assert_int_eq(create_member("'hold'", first, "NIUP", ""), 0);
	ck_assert_int_eq(kill(sandbox_pid("b"), SIGKILL), 0);
	ck_assert_int_eq(wait_for_shim(), 137);
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	create_first();
	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert(exists("root/@a"));
	ck_assert_str_eq(state_of("a", "status"), "created");
}
END_TEST

START_TEST(silent_sandbox_goes_with_a_forced_delete)
{
	pid_t first = create_first();
	pid_t sandbox;

	ck_assert_int_eq(create_member("'hold'", first, "NIUP", ""), 0);
	sandbox = sandbox_pid("b");
	ck_assert_int_eq(kill(sandbox, SIGSTOP), 0);
	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert_int_eq(waitpid(sandbox, NULL, 0), sandbox);
	ck_assert(!exists("root/b"));
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert_str_eq(state_of("a", "status"), "stopped");
}
END_TEST

/* In a child: member "b" of the first container's VM is created and hangs. */
static pid_t hanging_member(pid_t first)
{
	AUTO_FREE char *ns = namespaces_of(first, "NIUP");
	pid_t pid;

	write_pod("'mute'", ns, "");
	pid = fork();
	if (pid == 0)
		_exit(create("b") < 0 ? 1 : 0);
	while (str_eq(state_of("b", "pid"), "") || str_eq(state_of("b", "pid"), "0"))
		sched_yield();
	return pid;
}

START_TEST(killed_create_of_a_member_leaves_the_others)
{
	pid_t pid = hanging_member(create_first());

	ck_assert_int_eq(kata_delete(&k, "b", true, &err), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!exists("root/b"));
	ck_assert_str_eq(state_of("a", "status"), "created");
}
END_TEST

START_TEST(undone_member_ends_a_vm_that_has_become_empty)
{
	pid_t pid = hanging_member(create_first());

	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert(exists("root/@a"));
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!exists("root/b"));
	ck_assert(!exists("root/@a"));
}
END_TEST

/* The host never ends a VM that keeps to its RAM; a member's group has no VM in it. */
START_TEST(groups_have_room_for_the_vm)
{
	struct store_record r = { .vm_memory = 512 << 20 };
	struct cgroup_extra extra;

	verb_cgroup_extra(&r, &extra);
	ck_assert(extra.devices);
	ck_assert(extra.min_memory > r.vm_memory + (64 << 20));
	ck_assert(extra.memory >= 64 << 20);
	ck_assert_uint_gt(extra.pids, 64);
	r.vm_memory = 0;
	verb_cgroup_extra(&r, &extra);
	ck_assert(!extra.devices);
	ck_assert(extra.min_memory == 0);
	ck_assert(extra.memory > 0 && extra.memory < 64 << 20);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		members_join_the_vm,
		contradictions_are_refused,
		namespaces_of_strangers_are_refused,
		either_is_deleted_first,
		end_of_the_vm_ends_all,
		first_is_made_again_while_its_vm_lives,
		stale_members_leave_later_vms_alone,
		silent_sandbox_goes_with_a_forced_delete,
		killed_create_of_a_member_leaves_the_others,
		undone_member_ends_a_vm_that_has_become_empty,
		groups_have_room_for_the_vm,
	};

	return bed_run("pods", tests, ARRAY_SIZE(tests));
}
