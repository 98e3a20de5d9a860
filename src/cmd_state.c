// SPDX-License-Identifier: Apache-2.0
/* state: print the state of a container as JSON. */
#include "cmd.h"

static int run_state(const struct kata *k, const void *args, char **words, size_t n,
		     struct kata_err *err)
{
	(void)args;
	(void)n;
	return kata_state(k, words[0], stdout, err);
}

static const struct opt state_opts[] = { CMD_HELP_OPT };

const struct cmd cmd_state = {
	.name = "state",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "print the state of a container as JSON",
	.opts = CMD_OPTS(state_opts, "state"),
	.args_size = sizeof(struct cmd_args),
	.run = run_state,
};
