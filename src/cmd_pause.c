// SPDX-License-Identifier: Apache-2.0
/* pause: freeze all processes of a container. */
#include "cmd.h"

static int run_pause(const struct kata *k, const void *args, char **words, size_t n,
		     struct kata_err *err)
{
	(void)args;
	(void)n;
	return kata_pause(k, words[0], err);
}

static const struct opt pause_opts[] = { CMD_HELP_OPT };

const struct cmd cmd_pause = {
	.name = "pause",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "freeze all processes of a container",
	.opts = CMD_OPTS(pause_opts, "pause"),
	.args_size = sizeof(struct cmd_args),
	.run = run_pause,
};
