/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callers: connections of kata-runtime. One connection, one request, one answer; what the requests
 * mean is in requests.c. A connection that asked for events stays after its answer.
 *
 * A caller that leaves before its answer cannot learn of what it had made: that is undone.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox.h"

/* --- answering --------------------------------------------------------------------------- */

static void caller_free(struct caller *c)
{
	for (struct caller **at = &c->sb->callers; *at; at = &(*at)->next) {
		if (*at != c)
			continue;
		*at = c->next;
		break;
	}
	if (c->src.fd >= 0) {
		int fd = c->src.fd;

		loop_del(&c->src);
		close(fd);
	}
	free(c);
}

static void say(struct caller *c, struct ctl_msg *m, int fd)
{
	if (c->src.fd >= 0 && ctl_send(c->src.fd, m, &fd, fd >= 0 ? 1 : 0) < 0)
		log_debug("a caller did not wait for its answer");
}

void caller_answer(struct caller *c, const struct kata_err *err)
{
	struct ctl_msg m = { .type = CTL_REPLY };

	if (err) {
		m.code = err->code < 0 ? err->code : -EIO;
		m.status = (uint32_t)err->status;
		snprintf(m.text, sizeof(m.text), "%s", err->msg);
	}
	say(c, &m, -1);
	caller_free(c);
}

void caller_answer_with(struct caller *c, uint32_t number, int fd)
{
	struct ctl_msg m = { .type = CTL_REPLY, .number = number };

	say(c, &m, fd);
	caller_free(c);
}

struct caller *caller_by_serial(const struct sandbox *sb, uint64_t serial)
{
	for (struct caller *c = sb->callers; c; c = c->next)
		if (c->serial == serial)
			return c->waits ? c : NULL;
	return NULL;
}

void caller_answer_serial(const struct sandbox *sb, uint64_t serial,
			  const struct kata_err *err)
{
	struct caller *c = caller_by_serial(sb, serial);

	if (c)
		caller_answer(c, err);
}

void caller_subscribe(struct caller *c, const struct container *ct)
{
	struct ctl_msg m = { .type = CTL_REPLY };

	c->waits = false;
	c->listens = true;
	c->container = ct->number;
	say(c, &m, -1);
}

void callers_tell_oom(const struct container *ct)
{
	struct ctl_msg m = { .type = CTL_OOM };

	for (struct caller *c = ct->sb->callers; c; c = c->next)
		if (c->listens && c->container == ct->number)
			say(c, &m, -1);
}

void callers_hang_up(const struct container *ct)
{
	struct caller *next;

	for (struct caller *c = ct->sb->callers; c; c = next) {
		next = c->next;
		if (c->listens && c->container == ct->number)
			caller_free(c);
	}
}

void callers_free(struct sandbox *sb, const struct kata_err *why)
{
	while (sb->callers) {
		if (sb->callers->waits && why->code)
			caller_answer(sb->callers, why);
		else
			caller_free(sb->callers);
	}
}

/* --- connections ------------------------------------------------------------------------- */

static void caller_gone(struct caller *c)
{
	struct container *ct = container_by_number(c->sb, c->container);
	struct process *p = ct ? container_process(ct, c->process) : NULL;

	if (p && p->creator == c->serial && p->number == 0) {
		p->creator = 0;
		caller_free(c);
		container_remove(ct);
		return;
	}
	if (p && p->creator == c->serial)
		shim_dismiss(p);
	caller_free(c);
}

static void on_caller(struct loop_src *src, uint32_t events)
{
	struct caller *c = CONTAINER_OF(src, struct caller, src);
	struct sandbox *sb = c->sb;
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n = 0;
	int r;

	(void)events;
	r = ctl_recv(src->fd, &m, fds, &n);
	if (r == -EAGAIN)
		return;
	if (r <= 0 || c->waits || c->listens)
		caller_gone(c);
	else
		request_handle(c, &m, fds, n);
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	/* the first request is what the sandbox was made for */
	if (sb->state == SB_EMPTY)
		sandbox_event(sb, EV_LAST_GONE, NULL, NULL);
}

int caller_add_take(struct sandbox *sb, int fd)
{
	struct caller *c = mem_zalloc(sizeof(*c));
	int r;

	c->sb = sb;
	c->src = (struct loop_src){ .fn = on_caller, .fd = -1 };
	r = loop_add(sb->loop, &c->src, fd, EPOLLIN | EPOLLRDHUP);
	if (r < 0) {
		close(fd);
		free(c);
		return r;
	}
	c->serial = ++sb->last_caller;
	c->next = sb->callers;
	sb->callers = c;
	return 0;
}

static void on_ctl_listen(struct loop_src *src, uint32_t events)
{
	struct sandbox *sb = CONTAINER_OF(src, struct sandbox, ctl_listen);
	int fd = sock_accept(src->fd);

	(void)events;
	if (fd >= 0 && caller_add_take(sb, fd) < 0)
		log_debug("a caller could not be taken on");
}

int callers_listen(struct sandbox *sb, struct kata_err *err)
{
	int fd = sock_listen_at(sb->dirfd, "ctl", SOCK_SEQPACKET | SOCK_NONBLOCK);
	int r;

	if (fd < 0)
		return err_sys_code(err, fd, "listen at the control socket");
	sb->ctl_listen.fn = on_ctl_listen;
	r = loop_add(sb->loop, &sb->ctl_listen, fd, EPOLLIN);
	if (r < 0) {
		close(fd);
		return err_sys_code(err, r, "listen at the control socket");
	}
	return 0;
}
