// SPDX-License-Identifier: Apache-2.0
/* create: build a container up to, and without, running its program. */
#include "cmd_create.h"

#include <stdlib.h>

struct fds create_fds(const void *args)
{
	const struct create_args *a = args;

	return (struct fds){ fds_listening(), a->kata.preserve_fds };
}

struct kata_create_args create_fill(const void *args, char **words)
{
	const struct create_args *from = args;
	struct kata_create_args a = from->kata;

	a.id = words[0];
	a.listen_fds = from->common.fds.listen;
	a.preserve_fds = from->common.fds.preserve;
	a.listen_fdnames = getenv("LISTEN_FDNAMES");
	return a;
}

static int run_create(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	struct kata_create_args a = create_fill(args, words);

	(void)n;
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
	.fds = create_fds,
	.run = run_create,
};
