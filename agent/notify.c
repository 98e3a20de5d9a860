// SPDX-License-Identifier: Apache-2.0
/*
 * notify: a datagram socket in a directory of the agent, which is bound read-only into the container.
 * What may leave the guest goes to the host at once; the rest of a datagram is dropped, and so are
 * descriptors that come with it (their end is the answer to BARRIER=1).
 *
 * After some datagrams the socket rests: who says more meanwhile waits in its send().
 */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/sock.h"
#include "proto/notify.h"
#include "rpc.h"

struct notify {
	struct container *container;
	struct loop_src src, rest;
	int fd, timer;
	char *dir;
};

static bool take_one(const struct notify *n)
{
	char data[NOTIFY_DATAGRAM_MAX], text[PROTO_MAX_TEXT + 1];
	ssize_t len = recv(n->fd, data, sizeof(data), MSG_DONTWAIT);

	if (len < 0)
		return false;
	if (notify_filter(data, (size_t)len, text, sizeof(text)) > 0)
		rpc_send_notify(n->container->guest, n->container->number, text);
	return true;
}

static void on_rested(struct loop_src *src, uint32_t events)
{
	struct notify *n = CONTAINER_OF(src, struct notify, rest);

	(void)events;
	loop_timer_ack(src->fd);
	if (loop_mod(&n->src, EPOLLIN) < 0)
		notify_end(n->container);
}

static void on_datagrams(struct loop_src *src, uint32_t events)
{
	struct notify *n = CONTAINER_OF(src, struct notify, src);

	(void)events;
	for (int i = 0; i < NOTIFY_ROUNDS; i++) {
		if (!take_one(n))
			return;
	}
	if (loop_timer_set(n->timer, NOTIFY_REST_MS) == 0 && loop_mod(&n->src, 0) < 0)
		notify_end(n->container);
}

/* Without a mount for itself: the directory is the agent's, nobody else sees it but by the bind. */
static int listen_in(struct notify *n)
{
	AUTO_CLOSE int dir = open(n->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	n->fd = sock_bind_at(dir, NOTIFY_NAME, SOCK_DGRAM | SOCK_NONBLOCK);
	if (n->fd < 0)
		return n->fd;
	return fchmodat(dir, NOTIFY_NAME, 0777, 0) < 0 ? -errno : 0;
}

static int watch(struct notify *n)
{
	struct loop *l = n->container->guest->loop;
	int r;

	n->timer = loop_timer();
	if (n->timer < 0)
		return n->timer;
	r = loop_add(l, &n->rest, n->timer, EPOLLIN);
	return r < 0 ? r : loop_add(l, &n->src, n->fd, EPOLLIN);
}

int notify_begin(struct container *c, uint32_t mount, struct kata_err *err)
{
	struct mount_op *op = mount < c->spec->mounts.n ? &c->plan.ops[mount] : NULL;
	struct notify *n;
	int r;

	if (!op || op->kind != MOUNT_OP_BIND)
		return err_set(err, -EINVAL, "notify: mounts[%u] is no bind", mount);
	n = c->notify = mem_zalloc(sizeof(*n));
	n->container = c;
	n->fd = n->timer = -1;
	n->src = (struct loop_src){ .fn = on_datagrams, .fd = -1 };
	n->rest = (struct loop_src){ .fn = on_rested, .fd = -1 };
	n->dir = mem_printf("%s-notify/c%u", c->guest->share, c->number);
	r = fs_mkdir_p(n->dir, 0755, err);
	if (r < 0)
		return r;
	r = listen_in(n);
	if (r == 0)
		r = watch(n);
	if (r < 0)
		return err_sys_code(err, r, "listen at %s/" NOTIFY_NAME, n->dir);
	op->source = arena_strdup(c->arena, n->dir);
	op->set |= MOUNT_ATTR_RDONLY;
	op->clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return 0;
}

void notify_drain(struct container *c)
{
	/* nobody is left to fill it again, but the bound costs nothing */
	for (int i = 0; c->notify && i < 4 * NOTIFY_ROUNDS && take_one(c->notify); i++)
		;
}

void notify_end(struct container *c)
{
	struct notify *n = c->notify;
	AUTO_CLOSE int dir = -1;

	if (!n)
		return;
	c->notify = NULL;
	loop_del(&n->src);
	loop_del(&n->rest);
	fd_drop(&n->fd);
	fd_drop(&n->timer);
	dir = open(n->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* what cannot be removed costs an inode until the VM ends */
	if (dir >= 0 && unlinkat(dir, NOTIFY_NAME, 0) == 0)
		rmdir(n->dir);
	free(n->dir);
	free(n);
}
