/* SPDX-License-Identifier: Apache-2.0 */
/* The framed connection: pieces, floods, ends, in a real loop over a socket pair. */
#include <errno.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/sock.h"
#include "proto/chan.h"
#include "suite.h"

#define MAX_BODY 1000u

struct end {
	struct chan chan;
	struct loop *loop;
	unsigned frames, closed;
	size_t bytes;
	uint32_t last_id;
	int why, refuse_at;
};

static int on_frame(struct chan *c, const struct frame *f, const void *body)
{
	struct end *e = CONTAINER_OF(c, struct end, chan);
	const unsigned char *p = body;
	bool same = true;

	/* one assertion for all: each is a system call of libcheck's */
	for (uint32_t i = 0; i < f->len; i++)
		same = same && p[i] == (unsigned char)(f->id + i);
	ck_assert(same);
	e->frames++;
	e->bytes += f->len;
	e->last_id = f->id;
	return e->refuse_at && (int)e->frames == e->refuse_at ? -EPERM : 0;
}

static void on_close(struct chan *c, int why)
{
	struct end *e = CONTAINER_OF(c, struct end, chan);

	e->closed++;
	e->why = why;
	loop_stop(e->loop, 0);
}

static void open_end(struct end *e, struct loop *l, int fd)
{
	memset(e, 0, sizeof(*e));
	e->loop = l;
	e->chan.on_frame = on_frame;
	e->chan.on_close = on_close;
	ck_assert_int_eq(chan_init_take(&e->chan, l, fd, MAX_BODY), 0);
}

static void add(struct buf *b, uint32_t id, size_t len)
{
	unsigned char body[MAX_BODY + 1];

	for (size_t i = 0; i < len; i++)
		body[i] = (unsigned char)(id + i);
	frame_add(b, MSG_CREATE, id, body, len);
}

static void run(struct loop *l)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_run(l, &err), 0);
}

static struct loop *new_loop(void)
{
	struct kata_err err = { 0 };
	struct loop *l = loop_new(&err);

	ck_assert_ptr_nonnull(l);
	return l;
}

/* All frames of @b, written in pieces of @piece bytes, then the end. */
static struct end deliver(const struct buf *b, size_t piece, int refuse_at)
{
	struct loop *l = new_loop();
	int fd[2];
	struct end e;
	size_t off = 0;

	ck_assert_int_eq(sock_pair(SOCK_STREAM, fd), 0);
	open_end(&e, l, fd[0]);
	e.refuse_at = refuse_at;
	while (off < buf_len(b)) {
		size_t n = buf_len(b) - off < piece ? buf_len(b) - off : piece;

		ck_assert_int_eq(send(fd[1], buf_ptr(b) + off, n, MSG_NOSIGNAL),
				 (ssize_t)n);
		off += n;
	}
	close(fd[1]);
	run(l);
	ck_assert_uint_eq(e.closed, 1);
	ck_assert_int_eq(chan_send(&e.chan), -ENOTCONN);
	chan_done(&e.chan);
	chan_done(&e.chan);
	loop_free(l);
	return e;
}

START_TEST(frames_in_pieces)
{
	static const size_t pieces[] = { 1, 7, 12, 13, 1000, 1 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct buf b = { 0 };
		struct end e;

		/* nobody reads while it is sent, and small pieces fill a socket soon */
		unsigned n = pieces[i] < 100 ? 6 : 20;

		for (uint32_t id = 1; id <= n; id++)
			add(&b, id, id == 20 ? MAX_BODY : id * 3 - 3);
		e = deliver(&b, pieces[i], 0);
		ck_assert_uint_eq(e.frames, n);
		ck_assert_int_eq(e.why, 0);
		buf_done(&b);
	}
}
END_TEST

START_TEST(ends_in_the_midst)
{
	struct buf b = { 0 };
	struct end e;

	add(&b, 1, 5);
	add(&b, 2, 5);
	b.end--;
	e = deliver(&b, 100, 0);
	ck_assert_uint_eq(e.frames, 1);
	ck_assert_int_eq(e.why, -EPROTO);
	buf_done(&b);
}
END_TEST

START_TEST(too_long_or_refused)
{
	struct buf b = { 0 };
	struct end e;

	add(&b, 1, 5);
	add(&b, 2, MAX_BODY + 1);
	e = deliver(&b, 1 << 20, 0);
	ck_assert_uint_eq(e.frames, 1);
	ck_assert_int_eq(e.why, -EMSGSIZE);
	e = deliver(&b, 1 << 20, 1);
	ck_assert_uint_eq(e.frames, 1);
	ck_assert_int_eq(e.why, -EPERM);
	buf_done(&b);
}
END_TEST

/* More than any socket buffer, in both directions at once. */
START_TEST(flood)
{
	struct loop *l = new_loop();
	struct end a, b;
	int fd[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM, fd), 0);
	open_end(&a, l, fd[0]);
	open_end(&b, l, fd[1]);
	b.refuse_at = 20000;
	for (uint32_t id = 1; id <= 20000; id++) {
		add(&a.chan.out, id, MAX_BODY);
		add(&b.chan.out, id, MAX_BODY / 2);
	}
	ck_assert_int_eq(chan_send(&a.chan), 0);
	ck_assert_int_eq(chan_send(&b.chan), 0);
	run(l); /* until b has all and drops the connection */
	ck_assert_uint_eq(b.frames, 20000);
	ck_assert_uint_eq(b.bytes, 20000ul * MAX_BODY);
	ck_assert_uint_gt(a.frames, 0);
	chan_done(&b.chan);
	run(l);
	ck_assert_uint_eq(a.closed, 1);
	chan_done(&a.chan);
	loop_free(l);
}
END_TEST

/* A socket that keeps the writes apart shows how long each was. */
START_TEST(writes_are_short)
{
	struct loop *l = new_loop();
	unsigned char *got = mem_alloc(PROTO_MAX_WRITE + 1);
	struct end a;
	int fd[2];
	size_t len, sum = 0;

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET, fd), 0);
	open_end(&a, l, fd[0]);
	for (uint32_t id = 1; id <= 70; id++)
		add(&a.chan.out, id, MAX_BODY);
	len = buf_len(&a.chan.out);
	ck_assert_uint_gt(len, 2 * PROTO_MAX_WRITE);
	ck_assert_int_eq(chan_send(&a.chan), 0);
	while (sum < len) {
		ssize_t n = recv(fd[1], got, PROTO_MAX_WRITE + 1, MSG_DONTWAIT);

		ck_assert_int_gt(n, 0);
		ck_assert_uint_le((size_t)n, PROTO_MAX_WRITE);
		sum += (size_t)n;
	}
	free(got);
	chan_done(&a.chan);
	close(fd[1]);
	loop_free(l);
}
END_TEST

START_TEST(overflow_is_told)
{
	struct loop *l = new_loop();
	struct end a;
	int fd[2];
	int r = 0;

	if (under_valgrind()) { /* 64 MiB of frames take it ten minutes */
		loop_free(l);
		return;
	}
	ck_assert_int_eq(sock_pair(SOCK_STREAM, fd), 0);
	open_end(&a, l, fd[0]);
	for (uint32_t id = 1; r == 0 && id < 100000; id++) {
		add(&a.chan.out, id, MAX_BODY);
		r = chan_send(&a.chan);
	}
	ck_assert_int_eq(r, -ENOBUFS);
	chan_done(&a.chan);
	close(fd[1]);
	loop_free(l);
}
END_TEST

/* What the peer said before it went is heard, though we can no longer write to it. */
START_TEST(last_words_are_heard)
{
	struct loop *l = new_loop();
	struct buf b = { 0 };
	struct end a;
	int fd[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM, fd), 0);
	open_end(&a, l, fd[0]);
	add(&b, 7, 10);
	ck_assert_int_gt(send(fd[1], buf_ptr(&b), buf_len(&b), 0), 0);
	close(fd[1]);
	add(&a.chan.out, 1, 10);
	ck_assert_int_eq(chan_send(&a.chan), -EPIPE);
	run(l);
	ck_assert_uint_eq(a.last_id, 7);
	ck_assert_uint_eq(a.closed, 1);
	chan_done(&a.chan);
	buf_done(&b);
	loop_free(l);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		frames_in_pieces, ends_in_the_midst, too_long_or_refused,  flood,
		writes_are_short, overflow_is_told,  last_words_are_heard,
	};

	return suite_run("chan", tests, ARRAY_SIZE(tests));
}
