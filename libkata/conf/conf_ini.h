/* SPDX-License-Identifier: Apache-2.0 */
/* conf_ini: libinih with line numbers and without its limits on a line's length. */
#ifndef KATA_CONF_CONF_INI_H
#define KATA_CONF_CONF_INI_H

#include <stddef.h>

#include "base/err.h"

/** Longest line of a configuration file, in bytes. */
#define CONF_LINE_MAX (64u << 10)

struct conf_pair {
	const char *file;
	unsigned line;
	const char *section, *name, *value;
};

struct conf_ini_ops {
	int (*pair)(void *arg, const struct conf_pair *p, struct kata_err *err);
	int (*section)(void *arg, const char *section, struct kata_err *err);
};

/**
 * conf_ini_parse() - every pair of @text to @ops, in order, up to the first failure.
 * @text:  changed while it is read
 * Errors begin with "FILE:LINE: ".
 */
int conf_ini_parse(const char *file, char *text, size_t len,
		   const struct conf_ini_ops *ops, void *arg,
		   struct kata_err *err) MUST_CHECK;

#endif
