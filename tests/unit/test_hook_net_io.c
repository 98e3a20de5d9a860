// SPDX-License-Identifier: Apache-2.0
/* What kata-hook-net reads and writes: options, state, resolv.conf, the ledger. */
#include "suite.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/str.h"
#include "hooks/net/event.h"
#include "hooks/net/ledger.h"
#include "hooks/net/options.h"
#include "hooks/net/resolv.h"

/* --- options --------------------------------------------------------------------------------- */

static int parse(const char *line, struct options *o, struct kata_err *err)
{
	char *argv[16], *text = arena_strdup(test_arena(), line);
	int argc = 0;

	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(argc, argv, o, err);
}

START_TEST(options_have_defaults)
{
	struct kata_err err = { 0 };
	struct options o;

	ck_assert_int_eq(parse("", &o, &err), 0);
	ck_assert_str_eq(o.bridge, "katabr0");
	ck_assert_str_eq(o.state, "/run/kata-net");
	ck_assert_int_eq(o.subnet.base.family, 0);
	ck_assert_int_eq(o.subnet6.base.family, 0);
	ck_assert(!o.no_nat && !o.no_dns && !o.mtu);
	options_done(&o);
}
END_TEST

START_TEST(options_are_read)
{
	struct kata_err err = { 0 };
	char text[SUBNET_TEXT];
	struct options o;

	ck_assert_int_eq(parse("--bridge br_1 --subnet 10.1.0.0/24 --subnet6 fd01::/64 "
			       "--mtu=1280 --dns 1.2.3.4 --dns fd01::53 -p 80:80",
			       &o, &err),
			 0);
	ck_assert_str_eq(o.bridge, "br_1");
	ck_assert_str_eq(subnet_text(&o.subnet, text), "10.1.0.0/24");
	ck_assert_str_eq(subnet_text(&o.subnet6, text), "fd01::/64");
	ck_assert_uint_eq(o.mtu, 1280);
	ck_assert_uint_eq(o.dns.n, 2);
	ck_assert_str_eq(o.dns.v[1], "fd01::53");
	ck_assert_uint_eq(o.publish.n, 1);
	options_done(&o);
}
END_TEST

static const struct {
	const char *line, *error;
} wrong[] = {
	{ "--bridge a-b",
	  "--bridge: \"a-b\" is no word of up to 15 letters, digits and _, a "
	  "letter first" },
	{ "--bridge 0br",
	  "--bridge: \"0br\" is no word of up to 15 letters, digits and _, a "
	  "letter first" },
	{ "--bridge sixteen_letters_",
	  "--bridge: \"sixteen_letters_\" is no word of up to 15 letters, digits and _, a "
	  "letter first" },
	{ "--bridge kata0", "--bridge: kata0 is a name that kata-runtime gives" },
	{ "--state run", "--state: run is no absolute path" },
	{ "--subnet fd01::/64", "--subnet: fd01::/64 is not IPv4" },
	{ "--subnet 10.0.0.0/30",
	  "--subnet: the prefix of 10.0.0.0/30 is not of 8 to 29 bits" },
	{ "--subnet6 10.0.0.0/16", "--subnet6: 10.0.0.0/16 is not IPv6" },
	{ "--subnet6 fd01::/120",
	  "--subnet6: the prefix of fd01::/120 is not of 16 to 112 bits" },
	{ "--mtu 575", "--mtu: 575 is not within 576 to 65535" },
	{ "--mtu 1279 --subnet6 fd01::/64", "--mtu: 1279 is not within 1280 to 65535" },
	{ "--dns localhost", "--dns: \"localhost\" is no address" },
	{ "--dns 1.2.3.4 --no-dns", "--dns and --no-dns exclude each other" },
	{ "-p 80:80 --no-nat", "--publish needs NAT, --no-nat excludes it" },
	{ "-p 80:80 -p 80:81", "--publish: 80:80 and 80:81 are the same port" },
	{ "-p [::1]:80:80", "--publish: [::1]:80:80 is for IPv6, which needs --subnet6" },
	{ "-p 80", "--publish: \"80\" is not [ADDRESS:]HOST:CONTAINER[/tcp|/udp]" },
	{ "word", "unexpected argument \"word\"" },
};

START_TEST(options_that_are_wrong)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct kata_err err = { 0 };
		struct options o;

		ck_assert_int_eq(parse(wrong[i].line, &o, &err), -EINVAL);
		ck_assert_str_eq(err.msg, wrong[i].error);
	}
}
END_TEST

/* --- state ----------------------------------------------------------------------------------- */

#define STATE(status, rest)                                                              \
	"{\"id\":\"a\",\"bundle\":\"/b\",\"status\":\"" status "\"" rest "}"

static const struct {
	const char *text, *error;
} states[] = {
	{ STATE("created", ",\"pid\":5,\"annotations\":{}"), NULL },
	{ STATE("creating", ",\"pid\":5,\"rootfs\":\"/r\""), NULL },
	{ STATE("stopped", ""), NULL },
	{ STATE("stopped", ",\"pid\":0"), NULL },
	{ STATE("created", ""), "pid: container a has none" },
	{ STATE("running", ",\"pid\":5"),
	  "status: container a is running; this is a createRuntime and a poststop hook" },
	{ STATE("created", ",\"pid\":-1"),
	  "pid: must be between 0 and 2147483647, is -1" },
	{ "{\"id\":\"a\",\"bundle\":\"b\",\"status\":\"stopped\"}",
	  "bundle: \"b\" is no absolute path" },
	{ "{\"id\":\"../a\",\"bundle\":\"/b\",\"status\":\"stopped\"}",
	  "invalid container ID format: only A-Z a-z 0-9 _ + . - may be in it" },
	{ "[]", NULL },
};

START_TEST(states_are_checked)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		const char *text = states[i].text;
		struct kata_err err = { 0 };
		struct event e;
		int rc = event_parse(text, strlen(text), test_arena(), &e, &err);

		if (str_eq(text, "[]")) {
			ck_assert_int_eq(rc, -EINVAL);
			continue;
		}
		ck_assert_msg((rc < 0) == (states[i].error != NULL), "%s: %s", text,
			      err.msg);
		if (rc < 0)
			ck_assert_str_eq(err.msg, states[i].error);
		else
			ck_assert(e.stopped == (strstr(text, "stopped") != NULL));
	}
}
END_TEST

START_TEST(the_rootfs_is_found)
{
	struct kata_err err = { 0 };
	struct event e = { .id = "a", .rootfs = "/r/../s" };
	const char *path;
	TMP t = tmp_make();

	e.bundle = t.path;
	ck_assert_int_eq(event_rootfs(&e, test_arena(), &path, &err), 0);
	ck_assert_str_eq(path, "/s");
	e.rootfs = NULL;
	ck_assert_int_eq(event_rootfs(&e, test_arena(), &path, &err), -ENOENT);
	ck_assert_int_eq(fs_write_atomic(t.fd, "config.json", "{}", 2, 0600), 0);
	ck_assert_int_eq(event_rootfs(&e, test_arena(), &path, &err), -EINVAL);
	ck_assert(str_has_suffix(err.msg, "/config.json has no root.path"));
	ck_assert_int_eq(fs_write_atomic(t.fd, "config.json",
					 "{\"root\":{\"path\":\"fs\"}}", 22, 0600),
			 0);
	ck_assert_int_eq(event_rootfs(&e, test_arena(), &path, &err), 0);
	ck_assert(str_has_prefix(path, t.path) && str_has_suffix(path, "/fs"));
}
END_TEST

/* --- resolv.conf ----------------------------------------------------------------------------- */

#define MARK "# made by kata-hook-net(8), goes with the container\n"

static const struct {
	const char *line, *hosts[2], *want; /* NULL = refused */
} resolvs[] = {
	{ "", { "nameserver 1.2.3.4\n" }, MARK "nameserver 1.2.3.4\n" },
	{ "", { "nameserver 1.2.3.4" }, MARK "nameserver 1.2.3.4\n" },
	{ "",
	  { "# x\nnameserver\t 1.2.3.4 # y\nsortlist 1.2.3.4\noptions edns0\nsearch a b\n" },
	  MARK "nameserver\t 1.2.3.4 # y\noptions edns0\nsearch a b\n" },
	{ "",
	  { "nameserver 127.0.0.53\nnameserver ::1\nsearch a\n",
	    "nameserver fd01::53\nsearch b\n" },
	  MARK "nameserver fd01::53\nsearch b\n" },
	{ "",
	  { "nameserver 127.0.0.53\nnameserver 1.2.3.4\n" },
	  MARK "nameserver 1.2.3.4\n" },
	{ "",
	  { "nameserver fe80::1%eth0\nnameservers 1.2.3.4\n;nameserver 1.2.3.4\n" },
	  NULL },
	{ "", { "" }, NULL },
	{ "", { NULL }, NULL },
	{ "--dns 9.9.9.9", { NULL }, MARK "nameserver 9.9.9.9\n" },
	{ "--dns 127.0.0.1 --dns ::2",
	  { "nameserver 1.2.3.4\n" },
	  MARK "nameserver 127.0.0.1\nnameserver ::2\n" },
};

START_TEST(resolv_texts)
{
	for (size_t i = 0; i < ARRAY_SIZE(resolvs); i++) {
		size_t n = resolvs[i].hosts[1] ? 2 : resolvs[i].hosts[0] ? 1 : 0;
		struct kata_err err = { 0 };
		struct buf b = { 0 };
		struct options o;
		int rc;

		ck_assert_int_eq(parse(resolvs[i].line, &o, &err), 0);
		rc = resolv_text(&o, resolvs[i].hosts, n, &b, &err);
		ck_assert_int_eq(rc, resolvs[i].want ? 0 : -ENOENT);
		ck_assert_str_eq(buf_cstr(&b), resolvs[i].want ? resolvs[i].want : "");
		buf_done(&b);
		options_done(&o);
	}
}
END_TEST

/* What @content becomes, and that it is as before afterwards; NULL = no file, no etc. */
static void check_file(const char *content, enum ledger_resolv want)
{
	struct buf text = { 0 };
	struct kata_err err = { 0 };
	enum ledger_resolv was;
	char *got = NULL;
	TMP t = tmp_make();

	buf_add_str(&text, MARK "nameserver 1.2.3.4\n");
	if (content) {
		ck_assert_int_eq(mkdirat(t.fd, "etc", 0755), 0);
		ck_assert_int_eq(fs_write_atomic(t.fd, "etc/resolv.conf", content,
						 strlen(content), 0644),
				 0);
	}
	ck_assert_msg(resolv_look(t.path, &was, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(was, want);
	if (was == RESOLV_KEPT)
		goto out;
	ck_assert_msg(resolv_write(t.path, &text, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(fs_read_at(t.fd, "etc/resolv.conf", 4096, &got, NULL), 0);
	ck_assert_str_eq(got, buf_cstr(&text));
	free(got);
	ck_assert_msg(resolv_restore(t.path, was, &err) == 0, "%s", err.msg);
	if (want == RESOLV_WAS_ABSENT)
		ck_assert_int_eq(faccessat(t.fd, "etc/resolv.conf", F_OK, 0), -1);
	else
		ck_assert_int_eq(fs_read_at(t.fd, "etc/resolv.conf", 0, &got, NULL), 0);
	if (want != RESOLV_WAS_ABSENT)
		free(got);
	ck_assert_int_eq(resolv_restore(t.path, was, &err), 0);
out:
	buf_done(&text);
}

START_TEST(resolv_files)
{
	if (under_valgrind())
		return; /* openat2 */
	check_file(NULL, RESOLV_WAS_ABSENT);
	check_file("", RESOLV_WAS_EMPTY);
	check_file("nameserver 5.6.7.8\n", RESOLV_KEPT);
	check_file(MARK "nameserver 5.6.7.8\n", RESOLV_WAS_ABSENT);
}
END_TEST

START_TEST(resolv_of_another_stays)
{
	struct kata_err err = { 0 };
	char *got = NULL;
	TMP t = tmp_make();

	if (under_valgrind())
		return;
	ck_assert_int_eq(mkdirat(t.fd, "etc", 0755), 0);
	ck_assert_int_eq(fs_write_atomic(t.fd, "etc/resolv.conf", "mine\n", 5, 0644), 0);
	ck_assert_int_eq(resolv_restore(t.path, RESOLV_WAS_ABSENT, &err), 0);
	ck_assert_int_eq(resolv_restore(t.path, RESOLV_WAS_EMPTY, &err), 0);
	ck_assert_int_eq(fs_read_at(t.fd, "etc/resolv.conf", 4096, &got, NULL), 0);
	ck_assert_str_eq(got, "mine\n");
	free(got);
	ck_assert_int_eq(resolv_restore("/nowhere/at/all", RESOLV_WAS_EMPTY, &err), 0);
}
END_TEST

/* --- the ledger ------------------------------------------------------------------------------ */

START_TEST(the_ledger_comes_back_as_it_was)
{
	static const char *const publish[] = { "80:80", NULL };
	const struct ledger_net net = { "br", "10.1.0.0/16", "fd01::/64", 1400, true };
	const struct ledger_user user = {
		"a", "/b", 7, UINT64_MAX, "br", 3, { publish, 1 }, "/r", RESOLV_WAS_EMPTY
	};
	struct ledger l = { .version = LEDGER_VERSION, .forward4 = true }, back;
	struct arena *a = test_arena();
	struct kata_err err = { 0 };
	struct ledger_dir d;
	TMP t = tmp_make();
	char *path = arena_printf(a, "%s/deep/dir", t.path);

	ck_assert_int_eq(ledger_open(path, false, &d, &err), -ENOENT);
	ck_assert_int_eq(ledger_open(path, true, &d, &err), 0);
	ck_assert_int_eq(ledger_load(&d, a, &back, &err), 0);
	ck_assert_uint_eq(back.nets.n + back.users.n, 0);
	ledger_add_net(&l, a, &net);
	ledger_add_user(&l, a, &user);
	ck_assert_int_eq(ledger_save(&d, &l, &err), 0);
	ck_assert_msg(ledger_load(&d, a, &back, &err) == 0, "%s", err.msg);
	ck_assert(back.forward4 && !back.forward6);
	ck_assert_str_eq(ledger_net(&back, "br")->subnet6, "fd01::/64");
	ck_assert_uint_eq(ledger_net(&back, "br")->mtu, 1400);
	ck_assert(ledger_user(&back, "a")->start == UINT64_MAX);
	ck_assert_int_eq(ledger_user(&back, "a")->resolv, RESOLV_WAS_EMPTY);
	ck_assert_str_eq(ledger_user(&back, "a")->publish.v[0], "80:80");
	ck_assert_ptr_null(ledger_user(&back, "b"));
	ledger_drop_user(&back, a, "a");
	ck_assert_int_eq(ledger_save(&d, &back, &err), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ledger_close(&d);
}
END_TEST

static const struct {
	const char *text, *error;
} damaged[] = {
	{ "", "premature EOF" },
	{ "{}", "version" },
	{ "{\"version\":2}", "version 2 is not known to this kata-hook-net" },
	{ "{\"version\":1,\"users\":[{\"id\":\"a\",\"bundle\":\"/b\",\"pid\":1,\"start\":1,"
	  "\"bridge\":\"br\",\"host\":2,\"resolv\":\"kept\"}]}",
	  "users[0].bridge: no net is called br" },
	{ "{\"version\":1,\"users\":[{\"id\":\"a\",\"bundle\":\"/b\",\"pid\":1,\"start\":1,"
	  "\"bridge\":\"br\",\"host\":1,\"resolv\":\"kept\"}]}",
	  "users[0].host" },
};

START_TEST(a_damaged_ledger_is_refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct kata_err err = { 0 };
		struct ledger_dir d;
		struct ledger l;
		TMP t = tmp_make();

		ck_assert_int_eq(fs_write_atomic(t.fd, "ledger.json", damaged[i].text,
						 strlen(damaged[i].text), 0600),
				 0);
		ck_assert_int_eq(ledger_open(t.path, false, &d, &err), 0);
		ck_assert_int_lt(ledger_load(&d, test_arena(), &l, &err), 0);
		ck_assert_msg(strstr(err.msg, damaged[i].error) &&
				      strstr(err.msg, "/ledger.json: "),
			      "%s", err.msg);
		ledger_close(&d);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		options_have_defaults,
		options_are_read,
		options_that_are_wrong,
		states_are_checked,
		the_rootfs_is_found,
		resolv_texts,
		resolv_files,
		resolv_of_another_stays,
		the_ledger_comes_back_as_it_was,
		a_damaged_ledger_is_refused,
	};

	return suite_run("hook_net_io", tests, ARRAY_SIZE(tests));
}
