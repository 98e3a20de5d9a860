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

/* "KA": our filters, and no one else's */
#define PRIO_REDIRECT 0x4b41

#define INGRESS TC_HANDLE(0xffff, 0)

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
	if (r < 0)
		rtnl_act_put(act);
	return r;
}

/* Everything that comes in on @from goes out on @to. */
static int add_redirect(struct nl_sock *sk, int from, int to, struct kata_err *err)
{
	struct rtnl_cls *c = filter_of(from, PRIO_REDIRECT, ETH_P_ALL);
	int r = rtnl_u32_add_key_uint32(c, 0, 0, 0, 0);

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

/* --- the wire ---------------------------------------------------------------------------- */

static int set_up(struct nl_sock *sk, int index, struct kata_err *err)
{
	struct rtnl_link *is = rtnl_link_alloc(), *shall = rtnl_link_alloc();
	int r;

	if (!is || !shall)
		abort();
	rtnl_link_set_ifindex(is, index);
	rtnl_link_set_flags(shall, IFF_UP);
	r = rtnl_link_change(sk, is, shall, 0);
	rtnl_link_put(is);
	rtnl_link_put(shall);
	return r < 0 ? nl_err(err, r, "set interface %d up", index) : 0;
}

int tc_unwire(struct nl_sock *sk, int index, bool qdisc, struct kata_err *err)
{
	int r = delete_filter(sk, index, PRIO_REDIRECT, ETH_P_ALL, err);

	return r == 0 && qdisc ? delete_ingress(sk, index, err) : r;
}

static int make_wire(struct nl_sock *sk, int index, int tap, struct kata_err *err)
{
	int r = add_ingress(sk, index, err);

	if (r == 0)
		r = delete_filter(sk, index, PRIO_REDIRECT, ETH_P_ALL, err);
	if (r == 0)
		r = add_ingress(sk, tap, err);
	if (r == 0)
		r = delete_filter(sk, tap, PRIO_REDIRECT, ETH_P_ALL, err);
	if (r == 0)
		r = set_up(sk, tap, err);
	if (r == 0)
		r = add_redirect(sk, tap, index, err);
	return r == 0 ? add_redirect(sk, index, tap, err) : r;
}

int tc_wire(struct nl_sock *sk, int index, int tap, bool qdisc, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	int r = make_wire(sk, index, tap, err);

	if (r < 0 && (tc_unwire(sk, index, qdisc, &ignored) < 0 ||
		      tc_unwire(sk, tap, true, &ignored) < 0))
		err_ctx(err, "%s; and", ignored.msg);
	return r;
}
