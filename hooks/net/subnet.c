// SPDX-License-Identifier: Apache-2.0
/* subnet: addresses are compared and cut as arrays of bits. */
#include "subnet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

int ip_parse(const char *s, struct ip *ret)
{
	struct ip ip = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, s, ip.b) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

const char *ip_text(const struct ip *ip, char dst[IP_TEXT])
{
	dst[0] = '\0';
	if (ip->family)
		inet_ntop(ip->family, ip->b, dst, IP_TEXT);
	return dst;
}

size_t ip_bytes(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 16 : 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->family == AF_INET ? ip->b[0] == 127 : memcmp(ip->b, one, 16) == 0;
}

/* The first @len bits of @ip. */
static struct ip cut(const struct ip *ip, unsigned len)
{
	struct ip out = { .family = ip->family };

	memcpy(out.b, ip->b, len / 8);
	if (len % 8)
		out.b[len / 8] = ip->b[len / 8] & (uint8_t)(0xff << (8 - len % 8));
	return out;
}

int subnet_parse(const char *s, struct subnet *ret, struct kata_err *err)
{
	char addr[IP_TEXT], text[SUBNET_TEXT];
	const char *slash = strchr(s, '/');
	struct subnet net = { 0 };
	struct ip ip;
	uint64_t len;

	if (!slash || (size_t)(slash - s) >= sizeof(addr))
		return err_set(err, -EINVAL, "\"%s\" is no subnet as 10.1.0.0/16", s);
	str_copy(addr, (size_t)(slash - s) + 1, s);
	if (ip_parse(addr, &ip) < 0 ||
	    str_to_u64(slash + 1, 0, 8 * ip_bytes(&ip), &len) < 0)
		return err_set(err, -EINVAL, "\"%s\" is no subnet as 10.1.0.0/16", s);
	net.len = (unsigned)len;
	net.base = cut(&ip, net.len);
	if (memcmp(&net.base, &ip, sizeof(ip)) != 0)
		return err_set(err, -EINVAL, "%s has bits of a host; the subnet is %s", s,
			       subnet_text(&net, text));
	*ret = net;
	return 0;
}

const char *subnet_text(const struct subnet *s, char dst[SUBNET_TEXT])
{
	char ip[IP_TEXT];

	snprintf(dst, SUBNET_TEXT, "%s/%u", ip_text(&s->base, ip), s->len);
	return dst;
}

struct ip subnet_host(const struct subnet *s, uint32_t n)
{
	struct ip ip = s->base;
	size_t end = ip_bytes(&ip);

	if (end) {
		ip.b[end - 1] |= (uint8_t)n;
		ip.b[end - 2] |= (uint8_t)(n >> 8);
	}
	return ip;
}

uint32_t subnet_last_host(const struct subnet *s)
{
	unsigned bits = 8 * (unsigned)ip_bytes(&s->base) - s->len;

	if (bits >= 16)
		return SUBNET_HOST_MAX;
	return bits < 2 ? 0 : (1u << bits) - 2;
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
	unsigned len = a->len < b->len ? a->len : b->len;
	struct ip in_a = cut(&a->base, len), in_b = cut(&b->base, len);

	return a->base.family && memcmp(&in_a, &in_b, sizeof(in_a)) == 0;
}

bool subnet_equal(const struct subnet *a, const struct subnet *b)
{
	return a->len == b->len && memcmp(&a->base, &b->base, sizeof(a->base)) == 0;
}
