/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_create: what create and run have in common. */
#ifndef KATA_CMD_CREATE_H
#define KATA_CMD_CREATE_H

#include "cmd.h"

struct create_args {
	struct cmd_args common;
	struct kata_create_args kata;
};

struct fds create_fds(const void *args);
/** create_fill() - what is not an option. */
struct kata_create_args create_fill(const void *args, char **words);

#define CREATE_OPT(option, short_form, kind, arg, member, doc)                           \
	{                                                                                \
		option, short_form, kind, arg,                                           \
			offsetof(struct create_args, kata.member), NULL, doc             \
	}

#define CREATE_OPTS                                                                            \
	CREATE_OPT("bundle", 'b', OPT_STR, "DIR", bundle, "the bundle (default: .)"),          \
		CREATE_OPT(                                                                    \
			"config", 'f', OPT_STR, "FILE", config_file,                           \
			"the container's configuration (default: config.json in the bundle)"), \
		CREATE_OPT("console-socket", 0, OPT_STR, "PATH", console_socket,               \
			   "send the terminal's master to this unix socket"),                  \
		CREATE_OPT("pid-file", 0, OPT_STR, "FILE", pid_file,                           \
			   "write the process id here"),                                       \
		CMD_REFUSE_OPT("pidfd-socket", 0, "PATH", "the process is in a VM"),           \
		CREATE_OPT("preserve-fds", 0, OPT_COUNT, "N", preserve_fds,                    \
			   "pass N descriptors, from 3 on behind those of LISTEN_FDS"),        \
		{ "no-subreaper", 0, OPT_IGNORE, NULL, 0, NULL, "accepted; there is none" },   \
		CREATE_OPT("no-pivot", 0, OPT_SWITCH, NULL, no_pivot,                          \
			   "accepted; has no meaning in a VM"),                                \
		CREATE_OPT("no-new-keyring", 0, OPT_SWITCH, NULL, no_new_keyring,              \
			   "make no session keyring for the container")

#endif
