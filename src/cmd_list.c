// SPDX-License-Identifier: Apache-2.0
/* list: the containers of a root. */
#include "cmd.h"

struct list_args {
	struct cmd_args common;
	int format; /* index into formats[] */
	bool quiet;
};

static const char *const formats[] = { "table", "json", NULL };

static int run_list(const struct kata *k, const void *args, char **words, size_t n,
		    struct kata_err *err)
{
	const struct list_args *a = args;
	enum kata_list_format format = a->format == 1 ? KATA_LIST_JSON : KATA_LIST_TABLE;

	(void)words;
	(void)n;
	return kata_list(k, a->quiet ? KATA_LIST_QUIET : format, stdout, err);
}

static const struct opt list_opts[] = {
	{ "format", 'f', OPT_CHOICE, "FORMAT", offsetof(struct list_args, format),
	  formats, "table or json" },
	{ "quiet", 'q', OPT_SWITCH, NULL, offsetof(struct list_args, quiet), NULL,
	  "ids only" },
	CMD_HELP_OPT,
};

const struct cmd cmd_list = {
	.name = "list",
	.words = "",
	.doc = "list containers",
	.opts = CMD_OPTS(list_opts, "list"),
	.args_size = sizeof(struct list_args),
	.run = run_list,
};
