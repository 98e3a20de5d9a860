/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: a program that a hostile container would run. usage: flood garbage|spoof|arp|dns SECONDS
 *
 * garbage: frames of any length and content on eth0; spoof: UDP to 10.7.1.2, the address of eth0 itself, from
 * made-up addresses and MACs, to eth0's MAC and to all; arp: replies for made-up neighbours, with the MAC of
 * another each; dns: queries and garbage to 127.0.0.11 from many sockets. Prints how many were sent.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DNS_SOCKETS 200

struct flood {
	int fd[DNS_SOCKETS];
	unsigned char mac[ETH_ALEN]; /* of eth0 */
	unsigned char frame[2048];
	uint32_t seed;
};

static uint32_t any(struct flood *f)
{
	f->seed = f->seed * 1664525u + 1013904223u;
	return f->seed >> 8;
}

static void fill(struct flood *f, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		f->frame[i] = (unsigned char)any(f);
}

static size_t garbage(struct flood *f)
{
	size_t len = 1 + any(f) % 1514;

	fill(f, 0, len);
	if (any(f) % 2) /* looks like something */
		memcpy(f->frame + 12, any(f) % 2 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
	return len;
}

static uint16_t checksum(const unsigned char *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static size_t spoof(struct flood *f)
{
	/* IPv4, UDP, from any address to 10.7.1.2, ports 53 and 61440: those of an answer of DNS */
	static const unsigned char ip[28] = { 0x45, 0,	0,    46, 0, 0,	 0,  0, 64, 17,
					      0,    0,	9,    9,  9, 9,	 10, 7, 1,  2,
					      0,    53, 0xf0, 0,  0, 26, 0,  0 };
	uint16_t sum;

	memset(f->frame, 0, 60);
	if (any(f) % 2)
		memset(f->frame, 0xff, ETH_ALEN);
	else
		memcpy(f->frame, f->mac, ETH_ALEN);
	fill(f, 6, 12);
	f->frame[6] = 2;
	f->frame[12] = 8;
	memcpy(f->frame + 14, ip, sizeof(ip));
	fill(f, 27, 30);
	sum = htons(checksum(f->frame + 14, 20));
	memcpy(f->frame + 24, &sum, sizeof(sum));
	return 60;
}

static size_t arp(struct flood *f)
{
	static const unsigned char head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 2 };

	memset(f->frame, 0, 60);
	memset(f->frame, 0xff, ETH_ALEN);
	fill(f, 6, 12);
	f->frame[6] = 2;
	memcpy(f->frame + 12, head, sizeof(head));
	memcpy(f->frame + 22, f->frame + 6, ETH_ALEN);
	memcpy(f->frame + 28, "\x0a\x07\x01", 3);
	f->frame[31] = (unsigned char)any(f);
	memcpy(f->frame + 32, f->mac, ETH_ALEN);
	memcpy(f->frame + 38, "\x0a\x07\x01\x02", 4);
	return 60;
}

static size_t dns(struct flood *f)
{
	size_t len = 12 + any(f) % 500;

	fill(f, 0, len);
	if (any(f) % 2)
		memcpy(f->frame + 2,
		       "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06inside\x04test\x00\x00\x01\x00\x01",
		       27);
	return len;
}

static void open_card(struct flood *f)
{
	struct ifreq req = { .ifr_name = "eth0" };
	/* on a loaded machine a full queue's last frames are now and then given back only with the next
	 * one that is sent (TCG, level interrupts and edges alike; the cause is not known yet) */
	const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req) < 0) {
		perror("flood: eth0");
		exit(1);
	}
	memcpy(f->mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	to.sll_ifindex = (int)if_nametoindex("eth0");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("flood: socket");
		exit(1);
	}
	for (int i = 0; i < DNS_SOCKETS; i++)
		f->fd[i] = fd;
}

static void open_resolver(struct flood *f)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(0x7f00000b) };

	for (int i = 0; i < DNS_SOCKETS; i++) {
		f->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (f->fd[i] < 0 ||
		    connect(f->fd[i], (const struct sockaddr *)&to, sizeof(to)) < 0) {
			perror("flood: dns");
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t (*make)(struct flood *f);
		void (*open)(struct flood *f);
	} kinds[] = {
		{ "garbage", garbage, open_card },
		{ "spoof", spoof, open_card },
		{ "arp", arp, open_card },
		{ "dns", dns, open_resolver },
	};
	static struct flood f = { .seed = 1 };
	unsigned long sent = 0, tried = 0;
	time_t end;

	for (size_t k = 0; argc == 3 && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (strcmp(kinds[k].name, argv[1]))
			continue;
		kinds[k].open(&f);
		end = time(NULL) + strtol(argv[2], NULL, 10);
		while (time(NULL) < end) {
			size_t len = kinds[k].make(&f);

			sent += send(f.fd[tried++ % DNS_SOCKETS], f.frame, len, 0) ==
				(ssize_t)len;
		}
		printf("%s: %lu sent\n", argv[1], sent);
		return 0;
	}
	fprintf(stderr, "usage: flood garbage|spoof|arp|dns SECONDS\n");
	return 2;
}
