/* SPDX-License-Identifier: Apache-2.0 */
/* net: the guest's network, as the host wants it. */
#ifndef KATA_AGENT_NET_H
#define KATA_AGENT_NET_H

#include "guest.h"
#include "proto/netmsg.h"

/** A card that is named is not there, or not yet; @err names it, its code being -ENODEV. */
#define NET_NO_CARD 1

/**
 * net_apply() - make the guest's network that of @m. What was done before a failure stays; the
 * next message goes on from there.
 * Return: 0; NET_NO_CARD, and nothing was done; -errno with the interface or route as the host
 * knows it
 */
int net_apply(struct guest *g, const struct netmsg *m, struct kata_err *err) MUST_CHECK;

#endif
