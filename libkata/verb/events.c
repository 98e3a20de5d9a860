// SPDX-License-Identifier: Apache-2.0
/*
 * events: what the guest counts, once or at intervals, and what happens to the container. The sandbox
 * keeps the connection of a listener until the container has ended: its end is ours.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/sock.h"
#include "verb/verb.h"

#define REPLY_MAX (1u << 20)

static int print_event(const char *type, const char *id, const struct json *data,
		       FILE *out, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int rc;

	json_out_begin_object(&o);
	json_out_key(&o, "type");
	json_out_str(&o, type);
	json_out_key(&o, "id");
	json_out_str(&o, id);
	if (data) {
		json_out_key(&o, "data");
		json_out_value(&o, data);
	}
	json_out_end_object(&o);
	rc = verb_print(out, (const char *)buf_ptr(&b), buf_len(&b), err);
	buf_done(&b);
	return rc;
}

static int print_stats(const struct verb_box *box, FILE *out, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_CLOSE int fd = -1;
	struct ctl_ask ask = {
		.m = { .type = CTL_STATS },
		.timeout_ms = VERB_CALL_MS,
		.ret_fd = &fd,
	};
	AUTO_FREE char *text = NULL;
	const struct json *j;
	size_t len;
	int rc = verb_ask(box, &ask, err);

	if (rc < 0 && verb_is_gone(rc))
		return err_set(err, -ESRCH, "container not running");
	if (rc < 0)
		return rc;
	rc = fs_read_fd(fd, REPLY_MAX, &text, &len);
	if (rc < 0)
		return err_sys_code(err, rc, "read kata-sandbox's reply");
	rc = json_parse(text, len, &json_limits_default, a, &j, err);
	return rc < 0 ? rc : print_event("stats", box->rec.id, j, out, err);
}

/* Return: connection that gets the events. */
static int subscribe(const struct verb_box *box, struct kata_err *err)
{
	struct ctl_ask ask = {
		.m = { .type = CTL_EVENTS },
		.timeout_ms = VERB_CALL_MS,
	};
	AUTO_CLOSE int fd = verb_connect(box, err);
	int rc;

	if (fd < 0)
		return fd;
	str_copy(ask.m.id, sizeof(ask.m.id), box->rec.id);
	rc = ctl_call(fd, &ask, err);
	return rc < 0 ? rc : TAKE_FD(fd);
}

/* Return: 1 = go on, 0 = the container has ended. */
static int take_event(const struct verb_box *box, int fd, FILE *out, struct kata_err *err)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n;
	int rc = ctl_recv(fd, &m, fds, &n);

	if (rc == -EAGAIN || rc == -EINTR)
		return 1;
	if (rc <= 0)
		return 0;
	while (n > 0)
		close(fds[--n]);
	if (m.type != CTL_OOM)
		return 1;
	rc = print_event("oom", box->rec.id, NULL, out, err);
	return rc < 0 ? rc : 1;
}

static int follow(const struct verb_box *box, int fd, int timer, uint64_t interval_ms,
		  FILE *out, struct kata_err *err)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = timer, .events = POLLIN },
	};
	int rc = 1;

	while (rc > 0) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "poll");
		}
		if (p[0].revents)
			rc = take_event(box, fd, out, err);
		if (rc <= 0 || !p[1].revents)
			continue;
		loop_timer_ack(timer);
		rc = loop_timer_set(timer, interval_ms);
		if (rc < 0)
			return err_sys_code(err, rc, "set a timer");
		rc = print_stats(box, out, err);
		/* it ended between the two: the connection will say so */
		if (rc == -ESRCH || rc == -EINVAL)
			err_done(err);
		rc = rc < 0 && err->code ? rc : 1;
	}
	return rc;
}

static int watch(const struct verb_box *box, uint64_t interval_ms, FILE *out,
		 struct kata_err *err)
{
	AUTO_CLOSE int timer = loop_timer();
	AUTO_CLOSE int fd = subscribe(box, err);
	int rc;

	if (fd < 0)
		return verb_is_gone(fd) ? err_set(err, -ESRCH, "container not running")
					: fd;
	if (timer < 0)
		return err_sys_code(err, timer, "make a timer");
	rc = loop_timer_set(timer, interval_ms);
	if (rc < 0)
		return err_sys_code(err, rc, "set a timer");
	return follow(box, fd, timer, interval_ms, out, err);
}

int kata_events(const struct kata *k, const char *id, bool stats, uint64_t interval_ms,
		FILE *out, struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc = verb_open(k, id, false, &box, err);

	if (rc < 0)
		return rc;
	if (verb_status(&box) == OCI_STOPPED)
		rc = err_set(err, -ESRCH, "container not running");
	else
		rc = stats ? print_stats(&box, out, err)
			   : watch(&box, interval_ms, out, err);
	verb_box_done(&box);
	return rc;
}
