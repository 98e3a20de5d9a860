// SPDX-License-Identifier: Apache-2.0
/*
 * ctl: one packet is one struct ctl_msg up to the end of its text. The peers
 * are programs of ours run by the same user, but not necessarily of the same
 * build: after an upgrade a new kata-runtime talks to an old kata-sandbox. So
 * the version is checked and nothing is believed about strings or sizes.
 *
 * Knows nothing of what the messages mean.
 */
#include "sandbox/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

static const uint16_t ctl_types[] = {
	CTL_CREATE,    CTL_START,   CTL_EXEC,	    CTL_KILL,	CTL_PAUSE,  CTL_RESUME,
	CTL_DELETE,    CTL_UPDATE,  CTL_STATS,	    CTL_PS,	CTL_EVENTS, CTL_REPLY,
	CTL_OOM,       CTL_STREAM,  CTL_STREAM_END, CTL_EXIT,	CTL_SIGNAL, CTL_WINSIZE,
	CTL_STDIN_END, CTL_CONNECT, CTL_DISCONNECT, CTL_FAILED,
};

static bool type_known(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(ctl_types); i++) {
		if (ctl_types[i] == type)
			return true;
	}
	return false;
}

static void close_fds(int *fds, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		close(fds[i]);
	*n = 0;
}

/** ctl_send() - see ctl.h. Return: 0, -EAGAIN (non-blocking and full: nothing sent), -EPIPE, ... */
int ctl_send(int fd, struct ctl_msg *m, const int *fds, size_t n_fds)
{
	size_t len;
	int rc;

	m->version = CTL_VERSION;
	m->id[sizeof(m->id) - 1] = '\0';
	m->text[sizeof(m->text) - 1] = '\0';
	len = offsetof(struct ctl_msg, text) + strlen(m->text) + 1;
	rc = sock_send(fd, m, len, fds, n_fds);
	return rc < 0 ? rc : 0;
}

/*
 * A version is compared before anything else: the layout behind it is only
 * known when it is ours. -EPROTONOSUPPORT so that the caller can tell an
 * upgraded host from a broken peer.
 */
static int check_msg(const struct ctl_msg *m, size_t len)
{
	if (len < sizeof(m->version) || m->version != CTL_VERSION)
		return -EPROTONOSUPPORT;
	if (len <= offsetof(struct ctl_msg, text) || !type_known(m->type))
		return -EPROTO;
	if (!memchr(m->id, '\0', sizeof(m->id)) ||
	    !memchr(m->text, '\0', len - offsetof(struct ctl_msg, text)))
		return -EPROTO;
	return 0;
}

/**
 * ctl_recv() - see ctl.h. On a failure every descriptor of the packet is closed and
 * *ret_n is 0. -EPROTONOSUPPORT: the peer speaks another version; -EPROTO: it is not ours.
 */
int ctl_recv(int fd, struct ctl_msg *ret, int fds[SOCK_MAX_FDS], size_t *ret_n)
{
	ssize_t n;
	int rc;

	*ret_n = 0;
	memset(ret, 0, sizeof(*ret));
	n = sock_recv(fd, ret, sizeof(*ret), fds, ret_n);
	if (n <= 0)
		return (int)n;
	rc = check_msg(ret, (size_t)n);
	if (rc < 0) {
		close_fds(fds, ret_n);
		return rc;
	}
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until @fd has something to read. @deadline: on now_ms()'s clock, -1 = never. */
static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	for (;;) {
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();

		if (deadline >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int call_failed(int rc, struct kata_err *err)
{
	switch (rc) {
	case -ETIMEDOUT:
		return err_set(err, rc, "kata-sandbox does not answer");
	case -EPROTONOSUPPORT:
		return err_set(err, rc,
			       "kata-sandbox is of another version than kata-runtime");
	case -EPIPE:
	case -ECONNRESET:
		return err_set(err, -ECONNRESET, "kata-sandbox has ended");
	default:
		return err_sys_code(err, rc, "talk to kata-sandbox");
	}
}

static int reply_result(struct ctl_msg *m, struct kata_err *err)
{
	if (m->type != CTL_REPLY)
		return err_set(err, -EPROTO,
			       "kata-sandbox answered with a message that is no reply");
	if (m->code == 0)
		return 0;
	err_set(err, m->code < 0 ? m->code : -EIO, "%s",
		m->text[0] ? m->text : "kata-sandbox gave no reason");
	err->status = (int)m->status;
	return err->code;
}

/* The reply's descriptor to who wants it; there is at most one. */
static void give_fd(struct ctl_ask *ask, int *in, size_t *n_in)
{
	if (!ask->ret_fd)
		return;
	*ask->ret_fd = *n_in > 0 ? in[--*n_in] : -1;
}

int ctl_begin(int fd, const struct ctl_ask *ask, struct kata_err *err)
{
	struct ctl_msg m = ask->m;
	int rc = ctl_send(fd, &m, ask->fds, ask->n_fds);

	return rc < 0 ? call_failed(rc, err) : 0;
}

int ctl_end(int fd, struct ctl_ask *ask, struct kata_err *err)
{
	int64_t deadline = ask->timeout_ms < 0 ? -1 : now_ms() + ask->timeout_ms;
	int in[SOCK_MAX_FDS];
	size_t n_in = 0;
	int rc;

	if (ask->ret_fd)
		*ask->ret_fd = -1;
	do {
		rc = wait_readable(fd, deadline);
		if (rc < 0)
			return call_failed(rc, err);
		rc = ctl_recv(fd, &ask->m, in, &n_in);
	} while (rc == -EAGAIN || rc == -EINTR);
	if (rc <= 0)
		return call_failed(rc == 0 ? -ECONNRESET : rc, err);
	rc = reply_result(&ask->m, err);
	if (rc == 0)
		give_fd(ask, in, &n_in);
	close_fds(in, &n_in);
	return rc;
}

int ctl_call(int fd, struct ctl_ask *ask, struct kata_err *err)
{
	int rc = ctl_begin(fd, ask, err);

	return rc < 0 ? rc : ctl_end(fd, ask, err);
}
