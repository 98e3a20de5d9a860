/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tc: the wire between an interface and a card's tap: what comes in on either goes out on the other,
 * untouched and without a copy to the host's stack (sch_ingress, cls_u32, act_mirred).
 *
 * Ours are known by their priority. An ingress qdisc that is there already is somebody else's
 * and stays.
 */
#ifndef KATA_NET_TC_H
#define KATA_NET_TC_H

#include <stdbool.h>

#include "base/err.h"

struct nl_sock;

/** tc_has_ingress() - is there an ingress or clsact qdisc on it? */
int tc_has_ingress(struct nl_sock *sk, int index, struct kata_err *err) MUST_CHECK;

/**
 * tc_wire() - join interface @index and tap @tap, and set the tap up. What we made on @index earlier is
 * replaced. On failure nothing is left.
 * @qdisc: the ingress qdisc of @index is or will be ours
 */
int tc_wire(struct nl_sock *sk, int index, int tap, bool qdisc,
	    struct kata_err *err) MUST_CHECK;

/** Ports of the host's stack in a namespace where tc_admit_dns() was: low and high; a mask's width. */
#define TC_DNS_PORT_LOW 61440
#define TC_DNS_PORT_HIGH 65535

/**
 * tc_admit_dns() - let answers of DNS servers (from port 53 to one of the ports above, UDP and TCP) pass
 * to the host's stack, and answers of neighbours to both, it and @tap. Docker's resolver
 * asks from within the namespace. On a wire that stands; once more is the same.
 */
int tc_admit_dns(struct nl_sock *sk, int index, int tap, struct kata_err *err) MUST_CHECK;

/**
 * tc_unwire() - the filters off @index and, if @qdisc, the qdisc as well; 0 when they or the
 * interface are gone.
 */
int tc_unwire(struct nl_sock *sk, int index, bool qdisc, struct kata_err *err) MUST_CHECK;
/** tc_unwire_tap() - the other end: down, and nothing on it. */
int tc_unwire_tap(struct nl_sock *sk, int tap, struct kata_err *err) MUST_CHECK;

#endif
