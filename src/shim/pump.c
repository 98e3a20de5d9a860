// SPDX-License-Identifier: Apache-2.0
/*
 * pump: two states, waiting for the source and waiting for the far end. Only
 * the descriptor that is waited for is in the loop: epoll reports EPOLLHUP
 * unasked, and a pipe whose writer has gone while the far end is full would
 * keep the process spinning.
 *
 * read() and write() rather than splice(): the far side is a guest at a few
 * hundred MB/s, AF_VSOCK has no splice of its own, and counting stays simple.
 */
#include "pump.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/mem.h"

#define PUMP_CHUNK ((size_t)64 << 10)
/* Chunks moved in one go before other sources get their turn. */
#define PUMP_ROUNDS 16

#define PEER_GONE (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

static void release_chunk(struct pump *p)
{
	free(TAKE_PTR(p->data));
}

static void pump_stop(struct pump *p, enum pump_stop why, int code)
{
	loop_del(&p->from_src);
	loop_del(&p->to_src);
	release_chunk(p);
	p->len = 0;
	p->running = false;
	p->on_stop(p, why, code);
}

static int watch(struct pump *p, struct loop_src *src, const struct end *e,
		 uint32_t events)
{
	if (!events) {
		loop_del(src);
		return 0;
	}
	if (src->fd < 0)
		return loop_add(p->loop, src, e->fd, events);
	return loop_mod(src, events);
}

static void wait_for(struct pump *p, uint32_t from_events, uint32_t to_events)
{
	int rc = watch(p, &p->from_src, &p->from, from_events);

	if (p->heed_peer)
		to_events |= EPOLLRDHUP;
	if (rc >= 0)
		rc = watch(p, &p->to_src, &p->to, to_events);
	if (rc < 0)
		pump_stop(p, PUMP_BROKEN, rc);
}

/* Return: bytes got, 0 at the source's end, -EAGAIN, -errno. */
static ssize_t fill(struct pump *p)
{
	size_t want = PUMP_CHUNK;
	ssize_t n;

	if (p->limit - p->taken < want)
		want = (size_t)(p->limit - p->taken);
	if (!p->data)
		p->data = mem_alloc(PUMP_CHUNK);
	n = end_read(&p->from, p->data, want);
	if (n > 0) {
		p->taken += (uint64_t)n;
		p->off = 0;
		p->len = (size_t)n;
	}
	return n;
}

/* Return: 0 when nothing waits any more, -EAGAIN, -errno. */
static int flush(struct pump *p)
{
	while (p->len && !p->discard) {
		ssize_t n = end_write(&p->to, p->data + p->off, p->len);

		if (n < 0)
			return (int)n;
		p->off += (size_t)n;
		p->len -= (size_t)n;
	}
	p->len = 0;
	return 0;
}

/* Return: true while there may be more to do at once. */
static bool pump_round(struct pump *p)
{
	ssize_t n;

	if (!p->len) {
		if (p->taken >= p->limit) {
			pump_stop(p, PUMP_LIMIT, 0);
			return false;
		}
		n = fill(p);
		if (n == -EAGAIN && !p->drain) {
			release_chunk(p);
			wait_for(p, EPOLLIN, 0);
			return false;
		}
		if (n <= 0) {
			pump_stop(p, PUMP_END, n == -EAGAIN ? 0 : (int)n);
			return false;
		}
	}
	n = flush(p);
	if (n == -EAGAIN)
		wait_for(p, 0, EPOLLOUT);
	else if (n < 0)
		pump_stop(p, PUMP_BROKEN, (int)n);
	return n == 0;
}

static void pump_run(struct pump *p)
{
	for (int i = 0; i < PUMP_ROUNDS; i++) {
		if (!pump_round(p))
			return;
	}
	/* The loop is level-triggered: a source with nothing in it comes back here when it has. In
	 * a drain that would be never, so the far end is waited for, which is ready now. */
	if (p->drain)
		wait_for(p, 0, EPOLLOUT);
	else
		wait_for(p, EPOLLIN, 0);
}

static void on_from(struct loop_src *src, uint32_t events)
{
	(void)events;
	pump_run(CONTAINER_OF(src, struct pump, from_src));
}

static void on_to(struct loop_src *src, uint32_t events)
{
	struct pump *p = CONTAINER_OF(src, struct pump, to_src);

	if (p->heed_peer && (events & PEER_GONE))
		pump_stop(p, PUMP_BROKEN, -EPIPE);
	else
		pump_run(p);
}

void pump_init(struct pump *p, struct loop *l,
	       void (*on_stop)(struct pump *p, enum pump_stop why, int code))
{
	*p = (struct pump){
		.from = END_INIT,
		.to = END_INIT,
		.loop = l,
		.from_src = { .fn = on_from, .fd = -1 },
		.to_src = { .fn = on_to, .fd = -1 },
		.limit = UINT64_MAX,
		.on_stop = on_stop,
	};
}

void pump_start(struct pump *p)
{
	p->running = true;
	pump_run(p);
}

void pump_set_limit(struct pump *p, uint64_t total)
{
	p->limit = total < p->taken ? p->taken : total;
	if (p->running && !p->len)
		pump_run(p);
}

void pump_drain(struct pump *p)
{
	p->drain = true;
	if (p->running && !p->len)
		pump_run(p);
}

void pump_discard(struct pump *p)
{
	p->discard = true;
	pump_start(p);
}

void pump_done(struct pump *p)
{
	loop_del(&p->from_src);
	loop_del(&p->to_src);
	release_chunk(p);
	p->len = 0;
	p->running = false;
	end_done(&p->from);
	end_done(&p->to);
}
