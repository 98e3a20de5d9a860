// SPDX-License-Identifier: Apache-2.0
/*
 * chan: frames over a non-blocking descriptor in a loop.
 *
 * Input: one read per event, then every whole frame is handed up; what stays in the buffer is
 * always less than one frame, so the bound on the buffer is one frame and one read. Output:
 * written at once as far as it goes; EPOLLOUT is asked for only while something waits.
 *
 * A write that fails is not the end by itself: what the peer said before it went is still read, and
 * the end then comes through the reading side, in one place (chan_end()).
 *
 * on_frame must not call chan_done(): it returns a negative number instead.
 */
#include "proto/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/** Bytes asked for in one read. */
#define CHAN_READ 16384u
/** Most bytes that may wait to be written. */
#define CHAN_MAX_OUT (64u << 20)

static void chan_end(struct chan *c, int why)
{
	loop_del(&c->src);
	c->on_close(c, why);
}

static int chan_flush(struct chan *c)
{
	int failed = 0, r;

	while (buf_len(&c->out) > 0) {
		size_t all = buf_len(&c->out);
		size_t len = all < PROTO_MAX_WRITE ? all : PROTO_MAX_WRITE;
		ssize_t n = send(c->fd, buf_ptr(&c->out), len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return loop_mod(&c->src, EPOLLIN | EPOLLOUT);
		if (n < 0) {
			failed = -errno;
			buf_consume(&c->out, buf_len(&c->out));
			break;
		}
		buf_consume(&c->out, (size_t)n);
	}
	r = loop_mod(&c->src, EPOLLIN);
	return failed < 0 ? failed : r;
}

/** chan_deliver() - hand up every whole frame. Return: 0, or why to drop the connection. */
static int chan_deliver(struct chan *c)
{
	for (;;) {
		struct frame f;
		int r = frame_next(&c->in, c->max_body, &f);

		if (r <= 0)
			return r;
		r = c->on_frame(c, &f, buf_ptr(&c->in) + PROTO_HEADER);
		if (r < 0)
			return r;
		buf_consume(&c->in, PROTO_HEADER + f.len);
	}
}

static void chan_read(struct chan *c)
{
	unsigned char *room = buf_reserve(&c->in, CHAN_READ);
	ssize_t n;
	int r;

	if (!room) {
		chan_end(c, -EMSGSIZE);
		return;
	}
	n = recv(c->fd, room, CHAN_READ, 0);
	if (n < 0) {
		if (errno != EINTR && errno != EAGAIN)
			chan_end(c, -errno);
		return;
	}
	if (n == 0) {
		chan_end(c, buf_len(&c->in) > 0 ? -EPROTO : 0);
		return;
	}
	buf_commit(&c->in, (size_t)n);
	r = chan_deliver(c);
	if (r < 0)
		chan_end(c, r);
}

static void chan_event(struct loop_src *src, uint32_t events)
{
	struct chan *c = CONTAINER_OF(src, struct chan, src);

	/* broken while writing: the read below takes what is left and finds the end */
	if ((events & EPOLLOUT) && chan_flush(c) < 0)
		events |= EPOLLIN;
	if (events & ~(uint32_t)EPOLLOUT)
		chan_read(c);
}

int chan_init_take(struct chan *c, struct loop *l, int fd, uint32_t max_body)
{
	int flags = fcntl(fd, F_GETFL);
	int r;

	c->src = (struct loop_src){ .fn = chan_event, .fd = -1 };
	c->fd = fd;
	c->in = (struct buf){ .max = (size_t)PROTO_HEADER + max_body + CHAN_READ };
	c->out = (struct buf){ .max = CHAN_MAX_OUT };
	c->max_body = max_body;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		r = -errno;
	else
		r = loop_add(l, &c->src, fd, EPOLLIN);
	if (r < 0) {
		c->src.fd = -1;
		chan_done(c);
	}
	return r;
}

int chan_send(struct chan *c)
{
	if (c->out.overflow)
		return -ENOBUFS;
	if (c->src.fd < 0)
		return -ENOTCONN;
	return chan_flush(c);
}

void chan_done(struct chan *c)
{
	loop_del(&c->src);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_done(&c->in);
	buf_done(&c->out);
}
