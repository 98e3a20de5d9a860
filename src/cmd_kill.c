// SPDX-License-Identifier: Apache-2.0
/* kill: send one signal to a container. What follows the id is the signal, even with a dash. */
#include "cmd.h"

struct kill_args {
	struct cmd_args common;
	bool all;
};

static int run_kill(const struct kata *k, const void *args, char **words, size_t n,
		    struct kata_err *err)
{
	const struct kill_args *a = args;

	return kata_kill(k, words[0], n > 1 ? words[1] : NULL, a->all, err);
}

static const struct opt kill_opts[] = {
	{ "all", 'a', OPT_SWITCH, NULL, offsetof(struct kill_args, all), NULL,
	  "signal all processes of the container" },
	CMD_REFUSE_OPT("regex", 'r', NULL, "name the container"),
	CMD_HELP_OPT,
};

const struct cmd cmd_kill = {
	.name = "kill",
	.words = "ID [SIGNAL]",
	.min_words = 1,
	.max_words = 2,
	.doc = "send one signal (default SIGTERM) to a container",
	.opts = CMD_OPTS(kill_opts, "kill", .stop_at_first = true),
	.args_size = sizeof(struct kill_args),
	.run = run_kill,
};
