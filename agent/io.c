// SPDX-License-Identifier: Apache-2.0
/*
 * io: moves the bytes of one stream between its pipe and its connection.
 *
 * Whatever happens, stream_run() tries both directions until neither can move, and then
 * settle_interest() asks epoll for exactly what is being waited for. A descriptor nobody waits
 * on is taken out of epoll altogether, because EPOLLHUP cannot be masked and would spin.
 *
 * Back-pressure: one buffer per direction; its source is read only when it is empty.
 *
 * Ends. Output: at the pipe's EOF, after the last byte was taken by the socket, output_end tells
 * the count; the socket stays open until the host closes it, for not every vsock device
 * flushes at a close (msg.h). Host gone first: the pipe's read end is closed so that the process
 * gets SIGPIPE. Process gone while others hold its pipe (a daemon started by exec): what is
 * there is sent, output ends, and later output is read and dropped, so that the daemon lives.
 * Input: after the announced number of bytes, or at the socket's EOF, the pipe is closed.
 *
 * Must not know: what a process or a container is.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dial.h"
#include "proto/frame.h"

/** Size of one direction's buffer, and so the most that one write has. */
#define PUMP_SIZE PROTO_MAX_WRITE
/** Buffers moved before the loop gets its turn. */
#define PUMP_ROUNDS 16

/* What a transfer says: bytes, or that it has to wait, or that the other side is gone. */
enum { PUMP_WAIT = 0, PUMP_GONE = -1 };

static bool pump_empty(const struct pump *p)
{
	return p->start == p->end;
}

static void pump_done(struct pump *p)
{
	free(p->data);
	p->data = NULL;
	p->start = p->end = 0;
}

static int transfer_result(ssize_t n)
{
	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PUMP_WAIT;
	return PUMP_GONE;
}

static int pump_fill(struct pump *p, int fd)
{
	int r;

	if (!p->data)
		p->data = mem_alloc(PUMP_SIZE);
	r = transfer_result(read(fd, p->data, PUMP_SIZE));
	p->start = 0;
	p->end = r > 0 ? (size_t)r : 0;
	return r;
}

/** pump_drain() - write all of it. Return: > 0 empty now, PUMP_WAIT, PUMP_GONE. */
static int pump_drain(struct pump *p, int fd)
{
	while (!pump_empty(p)) {
		int r = transfer_result(write(fd, p->data + p->start, p->end - p->start));

		if (r <= 0)
			return r;
		p->start += (size_t)r;
		p->total += (uint64_t)r;
	}
	return 1;
}

static bool stream_has_input(const struct stream *s)
{
	return stream_is_input(s->number) || s->number == STREAM_TTY;
}

static void close_side(struct loop_src *src, int *fd)
{
	loop_del(src);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pipe(struct stream *s)
{
	/* nobody left at the other side is as well */
	if (s->half && s->pipe_fd >= 0 &&
	    shutdown(s->pipe_fd, stream_is_input(s->number) ? SHUT_WR : SHUT_RD) < 0)
		s->half = false;
	close_side(&s->pipe, &s->pipe_fd);
}

static void close_sock(struct stream *s)
{
	close_side(&s->sock, &s->sock_fd);
}

static void end_output(struct stream *s)
{
	if (s->ended || !stream_has_output(s))
		return;
	s->ended = true;
	s->out_eof = true;
	pump_done(&s->out);
	s->ops->output_end(s, s->out.total);
}

/* The host closed its end or the connection broke: nobody listens any more. */
static void host_gone(struct stream *s)
{
	close_sock(s);
	close_pipe(s);
	end_output(s);
}

/* Late output of processes that outlived theirs: keep the pipe from filling up. */
static void run_discard(struct stream *s)
{
	unsigned char scratch[4096];
	int r = PUMP_GONE;

	for (int i = 0; i < PUMP_ROUNDS; i++) {
		r = transfer_result(read(s->pipe_fd, scratch, sizeof(scratch)));
		if (r <= 0)
			break;
	}
	if (r == PUMP_GONE)
		close_pipe(s);
}

/* Fill the empty output buffer; false when there is nothing to send now. */
static bool refill_output(struct stream *s)
{
	int r;

	if (s->out_eof)
		return false;
	r = pump_fill(&s->out, s->pipe_fd);
	if (r == PUMP_WAIT && s->draining) {
		s->out_eof = true;
		/* a terminal whose session is over is hung up, as when a real one is closed */
		if (s->number == STREAM_TTY)
			close_pipe(s);
	}
	if (r == PUMP_GONE) {
		s->out_eof = true;
		close_pipe(s);
	}
	return r > 0;
}

static void run_output(struct stream *s)
{
	if (s->ended) {
		if (s->pipe_fd >= 0)
			run_discard(s);
		return;
	}
	for (int i = 0; i < PUMP_ROUNDS; i++) {
		int r;

		if (pump_empty(&s->out) && !refill_output(s))
			break;
		r = pump_drain(&s->out, s->sock_fd);
		if (r == PUMP_GONE) {
			host_gone(s);
			return;
		}
		if (r == PUMP_WAIT)
			return;
	}
	if (s->out_eof)
		end_output(s);
}

static void run_input(struct stream *s)
{
	for (int i = 0; i < PUMP_ROUNDS && s->sock_fd >= 0; i++) {
		int r;

		if (pump_empty(&s->in)) {
			r = pump_fill(&s->in, s->sock_fd);
			if (r == PUMP_GONE)
				s->in_eof = true;
			if (r <= 0)
				break;
		}
		r = s->pipe_fd >= 0 ? pump_drain(&s->in, s->pipe_fd) : PUMP_GONE;
		if (r == PUMP_WAIT)
			break;
		if (r == PUMP_GONE) {
			/* nobody will read it: drop it; a terminal may still have output */
			s->in.start = s->in.end;
			if (stream_is_input(s->number))
				host_gone(s);
		}
	}
}

/* Has the input come to its end? */
static void check_input_end(struct stream *s)
{
	if (!pump_empty(&s->in))
		return;
	if (s->in_eof || (s->in_limited && s->in.total >= s->in_limit))
		host_gone(s);
}

/* Output only: the host says nothing here, so anything readable is its closing. */
static void check_host(struct stream *s)
{
	unsigned char scratch[256];

	if (transfer_result(recv(s->sock_fd, scratch, sizeof(scratch), MSG_DONTWAIT)) !=
	    PUMP_GONE)
		return;
	/* it has all that it was promised; who still holds the pipe shall not suffer for it */
	if (s->ended)
		close_sock(s);
	else
		host_gone(s);
}

static void watch(struct stream *s, struct loop_src *src, int fd, uint32_t events)
{
	int r;

	if (fd < 0 || events == 0) {
		loop_del(src);
		return;
	}
	if (src->fd >= 0)
		r = loop_mod(src, events);
	else
		r = loop_add(s->loop, src, fd, events);
	/* epoll out of memory: without events the stream would hang for ever */
	if (r < 0)
		abort();
}

static void settle_interest(struct stream *s)
{
	bool has_out = stream_has_output(s), has_in = stream_has_input(s);
	uint32_t sock = 0, pipe = 0;

	if (s->connecting) {
		sock = EPOLLOUT;
	} else if (!s->waiting) {
		if (!pump_empty(&s->out))
			sock |= EPOLLOUT;
		else if (has_out && (!s->out_eof || s->ended))
			pipe |= EPOLLIN;
		if (!pump_empty(&s->in))
			pipe |= EPOLLOUT;
		else if (!has_in || !s->in_eof)
			sock |= EPOLLIN;
	}
	watch(s, &s->sock, s->sock_fd, sock);
	watch(s, &s->pipe, s->pipe_fd, pipe);
}

/* Move what can be moved; tells nobody but output_end. */
static void stream_move(struct stream *s)
{
	if (!s->connecting && !s->waiting) {
		if (s->sock_fd >= 0 && stream_has_input(s)) {
			run_input(s);
			check_input_end(s);
		} else if (s->sock_fd >= 0) {
			check_host(s);
		}
		if (stream_has_output(s) && (s->pipe_fd >= 0 || !s->ended))
			run_output(s);
	}
	settle_interest(s);
}

static void stream_run(struct stream *s)
{
	bool was_closed = stream_is_closed(s), was_ended = s->ended;

	stream_move(s);
	if (was_closed != stream_is_closed(s) || was_ended != s->ended)
		s->ops->changed(s);
}

static int send_hello(struct stream *s)
{
	struct buf b = { .max = PROTO_HELLO_STREAM };
	ssize_t n;

	frame_add_stream_hello(&b, s->token);
	n = write(s->sock_fd, buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	if (n == PROTO_HELLO_STREAM)
		return 0;
	return n < 0 ? -errno : -EPROTO;
}

static void finish_connect(struct stream *s)
{
	socklen_t size = sizeof(int);
	int code = 0;

	if (getsockopt(s->sock_fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		code = errno;
	s->connecting = false;
	s->failed = code ? -code : send_hello(s);
	if (s->failed < 0)
		host_gone(s);
	stream_move(s);
	s->ops->changed(s);
}

static void on_sock(struct loop_src *src, uint32_t events)
{
	struct stream *s = CONTAINER_OF(src, struct stream, sock);

	if (s->connecting) {
		finish_connect(s);
		return;
	}
	/* not reading because input is stuck: the hang-up would otherwise never be seen */
	if ((events & (EPOLLHUP | EPOLLERR)) && !pump_empty(&s->in)) {
		host_gone(s);
		settle_interest(s);
		s->ops->changed(s);
		return;
	}
	stream_run(s);
}

static void on_pipe(struct loop_src *src, uint32_t events)
{
	(void)events;
	stream_run(CONTAINER_OF(src, struct stream, pipe));
}

int stream_open_take(struct stream *s, struct loop *l, const struct dialer *d,
		     unsigned number, uint64_t token, int pipe_fd)
{
	int r;

	s->loop = l;
	s->number = number;
	s->token = token;
	s->used = true;
	s->pipe_fd = pipe_fd;
	s->waiting = pipe_fd < 0;
	s->sock = (struct loop_src){ .fn = on_sock, .fd = -1 };
	s->pipe = (struct loop_src){ .fn = on_pipe, .fd = -1 };
	s->sock_fd = dial_stream(d, &s->connecting);
	r = s->sock_fd;
	if (r >= 0 && !s->connecting)
		r = send_hello(s);
	if (r < 0) {
		s->failed = r;
		close_sock(s);
		close_pipe(s);
		s->ended = true;
		return r;
	}
	settle_interest(s);
	return 0;
}

void stream_set_master_take(struct stream *s, int master_fd)
{
	s->pipe_fd = master_fd;
	s->waiting = false;
	stream_move(s);
}

void stream_set_limit(struct stream *s, uint64_t bytes)
{
	if (!stream_is_input(s->number) || s->sock_fd < 0)
		return;
	s->in_limited = true;
	s->in_limit = bytes;
	stream_move(s);
}

void stream_drain(struct stream *s)
{
	if (!s->used || s->draining)
		return;
	s->draining = true;
	if (stream_is_input(s->number)) {
		host_gone(s);
		return;
	}
	if (s->waiting) {
		s->waiting = false;
		s->out_eof = true;
	}
	stream_move(s);
}

void stream_give_up(struct stream *s)
{
	if (!s->used)
		return;
	if (s->connecting) {
		stream_abort(s);
		return;
	}
	if (!stream_has_output(s) || s->ended)
		return;
	end_output(s);
	if (s->number == STREAM_TTY)
		close_pipe(s);
	stream_move(s);
}

void stream_abort(struct stream *s)
{
	if (!s->used)
		return;
	host_gone(s);
	pump_done(&s->in);
	pump_done(&s->out);
}
