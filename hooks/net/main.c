// SPDX-License-Identifier: Apache-2.0
/*
 * kata-hook-net: an OCI hook that gives a bundle run by hand a network, and takes it away
 * again. One command line for both: the state document on stdin says whether the
 * container is being made (createRuntime, prestart) or is gone (poststop).
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "hook.h"

static int run(const struct options *o, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct event e;
	int rc = event_read(STDIN_FILENO, a, &e, err);

	if (rc < 0)
		return rc;
	return e.stopped ? hook_remove(o, &e, a, err) : hook_add(o, &e, a, err);
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct kata_err err = { 0 };
	int rc = proc_close_from(STDERR_FILENO + 1, NULL, 0);

	umask(022); /* whatever the runtime has: the container's users read resolv.conf */
	if (rc < 0)
		rc = err_sys_code(&err, rc, "close inherited descriptors");
	else
		rc = options_parse(argc - 1, argv + 1, &o, &err);
	if (rc == 0 && o.help)
		options_print(stdout);
	else if (rc == 0)
		rc = run(&o, &err);
	if (rc < 0)
		dprintf(STDERR_FILENO, "kata-hook-net: %s\n", err.msg);
	options_done(&o);
	return rc < 0 || fflush(stdout) == EOF ? 1 : 0;
}
