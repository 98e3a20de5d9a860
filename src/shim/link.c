// SPDX-License-Identifier: Apache-2.0
/* link: see link.h. Knows how to talk, not what it means. */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

static uint64_t signal_bit(uint32_t sig)
{
	return UINT64_C(1) << (sig - 1);
}

static bool next_news(const struct link *l, struct ctl_msg *ret)
{
	if (!l->n_news)
		return false;
	ret->type = l->news[0].type;
	ret->number = l->news[0].number;
	ret->bytes = l->news[0].bytes;
	return true;
}

/* Signals first: the end of an input does not make a process end, they may have to. */
static bool next_message(const struct link *l, struct ctl_msg *ret)
{
	if (l->signals) {
		ret->type = CTL_SIGNAL;
		ret->number = (uint32_t)__builtin_ctzll(l->signals) + 1;
	} else if (l->winsize) {
		ret->type = CTL_WINSIZE;
		ret->height = l->height;
		ret->width = l->width;
	} else {
		return next_news(l, ret);
	}
	return true;
}

static void mark_sent(struct link *l, const struct ctl_msg *m)
{
	switch (m->type) {
	case CTL_SIGNAL:
		l->signals &= ~signal_bit(m->number);
		break;
	case CTL_WINSIZE:
		l->winsize = false;
		break;
	default:
		l->n_news--;
		memmove(l->news, l->news + 1, l->n_news * sizeof(*l->news));
		break;
	}
}

/* Failures other than "full" show up at the reading side as well, where they are dealt with. */
static void flush(struct link *l)
{
	struct ctl_msg m = { 0 };
	uint32_t events = EPOLLIN;

	if (l->src.fd < 0)
		return;
	while (next_message(l, &m)) {
		int rc = ctl_send(l->src.fd, &m, NULL, 0);

		if (rc == -EAGAIN)
			events |= EPOLLOUT;
		if (rc < 0)
			break;
		mark_sent(l, &m);
	}
	if (loop_mod(&l->src, events) < 0) {
		link_done(l);
		l->on_close(l, -EIO);
	}
}

static void receive(struct link *l)
{
	while (l->src.fd >= 0) {
		int fds[SOCK_MAX_FDS];
		size_t n_fds = 0;
		struct ctl_msg m;
		int rc = ctl_recv(l->src.fd, &m, fds, &n_fds);

		if (rc == -EAGAIN || rc == -EINTR)
			return;
		if (rc <= 0) {
			link_done(l);
			l->on_close(l, rc);
			return;
		}
		if (n_fds == 0)
			fds[n_fds++] = -1;
		l->on_msg(l, &m, &fds[0]);
		for (size_t i = 0; i < n_fds; i++)
			fd_closep(&fds[i]);
	}
}

static void on_event(struct loop_src *src, uint32_t events)
{
	struct link *l = CONTAINER_OF(src, struct link, src);

	if (events & EPOLLOUT)
		flush(l);
	receive(l);
}

int link_init(struct link *l, struct loop *loop, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	l->src.fn = on_event;
	l->src.fd = -1;
	return loop_add(loop, &l->src, fd, EPOLLIN);
}

void link_done(struct link *l)
{
	loop_del(&l->src);
}

void link_signal(struct link *l, int sig)
{
	l->signals |= signal_bit((uint32_t)sig);
	flush(l);
}

void link_winsize(struct link *l, uint16_t height, uint16_t width)
{
	l->winsize = true;
	l->height = height;
	l->width = width;
	flush(l);
}

void link_tell(struct link *l, const struct link_news *news)
{
	l->news = mem_grow(l->news, l->n_news + 1, sizeof(*l->news));
	l->news[l->n_news++] = *news;
	flush(l);
}
