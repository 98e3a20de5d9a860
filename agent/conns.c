// SPDX-License-Identifier: Apache-2.0
/*
 * conns: a connection is a pair of streams, like a passed socket; its other end waits in the backlog
 * of the socket on which the program listens. The agent has no copy of that one: when the program
 * has closed it, a connection is refused.
 */
#include "conns.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "container.h"

struct connection {
	struct connection *next;
	struct stream in, out;
};

static void remove_stream(struct process *p, const struct stream *s)
{
	struct stream **at = &p->all_streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

static void free_connection(struct process *p, struct connection **at)
{
	struct connection *c = *at;

	*at = c->next;
	stream_abort(&c->in);
	stream_abort(&c->out);
	remove_stream(p, &c->in);
	remove_stream(p, &c->out);
	free(c);
}

/* Both ends told, and the host has closed its side. */
void conns_sweep(struct process *p)
{
	struct connection **at = &p->connections;

	while (*at) {
		if (stream_is_closed(&(*at)->in) && stream_is_closed(&(*at)->out))
			free_connection(p, at);
		else
			at = &(*at)->next;
	}
}

static int open_connection(struct process *p, struct connection *c,
			   const struct req_connect *req, const int ends[2])
{
	struct guest *g = p->container->guest;
	int r = stream_open_take(&c->in, g->loop, &g->dial,
				 stream_connection_in(req->connection),
				 req_token_of(req->in), ends[0]);

	if (r < 0) {
		close(ends[1]);
		return r;
	}
	return stream_open_take(&c->out, g->loop, &g->dial,
				stream_connection_out(req->connection),
				req_token_of(req->out), ends[1]);
}

int conn_open(struct process *p, const struct req_connect *req, struct kata_err *err)
{
	struct connection *c;
	int ends[2], r;

	if (req->fd >= p->passed->fds.n)
		return err_set(err, -EINVAL, "process has no passed descriptor %u",
			       req->fd);
	r = passed_connect(&p->listeners[req->fd], ends);
	if (r < 0)
		return err_sys_code(err, r, "connect to descriptor %u",
				    STDERR_FILENO + 1 + req->fd);
	c = mem_zalloc(sizeof(*c));
	process_add_stream(p, &c->in);
	process_add_stream(p, &c->out);
	c->in.half = c->out.half = true;
	c->next = p->connections;
	p->connections = c;
	r = open_connection(p, c, req, ends);
	if (r == 0)
		return 0;
	free_connection(p, &p->connections);
	return err_sys_code(err, r, "connect to the host");
}

void conns_free(struct process *p)
{
	while (p->connections)
		free_connection(p, &p->connections);
}
