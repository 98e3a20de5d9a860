/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: what kata-hook-net has made on this host, in one file. It is locked while a
 * hook is at work and replaced atomically before each thing is made, so that whoever
 * comes after a crash can take it all away again.
 */
#ifndef KATA_HOOKS_NET_LEDGER_H
#define KATA_HOOKS_NET_LEDGER_H

#include <sys/types.h>

#include "base/jtab.h"
#include "subnet.h"

#define LEDGER_VERSION 1u

/** What the container's /etc/resolv.conf was before it was written. */
enum ledger_resolv { RESOLV_KEPT, RESOLV_WAS_ABSENT, RESOLV_WAS_EMPTY, RESOLV_KINDS };

/** struct ledger_net - one bridge. */
struct ledger_net {
	const char *bridge;
	const char *subnet, *subnet6; /* subnet6: NULL = no IPv6 */
	uint32_t mtu;
	bool nat;
};

/** struct ledger_user - a container on a bridge. */
struct ledger_user {
	const char *id, *bundle;
	int64_t pid; /* with @start: of its process, to know whether it lives */
	uint64_t start;
	const char *bridge;
	uint32_t host; /* its number in the subnets */
	struct jt_strv publish;
	const char *rootfs; /* NULL when resolv.conf is not touched */
	int resolv;	    /* enum ledger_resolv */
};

struct ledger {
	uint32_t version;
	bool forward4, forward6;    /* was off before we came */
	struct jt_objv nets, users; /* struct ledger_net, struct ledger_user */
};
extern const struct jtab ledger_tab;

const struct ledger_net *ledger_net(const struct ledger *l, const char *bridge);
const struct ledger_user *ledger_user(const struct ledger *l, const char *id);
/** ledger_count() - containers on @bridge. */
size_t ledger_count(const struct ledger *l, const char *bridge);
static inline const struct ledger_net *ledger_nets(const struct ledger *l)
{
	return l->nets.v;
}
static inline const struct ledger_user *ledger_users(const struct ledger *l)
{
	return l->users.v;
}

/** ledger_add_net(), ledger_add_user() - longer lists, in @a. */
void ledger_add_net(struct ledger *l, struct arena *a, const struct ledger_net *net);
void ledger_add_user(struct ledger *l, struct arena *a, const struct ledger_user *user);
/** ledger_drop_user() - without the container, and without a bridge that has none left. */
void ledger_drop_user(struct ledger *l, struct arena *a, const char *id);

/** struct ledger_dir - the directory, locked. Closing drops the lock. */
struct ledger_dir {
	const char *path; /* borrowed */
	int fd;
};

/** ledger_open() - make the directory if @make, and wait for the lock. -ENOENT without @make. */
int ledger_open(const char *path, bool make, struct ledger_dir *ret,
		struct kata_err *err) MUST_CHECK;
void ledger_close(struct ledger_dir *d);
/** ledger_load() - an empty one when there is no file. */
int ledger_load(const struct ledger_dir *d, struct arena *a, struct ledger *ret,
		struct kata_err *err) MUST_CHECK;
/** ledger_save() - replaces the file; one without bridges goes, and the directory with it. */
int ledger_save(const struct ledger_dir *d, const struct ledger *l,
		struct kata_err *err) MUST_CHECK;

#endif
