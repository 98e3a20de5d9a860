// SPDX-License-Identifier: Apache-2.0
/* ps: the host's processes of a container. What follows the id are options of ps(1). */
#include "cmd.h"

struct ps_args {
	struct cmd_args common;
	int format; /* index into formats[] */
};

static const char *const formats[] = { "table", "json", NULL };

static int run_ps(const struct kata *k, const void *args, char **words, size_t n,
		  struct kata_err *err)
{
	const struct ps_args *a = args;

	(void)n;
	return kata_ps(k, words[0], a->format == 1, (const char *const *)words + 1,
		       stdout, err);
}

static const struct opt ps_opts[] = {
	{ "format", 'f', OPT_CHOICE, "FORMAT", offsetof(struct ps_args, format), formats,
	  "table or json" },
	CMD_HELP_OPT,
};

const struct cmd cmd_ps = {
	.name = "ps",
	.words = "ID [PS-OPTION...]",
	.min_words = 1,
	.max_words = SIZE_MAX,
	.doc = "show the host's processes of a container",
	.opts = CMD_OPTS(ps_opts, "ps", .stop_at_first = true),
	.args_size = sizeof(struct ps_args),
	.run = run_ps,
};
