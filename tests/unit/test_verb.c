// SPDX-License-Identifier: Apache-2.0
/* The verbs against a sandbox without a VM: one container. Pods: test_pods.c. */
#include "verb_bed.h"

/* config.json for "fake @command"; @rest: further members, ' for ". */
static void write_bundle(const char *command, const char *rest)
{
	AUTO_FREE char *text = mem_printf(
		"{'ociVersion':'1.3.0','root':{'path':'rootfs'},"
		"'process':{'cwd':'/','args':['fake',%s]},%s"
		"'linux':{'namespaces':[{'type':'network'},{'type':'mount'},{'type':'pid'}]}}",
		command, rest);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	write_at("bundle/config.json", text);
}

START_TEST(life_of_a_container)
{
	write_bundle("'exit','7'", "");
	ck_assert_msg(create("a") == 0, "%s", err.msg);
	ck_assert_str_eq(state_of("a", "status"), "created");
	ck_assert_str_eq(state_of("a", "bundle"), bundle);
	ck_assert_int_eq(shim_pid(), (int)strtol(state_of("a", "pid"), NULL, 10));
	ck_assert_int_eq(kata_start(&k, "a", &err), 0);
	ck_assert_int_eq(wait_for_shim(), 7);
	ck_assert_str_eq(state_of("a", "status"), "stopped");
	ck_assert_str_eq(state_of("a", "pid"), "0");
	ck_assert_int_eq(kata_delete(&k, "a", false, &err), 0);
	ck_assert(!exists("root/a"));
	ck_assert_int_eq(kata_delete(&k, "a", false, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "container does not exist");
}
END_TEST

START_TEST(illegal_moves)
{
	write_bundle("'hold'", "");
	ck_assert_int_eq(create("a"), 0);
	ck_assert_int_eq(create("a"), -EEXIST);
	ck_assert_str_eq(state_of("a", "status"),
			 "created"); /* the first one is not harmed */
	ck_assert_int_eq(kata_start(&k, "a", &err), 0);
	ck_assert_str_eq(state_of("a", "status"), "running");
	ck_assert_int_lt(kata_start(&k, "a", &err), 0);
	ck_assert_str_eq(err.msg, "cannot start an already running container");
	ck_assert_int_lt(kata_delete(&k, "a", false, &err), 0);
	ck_assert_str_eq(err.msg,
			 "cannot delete container a that is not stopped: running");
	ck_assert_int_lt(kata_kill(&k, "a", "SIGFOO", false, &err), 0);
	ck_assert_str_eq(err.msg, "unknown signal \"SIGFOO\"");
	ck_assert_int_eq(kata_kill(&k, "a", NULL, false, &err), 0);
	ck_assert_int_eq(wait_for_shim(), 128 + SIGTERM);
	ck_assert_int_eq(kata_kill(&k, "a", "9", false, &err), -ESRCH);
	ck_assert_str_eq(err.msg, "container not running");
	ck_assert_int_eq(kata_kill(&k, "a", "9", true, &err), 0);
	ck_assert_int_lt(kata_start(&k, "a", &err), 0);
	ck_assert_str_eq(err.msg, "cannot start a container that has stopped");
}
END_TEST

START_TEST(created_container_is_deleted_without_force)
{
	write_bundle("'hold'", "");
	ck_assert_int_eq(create("a"), 0);
	ck_assert_int_eq(kata_delete(&k, "a", false, &err), 0);
	ck_assert(!exists("root/a"));
}
END_TEST

static const struct {
	const char *command, *says;
} failing[] = {
	{ "'refuse'",
	  "unable to start container process: exec: \"x\": executable file not found "
	  "in $PATH" },
	{ "'die'", "kata-sandbox died while the container was made" },
};

START_TEST(failed_create_leaves_nothing)
{
	for (size_t i = 0; i < ARRAY_SIZE(failing); i++) {
		write_bundle(failing[i].command,
			     "'hooks':{'poststop':[{'path':'/bin/sh',"
			     "'args':['sh','-c','echo >>poststop']}]},");
		ck_assert_int_lt(create("a"), 0);
		ck_assert_str_eq(err.msg, failing[i].says);
		ck_assert_int_eq(err.status, 0);
		ck_assert(!exists("root/a"));
		ck_assert(!exists("pid"));
		ck_assert(exists("bundle/poststop"));
		ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* both are reaped */
	}
}
END_TEST

START_TEST(failing_hook_undoes_the_container)
{
	write_bundle("'hold'",
		     "'hooks':{'createRuntime':[{'path':'/bin/sh','args':['sh','-c',"
		     "'echo boom >&2; exit 2']}]},");
	ck_assert_int_lt(create("a"), 0);
	ck_assert_str_eq(err.msg,
			 "error running createRuntime hook #0: exit status 2, stdout: , "
			 "stderr: boom");
	ck_assert(!exists("root/a"));
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

#define SAY(kind, word)                                                                  \
	"'" kind "':[{'path':'/bin/sh','args':['sh','-c','(echo " word                   \
	"; grep -o status...[a-z]*; echo) >>trace']}]"

/* The bundle's config.json may be gone by the time the last ones run. */
START_TEST(hooks_run_in_order_with_their_state)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	char *at;
	static const char *const order[] = { "one",	"two",	"three",  "four",
					     "running", "five", "stopped" };

	write_bundle(
		"'exit','0'",
		"'hooks':{" SAY("poststop", "five") "," SAY("poststart", "four") "," SAY(
			"createContainer", "three") "," SAY("createRuntime",
							    "two") "," SAY("prestart",
									   "one") "},");
	ck_assert_msg(create("a") == 0, "%s", err.msg);
	ck_assert_int_eq(unlinkat(dir.fd, "bundle/config.json", 0), 0);
	ck_assert_msg(kata_start(&k, "a", &err) == 0, "%s", err.msg);
	wait_for_shim();
	ck_assert_int_eq(kata_delete(&k, "a", false, &err), 0);
	ck_assert_int_eq(fs_read_at(dir.fd, "bundle/trace", 4096, &text, &len), 0);
	at = text;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		ck_assert_msg(at != NULL, "%s: %s", order[i], text);
	}
}
END_TEST

/* In a child: @id is created and hangs. Returns the child's pid. */
static pid_t hanging_create(const char *id)
{
	pid_t pid;

	write_bundle("'mute'", "");
	pid = fork();
	if (pid == 0)
		_exit(create(id) < 0 ? 1 : 0);
	while (!str_eq(state_of(id, "status"), "creating") ||
	       str_eq(state_of(id, "pid"), "0"))
		sched_yield();
	return pid;
}

START_TEST(forced_delete_ends_a_hanging_create)
{
	pid_t pid = hanging_create("a");
	int status;

	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert(!exists("root/a"));
	ck_assert(!exists("pid"));
}
END_TEST

START_TEST(killed_create_is_cleaned_by_delete)
{
	pid_t pid = hanging_create("a");

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert(!exists("root/a"));
}
END_TEST

START_TEST(interrupted_create_is_undone)
{
	pid_t pid = hanging_create("a");
	int status;

	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert(!exists("root/a"));
}
END_TEST

START_TEST(run_in_the_foreground)
{
	struct kata_create_args args = { .id = "a", .bundle = bundle };

	write_bundle("'exit','9'", "");
	ck_assert_msg(kata_run(&k, &args, &err) == 9, "%s", err.msg);
	ck_assert(!exists("root/a"));
	args.keep = true;
	ck_assert_int_eq(kata_run(&k, &args, &err), 9);
	ck_assert_str_eq(state_of("a", "status"), "stopped");
	args.id = "b";
	write_bundle("'nostart'", "");
	ck_assert_int_lt(kata_run(&k, &args, &err), 0);
	ck_assert_int_eq(err.status, 127);
	ck_assert(!exists("root/b"));
}
END_TEST

START_TEST(list_has_what_there_is)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *f;

	write_bundle("'hold'", "");
	ck_assert_int_eq(create("b"), 0);
	ck_assert_int_eq(create("a"), 0);
	ck_assert_int_eq(mkdirat(dir.fd, "root/moby", 0755), 0);
	f = open_memstream(&text, &len);
	ck_assert_int_eq(kata_list(&k, KATA_LIST_QUIET, f, &err), 0);
	fclose(f);
	ck_assert_str_eq(text, "a\nb\n");
}
END_TEST

static const struct {
	const char *rest, *says;
} refused[] = {
	{ "'process':{'terminal':true,'cwd':'/','args':['x']},",
	  "cannot allocate tty if runc will detach without setting console socket" },
	{ "'mounts':[{'destination':'/x','type':'tmpfs','source':'t',"
	  "'uidMappings':[{'containerID':0,'hostID':1,'size':1}],"
	  "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]}],",
	  "mounts[0].uidMappings: /x: id-mapped mounts are only supported for binds of the "
	  "host's files" },
	{ "'mounts':[{'destination':'/x','type':'bind','source':'/dev/null','options':['ridmap']}],",
	  "mounts[0].ridmap: /x: id-mapped mounts are only supported for binds of the host's "
	  "files" },
	{ "'mounts':[{'destination':'/x','type':'nfs','source':'h:/y'}],",
	  "mounts[0].type: \"nfs\" for /x cannot be mounted in the VM; mount it on the host and "
	  "bind it" },
	{ "'mounts':[{'destination':'/x','type':'bind','source':'/proc/self/ns'}],",
	  "mounts[0].source: /proc/self/ns is of a process of the host, which the VM does not "
	  "have" },
};

START_TEST(refusals_touch_nothing)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		AUTO_FREE char *text = mem_printf(
			"{'ociVersion':'1.3.0','root':{'path':'rootfs'},%s"
			"'linux':{'namespaces':[{'type':'network'},{'type':'mount'}]}}",
			refused[i].rest);

		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		write_at("bundle/config.json", text);
		ck_assert_int_lt(create("a"), 0);
		ck_assert_str_eq(err.msg, refused[i].says);
		ck_assert(!exists("root"));
	}
}
END_TEST

static const struct {
	const char *path, *says; /* %s: the temporary directory */
} netns_paths[] = {
	{ "/proc/self/ns/net",
	  "linux.namespaces: /proc/self/ns/net is the host's network, which "
	  "cannot be given to a VM" },
	{ "/proc/self/ns/uts",
	  "linux.namespaces: /proc/self/ns/uts is no network namespace" },
	{ "/dev/null", "linux.namespaces: /dev/null is no network namespace" },
	{ "/nonexistent",
	  "linux.namespaces: open /nonexistent: no such file or directory" },
};

START_TEST(network_namespace_must_be_another)
{
	for (size_t i = 0; i < ARRAY_SIZE(netns_paths); i++) {
		AUTO_FREE char *text = mem_printf(
			"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":"
			"{\"namespaces\":[{\"type\":\"network\",\"path\":\"%s\"}]}}",
			netns_paths[i].path);

		write_at("bundle/config.json", text);
		ck_assert_int_lt(create("a"), 0);
		ck_assert_str_eq(err.msg, netns_paths[i].says);
		ck_assert(!exists("root"));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		life_of_a_container,
		illegal_moves,
		created_container_is_deleted_without_force,
		failed_create_leaves_nothing,
		failing_hook_undoes_the_container,
		hooks_run_in_order_with_their_state,
		forced_delete_ends_a_hanging_create,
		killed_create_is_cleaned_by_delete,
		interrupted_create_is_undone,
		run_in_the_foreground,
		list_has_what_there_is,
		refusals_touch_nothing,
		network_namespace_must_be_another,
	};

	return bed_run("verb", tests, ARRAY_SIZE(tests));
}
