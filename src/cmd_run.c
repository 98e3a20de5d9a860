// SPDX-License-Identifier: Apache-2.0
/* run: create, start, wait for the end, delete. Exits with the program's status. */
#include "cmd_create.h"

static int run_run(const struct kata *k, const void *args, char **words, size_t n,
		   struct kata_err *err)
{
	const struct kata_create_args a = create_fill(args, words);

	(void)n;
	return kata_run(k, &a, err);
}

static const struct opt run_opts[] = {
	CREATE_OPTS,
	CREATE_OPT("detach", 'd', OPT_SWITCH, NULL, detach,
		   "return when the program runs"),
	CREATE_OPT("keep", 0, OPT_SWITCH, NULL, keep,
		   "do not delete the container at the end"),
	CMD_HELP_OPT,
};

const struct cmd cmd_run = {
	.name = "run",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "create, start, wait for the end, delete",
	.opts = CMD_OPTS(run_opts, "run"),
	.args_size = sizeof(struct create_args),
	.fds = create_fds,
	.run = run_run,
};
