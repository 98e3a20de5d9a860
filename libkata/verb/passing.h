/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passing: the caller's descriptors from 3 on, on their way to a process in the guest: what each is
 * (passing_plan, pure), and who gets it: files go to kata-sandbox, pipes and sockets to the shim.
 */
#ifndef KATA_VERB_PASSING_H
#define KATA_VERB_PASSING_H

#include <sys/stat.h>

#include "base/proc.h"
#include "proto/passed.h"
#include "sandbox/ctl.h"

/** First of the caller's descriptors that is passed. */
#define PASSING_FIRST 3

/**
 * struct passing_facts - of one descriptor.
 * @flags:  F_GETFL
 * @type, @family, @port, @listens, @connected: of a socket; port of a TCP one
 * @link:   where /proc/self/fd/N points: the name of what has no other
 */
struct passing_facts {
	struct stat st;
	int flags, type, family;
	unsigned port;
	uint64_t offset;
	bool tty, listens, connected;
	const char *link;
};

/**
 * passing_plan() - pure: what is made of it in the guest. Strings are static.
 * -ENOTSUP: "is a terminal, which cannot be passed into a VM"
 */
int passing_plan(const struct passing_facts *f, struct passed_fd *ret,
		 struct kata_err *err) MUST_CHECK;

/** struct passing - @fd: the caller's, high and close-on-exec; @tree: of files, see share_clone(). */
struct passing {
	unsigned n;
	struct passed_fd fds[PROTO_PASSED_MAX];
	int fd[PROTO_PASSED_MAX], tree[PROTO_PASSED_MAX];
	char letters[PROTO_PASSED_MAX + 1]; /* SHIM_ENV_PASSED */
};

/**
 * passing_take() - @listen and then @preserve descriptors of the process, from PASSING_FIRST on:
 * they are closed there. After a failure, too, passing_done() lets go.
 */
int passing_take(struct passing *p, unsigned listen, unsigned preserve,
		 struct kata_err *err) MUST_CHECK;
void passing_done(struct passing *p);

/** passing_for_shim() - those that are relayed, behind the @n of @fds. Return: how many there are now. */
size_t passing_for_shim(const struct passing *p, struct proc_fd *fds, size_t n);
/**
 * passing_for_sandbox() - the rest of CTL_CREATE or CTL_EXEC: flag and descriptors behind the
 * @n of @fds. *ret_document is the caller's to close.
 * Return: how many there are now, or -errno
 */
int passing_for_sandbox(const struct passing *p, struct ctl_msg *m, int *fds, size_t n,
			int *ret_document, struct kata_err *err) MUST_CHECK;
/** passing_become() - for a process that becomes the shim itself. */
int passing_become(const struct passing *p) MUST_CHECK;

#endif
