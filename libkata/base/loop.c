/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: the epoll loop of a process.
 *
 * A source is known to epoll by its address. Events are fetched in a batch; the
 * batch lives in the loop so that loop_del() can strike out what is still to
 * come for a source that is gone (its memory may be reused by then).
 *
 * Regular files and /dev/null cannot be watched (EPERM): they are always ready.
 * They are kept in a list and called once per round while they ask for events;
 * only then does epoll_wait not sleep. A slot of that list is emptied on
 * removal and closed up between rounds, so callbacks may add and remove.
 */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define BATCH 32

struct loop {
	int epfd;
	bool stopped;
	int result;
	struct epoll_event batch[BATCH];
	int next, n; /* batch[next, n) is still to be dispatched */
	struct loop_src **always;
	size_t n_always, cap_always;
};

struct loop *loop_new(struct kata_err *err)
{
	struct loop *l = mem_zalloc(sizeof(*l));

	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		err_sys(err, "create event loop");
		free(l);
		return NULL;
	}
	return l;
}

/** loop_free() - sources still in the loop are forgotten, their descriptors stay open. */
void loop_free(struct loop *l)
{
	if (!l)
		return;
	close(l->epfd);
	free(l->always);
	free(l);
}

static void add_always(struct loop *l, struct loop_src *src)
{
	if (l->n_always == l->cap_always) {
		l->cap_always = l->cap_always ? 2 * l->cap_always : 4;
		l->always = mem_grow(l->always, l->cap_always, sizeof(struct loop_src *));
	}
	l->always[l->n_always++] = src;
}

int loop_add(struct loop *l, struct loop_src *src, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	src->always = false;
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		if (errno != EPERM)
			return -errno;
		src->always = true;
		add_always(l, src);
	}
	src->loop = l;
	src->fd = fd;
	src->events = events;
	return 0;
}

int loop_mod(struct loop_src *src, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	if (!src->loop)
		return -EINVAL;
	if (events == src->events)
		return 0;
	if (!src->always && epoll_ctl(src->loop->epfd, EPOLL_CTL_MOD, src->fd, &ev) < 0)
		return -errno;
	src->events = events;
	return 0;
}

void loop_del(struct loop_src *src)
{
	struct loop *l = src->loop;
	size_t i;
	int e;

	if (!l)
		return;
	/* fails only when the owner closed the descriptor first, and then there is nothing to do */
	if (!src->always)
		epoll_ctl(l->epfd, EPOLL_CTL_DEL, src->fd, NULL);
	for (e = l->next; e < l->n; e++) {
		if (l->batch[e].data.ptr == src)
			l->batch[e].data.ptr = NULL;
	}
	for (i = 0; src->always && i < l->n_always; i++) {
		if (l->always[i] == src)
			l->always[i] = NULL;
	}
	src->loop = NULL;
	src->fd = -1;
	src->events = 0;
	src->always = false;
}

static void dispatch_batch(struct loop *l)
{
	const struct epoll_event *ev;
	struct loop_src *src;

	while (l->next < l->n && !l->stopped) {
		ev = &l->batch[l->next++];
		src = ev->data.ptr;
		if (src)
			src->fn(src, ev->events);
	}
	l->next = l->n = 0;
}

/** Sources added by these callbacks get their turn in the next round. */
static void dispatch_always(struct loop *l)
{
	size_t n = l->n_always, i;
	struct loop_src *src;

	for (i = 0; i < n && !l->stopped; i++) {
		src = l->always[i];
		if (src && src->events)
			src->fn(src, src->events);
	}
}

/** Close up emptied slots. Return: is any source that is always ready asking for events? */
static bool sweep_always(struct loop *l)
{
	size_t i, n = 0;
	bool ready = false;

	for (i = 0; i < l->n_always; i++) {
		if (!l->always[i])
			continue;
		ready = ready || l->always[i]->events;
		l->always[n++] = l->always[i];
	}
	l->n_always = n;
	return ready;
}

int loop_run(struct loop *l, struct kata_err *err)
{
	while (!l->stopped) {
		int n = epoll_wait(l->epfd, l->batch, BATCH, sweep_always(l) ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "wait for events");
		l->next = 0;
		l->n = n < 0 ? 0 : n;
		dispatch_batch(l);
		dispatch_always(l);
	}
	l->stopped = false;
	return l->result;
}

/** loop_stop() - no more callbacks; also before loop_run(), which then returns at once. */
void loop_stop(struct loop *l, int result)
{
	l->stopped = true;
	l->result = result;
}

int loop_signals(const sigset_t *set)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int loop_signal_read(int fd, struct signalfd_siginfo *ret)
{
	ssize_t n;

	do {
		n = read(fd, ret, sizeof(*ret));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret);
}

uint64_t loop_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int loop_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int loop_timer_set(int fd, uint64_t ms)
{
	struct itimerspec its = {
		.it_value = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 },
	};

	return timerfd_settime(fd, 0, &its, NULL) < 0 ? -errno : 0;
}

void loop_timer_ack(int fd)
{
	uint64_t times;
	ssize_t n;

	do {
		n = read(fd, &times, sizeof(times));
	} while (n < 0 && errno == EINTR);
}
