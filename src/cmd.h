/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd: a command of kata-runtime as constant data; each is defined in its own
 * cmd_*.c. commands[] in main.c lists them.
 */
#ifndef KATA_CMD_H
#define KATA_CMD_H

#include "fds.h"
#include "kata.h"
#include "opts.h"

struct cmd {
	const char *name;
	const char *words; /* positionals as help shows them: "ID [SIGNAL]", "" */
	size_t min_words, max_words;
	const char *doc; /* one line */
	struct opts opts;
	size_t args_size; /* of the struct that opts parse into */
	/* which descriptors of the caller it passes on; NULL = none */
	struct fds (*fds)(const void *args);
	const char *
		fails_as; /* in front of the reason when one of them is missing; NULL = nothing */
	int fails_with; /* exit status then; 0 = the usual */
	/* Return: exit status, or -errno with the reason in @err. */
	int (*run)(const struct kata *k, const void *args, char **words, size_t n,
		   struct kata_err *err);
};

/** struct cmd_args - every command's struct begins with it. */
struct cmd_args {
	bool help;
	struct fds fds; /* those of .fds() that are there */
};

#define CMD_HELP_OPT                                                                     \
	{                                                                                \
		"help", 'h', OPT_SWITCH, NULL, offsetof(struct cmd_args, help), NULL,    \
			"print this help"                                                \
	}
/** An option of runc or crun that is refused by name, with the reason. */
#define CMD_REFUSE_OPT(name, letter, arg, why)                                           \
	{                                                                                \
		name, letter, OPT_REFUSE, arg, 0, NULL, why                              \
	}
/** The .opts of a command from its table. */
#define CMD_OPTS(table, cmd_name, ...)                                                   \
	{                                                                                \
		.v = (table), .n = sizeof(table) / sizeof((table)[0]), .of = (cmd_name), \
		__VA_ARGS__                                                              \
	}

extern const struct cmd cmd_create, cmd_start, cmd_run, cmd_state, cmd_kill, cmd_delete,
	cmd_list, cmd_spec, cmd_features, cmd_check, cmd_config, cmd_exec, cmd_ps,
	cmd_pause, cmd_resume, cmd_update, cmd_events;

#endif
