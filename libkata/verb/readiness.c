// SPDX-License-Identifier: Apache-2.0
/*
 * readiness: who waits is who starts: create makes the directory, start (or run) listens in it from
 * before the program runs until it has said READY=, and is then gone from there. runc's order
 * towards the service manager: READY=, MAINPID=, BARRIER=1 with a pipe whose end tells that both
 * were read, so that we are not gone when it asks the kernel who sent them.
 *
 * What comes in was said in the guest: kata-sandbox brings it to the socket (src/sandbox/notify.c),
 * and nothing but the line of READY= goes on.
 */
#include "verb/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/sock.h"
#include "proto/notify.h"

#define DIR_NAME "notify"
/** How long the service manager may take to read (runc's and systemd's own number). */
#define BARRIER_MS 30000

/* --- at create ------------------------------------------------------------------------------ */

int readiness_make_dir(const struct store_dir *dir, struct kata_err *err)
{
	if (mkdirat(dir->fd, DIR_NAME, 0755) < 0)
		return err_sys(err, "mkdir %s/" DIR_NAME, dir->path);
	return 0;
}

static void add_mount(struct oci_spec *spec, const char *dir, struct arena *a)
{
	static const char *const options[] = { "bind",	"nosuid", "noexec",
					       "nodev", "ro",	  NULL };
	size_t n = spec->mounts.n;
	struct oci_mount *to = arena_array(a, n + 1, sizeof(*to));

	if (n)
		memcpy(to, spec->mounts.v, n * sizeof(*to));
	to[n] = (struct oci_mount){
		.destination = NOTIFY_DIR,
		.type = "bind",
		.source = arena_printf(a, "%s/" DIR_NAME, dir),
		.options = { options, ARRAY_SIZE(options) - 1 },
	};
	spec->mounts = (struct jt_objv){ to, n + 1 };
}

/* The last of a name counts. */
static void add_env(struct oci_spec *spec, struct arena *a)
{
	struct oci_process *p = arena_alloc(a, sizeof(*p));
	size_t n = spec->process->env.n;
	const char **env = arena_array(a, n + 2, sizeof(*env));

	if (n)
		memcpy(env, spec->process->env.v, n * sizeof(*env));
	env[n] = NOTIFY_ENV;
	*p = *spec->process;
	p->env = (struct jt_strv){ env, n + 1 };
	spec->process = p;
}

void readiness_add(struct oci_spec *spec, const char *dir, struct arena *a)
{
	add_mount(spec, dir, a);
	add_env(spec, a);
}

/* --- the caller's socket -------------------------------------------------------------------- */

static int connect_abstract(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(name);

	if (fd < 0)
		return -errno;
	if (n >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path + 1, name + 1, n - 1);
	if (connect(fd, (const struct sockaddr *)&sa,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int readiness_open(struct readiness *r, const char *host, struct kata_err *err)
{
	const struct timeval most = { .tv_sec = BARRIER_MS / 1000 };
	AUTO_CLOSE int fd = -1;

	if (!host)
		return 0;
	if (host[0] == '@')
		fd = connect_abstract(host);
	else if (host[0] == '/')
		fd = sock_connect_path(host, SOCK_DGRAM);
	else
		return err_set(err, -EINVAL,
			       "NOTIFY_SOCKET=%s: is neither a path nor an abstract name",
			       host);
	if (fd < 0)
		return err_sys_code(err, fd, "connect to NOTIFY_SOCKET=%s", host);
	/* one that nobody reads must not hold us for ever */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)) < 0)
		return err_sys(err, "SO_SNDTIMEO");
	r->host_fd = TAKE_FD(fd);
	return 0;
}

static int say(const struct readiness *r, const char *text, const int *fds, size_t n,
	       struct kata_err *err)
{
	int rc = sock_send(r->host_fd, text, strlen(text), fds, n);

	return rc < 0 ? err_sys_code(err, rc, "send to NOTIFY_SOCKET") : 0;
}

/* A service manager that knows of no barrier keeps the pipe: then the time it had must do. */
static int barrier(const struct readiness *r, struct kata_err *err)
{
	AUTO_CLOSE int ours = -1, theirs = -1;
	int ends[2], rc;
	struct pollfd p;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	ours = ends[0];
	theirs = ends[1];
	rc = say(r, "BARRIER=1", &theirs, 1, err);
	if (rc < 0)
		return rc;
	fd_drop(&theirs);
	p = (struct pollfd){ .fd = ours, .events = POLLIN };
	if (poll(&p, 1, BARRIER_MS) == 0)
		log_warn("NOTIFY_SOCKET: BARRIER=1 was not answered in %d s",
			 BARRIER_MS / 1000);
	return 0;
}

/* --- the container's ------------------------------------------------------------------------ */

int readiness_listen(struct readiness *r, const struct verb_box *box,
		     struct kata_err *err)
{
	const struct store_proc *shim = box->rec.shim;
	AUTO_CLOSE int dir = -1, fd = -1;

	if (r->host_fd < 0)
		return 0;
	dir = openat(box->dir.fd, DIR_NAME, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return err_set(err, -ENOENT,
			       "NOTIFY_SOCKET is set, but was not when the container was "
			       "created");
	if (dir < 0)
		return err_sys(err, "open %s/" DIR_NAME, box->dir.path);
	/* of a start that failed */
	if (unlinkat(dir, NOTIFY_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove %s/" DIR_NAME "/" NOTIFY_NAME, box->dir.path);
	fd = sock_bind_at(dir, NOTIFY_NAME, SOCK_DGRAM | SOCK_NONBLOCK);
	if (fd < 0)
		return err_sys_code(err, fd, "listen at %s/" DIR_NAME "/" NOTIFY_NAME,
				    box->dir.path);
	r->pidfd = proc_open((pid_t)shim->pid, shim->start);
	if (r->pidfd < 0)
		return err_sys_code(err, r->pidfd, "open kata-shim %d", (int)shim->pid);
	r->pid = (pid_t)shim->pid;
	r->dir_fd = TAKE_FD(dir);
	r->sock_fd = TAKE_FD(fd);
	return 0;
}

/* Nobody is to think that somebody listens. */
static void stop_listening(struct readiness *r)
{
	if (r->dir_fd >= 0 && r->sock_fd >= 0 && unlinkat(r->dir_fd, NOTIFY_NAME, 0) < 0)
		log_debug("the container's " NOTIFY_NAME " is gone");
	fd_drop(&r->sock_fd);
	fd_drop(&r->dir_fd);
}

static int tell(struct readiness *r, const char *ready, size_t len, pid_t main_pid,
		struct kata_err *err)
{
	char text[PROTO_MAX_TEXT + 2];
	int rc;

	stop_listening(r);
	snprintf(text, sizeof(text), "%.*s\n", (int)len, ready);
	rc = say(r, text, NULL, 0, err);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "MAINPID=%d\n", (int)main_pid);
	rc = say(r, text, NULL, 0, err);
	return rc < 0 ? rc : 1;
}

int readiness_tell(struct readiness *r, pid_t main_pid, struct kata_err *err)
{
	char data[NOTIFY_DATAGRAM_MAX], text[PROTO_MAX_TEXT + 1];

	while (r->sock_fd >= 0) {
		ssize_t n = recv(r->sock_fd, data, sizeof(data), MSG_DONTWAIT);
		const char *ready;
		size_t len = 0;

		if (n < 0)
			return 0;
		notify_filter(data, (size_t)n, text, sizeof(text));
		ready = notify_ready(text, &len);
		if (ready)
			return tell(r, ready, len, main_pid, err);
	}
	return 0;
}

int readiness_wait(struct readiness *r, struct kata_err *err)
{
	struct pollfd p[] = {
		{ .fd = r->sock_fd, .events = POLLIN },
		{ .fd = r->pidfd, .events = POLLIN },
	};

	while (r->sock_fd >= 0) {
		int rc;

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return err_sys(err, "poll");
		/* first what was said: the end comes behind it */
		rc = readiness_tell(r, r->pid, err);
		if (rc == 1)
			return barrier(r, err);
		if (rc < 0 || p[1].revents)
			return rc;
	}
	return 0;
}

void readiness_done(struct readiness *r)
{
	stop_listening(r);
	fd_drop(&r->host_fd);
	fd_drop(&r->pidfd);
}
