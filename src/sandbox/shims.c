/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shims: one kata-shim per guest process, over its own connection.
 *
 * A shim that goes away before it was told the exit takes its guest process
 * with it; one that goes away afterwards has drained the streams, and the
 * process is done with. The container is done with when its init has ended
 * and no shim is left.
 *
 * A copy of every stream stays here. When a shim is killed with bytes unread,
 * vhost-device-vsock 0.3 never tells the guest that the peer is gone (measured:
 * the guest's writer hangs for ever); it does when the connection is shut down
 * and read empty before it is closed. A killed shim cannot do that, we can.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox.h"

/** Time for a signal or a size to be taken by the agent, milliseconds. */
#define SIGNAL_DEADLINE_MS 30000

static void ask_guest(struct process *p, enum msg_type type, const char *body)
{
	const struct agent_call nobody = { 0 };
	struct sandbox *sb = p->ct->sb;

	if (sb->agent && agent_request(sb->agent, type, body, strlen(body),
				       SIGNAL_DEADLINE_MS, &nobody) < 0)
		log_debug("%s could not be sent to the guest", msg_type_name(type));
}

static void send_signal(struct process *p, uint32_t signal)
{
	char body[128];

	snprintf(body, sizeof(body),
		 "{\"container\":%u,\"process\":%u,\"signal\":%u,\"all\":false}",
		 p->ct->number, p->number, signal);
	ask_guest(p, MSG_SIGNAL, body);
}

/* Before there is a guest process a signal waits, as one does that is blocked: once. */
static void ask_signal(struct process *p, uint32_t signal)
{
	if (signal < 1 || signal > 64)
		return;
	if (p->built)
		send_signal(p, signal);
	else
		p->signals |= UINT64_C(1) << (signal - 1);
}

static void send_winsize(struct process *p)
{
	char body[128];

	snprintf(body, sizeof(body),
		 "{\"container\":%u,\"process\":%u,\"height\":%u,\"width\":%u}",
		 p->ct->number, p->number, p->height, p->width);
	ask_guest(p, MSG_WINSIZE, body);
}

/* The shim tells the size when it begins; the guest has a terminal to set it on once the
 * process is built: until then it is kept. */
static void ask_winsize(struct process *p, const struct ctl_msg *m)
{
	p->height = m->height;
	p->width = m->width;
	if (p->built)
		send_winsize(p);
}

void shim_built(struct process *p)
{
	p->built = true;
	if (p->height && p->width)
		send_winsize(p);
	for (uint32_t n = 1; n <= 64; n++)
		if (p->signals & (UINT64_C(1) << (n - 1)))
			send_signal(p, n);
	p->signals = 0;
}

static void ask_stdin_end(struct process *p, const struct ctl_msg *m)
{
	char body[128];

	snprintf(body, sizeof(body),
		 "{\"container\":%u,\"process\":%u,\"stream\":%u,\"bytes\":%llu}",
		 p->ct->number, p->number, m->number, (unsigned long long)m->bytes);
	ask_guest(p, MSG_STDIN_END, body);
}

static void hang_up(struct process *p)
{
	int fd = p->shim.fd;

	if (fd < 0)
		return;
	loop_del(&p->shim);
	p->shim.fd = -1;
	close(fd);
}

/* Shut down, read what had come already, close. Nothing can come after the shutdown: no wait. */
void shim_drop_stream(int *fd)
{
	char discard[4096];

	if (*fd < 0)
		return;
	if (shutdown(*fd, SHUT_RDWR) == 0)
		while (recv(*fd, discard, sizeof(discard), MSG_DONTWAIT) > 0)
			;
	close(*fd);
	*fd = -1;
}

static void drop_streams(struct process *p)
{
	for (unsigned s = 0; s < STREAM_MAX; s++)
		shim_drop_stream(&p->stream[s]);
	conns_drop(p);
}

/* Done with: the guest process has ended and nobody drains its streams any more. */
static void process_done(struct process *p)
{
	struct container *ct = p->ct;

	process_free(p);
	if (ct->state == CT_EXITED && !ct->processes)
		container_remove(ct);
}

static void lost_while_built(struct process *p, const char *why)
{
	struct kata_err err = { 0 };

	err_set(&err, -ECHILD, "kata-shim: %s",
		why ? why : "ended while the container was made");
	caller_answer_serial(p->ct->sb, p->creator, &err);
	container_remove(p->ct);
}

void shim_dismiss(struct process *p)
{
	p->creator = 0;
	hang_up(p);
	drop_streams(p);
	ask_signal(p, SIGKILL);
}

void shim_kill(struct process *p)
{
	ask_signal(p, SIGKILL);
}

/* @why: what it said of it, if anything. */
static void shim_gone(struct process *p, const char *why)
{
	hang_up(p);
	if (p->exited) {
		process_done(p);
	} else if (p->number == 0 && !p->built) {
		lost_while_built(p, why);
	} else {
		drop_streams(p);
		ask_signal(p, SIGKILL);
	}
}

static void on_shim(struct loop_src *src, uint32_t events)
{
	struct process *p = CONTAINER_OF(src, struct process, shim);
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n_fds = 0;
	int r = ctl_recv(src->fd, &m, fds, &n_fds);

	(void)events;
	while (n_fds > 0)
		close(fds[--n_fds]);
	if (r == -EAGAIN)
		return;
	if (r <= 0)
		shim_gone(p, NULL);
	else if (m.type == CTL_FAILED)
		shim_gone(p, m.text);
	else if (m.type == CTL_SIGNAL)
		ask_signal(p, m.number);
	else if (m.type == CTL_WINSIZE)
		ask_winsize(p, &m);
	else if (m.type == CTL_STDIN_END)
		ask_stdin_end(p, &m);
	else if (m.type == CTL_CONNECT)
		conn_begin(p, m.number, m.bytes);
	else if (m.type == CTL_DISCONNECT)
		conn_end(p, m.number);
	else
		shim_gone(p, NULL);
}

struct process *process_new_take(struct container *ct, uint32_t number, int shim_fd)
{
	struct process *p = mem_zalloc(sizeof(*p));

	p->ct = ct;
	p->number = number;
	p->shim = (struct loop_src){ .fn = on_shim, .fd = -1 };
	for (unsigned s = 0; s < STREAM_MAX; s++)
		p->stream[s] = -1;
	p->next = ct->processes;
	ct->processes = p;
	/* a shim that cannot be listened to is treated as one that left */
	if (fcntl(shim_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    loop_add(ct->sb->loop, &p->shim, shim_fd, EPOLLIN) < 0) {
		log_debug("kata-shim's connection cannot be watched");
		close(shim_fd);
	}
	return p;
}

void process_free(struct process *p)
{
	struct container *ct = p->ct;

	for (struct process **at = &ct->processes; *at; at = &(*at)->next) {
		if (*at != p)
			continue;
		*at = p->next;
		break;
	}
	if (ct->sb->agent)
		agent_forget(ct->sb->agent, ct->number, p->number);
	drop_streams(p);
	hang_up(p);
	passed_unshare(p);
	passed_free(p->passed);
	free(p);
}

int shim_streams(struct process *p, struct guest_streams *st)
{
	for (unsigned s = 0; s < STREAM_KINDS; s++) {
		struct agent_stream want = { p->ct->number, p->number, s };

		if ((s == STREAM_TTY) != st->terminal || (p->flags & CTL_F_NULL(s)))
			continue;
		st->token[s] = agent_expect(p->ct->sb->agent, &want);
		if (!st->token[s])
			return -EMFILE;
	}
	return passed_streams(p, st);
}

/*
 * Few and small messages: a shim that does not take them has stopped working. It would wait for the lost
 * one for ever; hung up, it ends as if we had died.
 */
static void send_to_shim(struct process *p, struct ctl_msg *m, const int *fds,
			 size_t n_fds)
{
	int r;

	if (p->shim.fd < 0)
		return;
	r = ctl_send(p->shim.fd, m, fds, n_fds);
	if (r >= 0)
		return;
	log_debug("kata-shim of %s: %s", p->ct->id, err_text(-r));
	hang_up(p);
	if (!p->exited)
		ask_signal(p, SIGKILL);
}

static void give_stream(struct process *p, unsigned stream)
{
	struct ctl_msg m = { .type = CTL_STREAM, .number = stream };

	if (p->shim.fd >= 0)
		send_to_shim(p, &m, &p->stream[stream], 1);
	else
		shim_drop_stream(&p->stream[stream]);
}

/*
 * A container that is created and not started reads nothing yet: what would be taken from its stdin
 * is still its creator's. (ctr, that comes to the end of it before it knows its task, never closes it.)
 */
void shim_give_stream_take(struct process *p, unsigned stream, int fd)
{
	if (stream >= STREAM_MAX) {
		struct ctl_msg m = { .type = CTL_STREAM, .number = stream };

		send_to_shim(p, &m, &fd, 1);
		conn_keep_take(p, stream, fd);
		return;
	}
	shim_drop_stream(&p->stream[stream]);
	p->stream[stream] = fd;
	if (p->number != 0 || p->started)
		give_stream(p, stream);
}

void shim_started(struct process *p)
{
	if (p->started)
		return;
	p->started = true;
	for (unsigned s = 0; s < STREAM_MAX; s++)
		if (p->stream[s] >= 0)
			give_stream(p, s);
}

void shim_tell(struct process *p, struct ctl_msg *m)
{
	send_to_shim(p, m, NULL, 0);
	if (p->exited && p->shim.fd < 0)
		process_done(p);
}
