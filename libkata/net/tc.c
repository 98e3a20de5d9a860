// SPDX-License-Identifier: Apache-2.0
#include "net/tc.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/action.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>

#include "base/mem.h"
#include "net/nl.h"

/* "KA": our filters, and no one else's; those of DNS come before, each with a priority of its own */
#define PRIO_REDIRECT 0x4b41
#define PRIO_DNS 0x4b30

#define INGRESS TC_HANDLE(0xffffu, 0)

/* --- qdisc ------------------------------------------------------------------------------- */

static struct rtnl_qdisc *ingress_of(int index)
{
	struct rtnl_qdisc *q = rtnl_qdisc_alloc();

	if (!q)
		abort(); /* as mem_alloc() */
	rtnl_tc_set_ifindex(TC_CAST(q), index);
	rtnl_tc_set_parent(TC_CAST(q), TC_H_INGRESS);
	rtnl_tc_set_handle(TC_CAST(q), INGRESS);
	rtnl_tc_set_kind(TC_CAST(q), "ingress");
	return q;
}

int tc_has_ingress(struct nl_sock *sk, int index, struct kata_err *err)
{
	struct nl_cache *cache = NULL;
	struct rtnl_qdisc *q;
	int r = rtnl_qdisc_alloc_cache(sk, &cache);

	if (r < 0)
		return nl_err(err, r, "list queueing disciplines");
	q = rtnl_qdisc_get(cache, index, INGRESS);
	r = q != NULL;
	rtnl_qdisc_put(q);
	nl_cache_free(cache);
	return r;
}

static int add_ingress(struct nl_sock *sk, int index, struct kata_err *err)
{
	struct rtnl_qdisc *q = ingress_of(index);
	int r = rtnl_qdisc_add(sk, q, NLM_F_CREATE | NLM_F_EXCL);

	rtnl_qdisc_put(q);
	if (r < 0 && nl_errno(r) != -EEXIST)
		return nl_err(
			err, r,
			"add an ingress qdisc to interface %d (modprobe sch_ingress)",
			index);
	return 0;
}

/* NLE_INVAL: the kernel's word for an interface without that qdisc */
static bool is_gone(int nle)
{
	return nle == -NLE_NODEV || nle == -NLE_OBJ_NOTFOUND || nle == -NLE_INVAL;
}

static int delete_ingress(struct nl_sock *sk, int index, struct kata_err *err)
{
	struct rtnl_qdisc *q = ingress_of(index);
	int r = rtnl_qdisc_delete(sk, q);

	rtnl_qdisc_put(q);
	return r < 0 && !is_gone(r)
		       ? nl_err(err, r, "remove the ingress qdisc of interface %d", index)
		       : 0;
}

/* --- filters ----------------------------------------------------------------------------- */

static struct rtnl_cls *filter_of(int index, uint16_t prio, uint16_t protocol)
{
	struct rtnl_cls *c = rtnl_cls_alloc();

	if (!c)
		abort();
	rtnl_tc_set_ifindex(TC_CAST(c), index);
	rtnl_tc_set_parent(TC_CAST(c), INGRESS);
	rtnl_tc_set_kind(TC_CAST(c), "u32");
	rtnl_cls_set_prio(c, prio);
	rtnl_cls_set_protocol(c, protocol);
	return c;
}

static int add_mirred(struct rtnl_cls *c, int action, int policy, int to)
{
	struct rtnl_act *act = rtnl_act_alloc();
	int r;

	if (!act)
		abort();
	r = rtnl_tc_set_kind(TC_CAST(act), "mirred");
	if (r == 0)
		r = rtnl_mirred_set_action(act, action);
	if (r == 0)
		r = rtnl_mirred_set_policy(act, policy);
	if (r == 0)
		r = rtnl_mirred_set_ifindex(act, (uint32_t)to);
	if (r == 0)
		r = rtnl_u32_add_action(c, act);
	rtnl_act_put(act); /* the filter has a reference of its own */
	return r;
}

/* What each frame has: the end of its Ethernet header. One without four bytes behind it is matched, too. */
#define IN_EVERY_FRAME (-4)

/* Everything that comes in on @from goes out on @to. */
static int add_redirect(struct nl_sock *sk, int from, int to, struct kata_err *err)
{
	struct rtnl_cls *c = filter_of(from, PRIO_REDIRECT, ETH_P_ALL);
	int r = rtnl_u32_add_key_uint32(c, 0, 0, IN_EVERY_FRAME, 0);

	if (r == 0)
		r = rtnl_u32_set_cls_terminal(c);
	if (r == 0)
		r = add_mirred(c, TCA_EGRESS_REDIR, TC_ACT_STOLEN, to);
	if (r == 0)
		r = rtnl_cls_add(sk, c, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_cls_put(c);
	return r < 0 ? nl_err(err, r,
			      "redirect interface %d to %d (modprobe cls_u32 act_mirred)",
			      from, to)
		     : 0;
}

static int delete_filter(struct nl_sock *sk, int index, uint16_t prio, uint16_t protocol,
			 struct kata_err *err)
{
	struct rtnl_cls *c = filter_of(index, prio, protocol);
	int r = rtnl_cls_delete(sk, c, 0);

	rtnl_cls_put(c);
	return r < 0 && !is_gone(r)
		       ? nl_err(err, r, "remove the filter of interface %d", index)
		       : 0;
}

/* --- DNS --------------------------------------------------------------------------------- */

struct key {
	uint32_t value, mask;
	int offset; /* from the network header, multiple of 4 */
};

enum to { TO_STACK, TO_GUEST, TO_BOTH };

/** struct admitted - which of two stacks gets it; the first that matches decides. */
struct admitted {
	uint16_t protocol;
	enum to to;
	struct key keys[4];
	size_t n_keys;
};

/* from port 53 to TC_DNS_PORT_LOW and above */
#define PORTS(at)                                                                        \
	{                                                                                \
		53u << 16 | TC_DNS_PORT_LOW, 0xffffu << 16 | TC_DNS_PORT_LOW, at         \
	}
#define IPV4_PROTOCOL(proto)                                                             \
	{                                                                                \
		(proto) << 16, 0xffu << 16, 8                                            \
	}
/* not the rest of a fragmented packet */
#define IPV4_BEGINS                                                                      \
	{                                                                                \
		0, 0x1fff, 4                                                             \
	}
#define IPV6_NEXT(header)                                                                \
	{                                                                                \
		(header) << 8, 0xffu << 8, 4                                             \
	}
/* the fragment header: what follows it, its offset if the mask has it */
#define IPV6_FRAGMENT(header, offset_mask)                                               \
	IPV6_NEXT(44u),                                                                  \
	{                                                                                \
		(header) << 24, 0xffu << 24 | (offset_mask), 40                          \
	}
#define OFFSET 0xfff8u

/*
 * Parts of a fragmented answer behind the first have no ports: both get them, and the one that has not got
 * the first drops them.
 */
static const struct admitted admitted[] = {
	/* opcode "reply" */
	{ ETH_P_ARP, TO_BOTH, { { 2, 0xffff, 4 } }, 1 },
	/* ICMPv6, type "neighbour advertisement" */
	{ ETH_P_IPV6, TO_BOTH, { IPV6_NEXT(58u), { 136u << 24, 0xffu << 24, 40 } }, 2 },
	/* IPv4 without options */
	{ ETH_P_IP,
	  TO_STACK,
	  { { 5u << 24, 0xfu << 24, 0 }, IPV4_BEGINS, IPV4_PROTOCOL(17u), PORTS(20) },
	  4 },
	{ ETH_P_IP,
	  TO_STACK,
	  { { 5u << 24, 0xfu << 24, 0 }, IPV4_BEGINS, IPV4_PROTOCOL(6u), PORTS(20) },
	  4 },
	{ ETH_P_IP, TO_GUEST, { IPV4_BEGINS, IPV4_PROTOCOL(17u) }, 2 },
	{ ETH_P_IP, TO_BOTH, { IPV4_PROTOCOL(17u) }, 1 },
	{ ETH_P_IPV6, TO_STACK, { IPV6_NEXT(17u), PORTS(40) }, 2 },
	{ ETH_P_IPV6, TO_STACK, { IPV6_NEXT(6u), PORTS(40) }, 2 },
	{ ETH_P_IPV6, TO_STACK, { IPV6_FRAGMENT(17u, OFFSET), PORTS(48) }, 3 },
	{ ETH_P_IPV6, TO_GUEST, { IPV6_FRAGMENT(17u, OFFSET) }, 2 },
	{ ETH_P_IPV6, TO_BOTH, { IPV6_FRAGMENT(17u, 0u) }, 2 },
};
_Static_assert(PRIO_DNS + ARRAY_SIZE(admitted) <= PRIO_REDIRECT, "they come before");

static int admit(struct nl_sock *sk, int index, int tap, size_t i, struct kata_err *err)
{
	const struct admitted *ad = &admitted[i];
	struct rtnl_cls *c = filter_of(index, (uint16_t)(PRIO_DNS + i), ad->protocol);
	int r = 0;

	for (size_t k = 0; k < ad->n_keys && r == 0; k++)
		r = rtnl_u32_add_key_uint32(c, ad->keys[k].value, ad->keys[k].mask,
					    ad->keys[k].offset, 0);
	/* without an action it goes on to the stack */
	if (r == 0)
		r = rtnl_u32_set_cls_terminal(c);
	if (r == 0 && ad->to == TO_BOTH)
		r = add_mirred(c, TCA_EGRESS_MIRROR, TC_ACT_OK, tap);
	if (r == 0 && ad->to == TO_GUEST)
		r = add_mirred(c, TCA_EGRESS_REDIR, TC_ACT_STOLEN, tap);
	if (r == 0)
		r = rtnl_cls_add(sk, c, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_cls_put(c);
	return r < 0 ? nl_err(err, r, "let answers of DNS servers in on interface %d",
			      index)
		     : 0;
}

static int expel_dns(struct nl_sock *sk, int index, struct kata_err *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(admitted) && r == 0; i++)
		r = delete_filter(sk, index, (uint16_t)(PRIO_DNS + i),
				  admitted[i].protocol, err);
	return r;
}

int tc_admit_dns(struct nl_sock *sk, int index, int tap, struct kata_err *err)
{
	int r = expel_dns(sk, index, err);

	for (size_t i = 0; i < ARRAY_SIZE(admitted) && r == 0; i++)
		r = admit(sk, index, tap, i, err);
	return r;
}

/* --- the wire ---------------------------------------------------------------------------- */

static int set_link(struct nl_sock *sk, int index, bool up, struct kata_err *err)
{
	struct rtnl_link *is = rtnl_link_alloc(), *shall = rtnl_link_alloc();
	int r;

	if (!is || !shall)
		abort();
	rtnl_link_set_ifindex(is, index);
	if (up)
		rtnl_link_set_flags(shall, IFF_UP);
	else
		rtnl_link_unset_flags(shall, IFF_UP);
	r = rtnl_link_change(sk, is, shall, 0);
	rtnl_link_put(is);
	rtnl_link_put(shall);
	return r < 0 && (up || !is_gone(r))
		       ? nl_err(err, r, "set interface %d %s", index, up ? "up" : "down")
		       : 0;
}

int tc_unwire(struct nl_sock *sk, int index, bool qdisc, struct kata_err *err)
{
	int r = expel_dns(sk, index, err);

	if (r == 0)
		r = delete_filter(sk, index, PRIO_REDIRECT, ETH_P_ALL, err);
	return r == 0 && qdisc ? delete_ingress(sk, index, err) : r;
}

int tc_unwire_tap(struct nl_sock *sk, int tap, struct kata_err *err)
{
	int r = set_link(sk, tap, false, err);

	return r == 0 ? delete_ingress(sk, tap, err) : r;
}

/* The tap is up only while its filter stands: what a guest sends never gets to the host's stack. */
static int make_wire(struct nl_sock *sk, int index, int tap, struct kata_err *err)
{
	int r = tc_unwire_tap(sk, tap, err);

	if (r == 0)
		r = add_ingress(sk, tap, err);
	if (r == 0)
		r = add_redirect(sk, tap, index, err);
	if (r == 0)
		r = add_ingress(sk, index, err);
	if (r == 0)
		r = delete_filter(sk, index, PRIO_REDIRECT, ETH_P_ALL, err);
	if (r == 0)
		r = add_redirect(sk, index, tap, err);
	return r == 0 ? set_link(sk, tap, true, err) : r;
}

int tc_wire(struct nl_sock *sk, int index, int tap, bool qdisc, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	int r = make_wire(sk, index, tap, err);

	if (r < 0 && (tc_unwire(sk, index, qdisc, &ignored) < 0 ||
		      tc_unwire_tap(sk, tap, &ignored) < 0))
		err_ctx(err, "%s; and", ignored.msg);
	return r;
}
