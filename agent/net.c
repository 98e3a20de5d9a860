// SPDX-License-Identifier: Apache-2.0
/*
 * net: reads the state of the kernel, has net_plan say what is to be done, and does it: cards
 * come over from the parking place, then two halves. Owns the memory of what messages have
 * brought, so that a later one takes away that and nothing else.
 *
 * The kernel answers netlink requests within the call; nothing here waits for anything.
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/neighbour.h>

#include "base/fs.h"
#include "net_plan.h"

/** Most that is kept of what the kernel has; a container's own million routes do no harm. */
#define STATE_MAX 16384
/** Cards whose first MAC is remembered. */
#define SEEN_MAX 64

/** struct seen - the MAC of a card that had no permanent one, when it was first seen. */
struct seen {
	uint32_t index;
	uint8_t mac[NETMSG_MAC_LEN];
};

struct net {
	struct net_items owned;
	struct seen seen[SEEN_MAX];
	size_t n_seen;
};

/* --- the state */

struct reading {
	struct net_state *is;
	struct net *net; /* NULL: of links that are parked, as they came */
	bool any;	 /* what software made is a card, too: the test entry */
};

static void first_mac(struct net *n, struct net_link *l)
{
	for (size_t i = 0; i < n->n_seen; i++) {
		if (n->seen[i].index != l->index)
			continue;
		memcpy(l->card, n->seen[i].mac, sizeof(l->card));
		return;
	}
	if (n->n_seen == SEEN_MAX)
		return;
	n->seen[n->n_seen].index = l->index;
	memcpy(n->seen[n->n_seen++].mac, l->mac, sizeof(l->mac));
}

/* Its index will be another one's. */
static void forget_mac(struct net *n, uint32_t index)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n_seen; i++)
		if (n->seen[i].index != index)
			n->seen[kept++] = n->seen[i];
	n->n_seen = kept;
}

static void on_link(void *arg, const struct nlmsghdr *h)
{
	struct reading *rd = arg;
	struct net_state *is = rd->is;
	struct net_link l;

	if (is->n_links == STATE_MAX || !net_link_read(h, &l))
		return;
	l.is_card |= rd->any && l.is_ether;
	if (l.is_card && !l.has_perm && rd->net)
		first_mac(rd->net, &l);
	is->links = mem_grow(is->links, is->n_links + 1, sizeof(l));
	is->links[is->n_links++] = l;
}

/* Those that the plan asks about. */
static bool is_of_interest(const struct net_item *it)
{
	switch ((enum net_kind)it->kind) {
	case NET_NEIGHBOUR:
		return it->type & (NUD_PERMANENT | NUD_NOARP);
	case NET_ROUTE:
		return it->table != RT_TABLE_LOCAL;
	default:
		return true;
	}
}

static void on_item(void *arg, const struct nlmsghdr *h)
{
	struct reading *rd = arg;
	struct net_item it;

	if (rd->is->items.n < STATE_MAX && net_item_read(h, &it) && is_of_interest(&it))
		net_items_add(&rd->is->items, &it);
}

/* Links come first. */
#define DUMPS_OF_LINKS 1
/* Every family has a header of its own size behind the type; they all begin with the family. */
static const struct {
	uint16_t type;
	uint8_t family, size;
	void (*fn)(void *arg, const struct nlmsghdr *h);
} dumps[] = {
	{ RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), on_link },
	{ RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), on_item },
	{ RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg), on_item },
	{ RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), on_item },
	{ RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), on_item },
	{ RTM_GETRULE, AF_INET, sizeof(struct rtmsg), on_item },
	{ RTM_GETRULE, AF_INET6, sizeof(struct rtmsg), on_item },
};

static void state_done(struct net_state *is)
{
	free(is->links);
	free(is->items.v);
	*is = (struct net_state){ 0 };
}

/* The first @n_dumps of the table. */
static int read_dumps(struct reading *rd, int fd, size_t n_dumps, struct kata_err *err)
{
	for (size_t i = 0; i < n_dumps; i++) {
		uint8_t fixed[sizeof(struct ifinfomsg)] = { dumps[i].family };
		struct nl_msg m;
		int r;

		nl_begin(&m, dumps[i].type, 0, fixed, dumps[i].size);
		r = nl_dump(fd, &m, dumps[i].fn, rd, err);
		/* a kernel without IPv6 or rules: wanting some fails, and says so */
		if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)
			continue;
		if (r < 0) {
			state_done(rd->is);
			return err_ctx(err, "read the network");
		}
	}
	err_done(err);
	return 0;
}

static int state_read(struct guest *g, int fd, struct net_state *ret,
		      struct kata_err *err)
{
	struct reading rd = { .is = ret, .net = g->net, .any = !g->is_vm };

	*ret = (struct net_state){ 0 };
	return read_dumps(&rd, fd, ARRAY_SIZE(dumps), err);
}

/* Links alone. @n: NULL = of the parking place. */
static int links_read(struct guest *g, struct net *n, int fd, struct net_state *ret,
		      struct kata_err *err)
{
	struct reading rd = { .is = ret, .net = n, .any = !g->is_vm };

	*ret = (struct net_state){ 0 };
	return read_dumps(&rd, fd, DUMPS_OF_LINKS, err);
}

/* --- steps */

/* A kernel without IPv6 has none of them. */
static int write_sysctl(const struct net_op *op)
{
	char path[128], value[16];
	int r;

	snprintf(path, sizeof(path), "/proc/sys/%s", op->text);
	snprintf(value, sizeof(value), "%u", op->value);
	r = fs_write_str(AT_FDCWD, path, value);
	return r == -ENOENT ? 0 : r;
}

static bool is_gone(int code)
{
	return code == -ESRCH || code == -ENOENT || code == -EADDRNOTAVAIL ||
	       code == -ENODEV;
}

/* What the kernel has to say about a step that was done already is no failure. */
static int request(int fd, const struct net_op *op, struct kata_err *err)
{
	struct nl_msg m;
	int r;

	net_op_msg(op, &m);
	r = nl_talk(fd, &m, err);
	if ((op->kind == OP_DEL && is_gone(r)) ||
	    (op->kind == OP_ADD && op->item->kind == NET_RULE && r == -EEXIST)) {
		err_done(err);
		r = 0;
	}
	return r;
}

/* Asked for where the card is; sockets stand for both places. */
static int move_card(int from, int to, const struct net_op *op, struct kata_err *err)
{
	AUTO_CLOSE int ns = nl_netns(to, err);
	struct nl_msg m;

	if (ns < 0)
		return ns;
	net_op_msg(op, &m);
	nl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)ns);
	return nl_talk(from, &m, err);
}

static int do_op(struct guest *g, int fd, const struct net_op *op, struct kata_err *err)
{
	int r;

	switch (op->kind) {
	case OP_FETCH:
		return move_card(g->parking.talk, fd, op, err);
	case OP_PARK:
		forget_mac(g->net, op->index);
		return move_card(fd, g->parking.talk, op, err);
	case OP_SYSCTL:
		r = write_sysctl(op);
		return r < 0 ? err_set(err, r, "%s", err_text(-r)) : 0;
	default:
		return request(fd, op, err);
	}
}

static int do_step(struct guest *g, int fd, const struct net_op *op, struct kata_err *err)
{
	struct net *n = g->net;
	char text[256];
	int r = do_op(g, fd, op, err);

	if (r < 0) {
		net_op_text(op, text, sizeof(text));
		return err_ctx(err, "%s", text);
	}
	if (op->kind == OP_DEL)
		net_items_remove(&n->owned, op->item);
	else if (op->kind == OP_ADD && !net_items_have(&n->owned, op->item))
		net_items_add(&n->owned, op->item);
	return 0;
}

static int do_plan(struct guest *g, int fd, const struct net_plan *p,
		   struct kata_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = do_step(g, fd, &p->ops[i], err);
	return r;
}

/* What a plan takes from the list of what is owned must outlive the steps that shorten it. */
static struct net_items copy_items(const struct net_items *from, struct arena *a)
{
	struct net_items l = { arena_array(a, from->n, sizeof(*l.v)), from->n };

	if (from->n)
		memcpy(l.v, from->v, from->n * sizeof(*l.v));
	return l;
}

/* Return: 0; NET_NO_CARD; -errno */
static int fetch(struct guest *g, int fd, const struct netmsg *m, struct arena *a,
		 struct kata_err *err)
{
	struct net_state is, parked = { 0 };
	struct net_plan plan;
	int r = links_read(g, g->net, fd, &is, err);

	if (r < 0)
		return r;
	r = links_read(g, NULL, g->parking.talk, &parked, err);
	if (r == 0 && net_plan_fetch(m, &is, &parked, a, &plan, err) < 0)
		r = NET_NO_CARD;
	if (r == 0)
		r = do_plan(g, fd, &plan, err);
	state_done(&parked);
	state_done(&is);
	return r;
}

static int clear(struct guest *g, int fd, const struct netmsg *m, struct arena *a,
		 struct net_want *ret_want, struct kata_err *err)
{
	struct net_items owned = copy_items(&g->net->owned, a);
	struct net_state is;
	struct net_plan plan;
	int r = state_read(g, fd, &is, err);

	if (r < 0)
		return r;
	r = net_want_make(m, &is, a, ret_want, err);
	if (r < 0) {
		r = NET_NO_CARD;
	} else {
		net_plan_clear(&is, &owned, ret_want, a, &plan);
		r = do_plan(g, fd, &plan, err);
	}
	state_done(&is);
	return r;
}

static int build(struct guest *g, int fd, const struct net_want *want, struct arena *a,
		 struct kata_err *err)
{
	struct net_state is;
	struct net_plan plan;
	int r = state_read(g, fd, &is, err);

	if (r < 0)
		return r;
	net_plan_build(&is, want, a, &plan);
	r = do_plan(g, fd, &plan, err);
	state_done(&is);
	return r;
}

int net_apply(struct guest *g, const struct netmsg *m, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_CLOSE int fd = nl_open(err);
	struct net_want want = { 0 };
	int r;

	if (fd < 0)
		return fd;
	if (!g->net)
		g->net = mem_zalloc(sizeof(*g->net));
	r = fetch(g, fd, m, a, err);
	if (r == 0)
		r = clear(g, fd, m, a, &want, err);
	return r ? r : build(g, fd, &want, a, err);
}
