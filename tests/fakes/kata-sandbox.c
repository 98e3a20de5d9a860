// SPDX-License-Identifier: Apache-2.0
/*
 * A kata-sandbox without a VM, for tests of kata-runtime's verbs: it keeps the
 * protocol of sandbox/ctl.h and plays the guest process as the container's
 * command line says:
 *
 *   fake exit N     prints "hello" and exits with N once started
 *   fake hold       runs until it is killed
 *   fake refuse     cannot be created: its program is not found
 *   fake nostart    cannot be started
 *   fake die        the sandbox dies while the container is made
 *   fake mute       the sandbox never answers
 *   fake paths      cannot be created: the error lists the namespaces' paths it was told
 *
 * Further containers may join; it ends with the last one. Further processes are played as
 * their command lines say: exit, hold, refuse. SIGUSR2 makes a container run out of memory
 * instead of ending it; its statistics are the limits of its last update.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/names.h"
#include "oci/spec.h"
#include "proto/msg.h"
#include "sandbox/ctl.h"

#define MOST 8

struct fake {
	bool used;
	char id[OCI_ID_MAX + 1];
	int creator, shim, stream;
	const char *what, *arg;
	bool started; /* or its creator has gone */
	bool running, paused;
	int events; /* a listener, -1 = none */
	char *limits;
};

/* A further process of a container. */
struct exec {
	struct fake *ct; /* NULL = free */
	int shim, stream;
	uint32_t pid;
};

struct vm {
	int listener;
	struct fake ct[MOST];
	struct exec exec[MOST];
};

static void reply(int fd, int code, unsigned status, const char *text)
{
	struct ctl_msg m = { .type = CTL_REPLY, .code = code, .status = status };

	str_copy(m.text, sizeof(m.text), text);
	if (ctl_send(fd, &m, NULL, 0) < 0)
		_exit(2);
}

static void reply_with(int fd, const char *json)
{
	struct ctl_msg m = { .type = CTL_REPLY };
	AUTO_CLOSE int memfd = fs_memfd("reply.json", json, strlen(json));

	if (memfd < 0 || ctl_send(fd, &m, &memfd, 1) < 0)
		_exit(2);
}

static unsigned count(const struct vm *vm)
{
	unsigned n = 0;

	for (int i = 0; i < MOST; i++)
		n += vm->ct[i].used;
	return n;
}

static void forget(struct vm *vm, struct fake *f)
{
	if (f->shim >= 0)
		close(f->shim);
	if (f->stream >= 0)
		close(f->stream);
	if (f->events >= 0)
		close(f->events);
	free(f->limits);
	if (!f->started)
		close(f->creator);
	f->used = false;
	if (count(vm) == 0)
		_exit(0);
}

static struct fake *find(struct vm *vm, const char *id)
{
	for (int i = 0; i < MOST; i++)
		if (vm->ct[i].used && str_eq(vm->ct[i].id, id))
			return &vm->ct[i];
	return NULL;
}

/* A shim that is gone is noticed where its connection is read. */
static void to_shim(int shim, struct ctl_msg m, const int *fds, size_t n)
{
	if (ctl_send(shim, &m, fds, n) < 0)
		perror("kata-sandbox: a shim is gone");
}

/* Return: our end of the stream, -1 when nothing was said. */
static int end_of(int shim, bool speaks, struct ctl_msg end)
{
	static const char text[] = "hello\n";
	int pair[2], stream = -1;

	if (speaks && sock_pair(SOCK_STREAM, pair) == 0) {
		to_shim(shim,
			(struct ctl_msg){ .type = CTL_STREAM, .number = STREAM_STDOUT },
			&pair[1], 1);
		close(pair[1]);
		stream = pair[0]; /* stays open: the count ends a stream */
		if (fs_write_all(stream, text, strlen(text)) < 0)
			_exit(2);
	}
	to_shim(shim,
		(struct ctl_msg){ .type = CTL_STREAM_END,
				  .number = STREAM_STDOUT,
				  .bytes = speaks ? strlen(text) : 0 },
		NULL, 0);
	to_shim(shim, (struct ctl_msg){ .type = CTL_STREAM_END, .number = STREAM_STDERR },
		NULL, 0);
	end.type = CTL_EXIT;
	to_shim(shim, end, NULL, 0);
	return stream;
}

static void end_process(struct vm *vm, struct fake *f, unsigned status)
{
	for (int i = 0; i < MOST; i++)
		if (vm->exec[i].ct == f)
			end_of(vm->exec[i].shim, false,
			       (struct ctl_msg){ .status = 137, .flags = CTL_F_ALL });
	f->stream = end_of(f->shim, str_eq(f->what, "exit"),
			   (struct ctl_msg){ .status = status });
	fd_drop(&f->events);
}

static void start(struct vm *vm, struct fake *f, int fd)
{
	uint64_t status = 0;

	if (str_eq(f->what, "nostart")) {
		reply(fd, -ENOENT, 127,
		      "unable to start container process: it did not want to");
		return;
	}
	f->started = f->running = true;
	reply(fd, 0, 0, "");
	if (str_eq(f->what, "exit") && str_to_u64(f->arg, 0, 255, &status) == 0)
		end_process(vm, f, (unsigned)status);
}

static void answer_delete(struct vm *vm, int fd, struct fake *f)
{
	struct ctl_msg m = { .type = CTL_REPLY, .number = count(vm) - (f != NULL) };

	if (ctl_send(fd, &m, NULL, 0) < 0)
		_exit(2);
	if (f)
		forget(vm, f);
}

static void list_paths(const struct oci_spec *spec, char text[KATA_ERR_MAX])
{
	const struct oci_namespace *ns = spec->linux_->namespaces.v;
	struct buf b = { 0 };

	for (size_t i = 0; i < spec->linux_->namespaces.n; i++)
		if (ns[i].path)
			buf_addf(&b, "%s=%s ", oci_ns_names[ns[i].type], ns[i].path);
	str_copy(text, KATA_ERR_MAX, buf_cstr(&b));
	buf_done(&b);
}

static void build(struct vm *vm, struct fake *f, const struct oci_spec *spec)
{
	char text[KATA_ERR_MAX];

	f->what = spec->process && spec->process->args.n > 1 ? spec->process->args.v[1]
							     : "hold";
	f->arg = spec->process && spec->process->args.n > 2 ? spec->process->args.v[2]
							    : "0";
	if (str_eq(f->what, "die"))
		_exit(5);
	if (str_eq(f->what, "mute"))
		return;
	if (str_eq(f->what, "refuse")) {
		reply(f->creator, -ENOENT, 127,
		      "unable to start container process: exec: \"x\": executable file not found in $PATH");
	} else if (str_eq(f->what, "paths")) {
		list_paths(spec, text);
		reply(f->creator, -EINVAL, 0, text);
		forget(vm, f);
	} else {
		reply(f->creator, 0, 0, "");
	}
}

static void create(struct vm *vm, int creator, const struct ctl_msg *m, const int *fds,
		   size_t n)
{
	const struct oci_spec *spec;
	struct kata_err err = { 0 };
	AUTO_FREE char *text = NULL;
	struct fake *f = vm->ct;
	size_t len;

	while (f < vm->ct + MOST && f->used)
		f++;
	if (f == vm->ct + MOST || n < 2 || n != (m->flags & CTL_F_CGROUP ? 3 : 2))
		_exit(3);
	*f = (struct fake){ .used = true,
			    .creator = creator,
			    .shim = fds[1],
			    .stream = -1,
			    .events = -1 };
	str_copy(f->id, sizeof(f->id), m->id);
	if (fs_read_fd(fds[0], 1 << 20, &text, &len) < 0 ||
	    oci_spec_load(text, len, arena_new(), &spec, &err) < 0)
		_exit(4);
	close(fds[0]);
	if (n > 2)
		close(fds[2]);
	build(vm, f, spec);
}

/* --- further processes --------------------------------------------------------------------- */

static const struct oci_process *read_process(int fd)
{
	const struct oci_process *p;
	AUTO_FREE char *text = NULL;
	struct kata_err err = { 0 };
	size_t len;

	if (fs_read_fd(fd, 1 << 20, &text, &len) < 0 ||
	    oci_process_load(text, len, arena_new(), &p, &err) < 0)
		_exit(4);
	return p;
}

static void play(struct exec *e, int fd, const struct oci_process *p)
{
	const char *what = p->args.n > 1 ? p->args.v[1] : "hold";
	uint64_t status = 0;

	if (str_eq(what, "refuse")) {
		fd_drop(&e->shim);
		e->ct = NULL;
		reply(fd, -ENOENT, 127,
		      "unable to start container process: exec: \"x\": executable file not found in $PATH");
		return;
	}
	reply(fd, 0, 0, "");
	if (str_eq(what, "exit") && str_to_u64(p->args.v[2], 0, 255, &status) == 0)
		e->stream = end_of(e->shim, true,
				   (struct ctl_msg){ .status = (unsigned)status });
}

static void answer_exec(struct vm *vm, struct fake *f, int fd, const struct ctl_msg *m,
			const int *fds)
{
	struct exec *e = vm->exec;

	if (f->paused && !(m->flags & CTL_F_PAUSED)) {
		close(fds[0]);
		close(fds[1]);
		reply(fd, -EBUSY, 0, "it is paused");
		return;
	}
	while (e < vm->exec + MOST && e->ct)
		e++;
	if (e == vm->exec + MOST)
		_exit(3);
	*e = (struct exec){ f, fds[1], -1, m->number };
	play(e, fd, read_process(fds[0]));
	close(fds[0]);
}

static void exec_gone(struct exec *e)
{
	fd_drop(&e->shim);
	fd_drop(&e->stream);
	e->ct = NULL;
}

static void from_exec(struct exec *e)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	if (ctl_recv(e->shim, &m, fds, &n) <= 0)
		exec_gone(e);
	else if (m.type == CTL_SIGNAL)
		end_of(e->shim, false, (struct ctl_msg){ .status = 128 + m.number });
}

static void answer_ps(struct vm *vm, struct fake *f, int fd)
{
	struct buf b = { 0 };

	buf_addf(&b, "[");
	for (int i = 0; i < MOST; i++)
		if (vm->exec[i].ct == f)
			buf_addf(&b, "%s%u", buf_len(&b) > 1 ? "," : "", vm->exec[i].pid);
	buf_addf(&b, "]");
	reply_with(fd, buf_cstr(&b));
	buf_done(&b);
}

/* --- while it runs ------------------------------------------------------------------------- */

static void answer_update(struct fake *f, int fd, int document)
{
	size_t len;

	free(f->limits);
	if (fs_read_fd(document, 1 << 20, &f->limits, &len) < 0)
		_exit(4);
	close(document);
	reply(fd, 0, 0, "");
}

static void answer_freeze(struct fake *f, int fd, bool paused)
{
	if (!f->running || f->paused == paused) {
		reply(fd, -EINVAL, 0,
		      paused ? "container not running" : "container not paused");
		return;
	}
	f->paused = paused;
	reply(fd, 0, 0, "");
}

static void answer_kill(struct vm *vm, struct fake *f, int fd, unsigned signal)
{
	struct ctl_msg oom = { .type = CTL_OOM };

	reply(fd, 0, 0, "");
	if (signal != SIGUSR2)
		end_process(vm, f, 128 + signal);
	else if (f->events >= 0 && ctl_send(f->events, &oom, NULL, 0) < 0)
		_exit(2);
}

/* Return: does the connection stay? */
static bool answer(struct vm *vm, int fd, const struct ctl_msg *m, const int *fds)
{
	struct fake *f = find(vm, m->id);

	if (!f && m->type != CTL_DELETE) {
		reply(fd, -ESRCH, 0, "container does not exist");
		return false;
	}
	switch (m->type) {
	case CTL_DELETE:
		answer_delete(vm, fd, f);
		break;
	case CTL_START:
		start(vm, f, fd);
		break;
	case CTL_KILL:
		answer_kill(vm, f, fd, m->number);
		break;
	case CTL_EXEC:
		answer_exec(vm, f, fd, m, fds);
		break;
	case CTL_PAUSE:
	case CTL_RESUME:
		answer_freeze(f, fd, m->type == CTL_PAUSE);
		break;
	case CTL_PS:
		answer_ps(vm, f, fd);
		break;
	case CTL_UPDATE:
		answer_update(f, fd, fds[0]);
		break;
	case CTL_STATS:
		reply_with(fd, f->limits ? f->limits : "{}");
		break;
	case CTL_EVENTS:
		f->events = fd;
		reply(fd, 0, 0, "");
		return true;
	default:
		reply(fd, -ENOTSUP, 0, "the fake cannot do that");
	}
	return false;
}

/* A request of somebody else; who creates a container stays connected. */
static void serve(struct vm *vm)
{
	int fd = accept4(vm->listener, NULL, NULL, SOCK_CLOEXEC);
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	if (fd < 0 || ctl_recv(fd, &m, fds, &n) != 1) {
		close(fd);
	} else if (m.type == CTL_CREATE) {
		create(vm, fd, &m, fds, n);
	} else if (!answer(vm, fd, &m, fds)) {
		close(fd);
	}
}

static void from_shim(struct vm *vm, struct fake *f)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	if (ctl_recv(f->shim, &m, fds, &n) <= 0)
		forget(vm, f);
	else if (m.type == CTL_SIGNAL)
		end_process(vm, f, 128 + m.number);
}

static void creator_gone(struct vm *vm, struct fake *f)
{
	f->started = true; /* as it should */
	close(f->creator);
	if (str_eq(f->what, "mute"))
		forget(vm, f);
}

static void turn(struct vm *vm)
{
	struct pollfd p[3 * MOST + 1];

	for (int i = 0; i < MOST; i++) {
		const struct fake *f = &vm->ct[i];

		p[2 * i] = (struct pollfd){ .fd = f->used ? f->shim : -1,
					    .events = POLLIN };
		p[2 * i + 1] = (struct pollfd){ .fd = f->used && !f->started ? f->creator
									     : -1,
						.events = POLLIN };
		p[2 * MOST + 1 + i] = (struct pollfd){
			.fd = vm->exec[i].ct ? vm->exec[i].shim : -1, .events = POLLIN
		};
	}
	p[2 * MOST] = (struct pollfd){ .fd = vm->listener, .events = POLLIN };
	if (poll(p, ARRAY_SIZE(p), -1) < 0)
		_exit(6);
	for (int i = 0; i < MOST; i++) {
		if (p[2 * i].revents)
			from_shim(vm, &vm->ct[i]);
		if (p[2 * i + 1].revents && vm->ct[i].used)
			creator_gone(vm, &vm->ct[i]);
	}
	for (int i = 0; i < MOST; i++)
		if (p[2 * MOST + 1 + i].revents)
			from_exec(&vm->exec[i]);
	if (p[2 * MOST].revents)
		serve(vm);
}

int main(void)
{
	static struct vm vm;
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	vm.listener = sock_listen_at(SANDBOX_FD_DIR, "ctl", SOCK_SEQPACKET);
	if (vm.listener < 0)
		return 1;
	if (ctl_recv(SANDBOX_FD_CTL, &m, fds, &n) != 1 || m.type != CTL_CREATE)
		return 3;
	create(&vm, SANDBOX_FD_CTL, &m, fds, n);
	for (;;)
		turn(&vm);
}
