// SPDX-License-Identifier: Apache-2.0
/*
 * forward: for each request an attempt: a connection to the port on loopback, then one to the host; when
 * both stand a relay (proto/forward) joins them and the request is answered.
 *
 * Who is to be reached through 127.0.0.1 may listen at ::1 only. Engines that have "localhost" try the
 * second when the first refuses, which they cannot see here: their connection stands before
 * the guest is asked. So that is done for them.
 */
#include "forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "proto/forward.h"

struct forwards {
	struct guest *guest;
	struct forward_set set;
	unsigned attempts;
};

/** struct attempt - @fd: to the port; @peer: to the host, -1 = not yet. @src: whichever is under way */
struct attempt {
	struct forwards *all;
	struct loop_src src;
	struct rpc_call call;
	uint64_t token;
	in_port_t port;
	bool ipv6;
	int fd, peer;
};

static int start_connect(in_port_t port, bool ipv6)
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
					.sin_port = port,
					.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
					  .sin6_port = port,
					  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int family = ipv6 ? AF_INET6 : AF_INET;
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = ipv6 ? connect(fd, (const struct sockaddr *)&in6, sizeof(in6))
		 : connect(fd, (const struct sockaddr *)&in, sizeof(in));
	if (r < 0 && errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

static void attempt_free(struct attempt *a)
{
	loop_del(&a->src);
	fd_drop(&a->fd);
	fd_drop(&a->peer);
	a->all->attempts--;
	free(a);
}

static void fail(struct attempt *a, int code)
{
	rpc_answer(a->all->guest, &a->call, MSG_FAILED, -code, err_text(-code));
	attempt_free(a);
}

static void succeed(struct attempt *a)
{
	const struct forward_ends ends = {
		.local = TAKE_FD(a->fd),
		.peer = TAKE_FD(a->peer),
		.token = a->token,
	};
	struct forward_set *set = &a->all->set;

	loop_del(&a->src);
	rpc_answer(a->all->guest, &a->call, MSG_OK, 0, NULL);
	attempt_free(a);
	forward_add_take(set, &ends);
}

static int watch(struct attempt *a, int fd)
{
	loop_del(&a->src);
	return loop_add(a->all->guest->loop, &a->src, fd, EPOLLOUT);
}

static int next_connect(struct attempt *a)
{
	loop_del(&a->src);
	fd_drop(&a->fd);
	a->fd = start_connect(a->port, a->ipv6);
	return a->fd < 0 ? a->fd : watch(a, a->fd);
}

static void connected(struct attempt *a, int code)
{
	bool connecting = false;

	if (code == -ECONNREFUSED && !a->ipv6) {
		a->ipv6 = true;
		/* without IPv6 the first answer is the true one */
		if (next_connect(a) < 0)
			fail(a, code);
		return;
	}
	if (code == 0)
		code = a->peer = dial_stream(&a->all->guest->dial, &connecting);
	if (code >= 0)
		code = connecting ? watch(a, a->peer) : 0;
	if (code < 0)
		fail(a, code);
	else if (!connecting)
		succeed(a);
}

static void on_ready(struct loop_src *src, uint32_t events)
{
	struct attempt *a = CONTAINER_OF(src, struct attempt, src);
	socklen_t len = sizeof(int);
	int code = 0;

	(void)events;
	if (getsockopt(src->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (a->peer < 0)
		connected(a, -code);
	else if (code)
		fail(a, -code);
	else
		succeed(a);
}

static struct forwards *forwards_of(struct guest *g)
{
	if (!g->forwards) {
		g->forwards = mem_zalloc(sizeof(*g->forwards));
		g->forwards->guest = g;
		g->forwards->set.loop = g->loop;
	}
	return g->forwards;
}

int forward_request(struct guest *g, const struct req_forward *req, struct rpc_call *call,
		    struct kata_err *err)
{
	struct forwards *all = forwards_of(g);
	uint64_t token = req_token_of(req->token);
	struct attempt *a;
	int r;

	if (!token)
		return err_set(err, -EINVAL, "forward: no token");
	if (all->attempts + all->set.n >= FORWARD_MAX)
		return err_set(err, -EMFILE, "forward: too many connections");
	a = mem_zalloc(sizeof(*a));
	a->all = all;
	a->src = (struct loop_src){ .fn = on_ready, .fd = -1 };
	a->call = *call;
	a->token = token;
	a->port = htons((uint16_t)req->port);
	a->ipv6 = req->ipv6;
	a->fd = a->peer = -1;
	all->attempts++;
	r = next_connect(a);
	if (r == 0)
		return 0;
	attempt_free(a);
	return err_sys_code(err, r, "forward: connect to port %u", req->port);
}
