/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_client: see the header. Every connection of the guest starts as a
 * `struct visitor`, which lives until it has said whether it is the control
 * connection, a stream or a client of the DNS relay; only whole hellos are read from it, so that the
 * bytes behind belong to whoever gets the descriptor.
 */
#include "sandbox/agent_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "proto/chan.h"

struct visitor {
	struct loop_src src;
	struct agent *agent;
	struct visitor *next; /* oldest first */
	size_t got;
	unsigned char hello[PROTO_HELLO_STREAM];
};

struct expected {
	uint64_t token;
	struct agent_stream stream;
};

struct request {
	struct request *next;
	uint32_t id;
	uint64_t deadline; /* CLOCK_MONOTONIC, milliseconds */
	struct agent_call call;
};

struct agent {
	struct loop *loop;
	const struct agent_ops *ops;
	void *arg;
	uint32_t cid;
	struct loop_src listen_src;
	struct loop_src timer_src;
	struct visitor *visitors;
	unsigned n_visitors;
	struct chan chan;
	bool has_chan, said_hello, gone;
	char why[200];
	uint32_t last_id;
	struct request *requests;
	struct expected *expected;
	size_t n_expected;
};

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

/* --- requests ---------------------------------------------------------------------------- */

static void arm_timer(struct agent *a)
{
	uint64_t first = 0, now = now_ms();

	for (const struct request *q = a->requests; q; q = q->next)
		if (!first || q->deadline < first)
			first = q->deadline;
	if (first)
		first = first > now ? first - now : 1;
	if (loop_timer_set(a->timer_src.fd, first) < 0)
		log_debug("agent: timer cannot be set");
}

/* Unlink before the callback: it may send a request of its own. */
static void finish(struct request **at, int code, const struct msg_reply *m)
{
	struct request *q = *at;

	*at = q->next;
	if (q->call.fn)
		q->call.fn(q->call.arg, code, m);
	free(q);
}

static void on_timer(struct loop_src *src, uint32_t events)
{
	struct agent *a = CONTAINER_OF(src, struct agent, timer_src);
	uint64_t now = now_ms();
	struct request **at = &a->requests;

	(void)events;
	loop_timer_ack(src->fd);
	while (*at) {
		if ((*at)->deadline > now) {
			at = &(*at)->next;
			continue;
		}
		finish(at, -ETIMEDOUT, NULL);
		at = &a->requests; /* the callback may have changed the list */
	}
	arm_timer(a);
}

static void fail_all(struct agent *a)
{
	while (a->requests)
		finish(&a->requests, -ECONNRESET, NULL);
}

int agent_request(struct agent *a, enum msg_type type, const void *body, size_t len,
		  uint64_t deadline_ms, const struct agent_call *call)
{
	struct request *q;
	int r;

	if (!a->said_hello || a->gone)
		return -ENOTCONN;
	if (len > PROTO_MAX_HOST_BODY)
		return -E2BIG;
	frame_add(&a->chan.out, (uint16_t)type, ++a->last_id, body, len);
	r = chan_send(&a->chan);
	if (r < 0)
		return r;
	q = mem_zalloc(sizeof(*q));
	q->id = a->last_id;
	q->deadline = now_ms() + deadline_ms;
	q->call = *call;
	q->next = a->requests;
	a->requests = q;
	arm_timer(a);
	return 0;
}

/* --- control connection ------------------------------------------------------------------ */

static int take_hello(struct agent *a, const void *body, size_t len)
{
	struct msg_hello m;

	if (a->said_hello || frame_get_hello(body, len, &m) < 0)
		return -EPROTO;
	if (m.version_min > PROTO_VERSION || m.version_max < PROTO_VERSION_MIN) {
		snprintf(
			a->why, sizeof(a->why),
			"the guest's agent speaks versions %u to %u, this kata-sandbox %u to %u: "
			"make the guest image again",
			m.version_min, m.version_max, PROTO_VERSION_MIN, PROTO_VERSION);
		return -EPROTO;
	}
	a->said_hello = true;
	a->ops->on_hello(a->arg, &m);
	return 0;
}

static int take_reply(struct agent *a, uint32_t id, const void *body, size_t len)
{
	struct msg_reply m;

	if (frame_get_reply(body, len, &m) < 0)
		return -EPROTO;
	for (struct request **at = &a->requests; *at; at = &(*at)->next) {
		if ((*at)->id != id)
			continue;
		finish(at, 0, &m);
		arm_timer(a);
		return 0;
	}
	/* one that came after its deadline, or that was never asked for */
	log_debug("agent: reply to request %u that is not under way", id);
	return 0;
}

static int take_event(struct agent *a, uint16_t type, const void *body, size_t len)
{
	struct msg_exit exit_msg;
	struct msg_stream_end end;
	struct msg_stats stats;
	char text[PROTO_MAX_TEXT + 1];
	uint32_t container;

	switch (type) {
	case MSG_EXIT:
		if (frame_get_exit(body, len, &exit_msg) < 0)
			return -EPROTO;
		a->ops->on_exit(a->arg, &exit_msg);
		return 0;
	case MSG_STREAM_END:
		if (frame_get_stream_end(body, len, &end) < 0)
			return -EPROTO;
		a->ops->on_stream_end(a->arg, &end);
		return 0;
	case MSG_WARNING:
		if (frame_get_warning(body, len, &container, text) < 0)
			return -EPROTO;
		a->ops->on_warning(a->arg, container, text);
		return 0;
	case MSG_OOM:
		if (frame_get_oom(body, len, &container) < 0)
			return -EPROTO;
		a->ops->on_oom(a->arg, container);
		return 0;
	case MSG_STATS_DATA:
		if (frame_get_stats(body, len, &stats) < 0)
			return -EPROTO;
		a->ops->on_stats(a->arg, &stats);
		return 0;
	case MSG_NOTIFY:
		if (frame_get_notify(body, len, &container, text) < 0)
			return -EPROTO;
		a->ops->on_notify(a->arg, container, text);
		return 0;
	default:
		return -EPROTO;
	}
}

static int on_frame(struct chan *c, const struct frame *f, const void *body)
{
	struct agent *a = CONTAINER_OF(c, struct agent, chan);

	if (f->type == MSG_HELLO)
		return take_hello(a, body, f->len);
	if (!a->said_hello)
		return -EPROTO;
	if (f->type == MSG_REPLY)
		return take_reply(a, f->id, body, f->len);
	return f->id == 0 ? take_event(a, f->type, body, f->len) : -EPROTO;
}

static void on_close(struct chan *c, int why)
{
	struct agent *a = CONTAINER_OF(c, struct agent, chan);

	a->gone = true;
	if (!*a->why && why == 0)
		snprintf(a->why, sizeof(a->why),
			 "the guest's agent closed its connection");
	else if (!*a->why)
		snprintf(a->why, sizeof(a->why), "connection to the guest's agent: %s",
			 why == -EPROTO ? "malformed message" : err_text(-why));
	fail_all(a);
	a->ops->on_gone(a->arg, a->why);
}

static void become_control(struct agent *a, int fd)
{
	int r;

	if (a->has_chan) { /* there is one agent: a second is an intruder in the guest */
		log_debug("agent: a second control connection was refused");
		close(fd);
		return;
	}
	a->has_chan = true;
	a->chan.on_frame = on_frame;
	a->chan.on_close = on_close;
	r = chan_init_take(&a->chan, a->loop, fd, PROTO_MAX_GUEST_BODY);
	if (r < 0)
		on_close(&a->chan, r);
}

/* --- streams ----------------------------------------------------------------------------- */

uint64_t agent_expect(struct agent *a, const struct agent_stream *s)
{
	uint64_t token = 0;

	if (a->n_expected >= AGENT_MAX_EXPECTED)
		return 0;
	while (token == 0)
		if (getrandom(&token, sizeof(token), 0) != sizeof(token))
			return 0;
	a->expected = mem_grow(a->expected, a->n_expected + 1, sizeof(*a->expected));
	a->expected[a->n_expected++] = (struct expected){ token, *s };
	return token;
}

void agent_forget(struct agent *a, uint32_t container, uint32_t process)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n_expected; i++) {
		const struct agent_stream *s = &a->expected[i].stream;

		if (s->container != container || s->process != process)
			a->expected[kept++] = a->expected[i];
	}
	a->n_expected = kept;
}

static void become_stream(struct agent *a, uint64_t token, int fd)
{
	for (size_t i = 0; i < a->n_expected; i++) {
		struct agent_stream s = a->expected[i].stream;

		if (a->expected[i].token != token)
			continue;
		a->expected[i] = a->expected[--a->n_expected];
		a->ops->on_stream(a->arg, &s, fd);
		return;
	}
	log_debug("agent: a stream with an unknown token was refused");
	close(fd);
}

static void become_dns(struct agent *a, uint32_t protocol, int fd)
{
	if (a->said_hello && a->ops->on_dns &&
	    (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)) {
		a->ops->on_dns(a->arg, (int)protocol, fd);
		return;
	}
	log_debug("agent: a client of the DNS relay was refused");
	close(fd);
}

/* --- visitors ---------------------------------------------------------------------------- */

/* Take @v out of the list and the loop; its descriptor is the caller's. */
static int dismiss(struct visitor *v)
{
	struct agent *a = v->agent;
	int fd = v->src.fd;

	for (struct visitor **at = &a->visitors; *at; at = &(*at)->next) {
		if (*at != v)
			continue;
		*at = v->next;
		a->n_visitors--;
		break;
	}
	loop_del(&v->src);
	free(v);
	return fd;
}

/* How many bytes its hello has, as far as it is known; 0 = it is none. */
static size_t hello_size(const struct visitor *v)
{
	struct cursor c = cursor_of(v->hello, v->got);

	if (v->got < PROTO_HELLO_CONTROL)
		return PROTO_HELLO_CONTROL;
	switch (cursor_u32(&c)) {
	case PROTO_CONTROL_MAGIC:
		return PROTO_HELLO_CONTROL;
	case PROTO_STREAM_MAGIC:
		return PROTO_HELLO_STREAM;
	case PROTO_DNS_MAGIC:
		return PROTO_HELLO_DNS;
	default:
		return 0;
	}
}

/* Its hello is whole. */
static void admit(struct visitor *v)
{
	struct cursor c = cursor_of(v->hello, sizeof(v->hello));
	uint32_t magic = cursor_u32(&c);
	struct agent *a = v->agent;
	uint64_t token;
	uint32_t protocol;

	switch (magic) {
	case PROTO_STREAM_MAGIC:
		token = cursor_u64(&c);
		become_stream(a, token, dismiss(v));
		break;
	case PROTO_DNS_MAGIC:
		protocol = cursor_u32(&c);
		become_dns(a, protocol, dismiss(v));
		break;
	default:
		become_control(a, dismiss(v));
	}
}

static void on_visitor(struct loop_src *src, uint32_t events)
{
	struct visitor *v = CONTAINER_OF(src, struct visitor, src);

	(void)events;
	for (;;) {
		size_t want = hello_size(v);
		ssize_t n;

		if (want && v->got == want) {
			admit(v);
			return;
		}
		n = want ? read(src->fd, v->hello + v->got, want - v->got) : 0;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close(dismiss(v));
			return;
		}
		v->got += (size_t)n;
	}
}

static bool is_our_guest(const struct agent *a, int fd)
{
	uint32_t cid;

	return a->cid == 0 || (sock_vsock_peer_cid(fd, &cid) == 0 && cid == a->cid);
}

static void welcome(struct agent *a, int fd)
{
	struct visitor *v, **at = &a->visitors;

	if (a->n_visitors >= AGENT_MAX_PENDING)
		close(dismiss(a->visitors));
	v = mem_zalloc(sizeof(*v));
	v->agent = a;
	v->src.fn = on_visitor;
	if (loop_add(a->loop, &v->src, fd, EPOLLIN) < 0) {
		close(fd);
		free(v);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = v;
	a->n_visitors++;
}

static void on_listen(struct loop_src *src, uint32_t events)
{
	struct agent *a = CONTAINER_OF(src, struct agent, listen_src);
	int fd = sock_accept(src->fd);

	(void)events;
	if (fd < 0)
		return;
	if (is_our_guest(a, fd))
		welcome(a, fd);
	else
		close(fd);
}

/* --- life -------------------------------------------------------------------------------- */

struct agent *agent_new_take(struct loop *l, int listen_fd, uint32_t cid,
			     const struct agent_ops *ops, void *arg, struct kata_err *err)
{
	struct agent *a = mem_zalloc(sizeof(*a));
	int timer = loop_timer();
	int r;

	a->loop = l;
	a->cid = cid;
	a->ops = ops;
	a->arg = arg;
	a->listen_src = (struct loop_src){ .fn = on_listen, .fd = -1 };
	a->timer_src = (struct loop_src){ .fn = on_timer, .fd = -1 };
	r = timer < 0 ? timer : loop_add(l, &a->timer_src, timer, EPOLLIN);
	if (r == 0)
		r = loop_add(l, &a->listen_src, listen_fd, EPOLLIN);
	if (r < 0) {
		err_sys_code(err, r, "listen for the guest");
		loop_del(&a->timer_src);
		if (timer >= 0)
			close(timer);
		close(listen_fd);
		free(a);
		return NULL;
	}
	return a;
}

static void close_src(struct loop_src *src)
{
	int fd = src->fd;

	loop_del(src);
	if (fd >= 0)
		close(fd);
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	while (a->visitors)
		close(dismiss(a->visitors));
	while (a->requests) {
		struct request *q = a->requests;

		a->requests = q->next;
		free(q);
	}
	close_src(&a->listen_src);
	close_src(&a->timer_src);
	if (a->has_chan)
		chan_done(&a->chan);
	free(a->expected);
	free(a);
}
