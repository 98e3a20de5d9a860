// SPDX-License-Identifier: Apache-2.0
/*
 * forward: see the header. Whatever happens to a relay, relay_run() moves bytes in both directions
 * until neither can, and settles what epoll is asked for; it frees the relay when it is over.
 *
 * Back-pressure: the local socket is read only when what was read before has gone, and so is the
 * other side.
 *
 * Ends. A local socket that has no more to say: END, and the other side shuts its own down for
 * writing. Both ways ended: the guest says OVER and the host closes. A local socket that broke
 * says OVER at once, and the other side's is reset. The guest then waits for the host to close. The
 * host waits for the guest's OVER, reading and dropping: if it closed with bytes unread, the guest's
 * writer would hang.
 */
#include "proto/forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "proto/frame.h"

#define WORD 2u
#define WORD_END 0u
#define WORD_OVER 0xffffu
#define OUT_MAX (PROTO_HELLO_STREAM + WORD + FORWARD_DATA_MAX + 2 * WORD)
_Static_assert(OUT_MAX <= PROTO_MAX_WRITE, "one packet");
#define IN_MAX (FORWARD_DATA_MAX + WORD)
/** Turns of a relay before the loop gets its own. */
#define ROUNDS 16

/**
 * struct side - @src.fd is -1 while epoll is not asked for anything.
 * @hup: epoll has told the end of both directions, and would not stop to
 */
struct side {
	struct loop_src src;
	int fd;
	bool hup;
};

struct forward {
	struct forward *next;
	struct forward_set *set;
	bool host;
	struct side local, peer;
	struct buf out; /* waits to be written to the peer */
	struct buf got; /* came from there */
	struct forward_in in;
	bool sent_end, sent_over;
};

int forward_next(struct forward_in *in, struct buf *b)
{
	struct cursor c = cursor_of(buf_ptr(b), buf_len(b));
	uint16_t word;

	if (in->left)
		return buf_len(b) ? FORWARD_DATA : FORWARD_NOTHING;
	word = cursor_u16(&c);
	if (c.bad)
		return FORWARD_NOTHING;
	if (word == WORD_OVER) {
		buf_consume(b, WORD);
		return FORWARD_OVER;
	}
	if (in->ended || word > FORWARD_DATA_MAX)
		return -EPROTO;
	buf_consume(b, WORD);
	if (word == WORD_END) {
		in->ended = true;
		return FORWARD_END;
	}
	in->left = word;
	return buf_len(b) ? FORWARD_DATA : FORWARD_NOTHING;
}

/* --- life */

static void side_close(struct side *s)
{
	loop_del(&s->src);
	fd_drop(&s->fd);
}

void forward_reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	/* of what is no TCP socket the end is only seen */
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) < 0)
		shutdown(fd, SHUT_RDWR);
	close(fd);
}

static void local_reset(struct forward *f)
{
	loop_del(&f->local.src);
	if (f->local.fd >= 0)
		forward_reset(TAKE_FD(f->local.fd));
}

static void relay_free(struct forward *f)
{
	struct forward_set *set = f->set;

	for (struct forward **at = &set->first; *at; at = &(*at)->next) {
		if (*at != f)
			continue;
		*at = f->next;
		set->n--;
		break;
	}
	local_reset(f);
	/* the guest hears of it at once even if somebody has a copy */
	shutdown(f->peer.fd, SHUT_RDWR);
	side_close(&f->peer);
	buf_done(&f->out);
	buf_done(&f->got);
	free(f);
}

static void say_over(struct forward *f)
{
	if (!f->sent_over)
		buf_add_u16(&f->out, WORD_OVER);
	f->sent_over = true;
}

/* Neither reads nor writes any more, or must not. */
static void local_lost(struct forward *f)
{
	local_reset(f);
	say_over(f);
}

/* The guest has said all, and has heard all. */
static void guest_finishes(struct forward *f)
{
	if (f->host || f->sent_over || !f->sent_end || !f->in.ended)
		return;
	side_close(&f->local);
	say_over(f);
}

/* --- moving bytes: each returns 1 when something moved, 0 for nothing now, -errno for the end */

static bool is_later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool reads_local(const struct forward *f)
{
	return f->local.fd >= 0 && !f->sent_end && !buf_len(&f->out);
}

static int from_local(struct forward *f)
{
	unsigned char *p = reads_local(f) ? buf_reserve(&f->out, WORD + FORWARD_DATA_MAX)
					  : NULL;
	ssize_t n;

	if (!p)
		return 0;
	n = read(f->local.fd, p + WORD, FORWARD_DATA_MAX);
	if (is_later(n))
		return 0;
	if (n < 0) {
		local_lost(f);
		return 1;
	}
	p[0] = (unsigned char)n;
	p[1] = (unsigned char)(n >> 8);
	buf_commit(&f->out, WORD + (size_t)n);
	f->sent_end = n == 0;
	guest_finishes(f);
	return 1;
}

static int to_peer(struct forward *f)
{
	ssize_t n;

	if (!buf_len(&f->out))
		return 0;
	n = send(f->peer.fd, buf_ptr(&f->out), buf_len(&f->out), MSG_NOSIGNAL);
	if (is_later(n))
		return 0;
	if (n < 0)
		return -errno;
	buf_consume(&f->out, (size_t)n);
	return 1;
}

/* A part of a word may be there. */
static bool reads_peer(const struct forward *f)
{
	return buf_len(&f->got) < (f->in.left ? 1 : WORD);
}

static int from_peer(struct forward *f)
{
	unsigned char *p = reads_peer(f) ? buf_reserve(&f->got, FORWARD_DATA_MAX) : NULL;
	ssize_t n;

	if (!p)
		return 0;
	n = read(f->peer.fd, p, FORWARD_DATA_MAX);
	if (is_later(n))
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	buf_commit(&f->got, (size_t)n);
	return 1;
}

/* Without a local socket it goes nowhere. */
static int take_data(struct forward *f)
{
	size_t len = buf_len(&f->got) < f->in.left ? buf_len(&f->got) : f->in.left;
	ssize_t n = (ssize_t)len;

	if (f->local.fd >= 0)
		n = send(f->local.fd, buf_ptr(&f->got), len, MSG_NOSIGNAL);
	if (is_later(n))
		return 0;
	if (n < 0) {
		local_lost(f);
		return 1;
	}
	buf_consume(&f->got, (size_t)n);
	f->in.left -= (size_t)n;
	return 1;
}

/* In order means that the local socket has all that was sent to it before. */
static int take_over(struct forward *f)
{
	if (f->host && f->sent_end && f->in.ended && !f->sent_over)
		side_close(&f->local);
	if (f->host)
		return -ECONNRESET; /* the other side is done: ours is, too */
	local_lost(f);
	return 1;
}

static int take_next(struct forward *f)
{
	int what = forward_next(&f->in, &f->got);

	switch (what) {
	case FORWARD_DATA:
		return take_data(f);
	case FORWARD_END:
		if (f->local.fd >= 0 && shutdown(f->local.fd, SHUT_WR) < 0)
			local_lost(f);
		guest_finishes(f);
		return 1;
	case FORWARD_OVER:
		return take_over(f);
	default:
		return what;
	}
}

/* All of it, as far as the local socket takes it: nothing would wake us for the rest. */
static int to_local(struct forward *f)
{
	int moved = 0, r;

	while ((r = take_next(f)) > 0)
		moved = 1;
	return r < 0 ? r : moved;
}

/* --- the loop */

static int settle_side(struct forward *f, struct side *s, uint32_t events, bool watch)
{
	if (s->fd < 0)
		return 0;
	/* of one that is only watched EPOLLHUP and EPOLLERR are told, and cannot be masked */
	if (!events && (!watch || s->hup)) {
		loop_del(&s->src);
		return 0;
	}
	if (s->src.fd >= 0)
		return loop_mod(&s->src, events);
	return loop_add(f->set->loop, &s->src, s->fd, events);
}

static int settle(struct forward *f)
{
	bool waits = f->in.left && buf_len(&f->got);
	uint32_t local = (reads_local(f) ? EPOLLIN : 0u) | (waits ? EPOLLOUT : 0u);
	uint32_t peer = (reads_peer(f) ? EPOLLIN : 0u) |
			(buf_len(&f->out) ? EPOLLOUT : 0u);
	int r = settle_side(f, &f->local, local, !f->sent_end || !f->in.ended);

	if (!buf_len(&f->out))
		buf_done(&f->out);
	if (!buf_len(&f->got))
		buf_done(&f->got);
	return r < 0 ? r : settle_side(f, &f->peer, peer, true);
}

static void relay_run(struct forward *f)
{
	int (*const moves[])(struct forward *) = { from_local, to_peer, from_peer,
						   to_local };
	struct forward_set *set = f->set;
	bool moved = true;
	int r = 0;

	for (int round = 0; moved && r >= 0 && round < ROUNDS; round++) {
		moved = false;
		for (size_t i = 0; i < ARRAY_SIZE(moves) && r >= 0; i++) {
			r = moves[i](f);
			moved |= r > 0;
		}
	}
	if (r >= 0 && settle(f) >= 0)
		return;
	relay_free(f);
	if (set->on_end)
		set->on_end(set);
}

static void on_local(struct loop_src *src, uint32_t events)
{
	struct forward *f = CONTAINER_OF(src, struct forward, local.src);
	socklen_t len = sizeof(int);
	int code = 0;

	f->local.hup |= (events & EPOLLHUP) != 0;
	if ((events & EPOLLERR) &&
	    (getsockopt(src->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code))
		local_lost(f);
	relay_run(f);
}

static void on_peer(struct loop_src *src, uint32_t events)
{
	struct forward *f = CONTAINER_OF(src, struct forward, peer.src);

	f->peer.hup |= (events & (EPOLLHUP | EPOLLERR)) != 0;
	relay_run(f);
}

void forward_add_take(struct forward_set *set, const struct forward_ends *ends)
{
	int on = 1;
	struct forward *f;

	if (set->n >= FORWARD_MAX) {
		forward_reset(ends->local);
		close(ends->peer);
		return;
	}
	f = mem_zalloc(sizeof(*f));
	f->set = set;
	f->host = ends->host;
	f->local = (struct side){ { .fn = on_local, .fd = -1 }, ends->local, false };
	f->peer = (struct side){ { .fn = on_peer, .fd = -1 }, ends->peer, false };
	f->out.max = OUT_MAX;
	f->got.max = IN_MAX;
	f->next = set->first;
	set->first = f;
	set->n++;
	/* what is passed on was written: it waited for more where it was written */
	if (setsockopt(f->local.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		on = 0; /* no TCP socket, or reset already, which a read will tell */
	if (ends->token)
		frame_add_stream_hello(&f->out, ends->token);
	relay_run(f);
}

void forwards_done(struct forward_set *set)
{
	set->on_end = NULL;
	while (set->first)
		relay_free(set->first);
}
