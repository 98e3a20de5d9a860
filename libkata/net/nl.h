/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nl: rtnetlink through libnl-3 for the files of this directory: one way to open a socket, to word
 * its errors, and to look into another network namespace.
 */
#ifndef KATA_NET_NL_H
#define KATA_NET_NL_H

#include <stdint.h>

#include "base/err.h"

struct nl_sock;

/** nl_open() - a route socket in the network namespace of the calling thread. */
int nl_open(struct nl_sock **ret_sock, struct kata_err *err) MUST_CHECK;

void nl_close(struct nl_sock *sk);

static inline void nl_closep(struct nl_sock **sk)
{
	nl_close(*sk);
}
#define AUTO_NL __attribute__((cleanup(nl_closep))) struct nl_sock

/** nl_errno() - libnl's error as -errno. @code: negative, -NLE_*. */
int nl_errno(int code);
/** nl_err() - "<fmt>: <what libnl says>". Return: nl_errno(@code). */
int nl_err(struct kata_err *err, int code, const char *fmt, ...) KATA_PRINTF(3, 4);

/**
 * struct netns_id - a network namespace, known again. An inode's number is given to another namespace
 * when its own is gone; the cookie never is (Linux 5.14; 0 = the kernel has none).
 */
struct netns_id {
	uint64_t dev, ino, cookie;
};

/** netns_id_own() - that of the calling thread. */
int netns_id_own(struct netns_id *ret, struct kata_err *err) MUST_CHECK;

/**
 * netns_run() - call @fn in the network namespace @fd; the calling thread is back in its own
 * when this returns. Return: @fn's, or -errno.
 */
int netns_run(int fd, int (*fn)(void *arg, struct kata_err *err), void *arg,
	      struct kata_err *err) MUST_CHECK;

#endif
