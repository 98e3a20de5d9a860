/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup: the program by an interpreter of what it is made of, for all kinds of connections; and
 * with forwarding, in a network namespace, where the kernel runs it. The guest's part is not there:
 * a port that nobody of the namespace serves is refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "netns_bed.h"
#include "sandbox.h"

/* --- the program */

#define SOCKETS 7
#define EXEMPT 8
#define A_SOCKET 0x50cce7u

/** struct kernel - what it is asked, and what the program has done. */
struct kernel {
	struct bpf_sk_lookup ctx;
	uint16_t exempt; /* network order; 0 = none */
	bool has[LOOKUP_FAMILIES];
	int assigned; /* -1 = nothing */
	unsigned held;
	uint64_t r[11];
	uint32_t stack[4];
};

static void call(struct kernel *k, int what)
{
	uint32_t key;

	switch (what) {
	case BPF_FUNC_map_lookup_elem:
		memcpy(&key, (void *)(uintptr_t)k->r[2], sizeof(key));
		if (k->r[1] == EXEMPT) {
			k->r[0] = k->exempt && key == k->exempt;
			return;
		}
		ck_assert_uint_eq(k->r[1], SOCKETS);
		ck_assert_uint_lt(key, LOOKUP_FAMILIES);
		k->r[0] = k->has[key] ? A_SOCKET + key : 0;
		k->held += k->has[key];
		return;
	case BPF_FUNC_sk_assign:
		ck_assert_uint_eq(k->r[1], (uintptr_t)&k->ctx);
		ck_assert_uint_eq(k->r[3], 0);
		k->assigned = (int)(k->r[2] - A_SOCKET);
		k->r[0] = 0;
		return;
	case BPF_FUNC_sk_release:
		ck_assert_uint_ge(k->r[1], A_SOCKET);
		k->held--;
		return;
	default:
		ck_abort_msg("helper %d", what);
	}
}

static bool jumps(const struct kernel *k, const struct bpf_insn *i)
{
	bool narrow = BPF_CLASS(i->code) == BPF_JMP32;
	uint64_t left = narrow ? (uint32_t)k->r[i->dst_reg] : k->r[i->dst_reg];
	uint64_t right = narrow ? (uint32_t)i->imm : (uint64_t)i->imm;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return true;
	case BPF_JEQ:
		return left == right;
	case BPF_JNE:
		return left != right;
	default:
		ck_abort_msg("jump 0x%x", i->code);
	}
}

/* Return: whether it goes on. */
static bool step(struct kernel *k, const struct bpf_insn *i, size_t *at)
{
	uint32_t word;

	switch (i->code) {
	case BPF_LD | BPF_IMM | BPF_DW:
		k->r[i->dst_reg] = (uint32_t)i->imm;
		++*at;
		return true;
	case BPF_LDX | BPF_MEM | BPF_W:
		memcpy(&word, (char *)(uintptr_t)k->r[i->src_reg] + i->off, sizeof(word));
		k->r[i->dst_reg] = word;
		return true;
	case BPF_STX | BPF_MEM | BPF_W:
		word = (uint32_t)k->r[i->src_reg];
		memcpy((char *)(uintptr_t)k->r[i->dst_reg] + i->off, &word, sizeof(word));
		return true;
	case BPF_ALU64 | BPF_MOV | BPF_X:
		k->r[i->dst_reg] = k->r[i->src_reg];
		return true;
	case BPF_ALU64 | BPF_MOV | BPF_K:
		k->r[i->dst_reg] = (uint64_t)i->imm;
		return true;
	case BPF_ALU64 | BPF_ADD | BPF_K:
		k->r[i->dst_reg] += (uint64_t)i->imm;
		return true;
	case BPF_JMP | BPF_CALL:
		call(k, i->imm);
		return true;
	case BPF_JMP | BPF_EXIT:
		return false;
	default:
		*at += jumps(k, i) ? (size_t)i->off : 0;
		return true;
	}
}

/* Which socket the connection gets; -1 = the one it would have got anyway. */
static int verdict(struct kernel *k)
{
	struct bpf_insn program[LOOKUP_MAX_INSNS];
	size_t n = lookup_program(SOCKETS, EXEMPT, program), at = 0, next = 0;

	ck_assert_uint_le(n, LOOKUP_MAX_INSNS);
	k->assigned = -1;
	k->held = 0;
	k->r[1] = (uintptr_t)&k->ctx;
	k->r[10] = (uintptr_t)&k->stack[ARRAY_SIZE(k->stack)];
	do {
		at = next;
		ck_assert_uint_lt(at, n);
		next = at + 1;
	} while (step(k, &program[at], &next));
	ck_assert_uint_eq(k->r[0], SK_PASS);
	ck_assert_uint_eq(k->held, 0);
	return k->assigned;
}

static struct kernel connection(const char *to)
{
	struct kernel k = { .has = { true, true } };

	k.ctx.protocol = IPPROTO_TCP;
	k.ctx.remote_port = htons(45000);
	k.ctx.local_port = 80;
	k.ctx.family = strchr(to, ':') ? AF_INET6 : AF_INET;
	ck_assert_int_eq(inet_pton((int)k.ctx.family, to,
				   k.ctx.family == AF_INET ? (void *)&k.ctx.local_ip4
							   : (void *)k.ctx.local_ip6),
			 1);
	return k;
}

START_TEST(who_is_caught)
{
	static const struct {
		const char *to;
		int gets;
	} rows[] = {
		{ "127.0.0.1", LOOKUP_V4 },
		{ "::1", LOOKUP_V6 },
		/* docker's resolver, other hosts, addresses that have a part of it */
		{ "127.0.0.11", -1 },
		{ "127.0.0.2", -1 },
		{ "1.0.0.127", -1 },
		{ "10.7.1.2", -1 },
		{ "0.0.0.0", -1 },
		{ "::", -1 },
		{ "::2", -1 },
		{ "fd07::1", -1 },
		{ "0:0:1::1", -1 },
		{ "0:0:0:0:0:1:0:1", -1 },
		{ "::ffff:127.0.0.1", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kernel k = connection(rows[i].to);

		ck_assert_msg(verdict(&k) == rows[i].gets, "%s: %d", rows[i].to,
			      k.assigned);
	}
}
END_TEST

START_TEST(who_is_let_pass)
{
	struct kernel k = connection("127.0.0.1");

	k.ctx.protocol = IPPROTO_UDP;
	ck_assert_int_eq(verdict(&k), -1);
	k.ctx.protocol = IPPROTO_TCP;
	k.exempt = htons(45000);
	ck_assert_int_eq(verdict(&k), -1);
	k.exempt = htons(45001);
	ck_assert_int_eq(verdict(&k), LOOKUP_V4);
	k.ctx.family = AF_UNIX;
	ck_assert_int_eq(verdict(&k), -1);
	/* a host without IPv6 */
	k = connection("::1");
	k.has[LOOKUP_V6] = false;
	ck_assert_int_eq(verdict(&k), -1);
}
END_TEST

START_TEST(routes)
{
	static const uint16_t own[LOOKUP_FAMILIES] = { 40000, 40001 };

	ck_assert_int_eq(forwarding_route(80, own, false), ROUTE_GUEST);
	ck_assert_int_eq(forwarding_route(80, own, true), ROUTE_NAMESPACE);
	/* or it would come back for ever */
	ck_assert_int_eq(forwarding_route(40000, own, true), ROUTE_GUEST);
	ck_assert_int_eq(forwarding_route(40001, own, true), ROUTE_GUEST);
}
END_TEST

/* --- in a namespace */

static struct sandbox sb = { .forwarding = FORWARDING_INIT };
static struct loop_src wake = { .fd = -1 };

static void on_wake(struct loop_src *src, uint32_t events)
{
	(void)events;
	loop_timer_ack(src->fd);
	loop_stop(src->loop, 1);
}

/* Let it work until @fd is ready for @events. */
static void until(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct kata_err err = { 0 };

	for (int i = 0; poll(&p, 1, 0) == 0; i++) {
		ck_assert_int_lt(i, 5000);
		ck_assert_int_eq(loop_timer_set(wake.fd, 1), 0);
		ck_assert_int_eq(loop_run(sb.loop, &err), 1);
	}
}

/* False: it cannot be had here. */
static bool bed(void)
{
	struct kata_err err = { 0 };

	if (getuid() || under_valgrind() || lookup_probe(&err) < 0) {
		printf("# skipped: hardware: no BPF for this user: %s\n", err.msg);
		return false;
	}
	if (!own_network())
		return false;
	RUN("ip link set lo up");
	sb.loop = loop_new(&err);
	ck_assert_ptr_nonnull(sb.loop);
	wake.fn = on_wake;
	ck_assert_int_eq(loop_add(sb.loop, &wake, loop_timer(), EPOLLIN), 0);
	sb.agent_version = PROTO_VERSION_FORWARD;
	forwarding_up(&sb);
	ck_assert_int_ge(sb.forwarding.lookup.link, 0);
	return true;
}

static int dial(const char *to, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool v6 = strchr(to, ':');
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(int);
	int code, r;

	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, to,
				   v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr),
			 1);
	r = v6 ? connect(fd, (struct sockaddr *)&in6, sizeof(in6))
	       : connect(fd, (struct sockaddr *)&in, sizeof(in));
	ck_assert(r == 0 || errno == EINPROGRESS);
	until(fd, POLLOUT);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len), 0);
	if (code == 0)
		return fd;
	close(fd);
	return -code;
}

static int listener(const char *at, uint16_t *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(inet_pton(AF_INET, at, &in.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*ret_port = ntohs(in.sin_port);
	return fd;
}

static void is_reset(int fd)
{
	char c;

	until(fd, POLLIN);
	ck_assert_int_eq(read(fd, &c, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(fd);
}

START_TEST(no_guest_no_service)
{
	if (!bed())
		return;
	is_reset(dial("127.0.0.1", 80));
	is_reset(dial("::1", 80));
	is_reset(dial("127.0.0.1", sb.forwarding.port[LOOKUP_V4]));
	is_reset(dial("127.0.0.1", sb.forwarding.port[LOOKUP_V6]));
	ck_assert_int_eq(dial("127.0.0.2", 80), -ECONNREFUSED);
	ck_assert_uint_eq(sb.forwarding.arrivals, 0);
	forwarding_down(&sb);
	ck_assert_int_eq(dial("127.0.0.1", 80), -ECONNREFUSED);
	ck_assert_int_eq(dial("::1", 80), -ECONNREFUSED);
}
END_TEST

static void talk(const char *at)
{
	uint16_t port;
	int service = listener(at, &port), client = dial("127.0.0.1", port), server;
	char got[8];

	until(service, POLLIN);
	server = sock_accept(service);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(write(client, "ask", 3), 3);
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	until(server, POLLIN);
	ck_assert_int_eq(read(server, got, sizeof(got)), 3);
	until(server, POLLIN);
	ck_assert_int_eq(read(server, got, sizeof(got)), 0);
	ck_assert_int_eq(write(server, "told", 4), 4);
	close(server);
	until(client, POLLIN);
	ck_assert_int_eq(read(client, got, sizeof(got)), 4);
	until(client, POLLIN);
	ck_assert_int_eq(read(client, got, sizeof(got)), 0);
	close(client);
	close(service);
	/* and when it has gone, it is the guest's again */
	is_reset(dial("127.0.0.1", port));
}

/* Whether they came before us or after, and whatever they listen at. */
START_TEST(services_of_the_namespace)
{
	uint16_t port;
	int service, client;

	if (!bed())
		return;
	talk("127.0.0.1");
	talk("0.0.0.0");
	/* the address is not ours: nobody is between */
	service = listener("127.0.0.11", &port);
	client = dial("127.0.0.11", port);
	ck_assert_int_ge(client, 0);
	ck_assert_uint_eq(sb.forwarding.set.n, 0);
	close(client);
	close(service);
	forwarding_down(&sb);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		who_is_caught,	     who_is_let_pass,		routes,
		no_guest_no_service, services_of_the_namespace,
	};

	return suite_run("lookup", tests, ARRAY_SIZE(tests));
}
