/* SPDX-License-Identifier: Apache-2.0 */
/* options: the command line of kata-hook-net, checked. */
#ifndef KATA_HOOKS_NET_OPTIONS_H
#define KATA_HOOKS_NET_OPTIONS_H

#include <stdio.h>

#include "publish.h"
#include "src/opts.h"

#define OPTIONS_STATE_DIR "/run/kata-net"
#define OPTIONS_BRIDGE "katabr0"

struct options {
	bool help, no_nat, no_dns;
	const char *state, *bridge; /* never NULL after options_parse() */
	const char *subnet_arg, *subnet6_arg;
	unsigned mtu; /* 0 = not given */
	struct opts_list dns, publish;

	struct subnet subnet, subnet6; /* of no family when not given */
};

/** options_parse() - @argv without the program's name; options_done() frees. */
int options_parse(int argc, char **argv, struct options *ret,
		  struct kata_err *err) MUST_CHECK;
void options_done(struct options *o);
void options_print(FILE *out);

#endif
