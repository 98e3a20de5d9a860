/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring: which bridge, subnet and number a container gets, and all that follows from
 * these for its links. Pure: facts and the ledger go in, a new ledger comes out.
 */
#ifndef KATA_HOOKS_NET_WIRING_H
#define KATA_HOOKS_NET_WIRING_H

#include <net/if.h>

#include "ledger.h"
#include "options.h"

#define WIRING_INSIDE "eth0"
#define WIRING_MAC 6

/** struct wiring_facts - of the host. */
struct wiring_facts {
	const struct subnet *routes; /* that it has, default routes left out */
	size_t n_routes;
	unsigned uplink_mtu;	 /* of the link of the default route; 0 = no such route */
	bool bridge_exists;	 /* a link of the name that the options give */
	bool forward4, forward6; /* the sysctls are on */
};

/** struct wiring - what is to be there for one container. */
struct wiring {
	const char *bridge;
	unsigned mtu;
	bool nat;
	struct subnet net4, net6; /* net6, gateway6, addr6: of no family without IPv6 */
	struct ip gateway4, gateway6, addr4, addr6;
	char link[IF_NAMESIZE]; /* the host's end */
	uint8_t bridge_mac[WIRING_MAC], mac[WIRING_MAC];
};

/**
 * wiring_plan() - @old with the container added, in @a.
 * @user: id, bundle, pid, start, rootfs and resolv are given; the rest is filled in
 * -EEXIST, -EADDRINUSE: a subnet or port is taken; -EINVAL: @o is not as the bridge was made;
 * -ENOSPC: the subnet is full.
 */
int wiring_plan(const struct ledger *old, const struct options *o,
		const struct wiring_facts *facts, struct ledger_user *user,
		struct arena *a, struct ledger *ret, struct kata_err *err) MUST_CHECK;

/** wiring_of() - of container @user of @l; borrows from @l. -EINVAL when the ledger is damaged. */
int wiring_of(const struct ledger *l, const struct ledger_user *user, struct wiring *ret,
	      struct kata_err *err) MUST_CHECK;

#endif
