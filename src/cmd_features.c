// SPDX-License-Identifier: Apache-2.0
/* features: what of the OCI specification is supported, as JSON. */
#include "cmd.h"

static int run_features(const struct kata *k, const void *args, char **words, size_t n,
			struct kata_err *err)
{
	(void)k;
	(void)args;
	(void)words;
	(void)n;
	return kata_features(stdout, err);
}

static const struct opt features_opts[] = { CMD_HELP_OPT };

const struct cmd cmd_features = {
	.name = "features",
	.words = "",
	.doc = "print as JSON what of the OCI specification is supported",
	.opts = CMD_OPTS(features_opts, "features"),
	.args_size = sizeof(struct cmd_args),
	.run = run_features,
};
