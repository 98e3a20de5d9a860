// SPDX-License-Identifier: Apache-2.0
/*
 * watch: inotify on cgroup.events (all frozen; nobody left: a member of another container's pid
 * namespace is reaped there, without a SIGCHLD for us) and on memory.events (the OOM
 * killer). The kernel reports a change of these files as a modification, 100 times a second at most.
 *
 * Which group it was does not matter: every container is looked at. The kernel drops a watch
 * with its group.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/mem.h"
#include "container.h"
#include "oom.h"

static void on_change(struct loop_src *src, uint32_t events)
{
	struct guest *g = CONTAINER_OF(src, struct guest, watch);
	_Alignas(struct inotify_event) char buf[4096];

	(void)events;
	while (read(src->fd, buf, sizeof(buf)) > 0)
		;
	for (struct container *c = g->containers; c; c = c->next)
		oom_look(c);
	guest_settle(g);
}

int watch_start(struct guest *g, struct kata_err *err)
{
	int r;

	g->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (g->watch_fd < 0)
		return err_sys(err, "inotify_init");
	g->watch.fn = on_change;
	r = loop_add(g->loop, &g->watch, g->watch_fd, EPOLLIN);
	return r < 0 ? err_sys_code(err, r, "watch inotify") : 0;
}

int watch_group(const struct guest *g, const char *path, struct kata_err *err)
{
	static const char *const files[] = { "cgroup.events", "memory.events" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO_FREE char *file = mem_printf("%s/%s", path, files[i]);

		/* without the memory controller there is no OOM to hear of */
		if (inotify_add_watch(g->watch_fd, file, IN_MODIFY) < 0 &&
		    (i == 0 || errno != ENOENT))
			return err_sys(err, "watch %s", file);
	}
	return 0;
}
