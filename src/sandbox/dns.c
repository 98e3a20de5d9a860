/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns: the host's end of the DNS relay. kata-sandbox lives in the container's network
 * namespace, where docker's resolver is at 127.0.0.11 by way of a rule of that namespace.
 *
 * The guest says TCP or UDP and nothing else: where a relay leads to is written down here, so
 * it can reach nothing but that resolver, and that only where the engine has one.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox.h"

static int dial_resolver(int protocol)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(DNS_PORT),
		.sin_addr.s_addr = htonl(DNS_ADDRESS),
	};
	int type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	AUTO_CLOSE int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return TAKE_FD(fd);
}

int dns_relay_enable(struct sandbox *sb, bool on)
{
	if (on == dns_relay_is_enabled(sb))
		return 0;
	if (on)
		return dns_relays_init(&sb->dns, sb->loop);
	dns_relays_done(&sb->dns);
	return 0;
}

bool dns_relay_is_enabled(const struct sandbox *sb)
{
	return sb->dns.loop;
}

void dns_client_take(struct sandbox *sb, int protocol, int fd)
{
	struct dns_ends ends = { .protocol = protocol, .peer = fd };

	ends.local = dns_relay_is_enabled(sb) ? dial_resolver(protocol) : -EACCES;
	if (ends.local < 0) {
		log_debug("dns: a client of the guest's was refused: %s",
			  err_text(-ends.local));
		close(fd);
		return;
	}
	dns_relay_add_take(&sb->dns, &ends);
}
