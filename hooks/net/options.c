// SPDX-License-Identifier: Apache-2.0
/*
 * options: the table, and what a table cannot say of the values. Knows nothing
 * of the machine: whether a subnet is free is wiring's to find out.
 */
#include "options.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MTU_MIN 576u
#define MTU_MIN6 1280u /* RFC 8200, 5 */
#define MTU_MAX 65535u

static const struct opt table[] = {
	{ "bridge", 0, OPT_STR, "NAME", offsetof(struct options, bridge), NULL,
	  "the bridge that containers are plugged into (default: " OPTIONS_BRIDGE ")" },
	{ "subnet", 0, OPT_STR, "SUBNET", offsetof(struct options, subnet_arg), NULL,
	  "IPv4 subnet (default: the first of 10.94.0.0/16 to 10.109.0.0/16 that is free)" },
	{ "subnet6", 0, OPT_STR, "SUBNET", offsetof(struct options, subnet6_arg), NULL,
	  "IPv6 subnet as well, for example fd5e:1::/64 (default: no IPv6)" },
	{ "mtu", 0, OPT_COUNT, "BYTES", offsetof(struct options, mtu), NULL,
	  "of the container's link (default: that of the host's default route)" },
	{ "dns", 0, OPT_LIST, "ADDRESS", offsetof(struct options, dns), NULL,
	  "a name server (default: the host's)" },
	{ "no-dns", 0, OPT_SWITCH, NULL, offsetof(struct options, no_dns), NULL,
	  "leave /etc/resolv.conf of the container alone" },
	{ "publish", 'p', OPT_LIST, "PORTS", offsetof(struct options, publish), NULL,
	  "[ADDRESS:]HOST:CONTAINER[/udp]: a port of the host that leads to the container" },
	{ "no-nat", 0, OPT_SWITCH, NULL, offsetof(struct options, no_nat), NULL,
	  "do without nftables: others must know the way to the subnet" },
	{ "state", 0, OPT_STR, "DIR", offsetof(struct options, state), NULL,
	  "where the hook keeps its records (default: " OPTIONS_STATE_DIR ")" },
	{ "help", 'h', OPT_SWITCH, NULL, offsetof(struct options, help), NULL,
	  "print this help" },
};

static const struct opts opts = {
	.v = table,
	.n = ARRAY_SIZE(table),
	.of = "kata-hook-net",
};

/*
 * The name goes into a ruleset and a path of /proc: a word and nothing else. kata and a
 * digit are what kata-runtime's taps are called.
 */
static int check_bridge(const char *name, struct kata_err *err)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_";

	if (strlen(name) >= IF_NAMESIZE || name[strspn(name, word)] ||
	    (name[0] >= '0' && name[0] <= '9'))
		return err_set(err, -EINVAL,
			       "--bridge: \"%s\" is no word of up to %d letters, digits "
			       "and _, a letter first",
			       name, IF_NAMESIZE - 1);
	if (str_has_prefix(name, "kata") && name[4] >= '0' && name[4] <= '9')
		return err_set(err, -EINVAL,
			       "--bridge: %s is a name that kata-runtime gives", name);
	return 0;
}

static int check_subnet(const char *option, const char *arg, int family, unsigned min,
			unsigned max, struct subnet *ret, struct kata_err *err)
{
	int rc;

	if (!arg)
		return 0;
	rc = subnet_parse(arg, ret, err);
	if (rc < 0)
		return err_ctx(err, "%s", option);
	if (ret->base.family != family)
		return err_set(err, -EINVAL, "%s: %s is not IPv%d", option, arg,
			       family == AF_INET ? 4 : 6);
	if (ret->len < min || ret->len > max)
		return err_set(err, -EINVAL,
			       "%s: the prefix of %s is not of %u to %u bits", option,
			       arg, min, max);
	return 0;
}

static int check_mtu(const struct options *o, struct kata_err *err)
{
	unsigned min = o->subnet6_arg ? MTU_MIN6 : MTU_MIN;

	if (!o->mtu || (o->mtu >= min && o->mtu <= MTU_MAX))
		return 0;
	return err_set(err, -EINVAL, "--mtu: %u is not within %u to %u", o->mtu, min,
		       MTU_MAX);
}

static int check_dns(const struct options *o, struct kata_err *err)
{
	struct ip ip;

	for (size_t i = 0; i < o->dns.n; i++) {
		if (ip_parse(o->dns.v[i], &ip) < 0)
			return err_set(err, -EINVAL, "--dns: \"%s\" is no address",
				       o->dns.v[i]);
	}
	if (o->no_dns && o->dns.n)
		return err_set(err, -EINVAL, "--dns and --no-dns exclude each other");
	return 0;
}

static int check_publish(const struct options *o, struct kata_err *err)
{
	struct publish p, other;
	int rc;

	for (size_t i = 0; i < o->publish.n; i++) {
		rc = publish_parse(o->publish.v[i], &p, err);
		if (rc < 0)
			return rc;
		if (p.addr.family == AF_INET6 && !o->subnet6_arg)
			return err_set(err, -EINVAL,
				       "--publish: %s is for IPv6, which needs --subnet6",
				       o->publish.v[i]);
		for (size_t j = 0; j < i; j++) {
			rc = publish_parse(o->publish.v[j], &other, err);
			if (rc == 0 && publish_clash(&p, &other))
				rc = err_set(err, -EINVAL,
					     "--publish: %s and %s are the same port",
					     o->publish.v[j], o->publish.v[i]);
			if (rc < 0)
				return rc;
		}
	}
	if (o->no_nat && o->publish.n)
		return err_set(err, -EINVAL, "--publish needs NAT, --no-nat excludes it");
	return 0;
}

static int check(struct options *o, struct kata_err *err)
{
	int rc = check_bridge(o->bridge, err);

	if (rc == 0 && o->state[0] != '/')
		rc = err_set(err, -EINVAL, "--state: %s is no absolute path", o->state);
	if (rc == 0)
		rc = check_subnet("--subnet", o->subnet_arg, AF_INET, 8, 29, &o->subnet,
				  err);
	/* a container has the same number in both */
	if (rc == 0)
		rc = check_subnet("--subnet6", o->subnet6_arg, AF_INET6, 16, 112,
				  &o->subnet6, err);
	if (rc == 0)
		rc = check_mtu(o, err);
	if (rc == 0)
		rc = check_dns(o, err);
	return rc == 0 ? check_publish(o, err) : rc;
}

int options_parse(int argc, char **argv, struct options *ret, struct kata_err *err)
{
	AUTO_FREE char **room = mem_zalloc(((size_t)argc + 1) * sizeof(*room));
	struct opts_words words = { .v = room };
	struct options o = { 0 };
	int rc = opts_parse(&opts, argc, argv, &o, &words, err);

	o.bridge = o.bridge ? o.bridge : OPTIONS_BRIDGE;
	o.state = o.state ? o.state : OPTIONS_STATE_DIR;
	if (rc == 0 && words.n)
		rc = err_set(err, -EINVAL, "unexpected argument \"%s\"", words.v[0]);
	if (rc == 0 && !o.help)
		rc = check(&o, err);
	if (rc < 0)
		options_done(&o);
	else
		*ret = o;
	return rc;
}

void options_done(struct options *o)
{
	opts_done(&opts, o);
}

void options_print(FILE *out)
{
	fprintf(out, "usage: kata-hook-net [OPTIONS] <STATE.json\n\n"
		     "OCI hook, createRuntime and poststop: a network for a container\n\n"
		     "options:\n");
	opts_print(&opts, out);
}
