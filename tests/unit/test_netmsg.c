/* SPDX-License-Identifier: Apache-2.0 */
/* The body of MSG_NETWORK: what is encoded is decoded; what is malformed is named. */
#include <arpa/inet.h>
#include <errno.h>

#include "base/str.h"
#include "proto/netmsg.h"
#include "suite.h"

static int decode(const char *text, struct netmsg *ret, struct kata_err *err)
{
	const struct json *j;
	int r = json_parse(text, strlen(text), &json_limits_default, test_arena(), &j,
			   err);

	return r < 0 ? r : jtab_decode(&netmsg_tab, j, test_arena(), "", ret, err);
}

static char *encode(const struct netmsg *m)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	char *s;

	jtab_encode(&netmsg_tab, m, &o);
	s = arena_strdup(test_arena(), buf_cstr(&b));
	buf_done(&b);
	return s;
}

#define CARD "\"card\":\"02:4b:00:00:00:01\""
#define ETH0 "{" CARD ",\"name\":\"eth0\",\"mac\":\"02:42:AC:11:00:02\"}"

START_TEST(there_and_back)
{
	static const char text[] =
		"{\"interfaces\":[{\"card\":\"02:4b:00:00:00:01\",\"name\":\"eth0\","
		"\"mac\":\"02:42:ac:11:00:02\",\"mtu\":1500,\"noarp\":false,\"addresses\":["
		"{\"address\":\"172.17.0.2\",\"prefix\":16,\"broadcast\":\"172.17.255.255\","
		"\"scope\":0},{\"address\":\"fd00::2\",\"prefix\":64,\"scope\":0,\"flags\":2}]}],"
		"\"routes\":[{\"destination\":\"0.0.0.0/0\",\"gateway\":\"172.17.0.1\","
		"\"interface\":\"eth0\",\"metric\":0,\"scope\":0,\"table\":254,\"type\":1,"
		"\"protocol\":3,\"onlink\":false}],"
		"\"rules\":[{\"priority\":100,\"family\":4,\"source\":\"172.17.0.0/16\","
		"\"table\":100}],"
		"\"neighbours\":[{\"interface\":\"eth0\",\"address\":\"172.17.0.1\","
		"\"mac\":\"02:42:00:00:00:01\",\"state\":128}],\"dns\":true}";
	struct kata_err err = { 0 };
	const struct netmsg_interface *i;
	const struct netmsg_address *a;
	struct netmsg m;

	ck_assert_msg(decode(text, &m, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(m.interfaces.n, 1);
	i = m.interfaces.v;
	ck_assert_str_eq(i->name, "eth0");
	ck_assert_uint_eq(i->mtu, 1500);
	ck_assert_uint_eq(i->addresses.n, 2);
	a = i->addresses.v;
	ck_assert_str_eq(a[0].broadcast, "172.17.255.255");
	ck_assert_ptr_null(a[0].peer);
	ck_assert_uint_eq(a[1].flags, 2);
	ck_assert(m.dns);
	ck_assert_str_eq(encode(&m), text);
}
END_TEST

START_TEST(nothing_is_a_network)
{
	struct kata_err err = { 0 };
	struct netmsg m;

	ck_assert_int_eq(decode("{}", &m, &err), 0);
	ck_assert_uint_eq(m.interfaces.n, 0);
	ck_assert(!m.dns);
}
END_TEST

START_TEST(malformed_is_named)
{
#define IN(member) "{\"interfaces\":[" member "]}"
#define ADDR(a)                                                                          \
	IN("{" CARD ",\"name\":\"a\",\"mac\":\"02:00:00:00:00:01\",\"addresses\":[{" a   \
	   "}]}")
#define ROUTE(r)                                                                         \
	"{\"interfaces\":[" ETH0 "],\"routes\":[{\"table\":254,\"type\":1," r "}]}"
#define RULE(r) "{\"rules\":[{\"priority\":1,\"table\":5," r "}]}"
	static const struct {
		const char *text;
		int code;
		const char *why;
	} bad[] = {
		{ IN("{" CARD ",\"name\":\"a/b\",\"mac\":\"02:00:00:00:00:01\"}"),
		  -EINVAL, "interfaces[0].name: \"a/b\" is no name for a card" },
		{ IN("{" CARD ",\"name\":\"lo\",\"mac\":\"02:00:00:00:00:01\"}"), -EINVAL,
		  "interfaces[0].name: \"lo\" is no name for a card" },
		{ IN("{" CARD ",\"name\":\"a\",\"mac\":\"02:00:00:00:00:0\"}"), -EINVAL,
		  "interfaces[0].mac: \"02:00:00:00:00:0\" is no MAC address" },
		{ IN("{\"card\":\"x\",\"name\":\"a\",\"mac\":\"02:00:00:00:00:01\"}"),
		  -EINVAL, "interfaces[0].card: \"x\" is no MAC address" },
		{ IN("{\"name\":\"a\",\"mac\":\"02:00:00:00:00:01\"}"), -EINVAL,
		  "interfaces[0].card: is required" },
		{ IN(ETH0 "," ETH0), -EEXIST, "interfaces[1].name: eth0 is there twice" },
		{ IN(ETH0 ",{" CARD ",\"name\":\"b\",\"mac\":\"02:00:00:00:00:01\"}"),
		  -EEXIST, "interfaces[1].card: 02:4b:00:00:00:01 is there twice" },
		{ ADDR("\"address\":\"1.2.3\",\"prefix\":8"), -EINVAL,
		  "interfaces[0].addresses[0].address: \"1.2.3\" is no IP address" },
		{ ADDR("\"address\":\"1.2.3.4\",\"prefix\":33"), -ERANGE,
		  "interfaces[0].addresses[0].prefix: 33 is too long for 1.2.3.4" },
		{ ADDR("\"address\":\"::1\",\"prefix\":8,\"peer\":\"1.2.3.4\""), -EINVAL,
		  "interfaces[0].addresses[0].peer: \"1.2.3.4\" is no IPv6 address" },
		{ ADDR("\"address\":\"::1\",\"prefix\":8,\"broadcast\":\"::2\""), -EINVAL,
		  "interfaces[0].addresses[0].broadcast: \"::2\" is no IPv4 address" },
		{ ROUTE("\"destination\":\"0.0.0.0\""), -EINVAL,
		  "routes[0].destination: \"0.0.0.0\" is no prefix of that family" },
		{ ROUTE("\"destination\":\"::/129\""), -EINVAL,
		  "routes[0].destination: \"::/129\" is no prefix of that family" },
		{ ROUTE("\"destination\":\"::/0\",\"gateway\":\"1.2.3.4\""), -EINVAL,
		  "routes[0].gateway: \"1.2.3.4\" is no IPv6 address" },
		{ ROUTE("\"destination\":\"::/0\",\"interface\":\"eth1\""), -ENODEV,
		  "routes[0].interface: there is no eth1" },
		{ RULE("\"family\":5"), -EINVAL,
		  "rules[0].family: 5 is neither 4 nor 6" },
		{ RULE("\"family\":6,\"source\":\"1.0.0.0/8\""), -EINVAL,
		  "rules[0].source: \"1.0.0.0/8\" is no prefix of that family" },
		{ "{\"neighbours\":[{\"interface\":\"eth1\",\"address\":\"1.2.3.4\","
		  "\"mac\":\"02:00:00:00:00:01\",\"state\":128}]}",
		  -ENODEV, "neighbours[0].interface: there is no eth1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kata_err err = { 0 };
		struct netmsg m;

		ck_assert_msg(decode(bad[i].text, &m, &err) == bad[i].code, "%zu: %s", i,
			      err.msg);
		ck_assert_str_eq(err.msg, bad[i].why);
	}
}
END_TEST

/* One more than there may be. */
START_TEST(too_many)
{
	struct buf b = { 0 };
	struct kata_err err = { 0 };
	struct netmsg m;

	buf_add_str(&b, "{\"routes\":[");
	for (int i = 0; i <= NETMSG_MAX_ROUTES; i++)
		buf_addf(&b,
			 "%s{\"destination\":\"10.%d.%d.0/24\",\"table\":254,\"type\":7}",
			 i ? "," : "", i >> 8, i & 255);
	buf_add_str(&b, "]}");
	ck_assert_int_eq(decode(buf_cstr(&b), &m, &err), -E2BIG);
	ck_assert_str_eq(err.msg, "routes: 4097 are more than 4096");
	buf_done(&b);
}
END_TEST

START_TEST(texts)
{
	static const char *const no_ip[] = { "",    "1.2.3.4 ",	 "1.2.3.256",
					     "::g", "fe80::1%0", "1.2.3.4/8" };
	static const char *const no_prefix[] = { "1.2.3.4", "1.2.3.4/", "1.2.3.4/-1",
						 "1.2.3.4/33", "/8" };
	static const char *const no_mac[] = { "",
					      "02:42:ac:11:00",
					      "02:42:ac:11:00:02:",
					      "02:42:ac:11:00:0g",
					      "02-42-ac-11-00-02",
					      "0" };
	static const uint8_t want_mac[] = { 0x02, 0x42, 0xac, 0x1f, 0, 0xff };
	uint8_t mac[NETMSG_MAC_LEN], bits;
	struct netmsg_ip ip;

	ck_assert_int_eq(netmsg_to_ip("10.1.2.3", &ip), 0);
	ck_assert(ip.family == AF_INET && netmsg_ip_len(&ip) == 4);
	ck_assert_mem_eq(ip.bytes, "\12\1\2\3", 4);
	ck_assert_int_eq(netmsg_to_prefix("fd00::/8", &ip, &bits), 0);
	ck_assert(ip.family == AF_INET6 && netmsg_ip_len(&ip) == 16 && bits == 8);
	ck_assert_int_eq(netmsg_to_mac("02:42:aC:1f:00:FF", mac), 0);
	ck_assert_mem_eq(mac, want_mac, sizeof(mac));
	for (size_t i = 0; i < ARRAY_SIZE(no_ip); i++)
		ck_assert_int_eq(netmsg_to_ip(no_ip[i], &ip), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(no_prefix); i++)
		ck_assert_int_eq(netmsg_to_prefix(no_prefix[i], &ip, &bits), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(no_mac); i++)
		ck_assert_int_eq(netmsg_to_mac(no_mac[i], mac), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *tests[] = { there_and_back, nothing_is_a_network, malformed_is_named,
				 too_many, texts };

	return suite_run("netmsg", tests, ARRAY_SIZE(tests));
}
