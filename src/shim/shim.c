// SPDX-License-Identifier: Apache-2.0
/*
 * shim: when does it exit?
 *
 *   CTL_EXIT came, every output done          with the guest process's status
 *   sandbox gone before CTL_EXIT              137, as if killed (CONTRACT 0.2)
 *
 * An output is done when as many bytes as CTL_STREAM_END told have been
 * written, when its reader has gone (EPIPE), or when the guest's connection
 * broke. A reader that does not read holds the shim: bytes that the guest
 * process could write are not lost because it has ended. Only when the sandbox
 * is lost is there a bound: nothing may hang after a crash.
 *
 * The streams' connections may come later than messages about them: the guest
 * dials each by itself.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "proto/msg.h"
#include "signals.h"

/* How long a slow reader may take for the rest after a crash, or behind the container's end. */
#define LOST_DRAIN_MS 3000

#define STATUS_KILLED (128 + SIGKILL)

static void check_done(struct shim *s)
{
	if (!s->ended)
		return;
	for (const struct shim_output *o = s->outputs; o; o = o->next) {
		if (!o->done)
			return;
	}
	loop_stop(s->loop, s->status);
}

/* --- outputs ------------------------------------------------------------------------------ */

/*
 * With a terminal the caller's side stays open to the end: a closed slave means
 * to conmon that nobody has the terminal any more, and it starts to poll.
 */
static void output_done(struct shim_output *o)
{
	struct shim *s = o->shim;

	o->done = true;
	loop_del(&o->pump.from_src);
	end_hang_up(&o->pump.from);
	if (o->half)
		end_shut(&o->pump.to, SHUT_WR);
	if (o->stream != STREAM_TTY)
		pump_done(&o->pump);
	if (o->conn)
		conn_settle(o->conn);
	check_done(s);
}

static void on_output_stop(struct pump *p, enum pump_stop why, int code)
{
	struct shim_output *o = CONTAINER_OF(p, struct shim_output, pump);

	log_debug("stream %u: stopped (%d, %s) after %llu bytes", o->stream, why,
		  err_text(-code), (unsigned long long)p->taken);
	/* A terminal that hung up does not end its program: go on without. Otherwise the
	 * guest's side is closed, so that its writer gets SIGPIPE as it would on the host. */
	if (why == PUMP_BROKEN && o->stream == STREAM_TTY && !p->discard)
		pump_discard(p);
	else
		output_done(o);
}

static struct shim_output *output_of(struct shim *s, uint32_t stream)
{
	struct shim_output *o = s->outputs;

	while (o && o->stream != stream)
		o = o->next;
	return o;
}

static void attach_output(struct shim_output *o, int *fd)
{
	if (o->attached || o->done)
		return;
	o->attached = true;
	o->pump.from = end_socket_take(TAKE_FD(*fd));
	pump_start(&o->pump);
}

static void announce_end(struct shim_output *o, uint64_t bytes)
{
	if (o->announced || o->done)
		return;
	o->announced = true;
	if (o->attached || bytes > 0)
		pump_set_limit(&o->pump, bytes);
	else
		output_done(o);
}

/* --- input -------------------------------------------------------------------------------- */

/*
 * At the end of stdin the guest is told the count, and the connection stays
 * open until the guest has had the bytes: some vsock devices drop what they
 * hold when one side closes. A terminal has no end: what was typed is all, but
 * its program goes on (runc does the same when its stdin is no terminal).
 * A guest that takes no more closes its side; then ours goes as well, so that
 * who feeds us gets EPIPE.
 */
static void on_input_stop(struct pump *p, enum pump_stop why, int code)
{
	struct shim_input *in = CONTAINER_OF(p, struct shim_input, pump);

	log_debug("stream %u: stopped (%d, %s) after %llu bytes", in->stream, why,
		  err_text(-code), (unsigned long long)p->taken);
	if (in->stream == STREAM_TTY)
		return;
	if (in->half)
		end_shut(&p->from, SHUT_RD);
	end_done(&p->from);
	if (why == PUMP_BROKEN)
		end_done(&p->to);
	else
		link_tell(&in->shim->link,
			  &(struct link_news){ CTL_STDIN_END, in->stream, p->taken });
	if (in->conn)
		conn_input_ended(in, why == PUMP_BROKEN);
}

static struct shim_input *input_of(struct shim *s, uint32_t stream)
{
	struct shim_input *in = s->inputs;

	while (in && in->stream != stream)
		in = in->next;
	return in;
}

static void attach_input(struct shim_input *in, int *fd)
{
	if (in->attached)
		return;
	in->attached = true;
	in->pump.to = end_socket_take(TAKE_FD(*fd));
	in->pump.heed_peer = true;
	pump_start(&in->pump);
}

/* --- terminal ----------------------------------------------------------------------------- */

static void send_winsize(struct shim *s)
{
	const struct end *ends[] = { &s->outputs[0].pump.to, &s->inputs[0].pump.from };
	struct winsize ws;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!ends[i]->tty || ioctl(ends[i]->fd, TIOCGWINSZ, &ws) < 0)
			continue;
		if (ws.ws_row && ws.ws_col)
			link_winsize(&s->link, ws.ws_row, ws.ws_col);
		return;
	}
}

/* One connection for both directions; each pump gets a descriptor of its own. */
static void attach_terminal(struct shim *s, int *fd)
{
	int in = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

	if (in >= 0)
		attach_input(s->main_in, &in);
	fd_closep(&in);
	attach_output(s->main_out, fd);
}

/* --- what the sandbox says ---------------------------------------------------------------- */

static void on_stream(struct shim *s, uint32_t stream, int *fd)
{
	struct shim_output *o = output_of(s, stream);
	struct shim_input *in = input_of(s, stream);

	if (*fd < 0)
		return;
	conns_begin(s);
	if (in && o)
		attach_terminal(s, fd);
	else if (in)
		attach_input(in, fd);
	else if (o)
		attach_output(o, fd);
}

/*
 * Ends are told before the exit. An output without one and without a
 * connection never was.
 */
static void on_exit_status(struct shim *s, uint32_t status)
{
	if (s->ended)
		return;
	s->ended = true;
	s->status = (int)(status & 0xff);
	for (struct shim_input *in = s->inputs; in; in = in->next)
		pump_done(&in->pump);
	for (struct shim_output *o = s->outputs; o; o = o->next)
		o->done = o->done || (!o->attached && !o->announced);
	check_done(s);
}

/* The container has ended: its engine waits for us, so a reader has no more than so long. */
static void hurry(struct shim *s)
{
	if (loop_timer_set(s->timer.fd, LOST_DRAIN_MS) < 0)
		loop_stop(s->loop, s->status);
}

static void on_link_msg(struct link *l, const struct ctl_msg *m, int *fd)
{
	struct shim *s = CONTAINER_OF(l, struct shim, link);
	struct shim_output *o;
	struct shim_input *in;

	switch (m->type) {
	case CTL_STREAM:
		on_stream(s, m->number, fd);
		break;
	case CTL_STREAM_END:
		o = output_of(s, m->number);
		in = input_of(s, m->number);
		if (o)
			announce_end(o, m->bytes);
		else if (in && in->conn)
			conn_refused(in->conn);
		break;
	case CTL_EXIT:
		on_exit_status(s, m->status);
		if (m->flags & CTL_F_ALL)
			hurry(s);
		break;
	default:
		log_debug("message %u from the sandbox is not for a shim", m->type);
		break;
	}
}

static void on_link_close(struct link *l, int code)
{
	struct shim *s = CONTAINER_OF(l, struct shim, link);

	log_debug("sandbox gone: %s", err_text(-code));
	on_exit_status(s, STATUS_KILLED);
	for (struct shim_output *o = s->outputs, *next; o; o = next) {
		next = o->next;
		if (o->attached && !o->done)
			pump_drain(&o->pump);
		else
			o->done = true;
	}
	check_done(s);
	hurry(s);
}

static void on_timer(struct loop_src *src, uint32_t events)
{
	struct shim *s = CONTAINER_OF(src, struct shim, timer);

	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(s->loop, s->status);
}

static void on_signals(struct loop_src *src, uint32_t events)
{
	struct shim *s = CONTAINER_OF(src, struct shim, signals);
	struct signalfd_siginfo si;

	(void)events;
	while (loop_signal_read(src->fd, &si) > 0) {
		if (s->callers_tty && signal_is_key(&si)) {
			link_signal(&s->link, (int)si.ssi_signo);
			continue;
		}
		switch (signal_fate(&si, getpid(), s->terminal)) {
		case SIGNAL_FORWARD:
			link_signal(&s->link, (int)si.ssi_signo);
			break;
		case SIGNAL_WINSIZE:
			send_winsize(s);
			break;
		case SIGNAL_DROP:
			break;
		}
	}
}

/* --- life --------------------------------------------------------------------------------- */

static void end_move(struct end *to, struct end *from)
{
	*to = *from;
	from->fd = -1;
}

struct shim_input *shim_add_input(struct shim *s, uint32_t stream, struct end *from,
				  bool half)
{
	struct shim_input *in = mem_zalloc(sizeof(*in));

	in->shim = s;
	in->stream = stream;
	in->half = half;
	pump_init(&in->pump, s->loop, on_input_stop);
	end_move(&in->pump.from, from);
	in->next = s->inputs;
	s->inputs = in;
	return in;
}

struct shim_output *shim_add_output(struct shim *s, uint32_t stream, struct end *to,
				    bool half)
{
	struct shim_output *o = mem_zalloc(sizeof(*o));

	o->shim = s;
	o->stream = stream;
	o->half = half;
	pump_init(&o->pump, s->loop, on_output_stop);
	end_move(&o->pump.to, to);
	o->next = s->outputs;
	s->outputs = o;
	return o;
}

static void init_relay(struct shim *s, unsigned i, struct shim_relay *r)
{
	if (r->in.fd >= 0)
		shim_add_input(s, stream_passed_in(i), &r->in, r->socket);
	if (r->out.fd >= 0)
		shim_add_output(s, stream_passed_out(i), &r->out, r->socket);
	if (r->listener >= 0)
		conns_listen(s, i, TAKE_FD(r->listener));
}

static void init_streams(struct shim *s, struct shim_start *from)
{
	bool tty = s->terminal;

	s->main_in = shim_add_input(s, tty ? STREAM_TTY : STREAM_STDIN,
				    &from->stdio[SHIM_STDIN], false);
	s->main_out = shim_add_output(s, tty ? STREAM_TTY : STREAM_STDOUT,
				      &from->stdio[SHIM_STDOUT], false);
	if (tty)
		end_done(&from->stdio[SHIM_STDERR]);
	else
		shim_add_output(s, STREAM_STDERR, &from->stdio[SHIM_STDERR], false);
	for (unsigned i = 0; i < from->n_relays; i++)
		init_relay(s, i, &from->relays[i]);
}

static int watch_all(struct shim *s, int signals, int ctl, struct kata_err *err)
{
	int timer = loop_timer();
	int rc;

	if (timer < 0)
		return err_sys_code(err, timer, "make a timer");
	s->timer = (struct loop_src){ .fn = on_timer, .fd = -1 };
	rc = loop_add(s->loop, &s->timer, timer, EPOLLIN);
	if (rc < 0)
		return err_sys_code(err, rc, "watch the timer");
	s->signals = (struct loop_src){ .fn = on_signals, .fd = -1 };
	rc = loop_add(s->loop, &s->signals, signals, EPOLLIN);
	if (rc < 0)
		return err_sys_code(err, rc, "watch signals");
	s->link.on_msg = on_link_msg;
	s->link.on_close = on_link_close;
	rc = link_init(&s->link, s->loop, ctl);
	if (rc < 0)
		return err_sys_code(err, rc, "watch kata-sandbox");
	return 0;
}

int shim_init(struct shim *s, struct shim_start *from, struct kata_err *err)
{
	*s = (struct shim){ .terminal = from->terminal };
	s->loop = loop_new(err);
	if (!s->loop)
		return err->code;
	init_streams(s, from);
	return watch_all(s, from->signals, from->ctl, err);
}

int shim_run(struct shim *s)
{
	struct kata_err err = { 0 };
	int status;

	/* before the program runs, which may ask for it at once; later sizes come as signals */
	if (s->terminal)
		send_winsize(s);
	status = loop_run(s->loop, &err);
	return status < 0 ? STATUS_KILLED : status;
}
