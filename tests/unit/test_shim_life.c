// SPDX-License-Identifier: Apache-2.0
/*
 * The stand-in as engines see it: its exit status, signals, what is left when
 * the other side dies, terminals, and its looks in /proc.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "fakes/fake_sandbox.h"

static struct fake_sandbox f;

static void teardown(void)
{
	fake_done(&f);
}

static void start_plain(void)
{
	fake_start(&f, &(struct fake_start){ 0 });
}

/* The shim has blocked signals and looks at its connection. */
static void wait_until_up(void)
{
	fake_stream(&f, STREAM_STDIN);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).bytes, 0);
}

static void finish(uint32_t status)
{
	fake_end(&f, STREAM_STDOUT, 0);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, status);
	ck_assert_int_eq(fake_wait(&f), (int)status);
}

/* --- exit --------------------------------------------------------------------------------- */

static const uint32_t statuses[] = {
	0, 1, 42, 126, 127, 128 + SIGKILL, 128 + SIGTERM, 255
};

START_TEST(exit_status)
{
	start_plain();
	fake_streams(&f, false);
	fake_expect(&f, CTL_STDIN_END);
	finish(statuses[_i]);
}
END_TEST

START_TEST(exit_without_streams)
{
	start_plain();
	fake_exit(&f, 3);
	ck_assert_int_eq(fake_wait(&f), 3);
}
END_TEST

START_TEST(exit_as_pid_1)
{
	fake_start(&f, &(struct fake_start){ .clone_flags = CLONE_NEWPID });
	wait_until_up();
	finish(128 + SIGTERM);
}
END_TEST

START_TEST(wrong_setting_is_told)
{
	const char *env[] = { SHIM_ENV_TERMINAL "=perhaps", NULL };
	char text[200] = "";
	int err[2];

	make_pipe(err);
	fake_start(&f, &(struct fake_start){ .err = err[1], .env = env });
	ck_assert_int_eq(fake_wait(&f), 1);
	ck_assert_int_gt(read(err[0], text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "kata-shim: " SHIM_ENV_TERMINAL
			       " is \"perhaps\", neither \"0\" nor \"1\"\n");
	close(err[0]);
	close(err[1]);
}
END_TEST

/* --- the sandbox dies --------------------------------------------------------------------- */

START_TEST(sandbox_dies)
{
	start_plain();
	wait_until_up();
	fake_die(&f);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
}
END_TEST

START_TEST(sandbox_dies_at_once)
{
	start_plain();
	fake_die(&f);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
}
END_TEST

/* What was on its way is delivered, although the connection of the stream stays open. */
START_TEST(sandbox_dies_with_output)
{
	char data[150000] = "";
	struct lane lane;
	int out[2];

	make_pipe(out);
	fake_start(&f, &(struct fake_start){ .out = out[1] });
	close(out[1]);
	fake_streams(&f, false);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT], .total = sizeof(data) };
	lane.from = -1;
	lane.got = lane.total;
	lanes_run(&lane, 1);
	close(f.ctl);
	f.ctl = -1;
	lane = (struct lane){ .to = -1, .from = out[0], .total = sizeof(data) };
	lane.sent = lane.total;
	lanes_run(&lane, 1);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
	close(out[0]);
}
END_TEST

/* ... but nothing hangs after a crash. */
START_TEST(sandbox_dies_and_nobody_reads)
{
	struct lane lane;
	int out[2];

	make_pipe(out);
	fake_start(&f, &(struct fake_start){ .out = out[1] });
	close(out[1]);
	fake_streams(&f, false);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT], .from = -1, .total = 150000 };
	lane.got = lane.total;
	lanes_run(&lane, 1);
	fake_die(&f);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
	close(out[0]);
}
END_TEST

START_TEST(sandbox_dies_after_the_exit)
{
	start_plain();
	fake_streams(&f, false);
	fake_exit(&f, 12);
	fake_die(&f);
	ck_assert_int_eq(fake_wait(&f), 12);
}
END_TEST

/* The end of the container is waited for: a reader has so long, and no longer. */
START_TEST(container_ends_and_nobody_reads)
{
	struct lane lane;
	int out[2];

	make_pipe(out);
	fake_start(&f, &(struct fake_start){ .out = out[1] });
	close(out[1]);
	fake_streams(&f, false);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT], .from = -1, .total = 150000 };
	lane.got = lane.total;
	lanes_run(&lane, 1);
	fake_end(&f, STREAM_STDOUT, 150000);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit_with_all(&f, 137);
	ck_assert(fake_alive(&f, 200));
	ck_assert_int_eq(fake_wait(&f), 137);
	close(out[0]);
}
END_TEST

/* SIGKILL cannot be caught: the sandbox sees the connection close. */
START_TEST(killed)
{
	struct pollfd p;

	start_plain();
	wait_until_up();
	p = (struct pollfd){ .fd = f.ctl, .events = POLLIN };
	ck_assert_int_eq(kill(f.shim.pid, SIGKILL), 0);
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert(p.revents & POLLHUP);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
}
END_TEST

/* --- signals ------------------------------------------------------------------------------ */

START_TEST(signals_are_forwarded_once)
{
	start_plain();
	wait_until_up();
	for (int sig = 1; sig <= 64; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD || sig == 32 ||
		    sig == 33)
			continue;
		ck_assert_int_eq(kill(f.shim.pid, sig), 0);
		ck_assert_uint_eq(fake_expect(&f, CTL_SIGNAL).number, (unsigned)sig);
	}
	ck_assert(fake_silent(&f, 50));
	finish(0);
}
END_TEST

START_TEST(signals_reach_pid_1)
{
	fake_start(&f, &(struct fake_start){ .clone_flags = CLONE_NEWPID });
	wait_until_up();
	ck_assert_int_eq(kill(f.shim.pid, SIGTERM), 0);
	ck_assert_uint_eq(fake_expect(&f, CTL_SIGNAL).number, SIGTERM);
	finish(0);
}
END_TEST

/* A sandbox that does not read: signals wait, each once, and nothing blocks. */
START_TEST(signals_wait_for_a_busy_sandbox)
{
	unsigned seen = 0;

	start_plain();
	wait_until_up();
	for (int i = 0; i < 3000; i++) {
		ck_assert_int_eq(kill(f.shim.pid, i % 2 ? SIGUSR1 : SIGUSR2), 0);
		if (i % 16 == 0)
			poll(NULL, 0, 1);
	}
	ck_assert_int_eq(kill(f.shim.pid, SIGTERM), 0);
	while (fake_expect(&f, CTL_SIGNAL).number != SIGTERM)
		seen++;
	ck_assert_uint_gt(seen, 1);
	ck_assert_uint_le(seen, 3000);
	finish(0);
}
END_TEST

START_TEST(sigchld_is_not_forwarded)
{
	start_plain();
	wait_until_up();
	ck_assert_int_eq(kill(f.shim.pid, SIGCHLD), 0);
	ck_assert(fake_silent(&f, 50));
	finish(0);
}
END_TEST

/* --- terminals ---------------------------------------------------------------------------- */

static int open_pty(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	char name[64];
	struct termios t;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	ck_assert_int_eq(ptsname_r(master, name, sizeof(name)), 0);
	*ret_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*ret_slave, 0);
	ck_assert_int_eq(tcgetattr(*ret_slave, &t), 0);
	cfmakeraw(&t);
	ck_assert_int_eq(tcsetattr(*ret_slave, TCSANOW, &t), 0);
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &ws), 0);
	return master;
}

/* As an engine has it: the slave is all three, and the controlling terminal. */
static int start_terminal(void)
{
	int slave, master = open_pty(&slave);

	fake_start(&f, &(struct fake_start){ .in = slave,
					     .out = slave,
					     .err = slave,
					     .terminal = true,
					     .ctty = true });
	close(slave);
	return master;
}

static void expect_winsize(unsigned height, unsigned width)
{
	struct ctl_msg m = fake_expect(&f, CTL_WINSIZE);

	ck_assert_uint_eq(m.height, height);
	ck_assert_uint_eq(m.width, width);
}

START_TEST(terminal_both_ways)
{
	int master = start_terminal();
	struct lane lanes[2];

	fake_streams(&f, true);
	expect_winsize(24, 80);
	lanes[0] = (struct lane){ .to = master,
				  .from = f.guest[STREAM_TTY],
				  .total = 150000 };
	lanes[1] = (struct lane){ .to = f.guest[STREAM_TTY],
				  .from = master,
				  .total = 300000 };
	lanes_run(lanes, 2);
	fake_end(&f, STREAM_TTY, 300000);
	ck_assert(fake_alive(&f, 20));
	fake_exit(&f, 8);
	ck_assert_int_eq(fake_wait(&f), 8);
	close(master);
}
END_TEST

START_TEST(terminal_resized)
{
	struct winsize ws = { .ws_row = 50, .ws_col = 132 };
	int master = start_terminal();

	expect_winsize(24, 80);
	fake_streams(&f, true);
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &ws), 0);
	expect_winsize(50, 132);
	ck_assert_int_eq(kill(f.shim.pid, SIGWINCH), 0);
	expect_winsize(50, 132);
	ck_assert_int_eq(kill(f.shim.pid, SIGINT), 0);
	ck_assert_uint_eq(fake_expect(&f, CTL_SIGNAL).number, SIGINT);
	fake_exit(&f, 0);
	fake_end(&f, STREAM_TTY, 0);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(master);
}
END_TEST

/* The engine lets go of its side: the container goes on, its output into nothing. */
START_TEST(terminal_hung_up)
{
	int master = start_terminal();
	struct lane lane;

	fake_streams(&f, true);
	expect_winsize(24, 80);
	close(master);
	lane = (struct lane){ .to = f.guest[STREAM_TTY], .from = -1, .total = 500000 };
	lane.got = lane.total;
	lanes_run(&lane, 1);
	ck_assert(fake_silent(&f, 50));
	fake_end(&f, STREAM_TTY, 500000);
	fake_exit(&f, 8);
	ck_assert_int_eq(fake_wait(&f), 8);
}
END_TEST

/* `echo date | kata-runtime run` of a container with a terminal: no end is told to it. */
START_TEST(terminal_fed_by_a_pipe)
{
	int in[2], out[2];
	char data[3];

	make_pipe(in);
	make_pipe(out);
	fake_start(&f,
		   &(struct fake_start){ .in = in[0], .out = out[1], .terminal = true });
	close(in[0]);
	close(out[1]);
	ck_assert_int_eq(write(in[1], "abc", 3), 3);
	close(in[1]);
	fake_streams(&f, true);
	ck_assert_int_eq(read(f.guest[STREAM_TTY], data, 3), 3);
	ck_assert_mem_eq(data, "abc", 3);
	ck_assert(fake_silent(&f, 50));
	ck_assert_int_eq(write(f.guest[STREAM_TTY], "xyz", 3), 3);
	ck_assert_int_eq(read(out[0], data, 3), 3);
	ck_assert_mem_eq(data, "xyz", 3);
	fake_end(&f, STREAM_TTY, 3);
	fake_exit(&f, 0);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(out[0]);
}
END_TEST

/* --- the caller's terminal ------------------------------------------------------------------ */

/* As a shell has it: lines and keys. Return: the master; *ret_slave stays open. */
static int start_callers(bool terminal, int *ret_slave)
{
	int master = open_pty(ret_slave);
	struct termios t;

	ck_assert_int_eq(tcgetattr(*ret_slave, &t), 0);
	t.c_lflag |= ICANON | ECHO | ISIG;
	ck_assert_int_eq(tcsetattr(*ret_slave, TCSANOW, &t), 0);
	fake_start(&f, &(struct fake_start){ .in = *ret_slave,
					     .out = *ret_slave,
					     .err = *ret_slave,
					     .terminal = terminal,
					     .callers_tty = true,
					     .ctty = true });
	return master;
}

static bool is_raw(int tty)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(tty, &t), 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG));
}

START_TEST(callers_terminal_is_raw_meanwhile)
{
	int slave, master = start_callers(true, &slave);

	fake_streams(&f, true);
	expect_winsize(24, 80);
	ck_assert(is_raw(slave));
	fake_end(&f, STREAM_TTY, 0);
	fake_exit(&f, 3);
	ck_assert_int_eq(fake_wait(&f), 3);
	ck_assert(!is_raw(slave));
	close(slave);
	close(master);
}
END_TEST

START_TEST(callers_terminal_is_restored_after_a_crash)
{
	int slave, master = start_callers(true, &slave);

	fake_streams(&f, true);
	expect_winsize(24, 80);
	ck_assert(is_raw(slave));
	fake_die(&f);
	ck_assert_int_eq(fake_wait(&f), 128 + SIGKILL);
	ck_assert(!is_raw(slave));
	close(slave);
	close(master);
}
END_TEST

/* Without a terminal of its own the process gets what is typed at its caller's. */
START_TEST(callers_keys_are_forwarded)
{
	int slave, master = start_callers(false, &slave);
	char line[2];

	/* a line that gets through shows that it is up */
	fake_stream(&f, STREAM_STDIN);
	ck_assert_int_eq(write(master, "x\n", 2), 2);
	ck_assert_int_eq(read(f.guest[STREAM_STDIN], line, 2), 2);
	ck_assert(!is_raw(slave));
	ck_assert_int_eq(write(master, "\003", 1), 1);
	ck_assert_uint_eq(fake_expect(&f, CTL_SIGNAL).number, SIGINT);
	finish(130);
	close(slave);
	close(master);
}
END_TEST

/* --- looks -------------------------------------------------------------------------------- */

static char *proc_text(const char *name, size_t *ret_len)
{
	AUTO_FREE char *path = mem_printf("/proc/%d/%s", f.shim.pid, name);
	char *text = mem_zalloc(4096);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, 4095);

	ck_assert_int_ge(n, 0);
	close(fd);
	if (ret_len)
		*ret_len = (size_t)n;
	return text;
}

static ino_t inode(const char *path)
{
	struct stat st;

	ck_assert_msg(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st.st_ino;
}

START_TEST(looks_like_the_container)
{
	AUTO_FREE char *comm = NULL, *cmdline = NULL, *root = NULL, *below = NULL;
	char dir[] = "/tmp/test_shim.XXXXXX";
	size_t len;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	fake_start(&f, &(struct fake_start){
			       .clone_flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
					      CLONE_NEWIPC,
			       .rootfs = dir,
			       .hostname = "container-1",
			       .comm = "nginx",
		       });
	wait_until_up();
	comm = proc_text("comm", NULL);
	ck_assert_str_eq(comm, "nginx\n");
	cmdline = proc_text("cmdline", &len);
	ck_assert_uint_eq(len, sizeof("sleep\0"
				      "1000"));
	ck_assert_mem_eq(cmdline,
			 "sleep\0"
			 "1000",
			 len);
	root = mem_printf("/proc/%d/root/", f.shim.pid);
	ck_assert_uint_eq(inode(root), inode(dir));
	below = mem_printf("/proc/%d/root/made-outside", f.shim.pid);
	ck_assert_int_eq(mkdir(below, 0755), 0);
	finish(0);
	ck_assert_int_eq(rmdir(dir), -1);
	ck_assert_int_eq(errno, ENOTEMPTY);
	free(TAKE_PTR(below));
	below = mem_printf("%s/made-outside", dir);
	ck_assert_int_eq(rmdir(below), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void check_uts_name(const char *want)
{
	AUTO_FREE char *path = mem_printf("/proc/%d/ns/uts", f.shim.pid);
	char name[65];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setns(fd, CLONE_NEWUTS), 0);
	ck_assert_int_eq(gethostname(name, sizeof(name)), 0);
	ck_assert_str_eq(name, want);
	close(fd);
}

START_TEST(host_name)
{
	fake_start(&f, &(struct fake_start){ .clone_flags = CLONE_NEWUTS,
					     .hostname = "container-1" });
	wait_until_up();
	check_uts_name("container-1");
	finish(0);
}
END_TEST

/* Nothing of the caller's is left open but the stdio, and of that one copy. */
START_TEST(descriptors)
{
	AUTO_FREE char *path = NULL;
	char link[64];
	int in[2], out[2];
	ssize_t n;

	make_pipe(in);
	make_pipe(out);
	fake_start(&f, &(struct fake_start){ .in = in[0], .out = out[1], .err = out[1] });
	close(in[0]);
	close(out[1]);
	fake_streams(&f, false);
	close(in[1]);
	fake_expect(&f, CTL_STDIN_END);
	for (int fd = 0; fd < 3; fd++) {
		free(TAKE_PTR(path));
		path = mem_printf("/proc/%d/fd/%d", f.shim.pid, fd);
		n = readlink(path, link, sizeof(link) - 1);
		ck_assert_int_gt(n, 0);
		link[n] = '\0';
		ck_assert_str_eq(link, "/dev/null");
	}
	fake_end(&f, STREAM_STDOUT, 0);
	fake_end(&f, STREAM_STDERR, 0);
	ck_assert_int_eq(read(out[0], link, 1), 0);
	ck_assert(fake_alive(&f, 0));
	finish(0);
	close(out[0]);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, exit_status, 0, ARRAY_SIZE(statuses));
	tcase_add_test(tc, exit_without_streams);
	tcase_add_test(tc, wrong_setting_is_told);
	tcase_add_test(tc, sandbox_dies);
	tcase_add_test(tc, sandbox_dies_at_once);
	tcase_add_test(tc, sandbox_dies_with_output);
	tcase_add_test(tc, sandbox_dies_and_nobody_reads);
	tcase_add_test(tc, sandbox_dies_after_the_exit);
	tcase_add_test(tc, container_ends_and_nobody_reads);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, signals_are_forwarded_once);
	tcase_add_test(tc, signals_wait_for_a_busy_sandbox);
	tcase_add_test(tc, sigchld_is_not_forwarded);
	tcase_add_test(tc, terminal_both_ways);
	tcase_add_test(tc, terminal_resized);
	tcase_add_test(tc, terminal_hung_up);
	tcase_add_test(tc, terminal_fed_by_a_pipe);
	tcase_add_test(tc, callers_terminal_is_raw_meanwhile);
	tcase_add_test(tc, callers_terminal_is_restored_after_a_crash);
	tcase_add_test(tc, callers_keys_are_forwarded);
	tcase_add_test(tc, descriptors);
	if (geteuid() != 0)
		return;
	tcase_add_test(tc, exit_as_pid_1);
	tcase_add_test(tc, signals_reach_pid_1);
	tcase_add_test(tc, looks_like_the_container);
	tcase_add_test(tc, host_name);
}

int main(void)
{
	Suite *s = suite_create("shim_life");
	TCase *tc = tcase_create("life");
	SRunner *sr = srunner_create(s);
	int failed;

	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, NULL, teardown);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
