// SPDX-License-Identifier: Apache-2.0
/* delete: remove a container and its virtual machine. */
#include "cmd.h"

struct delete_args {
	struct cmd_args common;
	bool force;
};

static int run_delete(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	const struct delete_args *a = args;

	(void)n;
	return kata_delete(k, words[0], a->force, err);
}

static const struct opt delete_opts[] = {
	{ "force", 'f', OPT_SWITCH, NULL, offsetof(struct delete_args, force), NULL,
	  "kill it first; a missing container is fine" },
	CMD_REFUSE_OPT("regex", 'r', NULL, "name the container"),
	CMD_HELP_OPT,
};

const struct cmd cmd_delete = {
	.name = "delete",
	.words = "ID",
	.min_words = 1,
	.max_words = 1,
	.doc = "remove a container that is stopped or was never started",
	.opts = CMD_OPTS(delete_opts, "delete"),
	.args_size = sizeof(struct delete_args),
	.run = run_delete,
};
