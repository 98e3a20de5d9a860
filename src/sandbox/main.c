/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kata-sandbox: supervisor of one VM.
 *
 * Started by kata-runtime as pid 1 of a pid namespace, in a private mount
 * namespace and in the container's network namespace, with the descriptors of
 * enum sandbox_fd and nothing else. It ends when the last container of the VM
 * is gone; SIGTERM and SIGINT end it at once. It says nothing on stdio: what
 * goes wrong is the answer to whoever asked, and goes to the system's log.
 *
 *   kata-sandbox [--debug] DIR   DIR: the container's directory, absolute
 *                                --debug: log to sandbox.log in it
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "sandbox.h"

static void on_signal(struct loop_src *src, uint32_t events)
{
	struct loop *l = src->loop;
	struct signalfd_siginfo si;

	(void)events;
	while (loop_signal_read(src->fd, &si) > 0)
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			loop_stop(l, 0);
}

static void on_boot_timer(struct loop_src *src, uint32_t events)
{
	struct sandbox *sb = CONTAINER_OF(src, struct sandbox, boot_timer);

	(void)events;
	loop_timer_ack(src->fd);
	sandbox_event(sb, EV_TIMEOUT, NULL, NULL);
}

static int watch_signals(struct sandbox *sb, struct loop_src *src)
{
	sigset_t all;
	int fd;

	sigfillset(&all);
	fd = loop_signals(&all);
	src->fn = on_signal;
	return fd < 0 ? fd : loop_add(sb->loop, src, fd, EPOLLIN);
}

static int watch_boot_timer(struct sandbox *sb)
{
	int fd = loop_timer();

	sb->boot_timer.fn = on_boot_timer;
	return fd < 0 ? fd : loop_add(sb->loop, &sb->boot_timer, fd, EPOLLIN);
}

/*
 * The directory we were given is one of our creator's mount namespace; nothing
 * can be mounted there. Open and enter the same one in ours: its path is our argument.
 */
static int enter_own_dir(struct sandbox *sb, const char *path, struct kata_err *err)
{
	struct stat given, ours;

	sb->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sb->dirfd < 0 || fchdir(sb->dirfd) < 0)
		return err_sys(err, "enter %s", path);
	if (fstat(SANDBOX_FD_DIR, &given) < 0 || fstat(sb->dirfd, &ours) < 0)
		return err_sys(err, "stat %s", path);
	if (given.st_dev != ours.st_dev || given.st_ino != ours.st_ino)
		return err_set(err, -ESTALE, "%s is not the container's directory", path);
	close(SANDBOX_FD_DIR);
	return 0;
}

static int set_up(struct sandbox *sb, const char *dir, struct loop_src *signals,
		  struct kata_err *err)
{
	int r;

	sb->loop = loop_new(err);
	if (!sb->loop)
		return err->code;
	r = watch_signals(sb, signals);
	if (r == 0)
		r = watch_boot_timer(sb);
	if (r < 0)
		return err_sys_code(err, r, "watch signals and time");
	r = enter_own_dir(sb, dir, err);
	if (r < 0)
		return r;
	r = conf_load_fd(SANDBOX_FD_CONF, &sb->conf, err);
	if (r < 0)
		return r;
	close(SANDBOX_FD_CONF);
	r = caller_add_take(sb, SANDBOX_FD_CTL);
	return r < 0 ? err_sys_code(err, r, "watch the control connection") : 0;
}

/* Not up yet, but whoever started us waits for an answer. */
static void refuse(const struct kata_err *why)
{
	struct ctl_msg m = { .type = CTL_REPLY, .code = why->code };

	str_copy(m.text, sizeof(m.text), why->msg);
	if (ctl_send(SANDBOX_FD_CTL, &m, NULL, 0) < 0)
		log_debug("the creator has gone");
}

/*
 * A VM that breaks takes this directory's files along when its containers are deleted, and engines
 * only see 137. The system's log keeps the reason.
 */
static void tell_host(const struct kata_err *why, const char *dir)
{
	log_failure(why);
	openlog("kata-sandbox", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "%s: %s", dir, why->msg);
	closelog();
}

/* Whoever waits is told why; shims learn of the end from their closed connections. */
static void tear_down(struct sandbox *sb)
{
	callers_free(sb, &sb->why);
	forwarding_down(sb);
	host_down(sb);
	dns_relays_done(&sb->dns);
	conf_free(sb->conf);
}

int main(int argc, char **argv)
{
	static struct sandbox sb = {
		.dirfd = SANDBOX_FD_DIR,
		.host = { .share_fd = -1,
			  .inotify_fd = -1,
			  .vsock_fd = -1,
			  .fs_fd = -1,
			  .vsock_device = CHILD_INIT,
			  .virtiofsd = CHILD_INIT },
		.forwarding = FORWARDING_INIT,
		.network = { .watch = { .fd = -1 }, .rest = { .fd = -1 }, .watch_fd = -1 },
		.boot_timer = { .fd = -1 },
		.ctl_listen = { .fd = -1 },
	};
	struct loop_src signals = { .fd = -1 };
	const int no_fds[1] = { -1 };
	int r;

	if (argc == 3 && str_eq(argv[1], OOM_HELPER_ARG))
		return oom_helper(argv[2]);
	if (proc_close_from(SANDBOX_FD_FIRST_FREE, no_fds, 0) < 0)
		return 1;
	umask(0077);
	for (int fd = SANDBOX_FD_CTL; fd < SANDBOX_FD_FIRST_FREE; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 1; /* not started by kata-runtime */
	if (argc > 2 && str_eq(argv[1], "--debug"))
		log_setup(openat(sb.dirfd, "sandbox.log",
				 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
			  LOG_TEXT, true);
	r = set_up(&sb, argc > 1 ? argv[argc - 1] : ".", &signals, &sb.why);
	if (r == 0)
		r = loop_run(sb.loop, &sb.why);
	else
		refuse(&sb.why);
	if (sb.why.code)
		tell_host(&sb.why, argv[argc - 1]);
	tear_down(&sb);
	return r < 0 || sb.why.code ? 1 : 0;
}
