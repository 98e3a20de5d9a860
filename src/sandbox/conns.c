/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conns: connections that a shim has accepted at a listening socket which its process got. The guest
 * is asked to connect to the process's own and opens two streams for that, as for a passed socket.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox.h"

/** Time for the agent to connect, milliseconds. */
#define CONNECT_DEADLINE_MS 30000
/** At once, of one process: what a shim has, and as many whose end is under way. */
#define CONNS_MAX 512

/** struct conn - @fd: copies of its streams (input, output), -1 = none. */
struct conn {
	struct conn *next;
	uint32_t number;
	int fd[2];
};

static void drop(struct conn **at)
{
	struct conn *c = *at;

	*at = c->next;
	shim_drop_stream(&c->fd[0]);
	shim_drop_stream(&c->fd[1]);
	free(c);
}

static struct conn **find(struct process *p, uint32_t number)
{
	struct conn **at = &p->conns;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

void conns_drop(struct process *p)
{
	while (p->conns)
		drop(&p->conns);
}

void conn_end(struct process *p, uint32_t number)
{
	struct conn **at = find(p, number);

	if (*at)
		drop(at);
}

void conn_keep_take(struct process *p, unsigned stream, int fd)
{
	struct conn *c = *find(p, (stream - STREAM_CONNECTIONS) / 2);

	if (c)
		c->fd[!stream_is_input(stream)] = fd;
	else
		shim_drop_stream(&fd);
}

/* Named by numbers: all of them may be gone when the answer comes. */
struct asked {
	struct sandbox *sb;
	uint32_t container, process, number;
};

static void refuse(struct process *p, uint32_t number)
{
	struct ctl_msg m = { .type = CTL_STREAM_END,
			     .number = stream_connection_in(number) };

	conn_end(p, number);
	if (p->shim.fd >= 0)
		shim_tell(p, &m);
}

static void on_answer(void *arg, int code, const struct msg_reply *m)
{
	const struct asked a = *(struct asked *)arg;
	struct container *ct = container_by_number(a.sb, a.container);
	struct process *p = ct ? container_process(ct, a.process) : NULL;

	free(arg);
	if (!p || (m && m->code == MSG_OK))
		return;
	log_debug("connection %u of container %u: %s", a.number, a.container,
		  m ? m->text : err_text(-code));
	refuse(p, a.number);
}

static int ask(struct process *p, uint32_t i, uint32_t number)
{
	const struct agent_stream in = { p->ct->number, p->number,
					 stream_connection_in(number) };
	const struct agent_stream out = { p->ct->number, p->number,
					  stream_connection_out(number) };
	struct agent *agent = p->ct->sb->agent;
	uint64_t in_token = agent ? agent_expect(agent, &in) : 0;
	uint64_t out_token = in_token ? agent_expect(agent, &out) : 0;
	struct buf body = { 0 };
	struct asked *a;
	int r;

	if (!out_token)
		return -EMFILE;
	a = mem_zalloc(sizeof(*a));
	*a = (struct asked){ p->ct->sb, p->ct->number, p->number, number };
	buf_addf(&body,
		 "{\"container\":%u,\"process\":%u,\"fd\":%u,\"connection\":%u,"
		 "\"in\":\"%llu\",\"out\":\"%llu\"}",
		 p->ct->number, p->number, i, number, (unsigned long long)in_token,
		 (unsigned long long)out_token);
	r = agent_request(agent, MSG_CONNECT, buf_ptr(&body), buf_len(&body),
			  CONNECT_DEADLINE_MS, &(struct agent_call){ on_answer, a });
	buf_done(&body);
	if (r < 0)
		free(a);
	return r;
}

void conn_begin(struct process *p, uint32_t i, uint64_t number)
{
	unsigned n = 0;
	struct conn *c;

	for (c = p->conns; c; c = c->next)
		n++;
	if (number > UINT32_MAX / 4 || n >= CONNS_MAX || !passed_is_listener(p, i) ||
	    *find(p, (uint32_t)number)) {
		refuse(p, (uint32_t)number);
		return;
	}
	c = mem_zalloc(sizeof(*c));
	c->number = (uint32_t)number;
	c->fd[0] = c->fd[1] = -1;
	c->next = p->conns;
	p->conns = c;
	if (ask(p, i, c->number) < 0)
		refuse(p, (uint32_t)number);
}
