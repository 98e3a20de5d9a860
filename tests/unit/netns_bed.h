/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netns_bed: a network namespace of the test's own, and what is asked of it. What cannot be had here
 * (not root and no user namespaces, no /dev/net/tun) is skipped.
 */
#ifndef KATA_TESTS_UNIT_NETNS_BED_H
#define KATA_TESTS_UNIT_NETNS_BED_H

#include <sched.h>

#include "base/proc.h"
#include "base/str.h"
#include "net/nl.h"
#include "net/scan.h"
#include "suite.h"

static inline int shell(const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-ec", (char *)script, NULL };
	char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc p = PROC_INIT;
	struct kata_err err = { 0 };
	int status;

	sp.path = "/bin/sh";
	sp.argv = argv;
	sp.envp = envp;
	ck_assert_msg(proc_spawn(&sp, &p, &err) == 0, "%s", err.msg);
	status = proc_wait(&p);
	proc_done(&p);
	return status;
}

#define RUN(script) ck_assert_msg(shell(script) == 0, "failed: %s", script)

/* Return: false, with a word, when it cannot be had. */
static inline bool own_network(void)
{
	int flags = CLONE_NEWNET | (getuid() ? CLONE_NEWUSER : 0);

	if (unshare(flags) == 0)
		return true;
	printf("# skipped: hardware: no network namespaces for this user\n");
	return false;
}

static inline bool has_tun(void)
{
	bool has = access("/dev/net/tun", R_OK | W_OK) == 0;

	if (!has)
		printf("# skipped: hardware: no /dev/net/tun\n");
	return has;
}

static inline struct nl_sock *open_nl(void)
{
	struct kata_err err = { 0 };
	struct nl_sock *sk = NULL;

	ck_assert_msg(nl_open(&sk, &err) == 0, "%s", err.msg);
	return sk;
}

static inline struct net_scan scan(struct nl_sock *sk)
{
	struct kata_err err = { 0 };
	struct net_scan s;

	ck_assert_msg(net_scan(sk, test_arena(), &s, &err) == 0, "%s", err.msg);
	return s;
}

static inline const struct net_link *link_of(const struct net_scan *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (str_eq(s->links[i].name, name))
			return &s->links[i];
	return NULL;
}

static inline int index_of(const char *name)
{
	int index = (int)if_nametoindex(name);

	ck_assert_int_gt(index, 0);
	return index;
}

#endif
