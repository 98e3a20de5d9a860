/* SPDX-License-Identifier: Apache-2.0 */
/* publish: a port of the host that leads to one of a container. Pure. */
#ifndef KATA_HOOKS_NET_PUBLISH_H
#define KATA_HOOKS_NET_PUBLISH_H

#include "subnet.h"

struct publish {
	struct ip addr; /* of the host; none = all of them */
	unsigned host, container;
	bool udp;
};

/** publish_parse() - "[ADDRESS:]HOST:CONTAINER[/tcp|/udp]", an IPv6 ADDRESS in brackets. */
int publish_parse(const char *s, struct publish *ret, struct kata_err *err) MUST_CHECK;
/** publish_clash() - would both be meant by one packet? */
bool publish_clash(const struct publish *a, const struct publish *b);

#endif
