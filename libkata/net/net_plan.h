/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_plan: what a namespace has + the VM's cards -> which card is wired to which interface, and what
 * the guest is told (MSG_NETWORK). Pure.
 */
#ifndef KATA_NET_NET_PLAN_H
#define KATA_NET_NET_PLAN_H

#include "base/buf.h"
#include "net/scan.h"

/** Most cards of a VM. */
#define NET_MAX_CARDS 8

/**
 * struct net_card - a network card of the VM.
 * @tap:   index of its host's end, in the same namespace
 * @mac:   made up: the name by which the guest's agent finds it
 * @wired: index of the interface that it stands for, 0 = none
 */
struct net_card {
	int tap;
	uint8_t mac[6];
	int wired;
};

/**
 * struct net_plan - what is to be.
 * @index: by card: the interface to be wired to it, 0 = none
 * @left:  an interface that is up and found no card, or NULL
 * @n_left: how many there are
 */
struct net_plan {
	int index[NET_MAX_CARDS];
	const struct net_link *left;
	unsigned n_left;
};

/** net_is_guests() - does this interface need a card? One that is down does not. */
bool net_is_guests(const struct net_link *l, const struct net_card *cards, unsigned n);

/**
 * net_plan_make() - an interface keeps its card as long as it is up. Interfaces that are up and of a kind
 * that cannot be wired are refused by name: -ENOTSUP.
 */
int net_plan_make(const struct net_scan *s, const struct net_card *cards, unsigned n,
		  struct net_plan *ret, struct kata_err *err) MUST_CHECK;

/** net_plan_write() - the body of MSG_NETWORK. @dns: the guest's 127.0.0.11 is to be served. */
void net_plan_write(const struct net_plan *p, const struct net_scan *s,
		    const struct net_card *cards, unsigned n, bool dns, struct buf *out);

#endif
