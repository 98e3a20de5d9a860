/* SPDX-License-Identifier: Apache-2.0 */
/* bundle: an OCI bundle, read once: later edits of its config.json have no effect. */
#ifndef KATA_VERB_BUNDLE_H
#define KATA_VERB_BUNDLE_H

#include "oci/spec.h"

struct bundle {
	char *path; /* absolute, without symbolic links */
	int fd;	    /* the directory, O_PATH */
	char *text; /* config.json */
	size_t len;
	struct arena *arena;
	const struct oci_spec *spec; /* in arena */
	char *rootfs;		     /* absolute, without symbolic links */
	int rootfs_fd;		     /* O_PATH */
};
#define BUNDLE_INIT                                                                      \
	{                                                                                \
		.fd = -1, .rootfs_fd = -1                                                \
	}

/**
 * bundle_load() - @path: the directory, NULL = "."; @config: NULL = config.json in it.
 * Errors: "bundle /x: config.json: no such file or directory", those of oci_spec_load(),
 * "root.path: /x/rootfs: no such file or directory". On failure bundle_done() is still due.
 */
int bundle_load(struct bundle *b, const char *path, const char *config,
		struct kata_err *err) MUST_CHECK;
void bundle_done(struct bundle *b);

#endif
