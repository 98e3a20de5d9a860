// SPDX-License-Identifier: Apache-2.0
/* publish: "[ADDRESS:]HOST:CONTAINER[/udp]" is taken apart from its end. */
#include "publish.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define PUBLISH_MAX 80

static int bad(const char *s, struct kata_err *err)
{
	return err_set(err, -EINVAL,
		       "--publish: \"%s\" is not [ADDRESS:]HOST:CONTAINER[/tcp|/udp]", s);
}

static int to_port(const char *s, unsigned *ret)
{
	uint64_t n;
	int rc = str_to_u64(s, 1, UINT16_MAX, &n);

	*ret = rc < 0 ? 0 : (unsigned)n;
	return rc;
}

/* What is behind the last @mark in @s, which ends there from now on; NULL without one. */
static char *split_last(char *s, char mark)
{
	char *at = strrchr(s, mark);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static int parse_addr(char *s, struct ip *ret)
{
	size_t len = strlen(s);

	if (s[0] != '[')
		return strchr(s, ':') ? -EINVAL : ip_parse(s, ret);
	if (s[len - 1] != ']')
		return -EINVAL;
	s[len - 1] = '\0';
	return ip_parse(s + 1, ret);
}

int publish_parse(const char *s, struct publish *ret, struct kata_err *err)
{
	char text[PUBLISH_MAX], *proto, *container, *host;
	struct publish p = { 0 };

	if (!str_copy(text, sizeof(text), s))
		return bad(s, err);
	proto = split_last(text, '/');
	container = split_last(text, ':');
	if (!container || (proto && !str_eq(proto, "tcp") && !str_eq(proto, "udp")))
		return bad(s, err);
	p.udp = str_eq(proto, "udp");
	host = split_last(text, ':');
	if (host && parse_addr(text, &p.addr) < 0)
		return bad(s, err);
	if (to_port(host ? host : text, &p.host) < 0 ||
	    to_port(container, &p.container) < 0)
		return bad(s, err);
	*ret = p;
	return 0;
}

bool publish_clash(const struct publish *a, const struct publish *b)
{
	return a->udp == b->udp && a->host == b->host &&
	       (!a->addr.family || !b->addr.family ||
		memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0);
}
