/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest: requests in line, one on the wire, its answer, the next.
 *
 *   line empty      a byte: garbage          closed: gone
 *   request sent    answer complete -> its callback, then the next is sent
 *                   deadline, garbage, closed: gone
 *
 * "Gone" is the end: the owner stops the VMM, so no request is ever sent twice. Bytes of
 * the answer may come before all of the request has been written (a refusal); a further request is not
 * begun before that.
 */
#include "vmm/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/rest_reply.h"

/** Reads per wake-up: a peer that floods must not hold the loop. */
#define REST_READS 16

struct waiting {
	char *what; /* "PUT /api/v1/vm.boot": for messages */
	char *bytes;
	size_t len;
	int fds[REST_MAX_FDS];
	size_t n_fds;
	unsigned deadline_ms;
	rest_done_fn *done;
};

struct rest {
	struct loop_src src, timer;
	int fd, timer_fd;
	struct rest_ops ops;
	struct waiting line[REST_MAX_REQUESTS]; /* [0] is on the wire */
	size_t n;
	uint64_t begun; /* how many have been on the wire */
	struct rest_reply reply;
	struct buf in, out;
	bool gone;
	bool answering; /* its callback looks at the answer: what it asks for waits */
	bool busy;	/* a callback may be running */
	bool doomed;	/* rest_free() was called from one */
};

static void waiting_done(struct waiting *w)
{
	for (size_t i = 0; i < w->n_fds; i++)
		close(w->fds[i]);
	free(w->what);
	free(w->bytes);
	*w = (struct waiting){ 0 };
}

static void gone(struct rest *h, const char *why)
{
	if (h->gone)
		return;
	h->gone = true;
	loop_del(&h->src);
	loop_del(&h->timer);
	h->ops.on_gone(h->ops.arg, why);
}

static void garbage(struct rest *h, const char *what)
{
	AUTO_FREE char *why = mem_printf("sent garbage on its API socket: %s", what);

	gone(h, why);
}

static void closed(struct rest *h)
{
	AUTO_FREE char *why = NULL;

	if (h->n == 0)
		why = mem_strdup("closed its API socket");
	else if (h->reply.head || buf_len(&h->in))
		why = mem_printf(
			"closed its API socket in the middle of the answer to %s",
			h->line[0].what);
	else
		why = mem_printf("closed its API socket instead of answering %s",
				 h->line[0].what);
	gone(h, why);
}

/* --- out --------------------------------------------------------------------------------- */

static ssize_t send_bytes(int fd, const void *data, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * REST_MAX_FDS)];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (n > 0) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* Write what there is room for; the rest when the loop says so. Descriptors go with the first byte. */
static void flush(struct rest *h)
{
	struct waiting *w = &h->line[0];

	while (buf_len(&h->out)) {
		ssize_t n = send_bytes(h->fd, buf_ptr(&h->out), buf_len(&h->out), w->fds,
				       w->n_fds);

		if (n < 0 && errno == EINTR)
			continue;
		/* an error is not the end yet: what it said before is still to be read */
		if (n < 0)
			break;
		while (w->n_fds > 0)
			close(w->fds[--w->n_fds]);
		buf_consume(&h->out, (size_t)n);
	}
	if (loop_mod(&h->src, EPOLLIN | (buf_len(&h->out) ? EPOLLOUT : 0u)) < 0)
		gone(h, "has an API socket that cannot be watched");
}

/* The first in line goes onto the wire. */
static void begin(struct rest *h)
{
	struct waiting *w = &h->line[0];

	h->begun++;
	rest_reply_begin(&h->reply);
	buf_add(&h->out, w->bytes, w->len);
	free(TAKE_PTR(w->bytes));
	if (loop_timer_set(h->timer_fd, w->deadline_ms) < 0)
		gone(h, "cannot be waited for: no timer");
	else
		flush(h);
}

/* --- in ---------------------------------------------------------------------------------- */

static void add_text(struct buf *out, const char *s, size_t n)
{
	char text[REST_TEXT_MAX];
	struct cursor c;

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	c = cursor_of(s, n);
	cursor_str(&c, n, text, sizeof(text));
	buf_addf(out, "%s%s", buf_len(out) ? ": " : "", text);
}

/* A refusal in words: a list of causes, an object with the one message, or plain text. */
static void refusal(struct rest *h, struct buf *out)
{
	const char *body = buf_cstr(&h->reply.body);
	AUTO(arena) *a = arena_new();
	const struct json *j = NULL;
	struct kata_err err = { 0 };
	const char *message = NULL;

	if (json_parse(body, buf_len(&h->reply.body), &json_limits_hostile, a, &j,
		       &err) == 0)
		message = json_get_str(j, "fault_message");
	if (message)
		add_text(out, message, strlen(message));
	for (size_t i = 0; j && j->type == JSON_ARRAY && i < j->len; i++)
		if (j->items[i]->type == JSON_STRING)
			add_text(out, j->items[i]->str, strlen(j->items[i]->str));
	if (buf_len(out) == 0 && buf_len(&h->reply.body))
		add_text(out, body, strlen(body));
	if (buf_len(out) == 0)
		buf_addf(out, "HTTP status %u, no reason given", h->reply.status);
}

static void answered(struct rest *h)
{
	bool ok = h->reply.status < 300;
	struct waiting w = h->line[0];
	struct buf text = { 0 };
	char cut[REST_TEXT_MAX];
	struct rest_answer a;

	h->n--;
	memmove(h->line, h->line + 1, h->n * sizeof(h->line[0]));
	h->line[h->n] = (struct waiting){ 0 };
	if (!ok)
		refusal(h, &text);
	str_copy(cut, sizeof(cut), buf_cstr(&text));
	buf_done(&text);
	a = (struct rest_answer){ .code = ok ? 0 : -EIO,
				  .status = h->reply.status,
				  .text = cut,
				  .body = buf_cstr(&h->reply.body),
				  .len = buf_len(&h->reply.body) };
	h->answering = true;
	if (loop_timer_set(h->timer_fd, 0) < 0)
		gone(h, "cannot be waited for: no timer");
	else
		w.done(h->ops.arg, &a);
	h->answering = false;
	waiting_done(&w);
	if (h->gone || h->doomed)
		return;
	rest_reply_begin(&h->reply);
	/* the next is asked for now: what is there already is no answer to it */
	if (buf_len(&h->in))
		garbage(h, "an answer to nothing asked");
	else if (h->n > 0)
		begin(h);
}

static void take_answers(struct rest *h)
{
	while (!h->gone && !h->doomed && buf_len(&h->in)) {
		struct kata_err err = { 0 };
		int r;

		if (h->n == 0) {
			garbage(h, "an answer to nothing asked");
			return;
		}
		r = rest_reply_feed(&h->reply, &h->in, &err);
		if (r < 0)
			garbage(h, err.msg);
		else if (r == 1 && buf_len(&h->out))
			garbage(h, "an answer before it was asked");
		else if (r == 1)
			answered(h);
		if (r == 0)
			return;
	}
}

/* Return: false when there is nothing more to read for now. */
static bool read_some(struct rest *h)
{
	unsigned char chunk[4096];
	ssize_t n = recv(h->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		closed(h);
		return false;
	}
	buf_add(&h->in, chunk, (size_t)n);
	take_answers(h);
	return !h->gone && !h->doomed;
}

static void too_late(struct rest *h)
{
	AUTO_FREE char *why = mem_printf("did not answer %s within %u ms",
					 h->line[0].what, h->line[0].deadline_ms);

	gone(h, why);
}

/*
 * @write, @read: what there is to do. @deadline: the time is over; an answer that has come in time and was not looked
 * at counts. Callbacks in it may free us, which is done at its end.
 */
static void turn(struct rest *h, bool write, bool read, bool deadline)
{
	uint64_t begun = h->begun;
	bool outer = !h->busy;

	h->busy = true;
	if (write && !h->gone)
		flush(h);
	for (int i = 0; read && i < REST_READS && !h->gone && !h->doomed; i++)
		if (!read_some(h))
			break;
	if (deadline && !h->gone && !h->doomed && h->n > 0 && h->begun == begun)
		too_late(h);
	if (!outer)
		return;
	h->busy = false;
	if (h->doomed)
		rest_free(h);
}

void rest_drain(struct rest *h)
{
	turn(h, false, true, false);
}

int rest_finish(struct rest *h, int ms)
{
	uint64_t now = loop_now_us(), end = now + (uint64_t)ms * 1000;

	for (; h->n > 0 && !h->gone && now < end; now = loop_now_us()) {
		struct pollfd p = { .fd = h->fd, .events = POLLIN };

		if (buf_len(&h->out))
			p.events |= POLLOUT;
		if (poll(&p, 1, (int)((end - now + 999) / 1000)) > 0)
			turn(h, p.revents & POLLOUT, p.revents & ~POLLOUT, false);
	}
	return h->n > 0 || now >= end ? 0 : (int)((end - now) / 1000);
}

static void on_ready(struct loop_src *src, uint32_t events)
{
	struct rest *h = CONTAINER_OF(src, struct rest, src);

	turn(h, events & EPOLLOUT, events & ~(uint32_t)EPOLLOUT, false);
}

static void on_deadline(struct loop_src *src, uint32_t events)
{
	struct rest *h = CONTAINER_OF(src, struct rest, timer);

	(void)events;
	loop_timer_ack(src->fd);
	turn(h, false, true, true);
}

/* --- life -------------------------------------------------------------------------------- */

int rest_new_take(struct loop *l, int fd, const struct rest_ops *ops, struct rest **ret,
		  struct kata_err *err)
{
	struct rest *h = mem_zalloc(sizeof(*h));
	int flags = fcntl(fd, F_GETFL), r;

	h->fd = fd;
	h->timer_fd = loop_timer();
	h->ops = *ops;
	h->src.fn = on_ready;
	h->timer.fn = on_deadline;
	h->src.fd = h->timer.fd = -1;
	rest_reply_begin(&h->reply);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		r = err_sys(err, "the VMM's API socket");
	else if (h->timer_fd < 0)
		r = err_sys_code(err, h->timer_fd, "the VMM's API socket: no timer");
	else if ((r = loop_add(l, &h->timer, h->timer_fd, EPOLLIN)) < 0 ||
		 (r = loop_add(l, &h->src, fd, EPOLLIN)) < 0)
		err_sys_code(err, r, "watch the VMM's API socket");
	if (r < 0) {
		rest_free(h);
		return r;
	}
	*ret = h;
	return 0;
}

void rest_free(struct rest *h)
{
	if (!h)
		return;
	loop_del(&h->src);
	loop_del(&h->timer);
	h->gone = true;
	if (h->busy) {
		h->doomed = true;
		return;
	}
	for (size_t i = 0; i < h->n; i++)
		waiting_done(&h->line[i]);
	close(h->fd);
	if (h->timer_fd >= 0)
		close(h->timer_fd);
	rest_reply_done(&h->reply);
	buf_done(&h->in);
	buf_done(&h->out);
	free(h);
}

/* RFC 9112, 3.2: there must be a Host. */
static void write_request(const struct rest_request *q, struct buf *out)
{
	buf_addf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n",
		 q->method, q->path);
	if (q->body)
		buf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			 strlen(q->body));
	buf_addf(out, "\r\n%s", q->body ? q->body : "");
}

static int copy_fds(const struct rest_request *q, struct waiting *w, struct kata_err *err)
{
	for (size_t i = 0; i < q->n_fds; i++) {
		w->fds[i] = fcntl(q->fds[i], F_DUPFD_CLOEXEC, 0);
		if (w->fds[i] < 0)
			return err_sys(err, "%s %s: descriptor", q->method, q->path);
		w->n_fds++;
	}
	return 0;
}

int rest_request(struct rest *h, const struct rest_request *q, struct kata_err *err)
{
	struct waiting *w = &h->line[h->n];
	struct buf bytes = { 0 };

	if (h->gone)
		return err_set(err, -ESRCH, "%s %s: the VMM's API socket is closed",
			       q->method, q->path);
	if (h->n == REST_MAX_REQUESTS)
		return err_set(err, -EBUSY,
			       "%s %s: the VMM has not answered the last %d requests",
			       q->method, q->path, REST_MAX_REQUESTS);
	if ((q->body && strlen(q->body) > REST_REQUEST_MAX) || q->n_fds > REST_MAX_FDS)
		return err_set(err, -E2BIG, "%s %s: a request larger than any", q->method,
			       q->path);
	*w = (struct waiting){ .deadline_ms = q->deadline_ms, .done = q->done };
	if (copy_fds(q, w, err) < 0) {
		waiting_done(w);
		return err->code;
	}
	write_request(q, &bytes);
	w->what = mem_printf("%s %s", q->method, q->path);
	w->len = buf_len(&bytes);
	w->bytes = mem_strdup(buf_cstr(&bytes));
	buf_done(&bytes);
	if (h->n++ == 0 && !h->answering)
		begin(h);
	return 0;
}
