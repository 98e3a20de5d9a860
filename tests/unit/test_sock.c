/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets by directory descriptor, descriptors in messages, messages that were cut. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/sock.h"
#include "suite.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static size_t open_fds(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 200; fd++)
		n += is_open(fd);
	return n;
}

START_TEST(listen_connect_accept)
{
	TMP t = tmp_make();
	struct stat st;
	int l, c, a;
	char byte;

	umask(0);
	l = sock_listen_at(t.fd, "s", SOCK_SEQPACKET | SOCK_NONBLOCK);
	ck_assert_int_ge(l, 0);
	ck_assert_int_eq(fcntl(l, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstatat(t.fd, "s", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0600);
	ck_assert_int_eq(sock_accept(l), -EAGAIN);
	c = sock_connect_at(t.fd, "s", SOCK_SEQPACKET);
	ck_assert_int_ge(c, 0);
	ck_assert_int_eq(fcntl(c, F_GETFD), FD_CLOEXEC);
	a = sock_accept(l);
	ck_assert_int_ge(a, 0);
	ck_assert_int_eq(fcntl(a, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(a, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(sock_send(c, "x", 1, NULL, 0), 0);
	ck_assert_int_eq(sock_recv(a, &byte, 1, NULL, NULL), 1);
	ck_assert_int_eq(sock_listen_at(t.fd, "s", SOCK_STREAM), -EADDRINUSE);
	close(l);
	ck_assert_int_eq(sock_connect_at(t.fd, "s", SOCK_SEQPACKET), -ECONNREFUSED);
	ck_assert_int_eq(sock_connect_at(t.fd, "none", SOCK_SEQPACKET), -ENOENT);
	close(c);
	close(a);
}
END_TEST

/* deeper than sun_path is long */
START_TEST(long_paths_work)
{
	struct kata_err err = { 0 };
	TMP t = tmp_make();
	char path[700], name[101];
	int d, l, c;

	memset(name, 'n', 100);
	name[100] = '\0';
	snprintf(path, sizeof(path), "%s/%s/%s/%s", t.path, name, name, name);
	ck_assert_int_eq(fs_mkdir_p(path, 0700, &err), 0);
	d = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	l = sock_listen_at(d, "sock", SOCK_STREAM);
	ck_assert_int_ge(l, 0);
	snprintf(path + strlen(path), 6, "/sock");
	c = sock_connect_path(path, SOCK_STREAM);
	ck_assert_int_ge(c, 0);
	close(c);
	c = sock_connect_at(d, "sock", SOCK_STREAM);
	ck_assert_int_ge(c, 0);
	close(c);
	ck_assert_int_eq(sock_listen_at(d, name, SOCK_STREAM), -ENAMETOOLONG);
	close(l);
	close(d);
}
END_TEST

START_TEST(descriptors_travel)
{
	int pair[2], p[SOCK_MAX_FDS][2], out[SOCK_MAX_FDS], in[SOCK_MAX_FDS], i;
	size_t n = 99;
	char data[16], byte;

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET, pair), 0);
	ck_assert_int_eq(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	for (i = 0; i < SOCK_MAX_FDS; i++) {
		ck_assert_int_eq(pipe2(p[i], O_CLOEXEC), 0);
		out[i] = p[i][1];
	}
	ck_assert_int_eq(sock_send(pair[0], "hello", 5, out, SOCK_MAX_FDS), 0);
	ck_assert_int_eq(sock_recv(pair[1], data, sizeof(data), in, &n), 5);
	ck_assert_uint_eq(n, SOCK_MAX_FDS);
	for (i = 0; i < SOCK_MAX_FDS; i++) {
		ck_assert_int_eq(fcntl(in[i], F_GETFD), FD_CLOEXEC);
		byte = (char)('a' + i);
		ck_assert_int_eq(write(in[i], &byte, 1), 1);
		ck_assert_int_eq(read(p[i][0], data, 1), 1);
		ck_assert_int_eq(data[0], byte);
	}
	ck_assert_int_eq(sock_send(pair[0], "x", 1, NULL, 0), 0);
	ck_assert_int_eq(sock_recv(pair[1], data, sizeof(data), in, &n), 1);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(sock_send(pair[0], "x", 1, out, SOCK_MAX_FDS + 1), -EINVAL);
	ck_assert_int_eq(sock_send(pair[0], "", 0, out, 1), -EINVAL);
}
END_TEST

/* the descriptors of a message that is refused must not stay open */
START_TEST(cut_messages_leave_nothing_open)
{
	struct iovec iov = { (char[]){ 'x' }, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE((SOCK_MAX_FDS + 12) * sizeof(int))];
	} u = { 0 };
	struct msghdr mh = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = u.room,
			     .msg_controllen = sizeof(u.room) };
	int pair[2], in[SOCK_MAX_FDS], many[SOCK_MAX_FDS + 12], i, two[2] = { 0, 1 };
	size_t n = 99, before;
	char data[4];

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET, pair), 0);
	before = open_fds();
	ck_assert_int_eq(sock_send(pair[0], "too long", 8, two, 2), 0);
	ck_assert_int_eq(sock_recv(pair[1], data, sizeof(data), in, &n), -EMSGSIZE);
	ck_assert_uint_eq(open_fds(), before);
	for (i = 0; i < SOCK_MAX_FDS + 12; i++)
		many[i] = 1;
	u.head.cmsg_level = SOL_SOCKET;
	u.head.cmsg_type = SCM_RIGHTS;
	u.head.cmsg_len = CMSG_LEN(sizeof(many));
	memcpy(CMSG_DATA(&u.head), many, sizeof(many));
	ck_assert_int_eq(sendmsg(pair[0], &mh, 0), 1);
	ck_assert_int_eq(sock_recv(pair[1], data, sizeof(data), in, &n), -EMSGSIZE);
	ck_assert_uint_eq(open_fds(), before);
	ck_assert_int_eq(sock_send(pair[0], "x", 1, two, 2), 0);
	ck_assert_int_eq(sock_recv(pair[1], data, sizeof(data), NULL, NULL), 1);
	ck_assert_uint_eq(open_fds(), before); /* nobody wanted them */
}
END_TEST

START_TEST(peer_that_is_gone)
{
	int pair[2], in[SOCK_MAX_FDS];
	size_t n = 99;
	char data[4];

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, pair), 0);
	ck_assert_int_eq(sock_recv(pair[0], data, sizeof(data), in, &n), -EAGAIN);
	close(pair[1]);
	ck_assert_int_eq(sock_recv(pair[0], data, sizeof(data), in, &n), 0);
	ck_assert_int_eq(sock_send(pair[0], "x", 1, NULL, 0),
			 -EPIPE); /* and no SIGPIPE */
}
END_TEST

START_TEST(no_room_is_told)
{
	char big[4096] = { 0 };
	int pair[2], r, i;

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, pair), 0);
	for (i = 0; i < 10000; i++) {
		r = sock_send(pair[0], big, sizeof(big), NULL, 0);
		if (r < 0)
			break;
	}
	ck_assert_int_eq(r, -EAGAIN);
	/* a stream that took a part of a message is beyond repair */
	ck_assert_int_eq(sock_pair(SOCK_STREAM | SOCK_NONBLOCK, pair), 0);
	AUTO_FREE char *huge = mem_zalloc(8u << 20);
	ck_assert_int_eq(sock_send(pair[0], huge, 8u << 20, NULL, 0), -EIO);
}
END_TEST

START_TEST(vsock_or_not)
{
	uint32_t cid;
	int pair[2], fd = sock_vsock_listen(0x7ffffff1);

	if (fd >= 0) {
		ck_assert_int_eq(sock_accept(fd), -EAGAIN);
		close(fd);
	} else {
		ck_assert(fd == -EAFNOSUPPORT || fd == -ENODEV || fd == -EPERM);
	}
	/* nobody there: refused or unreachable, but soon */
	ck_assert_int_lt(sock_vsock_connect(0x7ffffff2, 1, 100), 0);
	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	ck_assert_int_eq(sock_vsock_peer_cid(pair[0], &cid), -EAFNOSUPPORT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		listen_connect_accept, long_paths_work,
		descriptors_travel,    cut_messages_leave_nothing_open,
		peer_that_is_gone,     no_room_is_told,
		vsock_or_not,
	};

	return suite_run("sock", tests, ARRAY_SIZE(tests));
}
