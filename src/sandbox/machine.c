/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: the life of the sandbox, as a state x event table, and of the
 * containers in it.
 *
 *             create      guest up   timeout  lost    last gone
 *   empty     bring up    -          -        end     end
 *   booting   wait        tell all   end      end     end
 *   up        tell        -          -        end     end
 *   ending    refuse      -          -        -       -
 *
 * The sandbox is never used again: when its last container is gone, or
 * anything it stands on breaks, it answers whoever waits, and ends. The pid
 * namespace then takes every helper along.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox.h"
#include "sandbox/guest_notify.h"
#include "sandbox/guest_spec.h"

/** Time the guest has to build a container; generous: TCG on a busy host. Milliseconds. */
#define BUILD_DEADLINE_MS 120000
/** Time for requests that only touch the agent's memory. */
#define QUICK_DEADLINE_MS 30000
/* How long the VMM may take to be seen to have ended, after something that hung on it. */
#define CAUSE_MS 200

static void request(struct sandbox *sb, enum msg_type type, const char *body)
{
	const struct agent_call nobody = { 0 };

	if (sb->agent && agent_request(sb->agent, type, body, strlen(body),
				       QUICK_DEADLINE_MS, &nobody) < 0)
		log_debug("%s could not be sent to the guest", msg_type_name(type));
}

/* --- containers -------------------------------------------------------------------------- */

struct container *container_new_take(struct sandbox *sb, const struct container_new *from)
{
	struct container *ct = mem_zalloc(sizeof(*ct));

	ct->sb = sb;
	ct->number = ++sb->last_container;
	ct->arena = from->arena;
	ct->spec = from->spec;
	ct->bundle = arena_strdup(from->arena, from->bundle);
	ct->memory_fd = from->memory_fd;
	ct->notify.src.fd = -1;
	ct->oom.helper = (struct child)CHILD_INIT;
	snprintf(ct->id, sizeof(ct->id), "%s", from->id);
	ct->next = sb->containers;
	sb->containers = ct;
	process_new_take(ct, 0, from->shim_fd);
	return ct;
}

struct container *container_by_id(struct sandbox *sb, const char *id)
{
	for (struct container *ct = sb->containers; ct; ct = ct->next)
		if (str_eq(ct->id, id))
			return ct;
	return NULL;
}

struct container *container_by_number(struct sandbox *sb, uint32_t number)
{
	for (struct container *ct = sb->containers; ct; ct = ct->next)
		if (ct->number == number)
			return ct;
	return NULL;
}

struct process *container_process(struct container *ct, uint32_t number)
{
	for (struct process *p = ct->processes; p; p = p->next)
		if (p->number == number)
			return p;
	return NULL;
}

void container_remove(struct container *ct)
{
	struct sandbox *sb = ct->sb;
	char body[64];

	for (struct container **at = &sb->containers; *at; at = &(*at)->next) {
		if (*at != ct)
			continue;
		*at = ct->next;
		break;
	}
	if (sb->containers && ct->state != CT_ASKED) {
		snprintf(body, sizeof(body), "{\"container\":%u}", ct->number);
		request(sb, MSG_DELETE, body);
	}
	while (ct->processes)
		process_free(ct->processes);
	callers_hang_up(ct);
	oom_stop(ct);
	notify_stop(ct);
	fd_drop(&ct->memory_fd);
	buf_done(&ct->filter.program);
	if (ct->shared && sb->containers &&
	    share_remove(sb->host.share_fd, ct->number) < 0)
		log_debug("files of container %u stay shared", ct->number);
	arena_free(ct->arena);
	free(ct);
	if (!sb->containers)
		sandbox_event(sb, EV_LAST_GONE, NULL, NULL);
}

void container_guest_error(const struct container *ct, const struct msg_reply *m,
			   int code, bool starts, struct kata_err *err)
{
	char text[sizeof(err->msg)];

	if (!m) {
		err_set(err, code, "the guest's agent did not answer: %s",
			err_text(-code));
		return;
	}
	if (m->code == MSG_NO_SUCH) {
		err_set(err, -ESRCH, "container not running");
		return;
	}
	guest_text_to_host(ct->spec, ct->number, m->text, text, sizeof(text));
	err_set(err, m->err ? -(int)m->err : -EIO, "%s%s",
		starts ? "unable to start container process: " : "", text);
	if (m->code == MSG_NOT_FOUND)
		err->status = 127;
	else if (m->code == MSG_NOT_EXECUTABLE)
		err->status = 126;
}

static void fail_container(struct container *ct, const struct kata_err *err)
{
	struct process *init = container_process(ct, 0);

	if (init)
		caller_answer_serial(ct->sb, init->creator, err);
	container_remove(ct);
}

/* MSG_CREATE was answered. The container may be gone by now: it is named by its number. */
struct build {
	struct sandbox *sb;
	uint32_t number;
};

static void on_built(void *arg, int code, const struct msg_reply *m)
{
	struct build b = *(struct build *)arg;
	struct container *ct = container_by_number(b.sb, b.number);
	struct kata_err err = { 0 };
	struct process *p;

	free(arg);
	if (!ct)
		return;
	if (!m || m->code != MSG_OK)
		container_guest_error(ct, m, code, true, &err);
	/* it was sent first: it is the cause, or what makes a success worth nothing */
	if (network_verdict(b.sb, &err) < 0) {
		fail_container(ct, &err);
		return;
	}
	ct->state = CT_CREATED;
	timeline_mark(&b.sb->timeline, "container built");
	timeline_write(&b.sb->timeline, b.sb->dirfd);
	p = container_process(ct, 0);
	if (!p)
		return;
	shim_built(p);
	caller_answer_serial(b.sb, p->creator, NULL);
}

static unsigned number_of(void *arg, const char *id)
{
	const struct container *ct = container_by_id(arg, id);

	return ct ? ct->number : 0;
}

static int ask_build(struct container *ct, struct build *b, struct kata_err *err)
{
	struct sandbox *sb = ct->sb;
	struct guest_create g = {
		.spec = ct->spec,
		.id = ct->id,
		.bundle = ct->bundle,
		.number = ct->number,
		.shared = ct->shared_mounts,
		.filter = &ct->filter,
		.number_of = number_of,
		.arg = sb,
	};
	struct buf body = { 0 };
	int r;

	g.no_keyring = container_process(ct, 0)->flags & CTL_F_NO_KEYRING;
	if (sb->agent_version < PROTO_VERSION_NOTIFY && guest_notify_mount(ct->spec) >= 0)
		return err_set(err, -ENOTSUP,
			       "NOTIFY_SOCKET: the guest's agent is older than "
			       "kata-sandbox and does not pass it on: make the guest "
			       "image again");
	if (sb->agent_version < PROTO_VERSION_FILTER && buf_len(&ct->filter.program))
		return err_set(
			err, -ENOTSUP,
			"linux.seccomp: the guest's agent is older than kata-sandbox "
			"and loads no filter: make the guest image again");
	g.streams.terminal = ct->spec->process && ct->spec->process->terminal;
	r = shim_streams(container_process(ct, 0), &g.streams);
	if (r < 0)
		return err_sys_code(err, r, "make the streams of a process");
	r = guest_create_write(&g, &body, err);
	if (r == 0) {
		r = agent_request(sb->agent, MSG_CREATE, buf_ptr(&body), buf_len(&body),
				  BUILD_DEADLINE_MS, &(struct agent_call){ on_built, b });
		if (r < 0)
			err_sys_code(err, r, "send the container to the guest");
	}
	buf_done(&body);
	return r;
}

static int ask_container(struct container *ct, struct kata_err *err)
{
	struct build *b = mem_zalloc(sizeof(*b));
	int r;

	*b = (struct build){ ct->sb, ct->number };
	r = ask_build(ct, b, err);
	if (r < 0)
		free(b);
	return r;
}

/*
 * The network first, so that the container finds it. But a user namespace of the container's own has to own
 * the network namespace that it comes into (agent/birth.c): then what the guest says of the network
 * is heard of by start.
 */
static bool is_before_network(const struct container *ct)
{
	const struct oci_namespace *user = oci_spec_ns(ct->spec, OCI_NS_USER);

	return user && !user->path && !ct->sb->network.spoken;
}

static void tell_guest(struct container *ct)
{
	bool first = is_before_network(ct);
	struct kata_err err = { 0 };
	int r = 0;

	ct->state = CT_BUILDING;
	if (first)
		r = ask_container(ct, &err);
	if (r == 0)
		r = network_sync(ct->sb, &err);
	if (r == 0 && !first)
		r = ask_container(ct, &err);
	if (r < 0)
		fail_container(ct, &err);
}

/* --- what the guest says ----------------------------------------------------------------- */

/* The clock and a seed: a guest has neither when it boots. */
static void send_welcome(struct sandbox *sb)
{
	unsigned char seed[32] = { 0 };
	char hex[2 * sizeof(seed) + 1];
	struct timespec ts;
	AUTO_FREE char *body = NULL;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		log_debug("no entropy for the guest");
	for (size_t i = 0; i < sizeof(seed); i++)
		snprintf(hex + 2 * i, 3, "%02x", seed[i]);
	clock_gettime(CLOCK_REALTIME, &ts);
	body = mem_printf(
		"{\"version\":%u,\"time_sec\":%lld,\"time_nsec\":%ld,\"entropy\":\"%s\"}",
		sb->agent_version, (long long)ts.tv_sec, ts.tv_nsec, hex);
	request(sb, MSG_WELCOME, body);
}

static void on_hello(void *arg, const struct msg_hello *m)
{
	struct sandbox *sb = arg;
	uint64_t agent_us = m->uptime_ready_us - m->uptime_kernel_us;

	if (m->uptime_ready_us >= m->uptime_kernel_us) {
		timeline_mark_at(&sb->timeline, "guest kernel", m->uptime_ready_us);
		timeline_mark_at(&sb->timeline, "agent", agent_us);
	}
	timeline_mark(&sb->timeline, "agent connected");
	log_debug("the guest runs Linux %s", m->release);
	sb->agent_version = m->version_max < PROTO_VERSION ? m->version_max
							   : PROTO_VERSION;
	send_welcome(sb);
	sandbox_event(sb, EV_GUEST_UP, NULL, NULL);
}

static struct process *find_process(struct sandbox *sb, uint32_t container,
				    uint32_t process)
{
	struct container *ct = container_by_number(sb, container);

	return ct ? container_process(ct, process) : NULL;
}

/*
 * The container's end ends its other processes' time as well: containerd reports the one after all of
 * the others, so a reader that does not read must not hold them for ever.
 */
static void hurry_others(struct container *ct)
{
	struct ctl_msg msg = { .type = CTL_EXIT, .flags = CTL_F_ALL };

	for (struct process *p = ct->processes; p; p = p->next) {
		if (p->number == 0 || !p->told)
			continue;
		msg.status = p->status;
		shim_tell(p, &msg);
	}
}

static void tell_exit(struct process *p)
{
	struct ctl_msg msg = { .type = CTL_EXIT, .status = p->status };
	struct container *ct = p->ct;

	p->told = true;
	if (p->number == 0)
		hurry_others(ct);
	shim_tell(p, &msg);
}

static struct process *next_untold(struct container *ct)
{
	struct process *init = NULL;

	for (struct process *p = ct->processes; p; p = p->next) {
		if (!p->exited || p->told)
			continue;
		if (p->number != 0)
			return p;
		init = p;
	}
	return init; /* the last: its shim's end is the container's */
}

void container_tell_exits(struct container *ct)
{
	struct sandbox *sb = ct->sb;
	uint32_t number = ct->number;
	struct process *p;

	while ((ct = container_by_number(sb, number)) && (p = next_untold(ct)))
		tell_exit(p);
}

/* As CRI's words for it are: podman's infra container and docker's container:X have none. */
static bool is_pod_sandbox(const struct container *ct)
{
	static const char *const keys[] = { "io.kubernetes.cri.container-type",
					    "io.kubernetes.cri-o.ContainerType" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *type = oci_annotation(ct->spec, keys[i]);

		if (type && str_eq(type, "sandbox"))
			return true;
	}
	return false;
}

/* A pod does not outlive its sandbox: who runs in it ends as if the machine had. */
static void end_pod(const struct container *sandbox)
{
	struct process *init;

	for (struct container *ct = sandbox->sb->containers; ct; ct = ct->next) {
		init = ct == sandbox ? NULL : container_process(ct, 0);
		if (init && !init->exited)
			shim_kill(init);
	}
}

static void on_exit_msg(void *arg, const struct msg_exit *m)
{
	struct process *p = find_process(arg, m->container, m->process);

	if (!p || p->exited)
		return;
	p->exited = true;
	p->status = m->status;
	if (p->number == 0)
		p->ct->state = CT_EXITED;
	if (p->number == 0 && is_pod_sandbox(p->ct))
		end_pod(p->ct);
	if (oom_is_shown(p->ct))
		container_tell_exits(p->ct);
}

static void on_oom(void *arg, uint32_t container)
{
	struct container *ct = container_by_number(arg, container);

	if (!ct)
		return;
	callers_tell_oom(ct);
	oom_show(ct);
}

static void on_stats(void *arg, const struct msg_stats *m)
{
	struct container *ct = container_by_number(arg, m->container);

	if (ct)
		ct->stats = *m;
}

static void on_notify(void *arg, uint32_t container, const char *text)
{
	struct container *ct = container_by_number(arg, container);

	if (ct)
		container_notify(ct, text);
}

static void on_stream_end(void *arg, const struct msg_stream_end *m)
{
	struct process *p = find_process(arg, m->container, m->process);
	struct ctl_msg msg = { .type = CTL_STREAM_END,
			       .number = m->stream,
			       .bytes = m->bytes };

	if (p && !p->exited)
		shim_tell(p, &msg);
}

static void on_stream(void *arg, const struct agent_stream *s, int fd)
{
	struct process *p = find_process(arg, s->container, s->process);

	if (s->container == 0)
		forwarding_stream_take(arg, s->process, fd);
	else if (p)
		shim_give_stream_take(p, s->stream, fd);
	else
		close(fd);
}

static void on_warning(void *arg, uint32_t container, const char *text)
{
	(void)arg;
	log_warn("container %u: %s", container, text);
}

static void on_agent_gone(void *arg, const char *why)
{
	sandbox_event(arg, EV_BROKEN, NULL, why);
}

static void on_dns(void *arg, int protocol, int fd)
{
	dns_client_take(arg, protocol, fd);
}

const struct agent_ops sandbox_agent_ops = {
	.on_hello = on_hello,
	.on_exit = on_exit_msg,
	.on_stream_end = on_stream_end,
	.on_stream = on_stream,
	.on_warning = on_warning,
	.on_oom = on_oom,
	.on_stats = on_stats,
	.on_notify = on_notify,
	.on_dns = on_dns,
	.on_gone = on_agent_gone,
};

/* --- the table --------------------------------------------------------------------------- */

static enum sb_state end(struct sandbox *sb, struct container *ct, const char *why)
{
	(void)ct;
	if (why && sb->why.code == 0)
		err_set(&sb->why, -EIO, "%s", why);
	loop_stop(sb->loop, 0);
	return SB_ENDING;
}

/*
 * A VMM that ends closes its connections before its parent can see the end: helpers and the
 * agent seem to go first, and only the VMM knows why.
 */
static enum sb_state wait_for_cause(struct sandbox *sb, struct container *ct,
				    const char *why)
{
	if (why && sb->why.code == 0)
		err_set(&sb->why, -EIO, "%s", why);
	if (loop_timer_set(sb->boot_timer.fd, CAUSE_MS) < 0)
		return end(sb, ct, NULL);
	return SB_LOSING;
}

static enum sb_state end_with_cause(struct sandbox *sb, struct container *ct,
				    const char *why)
{
	err_done(&sb->why);
	return end(sb, ct, why);
}

static enum sb_state bring_up(struct sandbox *sb, struct container *ct, const char *why)
{
	struct kata_err err = { 0 };
	uint64_t ms = (uint64_t)conf_get(sb->conf)->boot_timeout * 1000;

	(void)why;
	if (callers_listen(sb, &err) < 0 || host_up(sb, ct, &err) < 0) {
		sb->why = err;
		fail_container(ct, &err);
		return SB_ENDING;
	}
	if (loop_timer_set(sb->boot_timer.fd, ms) < 0)
		return end(sb, NULL, "the boot timer cannot be set");
	return SB_BOOTING;
}

static enum sb_state wait_for_guest(struct sandbox *sb, struct container *ct,
				    const char *why)
{
	struct kata_err err = { 0 };

	(void)why;
	if (host_share(sb, ct, &err) < 0)
		fail_container(ct, &err);
	return sb->state;
}

static enum sb_state tell(struct sandbox *sb, struct container *ct, const char *why)
{
	struct kata_err err = { 0 };

	(void)why;
	if (host_share(sb, ct, &err) < 0)
		fail_container(ct, &err);
	else
		tell_guest(ct);
	return sb->state;
}

static enum sb_state tell_all(struct sandbox *sb, struct container *ct, const char *why)
{
	struct container *next;

	(void)why;
	if (loop_timer_set(sb->boot_timer.fd, 0) < 0)
		log_debug("the boot timer cannot be stopped");
	sb->state = SB_UP;
	for (ct = sb->containers; ct; ct = next) {
		next = ct->next;
		if (ct->state == CT_ASKED)
			tell_guest(ct);
	}
	/* while the guest builds */
	forwarding_up(sb);
	return sb->state;
}

static enum sb_state timed_out(struct sandbox *sb, struct container *ct, const char *why)
{
	(void)why;
	err_set(&sb->why, -ETIMEDOUT,
		"the guest's agent did not answer within %u s ([guest] boot_timeout); "
		"[guest] console = yes keeps what the guest's kernel says",
		conf_get(sb->conf)->boot_timeout);
	return end(sb, ct, NULL);
}

static enum sb_state refuse(struct sandbox *sb, struct container *ct, const char *why)
{
	struct kata_err err = { 0 };

	(void)why;
	err_set(&err, -ESHUTDOWN, "the sandbox is ending");
	fail_container(ct, &err);
	return sb->state;
}

static enum sb_state (*const table[SB_STATES][SB_EVENTS])(struct sandbox *sb, struct container *ct,
							  const char *why) = {
	[SB_EMPTY] = {
		[EV_CREATE] = bring_up,
		[EV_LOST] = end,
		[EV_LAST_GONE] = end,
	},
	[SB_BOOTING] = {
		[EV_CREATE] = wait_for_guest,
		[EV_GUEST_UP] = tell_all,
		[EV_TIMEOUT] = timed_out,
		[EV_LOST] = end,
		[EV_BROKEN] = wait_for_cause,
		[EV_LAST_GONE] = end,
	},
	[SB_UP] = {
		[EV_CREATE] = tell,
		[EV_LOST] = end,
		[EV_BROKEN] = wait_for_cause,
		[EV_LAST_GONE] = end,
	},
	[SB_LOSING] = {
		[EV_CREATE] = refuse,
		[EV_TIMEOUT] = end,
		[EV_LOST] = end_with_cause,
		[EV_LAST_GONE] = end,
	},
	[SB_ENDING] = {
		[EV_CREATE] = refuse,
	},
};

void sandbox_event(struct sandbox *sb, enum sb_event ev, struct container *ct,
		   const char *why)
{
	enum sb_state (*action)(struct sandbox *, struct container *,
				const char *) = table[sb->state][ev];
	enum sb_state next;

	if (!action)
		return;
	next = action(sb, ct, why);
	/* an action may have caused further events: ending is final */
	if (sb->state != SB_ENDING)
		sb->state = next;
}
