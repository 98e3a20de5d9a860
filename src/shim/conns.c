// SPDX-License-Identifier: Apache-2.0
/*
 * conns: connections to passed listeners. Each is accepted here, an input and an output like a passed
 * socket's, and asked for in the guest, where the program has a listening socket of its own. It is over
 * when the output is done and the guest has taken all of the input; then kata-sandbox hears of it,
 * which keeps copies of the streams.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "proto/msg.h"
#include "shim.h"

static void watch(struct shim_listener *l, bool on)
{
	if (!on)
		loop_del(&l->src);
	else if (l->src.fd < 0 && loop_add(l->shim->loop, &l->src, l->fd, EPOLLIN) < 0)
		log_debug("listener %u cannot be watched", l->index);
}

static void watch_all(struct shim *s)
{
	for (struct shim_listener *l = s->listeners; l; l = l->next)
		watch(l, s->accepts && !s->ended && s->n_conns < SHIM_MAX_CONNS);
}

static void tell(struct shim *s, uint16_t type, uint32_t number, uint64_t bytes)
{
	link_tell(&s->link, &(struct link_news){ type, number, bytes });
}

static void begin(struct shim_listener *l, int fd)
{
	struct end from = end_socket_take(fcntl(fd, F_DUPFD_CLOEXEC, 3));
	struct end to = end_socket_take(fd);
	struct shim *s = l->shim;
	struct shim_conn *c;

	if (from.fd < 0) {
		end_done(&to);
		return;
	}
	c = mem_zalloc(sizeof(*c));
	c->number = ++s->last_conn;
	c->in = shim_add_input(s, stream_connection_in(c->number), &from, true);
	c->out = shim_add_output(s, stream_connection_out(c->number), &to, true);
	c->in->conn = c->out->conn = c;
	s->n_conns++;
	tell(s, CTL_CONNECT, l->index, c->number);
}

/* The socket is the caller's, too, and may be a blocking one: asked first, and once per event. */
static void on_listener(struct loop_src *src, uint32_t events)
{
	struct shim_listener *l = CONTAINER_OF(src, struct shim_listener, src);
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int fd;

	(void)events;
	if (l->shim->ended)
		watch(l, false);
	if (l->shim->ended || poll(&p, 1, 0) != 1)
		return;
	fd = sock_accept(l->fd);
	if (fd >= 0)
		begin(l, fd);
	else if (fd != -EAGAIN)
		log_debug("listener %u: %s", l->index, err_text(-fd));
	watch_all(l->shim);
}

void conns_listen(struct shim *s, unsigned index, int fd)
{
	struct shim_listener *l = mem_zalloc(sizeof(*l));

	l->src = (struct loop_src){ .fn = on_listener, .fd = -1 };
	l->shim = s;
	l->index = index;
	l->fd = fd;
	l->next = s->listeners;
	s->listeners = l;
}

void conns_begin(struct shim *s)
{
	if (s->accepts)
		return;
	s->accepts = true;
	watch_all(s);
}

static void forget(struct shim *s, struct shim_conn *c)
{
	struct shim_output **o = &s->outputs;
	struct shim_input **in = &s->inputs;

	while (*in != c->in)
		in = &(*in)->next;
	while (*o != c->out)
		o = &(*o)->next;
	*in = c->in->next;
	*o = c->out->next;
	loop_del(&c->in->gone);
	pump_done(&c->in->pump);
	pump_done(&c->out->pump);
	free(c->in);
	free(c->out);
	free(c);
	s->n_conns--;
}

void conn_settle(struct shim_conn *c)
{
	struct shim *s = c->in->shim;

	if (!c->in_done || !c->out->done)
		return;
	tell(s, CTL_DISCONNECT, c->number, 0);
	forget(s, c);
	watch_all(s);
}

void conn_refused(struct shim_conn *c)
{
	struct shim *s = c->in->shim;

	log_debug("connection %u: nobody listens in the guest", c->number);
	forget(s, c);
	watch_all(s);
}

static void on_gone(struct loop_src *src, uint32_t events)
{
	struct shim_input *in = CONTAINER_OF(src, struct shim_input, gone);

	(void)events;
	loop_del(src);
	in->conn->in_done = true;
	conn_settle(in->conn);
}

void conn_input_ended(struct shim_input *in, bool broken)
{
	in->gone = (struct loop_src){ .fn = on_gone, .fd = -1 };
	if (!broken &&
	    loop_add(in->shim->loop, &in->gone, in->pump.to.fd, EPOLLRDHUP) == 0)
		return;
	in->conn->in_done = true;
	conn_settle(in->conn);
}
