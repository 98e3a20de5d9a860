// SPDX-License-Identifier: Apache-2.0
/*
 * hook: one hook at a time, each in a session of its own so that a timeout can
 * kill it with all it started. Its stdin is a memfd with the state document:
 * unlike a pipe it never fills and needs nobody to feed it.
 *
 * A hook is over when its process is. What it wrote until then is kept, up to
 * OUTPUT_MAX bytes per stream and the rest read away; a daemon that it left
 * behind with our pipe in its hands does not hold us up.
 *
 * Does not know which hooks a verb runs nor what their failure means.
 */
#include "hook/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/proc.h"

#define OUTPUT_MAX 4096
#define OUTPUT_SHOWN 400 /* of each stream: both have to fit into one error line */

/* The read end of a pipe and what came through it. */
struct output {
	int fd;
	size_t len;
	char text[OUTPUT_MAX + 1];
};

struct run {
	const struct oci_hook *hook;
	const struct hook_place *place;
	int stdin_fd;
	struct proc proc;
	struct output out, err;
	int64_t deadline; /* CLOCK_MONOTONIC, ms; -1 = none */
};

enum { ON_EXIT, ON_OUT, ON_ERR, ON_CANCEL, ON_FDS };

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Whatever is in the pipe now. The reader closes at its end. */
static void output_read(struct output *o)
{
	char waste[OUTPUT_MAX];

	while (o->fd >= 0) {
		size_t room = OUTPUT_MAX - o->len;
		ssize_t n = read(o->fd, room ? o->text + o->len : waste,
				 room ? room : sizeof(waste));

		if (n > 0) {
			o->len += room ? (size_t)n : 0;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || errno != EAGAIN) {
			close(o->fd);
			o->fd = -1;
		}
		return;
	}
}

static void output_done(struct output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

/* One line for an error text: no control characters, no white space at the end, not too long. */
static const char *output_text(struct output *o)
{
	while (o->len > 0 && (unsigned char)o->text[o->len - 1] <= ' ')
		o->len--;
	if (o->len > OUTPUT_SHOWN)
		o->len = OUTPUT_SHOWN;
	o->text[o->len] = '\0';
	for (size_t i = 0; i < o->len; i++) {
		unsigned char ch = (unsigned char)o->text[i];

		if (ch < ' ' || ch == 0x7f)
			o->text[i] = ' ';
	}
	return o->text;
}

static int make_pipe(int *ret_read, int *ret_write, struct kata_err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	/* our end only: the hook's must block as usual */
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK) < 0) {
		err_sys(err, "fcntl");
		close(fd[0]);
		close(fd[1]);
		return err->code;
	}
	*ret_read = fd[0];
	*ret_write = fd[1];
	return 0;
}

static int spawn_hook(struct run *r, int out, int errfd, struct kata_err *err)
{
	const struct oci_hook *h = r->hook;
	const char *const only_path[] = { h->path, NULL };
	const char *const no_env[] = { NULL };
	const char *const *argv = h->args.n ? h->args.v : only_path;
	const char *const *envp = h->env.n ? h->env.v : no_env;
	const struct proc_fd fds[] = { { r->stdin_fd, 0 }, { out, 1 }, { errfd, 2 } };
	struct proc_spawn sp = PROC_SPAWN_INIT;

	sp.path = h->path;
	sp.argv = (char *const *)argv;
	sp.envp = h->has_env ? (char *const *)envp : environ;
	sp.fds = fds;
	sp.n_fds = ARRAY_SIZE(fds);
	sp.new_session = true;
	sp.cwd_fd = r->place->bundle_fd;
	if (r->place->mntns_fd >= 0) {
		sp.setns = &r->place->mntns_fd;
		sp.n_setns = 1;
	}
	return proc_spawn(&sp, &r->proc, err);
}

static int start_hook(struct run *r, struct kata_err *err)
{
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int errfd = -1;
	int rc;

	if (lseek(r->stdin_fd, 0, SEEK_SET) < 0)
		return err_sys(err, "lseek");
	rc = make_pipe(&r->out.fd, &out, err);
	if (rc == 0)
		rc = make_pipe(&r->err.fd, &errfd, err);
	if (rc < 0)
		return rc;
	if (r->hook->timeout)
		r->deadline = now_ms() + *r->hook->timeout * 1000;
	return spawn_hook(r, out, errfd, err);
}

/* Until the process has ended. Return: 0, -ETIMEDOUT, -EINTR (cancelled), other -errno. */
static int wait_hook(struct run *r)
{
	struct pollfd p[ON_FDS] = {
		[ON_EXIT] = { .fd = r->proc.pidfd, .events = POLLIN },
		[ON_OUT] = { .events = POLLIN },
		[ON_ERR] = { .events = POLLIN },
		[ON_CANCEL] = { .fd = r->place->cancel_fd, .events = POLLIN },
	};

	for (;;) {
		int64_t left = r->deadline < 0 ? -1 : r->deadline - now_ms();

		if (r->deadline >= 0 && left <= 0)
			return -ETIMEDOUT;
		p[ON_OUT].fd = r->out.fd;
		p[ON_ERR].fd = r->err.fd;
		if (poll(p, ON_FDS, left > INT32_MAX ? INT32_MAX : (int)left) < 0 &&
		    errno != EINTR)
			return -errno;
		if (p[ON_CANCEL].revents)
			return -EINTR;
		output_read(&r->out);
		output_read(&r->err);
		if (p[ON_EXIT].revents)
			return 0;
	}
}

/* @rc: of wait_hook(). The process is reaped in every case. */
static int end_hook(struct run *r, int rc, struct kata_err *err)
{
	int status;

	/* the leader is not reaped yet, so the group is still the hook's */
	if (rc < 0)
		kill(-r->proc.pid, SIGKILL);
	status = proc_wait(&r->proc);
	if (rc == -ETIMEDOUT)
		return err_set(err, rc,
			       "hook ran past specified timeout of %" PRId64 ".0s",
			       *r->hook->timeout);
	if (rc == -EINTR)
		return err_set(err, rc, "interrupted");
	if (rc < 0 || status < 0)
		return err_sys_code(err, rc < 0 ? rc : status, "wait");
	if (status == 0)
		return 0;
	return err_set(err, -EIO, "exit status %d, stdout: %s, stderr: %s", status,
		       output_text(&r->out), output_text(&r->err));
}

static int run_hook(const struct oci_hook *hook, const struct hook_place *place,
		    int stdin_fd, struct kata_err *err)
{
	struct run r = {
		.hook = hook,
		.place = place,
		.stdin_fd = stdin_fd,
		.proc = PROC_INIT,
		.out.fd = -1,
		.err.fd = -1,
		.deadline = -1,
	};
	int rc;

	rc = start_hook(&r, err);
	if (rc == 0)
		rc = end_hook(&r, wait_hook(&r), err);
	output_done(&r.out);
	output_done(&r.err);
	proc_done(&r.proc);
	return rc;
}

static int state_memfd(const struct oci_state *state, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int fd;

	oci_state_write(state, &o);
	fd = fs_memfd("state.json", buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	return fd < 0 ? err_sys_code(err, fd, "memfd") : fd;
}

/* @all is what failed before, or nothing: one line that tells of every failure. */
static void add_failure(struct kata_err *all, const struct kata_err *one)
{
	struct kata_err before = *all;

	if (before.code == 0)
		*all = *one;
	else
		err_set(all, before.code, "%s; %s", before.msg, one->msg);
}

int hook_run_all(const struct oci_hooks *hooks, enum oci_hook_kind kind,
		 const struct oci_state *state, const struct hook_place *place,
		 struct kata_err *err)
{
	const struct oci_hook *list = hooks ? hooks->kind[kind].v : NULL;
	size_t n = hooks ? hooks->kind[kind].n : 0;
	struct kata_err failed = { 0 };
	AUTO_CLOSE int stdin_fd = -1;

	if (n == 0)
		return 0;
	stdin_fd = state_memfd(state, err);
	if (stdin_fd < 0)
		return stdin_fd;
	for (size_t i = 0; i < n; i++) {
		struct kata_err one = { 0 };
		int rc = run_hook(&list[i], place, stdin_fd, &one);

		if (rc == 0)
			continue;
		err_ctx(&one, "error running %s hook #%zu", oci_hook_names[kind], i);
		add_failure(&failed, &one);
		/* runtime.md, Lifecycle 13: what one poststop hook left undone is no reason for the next */
		if (kind != OCI_HOOK_POSTSTOP || rc == -EINTR)
			break;
	}
	if (failed.code < 0)
		*err = failed;
	return failed.code;
}
