/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_opts: the one table of mount options. The spec's loader checks with
 * it, the agent mounts by it, and `features` prints it.
 */
#ifndef KATA_OCI_MOUNT_OPTS_H
#define KATA_OCI_MOUNT_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"

enum mount_opt_kind {
	MOUNT_OPT_FLAG,	       /* MS_* of mount(2), set or cleared */
	MOUNT_OPT_BIND,	       /* MS_BIND, perhaps MS_REC */
	MOUNT_OPT_PROPAGATION, /* MS_SHARED and so on: a mount(2) call of its own afterwards */
	MOUNT_OPT_ATTR,	  /* MOUNT_ATTR_*, by mount_setattr(AT_RECURSIVE) afterwards */
	MOUNT_OPT_COPYUP, /* tmpfs that begins with what the mount point held */
	MOUNT_OPT_IDMAP, /* owners are mapped: the host does it, the guest never sees it */
};

struct mount_opt {
	const char *name;
	enum mount_opt_kind kind;
	bool clear;    /* takes @flag away */
	uint64_t flag; /* MS_* or MOUNT_ATTR_*, by kind; 0 = nothing to do */
};

/** All options we know, sorted by name; mount_opts_count of them. */
extern const struct mount_opt mount_opts_table[];
extern const size_t mount_opts_count;

/** mount_opt_find() - by name; NULL for one that the filesystem has to know. */
const struct mount_opt *mount_opt_find(const char *name);

/**
 * struct mount_opts - a list of option words, sorted out. Later words win.
 * @flags:       MS_* to pass to mount(2), with MS_BIND, MS_REC, MS_REMOUNT
 * @cleared:     MS_* that a word asked to clear (a bind remount drops these, even
 *               when the source has them)
 * @propagation: MS_* in the order given, each for a mount(2) call of its own
 * @attr_set, @attr_clr: for mount_setattr(AT_RECURSIVE); call it when either is set.
 *               The kernel wants MOUNT_ATTR__ATIME cleared with any change of atime: done
 * @data:        words no table knows, joined by commas; "" when there are none
 * @copyup:      tmpcopyup was there
 */
struct mount_opts {
	unsigned long flags, cleared;
	const unsigned long *propagation;
	size_t n_propagation;
	uint64_t attr_set, attr_clr;
	const char *data;
	bool copyup;
};

/**
 * mount_opts_parse() - sort out the words of mounts[].options; memory from @a.
 * Return: 0; -ENOTSUP for idmap and ridmap.
 */
int mount_opts_parse(const struct jt_strv *options, struct arena *a,
		     struct mount_opts *ret, struct kata_err *err) MUST_CHECK;

/**
 * mount_opt_propagation() - "rslave" -> MS_SLAVE | MS_REC, for linux.rootfsPropagation.
 * Return: 0 when it is no propagation word.
 */
unsigned long mount_opt_propagation(const char *name);

#endif
