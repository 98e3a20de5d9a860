// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes between the caller's stdio and the guest: all of them, in order, once,
 * through every kind of descriptor, and the callers' flags untouched.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "fakes/fake_sandbox.h"

#define MB ((uint64_t)1 << 20)

static struct fake_sandbox f;

static void teardown(void)
{
	fake_done(&f);
}

/* stdin and stdout through pipes, stderr left alone */
static void start_with_pipes(int *ret_in, int *ret_out)
{
	int in[2], out[2];

	make_pipe(in);
	make_pipe(out);
	fake_start(&f, &(struct fake_start){ .in = in[0], .out = out[1] });
	close(in[0]);
	close(out[1]);
	*ret_in = in[1];
	*ret_out = out[0];
}

/* All outputs ended; the shim follows with @status. */
static void finish(uint64_t out_bytes, uint64_t err_bytes, uint32_t status)
{
	fake_end(&f, STREAM_STDOUT, out_bytes);
	fake_end(&f, STREAM_STDERR, err_bytes);
	fake_exit(&f, status);
	ck_assert_int_eq(fake_wait(&f), (int)status);
}

START_TEST(hundred_megabytes_both_ways)
{
	int in[2], out[2], err[2];
	struct lane lanes[3];

	make_pipe(in);
	make_pipe(out);
	make_pipe(err);
	fake_start(&f, &(struct fake_start){ .in = in[0], .out = out[1], .err = err[1] });
	close(in[0]);
	close(out[1]);
	close(err[1]);
	fake_streams(&f, false);
	lanes[0] = (struct lane){ .to = in[1],
				  .from = f.guest[STREAM_STDIN],
				  .total = 100 * MB };
	lanes[1] = (struct lane){ .to = f.guest[STREAM_STDOUT],
				  .from = out[0],
				  .total = 100 * MB };
	lanes[2] = (struct lane){ .to = f.guest[STREAM_STDERR],
				  .from = err[0],
				  .total = 10 * MB };
	lanes_run(lanes, 3);
	close(in[1]);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).bytes, 100 * MB);
	finish(100 * MB, 10 * MB, 0);
	close(out[0]);
	close(err[0]);
}
END_TEST

START_TEST(sockets_as_stdio)
{
	struct lane lanes[2];
	int pair[2];

	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	fake_start(&f,
		   &(struct fake_start){ .in = pair[1], .out = pair[1], .err = pair[1] });
	fake_streams(&f, false);
	lanes[0] = (struct lane){ .to = pair[0],
				  .from = f.guest[STREAM_STDIN],
				  .total = 20 * MB };
	lanes[1] = (struct lane){ .to = f.guest[STREAM_STDOUT],
				  .from = pair[0],
				  .total = 20 * MB };
	lanes_run(lanes, 2);
	ck_assert_int_eq(fcntl(pair[1], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).bytes, 20 * MB);
	finish(20 * MB, 0, 3);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

static int temp_file(int flags)
{
	char name[] = "/tmp/test_shim.XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC | flags);

	ck_assert_int_ge(fd, 0);
	unlink(name);
	return fd;
}

/* The offset is shared with the caller; O_APPEND holds as well. */
static void run_output_file(int flags)
{
	int fd = temp_file(flags);
	unsigned char want[3000], got[3010] = { 0 };
	struct lane lane;

	ck_assert_int_eq(write(fd, "begin", 5), 5);
	fake_start(&f, &(struct fake_start){ .out = fd });
	fake_streams(&f, false);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT],
			      .from = -1,
			      .total = sizeof(want) };
	lane.got = lane.total;
	lanes_run(&lane, 1);
	finish(sizeof(want), 0, 0);
	ck_assert_int_eq(write(fd, "done.", 5), 5);
	ck_assert_int_eq(pread(fd, got, sizeof(got), 0), (int)sizeof(got));
	pattern_fill(want, sizeof(want), 0);
	ck_assert_mem_eq(got, "begin", 5);
	ck_assert_mem_eq(got + 5, want, sizeof(want));
	ck_assert_mem_eq(got + 3005, "done.", 5);
	close(fd);
}

START_TEST(file_as_stdout)
{
	run_output_file(0);
}
END_TEST

START_TEST(appended_file_as_stdout)
{
	run_output_file(O_APPEND);
}
END_TEST

START_TEST(file_as_stdin)
{
	static unsigned char data[300000];
	int fd = temp_file(0);
	struct lane lane;

	pattern_fill(data, sizeof(data), 0);
	ck_assert_int_eq(write(fd, data, sizeof(data)), (int)sizeof(data));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	fake_start(&f, &(struct fake_start){ .in = fd });
	fake_streams(&f, false);
	lane = (struct lane){ .to = -1,
			      .from = f.guest[STREAM_STDIN],
			      .total = sizeof(data) };
	lane.sent = lane.total;
	lanes_run(&lane, 1);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).bytes, sizeof(data));
	finish(0, 0, 0);
	close(fd);
}
END_TEST

START_TEST(dev_null)
{
	struct lane lane;

	fake_start(&f, &(struct fake_start){ 0 });
	fake_streams(&f, false);
	ck_assert_uint_eq(fake_expect(&f, CTL_STDIN_END).bytes, 0);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT], .from = -1, .total = 5 * MB };
	lane.got = lane.total;
	lanes_run(&lane, 1);
	finish(5 * MB, 0, 9);
}
END_TEST

/* The caller shares its descriptions: blocking ones stay so, and non-blocking ones too. */
START_TEST(flags_stay)
{
	int in[2], out[2], flags = _i ? O_NONBLOCK : 0;
	struct lane lanes[2];

	make_pipe(in);
	make_pipe(out);
	ck_assert_int_eq(fcntl(in[0], F_SETFL, flags), 0);
	ck_assert_int_eq(fcntl(out[1], F_SETFL, flags), 0);
	fake_start(&f, &(struct fake_start){ .in = in[0], .out = out[1] });
	fake_streams(&f, false);
	lanes[0] =
		(struct lane){ .to = in[1], .from = f.guest[STREAM_STDIN], .total = MB };
	lanes[1] = (struct lane){ .to = f.guest[STREAM_STDOUT],
				  .from = out[0],
				  .total = MB };
	lanes_run(lanes, 2);
	ck_assert_int_eq(fcntl(in[0], F_GETFL) & O_NONBLOCK, flags);
	ck_assert_int_eq(fcntl(out[1], F_GETFL) & O_NONBLOCK, flags);
	finish(MB, 0, 0);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}
END_TEST

/* A fifo open for both is its own reader: opening it anew must not lose that. */
START_TEST(fifo_read_write)
{
	char dir[] = "/tmp/test_shim.XXXXXX";
	AUTO_FREE char *name = NULL;
	struct lane lane;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	name = mem_printf("%s/fifo", dir);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	fd = open(name, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	fake_start(&f, &(struct fake_start){ .out = fd });
	fake_streams(&f, false);
	lane = (struct lane){ .to = f.guest[STREAM_STDOUT], .from = fd, .total = MB };
	lanes_run(&lane, 1);
	finish(MB, 0, 0);
	close(fd);
	unlink(name);
	rmdir(dir);
}
END_TEST

/* Nothing is taken from stdin that the guest has no room for. */
START_TEST(back_pressure)
{
	uint64_t written = 0;
	unsigned char data[4096];
	int in, out, rounds = 0;
	ssize_t n;

	start_with_pipes(&in, &out);
	ck_assert_int_eq(fcntl(in, F_SETFL, O_NONBLOCK), 0);
	pattern_fill(data, sizeof(data), 0);
	while ((n = write(in, data, sizeof(data))) > 0)
		written += (uint64_t)n;
	poll(NULL, 0, 50);
	/* no stream yet: only the pipe's own capacity has gone */
	ck_assert_int_lt(write(in, data, 1), 0);
	fake_streams(&f, false);
	while (rounds++ < 20) {
		poll(NULL, 0, 10);
		while ((n = write(in, data, sizeof(data))) > 0)
			written += (uint64_t)n;
	}
	ck_assert_uint_lt(written, 2 * MB);
	close(in);
	finish(0, 0, 0);
	close(out);
}
END_TEST

START_TEST(slow_reader)
{
	struct lane lane;
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	lane = (struct lane){
		.to = f.guest[STREAM_STDOUT], .from = out, .total = MB, .chunk = 777
	};
	lanes_run(&lane, 1);
	finish(MB, 0, 0);
	close(in);
	close(out);
}
END_TEST

static void drain(int fd, uint64_t total)
{
	struct lane lane = { .to = -1, .from = fd, .total = total, .sent = total };

	lanes_run(&lane, 1);
}

static void feed(int fd, uint64_t total)
{
	struct lane lane = { .to = fd, .from = -1, .total = total, .got = total };

	lanes_run(&lane, 1);
}

/* The exit is told while output is still on its way, its reader asleep. */
START_TEST(exit_waits_for_output)
{
	int in, out;
	char c;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	feed(f.guest[STREAM_STDOUT], 150000);
	fake_end(&f, STREAM_STDOUT, 150000);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 5);
	ck_assert(fake_alive(&f, 100));
	drain(out, 150000);
	ck_assert_int_eq(fake_wait(&f), 5);
	ck_assert_int_eq(read(out, &c, 1), 0);
	close(in);
	close(out);
}
END_TEST

START_TEST(end_told_before_the_bytes)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	fake_end(&f, STREAM_STDOUT, 1000);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 0);
	ck_assert(fake_alive(&f, 50));
	feed(f.guest[STREAM_STDOUT], 1000);
	drain(out, 1000);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(in);
	close(out);
}
END_TEST

START_TEST(end_and_exit_before_the_stream)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_end(&f, STREAM_STDOUT, 1000);
	fake_exit(&f, 0);
	ck_assert(fake_alive(&f, 50));
	fake_stream(&f, STREAM_STDOUT);
	feed(f.guest[STREAM_STDOUT], 1000);
	drain(out, 1000);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(in);
	close(out);
}
END_TEST

/* STREAM_END after EXIT is not what the protocol says, but loses nothing. */
START_TEST(exit_before_end)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	fake_exit(&f, 4);
	feed(f.guest[STREAM_STDOUT], 10);
	ck_assert(fake_alive(&f, 50));
	fake_end(&f, STREAM_STDOUT, 10);
	fake_end(&f, STREAM_STDERR, 0);
	drain(out, 10);
	ck_assert_int_eq(fake_wait(&f), 4);
	close(in);
	close(out);
}
END_TEST

/* A guest that says more, or breaks off: what came is delivered, and it ends. */
START_TEST(bytes_missing)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	feed(f.guest[STREAM_STDOUT], 10);
	fake_end(&f, STREAM_STDOUT, 1000);
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 6);
	ck_assert(fake_alive(&f, 50));
	fake_hang_up(&f, STREAM_STDOUT);
	ck_assert_int_eq(fake_wait(&f), 6);
	drain(out, 10);
	close(in);
	close(out);
}
END_TEST

START_TEST(more_bytes_than_told)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	feed(f.guest[STREAM_STDOUT], 5000);
	drain(out, 5000);
	finish(10, 0, 0);
	close(in);
	close(out);
}
END_TEST

/* A process may close its stdout and live on: the reader sees the end at once. */
START_TEST(stdout_closed_early)
{
	int in, out;
	char c;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	feed(f.guest[STREAM_STDOUT], 10);
	fake_end(&f, STREAM_STDOUT, 10);
	drain(out, 10);
	ck_assert_int_eq(fcntl(out, F_SETFL, 0), 0);
	ck_assert_int_eq(read(out, &c, 1), 0);
	ck_assert(fake_alive(&f, 20));
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 0);
	ck_assert_int_eq(fake_wait(&f), 0);
	close(in);
	close(out);
}
END_TEST

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 5000) > 0 && (p.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

/* The reader has gone: the guest's side is closed, no signal is made of it. */
START_TEST(reader_gone)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	close(out);
	ck_assert_int_eq(write(f.guest[STREAM_STDOUT], "x", 1), 1);
	ck_assert(hung_up(f.guest[STREAM_STDOUT]));
	ck_assert(fake_silent(&f, 50));
	fake_end(&f, STREAM_STDERR, 0);
	fake_exit(&f, 141);
	ck_assert_int_eq(fake_wait(&f), 141);
	close(in);
}
END_TEST

/* The guest takes no more of stdin: who feeds it gets EPIPE. */
START_TEST(guest_closes_stdin)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	ck_assert_int_eq(write(in, "x", 1), 1);
	poll(NULL, 0, 20);
	fake_hang_up(&f, STREAM_STDIN);
	ck_assert(hung_up(in));
	ck_assert(fake_silent(&f, 20));
	finish(0, 0, 0);
	close(in);
	close(out);
}
END_TEST

/* An open stdin does not keep the shim. */
START_TEST(stdin_left_open)
{
	int in, out;

	start_with_pipes(&in, &out);
	fake_streams(&f, false);
	finish(0, 0, 7);
	close(in);
	close(out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shim_streams");
	TCase *tc = tcase_create("streams");
	SRunner *sr = srunner_create(s);
	int failed;

	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, hundred_megabytes_both_ways);
	tcase_add_test(tc, sockets_as_stdio);
	tcase_add_test(tc, file_as_stdout);
	tcase_add_test(tc, appended_file_as_stdout);
	tcase_add_test(tc, file_as_stdin);
	tcase_add_test(tc, dev_null);
	tcase_add_loop_test(tc, flags_stay, 0, 2);
	tcase_add_test(tc, fifo_read_write);
	tcase_add_test(tc, back_pressure);
	tcase_add_test(tc, slow_reader);
	tcase_add_test(tc, exit_waits_for_output);
	tcase_add_test(tc, end_told_before_the_bytes);
	tcase_add_test(tc, end_and_exit_before_the_stream);
	tcase_add_test(tc, exit_before_end);
	tcase_add_test(tc, bytes_missing);
	tcase_add_test(tc, more_bytes_than_told);
	tcase_add_test(tc, stdout_closed_early);
	tcase_add_test(tc, reader_gone);
	tcase_add_test(tc, guest_closes_stdin);
	tcase_add_test(tc, stdin_left_open);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
