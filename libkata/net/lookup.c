/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup: see the header. The program, in words:
 *
 *   not TCP, or not to 127.0.0.1 or ::1      as ever (127.0.0.11 is docker's resolver)
 *   from a port that is exempt               as ever
 *   no socket of that family in the map      as ever
 *   else                                     that socket
 */
#include "net/lookup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bpf.h"
#include "base/mem.h"

/* --- the program ------------------------------------------------------------------------- */

enum { R_RESULT, R_ARG1, R_ARG2, R_ARG3, R_CTX = 6, R_FAMILY, R_KEY, R_SOCKET, R_STACK };

/** Where on the stack the key of a map is. */
#define KEY_AT (-4)

struct program {
	struct bpf_insn *v;
	size_t n;
};

static void emit(struct program *p, unsigned code, unsigned dst, unsigned src, int off,
		 int64_t imm)
{
	p->v[p->n++] = (struct bpf_insn){ .code = (unsigned char)code,
					  .dst_reg = dst & 15,
					  .src_reg = src & 15,
					  .off = (short)off,
					  .imm = (int)(uint32_t)imm };
}

/* Jumps to "as ever" have this offset until it is known where that is. */
#define AS_EVER (-1)

static void as_ever_unless(struct program *p, unsigned reg, uint32_t value)
{
	emit(p, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, AS_EVER, value);
}

static void load_field(struct program *p, unsigned reg, size_t at)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, reg, R_CTX, (int)at, 0);
}

#define LOAD(p, reg, field) load_field(p, reg, offsetof(struct bpf_sk_lookup, field))

/* R_RESULT = what @map has for @key, or 0. */
static void look_up(struct program *p, int map, unsigned key)
{
	emit(p, BPF_STX | BPF_MEM | BPF_W, R_STACK, key, KEY_AT, 0);
	emit(p, BPF_LD | BPF_IMM | BPF_DW, R_ARG1, BPF_PSEUDO_MAP_FD, 0, map);
	emit(p, 0, 0, 0, 0, 0); /* the upper half */
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ARG2, R_STACK, 0, 0);
	emit(p, BPF_ALU64 | BPF_ADD | BPF_K, R_ARG2, 0, 0, KEY_AT);
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
}

/* R_KEY = of which family the address is, if it is one of the two. */
static void match_address(struct program *p)
{
	size_t to_v4, done;

	LOAD(p, R_FAMILY, family);
	to_v4 = p->n;
	emit(p, BPF_JMP32 | BPF_JEQ | BPF_K, R_FAMILY, 0, 0, AF_INET);
	as_ever_unless(p, R_FAMILY, AF_INET6);
	for (size_t i = 0; i < 4; i++) {
		load_field(p, R_ARG2,
			   offsetof(struct bpf_sk_lookup, local_ip6) +
				   i * sizeof(uint32_t));
		as_ever_unless(p, R_ARG2, i < 3 ? 0 : htonl(1));
	}
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_KEY, 0, 0, LOOKUP_V6);
	done = p->n;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	p->v[to_v4].off = (short)(p->n - to_v4 - 1);
	LOAD(p, R_ARG2, local_ip4);
	as_ever_unless(p, R_ARG2, htonl(INADDR_LOOPBACK));
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_KEY, 0, 0, LOOKUP_V4);
	p->v[done].off = (short)(p->n - done - 1);
}

static void match_port(struct program *p, int exempt)
{
	/* two bytes in network order: all kernels allow to read four, the others being 0 */
	LOAD(p, R_ARG2, remote_port);
	look_up(p, exempt, R_ARG2);
	emit(p, BPF_JMP | BPF_JNE | BPF_K, R_RESULT, 0, AS_EVER, 0);
}

static void assign(struct program *p, int sockets)
{
	look_up(p, sockets, R_KEY);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, R_RESULT, 0, AS_EVER, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_SOCKET, R_RESULT, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ARG1, R_CTX, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ARG2, R_SOCKET, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, R_ARG3, 0, 0, 0);
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_assign);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, R_ARG1, R_SOCKET, 0, 0);
	emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_release);
}

size_t lookup_program(int sockets, int exempt, struct bpf_insn ret[LOOKUP_MAX_INSNS])
{
	struct program p = { .v = ret };

	emit(&p, BPF_ALU64 | BPF_MOV | BPF_X, R_CTX, R_ARG1, 0, 0);
	LOAD(&p, R_ARG2, protocol);
	as_ever_unless(&p, R_ARG2, IPPROTO_TCP);
	match_address(&p);
	match_port(&p, exempt);
	assign(&p, sockets);
	for (size_t i = 0; i < p.n; i++)
		if (ret[i].off == AS_EVER)
			ret[i].off = (short)(p.n - i - 1);
	emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, SK_PASS);
	emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return p.n;
}

/* --- in the kernel ----------------------------------------------------------------------- */

static int make_map(enum bpf_map_type type, uint32_t max)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint32_t);
	attr.max_entries = max;
	return bpf_call(BPF_MAP_CREATE, &attr);
}

static int set_entry(int map, uint32_t key, uint32_t value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	attr.flags = BPF_ANY;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &attr);
}

static int remove_entry(int map, uint32_t key)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)(uintptr_t)&key;
	return bpf_call(BPF_MAP_DELETE_ELEM, &attr);
}

static int make_maps(struct lookup *l, struct kata_err *err)
{
	l->sockets = make_map(BPF_MAP_TYPE_SOCKMAP, LOOKUP_FAMILIES);
	if (l->sockets < 0)
		return err_sys_code(err, l->sockets, "make a map of sockets");
	l->exempt = make_map(BPF_MAP_TYPE_HASH, LOOKUP_MAX_EXEMPT);
	return l->exempt < 0 ? err_sys_code(err, l->exempt, "make a map of ports") : 0;
}

static int load(const struct lookup *l, struct kata_err *err)
{
	struct bpf_insn program[LOOKUP_MAX_INSNS];
	size_t n = lookup_program(l->sockets, l->exempt, program);
	int r = bpf_load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, program, n);

	return r < 0 ? err_sys_code(err, r, "load a BPF program of type sk_lookup") : r;
}

int lookup_probe(struct kata_err *err)
{
	struct lookup l = LOOKUP_INIT;
	AUTO_CLOSE int prog = -1;
	int r = make_maps(&l, err);

	if (r == 0) {
		prog = load(&l, err);
		r = prog < 0 ? prog : 0;
	}
	lookup_detach(&l);
	return r;
}

static int attach(int prog, struct lookup *l, struct kata_err *err)
{
	AUTO_CLOSE int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr attr;

	if (ns < 0)
		return err_sys(err, "open /proc/self/ns/net");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.target_fd = (uint32_t)ns;
	attr.link_create.attach_type = BPF_SK_LOOKUP;
	l->link = bpf_call(BPF_LINK_CREATE, &attr);
	return l->link < 0 ? err_sys_code(err, l->link, "attach it to the namespace") : 0;
}

int lookup_attach(const int listen[LOOKUP_FAMILIES], struct lookup *ret,
		  struct kata_err *err)
{
	struct lookup l = LOOKUP_INIT;
	AUTO_CLOSE int prog = -1;
	int r = make_maps(&l, err);

	for (uint32_t i = 0; i < LOOKUP_FAMILIES && r == 0; i++) {
		if (listen[i] >= 0)
			r = set_entry(l.sockets, i, (uint32_t)listen[i]);
		if (r < 0)
			err_sys_code(err, r, "put a socket into a map");
	}
	if (r == 0)
		r = prog = load(&l, err);
	if (r >= 0)
		r = attach(prog, &l, err);
	if (r < 0) {
		lookup_detach(&l);
		return r;
	}
	*ret = l;
	return 0;
}

void lookup_detach(struct lookup *l)
{
	fd_drop(&l->link);
	fd_drop(&l->exempt);
	fd_drop(&l->sockets);
}

int lookup_exempt(const struct lookup *l, uint16_t port, bool on)
{
	return on ? set_entry(l->exempt, htons(port), 1)
		  : remove_entry(l->exempt, htons(port));
}
