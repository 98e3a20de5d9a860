/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp and the QEMU driver against peers that behave, misbehave or die. qmp is
 * fed bytes through a socket pair; the driver runs tests/fakes/fake_qemu as its VMM.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "base/sock.h"
#include "suite.h"
#include "vmm/qemu.h"
#include "vmm/qmp.h"

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n"
#define NEGOTIATED GREETING "{\"return\":{},\"id\":1}\r\n"

struct peer {
	struct loop *loop;
	struct qmp *qmp;
	int fd, timer;
	struct loop_src timeout;
	char why[512], event[64], done_text[256];
	int gone, done, done_code, events, stop_after_events;
	bool free_in_event;
};

static void on_timeout(struct loop_src *src, uint32_t events)
{
	struct peer *p = CONTAINER_OF(src, struct peer, timeout);

	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(p->loop, 1);
}

static void on_event(void *arg, const char *name, const struct json *data)
{
	struct peer *p = arg;

	(void)data;
	str_copy(p->event, sizeof(p->event), name);
	p->events++;
	if (p->free_in_event) {
		qmp_free(p->qmp);
		p->qmp = NULL;
	}
	if (p->events == p->stop_after_events)
		loop_stop(p->loop, 0);
}

static void on_gone(void *arg, const char *why)
{
	struct peer *p = arg;

	str_copy(p->why, sizeof(p->why), why);
	p->gone++;
	loop_stop(p->loop, 0);
}

static void on_done(void *arg, int code, const char *text)
{
	struct peer *p = arg;

	str_copy(p->done_text, sizeof(p->done_text), text);
	p->done_code = code;
	p->done++;
	loop_stop(p->loop, 0);
}

static void setup(struct peer *p)
{
	const struct qmp_ops ops = { on_event, on_gone, p };
	struct kata_err err = { 0 };
	int pair[2];

	*p = (struct peer){ .stop_after_events = 1 };
	p->loop = loop_new(&err);
	ck_assert_ptr_nonnull(p->loop);
	ck_assert_int_eq(sock_pair(SOCK_STREAM, pair), 0);
	p->fd = pair[1];
	ck_assert_int_eq(qmp_new_take(p->loop, pair[0], &ops, &p->qmp, &err), 0);
	p->timer = loop_timer();
	p->timeout.fn = on_timeout;
	ck_assert_int_eq(loop_add(p->loop, &p->timeout, p->timer, EPOLLIN), 0);
}

static void peer_done(struct peer *p)
{
	qmp_free(p->qmp);
	loop_del(&p->timeout);
	loop_free(p->loop);
	close(p->timer);
	if (p->fd >= 0)
		close(p->fd);
}
#define PEER __attribute__((cleanup(peer_done))) struct peer

static void feed(struct peer *p, const char *data, size_t n)
{
	ck_assert_int_eq(send(p->fd, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void feed_str(struct peer *p, const char *text)
{
	feed(p, text, strlen(text));
}

/* Until a callback stops the loop (0) or @ms have passed (1). */
static int run(struct peer *p, unsigned ms)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_timer_set(p->timer, ms), 0);
	return loop_run(p->loop, &err);
}

static const char *heard(struct peer *p, char buf[1024])
{
	ssize_t n = recv(p->fd, buf, 1023, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = 0;
	return buf;
}

START_TEST(conversation)
{
	PEER p;
	struct kata_err err = { 0 };
	char buf[1024];

	setup(&p);
	/* given before the greeting: waits */
	ck_assert_int_eq(qmp_execute(p.qmp, "stop", on_done, &err), 0);
	ck_assert_int_eq(run(&p, 20), 1);
	ck_assert_str_eq(heard(&p, buf), "");
	feed_str(&p, GREETING);
	ck_assert_int_eq(run(&p, 20), 1);
	ck_assert_str_eq(heard(&p, buf), "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
	feed_str(&p, "{\"return\": {}, \"id\": 1}\r\n");
	ck_assert_int_eq(run(&p, 20), 1);
	ck_assert_str_eq(heard(&p, buf), "{\"execute\":\"stop\",\"id\":2}\n");
	feed_str(&p, "{\"event\":\"STOP\"}\r\n{\"return\": {}, ");
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_str_eq(p.event, "STOP");
	feed_str(&p, "\"id\": 2}\r\n");
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.done, 1);
	ck_assert_int_eq(p.done_code, 0);
}
END_TEST

/* answers are told apart by id, in any order; an error is QEMU's text without control bytes */
START_TEST(answers_out_of_order)
{
	PEER p;
	struct kata_err err = { 0 };

	setup(&p);
	feed_str(&p, NEGOTIATED);
	ck_assert_int_eq(run(&p, 20), 1);
	ck_assert_int_eq(qmp_execute(p.qmp, "stop", on_done, &err), 0);
	ck_assert_int_eq(qmp_execute(p.qmp, "cont", on_done, &err), 0);
	feed_str(&p, "{\"error\":{\"class\":\"x\",\"desc\":\"a\\u001bb\"},\"id\":3}\r\n");
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.done_code, -EIO);
	ck_assert_str_eq(p.done_text, "a?b");
	feed_str(&p, "{\"return\":1,\"id\":2}\n");
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.done, 2);
	ck_assert_int_eq(p.done_code, 0);
}
END_TEST

START_TEST(too_many_commands)
{
	PEER p;
	struct kata_err err = { 0 };

	setup(&p);
	for (int i = 0; i < QMP_MAX_COMMANDS; i++)
		ck_assert_int_eq(qmp_execute(p.qmp, "stop", on_done, &err), 0);
	ck_assert_int_eq(qmp_execute(p.qmp, "stop", on_done, &err), -EBUSY);
}
END_TEST

#define SAYS "sent garbage on its control channel: "
static const struct {
	const char *bytes, *why;
} bad[] = {
	{ "hello\n", SAYS },
	{ "{}\n", SAYS "neither greeting, answer nor event" },
	{ "[]\n", SAYS "neither greeting, answer nor event" },
	{ "1\n", SAYS "neither greeting, answer nor event" },
	{ "{\"return\":{}}\n", SAYS "an answer without id" },
	{ "{\"return\":{},\"id\":1}\n", SAYS "an answer to nothing asked" },
	{ "{\"event\":\"STOP\"}\n", SAYS "an event out of turn" },
	{ GREETING GREETING, SAYS "a second greeting" },
	{ NEGOTIATED GREETING, SAYS "a second greeting" },
	{ NEGOTIATED "{\"return\":{},\"id\":1}\n", SAYS "an answer to nothing asked" },
	{ NEGOTIATED "{\"return\":{},\"id\":2}\n", SAYS "an answer to nothing asked" },
	{ NEGOTIATED "{\"return\":{},\"id\":-1}\n", SAYS "an answer without id" },
	{ NEGOTIATED "{\"return\":{},\"id\":\"2\"}\n", SAYS "an answer without id" },
	{ NEGOTIATED "{\"return\":{},\"id\":0}\n", SAYS "an answer without id" },
	{ NEGOTIATED "{\"event\":7}\n", SAYS "an event out of turn" },
	{ NEGOTIATED "{\"event\":{}}\n", SAYS "an event out of turn" },
	{ NEGOTIATED "{\"error\":{\"desc\":\"what\"}}\n", SAYS "what" },
	{ NEGOTIATED "{\"a\":\"\\u0000\"}\n", SAYS },
	{ GREETING "{\"error\":{\"desc\":\"no\\u0007\"},\"id\":1}\n",
	  "refused to negotiate: no?" },
	{ GREETING "{\"error\":null,\"id\":1}\n",
	  "refused to negotiate: no reason given" },
	{ "", "closed its control channel" },
	{ GREETING, "closed its control channel" },
	{ NEGOTIATED "{\"return\":{", "closed its control channel" },
};

START_TEST(garbage)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		PEER p;

		setup(&p);
		feed_str(&p, bad[i].bytes);
		if (str_has_prefix(bad[i].why, "closed")) {
			close(p.fd);
			p.fd = -1;
		}
		ck_assert_msg(run(&p, 5000) == 0, "case %zu: nothing happened", i);
		ck_assert_int_eq(p.gone, 1);
		ck_assert_msg(str_has_prefix(p.why, bad[i].why), "case %zu: %s", i,
			      p.why);
		ck_assert_int_eq(run(&p, 10), 1); /* and no more after it */
		ck_assert_int_eq(p.gone, 1);
	}
}
END_TEST

START_TEST(endless_line)
{
	PEER p;
	char block[4096];
	struct kata_err err = { 0 };

	setup(&p);
	memset(block, '[', sizeof(block));
	for (int i = 0; i < 64 && !p.gone; i++) {
		ck_assert_int_eq(send(p.fd, block, sizeof(block), MSG_NOSIGNAL), 4096);
		(void)run(&p, 20);
	}
	ck_assert_str_eq(p.why, SAYS "a line longer than any answer");
	ck_assert_int_eq(qmp_execute(p.qmp, "stop", on_done, &err), -ESRCH);
}
END_TEST

/* byte by byte, with blank lines between */
START_TEST(crumbs)
{
	static const char text[] = "\r\n" NEGOTIATED
				   "\n \r\n{\"event\":\"RESUME\",\"data\":{}}\r\n";
	PEER p;

	setup(&p);
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		feed(&p, text + i, 1);
		(void)run(&p, 1);
	}
	ck_assert_int_eq(p.gone, 0);
	ck_assert_str_eq(p.event, "RESUME");
}
END_TEST

START_TEST(freed_from_within)
{
	PEER p;

	setup(&p);
	p.free_in_event = true;
	feed_str(&p, NEGOTIATED "{\"event\":\"A\"}\n{\"event\":\"B\"}\n");
	ck_assert_int_eq(run(&p, 5000), 0);
	ck_assert_int_eq(p.events, 1);
	ck_assert_ptr_null(p.qmp);
}
END_TEST

/* --- the driver --------------------------------------------------------------------------- */

struct vm {
	struct loop *loop;
	struct vmm *vmm;
	char why[512], text[256];
	int gone, done, code;
};

static void vm_gone(void *arg, const char *why)
{
	struct vm *m = arg;

	str_copy(m->why, sizeof(m->why), why);
	m->gone++;
	loop_stop(m->loop, 0);
}

static void vm_answered(void *arg, int code, const char *text)
{
	struct vm *m = arg;

	str_copy(m->text, sizeof(m->text), text);
	m->code = code;
	m->done++;
	loop_stop(m->loop, 0);
}

static int launch(struct vm *m, const char *program, const char *script,
		  struct kata_err *err)
{
	const char *extra[] = { script, NULL };
	const struct vm_plan plan = { .vmm = program,
				      .accel = CONF_ACCEL_TCG,
				      .machine = CONF_MACHINE_MICROVM,
				      .vcpus = 1,
				      .memory = 64 << 20,
				      .kernel = "/k",
				      .cmdline = "",
				      .extra_args = extra };
	const struct vmm_fds fds = { .vsock = -1, .share = -1 };
	const struct vmm_events ev = { vm_gone, vm_answered, m };

	*m = (struct vm){ 0 };
	m->loop = loop_new(err);
	ck_assert_ptr_nonnull(m->loop);
	return vmm_driver_find("qemu")->launch(&plan, &fds, m->loop, &ev, &m->vmm, err);
}

static char *fake(void)
{
	const char *dir = getenv("KATA_BUILDDIR");

	return mem_printf("%s/tests/fakes/fake_qemu", dir ? dir : ".");
}

static void start(struct vm *m, const char *script)
{
	AUTO_FREE char *program = fake();
	struct kata_err err = { 0 };

	ck_assert_msg(launch(m, program, script, &err) == 0, "%s", err.msg);
}

static void vm_done(struct vm *m)
{
	const struct vmm_driver *d = vmm_driver_find("qemu");

	if (m->vmm)
		d->stop(m->vmm);
	d->free(m->vmm);
	loop_free(m->loop);
}
#define VM __attribute__((cleanup(vm_done))) struct vm

static void vm_run(struct vm *m)
{
	struct kata_err err = { 0 };

	ck_assert_int_eq(loop_run(m->loop, &err), 0);
}

START_TEST(how_it_ends)
{
	static const struct {
		const char *script, *why;
	} cases[] = {
		{ "bad-option",
		  "fake_qemu exited with status 1: fake_qemu: -foo: invalid option" },
		{ "crashes", "fake_qemu was killed by signal 15: oh" },
		{ "hangs-up", "fake_qemu closed its control channel" },
		{ "babbles", "fake_qemu " SAYS },
		{ "floods", "fake_qemu " SAYS "a line longer than any answer" },
		{ "guest-ends", "the guest's kernel reset; a panic does that" },
	};

	if (under_valgrind()) /* which cannot signal by pidfd */
		return;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		VM m;

		start(&m, cases[i].script);
		vm_run(&m);
		ck_assert_int_eq(m.gone, 1);
		ck_assert_msg(str_has_prefix(m.why, cases[i].why), "%s: %s",
			      cases[i].script, m.why);
	}
}
END_TEST

static void pause_two(void)
{
	const struct vmm_driver *d = vmm_driver_find("qemu");
	struct kata_err err = { 0 };
	VM m;
	VM n;

	start(&m, "good");
	ck_assert_int_eq(d->pause(m.vmm, &err), 0);
	vm_run(&m);
	ck_assert_int_eq(d->resume(m.vmm, &err), 0);
	vm_run(&m);
	ck_assert_int_eq(m.done, 2);
	ck_assert_int_eq(m.code, 0);
	d->stop(m.vmm);
	ck_assert_int_eq(m.gone, 0);
	ck_assert_int_eq(d->pause(m.vmm, &err), -ESRCH);
	start(&n, "refuses");
	ck_assert_int_eq(d->pause(n.vmm, &err), 0);
	vm_run(&n);
	ck_assert_int_eq(n.code, -EIO);
	ck_assert_str_eq(n.text, "not?[31m now");
}

START_TEST(pause_and_resume)
{
	if (!under_valgrind())
		pause_two();
}
END_TEST

START_TEST(no_such_program)
{
	struct kata_err err = { 0 };
	VM m;

	ck_assert_int_eq(launch(&m, "/nowhere/qemu", "good", &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "no such file or directory"));
}
END_TEST

START_TEST(drivers)
{
	ck_assert_ptr_null(vmm_driver_find("xen"));
	for (size_t i = 0; vmm_driver_names[i]; i++)
		ck_assert_str_eq(vmm_driver_find(vmm_driver_names[i])->name,
				 vmm_driver_names[i]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		conversation,	   answers_out_of_order,
		too_many_commands, garbage,
		endless_line,	   crumbs,
		freed_from_within, how_it_ends,
		pause_and_resume,  no_such_program,
		drivers,
	};

	return suite_run("qmp", tests, ARRAY_SIZE(tests));
}
