// SPDX-License-Identifier: Apache-2.0
/*
 * reap: SIGCHLD by signalfd. Signals of the same number merge, so one of them means "collect all
 * that have ended": no exit is lost. Those we know are processes of the host's; the rest
 * are orphans, whose deaths still count: one may have been a container's last.
 */
#include "reap.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "container.h"

static struct process *find_pid(const struct guest *g, pid_t pid)
{
	for (struct container *c = g->containers; c; c = c->next) {
		for (struct process *p = c->processes; p; p = p->next) {
			if (p->pid == pid && p->state < PROCESS_DEAD)
				return p;
		}
	}
	return NULL;
}

static void on_sigchld(struct loop_src *src, uint32_t events)
{
	struct guest *g = CONTAINER_OF(src, struct guest, signals);
	struct signalfd_siginfo ignored;

	(void)events;
	while (loop_signal_read(src->fd, &ignored) > 0)
		;
	for (;;) {
		siginfo_t info;
		struct process *p;

		memset(&info, 0, sizeof(info));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) < 0 ||
		    info.si_pid == 0)
			break;
		p = find_pid(g, info.si_pid);
		if (p)
			process_reaped(p, &info);
		else
			container_synced(g, info.si_pid,
					 info.si_code == CLD_EXITED &&
						 info.si_status == 0);
	}
	guest_settle(g);
}

int reap_start(struct guest *g, struct kata_err *err)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	g->signal_fd = loop_signals(&set);
	if (g->signal_fd < 0)
		return err_sys_code(err, g->signal_fd, "signalfd");
	g->signals.fn = on_sigchld;
	r = loop_add(g->loop, &g->signals, g->signal_fd, EPOLLIN);
	return r < 0 ? err_sys_code(err, r, "watch signals") : 0;
}
