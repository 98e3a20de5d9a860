/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: order, removal from within callbacks, descriptors epoll refuses, signals, timers. */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/loop.h"
#include "suite.h"

struct probe {
	struct loop_src src;
	int fds[2]; /* a pipe: [0] is watched */
	int calls;
	int stop_after; /* calls; 0 = never */
	uint32_t events;
	struct probe *remove; /* taken out of the loop by the first call */
};

static void on_probe(struct loop_src *src, uint32_t events)
{
	struct probe *p = CONTAINER_OF(src, struct probe, src);
	char c;

	p->calls++;
	p->events = events;
	if (p->fds[0] >= 0 && (events & EPOLLIN))
		ck_assert_int_eq(read(p->fds[0], &c, 1), 1);
	if (p->remove) {
		loop_del(&p->remove->src);
		p->remove->src.events = ~0u; /* its memory is something else now */
	}
	if (p->stop_after && p->calls >= p->stop_after)
		loop_stop(src->loop ? src->loop : p->remove->src.loop, p->calls);
}

static void probe_init(struct probe *p, struct loop *l)
{
	*p = (struct probe){ .src = { .fn = on_probe, .fd = -1 } };
	ck_assert_int_eq(pipe2(p->fds, O_CLOEXEC | O_NONBLOCK), 0);
	if (l)
		ck_assert_int_eq(loop_add(l, &p->src, p->fds[0], EPOLLIN), 0);
}

static void probe_done(struct probe *p)
{
	loop_del(&p->src);
	close(p->fds[0]);
	if (p->fds[1] >= 0)
		close(p->fds[1]);
}

static struct loop *new_loop(void)
{
	struct kata_err err = { 0 };
	struct loop *l = loop_new(&err);

	ck_assert_ptr_nonnull(l);
	return l;
}

/* ends a run that would otherwise sleep for ever */
struct deadline {
	struct loop_src src;
	struct loop *loop;
	int fired;
};

static void on_deadline(struct loop_src *src, uint32_t events)
{
	struct deadline *d = CONTAINER_OF(src, struct deadline, src);

	(void)events;
	loop_timer_ack(src->fd);
	d->fired++;
	loop_stop(d->loop, 1000);
}

static void deadline_init(struct deadline *d, struct loop *l, uint64_t ms)
{
	int fd = loop_timer();

	*d = (struct deadline){ .src = { .fn = on_deadline, .fd = -1 }, .loop = l };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(loop_add(l, &d->src, fd, EPOLLIN), 0);
	ck_assert_int_eq(loop_timer_set(fd, ms), 0);
}

static void deadline_done(struct deadline *d)
{
	int fd = d->src.fd;

	loop_del(&d->src);
	close(fd);
}

START_TEST(run_returns_what_stop_was_given)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct probe p;

	probe_init(&p, l);
	p.stop_after = 3;
	ck_assert_int_eq(write(p.fds[1], "abcd", 4), 4);
	ck_assert_int_eq(loop_run(l, &err), 3);
	ck_assert_int_eq(p.calls, 3);
	loop_stop(l, 77); /* before the run: it ends at once */
	ck_assert_int_eq(loop_run(l, &err), 77);
	ck_assert_int_eq(p.calls, 3);
	p.stop_after = 4; /* and it can run again */
	ck_assert_int_eq(loop_run(l, &err), 4);
	probe_done(&p);
	loop_free(l);
	loop_free(NULL);
}
END_TEST

/* both are ready in one batch; whichever runs first removes the other */
START_TEST(removed_source_is_not_called)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct deadline d;
	struct probe a, b;

	probe_init(&a, l);
	probe_init(&b, l);
	a.remove = &b;
	b.remove = &a;
	ck_assert_int_eq(write(a.fds[1], "x", 1), 1);
	ck_assert_int_eq(write(b.fds[1], "x", 1), 1);
	deadline_init(&d, l, 50);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(a.calls + b.calls, 1);
	ck_assert((a.calls ? b.src.loop : a.src.loop) == NULL);
	ck_assert((a.calls ? a.src.loop : b.src.loop) == l);
	deadline_done(&d);
	probe_done(&a);
	probe_done(&b);
	loop_free(l);
}
END_TEST

static void on_self(struct loop_src *src, uint32_t events)
{
	struct probe *p = CONTAINER_OF(src, struct probe, src);

	(void)events;
	p->calls++;
	loop_del(src);
}

START_TEST(source_may_remove_itself)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct deadline d;
	struct probe p;

	probe_init(&p, l);
	p.src.fn = on_self; /* leaves its byte unread */
	ck_assert_int_eq(write(p.fds[1], "x", 1), 1);
	deadline_init(&d, l, 30);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(p.calls, 1);
	ck_assert_ptr_null(p.src.loop);
	ck_assert_int_eq(p.src.fd, -1);
	loop_del(&p.src); /* twice is fine */
	deadline_done(&d);
	probe_done(&p);
	loop_free(l);
}
END_TEST

START_TEST(events_are_changed)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct deadline d;
	struct probe p;

	probe_init(&p, l);
	ck_assert_int_eq(write(p.fds[1], "x", 1), 1);
	ck_assert_int_eq(loop_mod(&p.src, 0), 0);
	deadline_init(&d, l, 30);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(p.calls, 0); /* not asked for */
	ck_assert_int_eq(loop_mod(&p.src, EPOLLIN), 0);
	ck_assert_int_eq(loop_mod(&p.src, EPOLLIN), 0);
	p.stop_after = 1;
	ck_assert_int_eq(loop_run(l, &err), 1);
	ck_assert_int_eq(loop_mod(&p.src, 0), 0);
	close(p.fds[1]); /* the other end's end comes anyway */
	p.fds[1] = -1;
	p.stop_after = 2;
	ck_assert_int_eq(loop_run(l, &err), 2);
	ck_assert_uint_eq(p.events, EPOLLHUP);
	deadline_done(&d);
	probe_done(&p);
	ck_assert_int_eq(loop_mod(&p.src, EPOLLIN), -EINVAL);
	loop_free(l);
}
END_TEST

START_TEST(add_refuses_bad_descriptors)
{
	struct loop *l = new_loop();
	struct probe p, q;

	probe_init(&p, l);
	probe_init(&q, NULL);
	ck_assert_int_eq(loop_add(l, &q.src, 1000, EPOLLIN), -EBADF);
	ck_assert_int_eq(loop_add(l, &q.src, p.fds[0], EPOLLIN), -EEXIST);
	ck_assert_ptr_null(q.src.loop);
	probe_done(&p);
	probe_done(&q);
	loop_free(l);
}
END_TEST

START_TEST(what_epoll_refuses_is_always_ready)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct probe p = { .src = { .fn = on_probe, .fd = -1 }, .fds = { -1, -1 } };
	struct deadline d;

	ck_assert_int_eq(loop_add(l, &p.src, fd, EPOLLOUT), 0);
	ck_assert(p.src.always);
	p.stop_after = 5;
	ck_assert_int_eq(loop_run(l, &err), 5);
	ck_assert_uint_eq(p.events, EPOLLOUT);
	/* without events wanted it is left alone, and the loop sleeps */
	ck_assert_int_eq(loop_mod(&p.src, 0), 0);
	deadline_init(&d, l, 50);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(p.calls, 5);
	ck_assert_int_eq(loop_mod(&p.src, EPOLLIN), 0);
	p.stop_after = 6;
	ck_assert_int_eq(loop_run(l, &err), 6);
	ck_assert_uint_eq(p.events, EPOLLIN);
	loop_del(&p.src);
	ck_assert_int_eq(loop_timer_set(d.src.fd, 20), 0);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(p.calls, 6);
	deadline_done(&d);
	close(fd);
	loop_free(l);
}
END_TEST

/* removal in the round, of one that comes later and of oneself */
START_TEST(always_ready_sources_remove_each_other)
{
	enum { N = 9 };
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), i, calls = 0;
	struct probe p[N];
	struct deadline d;

	for (i = 0; i < N; i++) {
		p[i] = (struct probe){ .src = { .fn = on_probe, .fd = -1 },
				       .fds = { -1, -1 } };
		ck_assert_int_eq(loop_add(l, &p[i].src, fd, EPOLLOUT), 0);
	}
	for (i = 0; i + 1 < N; i += 2)
		p[i].remove = &p[i + 1];
	p[N - 1].src.fn = on_self;
	deadline_init(&d, l, 20);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	for (i = 0; i + 1 < N; i += 2) {
		ck_assert_int_eq(p[i + 1].calls, 0);
		ck_assert_int_gt(p[i].calls, 1);
		calls += p[i].calls;
	}
	ck_assert_int_gt(calls, 0);
	ck_assert_int_eq(p[N - 1].calls, 1);
	deadline_done(&d);
	close(fd);
	loop_free(l);
}
END_TEST

/* always-ready sources must not starve the others */
START_TEST(always_ready_and_watched_take_turns)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct probe busy = { .src = { .fn = on_probe, .fd = -1 }, .fds = { -1, -1 } };
	struct probe p;

	ck_assert_int_eq(loop_add(l, &busy.src, fd, EPOLLOUT), 0);
	probe_init(&p, l);
	p.stop_after = 3;
	ck_assert_int_eq(write(p.fds[1], "xyz", 3), 3);
	ck_assert_int_eq(loop_run(l, &err), 3);
	ck_assert_int_le(busy.calls, 3);
	probe_done(&p);
	loop_free(l);
	close(fd);
}
END_TEST

/* the process sleeps: no processor time goes by */
START_TEST(waiting_costs_nothing)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct timespec ts;
	struct deadline d;
	long before;

	deadline_init(&d, l, 400);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	before = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	ck_assert_int_eq(loop_run(l, &err), 1000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	ck_assert_int_lt(ts.tv_sec * 1000 + ts.tv_nsec / 1000000 - before, 60);
	deadline_done(&d);
	loop_free(l);
}
END_TEST

START_TEST(more_sources_than_a_batch)
{
	enum { N = 200 };
	static struct probe p[N];
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct deadline d;
	int i;

	for (i = 0; i < N; i++) {
		probe_init(&p[i], l);
		ck_assert_int_eq(write(p[i].fds[1], "x", 1), 1);
	}
	deadline_init(&d, l, 100);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	for (i = 0; i < N; i++) {
		ck_assert_int_eq(p[i].calls, 1);
		probe_done(&p[i]);
	}
	deadline_done(&d);
	loop_free(l);
}
END_TEST

START_TEST(signals_arrive_as_reads)
{
	struct signalfd_siginfo si;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	fd = loop_signals(&set);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(loop_signal_read(fd, &si), 0);
	kill(getpid(), SIGTERM); /* deadly, were it not blocked */
	kill(getpid(), SIGUSR1);
	ck_assert_int_eq(loop_signal_read(fd, &si), 1);
	ck_assert_uint_eq(si.ssi_signo, SIGUSR1);
	ck_assert_int_eq(loop_signal_read(fd, &si), 1);
	ck_assert_uint_eq(si.ssi_signo, SIGTERM);
	ck_assert_uint_eq(si.ssi_pid, (uint32_t)getpid());
	ck_assert_int_eq(loop_signal_read(fd, &si), 0);
	close(fd);
}
END_TEST

START_TEST(timer_is_disarmed_by_zero)
{
	struct kata_err err = { 0 };
	struct loop *l = new_loop();
	struct deadline off, d;

	deadline_init(&off, l, 10);
	ck_assert_int_eq(loop_timer_set(off.src.fd, 0), 0);
	deadline_init(&d, l, 60);
	ck_assert_int_eq(loop_run(l, &err), 1000);
	ck_assert_int_eq(off.fired, 0);
	ck_assert_int_eq(d.fired, 1);
	deadline_done(&off);
	deadline_done(&d);
	loop_free(l);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		run_returns_what_stop_was_given,
		removed_source_is_not_called,
		source_may_remove_itself,
		events_are_changed,
		add_refuses_bad_descriptors,
		what_epoll_refuses_is_always_ready,
		always_ready_sources_remove_each_other,
		always_ready_and_watched_take_turns,
		waiting_costs_nothing,
		more_sources_than_a_batch,
		signals_arrive_as_reads,
		timer_is_disarmed_by_zero,
	};

	return suite_run("loop", tests, ARRAY_SIZE(tests));
}
