/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one epoll loop per process; signals by signalfd, children by pidfd,
 * time by timerfd. Callbacks never block. Nothing here polls: without events
 * the process sleeps for ever.
 *
 * Sources are embedded in their owner. A callback may remove any source,
 * itself included, and events already fetched for a removed source are dropped.
 */
#ifndef KATA_BASE_LOOP_H
#define KATA_BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "base/err.h"

struct loop;
struct loop_src;

/** @events: EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR | EPOLLRDHUP as epoll reports them. */
struct loop_src {
	void (*fn)(struct loop_src *src, uint32_t events);
	int fd;		 /* borrowed; -1 while not in the loop */
	uint32_t events; /* what is watched for */
	struct loop *loop;
	bool always; /* epoll refuses this descriptor (regular file, /dev/null): always ready */
};

struct loop *loop_new(struct kata_err *err) MUST_CHECK;
void loop_free(struct loop *l);

/**
 * loop_add() - watch @fd (src->fn set by the caller). Descriptors that epoll refuses with
 * EPERM count as always ready while events are asked for (they never block).
 */
int loop_add(struct loop *l, struct loop_src *src, int fd, uint32_t events) MUST_CHECK;
/** loop_mod() - change what is watched for; 0 = only EPOLLHUP/EPOLLERR. No-op when unchanged. */
int loop_mod(struct loop_src *src, uint32_t events) MUST_CHECK;
/**
 * loop_del() - stop watching; does not close. Safe when not added. Call it before the descriptor
 * is closed: epoll watches the open file, which another process may still hold.
 */
void loop_del(struct loop_src *src);

/** loop_run() - dispatch until loop_stop(). Return: the value given to loop_stop(), or -errno. */
int loop_run(struct loop *l, struct kata_err *err) MUST_CHECK;
void loop_stop(struct loop *l, int result);

/** loop_signals() - block @set, return a signalfd for it (non-blocking). Read with loop_signal_read(). */
int loop_signals(const sigset_t *set) MUST_CHECK;
/** loop_signal_read() - next signal: 1 got one, 0 none left. */
int loop_signal_read(int fd, struct signalfd_siginfo *ret);

/** loop_now_us() - CLOCK_MONOTONIC in microseconds: what timers and timelines count in. */
uint64_t loop_now_us(void);

/** loop_timer() - a disarmed monotonic timerfd. */
int loop_timer(void) MUST_CHECK;
/** loop_timer_set() - fire once in @ms milliseconds; 0 disarms. */
int loop_timer_set(int fd, uint64_t ms) MUST_CHECK;
/** loop_timer_ack() - read the expiry away. */
void loop_timer_ack(int fd);

#endif
