/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_watch: processes that run: waiting, signals, knowing one again by pid and
 * start time, and closing what a program was started with.
 *
 * Signals and waiting go through pidfds only; a number is used once, to get one.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#define STAT_MAX 4096u /* /proc/PID/stat is well below 1 KiB */

void proc_done(struct proc *p)
{
	if (!p)
		return;
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
	p->pid = -1;
}

int proc_wait(const struct proc *p)
{
	siginfo_t si = { 0 };
	int r;

	do {
		r = waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int proc_wait_ms(int pidfd, int ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int64_t end = now_ms() + ms;
	int r;

	while ((r = poll(&pfd, 1, ms)) < 0 && errno == EINTR) {
		if (ms > 0)
			ms = now_ms() < end ? (int)(end - now_ms()) : 0;
	}
	if (r < 0)
		return -errno;
	if (r > 0 && (pfd.revents & POLLNVAL))
		return -EBADF;
	return r > 0;
}

int proc_kill(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

/** The @n-th field from @p, where fields are divided by single spaces; @n counts from 0. */
static const char *nth_field(const char *p, unsigned n)
{
	while (p && n--) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p;
}

/**
 * proc_start_time() - field 22 of /proc/PID/stat
 *
 * The name in field 2 may hold anything, so fields are counted from its last ')'.
 */
int proc_start_time(pid_t pid, uint64_t *ret_ticks)
{
	AUTO_FREE char *text = NULL;
	char path[32], *state;
	const char *field;
	int r;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	r = fs_read_at(AT_FDCWD, path, STAT_MAX, &text, NULL);
	if (r == -ENOENT)
		return -ESRCH;
	if (r < 0)
		return r;
	state = strrchr(text, ')');
	if (!state || state[1] != ' ')
		return -EIO;
	state += 2;
	if (*state == 'Z' || *state == 'X')
		return -ESRCH;
	field = nth_field(state, 22 - 3);
	if (!field)
		return -EIO;
	text[(size_t)(field - text) + strcspn(field, " \n")] = '\0';
	return str_to_u64(field, 0, UINT64_MAX, ret_ticks) < 0 ? -EIO : 0;
}

/**
 * proc_open() - pidfd of the process recorded as (@pid, @start_time)
 *
 * The pidfd comes first: once it is held the number cannot be given away unseen
 * between looking and using.
 *
 * Return: pidfd; -ESRCH when that process is gone, a zombie, or the number is another's.
 */
int proc_open(pid_t pid, uint64_t start_time)
{
	AUTO_CLOSE int fd = -1;
	uint64_t ticks;
	int r;

	if (pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return errno == EINVAL ? -ESRCH
				       : -errno; /* EINVAL: a thread, not a process */
	r = proc_start_time(pid, &ticks);
	if (r < 0)
		return r;
	return ticks == start_time ? TAKE_FD(fd) : -ESRCH;
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int proc_close_from(int lowest, const int *keep, size_t n)
{
	AUTO_FREE int *sorted = mem_grow(NULL, n, sizeof(int));
	int from = lowest < 0 ? 0 : lowest;
	size_t i;

	if (n)
		memcpy(sorted, keep, n * sizeof(int));
	qsort(sorted, n, sizeof(int), by_number);
	for (i = 0; i < n; i++) {
		if (sorted[i] < from)
			continue;
		if (sorted[i] > from &&
		    close_range((unsigned)from, (unsigned)sorted[i] - 1, 0) < 0)
			return -errno;
		from = sorted[i] + 1;
	}
	return close_range((unsigned)from, ~0u, 0) < 0 ? -errno : 0;
}
