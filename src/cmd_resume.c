// SPDX-License-Identifier: Apache-2.0
/* resume: let a paused container go on. */
#include "cmd.h"

static int run_resume(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	(void)args;
	(void)n;
	return kata_resume(k, words[0], err);
}

static const struct opt resume_opts[] = { CMD_HELP_OPT };

const struct cmd cmd_resume = {
	.name = "resume",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "let a paused container go on",
	.opts = CMD_OPTS(resume_opts, "resume"),
	.args_size = sizeof(struct cmd_args),
	.run = run_resume,
};
