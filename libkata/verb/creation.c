// SPDX-License-Identifier: Apache-2.0
/*
 * creation: the bring-up of one container as an ordered table of steps. Each
 * step has an `up` and, when it leaves something behind, a `down`; a failure
 * runs the downs of everything begun so far, the failed step included, in
 * reverse. So a down copes with an up that stopped half-way.
 *
 * The guest boots from the "ask" step on; everything between it and "reply"
 * costs no time of its own. The pid file comes last: engines take it as "done".
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT are blocked throughout and looked at
 * where we wait, so an interrupted creation is undone like a failed one.
 */
#include "verb/creation.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/sock.h"
#include "oci/names.h"
#include "sandbox/ctl.h"
#include "verb/readiness.h"
#include "verb/stand_in.h"
#include "verb/unsupported.h"
#include "vmm/vm_plan.h"

/* --- what interrupts ---------------------------------------------------------------------- */

static int block_signals(struct creation *c, struct kata_err *err)
{
	static const int interrupting[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(interrupting); i++)
		sigaddset(&set, interrupting[i]);
	sigprocmask(SIG_BLOCK, NULL, &c->old_mask);
	c->sig_fd = loop_signals(&set);
	return c->sig_fd < 0 ? err_sys_code(err, c->sig_fd, "signalfd") : 0;
}

static int interrupted(struct creation *c, struct kata_err *err)
{
	struct signalfd_siginfo si;
	const char *name;

	if (loop_signal_read(c->sig_fd, &si) != 1)
		return 0;
	name = sigabbrev_np((int)si.ssi_signo);
	return err_set(err, -EINTR, "interrupted by SIG%s", name ? name : "?");
}

/* --- what is asked for -------------------------------------------------------------------- */

/* First of all: what is opened must not land where one of them is missing. */
static int take_passed(struct creation *c, struct kata_err *err)
{
	return passing_take(&c->passing, c->args->listen_fds, c->args->preserve_fds, err);
}

/* Both have theirs: ours would hide from the other side that they are gone. */
static int let_go_passed(struct creation *c, struct kata_err *err)
{
	(void)err;
	passing_done(&c->passing);
	return 0;
}

static int check_args(struct creation *c, struct kata_err *err)
{
	return oci_id_check(c->args->id, err);
}

static int load(struct creation *c, struct kata_err *err)
{
	int rc;

	c->root = verb_root(c->k);
	rc = conf_load(c->k->config, &c->conf, err);
	if (rc < 0)
		return rc;
	return bundle_load(&c->bundle, c->args->bundle, c->args->config_file, err);
}

#define MEMBER_BLOCK_IO                                                                    \
	"linux.resources.blockIO: a VM does its I/O in the group of its first container, " \
	"not of one that joins it"

static int check_spec(struct creation *c, struct kata_err *err)
{
	return unsupported_spec(conf_get(c->conf), c->bundle.spec, err);
}

/* What only the host can do holds where the VM is, and that is its first container's group. */
static int check_member(struct creation *c, struct kata_err *err)
{
	const struct oci_linux *lx = c->bundle.spec->linux_;
	bool asked = lx && lx->resources && lx->resources->blockIO;

	if (!asked || !c->membership.host)
		return 0;
	if (conf_get(c->conf)->unsupported == CONF_UNSUPPORTED_REFUSE)
		return err_set(err, -ENOTSUP,
			       MEMBER_BLOCK_IO " (kata.conf: unsupported = refuse)");
	log_warn("%s", MEMBER_BLOCK_IO);
	return 0;
}

static bool has_terminal(const struct creation *c)
{
	return c->bundle.spec->process && c->bundle.spec->process->terminal;
}

/* runc's rules and texts (CONTRACT 1.5). */
static int check_terminal(struct creation *c, struct kata_err *err)
{
	bool terminal = has_terminal(c);

	if (!c->foreground && terminal && !c->args->console_socket)
		return err_set(err, -EINVAL,
			       "cannot allocate tty if runc will detach without setting "
			       "console socket");
	if ((c->foreground || !terminal) && c->args->console_socket)
		return err_set(err, -EINVAL,
			       "cannot use console socket if runc will not detach or "
			       "allocate tty");
	return 0;
}

/* --- record ------------------------------------------------------------------------------- */

static char *time_now(struct arena *a)
{
	struct timespec ts;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(a, "%s.%09ldZ", text, ts.tv_nsec);
}

static char *owner_name(struct arena *a)
{
	struct passwd *pw;

	if (getuid() == 0) /* spares loading the name service */
		return arena_strdup(a, "root");
	pw = getpwuid(getuid());
	return pw ? arena_strdup(a, pw->pw_name)
		  : arena_printf(a, "#%u", (unsigned)getuid());
}

static bool has_late_hooks(const struct oci_hooks *h)
{
	return h && (h->kind[OCI_HOOK_POSTSTART].n || h->kind[OCI_HOOK_POSTSTOP].n);
}

static int write_record(struct creation *c, enum store_phase phase, struct kata_err *err)
{
	c->rec.phase = phase;
	return store_record_write(&c->dir, &c->rec, err);
}

static void fill_membership(struct creation *c, const struct store_record *host)
{
	c->rec.sandbox_id = host->sandbox_id;
	c->rec.sandbox = host->sandbox;
	c->rec.sandbox_cgroup = host->sandbox_cgroup;
}

static void fill_own_vm(struct creation *c)
{
	AUTO_FREE char *name = store_sandbox_name(c->root, c->args->id);

	c->rec.sandbox_id = arena_strdup(c->bundle.arena, name);
	c->rec.sandbox_cgroup = c->rec.cgroup;
	c->rec.vm_memory = vm_memory_for(conf_get(c->conf), c->bundle.spec);
}

static void fill_record(struct creation *c)
{
	const struct oci_spec *spec = c->bundle.spec;
	struct arena *a = c->bundle.arena;

	c->rec = (struct store_record){
		.version = STORE_RECORD_VERSION,
		.id = c->args->id,
		.bundle = c->bundle.path,
		.rootfs = c->bundle.rootfs,
		.created = time_now(a),
		.owner = owner_name(a),
		.oci_version = spec->ociVersion,
		.cgroup = c->cgroup_name,
		.has_hooks = has_late_hooks(spec->hooks),
		.has_process = spec->process != NULL,
		.annotations = spec->annotations,
	};
	if (c->membership.host)
		fill_membership(c, c->membership.host);
	else
		fill_own_vm(c);
}

static int make_store(struct creation *c, struct kata_err *err)
{
	int rc = store_create(c->root, c->args->id, &c->dir, err);

	if (rc < 0)
		return rc;
	fill_record(c);
	rc = write_record(c, STORE_CREATING, err);
	if (rc < 0)
		return rc;
	rc = fs_write_atomic(c->dir.fd, "config.json", c->bundle.text, c->bundle.len,
			     0600);
	return rc < 0 ? err_sys_code(err, rc, "write %s/config.json", c->dir.path) : 0;
}

static int make_notify_dir(struct creation *c, struct kata_err *err)
{
	return c->k->notify_socket ? readiness_make_dir(&c->dir, err) : 0;
}

static void remove_store(struct creation *c)
{
	struct kata_err ignored = { 0 };

	if (c->dir.fd >= 0 && store_remove(c->root, c->args->id, &c->dir, &ignored) < 0)
		log_debug("%s", ignored.msg);
}

static int make_sandbox_dir(struct creation *c, struct kata_err *err)
{
	if (c->membership.host)
		return 0;
	c->sandbox_fd = store_sandbox_create(c->root, c->rec.sandbox_id, err);
	return c->sandbox_fd < 0 ? c->sandbox_fd : 0;
}

static void remove_sandbox_dir(struct creation *c)
{
	struct kata_err ignored = { 0 };

	if (c->sandbox_fd >= 0)
		netns_clean(c->root, c->rec.sandbox_id);
	if (c->sandbox_fd >= 0 &&
	    store_sandbox_remove(c->root, c->rec.sandbox_id, &ignored) < 0)
		log_debug("%s", ignored.msg);
}

/*
 * The others may all have been deleted while this one was on its way in: then
 * nobody but us is left to clean up after the VM.
 */
static void leave_joined_vm(struct creation *c)
{
	const struct verb_box box = {
		.root = c->root,
		.arena = c->bundle.arena,
		.rec = c->rec,
	};
	struct kata_err ignored = { 0 };

	if (c->membership.host && verb_leave_vm(&box, &ignored) < 0)
		log_debug("%s", ignored.msg);
}

static int record_processes(struct creation *c, struct kata_err *err)
{
	if (!c->membership.host)
		c->rec.sandbox = &c->rec_sandbox;
	c->rec.shim = &c->rec_shim;
	return write_record(c, STORE_CREATING, err);
}

static int record_created(struct creation *c, struct kata_err *err)
{
	return write_record(c, STORE_CREATED, err);
}

/* --- processes ---------------------------------------------------------------------------- */

static int start_sandbox(struct creation *c, struct kata_err *err)
{
	return c->membership.host ? spawn_connect(c, err) : spawn_sandbox(c, err);
}

/* One that is joined stays, and hears from the closed connection that nothing comes of it. */
static void end_sandbox(struct creation *c)
{
	fd_drop(&c->ctl_fd);
	spawn_end(&c->sandbox);
}

/*
 * A shim that is alone in the container's cgroup is there before the cgroup is:
 * systemd makes none without a process. One beside a sandbox is born into it.
 */
static int start_members_shim(struct creation *c, struct kata_err *err)
{
	return c->membership.host ? spawn_shim(c, err) : 0;
}

static int start_own_shim(struct creation *c, struct kata_err *err)
{
	return c->membership.host ? 0 : spawn_shim(c, err);
}

static void end_shim(struct creation *c)
{
	spawn_end(&c->shim);
}

static int open_console(struct creation *c, struct kata_err *err)
{
	if (c->foreground || !has_terminal(c))
		return 0;
	return console_open(&c->console, c->bundle.spec->process->consoleSize, err);
}

static int send_console(struct creation *c, struct kata_err *err)
{
	return c->console.master < 0
		       ? 0
		       : console_send(&c->console, c->args->console_socket, err);
}

static int lost_sandbox(int rc, struct kata_err *err)
{
	if (rc == 0 || rc == -EPIPE || rc == -ECONNRESET)
		return err_set(err, -ECONNRESET,
			       "kata-sandbox died while the container was made");
	return err_sys_code(err, rc, "talk to kata-sandbox");
}

/* Each has one end and nobody a copy, so that both see when the other is gone. */
static int connect_pair(struct creation *c, struct kata_err *err)
{
	int pair[2];
	int rc = sock_pair(SOCK_SEQPACKET, pair);

	if (rc < 0)
		return err_sys_code(err, rc, "socketpair");
	c->shim_fd = pair[0];
	c->sandbox_end_fd = pair[1];
	return 0;
}

/* The sandbox gets its work at once; the shim of an own VM is made while it boots. */
static int ask(struct creation *c, struct kata_err *err)
{
	struct ctl_msg m = {
		.type = CTL_CREATE,
		.bytes = c->began_us,
		.flags = stand_in_null_streams(c->bundle.spec->process),
	};
	AUTO_CLOSE int theirs = TAKE_FD(c->sandbox_end_fd);
	AUTO_CLOSE int config = -1;
	AUTO_CLOSE int passed = -1;
	struct buf text = { 0 };
	int fds[SOCK_MAX_FDS], n = 0;
	int rc;

	if (!str_copy(m.text, sizeof(m.text), c->bundle.path))
		return err_set(err, -ENAMETOOLONG, "bundle %s: path is too long",
			       c->bundle.path);
	str_copy(m.id, sizeof(m.id), c->args->id);
	membership_config(c, &text);
	config = fs_memfd("config.json", buf_ptr(&text), buf_len(&text));
	buf_done(&text);
	if (config < 0)
		return err_sys_code(err, config, "memfd");
	fds[n++] = config;
	fds[n++] = theirs;
	if (c->args->no_new_keyring)
		m.flags |= CTL_F_NO_KEYRING;
	if (cgroup_memory_dir(c->cgroup) >= 0) {
		m.flags |= CTL_F_CGROUP;
		fds[n++] = cgroup_memory_dir(c->cgroup);
	}
	n = passing_for_sandbox(&c->passing, &m, fds, (size_t)n, &passed, err);
	if (n < 0)
		return n;
	rc = ctl_send(c->ctl_fd, &m, fds, (size_t)n);
	return rc < 0 ? lost_sandbox(rc, err) : 0;
}

static int read_reply(struct creation *c, struct kata_err *err)
{
	int fds[SOCK_MAX_FDS];
	struct ctl_msg m;
	size_t n_fds;
	int rc;

	rc = ctl_recv(c->ctl_fd, &m, fds, &n_fds);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (rc <= 0)
		return lost_sandbox(rc, err);
	if (m.type != CTL_REPLY)
		return err_set(err, -EPROTO,
			       "kata-sandbox answered with a message that is no reply");
	if (m.code == 0)
		return 0;
	err_set(err, m.code < 0 ? m.code : -EIO, "%s", m.text);
	err->status = (int)m.status;
	return err->code;
}

/* No time limit here: the sandbox knows how long a boot may take. */
static int await_reply(struct creation *c, struct kata_err *err)
{
	struct pollfd p[] = {
		{ .fd = c->ctl_fd, .events = POLLIN },
		{ .fd = c->sig_fd, .events = POLLIN },
	};
	int rc;

	for (;;) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "poll");
		}
		rc = interrupted(c, err);
		if (rc < 0)
			return rc;
		if (p[0].revents)
			return read_reply(c, err);
	}
}

/* --- hooks -------------------------------------------------------------------------------- */

static int run_hooks(struct creation *c, enum oci_hook_kind kind, enum oci_status status,
		     struct kata_err *err)
{
	struct hook_place place = HOOK_PLACE_INIT;
	struct oci_state st;

	verb_state(&c->rec, status, &st);
	place.bundle_fd = c->bundle.fd;
	place.cancel_fd = status == OCI_STOPPED ? -1 : c->sig_fd;
	return hook_run_all(c->bundle.spec->hooks, kind, &st, &place, err);
}

/*
 * All three run in the host's namespaces: the shim's mount namespace has the
 * container's root already, where a hook's path would not be found. Their state
 * says "created" as the spec has it, with the shim's pid.
 */
static int run_create_hooks(struct creation *c, struct kata_err *err)
{
	static const enum oci_hook_kind kinds[] = {
		OCI_HOOK_PRESTART,
		OCI_HOOK_CREATE_RUNTIME,
		OCI_HOOK_CREATE_CONTAINER,
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++)
		rc = run_hooks(c, kinds[i], OCI_CREATED, err);
	return rc == -EINTR && interrupted(c, err) < 0 ? -EINTR : rc;
}

/* For a down that stands before the processes in the table, so that it comes after their end. */
static int nothing(struct creation *c, struct kata_err *err)
{
	(void)c;
	(void)err;
	return 0;
}

static void run_poststop(struct creation *c)
{
	struct kata_err ignored = { 0 };

	if (run_hooks(c, OCI_HOOK_POSTSTOP, OCI_STOPPED, &ignored) < 0)
		log_warn("%s", ignored.msg);
}

/* --- pid file ----------------------------------------------------------------------------- */

static int write_pid_file(struct creation *c, struct kata_err *err)
{
	int rc = interrupted(c, err);

	return rc < 0 ? rc : stand_in_pid_file(c->args->pid_file, c->shim.pid, err);
}

/* --- the table ---------------------------------------------------------------------------- */

struct step {
	const char *name;
	int (*up)(struct creation *c, struct kata_err *err);
	void (*down)(struct creation *c);
};

static const struct step steps[] = {
	{ "passed descriptors", take_passed, NULL },
	{ "signals", block_signals, NULL },
	{ "arguments", check_args, NULL },
	{ "load", load, NULL },
	{ "spec", check_spec, NULL },
	{ "terminal", check_terminal, NULL },
	{ "netns", netns_open, NULL },
	{ "membership", membership_decide, NULL },
	{ "member's limits", check_member, NULL },
	{ "nobody's netns", netns_check_free, NULL },
	{ "console", open_console, NULL },
	{ "cgroup's name", placement_name, NULL },
	{ "store", make_store, remove_store },
	{ "notify directory", make_notify_dir, NULL },
	{ "poststop", nothing, run_poststop },
	{ "no cgroup", nothing, placement_remove },
	{ "no joined VM", nothing, leave_joined_vm },
	{ "sandbox directory", make_sandbox_dir, remove_sandbox_dir },
	{ "sandbox", start_sandbox, end_sandbox },
	{ "connection", connect_pair, NULL },
	{ "shim", start_members_shim, end_shim },
	{ "cgroup", placement_make, NULL },
	{ "ask", ask, NULL },
	{ "own VM's shim", start_own_shim, end_shim },
	{ "passed descriptors' end", let_go_passed, NULL },
	{ "record", record_processes, NULL },
	{ "shim's user namespace", shim_userns_map, NULL },
	{ "send console", send_console, NULL },
	{ "hooks", run_create_hooks, NULL },
	{ "reply", await_reply, NULL },
	{ "CPU quota", placement_throttle, NULL },
	{ "created", record_created, NULL },
	{ "pid file", write_pid_file, NULL },
};

static void undo(struct creation *c, size_t n)
{
	while (n-- > 0) {
		if (!steps[n].down)
			continue;
		log_debug("undo %s", steps[n].name);
		steps[n].down(c);
	}
}

static void creation_init(struct creation *c, const struct kata *k,
			  const struct kata_create_args *args, bool foreground)
{
	*c = (struct creation){
		.k = k,
		.args = args,
		.foreground = foreground,
		.began_us = loop_now_us(),
		.bundle = BUNDLE_INIT,
		.console = CONSOLE_INIT,
		.netns_fd = -1,
		.dir = STORE_DIR_INIT,
		.sandbox_fd = -1,
		.sandbox = PROC_INIT,
		.shim = PROC_INIT,
		.ctl_fd = -1,
		.shim_fd = -1,
		.userns_fd = -1,
		.sandbox_end_fd = -1,
		.sig_fd = -1,
	};
	for (size_t i = 0; i < OCI_NS_TYPES; i++)
		c->membership.ns_fd[i] = -1;
}

int creation_run(struct creation *c, const struct kata *k,
		 const struct kata_create_args *args, bool foreground,
		 struct kata_err *err)
{
	creation_init(c, k, args, foreground);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int rc = steps[i].up(c, err);

		if (rc < 0) {
			undo(c, i + 1);
			return rc;
		}
	}
	return 0;
}

/* A signal that came when all was done already must not kill us: the container stands. */
static void restore_signals(struct creation *c)
{
	struct signalfd_siginfo si;

	if (c->sig_fd < 0)
		return;
	while (loop_signal_read(c->sig_fd, &si) == 1)
		;
	fd_drop(&c->sig_fd);
	sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
}

void creation_done(struct creation *c)
{
	proc_done(&c->sandbox);
	proc_done(&c->shim);
	console_done(&c->console);
	membership_done(&c->membership);
	passing_done(&c->passing);
	fd_drop(&c->netns_fd);
	fd_drop(&c->ctl_fd);
	fd_drop(&c->shim_fd);
	fd_drop(&c->userns_fd);
	fd_drop(&c->sandbox_end_fd);
	cgroup_free(c->cgroup);
	fd_drop(&c->sandbox_fd);
	store_dir_done(&c->dir);
	bundle_done(&c->bundle);
	conf_free(c->conf);
	free(c->root);
	restore_signals(c);
}
