/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: the VM's cards and the interfaces of the network namespace that they stand for.
 *
 * Cards are there when the VM boots, more than there are interfaces: engines plug one in before create,
 * in a hook while the guest boots, between create and start, or at any time after. Whenever
 * one may have come, gone or changed, network_sync() reads the namespace, wires
 * what the plan says and tells the guest if that is news. It is called when the guest is up, at each
 * start, and when the kernel notifies; nothing is polled for.
 *
 * Notifications are bounded: after each sync they rest for a moment, so that whoever makes
 * changes without end keeps us busy for a small part of the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/fs.h"
#include "base/log.h"
#include "net/nl.h"
#include "net/tc.h"
#include "net/watch.h"
#include "sandbox.h"

/** Between two looks at the namespace for notifications, milliseconds. */
#define REST_MS 50
/** Time the guest has to make its network so. Milliseconds. */
#define NETWORK_DEADLINE_MS 30000
#define RESOLV_MAX 65536
/* How often a namespace that changes while it is read is read again. */
#define SCAN_TRIES 4

/* --- wires ------------------------------------------------------------------------------- */

static void forget_mark(struct network *n, int index)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->trace.n_marks; i++)
		if (n->trace.marks[i].index != index)
			n->trace.marks[kept++] = n->trace.marks[i];
	n->trace.n_marks = kept;
}

static bool is_marked_own(const struct network *n, int index)
{
	for (size_t i = 0; i < n->trace.n_marks; i++)
		if (n->trace.marks[i].index == index)
			return n->trace.marks[i].qdisc;
	return false;
}

static void unwire(struct sandbox *sb, struct net_card *card)
{
	struct network *n = &sb->network;
	struct kata_err err = { 0 };

	if (!card->wired)
		return;
	if (tc_unwire(n->nl, card->wired, is_marked_own(n, card->wired), &err) < 0 ||
	    tc_unwire_tap(n->nl, card->tap, &err) < 0)
		log_warn("%s", err.msg);
	forget_mark(n, card->wired);
	card->wired = 0;
}

/* Written down before it is made, so that whoever finds us killed can take it away. */
static int wire(struct sandbox *sb, struct net_card *card, int index,
		struct kata_err *err)
{
	struct network *n = &sb->network;
	bool again = card->wired == index;
	int had = again ? !is_marked_own(n, index) : tc_has_ingress(n->nl, index, err);
	int r;

	if (had < 0)
		return had;
	if (!again)
		n->trace.marks[n->trace.n_marks++] = (struct net_mark){ index, !had };
	r = net_trace_write(sb->dirfd, &n->trace, err);
	if (r == 0)
		r = tc_wire(n->nl, index, card->tap, !had, err);
	card->wired = r == 0 ? index : 0;
	if (r < 0)
		forget_mark(n, index);
	if (r == 0 && n->dns)
		r = tc_admit_dns(n->nl, index, card->tap, err);
	if (r < 0)
		unwire(sb, card);
	return r;
}

/* What it had on it went with it, also when one of the same index is there now. */
static void on_gone(void *arg, int index)
{
	struct network *n = arg;

	for (unsigned i = 0; i < n->n_cards; i++) {
		if (n->cards[i].wired != index)
			continue;
		n->cards[i].wired = 0;
		forget_mark(n, index);
	}
}

static int wire_all(struct sandbox *sb, const struct net_plan *plan, bool anew,
		    struct kata_err *err)
{
	struct network *n = &sb->network;
	int r = 0;

	for (unsigned i = 0; i < n->n_cards; i++)
		if (n->cards[i].wired != plan->index[i])
			unwire(sb, &n->cards[i]);
	for (unsigned i = 0; i < n->n_cards && r == 0; i++)
		if (plan->index[i] && (anew || !n->cards[i].wired))
			r = wire(sb, &n->cards[i], plan->index[i], err);
	return r < 0 ? r : net_trace_write(sb->dirfd, &n->trace, err);
}

/*
 * Docker's resolver asks from within the namespace, from ports that the stack gives out there. They get
 * a range of their own, above what the guest's stack gives out (its default ends at 60999), by which
 * answers are told from those for the guest. For the rest of the VM's life.
 */
static int admit_dns(struct sandbox *sb, struct kata_err *err)
{
	struct network *n = &sb->network;
	char range[32];
	int r = net_ports_get(&n->ports, err);

	snprintf(range, sizeof(range), "%d %d", TC_DNS_PORT_LOW, TC_DNS_PORT_HIGH);
	n->trace.ports = n->ports;
	if (r == 0)
		r = net_trace_write(sb->dirfd, &n->trace, err);
	if (r == 0)
		r = net_ports_set(range, err);
	for (unsigned i = 0; i < n->n_cards && r == 0; i++)
		if (n->cards[i].wired)
			r = tc_admit_dns(n->nl, n->cards[i].wired, n->cards[i].tap, err);
	n->dns = r == 0;
	return r;
}

static void expel_dns(struct sandbox *sb)
{
	struct network *n = &sb->network;
	struct kata_err err = { 0 };

	if (n->ports && net_ports_set(n->ports, &err) < 0)
		log_warn("%s", err.msg);
	n->trace.ports = NULL;
	free(TAKE_PTR(n->ports));
}

/* --- what the guest is told -------------------------------------------------------------- */

/* Docker's resolver of a user-defined network, in the namespace: its address is loopback. */
static bool names_relay(const struct container *ct)
{
	const struct oci_mount *m = ct->spec->mounts.v;

	for (size_t i = 0; i < ct->spec->mounts.n; i++) {
		AUTO_FREE char *text = NULL;
		size_t len;

		if (!str_eq(m[i].destination, "/etc/resolv.conf") || !m[i].source ||
		    m[i].source[0] != '/' ||
		    fs_read_at(AT_FDCWD, m[i].source, RESOLV_MAX, &text, &len) < 0)
			continue;
		for (const char *at = text; (at = strstr(at, "nameserver")); at++)
			if (str_has_prefix(
				    at + strlen("nameserver") +
					    strspn(at + strlen("nameserver"), " \t"),
				    NETWORK_RELAY_IP))
				return true;
	}
	return false;
}

static bool wants_dns(const struct sandbox *sb)
{
	for (const struct container *ct = sb->containers; ct; ct = ct->next)
		if (names_relay(ct))
			return true;
	return false;
}

static void on_told(void *arg, int code, const struct msg_reply *m)
{
	struct sandbox *sb = arg;
	struct network *n = &sb->network;

	n->asked--;
	err_done(&n->refused);
	if (!m)
		err_set(&n->refused, code,
			"the guest's network: the agent did not answer: %s",
			err_text(-code));
	else if (m->code != MSG_OK)
		err_set(&n->refused, m->err ? -(int)m->err : -EIO,
			"the guest's network: %s", m->text);
	if (n->refused.code) {
		log_warn("%s", n->refused.msg);
		free(TAKE_PTR(n->told)); /* so it is told again */
	}
	if (n->asked == 0)
		requests_network_settled(sb);
}

static bool is_empty(const struct net_plan *plan)
{
	for (unsigned i = 0; i < NET_MAX_CARDS; i++)
		if (plan->index[i])
			return false;
	return true;
}

static int tell_guest(struct sandbox *sb, const struct net_plan *plan,
		      const struct net_scan *s, bool dns, struct kata_err *err)
{
	struct network *n = &sb->network;
	struct buf b = { 0 };
	int r = 0;

	/* a guest that was told nothing has nothing but its loopback interface */
	if (sb->state == SB_UP && (n->spoken || !is_empty(plan))) {
		net_plan_write(plan, s, n->cards, n->n_cards, dns, &b);
		if (!str_eq(n->told, buf_cstr(&b))) {
			free(n->told);
			n->told = mem_strdup(buf_cstr(&b));
			r = agent_request(sb->agent, MSG_NETWORK, buf_ptr(&b),
					  buf_len(&b), NETWORK_DEADLINE_MS,
					  &(struct agent_call){ on_told, sb });
			n->asked += r == 0;
			n->spoken = true;
		}
	}
	buf_done(&b);
	if (r == 0)
		return 0;
	free(TAKE_PTR(n->told));
	return err_sys_code(err, r, "send the network to the guest");
}

/* --- reading it again -------------------------------------------------------------------- */

/*
 * A scan is several lists, made one after the other: a route may be in its list whose address came
 * behind the list of addresses. So it is made again until nothing has changed meanwhile, or
 * for the last time: then further notifications follow anyway.
 */
static int scan(struct network *n, struct arena *a, struct net_scan *ret, bool *ret_lost,
		struct kata_err *err)
{
	struct pollfd changed = { .fd = n->watch_fd, .events = POLLIN };
	int r = 0;

	*ret_lost = false;
	for (int i = 0; i < SCAN_TRIES && r == 0; i++) {
		*ret_lost |= net_watch_drain(n->watch_fd, on_gone, n);
		r = net_scan(n->nl, a, ret, err);
		if (poll(&changed, 1, 0) <= 0)
			break;
	}
	return r;
}

int network_sync(struct sandbox *sb, struct kata_err *err)
{
	struct network *n = &sb->network;
	AUTO(arena) *a = arena_new();
	bool dns = wants_dns(sb), lost;
	struct net_plan plan;
	struct net_scan s;
	int r = scan(n, a, &s, &lost, err);

	if (r == 0)
		r = net_plan_make(&s, n->cards, n->n_cards, &plan, err);
	if (r == 0)
		r = wire_all(sb, &plan, lost, err);
	if (r == 0 && dns && !n->dns)
		r = admit_dns(sb, err);
	if (r == 0 && dns_relay_enable(sb, dns) < 0)
		r = err_set(err, -EMFILE, "the DNS relay cannot be had: no timer");
	if (r == 0)
		r = tell_guest(sb, &plan, &s, dns, err);
	if (r == 0 && plan.left)
		r = err_set(err, -ENOSPC,
			    "network interface %s: the VM's %u cards are all in use "
			    "([network] spare_cards in kata.conf makes more)",
			    plan.left->name, n->n_cards);
	return r;
}

int network_verdict(const struct sandbox *sb, struct kata_err *err)
{
	if (sb->network.refused.code)
		*err = sb->network.refused;
	return err->code;
}

static void on_watch(struct loop_src *src, uint32_t events)
{
	struct sandbox *sb = CONTAINER_OF(src, struct sandbox, network.watch);
	struct kata_err err = { 0 };

	(void)events;
	loop_del(src);
	if (loop_timer_set(sb->network.rest.fd, REST_MS) < 0)
		log_warn("the network is watched no longer: no timer");
	/* half of it may be there: whoever plugs it in is not done, and what stays wrong shows at start */
	if (sb->state <= SB_UP && network_sync(sb, &err) < 0)
		log_warn("%s", err.msg);
}

static void on_rest(struct loop_src *src, uint32_t events)
{
	struct network *n = CONTAINER_OF(src, struct network, rest);

	(void)events;
	loop_timer_ack(src->fd);
	if (loop_add(src->loop, &n->watch, n->watch_fd, EPOLLIN) < 0)
		log_warn("the network is watched no longer");
}

/* --- cards ------------------------------------------------------------------------------- */

static int make_mac(unsigned i, uint8_t mac[6])
{
	/* locally administered, "K" */
	mac[0] = 0x02;
	mac[1] = 0x4b;
	mac[2] = (uint8_t)i; /* whatever the rest is, no two cards have the same */
	return getrandom(mac + 3, 3, 0) == 3 ? 0 : -EIO;
}

static int add_card(struct sandbox *sb, struct kata_err *err)
{
	struct network *n = &sb->network;
	struct vm_plan *plan = &sb->host.plan;
	struct tap *tap = &n->taps[n->n_cards];
	struct net_card *card = &n->cards[n->n_cards];
	unsigned queues = plan->vcpus < VM_MAX_QUEUES ? plan->vcpus : VM_MAX_QUEUES;
	int r = tap_open(queues, tap, err);

	if (r < 0)
		return r;
	*card = (struct net_card){ .tap = tap->index };
	if (make_mac(n->n_cards, card->mac) < 0) {
		tap_close(tap);
		return err_set(err, -EIO, "no random numbers for a MAC");
	}
	plan->cards[n->n_cards] = (struct vm_card){
		.queues = queues,
		.vhost = tap->vhost[queues - 1] >= 0,
	};
	memcpy(plan->cards[n->n_cards].mac, card->mac, sizeof(card->mac));
	plan->n_cards = ++n->n_cards;
	return 0;
}

static int add_cards(struct sandbox *sb, struct kata_err *err)
{
	uint32_t spare = conf_get(sb->conf)->spare_cards, needed = 0;
	AUTO(arena) *a = arena_new();
	struct net_scan s;
	int r = net_scan(sb->network.nl, a, &s, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s.n_links; i++)
		needed += net_is_guests(&s.links[i], NULL, 0);
	for (uint32_t i = 0; i < needed + spare && i < VM_MAX_CARDS && r == 0; i++) {
		r = add_card(sb, err);
		if (r == 0 || i < needed)
			continue;
		/* a host without taps still runs what needs no network */
		log_warn("%s", err->msg);
		err_done(err);
		return 0;
	}
	return r;
}

static int watch(struct sandbox *sb, struct kata_err *err)
{
	struct network *n = &sb->network;
	int timer = loop_timer();
	int r;

	n->watch.fn = on_watch;
	n->rest.fn = on_rest;
	r = timer < 0 ? timer : loop_add(sb->loop, &n->rest, timer, EPOLLIN);
	if (r < 0)
		return err_sys_code(err, r, "make a timer");
	/* before the first look, so that nothing comes in between */
	n->watch_fd = net_watch_open(err);
	if (n->watch_fd < 0)
		return n->watch_fd;
	r = loop_add(sb->loop, &n->watch, n->watch_fd, EPOLLIN);
	return r < 0 ? err_sys_code(err, r, "watch the network namespace") : 0;
}

int network_up(struct sandbox *sb, struct container *first, struct kata_err *err)
{
	const struct oci_namespace *ns = oci_spec_ns(first->spec, OCI_NS_NETWORK);
	struct network *n = &sb->network;
	int r = nl_open(&n->nl, err);

	n->trace.path = ns && ns->path && *ns->path
				? arena_strdup(sb->host.arena, ns->path)
				: NULL;
	if (r == 0)
		r = netns_id_own(&n->trace.ns, err);
	if (r == 0)
		r = watch(sb, err);
	if (r == 0)
		r = add_cards(sb, err);
	return r == 0 ? network_sync(sb, err) : r;
}

void network_release_taps(struct sandbox *sb)
{
	for (unsigned i = 0; i < sb->network.n_cards; i++)
		tap_close(&sb->network.taps[i]);
}

void network_down(struct sandbox *sb)
{
	struct network *n = &sb->network;
	struct kata_err err = { 0 };
	int timer = n->rest.fd;

	for (unsigned i = 0; i < n->n_cards; i++)
		unwire(sb, &n->cards[i]);
	expel_dns(sb);
	if (net_trace_write(sb->dirfd, &n->trace, &err) < 0)
		log_warn("%s", err.msg);
	network_release_taps(sb);
	loop_del(&n->watch);
	loop_del(&n->rest);
	fd_drop(&n->watch_fd);
	fd_drop(&timer);
	nl_close(n->nl);
	n->nl = NULL;
	n->n_cards = 0;
	free(TAKE_PTR(n->told));
}

/* --- statistics -------------------------------------------------------------------------- */

int network_counters(struct sandbox *sb, struct net_counters ret[NET_MAX_CARDS])
{
	struct network *n = &sb->network;
	struct kata_err err = { 0 };
	int index[NET_MAX_CARDS];
	size_t wired = 0;
	int r;

	for (unsigned i = 0; i < n->n_cards; i++)
		if (n->cards[i].wired)
			index[wired++] = n->cards[i].wired;
	r = net_read_counters(n->nl, index, wired, ret, &err);
	if (r < 0)
		log_warn("%s", err.msg);
	return r < 0 ? 0 : r;
}
