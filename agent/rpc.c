// SPDX-License-Identifier: Apache-2.0
/*
 * rpc: one table of requests: type, body, handler, and the container states in which it is legal.
 * The dispatcher decodes, looks the container up, checks the state; a handler sees only what
 * is right. A handler that returns a failure has not answered; the dispatcher does.
 *
 * The host is trusted, but a request it should not have made is refused and never guessed at.
 */
#include "rpc.h"

#include <errno.h>
#include <linux/random.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "clock.h"
#include "conns.h"
#include "container.h"
#include "devices.h"
#include "forward.h"
#include "network.h"
#include "pause.h"
#include "requests.h"
#include "resources.h"
#include "stats.h"
#include "tty.h"

#define ENTROPY_MAX 512

/* --- out */

/* A broken connection shows in on_close; nothing to do about it here. */
static void flush(struct guest *g)
{
	int r = chan_send(&g->control);

	/* the host reads nothing and 64 MiB wait: it is not alive */
	if (r == -ENOBUFS)
		guest_end(g, 1);
}

void rpc_answer(struct guest *g, struct rpc_call *call, enum msg_code code, int errnum,
		const char *text)
{
	struct msg_reply m = {
		.code = (uint16_t)code,
		.err = (uint16_t)errnum,
		.took_us = clock_us() - call->from_us,
	};

	if (!call->id)
		return;
	str_copy(m.text, sizeof(m.text), text ? text : "");
	frame_add_reply(&g->control.out, call->id, &m);
	call->id = 0;
	flush(g);
}

void rpc_answer_err(struct guest *g, struct rpc_call *call, const struct kata_err *err)
{
	rpc_answer(g, call, MSG_FAILED, -err->code, err->msg);
}

void rpc_send_hello(struct guest *g, const struct msg_hello *m)
{
	frame_add_hello(&g->control.out, m);
	flush(g);
}

void rpc_send_exit(struct guest *g, const struct msg_exit *m)
{
	frame_add_exit(&g->control.out, m);
	flush(g);
}

void rpc_send_warning(struct guest *g, uint32_t container, const char *text)
{
	frame_add_warning(&g->control.out, container, text);
	flush(g);
}

void rpc_send_oom(struct guest *g, uint32_t container)
{
	frame_add_oom(&g->control.out, container);
	flush(g);
}

void rpc_send_notify(struct guest *g, uint32_t container, const char *text)
{
	frame_add_notify(&g->control.out, container, text);
	flush(g);
}

void rpc_send_stats(struct guest *g, const struct msg_stats *m)
{
	frame_add_stats(&g->control.out, m);
	flush(g);
}

void rpc_send_stream_end(struct guest *g, const struct msg_stream_end *m)
{
	frame_add_stream_end(&g->control.out, m);
	flush(g);
}

/* --- requests */

/**
 * struct request - one decoded request on its way through its handler.
 * @a: what body lives in; a handler that keeps it sets it to NULL
 */
struct request {
	struct guest *guest;
	struct rpc_call call;
	const void *body;
	struct container *container;
	struct arena *a;
};

/* The kernel was told "no entropy" until now; that of the host counts in full. */
static void add_entropy(const char *hex)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[ENTROPY_MAX];
	} pool = { 0 };
	AUTO_CLOSE int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	int n = str_to_bytes(hex, pool.bytes, ENTROPY_MAX);

	if (n < 0)
		return;
	pool.info.buf_size = n;
	pool.info.entropy_count = 8 * n;
	memcpy(pool.info.buf, pool.bytes, (size_t)n);
	/* refused by a kernel that has its own already */
	if (fd >= 0 && ioctl(fd, RNDADDENTROPY, &pool) < 0)
		return;
}

static void set_clock(const struct req_welcome *w)
{
	struct timespec now, host = { .tv_sec = w->time_sec, .tv_nsec = w->time_nsec };

	clock_gettime(CLOCK_REALTIME, &now);
	if (labs((long)(now.tv_sec - host.tv_sec)) <= 1)
		return;
	/* fails only for a time before 1970 */
	if (clock_settime(CLOCK_REALTIME, &host) < 0)
		return;
}

static int do_welcome(struct request *r, struct kata_err *err)
{
	const struct req_welcome *w = r->body;

	if (w->version < PROTO_VERSION_MIN || w->version > PROTO_VERSION)
		return err_set(err, -EPROTO, "version %u is not spoken here", w->version);
	if (r->guest->is_vm && w->time_sec > 0)
		set_clock(w);
	if (r->guest->is_vm && w->entropy)
		add_entropy(w->entropy);
	r->guest->welcomed = true;
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return 0;
}

static int do_create(struct request *r, struct kata_err *err)
{
	return container_create(r->guest, r->body, &r->call, &r->a, err);
}

static int do_start(struct request *r, struct kata_err *err)
{
	return container_start(r->container, &r->call, err);
}

static int do_exec(struct request *r, struct kata_err *err)
{
	return container_exec(r->container, r->body, &r->call, &r->a, err);
}

/* -ESRCH becomes MSG_NO_SUCH, with the words that callers of kill know (CONTRACT 1.7). */
static struct process *find_process(const struct request *r, struct kata_err *err)
{
	const struct req_target *t = r->body;
	struct process *p = container_process(r->container, t->process);

	if (!p)
		err_set(err, -ESRCH, "process does not exist");
	return p;
}

static int do_signal(struct request *r, struct kata_err *err)
{
	const struct req_signal *s = r->body;
	struct process *p;
	int code;

	if (s->all) {
		code = container_signal(r->container, s->signal);
		/* the end of all is what was asked for */
		if (code == -ESRCH && container_state(r->container) == CONTAINER_STOPPED)
			code = 0;
	} else {
		p = find_process(r, err);
		if (!p)
			return -ESRCH;
		code = process_signal(p, s->signal);
	}
	if (code == -ESRCH)
		return err_set(err, code, "container not running");
	if (code < 0)
		return err_sys_code(err, code, "signal %d", s->signal);
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return 0;
}

static int do_winsize(struct request *r, struct kata_err *err)
{
	const struct req_winsize *w = r->body;
	struct process *p = find_process(r, err);
	int code;

	if (!p)
		return -ESRCH;
	if (p->streams[STREAM_TTY].pipe_fd < 0)
		return err_set(err, -ENOTTY, "process has no terminal");
	code = tty_resize(p->streams[STREAM_TTY].pipe_fd, w->height, w->width);
	if (code < 0)
		return err_sys_code(err, code, "set the terminal's size");
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return 0;
}

static int do_stdin_end(struct request *r, struct kata_err *err)
{
	const struct req_stdin_end *e = r->body;
	struct process *p = find_process(r, err);
	struct stream *s;

	if (!p)
		return -ESRCH;
	s = process_stream(p, e->stream);
	if (s)
		stream_set_limit(s, e->bytes);
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return 0;
}

static int do_connect(struct request *r, struct kata_err *err)
{
	struct process *p = find_process(r, err);
	int code = p ? conn_open(p, r->body, err) : -ESRCH;

	if (code == 0)
		rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return code;
}

static int do_delete(struct request *r, struct kata_err *err)
{
	(void)err;
	container_delete(r->container, &r->call);
	return 0;
}

static int do_pause(struct request *r, struct kata_err *err)
{
	return pause_set(r->container, true, &r->call, err);
}

static int do_resume(struct request *r, struct kata_err *err)
{
	return pause_set(r->container, false, &r->call, err);
}

static int do_update(struct request *r, struct kata_err *err)
{
	const struct req_update *u = r->body;
	const struct device_rules *rules;
	int code = devices_update(r->container->spec, u->resources, r->a, &rules, err);

	if (code == 0)
		code = resources_apply(r->container->cgroup_fd, u->resources, true, err);
	if (code == 0 && rules)
		code = devices_filter(r->container->cgroup_fd, rules, err);
	if (code == 0)
		rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return code;
}

static int do_stats(struct request *r, struct kata_err *err)
{
	struct msg_stats m = { .container = r->container->number };

	(void)err;
	stats_read(r->container->cgroup_fd, &m);
	rpc_send_stats(r->guest, &m);
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	return 0;
}

static int do_network(struct request *r, struct kata_err *err)
{
	(void)err;
	network_request(r->guest, r->body, &r->call, &r->a);
	return 0;
}

static int do_forward(struct request *r, struct kata_err *err)
{
	return forward_request(r->guest, r->body, &r->call, err);
}

static int do_shutdown(struct request *r, struct kata_err *err)
{
	(void)err;
	rpc_answer(r->guest, &r->call, MSG_OK, 0, NULL);
	guest_end(r->guest, 0);
}

#define CONTAINER_ANY                                                                    \
	(CONTAINER_BUILDING | CONTAINER_CREATED | CONTAINER_RUNNING |                    \
	 CONTAINER_STOPPING | CONTAINER_STOPPED)

/**
 * struct rule - @states: container states in which it is legal; 0 = it names no container.
 * @wrong: what to say in another state
 */
struct rule {
	uint16_t type;
	const struct jtab *tab;
	unsigned states;
	int (*fn)(struct request *r, struct kata_err *err);
	const char *wrong;
};

static const struct rule rules[] = {
	{ MSG_WELCOME, &req_welcome_tab, 0, do_welcome, NULL },
	{ MSG_CREATE, &req_create_tab, 0, do_create, NULL },
	{ MSG_START, &req_target_tab, CONTAINER_CREATED, do_start,
	  "cannot start a container that is not created" },
	{ MSG_EXEC, &req_exec_tab, CONTAINER_CREATED | CONTAINER_RUNNING, do_exec,
	  "cannot exec in a stopped container" },
	{ MSG_SIGNAL, &req_signal_tab, CONTAINER_ANY, do_signal, NULL },
	{ MSG_WINSIZE, &req_winsize_tab, CONTAINER_ANY, do_winsize, NULL },
	{ MSG_STDIN_END, &req_stdin_end_tab, CONTAINER_ANY, do_stdin_end, NULL },
	{ MSG_CONNECT, &req_connect_tab, CONTAINER_ANY, do_connect, NULL },
	{ MSG_DELETE, &req_target_tab, CONTAINER_ANY, do_delete, NULL },
	{ MSG_PAUSE, &req_target_tab, CONTAINER_CREATED | CONTAINER_RUNNING, do_pause,
	  "container not running" },
	{ MSG_RESUME, &req_target_tab, CONTAINER_CREATED | CONTAINER_RUNNING, do_resume,
	  "container not running" },
	{ MSG_UPDATE, &req_update_tab,
	  CONTAINER_BUILDING | CONTAINER_CREATED | CONTAINER_RUNNING, do_update,
	  "container not running" },
	{ MSG_STATS, &req_target_tab, CONTAINER_ANY, do_stats, NULL },
	{ MSG_NETWORK, &netmsg_tab, 0, do_network, NULL },
	{ MSG_FORWARD, &req_forward_tab, 0, do_forward, NULL },
	{ MSG_SHUTDOWN, &req_empty_tab, 0, do_shutdown, NULL },
};

static const struct rule *find_rule(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].type == type)
			return &rules[i];
	}
	return NULL;
}

/* Decode the body, see that the request is legal now. Fills r. */
static int admit(const struct rule *rule, struct request *r, const void *text, size_t len,
		 struct kata_err *err)
{
	void *body = arena_alloc(r->a, rule->tab->size);
	const struct req_target *target = body;
	const struct json *j;
	int code = json_parse(text, len, &json_limits_default, r->a, &j, err);

	if (code == 0)
		code = jtab_decode(rule->tab, j, r->a, "", body, err);
	if (code < 0)
		return code;
	r->body = body;
	if (!r->guest->welcomed && rule->type != MSG_WELCOME)
		return err_set(err, -EPROTO, "%s before WELCOME",
			       msg_type_name(rule->type));
	if (!rule->states)
		return 0;
	r->container = container_find(r->guest, target->container);
	if (!r->container || r->container->doomed)
		return err_set(err, -ESRCH, "container does not exist");
	if (!(container_state(r->container) & rule->states))
		return err_set(err, -EBUSY, "%s", rule->wrong);
	return 0;
}

static void handle(struct guest *g, const struct rule *rule, const struct frame *f,
		   const void *body)
{
	struct request r = {
		.guest = g,
		.call = { .id = f->id, .from_us = clock_us() },
		.a = arena_new(),
	};
	struct kata_err err = { 0 };
	int code = admit(rule, &r, body, f->len, &err);

	if (code < 0 && code != -ESRCH && code != -EBUSY)
		rpc_answer(g, &r.call, MSG_BAD_REQUEST, -code, err.msg);
	else if (code == 0)
		code = rule->fn(&r, &err);
	if (code == -ESRCH || code == -EBUSY)
		rpc_answer(g, &r.call, MSG_NO_SUCH, -code, err.msg);
	else if (code < 0)
		rpc_answer_err(g, &r.call, &err);
	arena_free(r.a);
}

static int on_frame(struct chan *c, const struct frame *f, const void *body)
{
	struct guest *g = CONTAINER_OF(c, struct guest, control);
	const struct rule *rule = find_rule(f->type);
	struct rpc_call call = { .id = f->id, .from_us = clock_us() };

	if (f->id == 0)
		return -EPROTO;
	if (!rule) {
		rpc_answer(g, &call, MSG_BAD_REQUEST, ENOSYS, "unknown request");
		return 0;
	}
	handle(g, rule, f, body);
	guest_settle(g);
	return 0;
}

static void on_close(struct chan *c, int why)
{
	(void)why;
	guest_end(CONTAINER_OF(c, struct guest, control), 0);
}

int rpc_start_take(struct guest *g, int fd)
{
	g->control.on_frame = on_frame;
	g->control.on_close = on_close;
	return chan_init_take(&g->control, g->loop, fd, PROTO_MAX_HOST_BODY);
}
