// SPDX-License-Identifier: Apache-2.0
#include "net/nl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

/* libnl's own numbers hide the kernel's: these are the ones a caller decides by. */
int nl_errno(int code)
{
	static const struct {
		int nle, code;
	} table[] = {
		{ NLE_EXIST, EEXIST },	       { NLE_OBJ_NOTFOUND, ENOENT },
		{ NLE_NODEV, ENODEV },	       { NLE_PERM, EPERM },
		{ NLE_NOACCESS, EACCES },      { NLE_NOMEM, ENOMEM },
		{ NLE_BUSY, EBUSY },	       { NLE_OPNOTSUPP, EOPNOTSUPP },
		{ NLE_AGAIN, EAGAIN },	       { NLE_INTR, EINTR },
		{ NLE_DUMP_INTR, EAGAIN },     { NLE_RANGE, ERANGE },
		{ NLE_AF_NOSUPPORT, ENOTSUP }, { NLE_PROTO_MISMATCH, EPROTO },
	};
	int nle = code < 0 ? -code : code;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].nle == nle)
			return -table[i].code;
	return -EINVAL;
}

int nl_err(struct kata_err *err, int code, const char *fmt, ...)
{
	AUTO_FREE char *what = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (n < 0) {
		what = NULL;
		return err_set(err, -ENOMEM, "netlink: out of memory");
	}
	/* the kernel's answer in our words where it has a number, else in libnl's */
	if (nl_errno(code) != -EINVAL)
		return err_sys_code(err, nl_errno(code), "%s", what);
	return err_set(err, -EINVAL, "%s: %s", what, nl_geterror(code));
}

/*
 * The kernel answers within the call. Without an end libnl 3.7 waits for ever when it could not send
 * its question: its links' dump does not look at what came of that.
 */
static const struct timeval patience = { .tv_sec = 5 };

int nl_open(struct nl_sock **ret_sock, struct kata_err *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int r;

	if (!sk)
		return err_set(err, -ENOMEM, "netlink: out of memory");
	r = nl_connect(sk, NETLINK_ROUTE);
	if (r == 0 && setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)) < 0)
		r = -NLE_FAILURE;
	if (r < 0) {
		nl_socket_free(sk);
		return nl_err(err, r, "open a netlink socket");
	}
	*ret_sock = sk;
	return 0;
}

void nl_close(struct nl_sock *sk)
{
	nl_socket_free(sk);
}

/* --- network namespaces ------------------------------------------------------------------ */

int netns_id_own(struct netns_id *ret, struct kata_err *err)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(ret->cookie);
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return err_sys(err, "stat /proc/thread-self/ns/net");
	*ret = (struct netns_id){ .dev = st.st_dev, .ino = st.st_ino };
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &ret->cookie, &len) < 0)
		ret->cookie = 0;
	return 0;
}

int netns_run(int fd, int (*fn)(void *arg, struct kata_err *err), void *arg,
	      struct kata_err *err)
{
	AUTO_CLOSE int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home < 0)
		return err_sys(err, "open /proc/thread-self/ns/net");
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, "enter a network namespace");
	r = fn(arg, err);
	/* what would follow belongs to another network: nothing may */
	if (setns(home, CLONE_NEWNET) < 0) {
		log_failure(&(struct kata_err){
			.code = -errno,
			.msg = "cannot return to the own network namespace" });
		_exit(1);
	}
	return r;
}
