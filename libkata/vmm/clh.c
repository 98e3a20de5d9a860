/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clh: the Cloud Hypervisor driver: process + API socket + event monitor = one VM.
 *
 * The socket is made and connected to before the process is: it listens on what it inherits,
 * so there is no moment at which it would have to be waited for; its name is
 * taken away at once. All that makes the VM is then in line:
 *
 *   vmm.ping     -> is the release one that we know?
 *   vm.create    -> all but the cards: it takes no descriptors
 *   vm.add-net   -> for each card, its taps along with it
 *   vm.boot
 *   vm.info      -> does it run, with the memory that was asked for?
 *
 * A refusal, garbage, silence or a broken socket kills the process (vmm_process). Only one that has
 * hung up is given a moment to end by itself: it has a reason to print.
 *
 * The VMM boots a guest anew that resets. A guest of ours has ended then: the event says so, and the process is killed.
 *
 * A VM that runs is ended in order, vm.shutdown and vmm.shutdown: disk images are its own to
 * close. That is waited for, and whatever is not gone in that time is killed.
 */
#include "vmm/clh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sock.h"
#include "conf/conf_paths.h"
#include "vmm/rest.h"
#include "vmm/vmm_process.h"

/** Name of the API's socket in the current directory, while it is connected to. */
#define API_NAME "vmm.api"
#define API "/api/v1/"
/** Time for an answer, milliseconds: a boot loads the kernel and maps all memory. */
#define ANSWER_MS 10000
#define BOOT_MS 30000
/** Time to end after hanging up, and when told to. */
#define GRACE_MS 1000
/** Bytes of one event; what stands behind each. */
#define EVENT_MAX (16u << 10)
#define EVENT_END "\n\n"
#define EVENT_READS 16

/* vm.info holds the whole configuration and the tree of devices. */
static const struct json_limits info_limits = {
	.bytes = 256u << 10, .string = 16u << 10, .depth = 16, .nodes = 16384
};

struct vmm {
	struct vmm_process process;
	struct rest *api;
	struct loop_src events;
	struct loop_src grace;
	int events_fd, grace_fd;
	struct buf event; /* as much of one as has come */
	uint64_t memory;
	bool runs; /* vm.info says so */
};

static void give_up(struct vmm *v, const char *what, const char *text)
{
	AUTO_FREE char *why = mem_printf("%s%s", what, text);

	vmm_process_blame(&v->process, why);
	vmm_process_kill(&v->process);
}

static void on_grace(struct loop_src *src, uint32_t events)
{
	(void)events;
	loop_timer_ack(src->fd);
	vmm_process_kill(&CONTAINER_OF(src, struct vmm, grace)->process);
}

/* --- events ------------------------------------------------------------------------------ */

static void on_event(struct vmm *v, const char *source, const char *name)
{
	static const struct {
		const char *source, *name, *text;
		bool kill;
	} table[] = {
		{ "vm", "rebooting", "the guest's kernel reset; a panic does that",
		  true },
		{ "vm", "shutdown", "the guest powered off", false },
		{ "vm", "panic", "the guest's kernel panicked", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table) && !v->process.guest_did; i++) {
		if (!str_eq(source, table[i].source) || !str_eq(name, table[i].name))
			continue;
		v->process.guest_did = table[i].text;
		if (table[i].kill)
			give_up(v, "", table[i].text);
	}
}

static int take_event(struct vmm *v, const char *text, size_t len, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	const struct json *j = NULL;
	int r = json_parse(text, len, &json_limits_hostile, a, &j, err);

	if (r < 0)
		return r;
	if (!json_get_str(j, "source") || !json_get_str(j, "event"))
		return err_set(err, -EBADMSG, "an event without a name");
	on_event(v, json_get_str(j, "source"), json_get_str(j, "event"));
	return 0;
}

static int take_events(struct vmm *v, struct kata_err *err)
{
	for (;;) {
		const char *p = buf_cstr(&v->event);
		const char *end = strstr(p, EVENT_END);
		int r;

		if (strlen(p) != buf_len(&v->event))
			return err_set(err, -EBADMSG, "a NUL");
		if (!end)
			return 0;
		r = take_event(v, p, (size_t)(end - p), err);
		if (r < 0)
			return r;
		buf_consume(&v->event, (size_t)(end - p) + strlen(EVENT_END));
	}
}

/* Return: false when there is nothing more to read for now. */
static bool read_events(struct vmm *v)
{
	struct kata_err err = { 0 };
	char chunk[4096];
	ssize_t n = read(v->events_fd, chunk, sizeof(chunk));
	int r = 0;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			loop_del(&v->events); /* the process's end says the rest */
		return false;
	}
	buf_add(&v->event, chunk, (size_t)n);
	if (v->event.overflow)
		r = err_set(&err, -E2BIG, "longer than any event");
	if (r == 0)
		r = take_events(v, &err);
	if (r == 0)
		return true;
	loop_del(&v->events);
	give_up(v, "sent garbage on its event monitor: ", err.msg);
	return false;
}

static void drain_events(struct vmm_process *p)
{
	struct vmm *v = CONTAINER_OF(p, struct vmm, process);

	for (int i = 0; i < EVENT_READS && v->events_fd >= 0; i++)
		if (!read_events(v))
			return;
}

static void on_events(struct loop_src *src, uint32_t events)
{
	(void)events;
	drain_events(&CONTAINER_OF(src, struct vmm, events)->process);
}

/* --- answers ----------------------------------------------------------------------------- */

static void refused(struct vmm *v, const char *what, const struct rest_answer *a)
{
	AUTO_FREE char *text = mem_printf("refused %s: %s", what, a->text);

	give_up(v, "", text);
}

/* "v42.0", "v50.0-dirty": the number before the dot */
static bool is_known_version(const char *version)
{
	AUTO_FREE char *major = version && version[0] == 'v' ? mem_strdup(version + 1)
							     : NULL;
	uint64_t n;

	if (!major)
		return false;
	major[strcspn(major, ".-")] = 0;
	return str_to_u64(major, CLH_VERSION_MIN, 9999, &n) == 0;
}

static void on_ping(void *arg, const struct rest_answer *a)
{
	AUTO(arena) *arena = arena_new();
	const struct json *j = NULL;
	struct kata_err err = { 0 };
	struct vmm *v = arg;
	char text[96];

	if (a->code < 0) {
		refused(v, "vmm.ping", a);
		return;
	}
	if (json_parse(a->body, a->len, &json_limits_hostile, arena, &j, &err) < 0) {
		give_up(v, "sent garbage on its API socket: ", err.msg);
		return;
	}
	if (is_known_version(json_get_str(j, "version")))
		return;
	snprintf(text, sizeof(text), "v%d or later is needed", CLH_VERSION_MIN);
	give_up(v, "is of a release that is not known: ", text);
}

static void on_create(void *arg, const struct rest_answer *a)
{
	if (a->code < 0)
		refused(arg, "vm.create", a);
}

static void on_add_net(void *arg, const struct rest_answer *a)
{
	if (a->code < 0)
		refused(arg, "vm.add-net", a);
}

static void on_boot(void *arg, const struct rest_answer *a)
{
	if (a->code < 0)
		refused(arg, "vm.boot", a);
}

static void on_info(void *arg, const struct rest_answer *a)
{
	AUTO(arena) *arena = arena_new();
	const struct json *j = NULL;
	struct kata_err err = { 0 };
	struct vmm *v = arg;
	const char *state;
	uint64_t memory = 0;

	if (a->code < 0) {
		refused(v, "vm.info", a);
		return;
	}
	if (json_parse(a->body, a->len, &info_limits, arena, &j, &err) < 0) {
		give_up(v, "sent garbage on its API socket: ", err.msg);
		return;
	}
	state = json_get_str(j, "state");
	if (!str_eq(state, "Running"))
		give_up(v, "booted a VM that does not run", "");
	else if (!json_get(j, "memory_actual_size") ||
		 json_to_u64(json_get(j, "memory_actual_size"), 0, UINT64_MAX, &memory) <
			 0 ||
		 memory != v->memory)
		give_up(v, "made a VM of another size than it was told", "");
	else
		v->runs = true;
}

static void on_done(void *arg, const struct rest_answer *a)
{
	vmm_process_answer(&((struct vmm *)arg)->process, a->code, a->text);
}

static void on_api_gone(void *arg, const char *why)
{
	struct vmm *v = arg;
	bool first = !v->process.why;

	vmm_process_blame(&v->process, why);
	if (!first || !str_has_prefix(why, "closed") ||
	    loop_timer_set(v->grace_fd, GRACE_MS) < 0)
		vmm_process_kill(&v->process);
}

/* --- requests ---------------------------------------------------------------------------- */

static int put(struct vmm *v, const char *path, const char *body, rest_done_fn *done,
	       struct kata_err *err)
{
	const struct rest_request q = {
		.method = "PUT",
		.path = path,
		.body = body,
		.deadline_ms = ANSWER_MS,
		.done = done,
	};

	return rest_request(v->api, &q, err);
}

static int get(struct vmm *v, const char *path, rest_done_fn *done, struct kata_err *err)
{
	const struct rest_request q = {
		.method = "GET", .path = path, .deadline_ms = ANSWER_MS, .done = done
	};

	return rest_request(v->api, &q, err);
}

static int add_cards(struct vmm *v, const struct vm_plan *plan, const struct vmm_fds *fds,
		     struct kata_err *err)
{
	int r = 0;

	for (unsigned i = 0; i < plan->n_cards && r == 0; i++) {
		struct buf body = { 0 };
		struct rest_request q = {
			.method = "PUT",
			.path = API "vm.add-net",
			.fds = fds->taps[i].fd,
			.n_fds = plan->cards[i].queues,
			.deadline_ms = ANSWER_MS,
			.done = on_add_net,
		};

		clh_net_body(plan, i, &body);
		q.body = buf_cstr(&body);
		r = rest_request(v->api, &q, err);
		buf_done(&body);
	}
	return r;
}

static int ask_for_vm(struct vmm *v, const struct vm_plan *plan,
		      const struct vmm_fds *fds, struct kata_err *err)
{
	const struct rest_request boot = { .method = "PUT",
					   .path = API "vm.boot",
					   .deadline_ms = BOOT_MS,
					   .done = on_boot };
	struct buf body = { 0 };
	int r = get(v, API "vmm.ping", on_ping, err);

	clh_vm_body(plan, &body);
	if (r == 0)
		r = put(v, API "vm.create", buf_cstr(&body), on_create, err);
	buf_done(&body);
	if (r == 0)
		r = add_cards(v, plan, fds, err);
	if (r == 0)
		r = rest_request(v->api, &boot, err);
	return r == 0 ? get(v, API "vm.info", on_info, err) : r;
}

/* --- life -------------------------------------------------------------------------------- */

static void close_channels(struct vmm_process *p)
{
	struct vmm *v = CONTAINER_OF(p, struct vmm, process);

	rest_free(TAKE_PTR(v->api));
	loop_del(&v->events);
	loop_del(&v->grace);
	fd_drop(&v->events_fd);
	fd_drop(&v->grace_fd);
	buf_done(&v->event);
}

static int start_process(struct vmm *v, const struct vm_plan *plan,
			 const struct vmm_fds *fds, int api, int events, struct loop *l,
			 const struct vmm_events *ev, struct kata_err *err)
{
	const struct proc_fd list[] = { { api, CLH_FD_API }, { events, CLH_FD_EVENTS } };
	struct strv argv = { 0 };
	int r;

	clh_argv(plan, &argv);
	r = vmm_process_start(&v->process, plan, argv.v, list, ARRAY_SIZE(list), fds, ev,
			      l, err);
	strv_done(&argv);
	return r;
}

/* A listening socket, and a connection to it that waits in its line. */
static int make_api(struct vmm *v, struct loop *l, int *ret_listen, struct kata_err *err)
{
	const struct rest_ops ops = { on_api_gone, v };
	AUTO_CLOSE int fd = sock_listen_at(AT_FDCWD, API_NAME, SOCK_STREAM);
	int ours;

	if (fd < 0)
		return err_sys_code(err, fd, "listen at " API_NAME);
	ours = sock_connect_at(AT_FDCWD, API_NAME, SOCK_STREAM);
	if (unlink(API_NAME) < 0 || ours < 0) {
		if (ours >= 0)
			close(ours);
		return err_sys_code(err, ours < 0 ? ours : -errno,
				    "connect to " API_NAME);
	}
	*ret_listen = TAKE_FD(fd);
	return rest_new_take(l, ours, &ops, &v->api, err);
}

static int make_events(struct vmm *v, struct loop *l, int *ret_write,
		       struct kata_err *err)
{
	int pair[2], r;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(err, "pipe of the event monitor");
	*ret_write = pair[1];
	v->events_fd = pair[0];
	/* only our end: the VMM's is another open file description */
	if (fcntl(v->events_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, "pipe of the event monitor");
	v->events.fn = on_events;
	v->grace.fn = on_grace;
	v->grace_fd = loop_timer();
	r = v->grace_fd < 0 ? v->grace_fd : loop_add(l, &v->grace, v->grace_fd, EPOLLIN);
	if (r == 0)
		r = loop_add(l, &v->events, v->events_fd, EPOLLIN);
	return r < 0 ? err_sys_code(err, r, "watch the event monitor") : 0;
}

static void on_ended(void *arg, const struct rest_answer *a)
{
	if (a->code < 0)
		give_up(arg, "refused to end: ", a->text);
}

/* An error is none: the process is killed then. */
static void end_in_order(struct vmm *v)
{
	struct kata_err err = { 0 };
	int left = 0;

	v->process.ev.on_done = NULL;
	if (put(v, API "vm.shutdown", NULL, on_ended, &err) == 0 &&
	    put(v, API "vmm.shutdown", NULL, on_ended, &err) == 0)
		left = rest_finish(v->api, GRACE_MS);
	if (proc_wait_ms(v->process.child.proc.pidfd, left) < 1)
		log_debug("%s did not end by itself", v->process.name);
}

static void clh_stop(struct vmm *v)
{
	if (v->api && v->runs && !v->process.why)
		end_in_order(v);
	vmm_process_stop(&v->process);
}

static void clh_free(struct vmm *v)
{
	if (!v)
		return;
	vmm_process_done(&v->process);
	free(v);
}

static int start(struct vmm *v, const struct vm_plan *plan, const struct vmm_fds *fds,
		 struct loop *l, const struct vmm_events *ev, struct kata_err *err)
{
	AUTO_CLOSE int api = -1;
	AUTO_CLOSE int events = -1;
	int r = make_api(v, l, &api, err);

	if (r == 0)
		r = make_events(v, l, &events, err);
	if (r == 0)
		r = start_process(v, plan, fds, api, events, l, ev, err);
	return r == 0 ? ask_for_vm(v, plan, fds, err) : r;
}

static int clh_launch(const struct vm_plan *plan, const struct vmm_fds *fds,
		      struct loop *l, const struct vmm_events *ev, struct vmm **ret_vmm,
		      struct kata_err *err)
{
	struct vmm *v = mem_zalloc(sizeof(*v));
	int r;

	v->process.drain = drain_events;
	v->process.close = close_channels;
	v->events_fd = v->events.fd = v->grace_fd = v->grace.fd = -1;
	v->event.max = EVENT_MAX;
	v->memory = plan->memory;
	r = start(v, plan, fds, l, ev, err);
	if (r < 0) {
		clh_free(v);
		return r;
	}
	*ret_vmm = v;
	return 0;
}

static int order(struct vmm *v, const char *path, struct kata_err *err)
{
	if (!v->api)
		return err_set(err, -ESRCH, "%s: the VMM has ended", path);
	return put(v, path, NULL, on_done, err);
}

static int clh_pause(struct vmm *v, struct kata_err *err)
{
	return order(v, API "vm.pause", err);
}

static int clh_resume(struct vmm *v, struct kata_err *err)
{
	return order(v, API "vm.resume", err);
}

const struct vmm_driver clh_driver = {
	.name = "cloud-hypervisor",
	.program = KATA_DEFAULT_CLOUD_HYPERVISOR,
	.package = "cloud-hypervisor",
	.caps = VMM_CAP_PAUSE | VMM_CAP_OWN_VSOCK | VMM_CAP_DIALS,
	.check = clh_check,
	.launch = clh_launch,
	.pause = clh_pause,
	.resume = clh_resume,
	.stop = clh_stop,
	.free = clh_free,
};
