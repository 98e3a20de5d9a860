/* SPDX-License-Identifier: Apache-2.0 */
/* dns: the guest's end of the DNS relay: what docker's resolver is for its clients. */
#ifndef KATA_AGENT_DNS_H
#define KATA_AGENT_DNS_H

#include "guest.h"

/**
 * dns_set() - answer at 127.0.0.11:53, UDP and TCP, or no longer. Nothing when it is so already.
 * Return: 0, or -errno when the address cannot be had
 */
int dns_set(struct guest *g, bool on, struct kata_err *err) MUST_CHECK;

#endif
