/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: a datagram of the guest to the socket on the host that its bind at NOTIFY_DIR would have
 * shown: kata-runtime's, which waits in start, or conmon's. It is reached through the shared
 * tree, where the directory has been since create, and by no link: the guest can write there.
 *
 * One socket a datagram: they are few, and whoever listens may come and go. Without a listener
 * it is lost, as the protocol has it. For one that has not read what came before, one datagram waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "base/str.h"
#include "sandbox.h"
#include "sandbox/guest_notify.h"

/* @name in *@at, which becomes it. */
static int step_to(int *at, const char *name)
{
	int fd = openat(*at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	fd_drop(at);
	*at = fd;
	return 0;
}

static int open_socket(const struct container *ct, int mount)
{
	AUTO_CLOSE int at = fcntl(ct->sb->host.share_fd, F_DUPFD_CLOEXEC, 0);
	char dir[16], name[24], path[32];
	struct stat st;
	int r;

	snprintf(dir, sizeof(dir), "c%u", ct->number);
	snprintf(name, sizeof(name), "m%d", mount);
	r = step_to(&at, dir);
	if (r == 0)
		r = step_to(&at, name);
	if (r == 0)
		r = step_to(&at, NOTIFY_NAME);
	if (r < 0)
		return r;
	if (fstat(at, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	return sock_connect_path(path, SOCK_DGRAM | SOCK_NONBLOCK);
}

static void lost(const struct container *ct, int r)
{
	log_debug("container %s: what it says at NOTIFY_SOCKET is lost: %s", ct->id,
		  err_text(-r));
}

static int pass_on(int fd, const char *text)
{
	return sock_send(fd, text, strlen(text), NULL, 0);
}

void notify_stop(struct container *ct)
{
	int fd = ct->notify.src.fd;

	loop_del(&ct->notify.src);
	if (fd >= 0)
		close(fd);
}

static void on_room(struct loop_src *src, uint32_t events)
{
	struct container *ct = CONTAINER_OF(src, struct container, notify.src);
	int r = pass_on(src->fd, ct->notify.text);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r < 0)
		lost(ct, r);
	notify_stop(ct);
}

/* One waits; a newer one takes its place, unless it is the one that somebody waits for. */
static void hold(struct container *ct, const char *text)
{
	size_t len;

	if (!notify_ready(ct->notify.text, &len) || notify_ready(text, &len))
		str_copy(ct->notify.text, sizeof(ct->notify.text), text);
}

static int pass_on_or_hold(struct container *ct, int mount, const char *text)
{
	AUTO_CLOSE int fd = open_socket(ct, mount);
	int r = fd < 0 ? fd : pass_on(fd, text);

	if (r != -EAGAIN)
		return r;
	ct->notify.src.fn = on_room;
	r = loop_add(ct->sb->loop, &ct->notify.src, fd, EPOLLOUT);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	str_copy(ct->notify.text, sizeof(ct->notify.text), text);
	return 0;
}

void container_notify(struct container *ct, const char *text)
{
	int mount = guest_notify_mount(ct->spec), r;

	if (mount < 0 || !notify_rate_take(&ct->notify.rate, loop_now_us()))
		return;
	if (ct->notify.src.fd >= 0) {
		hold(ct, text);
		return;
	}
	r = pass_on_or_hold(ct, mount, text);
	if (r < 0)
		lost(ct, r);
}
