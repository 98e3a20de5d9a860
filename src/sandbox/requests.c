/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests: what kata-runtime may ask for, as one table: descriptors it brings, states of the
 * container in which it is legal, what is said in the others, and the handler.
 *
 * Most requests are passed on to the guest's agent and answered when it has answered. Container and
 * caller may be gone by then: both are looked up again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "sandbox.h"
#include "sandbox/guest_spec.h"
#include "sandbox/guest_stats.h"

/** Time the guest has to let a container's program run, or to take a signal. Milliseconds. */
#define START_DEADLINE_MS 60000
/** For hooks in the container that have no timeout: theirs to say, not ours. */
#define HOOK_DEADLINE_MS (24u * 3600 * 1000)
/** Largest config.json, process.json, resources.json that is taken. */
#define SPEC_MAX (16u << 20)

#define IN(state) (1u << (state))
#define LIVES (IN(CT_CREATED) | IN(CT_STARTING) | IN(CT_RUNNING) | IN(CT_PAUSED))
#define ALIVE (LIVES | IN(CT_ASKED) | IN(CT_BUILDING))

enum needs {
	NEEDS_NEW, /* an id that is free */
	NEEDS_ONE, /* the container, in a legal state */
	NEEDS_ANY, /* the container may be gone */
};

struct request {
	struct caller *caller; /* NULL: it left while its start waited */
	struct container *ct;  /* NULL with NEEDS_NEW, perhaps with NEEDS_ANY */
	const struct ctl_msg *m;
	int *fds; /* set those that are taken to -1 */
	size_t n_fds;
};

struct rule {
	uint16_t type;
	enum needs needs;
	size_t min_fds, max_fds;
	unsigned legal;	      /* states of the container */
	const char *not_yet;  /* text when illegal and the container lives */
	const char *too_late; /* text when it has exited */
	/* Return: 0 when the answer comes later or was given already, -errno */
	int (*fn)(struct request *r, struct kata_err *err);
};

/* --- asking the guest -------------------------------------------------------------------- */

/**
 * struct pending - an answer of the guest under way, for a caller.
 * @done:   the container heard it, whether or not the caller waits; may be NULL
 * @answer: instead of a bare success; may be NULL. Takes the caller
 */
struct pending {
	struct sandbox *sb;
	uint64_t caller; /* its serial */
	uint32_t container, process;
	bool starts; /* a program */
	void (*done)(struct container *ct, struct process *p, bool ok);
	void (*answer)(struct caller *c, struct container *ct);
};

static void on_reply(void *arg, int code, const struct msg_reply *m)
{
	struct pending p = *(struct pending *)arg;
	struct container *ct = container_by_number(p.sb, p.container);
	struct kata_err err = { 0 };
	bool ok = m && m->code == MSG_OK;
	struct caller *c;

	free(arg);
	if (!ok && ct)
		container_guest_error(ct, m, code, p.starts, &err);
	else if (!ct)
		err_set(&err, -ESRCH, "container not running");
	if (ct && p.done)
		p.done(ct, container_process(ct, p.process), ok);
	c = caller_by_serial(p.sb, p.caller);
	if (!c)
		return;
	if (err.code)
		caller_answer(c, &err);
	else if (p.answer)
		p.answer(c, ct);
	else
		caller_answer(c, NULL);
}

/* hooks.startContainer run before the answer to MSG_START comes, one after the other. */
static uint64_t deadline_of(const struct container *ct, enum msg_type type)
{
	const struct oci_hooks *hooks = ct->spec->hooks;
	const struct oci_hook *h = hooks ? hooks->kind[OCI_HOOK_START_CONTAINER].v : NULL;
	uint64_t ms = START_DEADLINE_MS;

	for (size_t i = 0;
	     h && type == MSG_START && i < hooks->kind[OCI_HOOK_START_CONTAINER].n; i++) {
		uint64_t s = h[i].timeout ? (uint64_t)*h[i].timeout : UINT64_MAX;

		ms += s < HOOK_DEADLINE_MS / 1000 ? s * 1000 : HOOK_DEADLINE_MS;
	}
	return ms;
}

/* @want: done, answer, process and starts; the rest is filled in. */
static int ask(const struct request *r, enum msg_type type, const struct buf *body,
	       struct pending want, struct kata_err *err)
{
	struct pending *p = mem_zalloc(sizeof(*p));
	int rc;

	*p = want;
	p->sb = r->ct->sb;
	p->caller = r->caller ? r->caller->serial : 0;
	p->container = r->ct->number;
	rc = agent_request(p->sb->agent, type, buf_ptr(body), buf_len(body),
			   deadline_of(r->ct, type), &(struct agent_call){ on_reply, p });
	if (rc < 0) {
		free(p);
		return err_sys_code(err, rc, "ask the guest's agent");
	}
	return 0;
}

/* A request whose body only names the container. */
static int ask_plain(const struct request *r, enum msg_type type, struct pending want,
		     struct kata_err *err)
{
	struct buf body = { 0 };
	int rc;

	buf_addf(&body, "{\"container\":%u}", r->ct->number);
	rc = ask(r, type, &body, want, err);
	buf_done(&body);
	return rc;
}

/* A document that came as a descriptor, for one of the loaders. */
static int read_document(int fd, const char *what, char **ret_text, size_t *ret_len,
			 struct kata_err *err)
{
	int rc = fs_read_fd(fd, SPEC_MAX, ret_text, ret_len);

	return rc < 0 ? err_sys_code(err, rc, "read %s", what) : 0;
}

/* What came behind the first @n descriptors. */
static int load_passed(const struct request *r, size_t n, struct passed **ret,
		       struct kata_err *err)
{
	*ret = NULL;
	if (!(r->m->flags & CTL_F_PASSED))
		return 0;
	if (r->n_fds <= n)
		return err_set(err, -EPROTO, "request %u has %zu descriptors", r->m->type,
			       r->n_fds);
	return passed_load(r->fds + n, r->n_fds - n, ret, err);
}

/* --- create and start -------------------------------------------------------------------- */

/* Compiled filters are kept for all sandboxes, beside the containers' directories. */
static int make_filter(const struct sandbox *sb, const struct oci_spec *spec,
		       struct filter *ret, struct kata_err *err)
{
	AUTO_CLOSE int root = -1;

	*ret = (struct filter){ 0 };
	if (!spec->linux_ || !spec->linux_->seccomp)
		return 0;
	root = openat(sb->dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return filter_make(root, spec->linux_->seccomp, ret, err);
}

static int do_create(struct request *r, struct kata_err *err)
{
	struct sandbox *sb = r->caller->sb;
	struct arena *arena = arena_new();
	AUTO_FREE char *text = NULL;
	struct container_new new = {
		.id = r->m->id,
		.bundle = r->m->text,
		.arena = arena,
		.memory_fd = -1,
	};
	bool cgroup = r->m->flags & CTL_F_CGROUP && r->n_fds > 2;
	struct passed *passed = NULL;
	struct filter filter = { 0 };
	struct container *ct;
	size_t len;
	int rc;

	if (sb->timeline.began_us == 0) {
		sb->timeline.began_us = r->m->bytes;
		timeline_mark(&sb->timeline, "sandbox");
	}
	rc = read_document(r->fds[0], "config.json", &text, &len, err);
	if (rc == 0)
		rc = oci_spec_load(text, len, arena, &new.spec, err);
	if (rc == 0)
		rc = make_filter(sb, new.spec, &filter, err);
	if (rc == 0)
		rc = load_passed(r, cgroup ? 3 : 2, &passed, err);
	if (rc < 0) {
		buf_done(&filter.program);
		arena_free(arena);
		return rc;
	}
	new.shim_fd = TAKE_FD(r->fds[1]);
	if (cgroup)
		new.memory_fd = TAKE_FD(r->fds[2]);
	ct = container_new_take(sb, &new);
	ct->filter = filter;
	container_process(ct, 0)->creator = r->caller->serial;
	container_process(ct, 0)->flags = r->m->flags;
	container_process(ct, 0)->passed = passed;
	r->caller->container = ct->number;
	sandbox_event(sb, EV_CREATE, ct, NULL);
	return 0;
}

static void started(struct container *ct, struct process *p, bool ok)
{
	(void)p;
	/* when it failed the agent tells of the exit as well */
	if (ct->state == CT_STARTING)
		ct->state = ok ? CT_RUNNING : CT_CREATED;
}

/* @c: NULL when it has left; a start that was accepted goes on. */
static int start_now(struct container *ct, struct caller *c, struct kata_err *err)
{
	const struct request r = { .caller = c, .ct = ct };
	struct process *init = container_process(ct, 0);
	int rc = network_verdict(ct->sb, err);

	if (rc == 0 && init)
		shim_started(init);
	if (rc == 0)
		rc = ask_plain(&r, MSG_START,
			       (struct pending){ .starts = true, .done = started }, err);
	if (rc < 0 && ct->state == CT_STARTING)
		ct->state = CT_CREATED;
	return rc;
}

/* The network is read again, since some engines plug it in after create; a program never runs without. */
static int do_start(struct request *r, struct kata_err *err)
{
	int rc;

	if (!r->ct->spec->process)
		return err_set(err, -EINVAL, "config.json has no process to start");
	rc = network_sync(r->ct->sb, err);
	if (rc < 0)
		return rc;
	r->ct->state = CT_STARTING;
	if (r->ct->sb->network.asked == 0)
		return start_now(r->ct, r->caller, err);
	r->ct->starter = r->caller->serial;
	r->ct->start_waits = true;
	return 0;
}

void requests_network_settled(struct sandbox *sb)
{
	for (struct container *ct = sb->containers; ct; ct = ct->next) {
		struct kata_err err = { 0 };
		struct caller *c;

		if (!ct->start_waits)
			continue;
		ct->start_waits = false;
		c = caller_by_serial(sb, ct->starter);
		if (start_now(ct, c, &err) < 0 && c)
			caller_answer(c, &err);
	}
}

/* --- exec -------------------------------------------------------------------------------- */

static void executed(struct container *ct, struct process *p, bool ok)
{
	(void)ct;
	if (!p)
		return;
	p->creator = 0;
	if (ok)
		shim_built(p);
	else
		process_free(p);
}

static int ask_exec(struct request *r, const struct oci_process *spec, struct process *p,
		    struct kata_err *err)
{
	struct guest_streams st = { .terminal = spec->terminal };
	struct buf body = { 0 };
	int rc = shim_streams(p, &st);

	if (rc < 0)
		return err_sys_code(err, rc, "make the streams of a process");
	guest_exec_write(spec, r->ct->number, p->number, &st, &body);
	rc = ask(r, MSG_EXEC, &body,
		 (struct pending){
			 .process = p->number, .starts = true, .done = executed },
		 err);
	buf_done(&body);
	return rc;
}

static int do_exec(struct request *r, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	const struct oci_process *spec;
	AUTO_FREE char *text = NULL;
	struct passed *passed = NULL;
	struct process *p;
	size_t len;
	int rc;

	if (r->ct->state == CT_PAUSED && !(r->m->flags & CTL_F_PAUSED))
		return err_set(
			err, -EBUSY,
			"cannot exec in a paused container (use --ignore-paused to "
			"override)");
	rc = read_document(r->fds[0], "process.json", &text, &len, err);
	if (rc == 0)
		rc = oci_process_load(text, len, a, &spec, err);
	if (rc == 0)
		rc = load_passed(r, 2, &passed, err);
	if (rc < 0)
		return rc;
	p = process_new_take(r->ct, ++r->ct->sb->last_process, TAKE_FD(r->fds[1]));
	p->pid = (pid_t)r->m->number;
	p->flags = r->m->flags;
	p->creator = r->caller->serial;
	r->caller->container = r->ct->number;
	r->caller->process = p->number;
	p->passed = passed;
	rc = passed_share(p, err);
	if (rc == 0)
		rc = ask_exec(r, spec, p, err);
	if (rc < 0)
		process_free(p);
	return rc;
}

/* --- while it runs ----------------------------------------------------------------------- */

static int do_kill(struct request *r, struct kata_err *err)
{
	struct buf body = { 0 };
	int rc;

	if (!(LIVES & IN(r->ct->state)))
		return err_set(err, -EAGAIN, "container is still being made");
	buf_addf(&body, "{\"container\":%u,\"process\":0,\"signal\":%u,\"all\":%s}",
		 r->ct->number, r->m->number, r->m->flags & CTL_F_ALL ? "true" : "false");
	rc = ask(r, MSG_SIGNAL, &body, (struct pending){ 0 }, err);
	buf_done(&body);
	return rc;
}

static void paused(struct container *ct, struct process *p, bool ok)
{
	(void)p;
	if (ok && ct->state == CT_RUNNING)
		ct->state = CT_PAUSED;
}

static int do_pause(struct request *r, struct kata_err *err)
{
	return ask_plain(r, MSG_PAUSE, (struct pending){ .done = paused }, err);
}

static void resumed(struct container *ct, struct process *p, bool ok)
{
	(void)p;
	if (ok && ct->state == CT_PAUSED)
		ct->state = CT_RUNNING;
}

static int do_resume(struct request *r, struct kata_err *err)
{
	return ask_plain(r, MSG_RESUME, (struct pending){ .done = resumed }, err);
}

static int do_update(struct request *r, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	const struct oci_resources *res;
	AUTO_FREE char *text = NULL;
	struct buf body = { 0 };
	size_t len;
	int rc = read_document(r->fds[0], "resources.json", &text, &len, err);

	if (rc == 0)
		rc = oci_resources_load(text, len, a, &res, err);
	if (rc < 0)
		return rc;
	guest_update_write(res, r->ct->number, &body);
	rc = ask(r, MSG_UPDATE, &body, (struct pending){ 0 }, err);
	buf_done(&body);
	return rc;
}

/* A document as the answer. */
static void answer_json(struct caller *c, const struct buf *text)
{
	AUTO_CLOSE int fd = fs_memfd("reply.json", buf_ptr(text), buf_len(text));
	struct kata_err err = { 0 };

	if (fd >= 0) {
		caller_answer_with(c, 0, fd);
		return;
	}
	err_sys_code(&err, fd, "memfd");
	caller_answer(c, &err);
}

static void answer_stats(struct caller *c, struct container *ct)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	struct net_counters nets[NET_MAX_CARDS];
	int n = network_counters(ct->sb, nets);

	guest_stats_write(&ct->stats, nets, (size_t)n, &o);
	answer_json(c, &b);
	buf_done(&b);
}

static int do_stats(struct request *r, struct kata_err *err)
{
	guest_stats_clear(&r->ct->stats);
	return ask_plain(r, MSG_STATS, (struct pending){ .answer = answer_stats }, err);
}

static int do_ps(struct request *r, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	(void)err;
	json_out_begin_array(&o);
	for (struct process *p = r->ct->processes; p; p = p->next)
		if (p->number != 0 && p->shim.fd >= 0)
			json_out_u64(&o, (uint64_t)p->pid);
	json_out_end_array(&o);
	answer_json(r->caller, &b);
	buf_done(&b);
	return 0;
}

static int do_events(struct request *r, struct kata_err *err)
{
	(void)err;
	caller_subscribe(r->caller, r->ct);
	return 0;
}

/* --- the end ----------------------------------------------------------------------------- */

/* Whoever deletes the last one waits for the VM's end: so the number comes first. */
static int do_delete(struct request *r, struct kata_err *err)
{
	uint32_t left = 0;

	(void)err;
	for (struct container *ct = r->caller->sb->containers; ct; ct = ct->next)
		left += ct != r->ct;
	caller_answer_with(r->caller, left, -1);
	if (r->ct)
		container_remove(r->ct);
	return 0;
}

static const struct rule rules[] = {
	{ CTL_CREATE, NEEDS_NEW, 2, 4 + PROTO_PASSED_MAX, 0, NULL, NULL, do_create },
	{ CTL_START, NEEDS_ONE, 0, 0, IN(CT_CREATED),
	  "cannot start an already running container",
	  "cannot start a container that has stopped", do_start },
	{ CTL_EXEC, NEEDS_ONE, 2, 3 + PROTO_PASSED_MAX, LIVES,
	  "container is still being made", "cannot exec in a stopped container",
	  do_exec },
	{ CTL_KILL, NEEDS_ONE, 0, 0, ALIVE, NULL, "container not running", do_kill },
	{ CTL_PAUSE, NEEDS_ONE, 0, 0, IN(CT_RUNNING), "container not running",
	  "container not running", do_pause },
	{ CTL_RESUME, NEEDS_ONE, 0, 0, IN(CT_PAUSED), "container not paused",
	  "container not paused", do_resume },
	{ CTL_UPDATE, NEEDS_ONE, 1, 1, LIVES, "container is still being made",
	  "container not running", do_update },
	{ CTL_STATS, NEEDS_ONE, 0, 0, LIVES, "container is still being made",
	  "container not running", do_stats },
	{ CTL_PS, NEEDS_ONE, 0, 0, ALIVE | IN(CT_EXITED), NULL, NULL, do_ps },
	{ CTL_EVENTS, NEEDS_ONE, 0, 0, ALIVE, NULL, "container not running", do_events },
	{ CTL_DELETE, NEEDS_ANY, 0, 0, IN(CT_EXITED),
	  "cannot delete a container that is not stopped", NULL, do_delete },
};

static int check(const struct rule *rule, const struct request *r, struct kata_err *err)
{
	if (r->n_fds < rule->min_fds || r->n_fds > rule->max_fds)
		return err_set(err, -EPROTO, "request %u has %zu descriptors", r->m->type,
			       r->n_fds);
	if (rule->needs == NEEDS_NEW)
		return r->ct ? err_set(err, -EEXIST,
				       "container with given ID already exists")
			     : 0;
	if (!r->ct)
		return rule->needs == NEEDS_ANY
			       ? 0
			       : err_set(err, -ESRCH, "container does not exist");
	if (!(rule->legal & IN(r->ct->state)))
		return err_set(err, -EINVAL, "%s",
			       r->ct->state == CT_EXITED ? rule->too_late
							 : rule->not_yet);
	return 0;
}

static int dispatch(struct request *r, struct kata_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		int rc;

		if (rules[i].type != r->m->type)
			continue;
		rc = check(&rules[i], r, err);
		r->caller->waits = true;
		return rc < 0 ? rc : rules[i].fn(r, err);
	}
	return err_set(err, -ENOTSUP, "request %u is not known to this kata-sandbox",
		       r->m->type);
}

void request_handle(struct caller *c, const struct ctl_msg *m, int *fds, size_t n_fds)
{
	struct request r = { c, container_by_id(c->sb, m->id), m, fds, n_fds };
	struct kata_err err = { 0 };

	if (dispatch(&r, &err) < 0)
		caller_answer(c, &err);
}
