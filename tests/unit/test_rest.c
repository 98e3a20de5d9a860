/* SPDX-License-Identifier: Apache-2.0 */
/* rest against a peer that answers, dawdles, babbles, sends too much or dies; through a socket pair. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"
#include "suite.h"
#include "vmm/rest.h"
#include "vmm/rest_reply.h"

#define OK_EMPTY "HTTP/1.1 204 \r\nServer: x\r\nConnection: keep-alive\r\n\r\n"
#define OK_BODY                                                                           \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" \
	"{\"state\":\"x\"}"

struct peer {
	struct loop *loop;
	struct rest *rest;
	int fd, timer;
	struct loop_src timeout;
	char why[512], text[REST_TEXT_MAX], body[256];
	int gone, done, code;
	unsigned status, deadline_ms;
	size_t len;
	bool free_in_answer, ask_in_answer;
};

static void on_timeout(struct loop_src *src, uint32_t events)
{
	struct peer *p = CONTAINER_OF(src, struct peer, timeout);

	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(p->loop, 1);
}

static void on_gone(void *arg, const char *why)
{
	struct peer *p = arg;

	str_copy(p->why, sizeof(p->why), why);
	p->gone++;
	loop_stop(p->loop, 0);
}

static void ask(struct peer *p, const char *path, const char *body);

static void on_done(void *arg, const struct rest_answer *a)
{
	struct peer *p = arg;

	if (p->ask_in_answer)
		ask(p, "/more", NULL);
	p->ask_in_answer = false;
	str_copy(p->text, sizeof(p->text), a->text);
	str_copy(p->body, sizeof(p->body), a->body);
	p->code = a->code;
	p->status = a->status;
	p->len = a->len;
	p->done++;
	loop_stop(p->loop, 0);
	if (p->free_in_answer)
		rest_free(TAKE_PTR(p->rest));
}

static int ask_with(struct peer *p, const char *path, const char *body, const int *fds,
		    size_t n, struct kata_err *err)
{
	const struct rest_request q = { .method = "PUT",
					.path = path,
					.body = body,
					.fds = fds,
					.n_fds = n,
					.deadline_ms = p->deadline_ms,
					.done = on_done };

	return rest_request(p->rest, &q, err);
}

static void ask(struct peer *p, const char *path, const char *body)
{
	struct kata_err err = { 0 };

	ck_assert_msg(ask_with(p, path, body, NULL, 0, &err) == 0, "%s", err.msg);
}

static void setup(struct peer *p)
{
	const struct rest_ops ops = { on_gone, p };
	struct kata_err err = { 0 };
	int pair[2];

	*p = (struct peer){ .deadline_ms = 30000 }; /* a loaded machine is no failure */
	p->loop = loop_new(&err);
	ck_assert_ptr_nonnull(p->loop);
	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	p->fd = pair[1];
	ck_assert_int_eq(rest_new_take(p->loop, pair[0], &ops, &p->rest, &err), 0);
	p->timer = loop_timer();
	p->timeout.fn = on_timeout;
	ck_assert_int_eq(loop_add(p->loop, &p->timeout, p->timer, EPOLLIN), 0);
}

static void hang_up(struct peer *p)
{
	close(p->fd);
	p->fd = -1;
}

static void peer_done(struct peer *p)
{
	rest_free(p->rest);
	loop_del(&p->timeout);
	loop_free(p->loop);
	close(p->timer);
	if (p->fd >= 0)
		close(p->fd);
}
#define PEER __attribute__((cleanup(peer_done))) struct peer

static void feed(struct peer *p, const char *text)
{
	ck_assert_int_eq(send(p->fd, text, strlen(text), MSG_NOSIGNAL),
			 (ssize_t)strlen(text));
}

/* Until a callback stops the loop (0) or @ms have passed (1). */
static int run(struct peer *p, unsigned ms)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_timer_set(p->timer, ms), 0);
	return loop_run(p->loop, &err);
}

static const char *heard(struct peer *p, char buf[1024])
{
	ssize_t n = recv(p->fd, buf, 1023, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = 0;
	return buf;
}

/* The second waits for the answer to the first. */
START_TEST(conversation)
{
	PEER p;
	char buf[1024];

	setup(&p);
	ask(&p, "/api/v1/vm.create", "{}");
	ask(&p, "/api/v1/vm.info", NULL);
	ck_assert_int_eq(run(&p, 20), 1);
	ck_assert_str_eq(heard(&p, buf),
			 "PUT /api/v1/vm.create HTTP/1.1\r\nHost: localhost\r\n"
			 "Accept: application/json\r\nContent-Type: application/json\r\n"
			 "Content-Length: 2\r\n\r\n{}");
	feed(&p, OK_EMPTY);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.code, 0);
	ck_assert_uint_eq(p.status, 204);
	ck_assert_str_eq(p.body, "");
	ck_assert_str_eq(heard(&p, buf),
			 "PUT /api/v1/vm.info HTTP/1.1\r\nHost: localhost\r\n"
			 "Accept: application/json\r\n\r\n");
	feed(&p, OK_BODY);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_str_eq(p.body, "{\"state\":\"x\"}");
	ck_assert_uint_eq(p.len, 13);
}
END_TEST

static const struct {
	const char *bytes, *body;
} good[] = {
	{ OK_EMPTY, "" },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK_BODY, "{\"state\":\"x\"}" },
	{ "HTTP/1.1 200\r\ncontent-length:\t2 \r\n\r\n{}", "{}" },
	{ "HTTP/1.0 200 OK\nContent-Length: 2\nContent-Length: 2\n\n{}", "{}" },
	{ "HTTP/1.1 200 OK\r\n\r\n", "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2;x=y\r\n{}\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
	  "{}0123456789" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "" },
};

/* Each whole, and byte by byte. */
START_TEST(replies)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		PEER p;

		setup(&p);
		ask(&p, "/x", NULL);
		feed(&p, good[i].bytes);
		ck_assert_msg(run(&p, 5000) == 0 && p.done == 1, "case %zu: %s", i,
			      p.why);
		ck_assert_str_eq(p.body, good[i].body);
		ask(&p, "/x", NULL);
		for (size_t k = 0; good[i].bytes[k]; k++) {
			ck_assert_int_eq(send(p.fd, good[i].bytes + k, 1, MSG_NOSIGNAL),
					 1);
			rest_drain(p.rest);
			ck_assert_msg(p.done == 1 || !good[i].bytes[k + 1], "case %zu",
				      i);
		}
		ck_assert_msg(p.done == 2, "case %zu: %s", i, p.why);
		ck_assert_str_eq(p.body, good[i].body);
	}
}
END_TEST

static const struct {
	const char *bytes, *text;
} refused[] = {
	{ "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 54\r\n\r\n"
	  "[\"Error from API\",\"The VM could not boot\",\"no \\u001b\"]",
	  "Error from API: The VM could not boot: no ?" },
	{ "HTTP/1.1 400 Bad Request\r\nContent-Length: 31\r\n\r\n"
	  "{\"fault_message\": \"no kernel\"} ",
	  "no kernel" },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot\n that", "not? that" },
	{ "HTTP/1.1 429 \r\nContent-Length: 0\r\n\r\n",
	  "HTTP status 429, no reason given" },
	{ "HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n",
	  "HTTP status 302, no reason given" },
};

START_TEST(refusals)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		PEER p;

		setup(&p);
		ask(&p, "/x", NULL);
		feed(&p, refused[i].bytes);
		ck_assert_msg(run(&p, 5000) == 0 && p.done == 1, "case %zu: %s", i,
			      p.why);
		ck_assert_int_eq(p.code, -EIO);
		ck_assert_str_eq(p.text, refused[i].text);
	}
}
END_TEST

#define SAYS "sent garbage on its API socket: "
#define HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKS HEAD "Transfer-Encoding: chunked\r\n\r\n"
static const struct {
	const char *bytes, *why;
} bad[] = {
	{ "hello\n", SAYS "no HTTP status line" },
	{ "\r\n", SAYS "no HTTP status line" },
	{ "HTTP/2 200\r\n", SAYS "no HTTP status line" },
	{ "HTTP/1.1 2000 OK\r\n", SAYS "a status that is no number" },
	{ "HTTP/1.1 099 OK\r\n", SAYS "a status that is no number" },
	{ "HTTP/1.1 ok\r\n", SAYS "a status that is no number" },
	{ HEAD "nothing\r\n", SAYS "a header without a name" },
	{ HEAD ": x\r\n", SAYS "a header without a name" },
	{ HEAD "Content-Length : 5\r\n", SAYS "a header without a name" },
	{ HEAD " folded: 5\r\n", SAYS "a header without a name" },
	{ HEAD "Content-Length: 0x1\r\n", SAYS "a Content-Length that is no number" },
	{ HEAD "Content-Length: 5 5\r\n", SAYS "a Content-Length that is no number" },
	{ HEAD "Content-Length: 5\r\nContent-Length: 6\r\n", SAYS "two lengths" },
	{ HEAD "Content-Length: 262145\r\n", SAYS "a body longer than any answer's" },
	{ HEAD "Content-Length: 99999999999999999999999\r\n",
	  SAYS "a body longer than any answer's" },
	{ HEAD "Transfer-Encoding: gzip\r\n",
	  SAYS "a Transfer-Encoding other than chunked" },
	{ HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	  SAYS "a Transfer-Encoding other than chunked" },
	{ HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
	  SAYS "both a length and chunks" },
	{ CHUNKS "\r\n", SAYS "a chunk without a size" },
	{ CHUNKS "-1\r\n", SAYS "a chunk whose size is no number" },
	{ CHUNKS "123456789\r\n", SAYS "a chunk without a size" },
	{ CHUNKS "fffff\r\n", SAYS "a body longer than any answer's" },
	{ CHUNKS "1\r\nxy\r\n", SAYS "a chunk longer than its size" },
	{ OK_EMPTY OK_EMPTY, SAYS "an answer to nothing asked" },
	{ "", "closed its API socket instead of answering PUT /x" },
	{ HEAD, "closed its API socket in the middle of the answer to PUT /x" },
	{ HEAD "Content-Length: 5\r\n\r\n1234",
	  "closed its API socket in the middle of the answer to PUT /x" },
	{ "HT", "closed its API socket in the middle of the answer to PUT /x" },
	{ OK_EMPTY, "closed its API socket" },
};

START_TEST(garbage)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kata_err err = { 0 };
		PEER p;

		setup(&p);
		ask(&p, "/x", NULL);
		feed(&p, bad[i].bytes);
		if (str_has_prefix(bad[i].why, "closed"))
			hang_up(&p);
		for (int k = 0; k < 3 && !p.gone; k++)
			(void)run(&p, 200);
		ck_assert_msg(p.gone == 1, "case %zu: nothing happened", i);
		ck_assert_msg(str_eq(p.why, bad[i].why), "case %zu: %s", i, p.why);
		ck_assert_int_eq(run(&p, 10), 1); /* and no more after it */
		ck_assert_int_eq(p.gone, 1);
		ck_assert_int_eq(ask_with(&p, "/y", NULL, NULL, 0, &err), -ESRCH);
	}
}
END_TEST

START_TEST(endless)
{
	static const char *const begins[] = { "", HEAD, HEAD "x: ", CHUNKS };
	char block[4096];

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		PEER p;

		setup(&p);
		ask(&p, "/x", NULL);
		feed(&p, begins[i]);
		for (size_t k = 0; k < sizeof(block); k++)
			block[k] = i == 1 && k % 4 == 3	  ? '\n'
				   : i == 1 && k % 4 == 1 ? ':'
							  : '0';
		for (int k = 0; k < 64 && !p.gone; k++) {
			ck_assert_int_eq(send(p.fd, block, sizeof(block), MSG_NOSIGNAL),
					 sizeof(block));
			rest_drain(p.rest);
		}
		ck_assert_str_eq(p.why, SAYS "headers longer than any answer's");
	}
}
END_TEST

/* Silence, and an answer that comes in crumbs: the deadline is for all of it. */
START_TEST(late)
{
	for (int crumbs = 0; crumbs < 2; crumbs++) {
		PEER p;

		setup(&p);
		p.deadline_ms = 300;
		ask(&p, "/x", NULL);
		for (int k = 0; k < 20 && crumbs && !p.gone; k++) {
			feed(&p, k ? "x: y\r\n" : HEAD);
			(void)run(&p, 50);
		}
		if (!crumbs)
			ck_assert_int_eq(run(&p, 5000), 0);
		ck_assert_str_eq(p.why, "did not answer PUT /x within 300 ms");
		ck_assert_int_eq(p.gone, 1);
	}
}
END_TEST

/* What came in time counts, though we look at it late. */
START_TEST(looked_at_late)
{
	PEER p;

	setup(&p);
	p.deadline_ms = 20;
	ask(&p, "/x", NULL);
	feed(&p, OK_BODY);
	ck_assert_int_eq(poll(NULL, 0, 60), 0);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_msg(p.done == 1 && p.gone == 0, "%s", p.why);
	ck_assert_str_eq(p.body, "{\"state\":\"x\"}");
}
END_TEST

/* Without the loop: answered, not answered, hung up. */
START_TEST(finish)
{
	PEER p;

	setup(&p);
	ck_assert_int_gt(rest_finish(p.rest, 20000), 0);
	ask(&p, "/x", NULL);
	feed(&p, OK_EMPTY);
	ck_assert_int_gt(rest_finish(p.rest, 20000), 0);
	ck_assert_int_eq(p.done, 1);
	ask(&p, "/x", NULL);
	ck_assert_int_eq(rest_finish(p.rest, 20), 0);
	hang_up(&p);
	ck_assert_int_eq(rest_finish(p.rest, 20000), 0);
	ck_assert_int_eq(p.done, 1);
	ck_assert_int_eq(p.gone, 1);
}
END_TEST

/* Answered in time: the deadline is over. */
START_TEST(idle)
{
	PEER p;

	setup(&p);
	p.deadline_ms = 2000;
	ask(&p, "/x", NULL);
	feed(&p, OK_EMPTY);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(run(&p, 2500), 1);
	ck_assert_int_eq(p.gone, 0);
}
END_TEST

START_TEST(full_line)
{
	struct kata_err err = { 0 };
	char *large = mem_zalloc(REST_REQUEST_MAX + 2);
	PEER p;

	setup(&p);
	memset(large, 'x', REST_REQUEST_MAX + 1);
	ck_assert_int_eq(ask_with(&p, "/x", large, NULL, 0, &err), -E2BIG);
	for (int i = 0; i < REST_MAX_REQUESTS; i++)
		ask(&p, "/x", NULL);
	ck_assert_int_eq(ask_with(&p, "/x", NULL, NULL, 0, &err), -EBUSY);
	free(large);
}
END_TEST

/* A body larger than the socket holds, read slowly; the descriptors come once, with its beginning. */
START_TEST(descriptors)
{
	char *body = mem_zalloc(REST_REQUEST_MAX + 1);
	int fds[SOCK_MAX_FDS], pipe_fd[2], small = 4096;
	struct kata_err err = { 0 };
	size_t total = 0, n_fds = 0;
	char chunk[4096];
	PEER p;

	setup(&p);
	memset(body, 'x', REST_REQUEST_MAX);
	ck_assert_int_eq(pipe2(pipe_fd, O_CLOEXEC), 0);
	ck_assert_int_eq(setsockopt(p.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
			 0);
	ck_assert_int_eq(ask_with(&p, "/x", body, pipe_fd, 2, &err), 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	for (int i = 0; i < 200 && total < REST_REQUEST_MAX; i++) {
		size_t n = 0;
		ssize_t r;

		(void)run(&p, 1);
		r = sock_recv(p.fd, chunk, sizeof(chunk), fds, &n);
		ck_assert_int_gt(r, 0);
		total += (size_t)r;
		ck_assert_msg(n == 0 || (i == 0 && n == 2), "%zu descriptors at %d", n,
			      i);
		for (size_t k = 0; k < n; k++)
			n_fds += close(fds[k]) == 0;
	}
	ck_assert_uint_eq(n_fds, 2);
	feed(&p, OK_EMPTY);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.code, 0);
	free(body);
}
END_TEST

START_TEST(from_within)
{
	char buf[1024];
	PEER p;
	PEER q;

	setup(&p);
	ask(&p, "/x", NULL);
	p.ask_in_answer = true;
	feed(&p, OK_BODY);
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_str_eq(p.body, "{\"state\":\"x\"}");
	(void)run(&p, 10);
	ck_assert_ptr_nonnull(strstr(heard(&p, buf), "PUT /more "));
	setup(&q);
	q.free_in_answer = true;
	ask(&q, "/x", NULL);
	ask(&q, "/y", NULL);
	feed(&q, OK_EMPTY);
	ck_assert_int_eq(run(&q, 5000), 0);
	ck_assert_int_eq(q.done, 1);
	ck_assert_ptr_null(q.rest);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		conversation, replies, refusals,    garbage,	 endless,	 late,
		full_line,    idle,    descriptors, from_within, looked_at_late, finish,
	};

	return suite_run("rest", tests, ARRAY_SIZE(tests));
}
