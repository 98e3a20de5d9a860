// SPDX-License-Identifier: Apache-2.0
/*
 * ruleset: the table, chain by chain.
 *
 *   early      what a container may not send: the address of another network (it may be
 *              hostile), and anything for the host's own loopback, which answers on the
 *              bridge for the sake of published ports (forward.c, route_localnet)
 *   incoming   published ports, asked for from outside or by a container,
 *   outgoing   and from the host itself
 *   published  where each leads
 *   leaving    containers take the host's address outside, and the bridge's towards each other
 *              when they came by a published port: else the answer would not come back by it
 */
#include "ruleset.h"

#include "publish.h"
#include "wiring.h"

bool ruleset_needed(const struct ledger *l)
{
	for (size_t i = 0; i < l->nets.n; i++) {
		if (ledger_nets(l)[i].nat)
			return true;
	}
	return false;
}

static void write_early(const struct ledger_net *n, struct buf *out)
{
	buf_addf(out, "\t\tiifname \"%s\" ip saddr != %s drop\n", n->bridge, n->subnet);
	buf_addf(out, "\t\tiifname \"%s\" ip daddr 127.0.0.0/8 drop\n", n->bridge);
	buf_addf(out, "\t\tiifname \"%s\" ip6 saddr != { ::, fe80::/10%s%s } drop\n",
		 n->bridge, n->subnet6 ? ", " : "", n->subnet6 ? n->subnet6 : "");
}

static void masquerade(const char *bridge, const char *proto, const char *subnet,
		       struct buf *out)
{
	buf_addf(out, "\t\t%s saddr %s oifname != \"%s\" masquerade\n", proto, subnet,
		 bridge);
	buf_addf(out, "\t\t%s saddr %s oifname \"%s\" ct status dnat masquerade\n", proto,
		 subnet, bridge);
}

static void write_leaving(const struct ledger_net *n, struct buf *out)
{
	masquerade(n->bridge, "ip", n->subnet, out);
	buf_addf(out, "\t\tip saddr 127.0.0.0/8 oifname \"%s\" masquerade\n", n->bridge);
	if (n->subnet6)
		masquerade(n->bridge, "ip6", n->subnet6, out);
}

static void for_nets(const struct ledger *l, struct buf *out,
		     void (*write)(const struct ledger_net *n, struct buf *out))
{
	for (size_t i = 0; i < l->nets.n; i++) {
		if (ledger_nets(l)[i].nat)
			write(&ledger_nets(l)[i], out);
	}
}

/* One port to one address of the container. ::1 is left alone: its packets have no way out of lo. */
static void write_port(const struct publish *p, const struct ip *to, struct buf *out)
{
	const char *proto = to->family == AF_INET ? "ip" : "ip6";
	const char *l4 = p->udp ? "udp" : "tcp";
	char text[IP_TEXT];

	if (!to->family || (p->addr.family && p->addr.family != to->family))
		return;
	if (p->addr.family)
		buf_addf(out, "\t\t%s daddr %s", proto, ip_text(&p->addr, text));
	else
		buf_addf(out, "\t\t%s",
			 to->family == AF_INET ? "meta nfproto ipv4"
					       : "ip6 daddr != ::1");
	buf_addf(out, " %s dport %u dnat %s to ", l4, p->host, proto);
	buf_addf(out, to->family == AF_INET ? "%s:%u\n" : "[%s]:%u\n", ip_text(to, text),
		 p->container);
}

static int write_published(const struct ledger *l, const struct ledger_user *u,
			   struct buf *out, struct kata_err *err)
{
	struct wiring w;
	int rc = wiring_of(l, u, &w, err);

	for (size_t i = 0; i < u->publish.n && rc == 0; i++) {
		struct publish p;

		rc = publish_parse(u->publish.v[i], &p, err);
		if (rc < 0)
			break;
		write_port(&p, &w.addr4, out);
		write_port(&p, &w.addr6, out);
	}
	return rc;
}

static void begin_chain(const char *name, const char *type, struct buf *out)
{
	buf_addf(out, "\tchain %s {\n", name);
	if (type)
		buf_addf(out, "\t\ttype %s; policy accept;\n", type);
}

static int write_chains(const struct ledger *l, struct buf *out, struct kata_err *err)
{
	static const char to_published[] =
		"\t\tfib daddr type local jump published\n\t}\n";
	int rc = 0;

	begin_chain("early", "filter hook prerouting priority raw", out);
	for_nets(l, out, write_early);
	buf_add_str(out, "\t}\n");
	begin_chain("published", NULL, out);
	for (size_t i = 0; i < l->users.n && rc == 0; i++)
		rc = write_published(l, &ledger_users(l)[i], out, err);
	buf_add_str(out, "\t}\n");
	begin_chain("incoming", "nat hook prerouting priority dstnat", out);
	buf_add_str(out, to_published);
	begin_chain("outgoing", "nat hook output priority -100", out);
	buf_add_str(out, to_published);
	begin_chain("leaving", "nat hook postrouting priority srcnat", out);
	for_nets(l, out, write_leaving);
	buf_add_str(out, "\t}\n");
	return rc;
}

int ruleset_write(const struct ledger *l, struct buf *out, struct kata_err *err)
{
	int rc;

	/* made first, so that it can be deleted whether it was there or not */
	buf_add_str(out, "table " RULESET_TABLE "\ndelete table " RULESET_TABLE "\n");
	if (!ruleset_needed(l))
		return 0;
	buf_add_str(out, "table " RULESET_TABLE " {\n");
	rc = write_chains(l, out, err);
	buf_add_str(out, "}\n");
	return rc;
}
