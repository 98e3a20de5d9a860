/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: rtnetlink, by libnl: the bridge, the veth pair, addresses and routes. Each makes
 * or removes one thing and decides nothing. Only links.c includes libnl.
 */
#ifndef KATA_HOOKS_NET_LINKS_H
#define KATA_HOOKS_NET_LINKS_H

#include "wiring.h"

/** links_facts() - routes, uplink_mtu and bridge_exists of the host's namespace, in @a. */
int links_facts(const char *bridge, struct arena *a, struct wiring_facts *ret,
		struct kata_err *err) MUST_CHECK;
/** links_bridge() - there, up, with the gateways' addresses; what is there already is fine. */
int links_bridge(const struct wiring *w, struct kata_err *err) MUST_CHECK;
/** links_veth() - one end on the bridge, the other in @netns_fd. -EEXIST: it has a WIRING_INSIDE. */
int links_veth(const struct wiring *w, int netns_fd, struct kata_err *err) MUST_CHECK;
/** links_inside() - addresses and default routes of the end in @netns_fd. */
int links_inside(const struct wiring *w, int netns_fd, struct kata_err *err) MUST_CHECK;
/** links_remove() - a link of the host's namespace. 0 when there is none. */
int links_remove(const char *name, struct kata_err *err) MUST_CHECK;

#endif
