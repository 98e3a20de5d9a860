// SPDX-License-Identifier: Apache-2.0
/*
 * dns: see the header. Whatever happens to a relay, relay_run() moves bytes in both directions
 * until neither can, and settles what epoll is asked for; it frees the relay when it is over.
 *
 * Back-pressure: a side is read only while the buffer towards the other has room. Datagrams
 * are never waited for: what a local socket does not take at once is dropped, as a network does.
 *
 * Ends. Behind the end of the connection with the other side nothing can come: what is there
 * is delivered, and that is all. The end of a local TCP connection cannot be passed on alone,
 * for vsock devices have no half-close and may lose what was written before a close (msg.h); DNS
 * has its own lengths, so the other side knows when it has all and closes. DNS_LINGER_MS is
 * for one that does not.
 */
#include "proto/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "proto/frame.h"

#define FRAME_HEAD 2u
#define BUFFER_MAX (FRAME_HEAD + DNS_DATAGRAM_MAX)
_Static_assert(BUFFER_MAX + PROTO_HELLO_DNS <= PROTO_MAX_WRITE, "one packet");
/** Turns of a relay before the loop gets its own. */
#define ROUNDS 16

/** struct side - @src.fd is -1 while epoll is not asked for anything. */
struct side {
	struct loop_src src;
	int fd;
	struct buf out; /* waits to be written to it */
	bool connecting, eof;
};

struct dns_relay {
	struct dns_relay *next;
	struct dns_relays *set;
	int protocol;
	struct sockaddr_in client;
	struct side local, peer;
	bool local_spoke; /* something came from there */
	uint64_t active_ms;
};

static uint64_t now_ms(void)
{
	return loop_now_us() / 1000;
}

static bool is_udp(const struct dns_relay *r)
{
	return r->protocol == IPPROTO_UDP;
}

int dns_frame_next(const struct buf *b, size_t *ret_len)
{
	struct cursor c = cursor_of(buf_ptr(b), buf_len(b));
	size_t len = (size_t)cursor_u8(&c) << 8;

	len |= cursor_u8(&c);
	if (c.bad)
		return 0;
	if (len == 0 || len > DNS_DATAGRAM_MAX)
		return -EPROTO;
	if (!cursor_bytes(&c, len))
		return 0;
	*ret_len = len;
	return 1;
}

/* --- life */

static void side_done(struct side *s)
{
	loop_del(&s->src);
	fd_drop(&s->fd);
	buf_done(&s->out);
}

static void relay_free(struct dns_relay *r)
{
	struct dns_relays *set = r->set;

	for (struct dns_relay **at = &set->first; *at; at = &(*at)->next) {
		if (*at != r)
			continue;
		*at = r->next;
		set->n--;
		break;
	}
	side_done(&r->local);
	side_done(&r->peer);
	free(r);
}

static uint64_t deadline(const struct dns_relay *r)
{
	uint64_t idle = is_udp(r) ? DNS_UDP_IDLE_MS : DNS_TCP_IDLE_MS;

	return r->active_ms + (r->local.eof || r->peer.eof ? DNS_LINGER_MS : idle);
}

/* For the next that will have been idle too long. Without a timer they would live for ever. */
static void arm(struct dns_relays *set)
{
	uint64_t first = 0, now = now_ms();

	for (const struct dns_relay *r = set->first; r; r = r->next)
		if (!first || deadline(r) < first)
			first = deadline(r);
	if (first)
		first = first > now ? first - now : 1;
	if (loop_timer_set(set->timer.fd, first) < 0)
		while (set->first)
			relay_free(set->first);
}

static void on_timer(struct loop_src *src, uint32_t events)
{
	struct dns_relays *set = CONTAINER_OF(src, struct dns_relays, timer);
	uint64_t now = now_ms();
	struct dns_relay *next;

	(void)events;
	loop_timer_ack(src->fd);
	for (struct dns_relay *r = set->first; r; r = next) {
		next = r->next;
		if (deadline(r) <= now)
			relay_free(r);
	}
	arm(set);
}

/* The relay that nothing has come through for the longest time; of equals the oldest. */
static struct dns_relay *least_active(const struct dns_relays *set)
{
	struct dns_relay *found = set->first;

	for (struct dns_relay *r = found; r; r = r->next)
		if (r->active_ms <= found->active_ms)
			found = r;
	return found;
}

/* --- moving bytes: each returns what was moved, 0 for nothing now, -errno for the end */

static ssize_t io_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t read_bytes(struct side *from, struct buf *to, size_t room)
{
	unsigned char *p = room ? buf_reserve(to, room) : NULL;
	ssize_t n;

	if (!p)
		return 0;
	n = read(from->fd, p, room);
	if (n == 0)
		from->eof = true;
	n = io_result(n);
	if (n > 0)
		buf_commit(to, (size_t)n);
	return n;
}

static void add_frame(struct buf *to, const void *data, size_t len)
{
	const unsigned char head[FRAME_HEAD] = { (unsigned char)(len >> 8),
						 (unsigned char)len };

	if (len == 0 || len > DNS_DATAGRAM_MAX ||
	    buf_len(to) + sizeof(head) + len > to->max)
		return;
	buf_add(to, head, sizeof(head));
	buf_add(to, data, len);
}

static ssize_t read_datagram(struct side *from, struct buf *to)
{
	unsigned char data[DNS_DATAGRAM_MAX];
	ssize_t n = recv(from->fd, data, sizeof(data), MSG_TRUNC);

	if (n > 0)
		add_frame(to, data, (size_t)n);
	return io_result(n);
}

static ssize_t write_bytes(struct side *to)
{
	ssize_t n = send(to->fd, buf_ptr(&to->out), buf_len(&to->out), MSG_NOSIGNAL);

	n = io_result(n);
	if (n > 0)
		buf_consume(&to->out, (size_t)n);
	return n;
}

/* Whole datagrams; those it does not take are lost. ECONNREFUSED: its other end is gone. */
static ssize_t write_datagrams(struct side *to)
{
	ssize_t sent = 0;
	size_t len;
	int whole;

	while ((whole = dns_frame_next(&to->out, &len)) > 0) {
		if (send(to->fd, buf_ptr(&to->out) + FRAME_HEAD, len, MSG_NOSIGNAL) < 0 &&
		    errno == ECONNREFUSED)
			return -ECONNREFUSED;
		buf_consume(&to->out, FRAME_HEAD + len);
		sent++;
	}
	return whole < 0 ? whole : sent;
}

static ssize_t from_local(struct dns_relay *r)
{
	struct side *s = &r->local;
	ssize_t n;

	if (s->connecting || s->eof || buf_len(&r->peer.out))
		return 0;
	n = is_udp(r) ? read_datagram(s, &r->peer.out)
		      : read_bytes(s, &r->peer.out, DNS_DATAGRAM_MAX);
	r->local_spoke |= n > 0;
	return n;
}

/* Of datagrams the rest of one is read that has come in part. */
static ssize_t from_peer(struct dns_relay *r)
{
	struct side *s = &r->peer;
	size_t waiting = buf_len(&r->local.out);

	if (s->connecting || s->eof || (waiting && !is_udp(r)))
		return 0;
	return read_bytes(s, &r->local.out, BUFFER_MAX - waiting);
}

static ssize_t to_local(struct dns_relay *r)
{
	struct side *s = &r->local;

	if (s->connecting || !buf_len(&s->out))
		return 0;
	return is_udp(r) ? write_datagrams(s) : write_bytes(s);
}

/* One that takes nothing any more may have said something before. */
static ssize_t to_peer(struct dns_relay *r)
{
	struct side *s = &r->peer;
	ssize_t n;

	if (s->connecting || !buf_len(&s->out))
		return 0;
	n = write_bytes(s);
	if (n < 0) {
		buf_consume(&s->out, buf_len(&s->out));
		r->local.eof = true;
	}
	return n < 0 ? 0 : n;
}

static bool is_over(const struct dns_relay *r)
{
	if (r->peer.eof)
		return is_udp(r) || !buf_len(&r->local.out);
	return r->local.eof && !r->local_spoke;
}

/* --- the loop */

/* A side of which nothing is wanted leaves epoll: EPOLLHUP cannot be masked and would spin. */
static int settle_side(struct dns_relay *r, struct side *s, uint32_t events)
{
	if (!events) {
		loop_del(&s->src);
		return 0;
	}
	if (s->src.fd >= 0)
		return loop_mod(&s->src, events);
	return loop_add(r->set->loop, &s->src, s->fd, events);
}

static int settle(struct dns_relay *r)
{
	bool in_local = !r->local.eof && !buf_len(&r->peer.out);
	bool in_peer = !r->peer.eof && (is_udp(r) || !buf_len(&r->local.out));
	bool out_local = !is_udp(r) && buf_len(&r->local.out);
	uint32_t local = (in_local ? EPOLLIN : 0u) | (out_local ? EPOLLOUT : 0u);
	uint32_t peer = (in_peer ? EPOLLIN : 0u) |
			(buf_len(&r->peer.out) ? EPOLLOUT : 0u);
	int code = settle_side(r, &r->local, r->local.connecting ? EPOLLOUT : local);

	return code < 0 ? code
			: settle_side(r, &r->peer, r->peer.connecting ? EPOLLOUT : peer);
}

/* False: it is over and was freed. */
static bool relay_run(struct dns_relay *r)
{
	ssize_t (*const moves[])(struct dns_relay *) = { from_local, to_peer, from_peer,
							 to_local };
	bool moved = true, over = false;

	for (int round = 0; moved && !over && round < ROUNDS; round++) {
		moved = false;
		for (size_t i = 0; i < ARRAY_SIZE(moves) && !over; i++) {
			ssize_t n = moves[i](r);

			moved |= n > 0;
			over = n < 0;
		}
		if (moved)
			r->active_ms = now_ms();
	}
	over = over || is_over(r) || settle(r) < 0;
	if (over)
		relay_free(r);
	return !over;
}

static void on_side(struct dns_relay *r, struct side *s, uint32_t events)
{
	struct dns_relays *set = r->set;

	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		s->connecting = false; /* what came of it the next call says */
	relay_run(r);
	arm(set);
}

static void on_local(struct loop_src *src, uint32_t events)
{
	struct dns_relay *r = CONTAINER_OF(src, struct dns_relay, local.src);

	on_side(r, &r->local, events);
}

static void on_peer(struct loop_src *src, uint32_t events)
{
	struct dns_relay *r = CONTAINER_OF(src, struct dns_relay, peer.src);

	on_side(r, &r->peer, events);
}

static struct side side_of(int fd, void (*fn)(struct loop_src *, uint32_t))
{
	return (struct side){
		.src = { .fn = fn, .fd = -1 },
		.fd = fd,
		.out = { .max = BUFFER_MAX + PROTO_HELLO_DNS },
	};
}

struct dns_relay *dns_relay_add_take(struct dns_relays *set, const struct dns_ends *ends)
{
	struct dns_relay *r;

	if (set->n >= DNS_MAX_RELAYS)
		relay_free(least_active(set));
	r = mem_zalloc(sizeof(*r));
	r->set = set;
	r->protocol = ends->protocol;
	r->client = ends->client;
	r->local = side_of(ends->local, on_local);
	r->peer = side_of(ends->peer, on_peer);
	r->peer.connecting = ends->connecting;
	/* a TCP socket that is connected is writable at once */
	r->local.connecting = !is_udp(r);
	r->active_ms = now_ms();
	r->next = set->first;
	set->first = r;
	set->n++;
	if (ends->say_hello)
		frame_add_dns_hello(&r->peer.out, (uint32_t)ends->protocol);
	if (!relay_run(r))
		r = NULL;
	arm(set);
	return set->first ? r : NULL;
}

struct dns_relay *dns_relay_find(const struct dns_relays *set,
				 const struct sockaddr_in *client)
{
	for (struct dns_relay *r = set->first; r; r = r->next)
		if (is_udp(r) && r->client.sin_port == client->sin_port &&
		    r->client.sin_addr.s_addr == client->sin_addr.s_addr)
			return r;
	return NULL;
}

void dns_relay_push(struct dns_relay *r, const void *data, size_t len)
{
	struct dns_relays *set = r->set;

	add_frame(&r->peer.out, data, len);
	relay_run(r);
	arm(set);
}

int dns_relays_init(struct dns_relays *set, struct loop *l)
{
	int fd = loop_timer(), r;

	*set = (struct dns_relays){ .loop = l, .timer = { .fn = on_timer, .fd = -1 } };
	if (fd < 0)
		return fd;
	r = loop_add(l, &set->timer, fd, EPOLLIN);
	if (r < 0)
		close(fd);
	return r;
}

void dns_relays_done(struct dns_relays *set)
{
	int fd = set->timer.fd;

	if (!set->loop)
		return;
	while (set->first)
		relay_free(set->first);
	loop_del(&set->timer);
	if (fd >= 0)
		close(fd);
	*set = (struct dns_relays){ .timer = { .fd = -1 } };
}
