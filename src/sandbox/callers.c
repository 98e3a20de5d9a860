/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callers: kata-runtime's requests. One connection, one request, one answer.
 * What is legal in which state of the container is data: see the table.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "sandbox.h"

/** Time the guest has to let a container's program run, or to take a signal. Milliseconds. */
#define START_DEADLINE_MS 60000
/** Largest config.json that is taken. */
#define SPEC_MAX (16u << 20)

#define IN(state) (1u << (state))
#define ALIVE                                                                            \
	(IN(CT_ASKED) | IN(CT_BUILDING) | IN(CT_CREATED) | IN(CT_STARTING) |             \
	 IN(CT_RUNNING))

struct handler {
	uint16_t type;
	size_t n_fds;
	unsigned legal;	      /* states of the container; 0 = it need not exist */
	const char *not_yet;  /* text when illegal and the container lives */
	const char *too_late; /* text when it has exited */
	/* Return 0 when the answer comes later, 1 for success now, <0 for a failure in err */
	int (*fn)(struct caller *c, struct container *ct, const struct ctl_msg *m,
		  int *fds, struct kata_err *err);
};

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

void caller_answer(struct caller *c, const struct kata_err *err)
{
	struct ctl_msg m = { .type = CTL_REPLY };

	if (err) {
		m.code = err->code < 0 ? err->code : -EIO;
		m.status = (uint32_t)err->status;
		snprintf(m.text, sizeof(m.text), "%s", err->msg);
	}
	if (c->src.fd >= 0 && ctl_send(c->src.fd, &m, NULL, 0) < 0)
		log_debug("a caller did not wait for its answer");
	caller_free(c);
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

/* An answer of the guest for a caller. Both may be gone when it comes. */
struct pending {
	struct sandbox *sb;
	struct caller *caller;
	uint32_t container;
	void (*done)(struct container *ct, bool ok);
};

static bool still_there(const struct sandbox *sb, const struct caller *c)
{
	for (const struct caller *at = sb->callers; at; at = at->next)
		if (at == c)
			return at->waits;
	return false;
}

static void on_reply(void *arg, int code, const struct msg_reply *m)
{
	struct pending p = *(struct pending *)arg;
	struct container *ct = container_by_number(p.sb, p.container);
	struct kata_err err = { 0 };
	bool ok = m && m->code == MSG_OK;

	free(arg);
	if (ct && p.done)
		p.done(ct, ok);
	if (!still_there(p.sb, p.caller))
		return;
	if (!ok && ct)
		container_guest_error(ct, m, code, &err);
	else if (!ok)
		err_set(&err, -ESRCH, "container not running");
	caller_answer(p.caller, ok ? NULL : &err);
}

static int ask(struct caller *c, struct container *ct, enum msg_type type,
	       const char *body, void (*done)(struct container *ct, bool ok),
	       struct kata_err *err)
{
	struct pending *p = mem_zalloc(sizeof(*p));
	int r;

	*p = (struct pending){ c->sb, c, ct->number, done };
	r = agent_request(c->sb->agent, type, body, strlen(body), START_DEADLINE_MS,
			  &(struct agent_call){ on_reply, p });
	if (r < 0) {
		free(p);
		return err_sys_code(err, r, "ask the guest's agent");
	}
	return 0;
}

/* --- requests ---------------------------------------------------------------------------- */

static int do_create(struct caller *c, struct container *ct, const struct ctl_msg *m,
		     int *fds, struct kata_err *err)
{
	struct sandbox *sb = c->sb;
	struct arena *arena = arena_new();
	const struct oci_spec *spec;
	AUTO_FREE char *text = NULL;
	size_t len;
	int r;

	(void)ct;
	if (sb->timeline.began_us == 0) {
		sb->timeline.began_us = m->bytes;
		timeline_mark(&sb->timeline, "sandbox");
	}
	r = fs_read_fd(fds[0], SPEC_MAX, &text, &len);
	if (r < 0)
		err_sys_code(err, r, "read config.json");
	else
		r = oci_spec_load(text, len, arena, &spec, err);
	if (r < 0) {
		arena_free(arena);
		return r;
	}
	ct = container_new_take(sb, m->id, m->text, spec, arena, TAKE_FD(fds[1]));
	ct->creator = c;
	c->container = ct->number;
	c->waits = true;
	sandbox_event(sb, EV_CREATE, ct, NULL);
	return 0;
}

static void started(struct container *ct, bool ok)
{
	/* when it failed the agent tells of the exit as well */
	if (ct->state == CT_STARTING)
		ct->state = ok ? CT_RUNNING : CT_CREATED;
}

static int do_start(struct caller *c, struct container *ct, const struct ctl_msg *m,
		    int *fds, struct kata_err *err)
{
	char body[64];

	(void)m;
	(void)fds;
	if (!ct->spec->process)
		return err_set(err, -EINVAL, "config.json has no process to start");
	snprintf(body, sizeof(body), "{\"container\":%u}", ct->number);
	ct->state = CT_STARTING;
	return ask(c, ct, MSG_START, body, started, err);
}

static int do_kill(struct caller *c, struct container *ct, const struct ctl_msg *m,
		   int *fds, struct kata_err *err)
{
	char body[128];

	(void)fds;
	if (ct->state == CT_ASKED || ct->state == CT_BUILDING)
		return err_set(err, -EAGAIN, "container is still being made");
	snprintf(body, sizeof(body),
		 "{\"container\":%u,\"process\":0,\"signal\":%u,\"all\":%s}", ct->number,
		 m->number, m->flags & CTL_F_ALL ? "true" : "false");
	return ask(c, ct, MSG_SIGNAL, body, NULL, err);
}

static const struct handler handlers[] = {
	{ CTL_CREATE, 2, 0, NULL, NULL, do_create },
	{ CTL_START, 0, IN(CT_CREATED), "cannot start an already running container",
	  "cannot start a container that has stopped", do_start },
	{ CTL_KILL, 0, ALIVE, NULL, "container not running", do_kill },
};

static int handle(struct caller *c, const struct ctl_msg *m, int *fds, size_t n_fds,
		  struct kata_err *err)
{
	struct container *ct = container_by_id(c->sb, m->id);

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		const struct handler *h = &handlers[i];

		if (h->type != m->type)
			continue;
		if (h->n_fds != n_fds)
			return err_set(err, -EPROTO, "request %u has %zu descriptors",
				       m->type, n_fds);
		if (h->legal && !ct)
			return err_set(err, -ESRCH, "container does not exist");
		if (h->legal && !(h->legal & IN(ct->state)))
			return err_set(err, -EINVAL, "%s",
				       ct->state == CT_EXITED ? h->too_late : h->not_yet);
		if (!h->legal && ct)
			return err_set(err, -EEXIST,
				       "container with given ID already exists");
		c->waits = true;
		return h->fn(c, ct, m, fds, err);
	}
	return err_set(err, -ENOTSUP, "request %u is not known to this kata-sandbox",
		       m->type);
}

/* --- connections ------------------------------------------------------------------------- */

static void caller_gone(struct caller *c)
{
	struct container *ct = container_by_number(c->sb, c->container);

	/* whoever made the container cannot learn of it any more: nothing half-made stays */
	if (ct && ct->creator == c) {
		ct->creator = NULL;
		caller_free(c);
		container_remove(ct);
		return;
	}
	caller_free(c);
}

static void on_caller(struct loop_src *src, uint32_t events)
{
	struct caller *c = CONTAINER_OF(src, struct caller, src);
	struct sandbox *sb = c->sb;
	int fds[SOCK_MAX_FDS];
	struct kata_err err = { 0 };
	struct ctl_msg m;
	size_t n = 0;
	int r;

	(void)events;
	r = ctl_recv(src->fd, &m, fds, &n);
	if (r == -EAGAIN)
		return;
	if (r <= 0 || c->waits) {
		caller_gone(c);
	} else {
		r = handle(c, &m, fds, n, &err);
		if (r != 0)
			caller_answer(c, r < 0 ? &err : NULL);
	}
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
