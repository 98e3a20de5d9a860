/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readiness: NOTIFY_SOCKET as runc has it: a socket of the container's, whose program's READY= is
 * passed on to the one that the caller of create, start and run named (sd_notify(3)).
 */
#ifndef KATA_VERB_READINESS_H
#define KATA_VERB_READINESS_H

#include "oci/spec.h"
#include "verb/verb.h"

/**
 * struct readiness - one start that is waited for.
 * @host_fd: connected to the caller's socket; -1 = nobody wants to know
 * @sock_fd: the container's socket; -1 = READY= was passed on, or there is none
 * @dir_fd:  where it is
 * @pidfd:   of @pid, the container's shim
 */
struct readiness {
	int host_fd, sock_fd, dir_fd, pidfd;
	pid_t pid;
};
#define READINESS_INIT                                                                   \
	{                                                                                \
		-1, -1, -1, -1, -1                                                       \
	}

/** readiness_make_dir() - at create: <root>/<id>/notify, of which the sandbox gets a bind. */
int readiness_make_dir(const struct store_dir *dir, struct kata_err *err) MUST_CHECK;
/** readiness_add() - to the container's config: the bind and its name. @dir: <root>/<id>. */
void readiness_add(struct oci_spec *spec, const char *dir, struct arena *a);

/** readiness_open() - connect to @host, a path or '@' and an abstract name; NULL: all below is nothing. */
int readiness_open(struct readiness *r, const char *host,
		   struct kata_err *err) MUST_CHECK;
/** readiness_listen() - before the program runs. -ENOENT: it was created without NOTIFY_SOCKET. */
int readiness_listen(struct readiness *r, const struct verb_box *box,
		     struct kata_err *err) MUST_CHECK;
/**
 * readiness_tell() - look for READY= without waiting; pass it and MAINPID=@main_pid on.
 * Return: 1 done, 0 not said yet, or -errno: the caller's socket does not take it
 */
int readiness_tell(struct readiness *r, pid_t main_pid, struct kata_err *err) MUST_CHECK;
/** readiness_wait() - until that is done and taken note of, or the container has ended. */
int readiness_wait(struct readiness *r, struct kata_err *err) MUST_CHECK;
void readiness_done(struct readiness *r);

#endif
