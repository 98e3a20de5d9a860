// SPDX-License-Identifier: Apache-2.0
/*
 * network: one message at a time. Cards of a VM that boots are there before the host can ask:
 * their modules are loaded, and a driver's probing is done with. One that is plugged in
 * later is announced by the kernel in the parking place, which is listened to only while a
 * message waits. A newer message takes the place of one that waits, for it is the whole
 * network too.
 */
#include "network.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns.h"
#include "net.h"
#include "parking.h"

/** struct network - a message that waits. */
struct network {
	struct guest *guest;
	struct loop_src links, timer;
	struct arena *arena;
	const struct netmsg *m;
	struct rpc_call call;
};

static int apply(struct guest *g, const struct netmsg *m, struct kata_err *err)
{
	int r = net_apply(g, m, err);

	return r == 0 ? dns_set(g, m->dns, err) : r;
}

/* Here no code of the kernel's means "no such container". */
static void answer(struct guest *g, struct rpc_call *call, const struct kata_err *err)
{
	if (err->code)
		rpc_answer_err(g, call, err);
	else
		rpc_answer(g, call, MSG_OK, 0, NULL);
}

static void unwatch_links(struct network *w)
{
	loop_del(&w->links);
	parking_unwatch(&w->guest->parking);
}

static void finish(struct network *w, const struct kata_err *err)
{
	int timer = w->timer.fd;

	answer(w->guest, &w->call, err);
	w->guest->network = NULL;
	unwatch_links(w);
	loop_del(&w->timer);
	if (timer >= 0)
		close(timer);
	arena_free(w->arena);
	free(w);
}

static void try_again(struct network *w)
{
	struct kata_err err = { 0 };

	if (apply(w->guest, w->m, &err) != NET_NO_CARD)
		finish(w, &err);
}

/* What they say is of no interest: all is read anew. ENOBUFS, too, says that there was something. */
static void on_links(struct loop_src *src, uint32_t events)
{
	struct network *w = CONTAINER_OF(src, struct network, links);
	uint8_t drop[4096];

	(void)events;
	while (recv(src->fd, drop, sizeof(drop), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	try_again(w);
}

static void on_timer(struct loop_src *src, uint32_t events)
{
	struct network *w = CONTAINER_OF(src, struct network, timer);
	struct kata_err err = { 0 };

	(void)events;
	loop_timer_ack(src->fd);
	if (apply(w->guest, w->m, &err) == NET_NO_CARD)
		err.code = -ENODEV;
	finish(w, &err);
}

static int watch_links(struct network *w)
{
	const struct parking *p = &w->guest->parking;
	int r = parking_watch(p);

	return r < 0 ? r : loop_add(w->guest->loop, &w->links, p->watch, EPOLLIN);
}

static int arm(struct network *w)
{
	int fd = loop_timer();
	int r = fd < 0 ? fd : loop_add(w->guest->loop, &w->timer, fd, EPOLLIN);

	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : loop_timer_set(fd, NETWORK_CARD_MS);
}

static void wait_for_card(struct guest *g, const struct netmsg *m, struct rpc_call *call,
			  struct arena **a)
{
	struct network *w = mem_zalloc(sizeof(*w));
	struct kata_err err = { 0 };
	int r;

	w->guest = g;
	w->links = (struct loop_src){ .fn = on_links, .fd = -1 };
	w->timer = (struct loop_src){ .fn = on_timer, .fd = -1 };
	w->m = m;
	w->arena = TAKE_PTR(*a);
	w->call = *call;
	call->id = 0;
	g->network = w;
	r = watch_links(w);
	if (r == 0)
		r = arm(w);
	if (r == 0) {
		/* it may have come before anybody watched */
		try_again(w);
		return;
	}
	err_sys_code(&err, r, "wait for a card");
	finish(w, &err);
}

void network_request(struct guest *g, const struct netmsg *m, struct rpc_call *call,
		     struct arena **a)
{
	struct kata_err err = { 0 };

	if (g->network) {
		err_set(&err, -ECANCELED, "a newer network came");
		finish(g->network, &err);
		err_done(&err);
	}
	if (apply(g, m, &err) == NET_NO_CARD)
		wait_for_card(g, m, call, a);
	else
		answer(g, call, &err);
}
