// SPDX-License-Identifier: Apache-2.0
/* What is made of each kind of descriptor in the guest, which are refused, and their places. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "passed.h"
#include "suite.h"
#include "verb/passing.h"

#define MODE(m) .st = { .st_mode = (m) | 0600, .st_nlink = 1 }
#define NAMELESS "a file without a name (deleted, or a memfd)"

static const struct {
	struct passing_facts facts;
	struct passed_fd want;
	unsigned major, minor;
} good[] = {
	{ { MODE(S_IFREG), .flags = O_RDONLY, .offset = 7 },
	  { .kind = PASSED_FILE, .access = PASSED_READ, .offset = 7 } },
	{ { MODE(S_IFREG), .flags = O_WRONLY | O_APPEND },
	  { .kind = PASSED_FILE, .access = PASSED_WRITE, .append = true } },
	{ { MODE(S_IFREG), .flags = O_RDWR },
	  { .kind = PASSED_FILE, .access = PASSED_BOTH } },
	{ { MODE(S_IFDIR), .flags = O_RDONLY | O_DIRECTORY, .offset = 3 },
	  { .kind = PASSED_FILE, .access = PASSED_READ, .directory = true } },
	{ { MODE(S_IFREG), .flags = O_PATH },
	  { .kind = PASSED_FILE, .access = PASSED_READ, .handle = true } },
	{ { MODE(S_IFCHR), .flags = O_RDWR },
	  { .kind = PASSED_DEVICE, .access = PASSED_BOTH, .path = "null" },
	  1,
	  3 },
	{ { MODE(S_IFCHR), .flags = O_RDONLY },
	  { .kind = PASSED_DEVICE, .access = PASSED_READ, .path = "urandom" },
	  1,
	  9 },
	{ { MODE(S_IFIFO), .flags = O_RDONLY | O_NONBLOCK },
	  { .kind = PASSED_PIPE, .access = PASSED_READ, .nonblock = true } },
	{ { MODE(S_IFIFO), .flags = O_WRONLY },
	  { .kind = PASSED_PIPE, .access = PASSED_WRITE } },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_STREAM, .family = AF_INET,
	    .port = 80, .listens = true },
	  { .kind = PASSED_LISTENER,
	    .access = PASSED_BOTH,
	    .family = PASSED_INET,
	    .port = 80 } },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_STREAM, .connected = true },
	  { .kind = PASSED_SOCKET, .access = PASSED_BOTH } },
};

START_TEST(kinds)
{
	const struct passed_fd *want = &good[_i].want;
	struct kata_err err = { 0 };
	struct passing_facts facts = good[_i].facts;
	struct passed_fd got;

	facts.st.st_rdev = makedev(good[_i].major, good[_i].minor);
	ck_assert_int_eq(passing_plan(&facts, &got, &err), 0);
	ck_assert_int_eq(got.kind, want->kind);
	ck_assert_int_eq(got.access, want->access);
	ck_assert_pstr_eq(got.path, want->path);
	ck_assert(got.append == want->append && got.nonblock == want->nonblock);
	ck_assert(got.directory == want->directory && got.handle == want->handle);
	ck_assert_uint_eq(got.offset, want->offset);
	ck_assert_uint_eq(got.port, want->port);
	ck_assert_int_eq(got.family, got.kind == PASSED_LISTENER ? want->family : -1);
}
END_TEST

static const struct {
	struct passing_facts facts;
	const char *is;
	unsigned major, minor;
} bad[] = {
	{ { .st = { .st_mode = S_IFREG }, .flags = O_RDWR }, NAMELESS },
	{ { MODE(S_IFCHR), .flags = O_RDWR, .tty = true }, "a terminal", 136, 0 },
	{ { MODE(S_IFCHR), .flags = O_RDWR }, "a character device", 10, 232 },
	{ { MODE(S_IFCHR), .flags = O_RDWR }, "a character device", 1, 1 },
	{ { MODE(S_IFBLK), .flags = O_RDWR }, "a block device", 1, 3 },
	{ { MODE(S_IFLNK), .flags = O_PATH }, "a symbolic link" },
	{ { MODE(S_IFSOCK), .flags = O_PATH }, "a handle of a fifo or socket (O_PATH)" },
	{ { MODE(S_IFIFO), .flags = O_RDWR },
	  "a fifo that is open for reading and writing" },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_SEQPACKET, .family = AF_UNIX,
	    .listens = true },
	  "a listening socket that is no unix or TCP stream" },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_STREAM, .family = AF_VSOCK,
	    .listens = true },
	  "a listening socket that is no unix or TCP stream" },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_STREAM },
	  "a socket without a connection" },
	{ { MODE(S_IFSOCK), .flags = O_RDWR, .type = SOCK_DGRAM, .connected = true },
	  "a socket that keeps messages apart (no SOCK_STREAM)" },
	{ { MODE(0), .flags = O_RDWR, .link = "anon_inode:[eventfd]" },
	  "anon_inode:[eventfd]" },
};

START_TEST(refused)
{
	AUTO_FREE char *text = mem_printf("is %s, which cannot be passed into a VM",
					  bad[_i].is);
	struct kata_err err = { 0 };
	struct passing_facts facts = bad[_i].facts;
	struct passed_fd got;

	facts.st.st_rdev = makedev(bad[_i].major, bad[_i].minor);
	ck_assert_int_eq(passing_plan(&facts, &got, &err), -ENOTSUP);
	ck_assert_str_eq(err.msg, text);
}
END_TEST

/* --- real ones ---------------------------------------------------------------------------- */

START_TEST(taken)
{
	struct kata_err err = { 0 };
	struct proc_fd fds[PROTO_PASSED_MAX];
	struct passing p;
	int ends[2];

	ck_assert_int_eq(proc_close_from(3, NULL, 0), 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(open("/dev/zero", O_RDONLY), 5);
	ck_assert_int_eq(passing_take(&p, 1, 2, &err), 0);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_str_eq(p.letters, "rw-");
	ck_assert_str_eq(p.fds[2].path, "zero");
	for (int fd = 3; fd < 6; fd++)
		ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	ck_assert_uint_eq(passing_for_shim(&p, fds, 0), 2);
	ck_assert(fds[0].from == p.fd[0] && fds[0].to == SHIM_FD_PASSED);
	ck_assert(fds[1].from == p.fd[1] && fds[1].to == SHIM_FD_PASSED + 1);
	ck_assert_int_eq(passing_become(&p), 0);
	ck_assert_int_eq(fcntl(SHIM_FD_PASSED, F_GETFD), 0);
	passing_done(&p);
}
END_TEST

START_TEST(not_taken)
{
	struct kata_err err = { 0 };
	struct passing p;
	int pair[2];

	ck_assert_int_eq(proc_close_from(3, NULL, 0), 0);
	ck_assert_int_eq(sock_pair(SOCK_DGRAM, pair), 0);
	ck_assert_int_eq(passing_take(&p, 0, 2, &err), -ENOTSUP);
	ck_assert(str_has_prefix(
		err.msg,
		"--preserve-fds: descriptor 3: is a socket that keeps messages"));
	passing_done(&p);
	ck_assert_int_lt(fcntl(4, F_GETFD), 0);
	ck_assert_int_eq(passing_take(&p, UINT32_MAX, 2, &err), -E2BIG);
	passing_done(&p);
	ck_assert_int_eq(passing_take(&p, 1, 0, &err), -EBADF);
	ck_assert(str_has_prefix(err.msg, "LISTEN_FDS: descriptor 3: is not there"));
	passing_done(&p);
}
END_TEST

/* --- in the guest ------------------------------------------------------------------------- */

/* What is at the numbers from 3 on is libcheck's, so all of this is in a child. */

static bool put(int number, char mark)
{
	int fd = fs_memfd("x", &mark, 1);
	bool ok = fd == number || dup3(fd, number, O_CLOEXEC) == number;

	if (fd != number)
		close(fd);
	return ok;
}

static bool is_at(int fd, char mark)
{
	char c = 0;

	return pread(fd, &c, 1, 0) == 1 && c == mark;
}

/* Passed ones in each other's places, one's own in the way, twice the same, one that is none. */
static bool place(void)
{
	int passed[] = { 5, 4, 3, 70 }, report = 6, null[2] = { 71, 71 }, again = 6,
	    none = -1;
	int *const own[] = { &report, &null[0], &null[1], &again, &none };
	bool ok = put(80, '-');

	for (int i = 0; i < 4; i++)
		ok = ok && put(passed[i], (char)('a' + i));
	ok = ok && put(6, 'R') && put(71, 'N');
	ok = ok && passed_place(passed, 4, own, ARRAY_SIZE(own)) == 0;
	for (int i = 0; i < 4; i++)
		ok = ok && is_at(3 + i, (char)('a' + i)) && fcntl(3 + i, F_GETFD) == 0;
	return ok && report >= 7 && is_at(report, 'R') && is_at(again, 'R') &&
	       fcntl(report, F_GETFD) == FD_CLOEXEC && null[0] == 71 && null[1] == 71 &&
	       none == -1 && is_at(71, 'N') && fcntl(70, F_GETFD) < 0;
}

START_TEST(placed)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(place() ? 42 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}
END_TEST

START_TEST(opened)
{
	static const struct passed_fd socket = { .kind = PASSED_SOCKET,
						 .access = PASSED_BOTH };
	struct passed_fd file = { .kind = PASSED_FILE, .path = "f", .offset = 2 };
	struct kata_err err = { 0 };
	struct passed_ends ends;
	TMP t = tmp_make();
	char c;

	ck_assert_int_eq(fs_write_atomic(t.fd, "f", "abcd", 4, 0600), 0);
	ck_assert_int_eq(passed_open(&file, t.path, 0, &ends, &err), 0);
	ck_assert(read(ends.child, &c, 1) == 1 && c == 'c');
	ck_assert(ends.in == -1 && ends.out == -1);
	close(ends.child);
	file.path = "../etc/passwd";
	ck_assert_int_eq(passed_open(&file, t.path, 0, &ends, &err), -EINVAL);
	file.path = NULL;
	ck_assert_int_eq(passed_open(&file, t.path, 0, &ends, &err), -EINVAL);
	ck_assert_int_eq(passed_open(&socket, t.path, 0, &ends, &err), 0);
	ck_assert(write(ends.in, "x", 1) == 1 && read(ends.child, &c, 1) == 1);
	ck_assert(write(ends.child, "y", 1) == 1 && read(ends.out, &c, 1) == 1);
	ck_assert_int_eq(c, 'y');
	ck_assert(fcntl(ends.out, F_GETFL) & O_NONBLOCK);
	ck_assert(!(fcntl(ends.child, F_GETFL) & O_NONBLOCK));
	close(ends.child);
	close(ends.in);
	close(ends.out);
}
END_TEST

static char talk(int from, int to)
{
	char c = 0;

	ck_assert_int_eq(write(from, "t", 1), 1);
	ck_assert_int_eq(read(to, &c, 1), 1);
	return c;
}

START_TEST(listens)
{
	struct passed_fd f = { .kind = PASSED_LISTENER, .family = _i };
	struct kata_err err = { 0 };
	struct passed_ends ends, again;
	int conn[2], accepted;

	ck_assert_msg(passed_open(&f, "/", 0, &ends, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(passed_connect(&ends.addr, conn), 0);
	accepted = accept(ends.child, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	ck_assert_int_eq(talk(conn[0], accepted), 't');
	ck_assert_int_eq(fcntl(conn[1], F_SETFL, 0), 0);
	ck_assert_int_eq(talk(accepted, conn[1]), 't');
	if (_i == PASSED_INET) { /* the port is taken: another */
		f.port = ntohs(((struct sockaddr_in *)(void *)&ends.addr.sa)->sin_port);
		ck_assert_int_eq(passed_open(&f, "/", 0, &again, &err), 0);
		close(again.child);
	}
	close(ends.child);
	ck_assert_int_eq(passed_connect(&ends.addr, conn), -ECONNREFUSED);
	ends.addr.len = 0;
	ck_assert_int_eq(passed_connect(&ends.addr, conn), -ENOTSOCK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("passing");
	TCase *tc = tcase_create("passing");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, kinds, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, taken);
	tcase_add_test(tc, not_taken);
	tcase_add_test(tc, placed);
	tcase_add_test(tc, opened);
	tcase_add_loop_test(tc, listens, PASSED_UNIX, PASSED_INET + 1);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
