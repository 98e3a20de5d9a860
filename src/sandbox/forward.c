/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward: engines forward a port (kubectl port-forward) by connecting to localhost in the container's
 * network namespace. Here the server is in the guest. Whoever connects to 127.0.0.1 or ::1 of the
 * namespace comes to a listening socket of ours (net/lookup), whatever the port; the guest is asked to
 * connect to that port of its own loopback and opens a stream, and a relay (proto/forward) joins the
 * two. When it refuses, so do we: by a reset, for the connection stands already.
 *
 * A service of the host that listens in the namespace is reached as ever, but through us. That there may
 * be one is told by bind(); then a connection is made to it, from a port that is exempt from the
 * lookup, and two relays back to back do what elsewhere the guest does.
 *
 * At most FORWARD_MAX at once; more wait in the backlog.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "sandbox.h"

/** Time for the agent to connect, milliseconds. */
#define FORWARD_DEADLINE_MS 30000
#define BACKLOG 256
/** After a failure to accept, which for want of descriptors is the same the next moment. */
#define REST_MS 100

/**
 * struct arrival - a connection that has no relay yet. @fd: it.
 * @dial: to the namespace's own service, by @source; not in the loop = the guest has been asked
 */
struct arrival {
	struct arrival *next;
	struct sandbox *sb;
	uint32_t number;
	int fd, dialled;
	sa_family_t family;
	uint16_t port, source;
	struct loop_src dial;
};

struct address {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

static struct address loopback(sa_family_t family, uint16_t port)
{
	struct address a = { .len = sizeof(a.in) };

	if (family == AF_INET6) {
		a.len = sizeof(a.in6);
		a.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					       .sin6_port = htons(port),
					       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	} else {
		a.in = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	}
	return a;
}

static int own_address(int fd, sa_family_t *ret_family, uint16_t *ret_port)
{
	struct address a = { .len = sizeof(a.in6) };

	if (getsockname(fd, &a.sa, &a.len) < 0)
		return -errno;
	*ret_family = a.sa.sa_family;
	*ret_port = ntohs(a.sa.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
	return 0;
}

/* Bound to loopback, whether or not the interface is up. */
static int make_socket(sa_family_t family, uint16_t port)
{
	struct address a = loopback(family, port);
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, r;

	if (fd < 0)
		return -errno;
	r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0)
		r = family == AF_INET6
			    ? setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on))
			    : setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (r < 0 || bind(fd, &a.sa, a.len) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* With SO_REUSEADDR only what listens is in the way, or was bound without it. */
static bool is_taken(sa_family_t family, uint16_t port)
{
	int fd = make_socket(family, port);

	if (fd >= 0)
		close(fd);
	return fd == -EADDRINUSE;
}

enum forward_route forwarding_route(uint16_t port, const uint16_t own[LOOKUP_FAMILIES],
				    bool taken)
{
	for (int i = 0; i < LOOKUP_FAMILIES; i++)
		if (port == own[i])
			return ROUTE_GUEST;
	return taken ? ROUTE_NAMESPACE : ROUTE_GUEST;
}

/* --- how many ---------------------------------------------------------------------------- */

static bool is_full(const struct forwarding *f)
{
	return f->arrivals + f->set.n >= FORWARD_MAX;
}

static void listen_again(struct sandbox *sb)
{
	struct forwarding *f = &sb->forwarding;

	for (int i = 0; i < LOOKUP_FAMILIES && !is_full(f); i++)
		if (f->fd[i] >= 0 && f->listen[i].fd < 0 &&
		    loop_add(sb->loop, &f->listen[i], f->fd[i], EPOLLIN) < 0)
			log_warn("port-forward: connections are taken no longer");
}

static void listen_no_more(struct forwarding *f)
{
	for (int i = 0; i < LOOKUP_FAMILIES; i++)
		loop_del(&f->listen[i]);
}

static void on_relay_end(struct forward_set *set)
{
	listen_again(CONTAINER_OF(set, struct sandbox, forwarding.set));
}

static void on_rest(struct loop_src *src, uint32_t events)
{
	struct sandbox *sb = CONTAINER_OF(src, struct sandbox, forwarding.rest);

	(void)events;
	loop_timer_ack(src->fd);
	listen_again(sb);
}

/* --- arrivals ---------------------------------------------------------------------------- */

static struct arrival *find(const struct sandbox *sb, uint32_t number)
{
	struct arrival *a = sb->forwarding.first;

	while (a && a->number != number)
		a = a->next;
	return a;
}

static void end_dial(struct arrival *a)
{
	loop_del(&a->dial);
	fd_drop(&a->dialled);
	/* it is in the map unless the map is gone */
	if (a->source && lookup_exempt(&a->sb->forwarding.lookup, a->source, false) < 0)
		log_debug("port-forward: port %u stays exempt", a->source);
	a->source = 0;
}

/* Return: its descriptor, the caller's. */
static int dismiss(struct arrival *a)
{
	struct forwarding *f = &a->sb->forwarding;
	int fd = a->fd;

	for (struct arrival **at = &f->first; *at; at = &(*at)->next) {
		if (*at != a)
			continue;
		*at = a->next;
		f->arrivals--;
		break;
	}
	end_dial(a);
	if (a->sb->agent)
		agent_forget(a->sb->agent, 0, a->number);
	free(a);
	return fd;
}

static void refuse(struct arrival *a)
{
	struct sandbox *sb = a->sb;

	forward_reset(dismiss(a));
	listen_again(sb);
}

/* --- in the guest ------------------------------------------------------------------------ */

/* Named by its number: it may be gone when the answer comes. */
struct asked {
	struct sandbox *sb;
	uint32_t number;
};

static void on_answer(void *arg, int code, const struct msg_reply *m)
{
	const struct asked q = *(struct asked *)arg;
	struct arrival *a = find(q.sb, q.number);

	free(arg);
	if (!a || (m && m->code == MSG_OK))
		return;
	log_debug("port-forward: port %u: %s", a->port, m ? m->text : err_text(-code));
	refuse(a);
}

static int ask(struct arrival *a)
{
	const struct agent_stream s = { .process = a->number };
	struct agent *agent = a->sb->agent;
	uint64_t token = agent ? agent_expect(agent, &s) : 0;
	struct buf body = { 0 };
	struct asked *q;
	int r;

	if (!token)
		return -EMFILE;
	q = mem_zalloc(sizeof(*q));
	*q = (struct asked){ a->sb, a->number };
	buf_addf(&body, "{\"port\":%u,\"ipv6\":%s,\"token\":\"%llu\"}", a->port,
		 a->family == AF_INET6 ? "true" : "false", (unsigned long long)token);
	r = agent_request(agent, MSG_FORWARD, buf_ptr(&body), buf_len(&body),
			  FORWARD_DEADLINE_MS, &(struct agent_call){ on_answer, q });
	buf_done(&body);
	if (r < 0)
		free(q);
	return r;
}

static void ask_guest(struct arrival *a)
{
	if (ask(a) < 0)
		refuse(a);
}

void forwarding_stream_take(struct sandbox *sb, uint32_t number, int fd)
{
	struct arrival *a = find(sb, number);
	struct forward_ends ends = { .host = true, .peer = fd };

	if (!a) {
		shutdown(fd, SHUT_RDWR);
		close(fd);
		return;
	}
	ends.local = dismiss(a);
	forward_add_take(&sb->forwarding.set, &ends);
}

/* --- in the namespace -------------------------------------------------------------------- */

static void join(struct arrival *a)
{
	struct forward_set *set = &a->sb->forwarding.set;
	struct forward_ends here = { .host = true }, there = { .host = false };
	int pair[2];

	if (sock_pair(SOCK_STREAM | SOCK_NONBLOCK, pair) < 0) {
		refuse(a);
		return;
	}
	there.local = TAKE_FD(a->dialled);
	loop_del(&a->dial);
	here.local = dismiss(a);
	here.peer = pair[0];
	there.peer = pair[1];
	forward_add_take(set, &there);
	forward_add_take(set, &here);
}

static void on_dialled(struct loop_src *src, uint32_t events)
{
	struct arrival *a = CONTAINER_OF(src, struct arrival, dial);
	socklen_t len = sizeof(int);
	int code = 0;

	(void)events;
	if (getsockopt(src->fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 && code == 0) {
		join(a);
		return;
	}
	/* what had the port did not listen at it */
	end_dial(a);
	ask_guest(a);
}

static int dial(struct arrival *a)
{
	struct address to = loopback(a->family, a->port);
	int fd = make_socket(a->family, 0), r;
	sa_family_t family;
	uint16_t source;

	if (fd < 0)
		return fd;
	a->dialled = fd;
	r = own_address(fd, &family, &source);
	if (r == 0)
		r = lookup_exempt(&a->sb->forwarding.lookup, source, true);
	if (r < 0)
		return r;
	a->source = source;
	if (connect(fd, &to.sa, to.len) < 0 && errno != EINPROGRESS)
		return -errno;
	return loop_add(a->sb->loop, &a->dial, fd, EPOLLOUT);
}

/* --- listening --------------------------------------------------------------------------- */

static void arrive_take(struct sandbox *sb, int fd)
{
	struct forwarding *f = &sb->forwarding;
	struct arrival *a = mem_zalloc(sizeof(*a));

	a->sb = sb;
	a->number = ++f->last;
	a->fd = fd;
	a->dialled = -1;
	a->dial = (struct loop_src){ .fn = on_dialled, .fd = -1 };
	a->next = f->first;
	f->first = a;
	f->arrivals++;
	if (own_address(fd, &a->family, &a->port) < 0)
		refuse(a);
	else if (forwarding_route(a->port, f->port, is_taken(a->family, a->port)) ==
		 ROUTE_GUEST)
		ask_guest(a);
	else if (dial(a) < 0)
		refuse(a);
}

static void accept_from(struct sandbox *sb, int listener)
{
	struct forwarding *f = &sb->forwarding;

	while (!is_full(f)) {
		int fd = sock_accept(listener);

		if (fd >= 0) {
			arrive_take(sb, fd);
			continue;
		}
		if (fd == -EAGAIN || fd == -ECONNABORTED)
			return;
		log_debug("port-forward: accept: %s", err_text(-fd));
		listen_no_more(f);
		if (loop_timer_set(f->rest.fd, REST_MS) < 0)
			log_warn("port-forward: connections are taken no longer");
		return;
	}
	listen_no_more(f);
}

static void on_v4(struct loop_src *src, uint32_t events)
{
	(void)events;
	accept_from(CONTAINER_OF(src, struct sandbox, forwarding.listen[LOOKUP_V4]),
		    src->fd);
}

static void on_v6(struct loop_src *src, uint32_t events)
{
	(void)events;
	accept_from(CONTAINER_OF(src, struct sandbox, forwarding.listen[LOOKUP_V6]),
		    src->fd);
}

static int make_listener(struct forwarding *f, int i)
{
	sa_family_t family = i == LOOKUP_V6 ? AF_INET6 : AF_INET;
	int r;

	f->listen[i].fn = i == LOOKUP_V6 ? on_v6 : on_v4;
	f->fd[i] = make_socket(family, 0);
	if (f->fd[i] < 0)
		return f->fd[i];
	r = listen(f->fd[i], BACKLOG) < 0 ? -errno : 0;
	return r < 0 ? r : own_address(f->fd[i], &family, &f->port[i]);
}

static int up(struct sandbox *sb, struct kata_err *err)
{
	struct forwarding *f = &sb->forwarding;
	int timer = loop_timer(), r;

	f->set = (struct forward_set){ .loop = sb->loop, .on_end = on_relay_end };
	f->rest.fn = on_rest;
	r = timer < 0 ? timer : loop_add(sb->loop, &f->rest, timer, EPOLLIN);
	if (r < 0) {
		fd_drop(&timer);
		return err_sys_code(err, r, "make a timer");
	}
	r = make_listener(f, LOOKUP_V4);
	if (r < 0)
		return err_sys_code(err, r, "listen at 127.0.0.1");
	/* a host may be without IPv6 */
	if (make_listener(f, LOOKUP_V6) < 0)
		fd_drop(&f->fd[LOOKUP_V6]);
	r = lookup_attach(f->fd, &f->lookup, err);
	if (r == 0)
		listen_again(sb);
	return r;
}

void forwarding_up(struct sandbox *sb)
{
	struct kata_err err = { 0 };

	if (sb->agent_version < PROTO_VERSION_FORWARD) {
		log_debug("port-forward: the guest's agent is older and has it not");
		return;
	}
	if (up(sb, &err) < 0) {
		log_debug("port-forward is not to be had: %s", err.msg);
		forwarding_down(sb);
	}
}

void forwarding_down(struct sandbox *sb)
{
	struct forwarding *f = &sb->forwarding;
	int timer = f->rest.fd;

	forwards_done(&f->set);
	while (f->first)
		forward_reset(dismiss(f->first));
	lookup_detach(&f->lookup);
	listen_no_more(f);
	loop_del(&f->rest);
	fd_drop(&timer);
	for (int i = 0; i < LOOKUP_FAMILIES; i++)
		fd_drop(&f->fd[i]);
}
