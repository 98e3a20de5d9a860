// SPDX-License-Identifier: Apache-2.0
/*
 * container: owns the list of containers. Its life is derived, not stored: container_state() reads it
 * off the init process, so the two cannot disagree.
 *
 * guest_settle() is the one place where lives go on: whatever happened (a child was reaped, a
 * stream ended, a request came), it looks at every container and does what has become possible,
 * in this order: rest of the container killed, output drained, EXITs of further processes, filesystems
 * synced, EXIT of init, forgotten.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "attrs.h"
#include "cgroup.h"
#include "child.h"
#include "delegate.h"
#include "devices.h"
#include "notify.h"
#include "ns.h"
#include "oom.h"
#include "pause.h"
#include "resources.h"
#include "sysctls.h"
#include "watch.h"

/** How long output of a further process may hold back the end of its container. */
#define DRAIN_MS 5000

struct container *container_find(const struct guest *g, uint32_t number)
{
	struct container *c = g->containers;

	while (c && c->number != number)
		c = c->next;
	return c;
}

struct process *container_process(const struct container *c, uint32_t number)
{
	struct process *p = c->processes;

	while (p && p->number != number)
		p = p->next;
	return p;
}

enum container_state container_state(const struct container *c)
{
	static const enum container_state of_init[] = {
		[PROCESS_BUILDING] = CONTAINER_BUILDING,
		[PROCESS_GATE] = CONTAINER_CREATED,
		[PROCESS_STARTING] = CONTAINER_RUNNING,
		[PROCESS_RUNNING] = CONTAINER_RUNNING,
		[PROCESS_DEAD] = CONTAINER_STOPPING,
		[PROCESS_TOLD] = CONTAINER_STOPPED,
	};

	return of_init[c->processes->state];
}

/* --- making one */

static void stop_drain_timer(struct container *c)
{
	loop_del(&c->drain);
	fd_drop(&c->drain_fd);
}

/*
 * Virtio-fs below a container's root is mounted where it is met, so only in the container's mount
 * namespace, and the kernel (6.1) ends such a filesystem with its last mount, whatever requests are on
 * their way. A file that was being read ahead when its process was killed holds its inode until
 * the read and then its RELEASE are answered: "Busy inodes after unmount", BUG() in the process
 * that ends, which nobody can reap. So its namespace is kept here until the host, who serves
 * the queue in order, has answered all that was left: the reads, and what followed them.
 */
static void release_mounts(struct container *c)
{
	struct statfs unused;

	for (int i = 0; i < 2 && c->mntns_fd >= 0; i++) {
		if (statfs(c->guest->share, &unused) < 0)
			break; /* there is nobody to answer */
	}
	fd_drop(&c->mntns_fd);
}

static void container_free(struct container *c)
{
	struct process *p = c->processes, *next;

	for (; p; p = next) {
		next = p->next;
		process_free(p);
	}
	if (c->cgroup_fd >= 0) {
		close(c->cgroup_fd);
		/* one that cannot be removed costs a few kilobytes until the VM ends */
		if (cgroup_remove(c->guest->cgroup_fd, c->number) < 0)
			c->cgroup_fd = -1;
	}
	stop_drain_timer(c);
	notify_end(c);
	release_mounts(c);
	ns_joins_done(&c->ns);
	arena_free(c->arena);
	free(c);
}

static int plan_devices(struct container *c, struct kata_err *err)
{
	int r = devices_plan(c->spec, c->arena, &c->devices, err);

	if (r == 0 && c->devices.warning)
		rpc_send_warning(c->guest, c->number, c->devices.warning);
	return r;
}

/* Before init exists: nothing of it is ever outside of its limits. */
static int limit_group(struct container *c, struct kata_err *err)
{
	const struct oci_linux *l = c->spec->linux_;
	int r = resources_apply(c->cgroup_fd, l ? l->resources : NULL, false, err);

	/* under the test entry the group is the host's, which may have no filters */
	return r < 0 || !c->guest->is_vm
		       ? r
		       : devices_filter(c->cgroup_fd, &c->devices.rules, err);
}

static int make_group(struct container *c, struct kata_err *err)
{
	c->cgroup = arena_printf(c->arena, "%s/c%u", c->guest->cgroup, c->number);
	c->cgroup_fd = cgroup_make(c->guest->cgroup_fd, c->number, err);
	if (c->cgroup_fd < 0)
		return c->cgroup_fd;
	oom_begin(c);
	return watch_group(c->guest, c->cgroup, err);
}

static int plan_container(struct container *c, const struct req_create *req,
			  struct kata_err *err)
{
	const struct mount_facts facts = { c->guest->share, req->shared };
	int r = sysctls_check(req->spec, err);

	if (r == 0)
		r = attrs_check(req->spec->process, req->spec->linux_, err);
	if (r == 0)
		r = plan_devices(c, err);
	if (r == 0)
		r = seccomp_decode(req->filter, c->arena, &c->filter, err);
	if (r == 0)
		r = seccomp_check(&c->filter, err);
	if (r == 0)
		r = ns_plan_make(req->spec, &c->ns_plan, err);
	if (r == 0)
		r = mount_plan_make(req->spec, &facts, c->arena, &c->plan, err);
	if (r == 0 && req->notify)
		r = notify_begin(c, *req->notify, err);
	if (r == 0 && c->guest->cgroup_fd >= 0)
		r = make_group(c, err);
	return r < 0 ? r : limit_group(c, err);
}

static struct child_job child_job(const struct container *c)
{
	return (struct child_job){
		.spec = c->spec,
		.filter = &c->filter,
		.plan = &c->plan,
		.devices = &c->devices,
		.id = c->id,
		.bundle = c->bundle,
		.ns_flags = c->ns_plan.new_flags,
		.join = NS_JOINS_NONE,
		.userns = &c->userns,
		.join_pidfd = -1,
		.cgroup_fd = c->cgroup_fd,
		.cgroup = c->cgroup,
		.no_keyring = c->no_keyring,
	};
}

/* Descriptors of the other containers' namespaces: borrowed. */
static int find_joins(struct container *c, struct ns_joins *ret, struct kata_err *err)
{
	for (int i = 0; i < NS_JOINS; i++) {
		uint32_t number = c->ns_plan.joins[i].container;
		const struct container *other;

		if (!c->ns_plan.joins[i].wanted)
			continue;
		other = container_find(c->guest, number);
		if (!other || other->doomed || other->ns.fd[i] < 0)
			return err_set(err, -EINVAL,
				       "linux.namespaces: container %u, whose namespace "
				       "is to be joined, does not exist",
				       number);
		ret->fd[i] = other->ns.fd[i];
		if (i == NS_JOIN_USER && userns_join(&c->userns, &other->userns, c->arena,
						     &c->userns, err) < 0)
			return err->code;
	}
	return 0;
}

/* Nothing of a network is there yet, and it is not to be the guest's own: see birth.c. */
static bool brings_network(const struct container *c)
{
	return (c->ns_plan.new_flags & CLONE_NEWUSER) &&
	       oci_spec_ns(c->spec, OCI_NS_NETWORK) && !c->guest->containers &&
	       !c->guest->net && !c->guest->network;
}

/* What init joins it has not joined yet: those are taken from where they were found. */
static void keep_ns(struct container *c, const struct ns_joins *joined)
{
	ns_open(c->processes->pid, &c->ns);
	c->mntns_fd = ns_open_mounts(c->processes->pid);
	for (int i = 0; i < NS_JOINS; i++) {
		if (joined->fd[i] < 0)
			continue;
		fd_drop(&c->ns.fd[i]);
		c->ns.fd[i] = fcntl(joined->fd[i], F_DUPFD_CLOEXEC, 0);
	}
}

static int start_init(struct container *c, const struct req_create *req,
		      struct kata_err *err)
{
	struct child_job job = child_job(c);
	AUTO_FREE char *rootfs = NULL;
	int r;

	/* the host's word, but a mistake there should not mount our own root */
	if (strstr(req->rootfs, "..") || req->rootfs[0] == '/')
		return err_set(err, -EINVAL, "rootfs: bad path \"%s\"", req->rootfs);
	rootfs = mem_printf("%s/%s", c->guest->share, req->rootfs);
	job.rootfs = rootfs;
	r = find_joins(c, &job.join, err);
	if (r == 0 && c->spec->process)
		r = userns_check_user(&c->userns, c->spec->process->user, err);
	if (brings_network(c))
		job.ns_flags |= CLONE_NEWNET;
	if (r == 0)
		r = delegate_group(c->cgroup_fd,
				   delegate_owner(c->spec, &c->plan, &c->userns), err);
	if (r == 0)
		r = process_start(c->processes, req->streams, &job, err);
	if (r == 0)
		keep_ns(c, &job.join);
	return r;
}

int container_create(struct guest *g, const struct req_create *req, struct rpc_call *call,
		     struct arena **a, struct kata_err *err)
{
	struct container *c;
	int r;

	if (container_find(g, req->target.container))
		return err_set(err, -EEXIST, "container %u exists",
			       req->target.container);
	c = mem_zalloc(sizeof(*c));
	c->guest = g;
	c->number = req->target.container;
	c->id = req->id;
	c->spec = req->spec;
	c->bundle = req->bundle;
	c->no_keyring = req->noKeyring;
	c->arena = *a;
	c->cgroup_fd = c->drain_fd = c->mntns_fd = -1;
	c->drain.fd = -1;
	c->ns = (struct ns_joins)NS_JOINS_NONE;
	c->userns = userns_of(req->spec);
	c->processes = process_new_take(c, 0, req->spec->process, &req->passed, NULL);
	r = plan_container(c, req, err);
	if (r == 0)
		r = start_init(c, req, err);
	if (r < 0) {
		c->arena = NULL;
		container_free(c);
		return r;
	}
	*a = NULL;
	c->processes->call = *call;
	c->next = g->containers;
	g->containers = c;
	return 0;
}

int container_exec(struct container *c, const struct req_exec *req, struct rpc_call *call,
		   struct arena **a, struct kata_err *err)
{
	struct child_job job = child_job(c);
	struct process *p;
	int r;

	if (req->target.process == 0 || container_process(c, req->target.process))
		return err_set(err, -EEXIST, "process %u exists", req->target.process);
	r = attrs_check(req->spec, NULL, err);
	if (r == 0)
		r = userns_check_user(&c->userns, req->spec->user, err);
	if (r < 0)
		return r;
	p = process_new_take(c, req->target.process, req->spec, &req->passed,
			     TAKE_PTR(*a));
	job.join_pidfd = c->processes->pidfd;
	job.ns_flags = ns_plan_flags(&c->ns_plan);
	r = process_start(p, req->streams, &job, err);
	if (r < 0) {
		process_free(p);
		return r;
	}
	p->call = *call;
	p->next = c->processes->next;
	c->processes->next = p;
	return 0;
}

int container_start(struct container *c, struct rpc_call *call, struct kata_err *err)
{
	int r;

	if (!c->spec->process)
		return err_set(err, -EINVAL, "cannot start a container without process");
	r = process_open_gate(c->processes);
	if (r < 0)
		return err_sys_code(err, r, "open the exec gate");
	c->processes->call = *call;
	return 0;
}

/* --- ending one */

bool container_is_empty(const struct container *c)
{
	const struct process *p;

	for (p = c->processes; p; p = p->next) {
		if (p->state < PROCESS_DEAD)
			return false;
	}
	return c->cgroup_fd < 0 || !cgroup_populated(c->cgroup_fd);
}

int container_signal(struct container *c, int sig)
{
	struct process *p;
	int r = -ESRCH;

	for (p = c->processes; p && sig == SIGKILL; p = p->next)
		p->killed = true;
	if (c->cgroup_fd >= 0)
		return sig == SIGKILL && cgroup_populated(c->cgroup_fd)
			       ? cgroup_kill(c->cgroup_fd)
			       : cgroup_signal(c->cgroup_fd, sig);
	for (p = c->processes; p; p = p->next) {
		if (process_signal(p, sig) == 0)
			r = 0;
	}
	return r;
}

/* Once. What can fail is that they are gone already. */
static void kill_rest(struct container *c)
{
	c->killed = container_signal(c, SIGKILL) <= 0;
}

void container_delete(struct container *c, struct rpc_call *call)
{
	struct process *p;

	c->deleting = *call;
	c->doomed = true;
	kill_rest(c);
	/* a host that wants it gone does not read its output any more */
	for (p = c->processes; p; p = p->next) {
		for (struct stream *s = p->all_streams; s; s = s->next)
			stream_abort(s);
	}
}

/*
 * Are the filesystems written out? In a child, for it takes as long as the host's disk, and other
 * containers live in this guest. Only where none can be had the agent does it.
 */
static bool filesystems_synced(struct container *c)
{
	if (c->sync_pid == 0)
		c->sync_pid = process_fork_sync(c->guest);
	if (c->sync_pid < 0 && !c->synced) {
		process_sync(c->guest);
		c->synced = true;
	}
	return c->synced;
}

void container_synced(struct guest *g, pid_t pid, bool well)
{
	for (struct container *c = g->containers; c; c = c->next) {
		if (c->sync_pid != pid || c->synced)
			continue;
		c->synced = well;
		/* killed: the agent will do it */
		if (!well)
			c->sync_pid = -1;
	}
}

static void on_drain_timer(struct loop_src *src, uint32_t events)
{
	struct container *c = CONTAINER_OF(src, struct container, drain);

	(void)events;
	stop_drain_timer(c);
	c->impatient = true;
	guest_settle(c->guest);
}

/*
 * Init's own output is waited for as long as it takes. A further process may have a caller that is
 * gone or reads no more; the container's end must not depend on it.
 */
static void start_drain_timer(struct container *c)
{
	if (c->drain_fd >= 0 || c->impatient)
		return;
	c->drain = (struct loop_src){ .fn = on_drain_timer, .fd = -1 };
	c->drain_fd = loop_timer();
	if (c->drain_fd >= 0 && loop_timer_set(c->drain_fd, DRAIN_MS) == 0 &&
	    loop_add(c->guest->loop, &c->drain, c->drain_fd, EPOLLIN) == 0)
		return;
	fd_drop(&c->drain_fd);
	c->impatient = true;
}

static void settle_others(struct container *c)
{
	struct process **at = &c->processes->next;

	while (*at) {
		struct process *p = *at;

		process_settle(p);
		if (c->impatient)
			process_give_up_output(p);
		if (process_is_drained(p))
			process_tell_exit(p);
		if (process_is_done(p)) {
			*at = p->next;
			process_free(p);
		} else {
			at = &p->next;
		}
	}
}

static bool others_told(const struct container *c)
{
	const struct process *p;

	for (p = c->processes->next; p; p = p->next) {
		if (p->state < PROCESS_TOLD)
			return false;
	}
	return true;
}

static void settle_init(struct container *c)
{
	struct process *init = c->processes;

	if (init->state == PROCESS_DEAD && !c->killed && !container_is_empty(c)) {
		/* without a pid namespace the kernel has not done it. Each death wakes us */
		kill_rest(c);
	}
	process_settle(init);
	if (init->state == PROCESS_DEAD && !others_told(c))
		start_drain_timer(c);
	if (!process_is_drained(init) || !container_is_empty(c) || !others_told(c))
		return;
	if (init->quiet)
		c->doomed = true;
	else if (!filesystems_synced(c))
		return;
	release_mounts(c);
	notify_drain(c);
	process_tell_exit(init);
}

static bool is_over(const struct container *c)
{
	return c->doomed && c->processes->state == PROCESS_TOLD && others_told(c);
}

/* The answers come last: the host may use its number and its rootfs again at once. */
static void container_end(struct container *c)
{
	struct guest *g = c->guest;
	struct process *init = c->processes;
	struct rpc_call deleting = c->deleting, creating = init->call;
	struct child_report *failure = init->failure;

	init->failure = NULL;
	container_free(c);
	rpc_answer(g, &deleting, MSG_OK, 0, NULL);
	if (failure)
		rpc_answer(g, &creating, failure->code, failure->err, failure->text);
	free(failure);
}

void guest_settle(struct guest *g)
{
	struct container **at = &g->containers;

	while (*at) {
		struct container *c = *at;

		settle_others(c);
		settle_init(c);
		pause_settle(c);
		if (is_over(c)) {
			*at = c->next;
			container_end(c);
		} else {
			at = &c->next;
		}
	}
}
