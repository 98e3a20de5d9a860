/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup: TCP connections to 127.0.0.1 and ::1 of a network namespace, whatever the port, come to
 * a listening socket of ours. A BPF program of type sk_lookup (Linux 5.9) does that, which the kernel
 * runs before it looks for a listener; it and its maps are held by descriptors alone, so that nothing
 * is left of them when the process has ended, however it ended.
 *
 * A listener that the namespace has of its own is not asked before the program is. Who wants to
 * reach it makes a connection from a port that is exempt.
 */
#ifndef KATA_NET_LOOKUP_H
#define KATA_NET_LOOKUP_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LOOKUP_V4, LOOKUP_V6, LOOKUP_FAMILIES };

/** Ports that can be exempt at once. */
#define LOOKUP_MAX_EXEMPT 256u
/** Longest program. */
#define LOOKUP_MAX_INSNS 48u

/** struct lookup - descriptors. */
struct lookup {
	int sockets; /* map: enum above -> socket */
	int exempt;  /* map: source port in network order -> anything */
	int link;    /* program and namespace; -1 = not attached */
};
#define LOOKUP_INIT                                                                      \
	{                                                                                \
		-1, -1, -1                                                               \
	}

/** lookup_program() - pure. Return: how many instructions. */
size_t lookup_program(int sockets, int exempt, struct bpf_insn ret[LOOKUP_MAX_INSNS]);

/** lookup_probe() - can it be had here? Loads the program, attaches it nowhere. */
int lookup_probe(struct kata_err *err) MUST_CHECK;

/**
 * lookup_attach() - to the namespace of the calling thread, until lookup_detach() or our end.
 * @listen: by enum above; -1 = none of that family. They stay the caller's
 */
int lookup_attach(const int listen[LOOKUP_FAMILIES], struct lookup *ret,
		  struct kata_err *err) MUST_CHECK;
void lookup_detach(struct lookup *l);

/** lookup_exempt() - connections from @port of loopback are looked up as ever, or (false) no more. */
int lookup_exempt(const struct lookup *l, uint16_t port, bool on) MUST_CHECK;

#endif
