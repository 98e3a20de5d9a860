// SPDX-License-Identifier: Apache-2.0
/*
 * faults: preloaded into the installed programs, lets the N-th call with an effect fail, or is where
 * the program dies. Nothing of it is in the product: what is tested is what is shipped.
 *
 *   KATA_FAULT=PROGRAM:N:KIND  kata-runtime, kata-sandbox or kata-shim; N counts the calls of all
 *                              processes with that name, 0 = none is disturbed; KIND an errno's
 *                              number, kill, or slow (half a second)
 *   KATA_FAULT_FILE            struct tally, made by the test; says what happened
 *
 * The tally is mapped, so it works in every mount namespace and with every descriptor closed.
 * Programs of ours that they start inherit both, whatever environment they are given; others do not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TALLY_SIZE 65536
#define ENV_MAX 64

struct tally {
	unsigned calls, fired, pid, length;
	char text[TALLY_SIZE - 4 * sizeof(unsigned)];
};

static struct tally *tally;
static bool wanted; /* this program is the one */
static unsigned at;
static int error; /* 0: kill or slow */
static bool is_slow;
static char preload[512], fault[128], file[512];

static void begin(void) __attribute__((constructor));

static bool is_ours(const char *path)
{
	const char *name = strrchr(path, '/');

	return strncmp(name ? name + 1 : path, "kata-", 5) == 0;
}

static void begin(void)
{
	const char *so = getenv("LD_PRELOAD"), *how = getenv("KATA_FAULT"),
		   *name = getenv("KATA_FAULT_FILE");
	char program[32], kind[16], self[512] = "";
	int fd;

	if (!so || !how || !name ||
	    sscanf(how, "%31[^:]:%u:%15s", program, &at, kind) != 3)
		return;
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", so);
	snprintf(fault, sizeof(fault), "KATA_FAULT=%s", how);
	snprintf(file, sizeof(file), "KATA_FAULT_FILE=%s", name);
	/* not the name it was called by: that of the stand-in is the workload's */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || !is_ours(self))
		return;
	unsetenv("LD_PRELOAD");
	is_slow = strcmp(kind, "slow") == 0;
	error = atoi(kind);
	fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	tally = mmap(NULL, TALLY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (tally == MAP_FAILED)
		tally = NULL;
	wanted = tally && strcmp(program, strrchr(self, '/') + 1) == 0;
}

static void note(const char *call, const char *what)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%s %.120s\n", call, what ? what : "");
	unsigned to = __atomic_fetch_add(&tally->length, (unsigned)len, __ATOMIC_SEQ_CST);

	if (to + (unsigned)len < sizeof(tally->text))
		memcpy(tally->text + to, line, (size_t)len);
}

/* What the descriptor is, where there is a /proc. */
static const char *fd_text(int fd)
{
	static __thread char text[128];
	char link[48];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* True: @call fails, errno says why. */
static bool fails(const char *call, const char *what, int fd)
{
	const struct timespec half = { .tv_nsec = 500000000 };
	int saved = errno;
	unsigned n;

	if (!wanted)
		return false;
	n = __atomic_add_fetch(&tally->calls, 1, __ATOMIC_SEQ_CST);
	if (n == at || at == 0)
		note(call, what ? what : fd_text(fd));
	if (n != at) {
		errno = saved;
		return false;
	}
	tally->fired = n;
	tally->pid = (unsigned)getpid();
	if (is_slow) {
		nanosleep(&half, NULL);
		errno = saved;
		return false;
	}
	errno = error;
	if (error)
		return true;
	kill(getpid(), SIGKILL);
	for (;
	     ;) /* the first process of a namespace does not die of a signal of its own */
		syscall(SYS_exit_group, 137);
}

#define REAL(name) static __typeof__(&name) real
#define FIND(name)                                                                       \
	do {                                                                             \
		if (!real)                                                               \
			real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);               \
	} while (0)

#define WRAP(type, failure, name, params, args, what, fd)                                \
	type name params                                                                 \
	{                                                                                \
		REAL(name);                                                              \
		FIND(name);                                                              \
		return fails(#name, what, fd) ? (failure) : real args;                   \
	}
#define CALL(name, params, args) WRAP(int, -1, name, params, args, "", -1)
#define PATH(name, params, args) WRAP(int, -1, name, params, args, path, -1)
#define FD(type, name, params, args) WRAP(type, -1, name, params, args, NULL, fd)

int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

PATH(__open_2, (const char *path, int flags), (path, flags))
PATH(__openat_2, (int dir, const char *path, int flags), (dir, path, flags))
PATH(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
PATH(unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
PATH(unlink, (const char *path), (path))
PATH(fchmodat, (int dir, const char *path, mode_t mode, int flags),
     (dir, path, mode, flags))
PATH(chdir, (const char *path), (path))
PATH(umount2, (const char *path, int flags), (path, flags))
PATH(renameat, (int from, const char *path, int to, const char *name),
     (from, path, to, name))
PATH(mount,
     (const char *from, const char *path, const char *type, unsigned long flags,
      const void *data),
     (from, path, type, flags, data))
FD(int, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(fchdir, (int fd), (fd))
CALL(socket, (int domain, int type, int protocol), (domain, type, protocol))
CALL(socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds))
FD(int, bind, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
FD(int, connect, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
FD(int, listen, (int fd, int backlog), (fd, backlog))
FD(int, accept4, (int fd, struct sockaddr *a, socklen_t *size, int flags),
   (fd, a, size, flags))
CALL(pipe2, (int fds[2], int flags), (fds, flags))
CALL(epoll_create1, (int flags), (flags))
CALL(epoll_ctl, (int ep, int op, int fd, struct epoll_event *e), (ep, op, fd, e))
CALL(timerfd_create, (clockid_t clock, int flags), (clock, flags))
CALL(timerfd_settime,
     (int fd, int flags, const struct itimerspec *to, struct itimerspec *had),
     (fd, flags, to, had))
CALL(signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
CALL(memfd_create, (const char *path, unsigned flags), (path, flags))
FD(int, setns, (int fd, int type), (fd, type))
CALL(unshare, (int flags), (flags))
CALL(sethostname, (const char *name, size_t len), (name, len))
WRAP(pid_t, -1, setsid, (void), (), "", -1)
FD(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
FD(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
FD(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
FD(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
FD(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP(void *, MAP_FAILED, mmap,
     (void *p, size_t len, int prot, int flags, int fd, off_t off),
     (p, len, prot, flags, fd, off), "", -1)

/* --- those with variable arguments */

int open(const char *path, int flags, ...)
{
	REAL(open);
	va_list ap;
	mode_t mode;

	FIND(open);
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails("open", path, -1) ? -1 : real(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	REAL(openat);
	va_list ap;
	mode_t mode;

	FIND(openat);
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails("openat", path, -1) ? -1 : real(dir, path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...)
{
	REAL(ioctl);
	va_list ap;
	void *arg;

	FIND(ioctl);
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fails("ioctl", NULL, fd) ? -1 : real(fd, request, arg);
}

int prctl(int option, ...)
{
	REAL(prctl);
	unsigned long a[4];
	va_list ap;

	FIND(prctl);
	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return fails("prctl", "", -1) ? -1 : real(option, a[0], a[1], a[2], a[3]);
}

/* --- programs of ours take this along */

/* In a child that shares its parent's memory: the parent waits. */
static char *const *take_along(char *const envp[])
{
	static char *env[ENV_MAX + 4];
	size_t n = 0;

	for (; envp && envp[n] && n < ENV_MAX; n++)
		env[n] = envp[n];
	env[n++] = preload;
	env[n++] = fault;
	env[n++] = file;
	env[n] = NULL;
	return env;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
	REAL(execve);

	FIND(execve);
	if (fails("execve", path, -1))
		return -1;
	return real(path, argv, tally && is_ours(path) ? take_along(envp) : envp);
}

long syscall(long number, ...)
{
	REAL(syscall);
	char from[64], to[512];
	long a[6];
	va_list ap;
	ssize_t n;

	FIND(syscall);
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	snprintf(from, sizeof(from), "number %ld", number);
	if (tally && number != SYS_exit_group && number != SYS_rt_sigaction &&
	    fails("syscall", from, -1))
		return -1;
	if (tally && number == SYS_execveat) {
		snprintf(from, sizeof(from), "/proc/self/fd/%ld", a[0]);
		n = readlink(from, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (is_ours(to))
			a[3] = (long)take_along((char *const *)a[3]);
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
