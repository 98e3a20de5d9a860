/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox's callers: who gets an answer. What a request means is played by the test. */
#include <errno.h>
#include <unistd.h>

#include "base/sock.h"
#include "sandbox.h"
#include "suite.h"

static struct sandbox sb;
static struct container ct;
static struct process init;

/* --- the rest of the sandbox */

struct container *container_by_number(struct sandbox *of, uint32_t number)
{
	return of == &sb && number == 1 ? &ct : NULL;
}

struct process *container_process(struct container *of, uint32_t number)
{
	return of == &ct && number == 0 ? &init : NULL;
}

void container_remove(struct container *gone)
{
	ck_assert_ptr_eq(gone, &ct);
	loop_stop(sb.loop, 1);
}

void shim_dismiss(struct process *p)
{
	ck_abort_msg("process %u is not a caller's", p->number);
}

void request_handle(struct caller *c, const struct ctl_msg *m, int *fds, size_t n_fds)
{
	(void)c;
	(void)fds;
	ck_abort_msg("request %u with %zu descriptors", m->type, n_fds);
}

void sandbox_event(struct sandbox *of, enum sb_event ev, struct container *of_ct,
		   const char *why)
{
	(void)of;
	(void)of_ct;
	(void)why;
	ck_abort_msg("event %d", ev);
}

/* --- its callers */

static void setup(void)
{
	struct kata_err err = { 0 };

	sb = (struct sandbox){ .state = SB_UP, .loop = loop_new(&err) };
	ct = (struct container){ .sb = &sb, .number = 1 };
	init = (struct process){ .ct = &ct };
	ck_assert_ptr_nonnull(sb.loop);
}

static void teardown(void)
{
	const struct kata_err none = { 0 };

	callers_free(&sb, &none);
	loop_free(sb.loop);
}

/* One that has asked for something, or is about to. Return: its end */
static int call(bool waits)
{
	int fd[2];

	ck_assert_int_eq(sock_pair(SOCK_SEQPACKET | SOCK_NONBLOCK, fd), 0);
	ck_assert_int_eq(caller_add_take(&sb, fd[0]), 0);
	sb.callers->waits = waits;
	return fd[1];
}

/* What the caller hears: -EAGAIN nothing yet, 0 the end, 1 a reply with @code. */
static int hears(int fd, int32_t code)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n = 0;
	int r = ctl_recv(fd, &m, fds, &n);

	if (r == 1) {
		ck_assert_uint_eq(m.type, CTL_REPLY);
		ck_assert_int_eq(m.code, code);
	}
	return r;
}

/* Its memory may well be the next one's. */
START_TEST(an_answer_is_for_nobody_else)
{
	struct kata_err err = { 0 };
	uint64_t first;
	int fd;

	setup();
	fd = call(true);
	first = init.creator = sb.callers->serial;
	sb.callers->container = ct.number;
	ck_assert_ptr_eq(caller_by_serial(&sb, first), sb.callers);
	close(fd);
	ck_assert_int_eq(loop_run(sb.loop, &err), 1);
	ck_assert_ptr_null(sb.callers);
	fd = call(true);
	ck_assert_uint_ne(sb.callers->serial, first);
	ck_assert_ptr_null(caller_by_serial(&sb, first));
	caller_answer_serial(&sb, first, NULL);
	ck_assert_int_eq(hears(fd, 0), -EAGAIN);
	err_set(&err, -EBUSY, "why");
	caller_answer_serial(&sb, sb.callers->serial, &err);
	ck_assert_int_eq(hears(fd, -EBUSY), 1);
	ck_assert_int_eq(hears(fd, 0), 0);
	close(fd);
	teardown();
}
END_TEST

START_TEST(only_who_waits_is_answered)
{
	int idle, asks;

	setup();
	idle = call(false);
	ck_assert_ptr_null(caller_by_serial(&sb, sb.callers->serial));
	caller_answer_serial(&sb, sb.callers->serial, NULL);
	asks = call(true);
	caller_answer_serial(&sb, 0, NULL); /* nobody */
	ck_assert_int_eq(hears(asks, 0), -EAGAIN);
	caller_answer_serial(&sb, sb.callers->serial, NULL);
	ck_assert_int_eq(hears(asks, 0), 1);
	ck_assert_int_eq(hears(idle, 0), -EAGAIN);
	close(asks);
	close(idle);
	teardown();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_answer_is_for_nobody_else,
		only_who_waits_is_answered,
	};

	return suite_run("callers", tests, ARRAY_SIZE(tests));
}
