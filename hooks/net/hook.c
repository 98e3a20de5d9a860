// SPDX-License-Identifier: Apache-2.0
/*
 * hook: the ledger is opened, the decisions are made, they are written down, and then done
 * step by step. Undoing needs the ledger only: it removes all that the steps can have
 * made, whether they came to it or not, and then the entry. So it can be repeated, after a
 * failure of a step as well as after the death of a hook at any point.
 */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "forward.h"
#include "ledger.h"
#include "links.h"
#include "nft.h"
#include "resolv.h"
#include "ruleset.h"
#include "wiring.h"

/* One call: the ledger before and after it. */
struct job {
	const struct options *o;
	const struct event *e;
	struct arena *a;
	struct ledger_dir dir;
	struct ledger before, after;
	int netns_fd;
	struct ledger_user user;
	struct wiring wiring;
	struct buf resolv;
};

/* --- taking away ----------------------------------------------------------------------------- */

struct removal {
	struct job *j;
	const struct ledger_user *user; /* of before */
	struct wiring wiring;
};

/* Does somebody else read the same resolv.conf? */
static bool resolv_is_shared(const struct ledger *l, const char *rootfs)
{
	for (size_t i = 0; i < l->users.n; i++) {
		const struct ledger_user *u = &ledger_users(l)[i];

		if (u->resolv != RESOLV_KEPT && str_eq(u->rootfs, rootfs))
			return true;
	}
	return false;
}

static int remove_resolv(struct removal *r, struct kata_err *err)
{
	const struct ledger_user *u = r->user;

	if (u->resolv == RESOLV_KEPT || !u->rootfs ||
	    resolv_is_shared(&r->j->after, u->rootfs))
		return 0;
	return resolv_restore(u->rootfs, (enum ledger_resolv)u->resolv, err);
}

static int remove_link(struct removal *r, struct kata_err *err)
{
	return links_remove(r->wiring.link, err);
}

static int load_rules(const struct ledger *l, struct kata_err *err)
{
	struct buf script = { 0 };
	int rc = ruleset_write(l, &script, err);

	if (rc == 0)
		rc = nft_load(&script, err);
	buf_done(&script);
	return rc;
}

static int remove_rules(struct removal *r, struct kata_err *err)
{
	return r->wiring.nat ? load_rules(&r->j->after, err) : 0;
}

static int remove_bridge(struct removal *r, struct kata_err *err)
{
	return ledger_net(&r->j->after, r->user->bridge)
		       ? 0
		       : links_remove(r->user->bridge, err);
}

/* Off again with the last bridge; what somebody else switched off meanwhile is off. */
static int remove_forwarding(struct removal *r, struct kata_err *err)
{
	struct ledger *after = &r->j->after;
	int rc = 0;

	if (after->nets.n)
		return 0;
	if (after->forward4)
		rc = forward_set(false, false, err);
	if (after->forward6 && rc == 0)
		rc = forward_set(true, false, err);
	return rc;
}

/* In this order: nothing may come through while its rules are gone. */
static int (*const removals[])(struct removal *r, struct kata_err *err) = {
	remove_resolv, remove_link, remove_bridge, remove_rules, remove_forwarding,
};

/*
 * All are tried. If one fails the entry stays, for another attempt; the first failure is
 * told.
 */
static int take_away(struct job *j, const struct ledger_user *user, struct kata_err *err)
{
	struct removal r = { .j = j, .user = user };
	struct kata_err later = { 0 };
	int rc = wiring_of(&j->before, user, &r.wiring, err);

	if (rc < 0)
		return rc;
	j->after = j->before;
	ledger_drop_user(&j->after, j->a, user->id);
	for (size_t i = 0; i < ARRAY_SIZE(removals); i++) {
		int one = removals[i](&r, rc < 0 ? &later : err);

		rc = rc < 0 ? rc : one;
	}
	return rc < 0 ? rc : ledger_save(&j->dir, &j->after, err);
}

static bool is_alive(const struct ledger_user *u)
{
	uint64_t start;

	return proc_start_time((pid_t)u->pid, &start) == 0 && start == u->start;
}

int hook_remove(const struct options *o, const struct event *e, struct arena *a,
		struct kata_err *err)
{
	struct job j = { .o = o, .e = e, .a = a };
	const struct ledger_user *user;
	int rc = ledger_open(o->state, false, &j.dir, err);

	if (rc == -ENOENT)
		return 0; /* there is nothing at all */
	if (rc < 0)
		return rc;
	rc = ledger_load(&j.dir, a, &j.before, err);
	user = rc == 0 ? ledger_user(&j.before, e->id) : NULL;
	/* a container of the same name below another --root: not the one that ended */
	if (user && str_eq(user->bundle, e->bundle) && !is_alive(user))
		rc = take_away(&j, user, err);
	else if (rc == 0 && !j.before.nets.n)
		rc = ledger_save(&j.dir, &j.before, err);
	ledger_close(&j.dir);
	return rc;
}

/* --- making ---------------------------------------------------------------------------------- */

/* What a container of that name left, whose poststop hook did not come. */
static int clear_stale(struct job *j, struct kata_err *err)
{
	const struct ledger_user *old = ledger_user(&j->before, j->e->id);
	int rc;

	if (!old)
		return 0;
	if (is_alive(old))
		return err_set(
			err, -EEXIST,
			"container %s has a network already, its process is %" PRId64
			", its bundle %s",
			old->id, old->pid, old->bundle);
	rc = take_away(j, old, err);
	if (rc < 0)
		return err_ctx(err, "remove what an earlier container %s left", j->e->id);
	j->before = j->after;
	/* the directory went with the last entry */
	if (j->before.nets.n)
		return 0;
	ledger_close(&j->dir);
	rc = ledger_open(j->o->state, true, &j->dir, err);
	return rc < 0 ? rc : ledger_load(&j->dir, j->a, &j->before, err);
}

/* The host's own would lose its routes to a container. */
static int open_netns(struct job *j, struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("/proc/%" PRId64 "/ns/net", j->e->pid);
	struct stat theirs, ours;

	j->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (j->netns_fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(j->netns_fd, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0)
		return err_sys(err, "%s", path);
	if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
		return err_set(err, -EINVAL,
			       "container %s has the host's network: give it "
			       "{ \"type\": \"network\" } in linux.namespaces",
			       j->e->id);
	return 0;
}

/* Decided now, before anything is made, and written down with the rest. */
static int look_at_resolv(struct job *j, struct kata_err *err)
{
	enum ledger_resolv was = RESOLV_KEPT;
	int rc;

	if (j->o->no_dns)
		return 0;
	rc = event_rootfs(j->e, j->a, &j->user.rootfs, err);
	if (rc == 0)
		rc = resolv_look(j->user.rootfs, &was, err);
	if (rc == 0 && was != RESOLV_KEPT)
		rc = resolv_compose(j->o, &j->resolv, err);
	for (size_t i = 0; i < j->before.users.n; i++) {
		const struct ledger_user *u = &ledger_users(&j->before)[i];

		/* made by us for another: what it was before then */
		if (was != RESOLV_KEPT && u->resolv != RESOLV_KEPT &&
		    str_eq(u->rootfs, j->user.rootfs))
			was = (enum ledger_resolv)u->resolv;
	}
	j->user.resolv = was;
	return rc;
}

static int decide(struct job *j, struct kata_err *err)
{
	struct wiring_facts facts = { 0 };
	int rc = forward_get(&facts.forward4, &facts.forward6, err);

	if (rc == 0)
		rc = links_facts(j->o->bridge, j->a, &facts, err);
	if (rc == 0)
		rc = look_at_resolv(j, err);
	if (rc == 0)
		rc = wiring_plan(&j->before, j->o, &facts, &j->user, j->a, &j->after,
				 err);
	return rc == 0 ? wiring_of(&j->after, &j->user, &j->wiring, err) : rc;
}

static int make_forwarding(struct job *j, struct kata_err *err)
{
	int rc = 0;

	if (j->after.forward4)
		rc = forward_set(false, true, err);
	if (j->after.forward6 && rc == 0)
		rc = forward_set(true, true, err);
	return rc;
}

static int make_rules(struct job *j, struct kata_err *err)
{
	return j->wiring.nat ? load_rules(&j->after, err) : 0;
}

static int make_bridge(struct job *j, struct kata_err *err)
{
	return links_bridge(&j->wiring, err);
}

static int make_localnet(struct job *j, struct kata_err *err)
{
	return j->wiring.nat ? forward_localnet(j->wiring.bridge, err) : 0;
}

static int make_link(struct job *j, struct kata_err *err)
{
	return links_veth(&j->wiring, j->netns_fd, err);
}

static int make_inside(struct job *j, struct kata_err *err)
{
	return links_inside(&j->wiring, j->netns_fd, err);
}

static int make_resolv(struct job *j, struct kata_err *err)
{
	return j->user.resolv == RESOLV_KEPT
		       ? 0
		       : resolv_write(j->user.rootfs, &j->resolv, err);
}

static int (*const makings[])(struct job *j, struct kata_err *err) = {
	make_forwarding, make_bridge, make_localnet, make_link, make_inside, make_resolv,
};

/* A second failure, of the undoing, behind the first. Return: the first's code. */
static int and_then(struct kata_err *err, const struct kata_err *undo)
{
	const struct kata_err first = *err;

	return err_set(err, first.code,
		       "%.400s (and then, removing what was made: %.400s)", first.msg,
		       undo->msg);
}

static int put_back_ledger(struct job *j, struct kata_err *err)
{
	struct kata_err undo = { 0 };

	return ledger_save(&j->dir, &j->before, &undo) < 0 ? and_then(err, &undo)
							   : err->code;
}

/*
 * The rules first: they also hold back what a container may not send. They are loaded all or
 * none, so where that fails nothing has changed, and nft, which may be what is missing, is
 * not needed again.
 */
static int make_all(struct job *j, struct kata_err *err)
{
	struct kata_err undo = { 0 };
	int rc = ledger_save(&j->dir, &j->after, err);

	if (rc < 0)
		return rc;
	rc = make_rules(j, err);
	if (rc < 0)
		return put_back_ledger(j, err);
	for (size_t i = 0; i < ARRAY_SIZE(makings) && rc == 0; i++)
		rc = makings[i](j, err);
	if (rc == 0)
		return 0;
	j->before = j->after;
	if (take_away(j, ledger_user(&j->before, j->user.id), &undo) < 0)
		return and_then(err, &undo);
	return rc;
}

static int add(struct job *j, struct kata_err *err)
{
	int rc = ledger_load(&j->dir, j->a, &j->before, err);

	if (rc == 0)
		rc = open_netns(j, err);
	if (rc == 0)
		rc = clear_stale(j, err);
	if (rc == 0)
		rc = decide(j, err);
	if (rc == 0)
		return make_all(j, err);
	return rc;
}

/* A directory that was made for nothing goes. */
static void drop_empty(struct job *j)
{
	struct kata_err ignored = { 0 };
	struct ledger now;

	if (j->dir.fd >= 0 && ledger_load(&j->dir, j->a, &now, &ignored) == 0 &&
	    !now.nets.n && ledger_save(&j->dir, &now, &ignored) < 0)
		log_debug("%s", ignored.msg);
}

int hook_add(const struct options *o, const struct event *e, struct arena *a,
	     struct kata_err *err)
{
	struct job j = { .o = o, .e = e, .a = a, .dir = { NULL, -1 }, .netns_fd = -1 };
	int rc;

	j.user = (struct ledger_user){ .id = e->id, .bundle = e->bundle, .pid = e->pid };
	rc = proc_start_time((pid_t)e->pid, &j.user.start);
	if (rc < 0)
		return err_sys_code(err, rc, "container %s, process %" PRId64, e->id,
				    e->pid);
	rc = ledger_open(o->state, true, &j.dir, err);
	if (rc < 0)
		return rc;
	rc = add(&j, err);
	if (rc < 0)
		drop_empty(&j);
	ledger_close(&j.dir);
	fd_drop(&j.netns_fd);
	buf_done(&j.resolv);
	return rc;
}
