// SPDX-License-Identifier: Apache-2.0
/* create: build a container up to, and without, running its program. */
#include "cmd_create.h"

static int run_create(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	struct kata_create_args a = ((const struct create_args *)args)->kata;

	(void)n;
	a.id = words[0];
	a.detach = true;
	return kata_create(k, &a, err);
}

static const struct opt create_opts[] = { CREATE_OPTS, CMD_HELP_OPT };

const struct cmd cmd_create = {
	.name = "create",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "build a container up to, and without, running its program",
	.opts = CMD_OPTS(create_opts, "create"),
	.args_size = sizeof(struct create_args),
	.run = run_create,
};
