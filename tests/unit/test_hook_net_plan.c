// SPDX-License-Identifier: Apache-2.0
/* What kata-hook-net decides: subnets, numbers, ports, and the rules that follow. */
#include "suite.h"

#include <errno.h>

#include "base/str.h"
#include "golden.h"
#include "hooks/net/ruleset.h"
#include "hooks/net/wiring.h"

/* --- helpers --------------------------------------------------------------------------------- */

static struct subnet net_of(const char *text)
{
	struct kata_err err = { 0 };
	struct subnet s;

	ck_assert_msg(subnet_parse(text, &s, &err) == 0, "%s", err.msg);
	return s;
}

/* Options of a command line, words apart by a space. */
static struct options options_of(const char *line)
{
	struct kata_err err = { 0 };
	struct options o;
	char *argv[16], *text = arena_strdup(test_arena(), line);
	int argc = 0;

	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	ck_assert_msg(options_parse(argc, argv, &o, &err) == 0, "%s", err.msg);
	return o;
}

/* Container @id added to @l with those options; its text of the error, NULL when it went well. */
static const char *add(struct ledger *l, const char *id, const char *line,
		       const struct wiring_facts *facts)
{
	struct options o = options_of(line);
	struct ledger_user user = { .id = id, .bundle = "/b", .pid = 10 };
	struct kata_err err = { 0 };
	struct ledger next;
	int rc = wiring_plan(l, &o, facts, &user, test_arena(), &next, &err);

	if (rc == 0)
		*l = next;
	options_done(
		&o); /* the ledger borrows strings of --publish, which are the arena's */
	return rc < 0 ? arena_strdup(test_arena(), err.msg) : NULL;
}

static struct wiring wiring_for(const struct ledger *l, const char *id)
{
	struct kata_err err = { 0 };
	struct wiring w;

	ck_assert_ptr_nonnull(ledger_user(l, id));
	ck_assert_int_eq(wiring_of(l, ledger_user(l, id), &w, &err), 0);
	return w;
}

static const char *addr4(const struct ledger *l, const char *id)
{
	char *text = arena_alloc(test_arena(), IP_TEXT);
	struct wiring w = wiring_for(l, id);

	return ip_text(&w.addr4, text);
}

static const struct wiring_facts empty_host = { .forward4 = true };

/* --- subnets --------------------------------------------------------------------------------- */

static const struct {
	const char *text, *error;
} subnets[] = {
	{ "10.1.0.0/16", NULL },
	{ "0.0.0.0/0", NULL },
	{ "10.1.2.3/32", NULL },
	{ "fd00:1::/64", NULL },
	{ "10.1.0.0", "\"10.1.0.0\" is no subnet as 10.1.0.0/16" },
	{ "10.1.0.0/", "\"10.1.0.0/\" is no subnet as 10.1.0.0/16" },
	{ "10.1.0.0/33", "\"10.1.0.0/33\" is no subnet as 10.1.0.0/16" },
	{ "10.1.0/16", "\"10.1.0/16\" is no subnet as 10.1.0.0/16" },
	{ "10.1.0.0/+16", "\"10.1.0.0/+16\" is no subnet as 10.1.0.0/16" },
	{ "/16", "\"/16\" is no subnet as 10.1.0.0/16" },
	{ "10.1.2.3/16", "10.1.2.3/16 has bits of a host; the subnet is 10.1.0.0/16" },
	{ "10.1.7.0/21", "10.1.7.0/21 has bits of a host; the subnet is 10.1.0.0/21" },
	{ "fd00::1/64", "fd00::1/64 has bits of a host; the subnet is fd00::/64" },
};

START_TEST(subnets_are_read_strictly)
{
	for (size_t i = 0; i < ARRAY_SIZE(subnets); i++) {
		struct kata_err err = { 0 };
		struct subnet s;
		char text[SUBNET_TEXT];
		int rc = subnet_parse(subnets[i].text, &s, &err);

		ck_assert_int_eq(rc, subnets[i].error ? -EINVAL : 0);
		ck_assert_str_eq(subnets[i].error ? err.msg : subnet_text(&s, text),
				 subnets[i].error ? subnets[i].error : subnets[i].text);
	}
}
END_TEST

static const struct {
	const char *a, *b;
	bool overlap;
} pairs[] = {
	{ "10.1.0.0/16", "10.1.0.0/16", true },
	{ "10.1.0.0/16", "10.1.255.0/24", true },
	{ "10.1.0.0/16", "10.0.0.0/8", true },
	{ "10.1.0.0/16", "10.2.0.0/16", false },
	{ "10.0.0.0/15", "10.1.0.0/16", true },
	{ "10.0.0.0/15", "10.2.0.0/16", false },
	{ "fd00::/64", "fd00::/48", true },
	{ "fd00::/64", "fd00:0:0:1::/64", false },
	{ "0.0.0.0/0", "255.255.255.0/24", true },
	{ "0.0.0.0/0", "::/0", false },
};

START_TEST(subnets_overlap)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct subnet a = net_of(pairs[i].a), b = net_of(pairs[i].b);

		ck_assert_msg(subnet_overlaps(&a, &b) == pairs[i].overlap &&
				      subnet_overlaps(&b, &a) == pairs[i].overlap,
			      "%s and %s", pairs[i].a, pairs[i].b);
	}
}
END_TEST

START_TEST(hosts_of_a_subnet)
{
	struct subnet s = net_of("10.1.2.128/29"), wide = net_of("10.0.0.0/8");
	struct subnet six = net_of("fd00::/64"), none = { 0 };
	char text[IP_TEXT];
	struct ip ip = subnet_host(&s, 6);

	ck_assert_uint_eq(subnet_last_host(&s), 6);
	ck_assert_str_eq(ip_text(&ip, text), "10.1.2.134");
	ck_assert_uint_eq(subnet_last_host(&wide), SUBNET_HOST_MAX);
	ip = subnet_host(&wide, SUBNET_HOST_MAX);
	ck_assert_str_eq(ip_text(&ip, text), "10.0.255.254");
	ip = subnet_host(&six, 0x102);
	ck_assert_str_eq(ip_text(&ip, text), "fd00::102");
	ip = subnet_host(&none, 5);
	ck_assert_str_eq(ip_text(&ip, text), "");
}
END_TEST

/* --- ports ----------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	struct publish want; /* host 0 = refused */
} ports[] = {
	{ "8080:80", { .host = 8080, .container = 80 } },
	{ "8080:80/tcp", { .host = 8080, .container = 80 } },
	{ "53:5353/udp", { .host = 53, .container = 5353, .udp = true } },
	{ "127.0.0.1:80:81", { { AF_INET, { 127, 0, 0, 1 } }, 80, 81, false } },
	{ "[::1]:80:81/udp", { { AF_INET6, { [15] = 1 } }, 80, 81, true } },
	{ "65535:1", { .host = 65535, .container = 1 } },
	{ "80", { .host = 0 } },
	{ "0:80", { .host = 0 } },
	{ "80:0", { .host = 0 } },
	{ "65536:80", { .host = 0 } },
	{ "80:80/sctp", { .host = 0 } },
	{ "80:80/", { .host = 0 } },
	{ ":80:80", { .host = 0 } },
	{ "::1:80:80", { .host = 0 } },
	{ "[::1:80:80", { .host = 0 } },
	{ "[]:80:80", { .host = 0 } },
	{ "a:80:80", { .host = 0 } },
	{ "80:80 ", { .host = 0 } },
	{ "80:", { .host = 0 } },
	{ "", { .host = 0 } },
};

START_TEST(ports_are_read_strictly)
{
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		const struct publish *want = &ports[i].want;
		struct kata_err err = { 0 };
		struct publish p = { 0 };
		int rc = publish_parse(ports[i].text, &p, &err);

		ck_assert_msg(rc == (want->host ? 0 : -EINVAL), "%s", ports[i].text);
		ck_assert_msg(p.host == want->host && p.container == want->container &&
				      p.udp == want->udp &&
				      memcmp(&p.addr, &want->addr, sizeof(p.addr)) == 0,
			      "%s", ports[i].text);
	}
}
END_TEST

/* --- who gets what --------------------------------------------------------------------------- */

START_TEST(numbers_are_given_from_below)
{
	struct ledger l = { .version = LEDGER_VERSION };
	struct wiring w;

	ck_assert_ptr_null(add(&l, "a", "", &empty_host));
	ck_assert_ptr_null(add(&l, "b", "", &empty_host));
	ck_assert_ptr_null(add(&l, "c", "", &empty_host));
	ck_assert_str_eq(addr4(&l, "a"), "10.94.0.2");
	ck_assert_str_eq(addr4(&l, "c"), "10.94.0.4");
	ledger_drop_user(&l, test_arena(), "b");
	ck_assert_uint_eq(l.nets.n, 1);
	ck_assert_ptr_null(add(&l, "d", "", &empty_host));
	ck_assert_str_eq(addr4(&l, "d"), "10.94.0.3");
	w = wiring_for(&l, "d");
	ck_assert_str_eq(w.link, "kv0a5e0003");
	ck_assert_mem_eq(w.mac, "\x02\x4b\x0a\x5e\x00\x03", WIRING_MAC);
	ck_assert_mem_eq(w.bridge_mac, "\x02\x4b\x0a\x5e\x00\x01", WIRING_MAC);
	ledger_drop_user(&l, test_arena(), "a");
	ledger_drop_user(&l, test_arena(), "c");
	ledger_drop_user(&l, test_arena(), "d");
	ck_assert_uint_eq(l.nets.n + l.users.n, 0);
}
END_TEST

START_TEST(a_subnet_can_be_full)
{
	struct ledger l = { .version = LEDGER_VERSION };

	for (int i = 2; i <= 6; i++)
		ck_assert_ptr_null(add(&l, arena_printf(test_arena(), "c%d", i),
				       "--subnet 10.1.2.0/29", &empty_host));
	ck_assert_str_eq(addr4(&l, "c6"), "10.1.2.6");
	ck_assert_str_eq(add(&l, "c7", "", &empty_host),
			 "no address of 10.1.2.0/29 is free");
	ck_assert_uint_eq(l.users.n, 5);
}
END_TEST

START_TEST(the_default_subnet_is_a_free_one)
{
	const struct subnet routes[] = { net_of("10.94.3.0/24"), net_of("10.95.0.0/16"),
					 net_of("192.168.0.0/16") };
	const struct subnet all[] = { net_of("10.0.0.0/8") };
	struct wiring_facts facts = { routes, ARRAY_SIZE(routes), .uplink_mtu = 1400 };
	struct ledger l = { .version = LEDGER_VERSION };

	ck_assert_ptr_null(add(&l, "a", "", &facts));
	ck_assert_str_eq(addr4(&l, "a"), "10.96.0.2");
	ck_assert_uint_eq(wiring_for(&l, "a").mtu, 1400);
	/* the next bridge: what this one has is not among the routes of the facts */
	ck_assert_ptr_null(add(&l, "b", "--bridge other --mtu 9000", &facts));
	ck_assert_str_eq(addr4(&l, "b"), "10.97.0.2");
	ck_assert_uint_eq(wiring_for(&l, "b").mtu, 9000);
	facts.routes = all;
	facts.n_routes = 1;
	ck_assert_str_eq(
		add(&l, "c", "--bridge third", &facts),
		"this host has routes into all of 10.94.0.0/16 to 10.109.0.0/16: "
		"choose a subnet with --subnet");
	ck_assert_str_eq(add(&l, "c", "--bridge third --subnet 10.4.0.0/16", &facts),
			 "--subnet: 10.4.0.0/16 overlaps 10.0.0.0/8, to which this host "
			 "has a route already");
}
END_TEST

static const struct {
	const char *line, *error; /* of a second container; NULL = fine */
} seconds[] = {
	{ "", NULL },
	{ "--subnet 10.1.0.0/16 --subnet6 fd01::/64 --mtu 1300", NULL },
	{ "--subnet 10.2.0.0/16",
	  "--subnet: bridge katabr0 is in use and has 10.1.0.0/16; give the same, or "
	  "another --bridge" },
	{ "--subnet6 fd02::/64",
	  "--subnet6: bridge katabr0 is in use and has fd01::/64; give the same, or "
	  "another --bridge" },
	{ "--mtu 1400", "--mtu: bridge katabr0 is in use and has 1300; give the same, or "
			"another --bridge" },
	{ "--no-nat", "--no-nat: bridge katabr0 is in use and has NAT; give the same, or "
		      "another --bridge" },
	{ "--publish 80:80",
	  "--publish 80:80: container a has that port, by 127.0.0.1:80:8080" },
	{ "--publish 127.0.0.2:80:80", NULL },
	{ "--publish 80:80/udp", NULL },
};

START_TEST(a_bridge_in_use_is_as_it_is)
{
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		struct ledger l = { .version = LEDGER_VERSION };
		const char *said;

		ck_assert_ptr_null(add(&l, "a",
				       "--subnet 10.1.0.0/16 --subnet6 fd01::/64 "
				       "--mtu 1300 -p 127.0.0.1:80:8080",
				       &empty_host));
		said = add(&l, "b", seconds[i].line, &empty_host);
		if (seconds[i].error)
			ck_assert_str_eq(said, seconds[i].error);
		else
			ck_assert_msg(!said, "%s: %s", seconds[i].line, said);
	}
}
END_TEST

START_TEST(a_link_of_another_is_left_alone)
{
	struct wiring_facts facts = { .bridge_exists = true };
	struct ledger l = { .version = LEDGER_VERSION };

	ck_assert_str_eq(add(&l, "a", "--bridge docker_0", &facts),
			 "a link called docker_0 exists and is not of kata-hook-net's "
			 "making: choose another name with --bridge, or remove it");
	ck_assert_uint_eq(l.nets.n + l.users.n, 0);
}
END_TEST

START_TEST(forwarding_is_noted_when_it_was_off)
{
	struct wiring_facts off = { 0 }, on = { .forward4 = true, .forward6 = true };
	struct ledger l = { .version = LEDGER_VERSION };

	ck_assert_ptr_null(add(&l, "a", "", &on));
	ck_assert(!l.forward4 && !l.forward6);
	l = (struct ledger){ .version = LEDGER_VERSION };
	ck_assert_ptr_null(add(&l, "a", "", &off));
	ck_assert(l.forward4 && !l.forward6);
	/* on now, by ourselves */
	ck_assert_ptr_null(add(&l, "b", "--bridge b6 --subnet6 fd01::/64", &on));
	ck_assert(l.forward4 && !l.forward6);
	ledger_drop_user(&l, test_arena(), "a");
	ck_assert(l.forward4);
}
END_TEST

/* --- rules ----------------------------------------------------------------------------------- */

static const char *rules_of(const struct ledger *l)
{
	struct kata_err err = { 0 };
	struct buf b = { 0 };
	const char *text;

	ck_assert_msg(ruleset_write(l, &b, &err) == 0, "%s", err.msg);
	text = arena_strdup(test_arena(), buf_cstr(&b));
	buf_done(&b);
	return text;
}

START_TEST(rules_follow_from_the_ledger)
{
	struct ledger l = { .version = LEDGER_VERSION };

	ck_assert(!ruleset_needed(&l));
	ck_assert_str_eq(rules_of(&l),
			 "table inet kata_net\ndelete table inet kata_net\n");
	ck_assert_ptr_null(
		add(&l, "a", "-p 8080:80 -p 192.0.2.1:53:53/udp", &empty_host));
	ck_assert_ptr_null(add(&l, "b",
			       "--bridge six --subnet6 fd01::/64 -p 81:80 "
			       "-p [2001:db8::1]:82:80",
			       &empty_host));
	ck_assert_ptr_null(add(&l, "c", "--bridge plain --no-nat", &empty_host));
	golden_check("hook/ruleset.nft", rules_of(&l));
	ledger_drop_user(&l, test_arena(), "a");
	ledger_drop_user(&l, test_arena(), "b");
	ck_assert(!ruleset_needed(&l));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		subnets_are_read_strictly,
		subnets_overlap,
		hosts_of_a_subnet,
		ports_are_read_strictly,
		numbers_are_given_from_below,
		a_subnet_can_be_full,
		the_default_subnet_is_a_free_one,
		a_bridge_in_use_is_as_it_is,
		a_link_of_another_is_left_alone,
		forwarding_is_noted_when_it_was_off,
		rules_follow_from_the_ledger,
	};

	return suite_run("hook_net_plan", tests, ARRAY_SIZE(tests));
}
