// SPDX-License-Identifier: Apache-2.0
/* spec: write a config.json to start from. */
#include "cmd.h"

struct spec_args {
	struct cmd_args common;
	struct kata_spec_args spec;
};

static int run_spec(const struct kata *k, const void *args, char **words, size_t n,
		    struct kata_err *err)
{
	const struct spec_args *a = args;

	(void)k;
	(void)words;
	(void)n;
	return kata_spec(&a->spec, err);
}

static const struct opt spec_opts[] = {
	{ "bundle", 'b', OPT_STR, "DIR", offsetof(struct spec_args, spec.bundle), NULL,
	  "where to write it (default: .)" },
	CMD_REFUSE_OPT("file", 'f', "FILE",
		       "it is config.json in the directory of --bundle"),
	{ "network", 0, OPT_SWITCH, NULL, offsetof(struct spec_args, spec.network), NULL,
	  "with hooks that give the container a network, see kata-hook-net(8)" },
	{ "rootless", 0, OPT_SWITCH, NULL, offsetof(struct spec_args, spec.rootless),
	  NULL, "for a caller who is not root" },
	CMD_HELP_OPT,
};

const struct cmd cmd_spec = {
	.name = "spec",
	.words = "",
	.doc = "write a config.json to start from",
	.opts = CMD_OPTS(spec_opts, "spec"),
	.args_size = sizeof(struct spec_args),
	.run = run_spec,
};
