// SPDX-License-Identifier: Apache-2.0
#include "fakes/fake_sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"

#define EXPECT_MS 20000

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void make_pipe(int ret_fd[2])
{
	ck_assert_int_eq(pipe2(ret_fd, O_CLOEXEC), 0);
}

void close_fd(int *fd)
{
	int old = TAKE_FD(*fd);

	if (old >= 0)
		close(old);
}

/* --- the shim ----------------------------------------------------------------------------- */

static char *shim_path(void)
{
	const char *dir = getenv("KATA_BUILDDIR");

	return mem_printf("%s/kata-shim", dir ? dir : ".");
}

static void make_env(const struct fake_start *how, struct strv *env)
{
	strv_addf(env, SHIM_ENV_TERMINAL "=%d", how->terminal);
	strv_addf(env, SHIM_ENV_HOSTNAME "=%s", how->hostname ? how->hostname : "");
	strv_addf(env, SHIM_ENV_COMM "=%s", how->comm ? how->comm : "");
	strv_addf(env, SHIM_ENV_NEWNS "=%d", how->rootfs != NULL);
	strv_addf(env, SHIM_ENV_CALLERS_TTY "=%d", how->callers_tty);
	strv_addf(env, SHIM_ENV_PASSED "=%s", how->passed ? how->passed : "");
	if (getenv("ASAN_OPTIONS"))
		strv_addf(env, "ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS"));
}

void fake_start(struct fake_sandbox *f, const struct fake_start *how)
{
	char *argv[] = { (char *)(uintptr_t) "sleep", (char *)(uintptr_t) "1000", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc_fd fds[5 + ARRAY_SIZE(how->passed_fd)];
	struct kata_err err = { 0 };
	AUTO_FREE char *path = shim_path();
	struct strv env = { 0 };
	int pair[2], root = -1, rc;

	memset(f, 0xff, sizeof(*f)); /* all descriptors -1 */
	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET, pair), 0);
	if (how->in)
		fds[sp.n_fds++] = (struct proc_fd){ how->in, 0 };
	if (how->out)
		fds[sp.n_fds++] = (struct proc_fd){ how->out, 1 };
	if (how->err)
		fds[sp.n_fds++] = (struct proc_fd){ how->err, 2 };
	fds[sp.n_fds++] = (struct proc_fd){ pair[1], SHIM_FD_CTL };
	if (how->rootfs) {
		root = open(how->rootfs, O_PATH | O_CLOEXEC);
		ck_assert_int_ge(root, 0);
		fds[sp.n_fds++] = (struct proc_fd){ root, SHIM_FD_ROOTFS };
	}
	for (int i = 0; how->passed && how->passed[i]; i++) {
		if (how->passed[i] != SHIM_PASSED_NOT)
			fds[sp.n_fds++] = (struct proc_fd){ how->passed_fd[i],
							    SHIM_FD_PASSED + i };
	}
	sp.path = path;
	sp.argv = argv;
	make_env(how, &env);
	sp.envp = how->env ? (char **)(uintptr_t)how->env : env.v;
	sp.fds = fds;
	sp.clone_flags = how->clone_flags;
	sp.new_session = true;
	sp.ctty = how->ctty ? 0 : -1;
	rc = proc_spawn(&sp, &f->shim, &err);
	ck_assert_msg(rc == 0, "start %s: %s", path, err.msg);
	strv_done(&env);
	close(pair[1]);
	close_fd(&root);
	f->ctl = pair[0];
}

int fake_stream(struct fake_sandbox *f, unsigned s)
{
	struct ctl_msg m = { .type = CTL_STREAM, .number = s };
	int pair[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	ck_assert_int_eq(ctl_send(f->ctl, &m, &pair[1], 1), 0);
	close(pair[1]);
	if (s < STREAM_MAX)
		f->guest[s] = pair[0];
	return pair[0];
}

void fake_streams(struct fake_sandbox *f, bool terminal)
{
	if (terminal) {
		fake_stream(f, STREAM_TTY);
		return;
	}
	fake_stream(f, STREAM_STDIN);
	fake_stream(f, STREAM_STDOUT);
	fake_stream(f, STREAM_STDERR);
}

void fake_hang_up(struct fake_sandbox *f, unsigned s)
{
	close_fd(&f->guest[s]);
}

void fake_end(struct fake_sandbox *f, unsigned s, uint64_t bytes)
{
	struct ctl_msg m = { .type = CTL_STREAM_END, .number = s, .bytes = bytes };

	ck_assert_int_eq(ctl_send(f->ctl, &m, NULL, 0), 0);
}

void fake_exit(struct fake_sandbox *f, uint32_t status)
{
	struct ctl_msg m = { .type = CTL_EXIT, .status = status };

	ck_assert_int_eq(ctl_send(f->ctl, &m, NULL, 0), 0);
}

void fake_exit_with_all(struct fake_sandbox *f, uint32_t status)
{
	struct ctl_msg m = { .type = CTL_EXIT, .status = status, .flags = CTL_F_ALL };

	ck_assert_int_eq(ctl_send(f->ctl, &m, NULL, 0), 0);
}

void fake_die(struct fake_sandbox *f)
{
	for (unsigned i = 0; i < STREAM_MAX; i++)
		close_fd(&f->guest[i]);
	close_fd(&f->ctl);
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

struct ctl_msg fake_expect(struct fake_sandbox *f, uint16_t type)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n = 0;

	ck_assert_msg(readable(f->ctl, EXPECT_MS), "message %u does not come", type);
	ck_assert_int_eq(ctl_recv(f->ctl, &m, fds, &n), 1);
	ck_assert_uint_eq(m.type, type);
	ck_assert_uint_eq(n, 0);
	return m;
}

bool fake_silent(struct fake_sandbox *f, int ms)
{
	return !readable(f->ctl, ms);
}

bool fake_alive(struct fake_sandbox *f, int ms)
{
	return proc_wait_ms(f->shim.pidfd, ms) == 0;
}

int fake_wait(struct fake_sandbox *f)
{
	int status;

	ck_assert_msg(proc_wait_ms(f->shim.pidfd, EXPECT_MS) == 1,
		      "the shim does not end");
	status = proc_wait(&f->shim);
	f->shim.pid = -1;
	return status;
}

void fake_done(struct fake_sandbox *f)
{
	if (f->shim.pid > 0) {
		ck_assert_int_eq(proc_kill(f->shim.pidfd, SIGKILL), 0);
		fake_wait(f);
	}
	proc_done(&f->shim);
	fake_die(f);
}

/* --- patterned bytes ---------------------------------------------------------------------- */

/* A prime, so that no block size of the code under test divides it. */
#define PATTERN_SIZE 262147u

static const unsigned char *pattern(void)
{
	static unsigned char bytes[PATTERN_SIZE];
	uint32_t x = 2463534242u;

	for (size_t i = 0; bytes[1] == 0 && i < PATTERN_SIZE; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[PATTERN_SIZE - 1 - i] = (unsigned char)(x | 1);
	}
	return bytes;
}

void pattern_fill(unsigned char *dst, size_t n, uint64_t offset)
{
	const unsigned char *src = pattern();

	while (n) {
		size_t at = (size_t)(offset % PATTERN_SIZE);
		size_t part = PATTERN_SIZE - at < n ? PATTERN_SIZE - at : n;

		memcpy(dst, src + at, part);
		dst += part;
		n -= part;
		offset += part;
	}
}

#define LANE_CHUNK ((size_t)64 << 10)

static bool would_block(ssize_t n)
{
	return n < 0 && errno == EAGAIN;
}

static void lane_send(struct lane *l)
{
	unsigned char data[LANE_CHUNK];
	size_t want = l->total - l->sent < LANE_CHUNK ? (size_t)(l->total - l->sent)
						      : LANE_CHUNK;
	ssize_t n;

	pattern_fill(data, want, l->sent);
	n = write(l->to, data, want);
	if (would_block(n))
		return;
	ck_assert_msg(n > 0, "write: %s", strerror(errno));
	l->sent += (uint64_t)n;
}

static void lane_take(struct lane *l)
{
	unsigned char data[LANE_CHUNK], want[LANE_CHUNK];
	ssize_t n = read(l->from, data, l->chunk ? l->chunk : LANE_CHUNK);

	if (would_block(n))
		return;
	ck_assert_msg(n > 0, "read after %llu of %llu bytes: %s",
		      (unsigned long long)l->got, (unsigned long long)l->total,
		      n == 0 ? "end" : strerror(errno));
	pattern_fill(want, (size_t)n, l->got);
	ck_assert_msg(memcmp(data, want, (size_t)n) == 0, "wrong byte after %llu",
		      (unsigned long long)l->got);
	l->got += (uint64_t)n;
	ck_assert_uint_le(l->got, l->total);
}

static void set_nonblock(int fd)
{
	if (fd >= 0)
		ck_assert_int_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Return: is any lane unfinished? */
static bool lanes_poll(struct lane *lanes, size_t n, struct pollfd *p)
{
	bool left = false;

	for (size_t i = 0; i < n; i++) {
		struct lane *l = &lanes[i];

		p[2 * i] = (struct pollfd){ .fd = l->sent < l->total ? l->to : -1,
					    .events = POLLOUT };
		p[2 * i + 1] = (struct pollfd){ .fd = l->got < l->total ? l->from : -1,
						.events = POLLIN };
		left = left || p[2 * i].fd >= 0 || p[2 * i + 1].fd >= 0;
	}
	return left;
}

void lanes_run(struct lane *lanes, size_t n)
{
	int64_t deadline = now_ms() + 60000;
	struct pollfd p[8];

	ck_assert_uint_le(2 * n, ARRAY_SIZE(p));
	for (size_t i = 0; i < n; i++) {
		set_nonblock(lanes[i].to);
		set_nonblock(lanes[i].from);
	}
	while (lanes_poll(lanes, n, p)) {
		ck_assert_msg(now_ms() < deadline && poll(p, 2 * n, 20000) > 0,
			      "stuck: %llu sent, %llu got of %llu",
			      (unsigned long long)lanes[0].sent,
			      (unsigned long long)lanes[0].got,
			      (unsigned long long)lanes[0].total);
		for (size_t i = 0; i < n; i++) {
			if (p[2 * i].revents)
				lane_send(&lanes[i]);
			if (p[2 * i + 1].revents)
				lane_take(&lanes[i]);
		}
	}
}
