/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: a client of the QEMU Machine Protocol.
 *
 * QEMU greets, we leave negotiation mode with qmp_capabilities, then commands
 * and answers are matched by id; events come at any time. Commands given before that
 * wait in the list of commands under way and are sent when the first answer is there.
 *
 *   state        greeting         answer                       event
 *   GREETING     -> NEGOTIATING   garbage                      garbage
 *   NEGOTIATING  garbage          to qmp_capabilities -> READY passed on
 *   READY        garbage          to the command with its id   passed on
 *
 * Bounds: one line is at most what json_limits_hostile allows, and is parsed under those
 * limits; an answer to nothing asked, a line that is none of the three, or
 * a longer line end the connection.
 */
#include "vmm/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/** Reads per wake-up: a peer that floods must not hold the loop. */
#define QMP_READS 16
/** Longest text of QEMU's that is passed on, with its NUL. */
#define QMP_TEXT_MAX 256
/** Id of qmp_capabilities; commands have larger ones. */
#define QMP_NEGOTIATE_ID 1

enum qmp_state { QMP_GREETING, QMP_NEGOTIATING, QMP_READY, QMP_GONE };

struct qmp_command {
	uint64_t id; /* 0 = free */
	const char *name;
	qmp_done_fn *done;
	bool sent;
};

struct qmp {
	struct loop_src src;
	int fd;
	enum qmp_state state;
	struct qmp_ops ops;
	uint64_t last_id;
	struct qmp_command commands[QMP_MAX_COMMANDS];
	struct buf in, out;
	size_t scanned; /* bytes of `in` that hold no newline */
	bool busy;	/* a callback may be running */
	bool doomed;	/* qmp_free() was called from one */
};

static void gone(struct qmp *q, const char *why)
{
	if (q->state == QMP_GONE)
		return;
	q->state = QMP_GONE;
	loop_del(&q->src);
	q->ops.on_gone(q->ops.arg, why);
}

/* Text of QEMU's own for a message: bounded, no control characters. */
static const char *printable(const char *s, char out[QMP_TEXT_MAX])
{
	size_t n = strlen(s);
	struct cursor c;

	if (n >= QMP_TEXT_MAX)
		n = QMP_TEXT_MAX - 1;
	c = cursor_of(s, n);
	cursor_str(&c, n, out, QMP_TEXT_MAX);
	return out;
}

static void garbage(struct qmp *q, const char *what)
{
	AUTO_FREE char *why = mem_printf("sent garbage on its control channel: %s", what);

	gone(q, why);
}

/* --- out --------------------------------------------------------------------------------- */

static int watch(struct qmp *q)
{
	return loop_mod(&q->src, EPOLLIN | (buf_len(&q->out) ? EPOLLOUT : 0u));
}

/* Write what there is room for; the rest when the loop says so. */
static void flush(struct qmp *q)
{
	while (buf_len(&q->out)) {
		ssize_t n = send(q->fd, buf_ptr(&q->out), buf_len(&q->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* an error is not the end yet: what it said before is still to be read */
		if (n < 0)
			break;
		buf_consume(&q->out, (size_t)n);
	}
	if (watch(q) < 0)
		gone(q, "control channel cannot be watched");
}

static void queue(struct qmp *q, const char *name, uint64_t id)
{
	struct json_out o = { .buf = &q->out };

	json_out_begin_object(&o);
	json_out_key(&o, "execute");
	json_out_str(&o, name);
	json_out_key(&o, "id");
	json_out_u64(&o, id);
	json_out_end_object(&o);
	buf_add_u8(&q->out, '\n');
}

static void send_commands(struct qmp *q)
{
	for (size_t i = 0; i < QMP_MAX_COMMANDS; i++) {
		struct qmp_command *c = &q->commands[i];

		if (c->id && !c->sent) {
			queue(q, c->name, c->id);
			c->sent = true;
		}
	}
	flush(q);
}

/* --- in ---------------------------------------------------------------------------------- */

static void on_greeting(struct qmp *q, const struct json *m)
{
	(void)m;
	if (q->state != QMP_GREETING) {
		garbage(q, "a second greeting");
		return;
	}
	q->state = QMP_NEGOTIATING;
	queue(q, "qmp_capabilities", QMP_NEGOTIATE_ID);
	flush(q);
}

static struct qmp_command *find_command(struct qmp *q, uint64_t id)
{
	for (size_t i = 0; i < QMP_MAX_COMMANDS; i++)
		if (q->commands[i].id == id && q->commands[i].sent)
			return &q->commands[i];
	return NULL;
}

static void on_negotiated(struct qmp *q, int code, const char *text)
{
	AUTO_FREE char *why = NULL;

	if (code < 0) {
		why = mem_printf("refused to negotiate: %s", text);
		gone(q, why);
		return;
	}
	q->state = QMP_READY;
	send_commands(q);
}

static void on_answer(struct qmp *q, const struct json *m)
{
	const struct json *error = json_get(m, "error");
	const char *desc = error ? json_get_str(error, "desc") : NULL;
	int code = error ? -EIO : 0;
	struct qmp_command *c, done;
	char text[QMP_TEXT_MAX];
	uint64_t id;

	printable(desc ? desc : error ? "no reason given" : "", text);
	if (!json_get(m, "id") ||
	    json_to_u64(json_get(m, "id"), 1, UINT64_MAX, &id) < 0) {
		garbage(q, error ? text : "an answer without id");
		return;
	}
	if (q->state == QMP_NEGOTIATING && id == QMP_NEGOTIATE_ID) {
		on_negotiated(q, code, text);
		return;
	}
	c = q->state == QMP_READY ? find_command(q, id) : NULL;
	if (!c) {
		garbage(q, "an answer to nothing asked");
		return;
	}
	done = *c;
	*c = (struct qmp_command){ 0 };
	done.done(q->ops.arg, code, text);
}

static void on_event(struct qmp *q, const struct json *m)
{
	const char *name = json_get_str(m, "event");

	if (q->state == QMP_GREETING || !name)
		garbage(q, "an event out of turn");
	else
		q->ops.on_event(q->ops.arg, name, json_get(m, "data"));
}

static void on_message(struct qmp *q, const char *line, size_t len)
{
	static const struct {
		const char *key;
		void (*fn)(struct qmp *q, const struct json *m);
	} kinds[] = {
		{ "QMP", on_greeting },
		{ "return", on_answer },
		{ "error", on_answer },
		{ "event", on_event },
	};
	AUTO(arena) *a = arena_new();
	const struct json *m = NULL;
	struct kata_err err = { 0 };

	if (json_parse(line, len, &json_limits_hostile, a, &m, &err) < 0) {
		garbage(q, err.msg);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (json_get(m, kinds[i].key)) {
			kinds[i].fn(q, m);
			return;
		}
	garbage(q, "neither greeting, answer nor event");
}

static bool is_blank(const unsigned char *p, size_t n)
{
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\r'))
		n--;
	return n == 0;
}

/* Every whole line that has arrived. */
static void take_lines(struct qmp *q)
{
	while (q->state != QMP_GONE) {
		const unsigned char *p = buf_ptr(&q->in);
		const unsigned char *nl = buf_len(&q->in) > q->scanned
						  ? memchr(p + q->scanned, '\n',
							   buf_len(&q->in) - q->scanned)
						  : NULL;
		size_t n;

		if (!nl) {
			q->scanned = buf_len(&q->in);
			return;
		}
		n = (size_t)(nl - p);
		if (!is_blank(p, n))
			on_message(q, (const char *)p, n);
		buf_consume(&q->in, n + 1);
		q->scanned = 0;
	}
}

/* Return: false when there is nothing more to read for now. */
static bool read_some(struct qmp *q)
{
	unsigned char chunk[4096];
	ssize_t n = recv(q->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		gone(q, "closed its control channel");
		return false;
	}
	buf_add(&q->in, chunk, (size_t)n);
	if (q->in.overflow)
		garbage(q, "a line longer than any answer");
	else
		take_lines(q);
	return q->state != QMP_GONE;
}

void qmp_drain(struct qmp *q)
{
	bool outer = !q->busy;

	q->busy = true;
	for (int i = 0; i < QMP_READS && q->state != QMP_GONE; i++)
		if (!read_some(q))
			break;
	if (!outer)
		return;
	q->busy = false;
	if (q->doomed)
		qmp_free(q);
}

static void on_ready(struct loop_src *src, uint32_t events)
{
	struct qmp *q = CONTAINER_OF(src, struct qmp, src);

	if (events & EPOLLOUT)
		flush(q);
	if (events & ~(uint32_t)EPOLLOUT)
		qmp_drain(q);
}

/* --- life -------------------------------------------------------------------------------- */

int qmp_new_take(struct loop *l, int fd, const struct qmp_ops *ops, struct qmp **ret_qmp,
		 struct kata_err *err)
{
	struct qmp *q = mem_zalloc(sizeof(*q));
	int flags = fcntl(fd, F_GETFL), r;

	q->fd = fd;
	q->ops = *ops;
	q->last_id = QMP_NEGOTIATE_ID;
	q->in.max = json_limits_hostile.bytes;
	q->src.fn = on_ready;
	q->src.fd = -1;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		r = err_sys(err, "QEMU's control channel");
	else if ((r = loop_add(l, &q->src, fd, EPOLLIN)) < 0)
		err_sys_code(err, r, "watch QEMU's control channel");
	if (r < 0) {
		qmp_free(q);
		return r;
	}
	*ret_qmp = q;
	return 0;
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	loop_del(&q->src);
	q->state = QMP_GONE;
	if (q->busy) {
		q->doomed = true;
		return;
	}
	close(q->fd);
	buf_done(&q->in);
	buf_done(&q->out);
	free(q);
}

int qmp_execute(struct qmp *q, const char *command, qmp_done_fn *done,
		struct kata_err *err)
{
	if (q->state == QMP_GONE)
		return err_set(err, -ESRCH,
			       "%s: the hypervisor's control channel is closed", command);
	for (size_t i = 0; i < QMP_MAX_COMMANDS; i++) {
		struct qmp_command *c = &q->commands[i];

		if (c->id)
			continue;
		*c = (struct qmp_command){ .id = ++q->last_id,
					   .name = command,
					   .done = done };
		if (q->state == QMP_READY)
			send_commands(q);
		return 0;
	}
	return err_set(err, -EBUSY,
		       "%s: the hypervisor has not answered the last %d commands",
		       command, QMP_MAX_COMMANDS);
}
