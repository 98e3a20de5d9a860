// SPDX-License-Identifier: Apache-2.0
/* start: run the program of a created container. */
#include "cmd.h"

static int run_start(const struct kata *k, const void *args, char **words, size_t n,
		     struct kata_err *err)
{
	(void)args;
	(void)n;
	return kata_start(k, words[0], err);
}

static const struct opt start_opts[] = { CMD_HELP_OPT };

const struct cmd cmd_start = {
	.name = "start",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "run the program of a created container",
	.opts = CMD_OPTS(start_opts, "start"),
	.args_size = sizeof(struct cmd_args),
	.run = run_start,
};
