// SPDX-License-Identifier: Apache-2.0
/*
 * dns: two listening sockets; for each client a relay to the host (proto/dns).
 *
 * A UDP client gets a socket of its own, bound to the same address and connected to the
 * client: the kernel prefers it for what the client sends from then on. What came before,
 * for the common socket, is passed on by the client's address.
 */
#include "dns.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"
#include "dial.h"
#include "proto/dns.h"

/** Datagrams and connections taken before the loop gets its turn. */
#define ROUNDS 32
#define BACKLOG 64

struct dns {
	struct guest *guest;
	struct dns_relays relays;
	struct loop_src udp, tcp;
};

/* A socket at the resolver's address; @client NULL: for all. */
static int make_socket(int type, const struct sockaddr_in *client)
{
	const struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons(DNS_PORT),
		.sin_addr.s_addr = htonl(DNS_ADDRESS),
	};
	AUTO_CLOSE int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0)
		return -errno;
	if (client && connect(fd, (const struct sockaddr *)client, sizeof(*client)) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* Without a host it is lost: resolvers ask again. */
static struct dns_relay *relay_take(struct dns *d, int protocol, int fd,
				    const struct sockaddr_in *client)
{
	struct dns_ends ends = { .protocol = protocol, .local = fd, .say_hello = true };

	if (client)
		ends.client = *client;
	ends.peer = dial_stream(&d->guest->dial, &ends.connecting);
	if (ends.peer >= 0)
		return dns_relay_add_take(&d->relays, &ends);
	close(fd);
	return NULL;
}

static void on_tcp(struct loop_src *src, uint32_t events)
{
	struct dns *d = CONTAINER_OF(src, struct dns, tcp);

	(void)events;
	for (int i = 0; i < ROUNDS; i++) {
		int fd = sock_accept(src->fd);

		if (fd < 0)
			return;
		relay_take(d, IPPROTO_TCP, fd, NULL);
	}
}

static void take_datagram(struct dns *d, const struct sockaddr_in *client,
			  const void *data, size_t len)
{
	struct dns_relay *r = dns_relay_find(&d->relays, client);

	if (!r) {
		int fd = make_socket(SOCK_DGRAM, client);

		if (fd >= 0)
			r = relay_take(d, IPPROTO_UDP, fd, client);
	}
	if (r)
		dns_relay_push(r, data, len);
}

static void on_udp(struct loop_src *src, uint32_t events)
{
	struct dns *d = CONTAINER_OF(src, struct dns, udp);

	(void)events;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned char data[DNS_DATAGRAM_MAX];
		struct sockaddr_in client;
		socklen_t size = sizeof(client);
		ssize_t n = recvfrom(src->fd, data, sizeof(data), MSG_TRUNC,
				     (struct sockaddr *)&client, &size);

		if (n < 0)
			return;
		if (n > 0 && (size_t)n <= sizeof(data) && size == sizeof(client) &&
		    client.sin_family == AF_INET)
			take_datagram(d, &client, data, (size_t)n);
	}
}

static int listen_at(struct dns *d, struct loop_src *src, int type)
{
	int fd = make_socket(type, NULL);
	int r = fd < 0 ? fd : loop_add(d->guest->loop, src, fd, EPOLLIN);

	if (r < 0 && fd >= 0)
		close(fd);
	return r;
}

static void close_src(struct loop_src *src)
{
	int fd = src->fd;

	loop_del(src);
	if (fd >= 0)
		close(fd);
}

static void dns_free(struct dns *d)
{
	close_src(&d->udp);
	close_src(&d->tcp);
	dns_relays_done(&d->relays);
	free(d);
}

int dns_set(struct guest *g, bool on, struct kata_err *err)
{
	struct dns *d;
	int r;

	if (!on && g->dns) {
		dns_free(g->dns);
		g->dns = NULL;
	}
	if (!on || g->dns)
		return 0;
	d = mem_zalloc(sizeof(*d));
	d->guest = g;
	d->udp = (struct loop_src){ .fn = on_udp, .fd = -1 };
	d->tcp = (struct loop_src){ .fn = on_tcp, .fd = -1 };
	r = dns_relays_init(&d->relays, g->loop);
	if (r == 0)
		r = listen_at(d, &d->udp, SOCK_DGRAM);
	if (r == 0)
		r = listen_at(d, &d->tcp, SOCK_STREAM);
	if (r < 0) {
		dns_free(d);
		return err_sys_code(err, r, "dns: listen at 127.0.0.11:53");
	}
	g->dns = d;
	return 0;
}
