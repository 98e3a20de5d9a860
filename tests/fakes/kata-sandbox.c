// SPDX-License-Identifier: Apache-2.0
/*
 * A kata-sandbox without a VM, for tests of kata-runtime's verbs: it keeps the
 * protocol of sandbox/ctl.h and plays the guest process as the container's
 * command line says:
 *
 *   fake exit N     prints "hello" and exits with N once started
 *   fake hold       runs until it is killed
 *   fake refuse     cannot be created: its program is not found
 *   fake nostart    cannot be started
 *   fake die        the sandbox dies while the container is made
 *   fake mute       the sandbox never answers
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/spec.h"
#include "proto/msg.h"
#include "sandbox/ctl.h"

struct fake {
	int creator, listener, shim, stream;
	const char *what, *arg;
	bool started;
};

static void reply(int fd, int code, unsigned status, const char *text)
{
	struct ctl_msg m = { .type = CTL_REPLY, .code = code, .status = status };

	str_copy(m.text, sizeof(m.text), text);
	if (ctl_send(fd, &m, NULL, 0) < 0)
		_exit(2);
}

static void to_shim(struct fake *f, struct ctl_msg m, const int *fds, size_t n)
{
	if (ctl_send(f->shim, &m, fds, n) < 0)
		_exit(0); /* it is gone, so are we */
}

static void end_process(struct fake *f, unsigned status)
{
	static const char text[] = "hello\n";
	bool speaks = str_eq(f->what, "exit");
	int pair[2];

	if (speaks && sock_pair(SOCK_STREAM, pair) == 0) {
		to_shim(f,
			(struct ctl_msg){ .type = CTL_STREAM, .number = STREAM_STDOUT },
			&pair[1], 1);
		close(pair[1]);
		f->stream = pair[0]; /* stays open: the count ends a stream */
		if (fs_write_all(f->stream, text, strlen(text)) < 0)
			_exit(2);
	}
	to_shim(f,
		(struct ctl_msg){ .type = CTL_STREAM_END,
				  .number = STREAM_STDOUT,
				  .bytes = speaks ? strlen(text) : 0 },
		NULL, 0);
	to_shim(f, (struct ctl_msg){ .type = CTL_STREAM_END, .number = STREAM_STDERR },
		NULL, 0);
	to_shim(f, (struct ctl_msg){ .type = CTL_EXIT, .status = status }, NULL, 0);
}

static void start(struct fake *f, int fd)
{
	uint64_t status = 0;

	if (str_eq(f->what, "nostart")) {
		reply(fd, -ENOENT, 127,
		      "unable to start container process: it did not want to");
		return;
	}
	f->started = true;
	reply(fd, 0, 0, "");
	if (str_eq(f->what, "exit") && str_to_u64(f->arg, 0, 255, &status) == 0)
		end_process(f, (unsigned)status);
}

static void answer(struct fake *f, int fd, const struct ctl_msg *m)
{
	switch (m->type) {
	case CTL_START:
		start(f, fd);
		break;
	case CTL_KILL:
		reply(fd, 0, 0, "");
		end_process(f, 128 + m->number);
		break;
	default:
		reply(fd, -ENOTSUP, 0, "the fake cannot do that");
	}
}

static void create(struct fake *f)
{
	static const struct oci_spec *spec;
	struct kata_err err = { 0 };
	AUTO_FREE char *text = NULL;
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t len, n;

	if (ctl_recv(f->creator, &m, fds, &n) != 1 || m.type != CTL_CREATE || n != 2)
		_exit(3);
	f->shim = fds[1];
	if (fs_read_fd(fds[0], 1 << 20, &text, &len) < 0 ||
	    oci_spec_load(text, len, arena_new(), &spec, &err) < 0)
		_exit(4);
	close(fds[0]);
	f->what = spec->process && spec->process->args.n > 1 ? spec->process->args.v[1]
							     : "hold";
	f->arg = spec->process && spec->process->args.n > 2 ? spec->process->args.v[2]
							    : "0";
	if (str_eq(f->what, "die"))
		_exit(5);
	if (str_eq(f->what, "mute"))
		return;
	if (str_eq(f->what, "refuse"))
		reply(f->creator, -ENOENT, 127,
		      "unable to start container process: exec: \"x\": executable file not found in $PATH");
	else
		reply(f->creator, 0, 0, "");
}

static void serve(struct fake *f)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;
	AUTO_CLOSE int fd = -1;

	fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0 && ctl_recv(fd, &m, fds, &n) == 1)
		answer(f, fd, &m);
}

int main(void)
{
	struct fake f = { .creator = SANDBOX_FD_CTL, .stream = -1 };
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;

	f.listener = sock_listen_at(SANDBOX_FD_DIR, "ctl", SOCK_SEQPACKET);
	if (f.listener < 0)
		return 1;
	create(&f);
	for (;;) {
		struct pollfd p[] = {
			{ .fd = f.listener, .events = POLLIN },
			{ .fd = f.shim, .events = POLLIN },
			{ .fd = f.started ? -1 : f.creator, .events = POLLIN },
		};

		poll(p, ARRAY_SIZE(p), -1);
		if (p[1].revents && ctl_recv(f.shim, &m, fds, &n) <= 0)
			return 0;
		if (p[1].revents && m.type == CTL_SIGNAL)
			end_process(&f, 128 + m.number);
		if (p[2].revents && str_eq(f.what, "mute"))
			return 0;
		if (p[2].revents)
			f.started = true; /* the creator has gone, as it should */
		if (p[0].revents)
			serve(&f);
	}
}
