// SPDX-License-Identifier: Apache-2.0
/* check: can this host run containers? Exits 1 when it cannot. */
#include "cmd.h"

struct check_args {
	struct cmd_args common;
	bool json;
};

static int run_check(const struct kata *k, const void *args, char **words, size_t n,
		     struct kata_err *err)
{
	const struct check_args *a = args;

	(void)words;
	(void)n;
	return kata_check(k, a->json, stdout, err);
}

static const struct opt check_opts[] = {
	{ "json", 0, OPT_SWITCH, NULL, offsetof(struct check_args, json), NULL,
	  "as JSON" },
	CMD_HELP_OPT,
};

const struct cmd cmd_check = {
	.name = "check",
	.words = "",
	.doc = "tell whether this host can run containers",
	.opts = CMD_OPTS(check_opts, "check"),
	.args_size = sizeof(struct check_args),
	.run = run_check,
};
