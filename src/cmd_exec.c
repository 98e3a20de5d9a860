// SPDX-License-Identifier: Apache-2.0
/* exec: run a further process in a container. Everything behind the id is the process's. */
#include "cmd.h"

struct exec_args {
	struct cmd_args common;
	struct kata_exec_args kata;
	struct opts_list env, gids, caps;
};

static struct fds exec_fds(const void *args)
{
	/* LISTEN_FDS means the container's init, here as with runc */
	return (struct fds){ 0, ((const struct exec_args *)args)->kata.preserve_fds };
}

static int run_exec(const struct kata *k, const void *args, char **words, size_t n,
		    struct kata_err *err)
{
	const struct exec_args *from = args;
	struct kata_exec_args a = from->kata;

	a.id = words[0];
	a.argv = n > 1 ? (const char *const *)words + 1 : NULL;
	a.env = from->env.v;
	a.additional_gids = from->gids.v;
	a.preserve_fds = from->common.fds.preserve;
	a.caps = from->caps.v;
	return kata_exec(k, &a, err);
}

#define EXEC_OPT(option, short_form, kind, arg, member, doc)                             \
	{                                                                                \
		option, short_form, kind, arg, offsetof(struct exec_args, member), NULL, \
			doc                                                              \
	}

static const struct opt exec_opts[] = {
	EXEC_OPT("additional-gids", 'g', OPT_LIST, "GID", gids,
		 "a further group; may be given several times"),
	EXEC_OPT("apparmor", 0, OPT_STR, "PROFILE", kata.apparmor,
		 "AppArmor profile of the process"),
	EXEC_OPT("cap", 'c', OPT_LIST, "CAP", caps,
		 "a further capability; may be given several times"),
	CMD_REFUSE_OPT("cgroup", 0, "PATH",
		       "groups below the container's are the guest's own"),
	EXEC_OPT("console-socket", 0, OPT_STR, "PATH", kata.console_socket,
		 "send the terminal's master to this unix socket"),
	EXEC_OPT("cwd", 0, OPT_STR, "DIR", kata.cwd, "working directory"),
	EXEC_OPT("detach", 'd', OPT_SWITCH, NULL, kata.detach, "do not wait for its end"),
	EXEC_OPT("env", 'e', OPT_LIST, "NAME=VALUE", env,
		 "a further environment variable; may be given several times"),
	EXEC_OPT("ignore-paused", 0, OPT_SWITCH, NULL, kata.ignore_paused,
		 "also in a paused container, to run when that is resumed"),
	EXEC_OPT("no-new-privs", 0, OPT_SWITCH, NULL, kata.no_new_privs,
		 "no privileges by executing programs"),
	EXEC_OPT("pid-file", 0, OPT_STR, "FILE", kata.pid_file,
		 "write the process id here"),
	CMD_REFUSE_OPT("pidfd-socket", 0, "PATH", "the process is in a VM"),
	EXEC_OPT("preserve-fds", 0, OPT_COUNT, "N", kata.preserve_fds,
		 "pass N descriptors, from 3 on"),
	EXEC_OPT("process", 'p', OPT_STR, "FILE", kata.process_file,
		 "the process as JSON, instead of options and a program"),
	EXEC_OPT("process-label", 0, OPT_STR, "LABEL", kata.process_label,
		 "SELinux label of the process"),
	EXEC_OPT("tty", 't', OPT_SWITCH, NULL, kata.tty, "give it a terminal"),
	EXEC_OPT("user", 'u', OPT_STR, "UID[:GID]", kata.user,
		 "user and group, by number"),
	CMD_HELP_OPT,
};

const struct cmd cmd_exec = {
	.name = "exec",
	.words = "ID [PROGRAM [ARGUMENT...]]",
	.min_words = 1,
	.max_words = SIZE_MAX,
	.doc = "run a further process in a container",
	.opts = CMD_OPTS(exec_opts, "exec", .stop_at_first = true),
	.args_size = sizeof(struct exec_args),
	.fds = exec_fds,
	.fails_as = "exec failed",
	.fails_with = 255,
	.run = run_exec,
};
