// SPDX-License-Identifier: Apache-2.0
/*
 * start with NOTIFY_SOCKET, between a service manager and a program that the test plays: the
 * program speaks to the socket below the container's directory, as kata-sandbox does for it.
 */
#include <stddef.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/sock.h"
#include "verb/readiness.h"
#include "verb_bed.h"

static char manager_path[300];

static void write_bundle(void)
{
	write_at("bundle/config.json",
		 "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},"
		 "\"process\":{\"cwd\":\"/\",\"args\":[\"fake\",\"hold\"]},"
		 "\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"mount\"},"
		 "{\"type\":\"pid\"}]}}");
}

/* A container that was created by a service, and its manager's socket. */
static int created(void)
{
	struct timeval most = { .tv_sec = 30 };
	int fd = sock_bind_at(dir.fd, "manager", SOCK_DGRAM);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)), 0);
	snprintf(manager_path, sizeof(manager_path), "%s/manager", dir.path);
	k.notify_socket = manager_path;
	write_bundle();
	ck_assert_msg(create("a") == 0, "%s", err.msg);
	return fd;
}

/* In a child, until it waits: it listens while it holds the container's lock, and then lets go. */
static pid_t starting(void)
{
	pid_t pid = fork();
	int lock;

	if (pid == 0)
		_exit(proc_close_from(STDERR_FILENO + 1, NULL, 0) < 0 ||
		      kata_start(&k, "a", &err) < 0);
	while (!exists("root/a/notify/notify.sock"))
		ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	lock = openat(dir.fd, "root/a/lock", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	close(lock);
	ck_assert_str_eq(state_of("a", "status"), "running");
	return pid;
}

static void say(const char *text)
{
	int fd = sock_connect_at(dir.fd, "root/a/notify/notify.sock", SOCK_DGRAM);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_send(fd, text, strlen(text), NULL, 0), 0);
	close(fd);
}

/* The next datagram has to be @want. Return: the descriptor that came with it, -1 = none. */
static int hear(int manager, const char *want)
{
	int fds[SOCK_MAX_FDS];
	char text[200];
	size_t n_fds = 0;
	ssize_t n = sock_recv(manager, text, sizeof(text) - 1, fds, &n_fds);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, want);
	return n_fds ? fds[0] : -1;
}

static int status_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void end_container(void)
{
	ck_assert_int_eq(kata_kill(&k, "a", "KILL", false, &err), 0);
	wait_for_shim();
}

START_TEST(ready_is_passed_on_and_waited_for)
{
	AUTO_FREE char *main_pid = NULL;
	int manager = created(), barrier;
	pid_t pid = starting();

	main_pid = mem_printf("MAINPID=%d\n", (int)shim_pid());
	say("STATUS=READY=1");
	say("MAINPID=1\nREADY=1\nSTATUS=x");
	ck_assert_int_eq(hear(manager, "READY=1\n"), -1);
	ck_assert_int_eq(hear(manager, main_pid), -1);
	barrier = hear(manager, "BARRIER=1");
	ck_assert_int_ge(barrier, 0);
	ck_assert(!exists("root/a/notify/notify.sock"));
	/* it is there until the manager has read all */
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	close(barrier);
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_int_lt(recv(manager, main_pid, 1, MSG_DONTWAIT), 0);
	end_container();
}
END_TEST

START_TEST(its_end_ends_the_wait)
{
	int manager = created();
	pid_t pid = starting();
	char c;

	say("STATUS=never");
	end_container();
	ck_assert_int_eq(status_of(pid), 0);
	ck_assert_int_lt(recv(manager, &c, 1, MSG_DONTWAIT), 0);
}
END_TEST

/* A start that waits holds nothing that others need. */
START_TEST(deleted_while_it_waits)
{
	pid_t pid;

	created();
	pid = starting();
	ck_assert_int_eq(kata_delete(&k, "a", true, &err), 0);
	ck_assert(!exists("root/a"));
	ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

START_TEST(a_manager_that_is_gone)
{
	int manager = created();
	pid_t pid = starting();

	close(manager);
	say("READY=1");
	ck_assert_int_eq(status_of(pid), 1);
	ck_assert_str_eq(state_of("a", "status"), "running");
	end_container();
}
END_TEST

static const struct {
	const char *socket, *says;
} wrong[] = {
	{ "/nowhere/at/all",
	  "connect to NOTIFY_SOCKET=/nowhere/at/all: no such file or directory" },
	{ "@nobody/listens/here",
	  "connect to NOTIFY_SOCKET=@nobody/listens/here: connection refused" },
	{ "relative", "NOTIFY_SOCKET=relative: is neither a path nor an abstract name" },
};

START_TEST(wrong_sockets_are_told_before)
{
	created();
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		k.notify_socket = wrong[i].socket;
		ck_assert_int_lt(kata_start(&k, "a", &err), 0);
		ck_assert_str_eq(err.msg, wrong[i].says);
		ck_assert_str_eq(state_of("a", "status"), "created");
	}
	k.notify_socket = NULL;
	ck_assert_int_eq(kata_start(&k, "a", &err), 0);
	end_container();
}
END_TEST

START_TEST(created_without)
{
	write_bundle();
	ck_assert_int_eq(create("a"), 0);
	ck_assert(!exists("root/a/notify"));
	ck_assert_int_ge(sock_bind_at(dir.fd, "manager", SOCK_DGRAM), 0);
	snprintf(manager_path, sizeof(manager_path), "%s/manager", dir.path);
	k.notify_socket = manager_path;
	ck_assert_int_lt(kata_start(&k, "a", &err), 0);
	ck_assert_str_eq(
		err.msg,
		"NOTIFY_SOCKET is set, but was not when the container was created");
	ck_assert_str_eq(state_of("a", "status"), "created");
}
END_TEST

START_TEST(abstract_names)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	AUTO_FREE char *name = mem_printf("@kata-test%s", dir.path);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct readiness r = READINESS_INIT;

	memcpy(sa.sun_path + 1, name + 1, strlen(name) - 1);
	ck_assert_int_eq(
		bind(fd, (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	ck_assert_int_eq(readiness_open(&r, name, &err), 0);
	ck_assert_int_eq(sock_send(r.host_fd, "x", 1, NULL, 0), 0);
	ck_assert_int_eq(hear(fd, "x"), -1);
	readiness_done(&r);
	close(fd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		ready_is_passed_on_and_waited_for,
		its_end_ends_the_wait,
		deleted_while_it_waits,
		a_manager_that_is_gone,
		wrong_sockets_are_told_before,
		created_without,
		abstract_names,
	};

	return bed_run("readiness", tests, ARRAY_SIZE(tests));
}
