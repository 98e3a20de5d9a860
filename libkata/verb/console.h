/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: the host's side of a terminal (CONTRACT 1.5). The pty that the
 * workload sees is in the guest; the one here only relays and is raw from birth.
 */
#ifndef KATA_VERB_CONSOLE_H
#define KATA_VERB_CONSOLE_H

#include "oci/spec.h"

struct console {
	int master, slave;
	char name[32]; /* /dev/pts/N */
};
#define CONSOLE_INIT                                                                     \
	{                                                                                \
		.master = -1, .slave = -1                                                \
	}

/** console_open() - a new pty, its slave raw. @size may be NULL. */
int console_open(struct console *c, const struct oci_box *size,
		 struct kata_err *err) MUST_CHECK;
/** console_send() - the master to whoever listens at @socket_path; ours is closed then. */
int console_send(struct console *c, const char *socket_path,
		 struct kata_err *err) MUST_CHECK;
void console_done(struct console *c);

#endif
