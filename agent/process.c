// SPDX-License-Identifier: Apache-2.0
/*
 * process: fork, the child's reports, the end.
 *
 * The fork itself is in birth.c.
 *
 * The agent keeps no end of a pipe that belongs to the container; a child keeps none of
 * anybody else's (child.c closes all but its own).
 *
 * EXIT comes after all STREAM_ENDs; see io.c for what ends a stream.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "birth.h"
#include "child.h"
#include "conns.h"
#include "container.h"
#include "oom.h"
#include "passed.h"
#include "tty.h"

static struct guest *guest_of(const struct process *p)
{
	return p->container->guest;
}

/* --- streams */

static void on_stream_changed(struct stream *s)
{
	struct process *p = s->owner;

	guest_settle(guest_of(p));
}

static void on_output_end(struct stream *s, uint64_t bytes)
{
	struct process *p = s->owner;
	const struct msg_stream_end m = {
		.container = p->container->number,
		.process = p->number,
		.stream = s->number,
		.bytes = bytes,
	};

	if (!p->quiet)
		rpc_send_stream_end(guest_of(p), &m);
}

static const struct stream_ops stream_ops = {
	.changed = on_stream_changed,
	.output_end = on_output_end,
};

static bool streams_connecting(const struct process *p)
{
	for (const struct stream *s = p->all_streams; s; s = s->next) {
		if (s->used && s->connecting)
			return true;
	}
	return false;
}

static int streams_failed(const struct process *p)
{
	for (unsigned i = 0; i < p->n_streams; i++) {
		if (p->streams[i].used && p->streams[i].failed < 0)
			return p->streams[i].failed;
	}
	return 0;
}

/* --- life */

void process_add_stream(struct process *p, struct stream *s)
{
	s->ops = &stream_ops;
	s->owner = p;
	s->sock_fd = s->pipe_fd = -1;
	s->next = p->all_streams;
	p->all_streams = s;
}

struct stream *process_stream(struct process *p, unsigned number)
{
	struct stream *s = p->all_streams;

	while (s && (!s->used || s->number != number))
		s = s->next;
	return s;
}

struct process *process_new_take(struct container *c, uint32_t number,
				 const struct oci_process *spec,
				 const struct passed_list *passed, struct arena *arena)
{
	unsigned n_streams = STREAM_KINDS + 2 * (unsigned)passed->fds.n;
	struct process *p = mem_zalloc(sizeof(*p) + n_streams * sizeof(*p->streams));

	p->container = c;
	p->number = number;
	p->spec = spec;
	p->passed = passed;
	p->n_streams = n_streams;
	p->arena = arena;
	p->pid = -1;
	p->pidfd = p->report_fd = -1;
	p->listeners = mem_zalloc((passed->fds.n + 1) * sizeof(*p->listeners));
	for (unsigned i = 0; i < p->n_streams; i++)
		process_add_stream(p, &p->streams[i]);
	return p;
}

static void close_report(struct process *p)
{
	loop_del(&p->report);
	if (p->report_fd >= 0)
		close(p->report_fd);
	p->report_fd = -1;
}

void process_free(struct process *p)
{
	if (!p)
		return;
	p->quiet = true;
	for (struct stream *s = p->all_streams; s; s = s->next)
		stream_abort(s);
	close_report(p);
	if (p->pidfd >= 0)
		close(p->pidfd);
	conns_free(p);
	free(p->listeners);
	arena_free(p->arena);
	free(p->failure);
	free(p);
}

/*
 * It will not come to be. The answer waits until nothing of it is left, so that its number and
 * its rootfs are free when the host hears of it.
 */
static void give_up(struct process *p, enum msg_code code, int errnum, const char *text)
{
	if (p->failure)
		return;
	p->failure = mem_zalloc(sizeof(*p->failure));
	p->failure->code = (uint16_t)code;
	p->failure->err = (uint16_t)errnum;
	str_copy(p->failure->text, sizeof(p->failure->text), text);
	/* a failure behind the gate belongs to a process that the host knows */
	if (p->number == 0 && p->state >= PROCESS_STARTING)
		return;
	p->quiet = true;
	for (struct stream *s = p->all_streams; s; s = s->next)
		stream_abort(s);
}

/* What give_up() left to be said. */
static void answer_failure(struct process *p)
{
	const struct child_report *f = p->failure;

	if (f)
		rpc_answer(guest_of(p), &p->call, f->code, f->err, f->text);
}

/* Built, or running: answer when the streams stand too. */
static void answer_ready(struct process *p)
{
	int r;

	if (!p->call.id || p->failure || streams_connecting(p))
		return;
	r = streams_failed(p);
	if (r < 0) {
		give_up(p, MSG_FAILED, -r, "connect stdio to the host");
		r = process_signal(p, SIGKILL);
		/* gone already: as well */
		(void)r;
		return;
	}
	if (p->state == PROCESS_GATE || p->ran)
		rpc_answer(guest_of(p), &p->call, MSG_OK, 0, NULL);
}

static void on_ready(struct process *p, int *master_fd)
{
	p->state = p->number == 0 ? PROCESS_GATE : PROCESS_STARTING;
	if (*master_fd >= 0 && p->streams[STREAM_TTY].used)
		stream_set_master_take(&p->streams[STREAM_TTY], TAKE_FD(*master_fd));
}

/* The child's end of the pair is closed: it has exec'd, or it died. */
static void on_report_end(struct process *p)
{
	close_report(p);
	if (p->state == PROCESS_STARTING) {
		p->state = PROCESS_RUNNING;
		p->ran = true;
	} else if (p->state == PROCESS_BUILDING) {
		give_up(p, MSG_FAILED, 0, "container init was killed while it was built");
	}
}

/* Read all that the child has to say by now. */
static void read_reports(struct process *p)
{
	while (p->report_fd >= 0) {
		struct child_report rep;
		int fds[SOCK_MAX_FDS];
		size_t n_fds = 0;
		ssize_t n = sock_recv(p->report_fd, &rep, sizeof(rep), fds, &n_fds);
		int master = n_fds > 0 ? fds[0] : -1;

		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n != (ssize_t)sizeof(rep)) {
			on_report_end(p);
			return;
		}
		if (rep.code == MSG_OK) {
			on_ready(p, &master);
		} else {
			rep.text[sizeof(rep.text) - 1] = '\0';
			give_up(p, rep.code, rep.err, rep.text);
		}
		if (master >= 0)
			close(master);
	}
}

static void on_report(struct loop_src *src, uint32_t events)
{
	struct process *p = CONTAINER_OF(src, struct process, report);
	struct guest *g = guest_of(p);

	(void)events;
	read_reports(p);
	guest_settle(g);
}

/* --- fork */

/**
 * struct ends - the child's descriptors; closed in the agent after the fork.
 * Entries may be the same descriptor (/dev/null).
 */
struct ends {
	int stdio[3];
	int null_fd, report;
	int passed[PROTO_PASSED_MAX];
	unsigned n_passed;
};

static void ends_done(struct ends *e)
{
	for (int i = 0; i < 3; i++) {
		if (e->stdio[i] >= 0 && e->stdio[i] != e->null_fd)
			close(e->stdio[i]);
	}
	if (e->null_fd >= 0)
		close(e->null_fd);
	if (e->report >= 0)
		close(e->report);
	while (e->n_passed > 0)
		close(e->passed[--e->n_passed]);
}

/* Of what the process is to open again; checked to be mapped. */
static uid_t owner_of(const struct process *p)
{
	return userns_uid(&p->container->userns,
			  p->spec && p->spec->user ? p->spec->user->uid : 0);
}

static int make_pipe(struct process *p, enum msg_stream kind, uint64_t token,
		     struct ends *e)
{
	uid_t uid = owner_of(p);
	int ends[2], ours = kind == STREAM_STDIN ? 1 : 0, flags;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	e->stdio[kind] = ends[!ours];
	flags = fcntl(ends[ours], F_GETFL);
	/* the owner may open /dev/stdout again, which is a new look at the pipe's permissions */
	if (flags < 0 || fcntl(ends[ours], F_SETFL, flags | O_NONBLOCK) < 0 ||
	    (uid && fchown(ends[ours], uid, (gid_t)-1) < 0)) {
		int code = -errno;

		close(ends[ours]);
		return code;
	}
	return stream_open_take(&p->streams[kind], guest_of(p)->loop, &guest_of(p)->dial,
				kind, token, ends[ours]);
}

static int make_stdio(struct process *p, const struct req_streams *streams,
		      struct ends *e)
{
	if (p->spec && p->spec->terminal) {
		uint64_t token = req_token(streams, STREAM_TTY);

		/* without one its output goes nowhere, and the process has a terminal all the same */
		if (!token)
			return -EINVAL;
		return stream_open_take(&p->streams[STREAM_TTY], guest_of(p)->loop,
					&guest_of(p)->dial, STREAM_TTY, token, -1);
	}
	e->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (e->null_fd < 0)
		return -errno;
	for (int kind = STREAM_STDIN; kind <= STREAM_STDERR; kind++) {
		uint64_t token = req_token(streams, (enum msg_stream)kind);
		int r;

		e->stdio[kind] = e->null_fd;
		r = token ? make_pipe(p, (enum msg_stream)kind, token, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* @half: -1 = not that way. */
static int open_half_take(struct process *p, unsigned number, const char *token, int half,
			  bool socket)
{
	if (half < 0)
		return 0;
	p->streams[number].half = socket;
	return stream_open_take(&p->streams[number], guest_of(p)->loop,
				&guest_of(p)->dial, number, req_token_of(token), half);
}

static int make_passed(struct process *p, struct ends *e, struct kata_err *err)
{
	const struct passed_fd *v = p->passed->fds.v;

	if (p->passed->fds.n > PROTO_PASSED_MAX)
		return err_set(err, -E2BIG, "%zu descriptors, at most %u can be passed",
			       p->passed->fds.n, PROTO_PASSED_MAX);
	for (unsigned i = 0; i < p->passed->fds.n; i++) {
		bool socket = v[i].kind == PASSED_SOCKET;
		struct passed_ends ends;
		int r = passed_open(&v[i], guest_of(p)->share, owner_of(p), &ends, err);

		if (r < 0)
			return err_ctx(err, "descriptor %u", STDERR_FILENO + 1 + i);
		e->passed[e->n_passed++] = ends.child;
		p->listeners[i] = ends.addr;
		r = open_half_take(p, stream_passed_in(i), v[i].in, ends.in, socket);
		if (r < 0)
			fd_drop(&ends.out);
		else
			r = open_half_take(p, stream_passed_out(i), v[i].out, ends.out,
					   socket);
		if (r < 0)
			return err_sys_code(err, r, "connect descriptor %u to the host",
					    STDERR_FILENO + 1 + i);
	}
	return 0;
}

/* An init that is built in a user namespace waits for its maps; see birth.c. */
static int fork_child(struct process *p, const struct child_job *job,
		      struct kata_err *err)
{
	int r = birth_fork(p, job, err);

	if (r < 0 || !child_job_waits(job) || birth_settle(p, job, err) == 0)
		return r;
	/* it is there: it ends, and is heard of, as any other that fails */
	give_up(p, MSG_FAILED, -err->code, err->msg);
	err_done(err);
	r = process_signal(p, SIGKILL);
	return r == -ESRCH ? 0 : r;
}

static int start_child(struct process *p, struct child_job *job, struct ends *e,
		       struct kata_err *err)
{
	int pair[2], r = sock_pair(SOCK_SEQPACKET, pair);

	if (r < 0)
		return err_sys_code(err, r, "make a socket pair");
	e->report = pair[1];
	p->report_fd = pair[0];
	r = fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	p->report.fn = on_report;
	p->report.fd = -1;
	if (r == 0)
		r = loop_add(guest_of(p)->loop, &p->report, pair[0], EPOLLIN);
	if (r < 0)
		return err_sys_code(err, r, "watch the child");
	job->process = p->spec;
	job->report_fd = pair[1];
	memcpy(job->stdio, e->stdio, sizeof(job->stdio));
	memcpy(job->passed, e->passed, sizeof(job->passed));
	job->n_passed = e->n_passed;
	return fork_child(p, job, err);
}

int process_start(struct process *p, const struct req_streams *streams,
		  struct child_job *job, struct kata_err *err)
{
	struct ends e = { .stdio = { -1, -1, -1 }, .null_fd = -1, .report = -1 };
	int r;

	oom_look(p->container);
	p->oom_base = p->container->oom_kills;
	r = make_stdio(p, streams, &e);

	if (r < 0)
		err_sys_code(err, r, "connect stdio to the host");
	else
		r = make_passed(p, &e, err);
	if (r == 0)
		r = start_child(p, job, &e, err);
	ends_done(&e);
	p->state = r < 0 ? PROCESS_TOLD : PROCESS_BUILDING;
	return r;
}

int process_open_gate(struct process *p)
{
	int r = sock_send(p->report_fd, "g", 1, NULL, 0);

	if (r >= 0)
		p->state = PROCESS_STARTING;
	return r < 0 ? r : 0;
}

/* --- end */

void process_reaped(struct process *p, const siginfo_t *info)
{
	read_reports(p);
	if (p->report_fd >= 0)
		on_report_end(p);
	if (p->call.id && !p->ran)
		give_up(p, MSG_FAILED, ESRCH,
			"the process was killed before it could run");
	/* the container's init is answered when the container is gone (guest_settle) */
	if (p->failure && !p->quiet)
		answer_failure(p);
	p->status = (uint8_t)(info->si_code == CLD_EXITED ? info->si_status
							  : 128 + info->si_status);
	p->state = PROCESS_DEAD;
	oom_look(p->container);
	p->oom = info->si_code == CLD_KILLED && info->si_status == SIGKILL &&
		 !p->killed && p->container->oom_kills > p->oom_base;
}

void process_settle(struct process *p)
{
	conns_sweep(p);
	answer_ready(p);
	/* output written before the connection stands is in the pipe and has to be sent yet */
	if (p->state != PROCESS_DEAD || streams_connecting(p))
		return;
	/* an init without a pid namespace has left others behind: their output counts */
	if (p->number == 0 && !container_is_empty(p->container))
		return;
	for (struct stream *s = p->all_streams; s; s = s->next)
		stream_drain(s);
}

void process_give_up_output(struct process *p)
{
	for (struct stream *s = p->all_streams; s && p->state == PROCESS_DEAD;
	     s = s->next)
		stream_give_up(s);
}

bool process_is_drained(const struct process *p)
{
	if (p->state != PROCESS_DEAD)
		return false;
	for (const struct stream *s = p->all_streams; s; s = s->next) {
		if (stream_has_output(s) && !s->ended)
			return false;
	}
	return true;
}

void process_tell_exit(struct process *p)
{
	const struct msg_exit m = {
		.container = p->container->number,
		.process = p->number,
		.status = p->status,
		.oom = p->oom,
	};

	p->state = PROCESS_TOLD;
	if (!p->quiet)
		rpc_send_exit(guest_of(p), &m);
	else if (p->number != 0)
		answer_failure(p);
}

bool process_is_done(const struct process *p)
{
	if (p->state != PROCESS_TOLD)
		return false;
	for (const struct stream *s = p->all_streams; s; s = s->next) {
		if (s->used && !stream_is_closed(s))
			return false;
	}
	return true;
}

int process_signal(struct process *p, int sig)
{
	if (p->state >= PROCESS_DEAD || p->pidfd < 0)
		return -ESRCH;
	if (syscall(SYS_pidfd_send_signal, p->pidfd, sig, NULL, 0) < 0)
		return -errno;
	p->killed = p->killed || sig == SIGKILL;
	return 0;
}

/* --- filesystems */

void process_sync(const struct guest *g)
{
	AUTO_CLOSE int fd = -1;

	/* pages written through mmap must reach the host before it kills the VMM; each volume
	 * may be a filesystem of its own */
	if (g->is_vm) {
		sync();
		return;
	}
	fd = open(g->share, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && syncfs(fd) < 0)
		return;
}

pid_t process_fork_sync(const struct guest *g)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	/* a copy of a connection would keep it open after the agent has closed it */
	if (proc_close_from(STDERR_FILENO + 1, NULL, 0) < 0)
		_exit(1);
	process_sync(g);
	_exit(0);
}
