// SPDX-License-Identifier: Apache-2.0
/*
 * passing: see the header. Files become mounts here, because only here is the mount namespace in
 * which they were opened; what the caller has under a name meanwhile plays no part.
 */
#include "verb/passing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "share/share.h"

/* Above every number that a shim has its own at: so they can be put there in any order. */
#define HIGH (SHIM_FD_PASSED + (int)PROTO_PASSED_MAX)

static int socket_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? 0 : value;
}

static unsigned port_of(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) < 0)
		return 0;
	if (a.sa.sa_family == AF_INET)
		return ntohs(a.in.sin_port);
	return a.sa.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}

static int facts_of(int fd, char link[PATH_MAX], struct passing_facts *ret)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	char path[32];
	ssize_t n;
	off_t at;

	*ret = (struct passing_facts){ .flags = fcntl(fd, F_GETFL), .link = link };
	if (ret->flags < 0 || fstat(fd, &ret->st) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, PATH_MAX - 1);
	link[n < 0 ? 0 : n] = '\0';
	ret->tty = S_ISCHR(ret->st.st_mode) && isatty(fd);
	at = S_ISREG(ret->st.st_mode) ? lseek(fd, 0, SEEK_CUR) : 0;
	ret->offset = at > 0 ? (uint64_t)at : 0;
	if (!S_ISSOCK(ret->st.st_mode) || ret->flags & O_PATH)
		return 0;
	ret->type = socket_option(fd, SO_TYPE);
	ret->family = socket_option(fd, SO_DOMAIN);
	ret->port = port_of(fd);
	ret->listens = socket_option(fd, SO_ACCEPTCONN);
	ret->connected = getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
	return 0;
}

static char letter_of(const struct passed_fd *f)
{
	if (f->kind == PASSED_SOCKET)
		return SHIM_PASSED_SOCKET;
	if (f->kind == PASSED_LISTENER)
		return SHIM_PASSED_LISTENER;
	if (f->kind != PASSED_PIPE)
		return SHIM_PASSED_NOT;
	return f->access == PASSED_READ ? SHIM_PASSED_READ : SHIM_PASSED_WRITE;
}

static int clone_file(struct passing *p, unsigned i, struct kata_err *err)
{
	const struct passed_fd *f = &p->fds[i];
	bool readonly = f->access == PASSED_READ && !f->directory && !f->handle;

	p->tree[i] = share_clone(p->fd[i], readonly);
	if (p->tree[i] == -EINVAL)
		return err_set(err, -EINVAL,
			       "is a file of another mount namespace, which cannot be "
			       "passed into a VM");
	return p->tree[i] < 0 ? err_sys_code(err, p->tree[i], "bind it") : 0;
}

static int take_one(struct passing *p, unsigned i, struct kata_err *err)
{
	struct passing_facts facts;
	char link[PATH_MAX];
	int r;

	p->fd[i] = fcntl(PASSING_FIRST + (int)i, F_DUPFD_CLOEXEC, HIGH);
	if (p->fd[i] < 0)
		return err_sys(err, "is not there");
	r = facts_of(p->fd[i], link, &facts);
	if (r < 0)
		return err_sys_code(err, r, "look at it");
	r = passing_plan(&facts, &p->fds[i], err);
	if (r < 0)
		return r;
	p->letters[i] = letter_of(&p->fds[i]);
	return p->fds[i].kind == PASSED_FILE ? clone_file(p, i, err) : 0;
}

int passing_take(struct passing *p, unsigned listen, unsigned preserve,
		 struct kata_err *err)
{
	unsigned n = listen + preserve;
	int r = 0;

	*p = (struct passing){ 0 };
	if (listen > PROTO_PASSED_MAX || preserve > PROTO_PASSED_MAX ||
	    n > PROTO_PASSED_MAX)
		return err_set(
			err, -E2BIG,
			"LISTEN_FDS and --preserve-fds: %llu descriptors, at most %u can "
			"be passed into a VM",
			(unsigned long long)listen + preserve, PROTO_PASSED_MAX);
	memset(p->fd, -1, sizeof(p->fd));
	memset(p->tree, -1, sizeof(p->tree));
	p->n = n;
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = take_one(p, i, err);
		if (r < 0)
			err_ctx(err, "%s: descriptor %u",
				i < listen ? "LISTEN_FDS" : "--preserve-fds",
				PASSING_FIRST + i);
	}
	for (unsigned i = 0; i < n; i++)
		close(PASSING_FIRST + (int)i);
	return r;
}

void passing_done(struct passing *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		fd_drop(&p->fd[i]);
		fd_drop(&p->tree[i]);
	}
}

size_t passing_for_shim(const struct passing *p, struct proc_fd *fds, size_t n)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->letters[i] != SHIM_PASSED_NOT)
			fds[n++] = (struct proc_fd){ p->fd[i], SHIM_FD_PASSED + (int)i };
	}
	return n;
}

int passing_for_sandbox(const struct passing *p, struct ctl_msg *m, int *fds, size_t n,
			int *ret_document, struct kata_err *err)
{
	const struct passed_list list = { .fds = { p->fds, p->n } };
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	if (!p->n)
		return (int)n;
	jtab_encode(&passed_list_tab, &list, &o);
	*ret_document = fs_memfd("passed.json", buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	if (*ret_document < 0)
		return err_sys_code(err, *ret_document, "memfd");
	m->flags |= CTL_F_PASSED;
	fds[n++] = *ret_document;
	for (unsigned i = 0; i < p->n; i++) {
		if (p->tree[i] >= 0)
			fds[n++] = p->tree[i];
	}
	return (int)n;
}

int passing_become(const struct passing *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->letters[i] != SHIM_PASSED_NOT &&
		    dup2(p->fd[i], SHIM_FD_PASSED + (int)i) < 0)
			return -errno;
	}
	return 0;
}
