// SPDX-License-Identifier: Apache-2.0
/* config: every setting of kata.conf and where it comes from. */
#include "cmd.h"

struct config_args {
	struct cmd_args common;
	bool json;
};

static int run_config(const struct kata *k, const void *args, char **words, size_t n,
		      struct kata_err *err)
{
	const struct config_args *a = args;

	(void)words;
	(void)n;
	return kata_config(k, a->json, stdout, err);
}

static const struct opt config_opts[] = {
	{ "json", 0, OPT_SWITCH, NULL, offsetof(struct config_args, json), NULL,
	  "as JSON" },
	CMD_HELP_OPT,
};

const struct cmd cmd_config = {
	.name = "config",
	.words = "",
	.doc = "print every setting and where it comes from",
	.opts = CMD_OPTS(config_opts, "config"),
	.args_size = sizeof(struct config_args),
	.run = run_config,
};
