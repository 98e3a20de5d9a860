/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts: option tables. A command line is parsed into the members of a struct by
 * a table that also makes the help text, the manual's check and the completions.
 *
 * Forms: --name value, --name=value, -name value (one dash, as runc's Go flags
 * have it), -n value, switches also --name=true|false. Given twice, the last
 * counts. "--" ends options.
 */
#ifndef KATA_OPTS_H
#define KATA_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

enum opt_kind {
	OPT_SWITCH, /* bool */
	OPT_STR,    /* const char *; an empty value counts as not given */
	OPT_COUNT,  /* unsigned */
	OPT_CHOICE, /* int, index into choices[] */
	OPT_LIST,   /* struct opts_list: may be given several times, all count */
	OPT_REFUSE, /* an error that gives @doc as the reason; takes a value when arg is set */
	OPT_IGNORE, /* nothing: accepted for callers of other runtimes; takes a value when arg is set */
};

/** struct opts_list - values in the order given, NULL-terminated; NULL = none. Heap, they borrow. */
struct opts_list {
	const char **v;
	size_t n;
};

struct opt {
	const char *name; /* without dashes */
	char letter;	  /* '\0' = none */
	enum opt_kind kind;
	const char *arg;	    /* name of the value; NULL = a switch */
	size_t offset;		    /* of the member in the struct parsed into */
	const char *const *choices; /* OPT_CHOICE: NULL-terminated */
	const char *doc;
};

struct opts {
	const struct opt *v;
	size_t n;
	const char *of;	    /* whose they are, for messages: "create" */
	bool stop_at_first; /* the first positional ends options */
};

/** struct opts_words - positionals; borrow from argv. */
struct opts_words {
	char **v;
	size_t n;
};

/**
 * opts_parse() - options of @argv (@argc of them, no program name) into @into.
 * @words: gets the positionals in order; v has room for argc of them. With stop_at_first all
 *         that follows the first positional too.
 * -EINVAL: "unknown option --foo of create; did you mean --force?".
 */
int opts_parse(const struct opts *o, int argc, char **argv, void *into,
	       struct opts_words *words, struct kata_err *err) MUST_CHECK;

/** opts_done() - free what opts_parse() allocated in @into: the lists. */
void opts_done(const struct opts *o, void *into);

/** opts_print() - the help lines of the table. */
void opts_print(const struct opts *o, FILE *out);

#endif
