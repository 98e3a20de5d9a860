// SPDX-License-Identifier: Apache-2.0
/*
 * child: two ordered tables of steps, one for a container's init, one for a further process; the
 * second half is common. The first step that fails ends the child with a report.
 *
 * The order, where it is not free:
 *   - descriptors of the agent are closed first, and the child is made undumpable, before it
 *     can be seen from inside a container;
 *   - what is written through the agent's /proc (oom score, sysctls) precedes the new root;
 *   - limits precede the change of user, while they may still be raised;
 *   - the bounding set precedes it too, the other capability sets follow it;
 *   - the program is looked up as the container's user, as runc does;
 *   - the filter of system calls comes last, behind the gate: it has to allow exec, and capset where
 *     there is no no_new_privs, and nothing else of what we do here (but for hooks, as with runc). Without no_new_privs loading
 *     is a privilege: CAP_SYS_ADMIN is kept permitted until then, and out of use;
 *   - in a user namespace the child is the guest's root, without rights, until step_userns_root: as
 *     such it owns what it writes in the agent's /proc. From then on it is the container's root,
 *     and owns what it makes.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/sock.h"
#include "base/str.h"
#include "hook/hook.h"
#include "attrs.h"
#include "caps.h"
#include "devices.h"
#include "keyring.h"
#include "lookup.h"
#include "mounts.h"
#include "passed.h"
#include "rlimits.h"
#include "rootfs.h"
#include "seccomp.h"
#include "sysctls.h"
#include "tty.h"
#include "user.h"

#define UMASK_DEFAULT 0022

/** struct child - the job and what the steps leave for each other. */
struct child {
	struct child_job own; /* a copy, whose descriptors are moved out of the way */
	const struct child_job *job;
	const struct oci_process
		*p; /* never NULL: an empty one when nothing is to be run */
	const struct oci_user *user;
	struct arena *arena;
	struct tty tty;
	struct caps caps;
	int root_fd;
	bool in_cwd;
	bool *sysctls_left;
	char **env;
	const char *path;
};

struct step {
	int (*fn)(struct child *c, struct kata_err *err);
};

static bool is_init(const struct child *c)
{
	return c->job->join_pidfd < 0;
}

/* --- in the agent's tree */

static int step_isolate(struct child *c, struct kata_err *err)
{
	struct child_job *j = &c->own;
	int *const own[] = { &j->stdio[0],
			     &j->stdio[1],
			     &j->stdio[2],
			     &j->report_fd,
			     &j->join_pidfd,
			     &j->join.fd[NS_JOIN_IPC],
			     &j->join.fd[NS_JOIN_UTS] };
	int keep[ARRAY_SIZE(own) + PROTO_PASSED_MAX], r;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		keep[n++] = *own[i];
	for (unsigned i = 0; i < j->n_passed; i++)
		keep[n++] = j->passed[i];
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "make undumpable");
	r = proc_close_from(STDERR_FILENO + 1, keep, n);
	if (r < 0)
		return err_sys_code(err, r, "close descriptors");
	/* before anything else is opened: all that is lands above them */
	r = passed_place(j->passed, j->n_passed, own, ARRAY_SIZE(own));
	if (r < 0)
		return err_sys_code(err, r, "place the passed descriptors");
	umask(0);
	if (setsid() < 0)
		return err_sys(err, "setsid");
	return 0;
}

static int step_oom_score(struct child *c, struct kata_err *err)
{
	const int32_t *score = c->p->oomScoreAdj;
	char text[16];
	int r;

	if (child_job_waits(c->job))
		return 0; /* birth_settle() has */
	if (!score)
		return 0;
	snprintf(text, sizeof(text), "%d", *score);
	r = fs_write_str(AT_FDCWD, "/proc/self/oom_score_adj", text);
	return r < 0 ? err_sys_code(err, r, "write /proc/self/oom_score_adj") : 0;
}

static int step_rlimits(struct child *c, struct kata_err *err)
{
	if (child_job_waits(c->job))
		return 0; /* birth_settle() has */
	return rlimits_apply(0, &c->p->rlimits, err);
}

/* The pid and user namespaces are joined by the fork itself. */
static int step_join_others(struct child *c, struct kata_err *err)
{
	static const enum ns_join joins[] = { NS_JOIN_IPC, NS_JOIN_UTS };

	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		int fd = c->job->join.fd[joins[i]];

		if (fd < 0)
			continue;
		if (setns(fd, (int)ns_flag(joins[i])) < 0)
			return err_sys(err, "join a namespace of another container");
		close(fd);
	}
	return 0;
}

static int step_cgroup_ns(struct child *c, struct kata_err *err)
{
	if ((c->job->ns_flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "unshare cgroup namespace");
	return 0;
}

/* Offsets are set before the first process is in it, and so is its maker only afterwards. */
static int step_time_ns(struct child *c, struct kata_err *err)
{
	const struct oci_linux *l = c->job->spec->linux_;
	AUTO_CLOSE int fd = -1;
	int r = 0;

	if (!(c->job->ns_flags & CLONE_NEWTIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, "unshare time namespace");
	if (l->timeOffsets) {
		AUTO_FREE char *text = ns_time_text(l->timeOffsets);

		r = fs_write_str(AT_FDCWD, "/proc/self/timens_offsets", text);
	}
	if (r < 0)
		return err_sys_code(err, r, "linux.timeOffsets: set the offsets");
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(err, "enter the time namespace");
	return 0;
}

static int step_userns_root(struct child *c, struct kata_err *err)
{
	return c->job->userns->on ? userns_become_root(err) : 0;
}

static int step_keyring(struct child *c, struct kata_err *err)
{
	if (c->job->no_keyring)
		return 0;
	return keyring_join(c->job->id, is_init(c),
			    oci_spec_ns(c->job->spec, OCI_NS_USER) != NULL, err);
}

static int step_initial_affinity(struct child *c, struct kata_err *err)
{
	return attrs_affinity(c->p, ATTRS_INITIAL, err);
}

/* Has the VM the names that are asked for? */
static bool is_named(const struct oci_spec *s)
{
	struct utsname now;

	return uname(&now) == 0 && (!s->hostname || str_eq(s->hostname, now.nodename)) &&
	       (!s->domainname || str_eq(s->domainname, now.domainname));
}

/* A namespace that is another container's gets the names too, as with runc. */
static int step_hostname(struct child *c, struct kata_err *err)
{
	const struct oci_spec *s = c->job->spec;

	if (!oci_spec_ns(s, OCI_NS_UTS) && is_named(s))
		return 0;
	if ((s->hostname || s->domainname) && !oci_spec_ns(s, OCI_NS_UTS))
		return err_set(err, -EINVAL,
			       "unable to set hostname without a private UTS namespace");
	if (s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
		return err_sys(err, "sethostname");
	if (s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
		return err_sys(err, "setdomainname");
	return 0;
}

static int step_sysctls(struct child *c, struct kata_err *err)
{
	const struct oci_linux *l = c->job->spec->linux_;
	size_t n = l ? l->sysctl.n : 0;

	if (n == 0)
		return 0;
	c->sysctls_left = arena_array(c->arena, n, sizeof(*c->sysctls_left));
	for (size_t i = 0; i < n; i++)
		c->sysctls_left[i] = true;
	return sysctls_apply(l, c->sysctls_left, !c->job->userns->on, err);
}

/* In a user namespace those of ipc are its root's, those of uts the root's of the guest (Linux 6.1). */
static int step_sysctls_again(struct child *c, struct kata_err *err)
{
	return c->sysctls_left
		       ? sysctls_apply(c->job->spec->linux_, c->sysctls_left, true, err)
		       : 0;
}

/* --- the new root, from outside */

static struct mounts_env mounts_env(const struct child *c)
{
	return (struct mounts_env){
		.root_fd = c->root_fd,
		.cgroup = c->job->cgroup,
		.cgroup_ns = (c->job->ns_flags & CLONE_NEWCGROUP) && c->job->cgroup,
	};
}

static int step_root(struct child *c, struct kata_err *err)
{
	int r = rootfs_isolate(err);

	if (r == 0)
		r = mounts_meet(c->job->plan, err);
	if (r == 0)
		r = c->root_fd = rootfs_open(c->job->rootfs, err);
	return r < 0 ? r : 0;
}

static int step_mounts(struct child *c, struct kata_err *err)
{
	const struct mounts_env env = mounts_env(c);

	return mounts_apply(c->job->plan, &env, err);
}

static int step_dev(struct child *c, struct kata_err *err)
{
	int r;

	if (!c->job->plan->own_dev)
		return 0;
	r = devices_make(c->root_fd, c->job->devices, err);
	return r < 0 ? r : rootfs_links(c->root_fd, err);
}

static int step_tty(struct child *c, struct kata_err *err)
{
	int r;

	if (!c->p->terminal)
		return 0;
	r = tty_open(c->root_fd, c->p, &c->tty, err);
	if (r < 0 || !is_init(c))
		return r;
	return tty_console(c->root_fd, &c->tty, err);
}

static int step_make_cwd(struct child *c, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;

	if (!c->p->cwd || !*c->p->cwd)
		return 0;
	fd = fs_mkdir_in_root(c->root_fd, c->p->cwd, 0755);
	return fd < 0 ? err_sys_code(err, fd, "mkdir %s", c->p->cwd) : 0;
}

static int step_close_off(struct child *c, struct kata_err *err)
{
	const struct mounts_env env = mounts_env(c);
	const struct oci_spec *s = c->job->spec;
	int r = mounts_finish(c->job->plan, &env, err);

	if (r == 0 && s->linux_)
		r = rootfs_mask(c->root_fd, s->linux_, err);
	if (r == 0 && s->root && s->root->readonly)
		r = rootfs_readonly(c->root_fd, err);
	return r;
}

static int step_enter(struct child *c, struct kata_err *err)
{
	const struct oci_linux *l = c->job->spec->linux_;

	return rootfs_enter(c->root_fd, l ? l->rootfsPropagation : NULL, err);
}

/* --- a running container, from inside */

static int step_join(struct child *c, struct kata_err *err)
{
	/* the pid namespace is joined by the fork itself */
	int flags = (int)(c->job->ns_flags & ~(unsigned long)CLONE_NEWPID);

	if (setns(c->job->join_pidfd, flags) < 0)
		return err_sys(err, "join the container's namespaces");
	c->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->root_fd < 0 ? err_sys(err, "open /") : 0;
}

/* --- what both become */

static int step_environment(struct child *c, struct kata_err *err)
{
	const char *home = env_get(&c->p->env, "HOME");

	if (!home || !*home)
		home = user_home_in(c->root_fd, c->user->uid, c->arena);
	c->env = env_make(&c->p->env, home, c->arena);
	return 0;
}

/* Our own descriptors end above 2, so that 0..2 can be put in place in any order. */
static int step_stdio(struct child *c, struct kata_err *err)
{
	if (c->p->terminal)
		return tty_adopt(&c->tty, err);
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(c->job->stdio[fd], fd) < 0)
			return err_sys(err, "dup2");
	}
	return 0;
}

static int step_attrs(struct child *c, struct kata_err *err)
{
	int r = is_init(c) ? 0 : attrs_affinity(c->p, ATTRS_FINAL, err);

	return r < 0 ? r : attrs_apply(c->p, c->job->spec->linux_, err);
}

static int step_bounding(struct child *c, struct kata_err *err)
{
	c->caps = caps_plan(c->p->capabilities, caps_last());
	if (c->p->noNewPrivileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "set no_new_privs");
	return caps_bound(&c->caps, err);
}

static int step_user(struct child *c, struct kata_err *err)
{
	umask(c->user->umask ? *c->user->umask & 0777 : UMASK_DEFAULT);
	return user_become(c->user, err);
}

static int enter_cwd(struct child *c, struct kata_err *err)
{
	const char *cwd = c->p->cwd && *c->p->cwd ? c->p->cwd : "/";
	char real[PATH_MAX];

	if (chdir(cwd) < 0)
		return err_sys(err, "chdir to cwd (\"%s\") set in config.json failed",
			       cwd);
	/* the system call, not glibc's: it says "(unreachable)..." outside of the root */
	if (syscall(SYS_getcwd, real, sizeof(real)) > 0 && real[0] != '/')
		return err_set(err, -EPERM,
			       "current working directory is outside of container mount "
			       "namespace root -- possible container breakout detected");
	c->in_cwd = true;
	return 0;
}

/* First as root, as runc does: the user need not have the right to go there. */
static int step_cwd(struct child *c, struct kata_err *err)
{
	int r = enter_cwd(c, err);

	if (r != -EACCES && r != -EPERM)
		return r;
	err_done(err);
	return 0;
}

/* A filesystem that trusts only its user: again as that. */
static int step_cwd_again(struct child *c, struct kata_err *err)
{
	return c->in_cwd ? 0 : enter_cwd(c, err);
}

/* What loading the filter takes besides the process's own capabilities. */
static uint64_t reserve(const struct child *c)
{
	if (!c->job->filter->program.len || c->p->noNewPrivileges)
		return 0;
	return CAP_BIT(CAP_SYS_ADMIN);
}

static int step_caps(struct child *c, struct kata_err *err)
{
	return caps_apply(&c->caps, reserve(c), err);
}

static int load_filter(const struct child *c, struct kata_err *err)
{
	int r = reserve(c) ? caps_use(&c->caps, reserve(c), err) : 0;

	if (r == 0)
		r = seccomp_load(c->job->filter, err);
	if (r == 0 && reserve(c))
		r = caps_drop(&c->caps, err);
	return r;
}

static int step_lookup(struct child *c, struct kata_err *err)
{
	if (c->p->args.n == 0)
		return 0;
	return lookup_program(c->p->args.v[0], env_get(&c->p->env, "PATH"), c->arena,
			      &c->path, err);
}

static const struct step init_steps[] = {
	{ step_isolate },     { step_oom_score },     { step_rlimits },
	{ step_join_others }, { step_cgroup_ns },     { step_time_ns },
	{ step_hostname },    { step_sysctls },	      { step_root },
	{ step_userns_root }, { step_sysctls_again }, { step_keyring },
	{ step_mounts },      { step_dev },	      { step_tty },
	{ step_make_cwd },    { step_close_off },     { step_enter },
};

static const struct step exec_steps[] = {
	{ step_isolate }, { step_initial_affinity }, { step_oom_score }, { step_rlimits },
	{ step_join },	  { step_userns_root },	     { step_keyring },	 { step_tty },
};

static const struct step process_steps[] = {
	{ step_environment }, { step_stdio },	 { step_attrs },
	{ step_cwd },	      { step_bounding }, { step_user },
	{ step_cwd_again },   { step_caps },	 { step_lookup },
};

static int run_steps(struct child *c, const struct step *steps, size_t n,
		     struct kata_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = steps[i].fn(c, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- reports */

__attribute__((noreturn)) static void fail(const struct child *c,
					   const struct kata_err *err)
{
	struct child_report rep = { .code = MSG_FAILED, .err = (uint16_t)-err->code };

	if (err->status == 127)
		rep.code = MSG_NOT_FOUND;
	else if (err->status == 126)
		rep.code = MSG_NOT_EXECUTABLE;
	str_copy(rep.text, sizeof(rep.text), err->msg);
	/* nobody left to tell: the agent sees the end of the connection and our status */
	if (sock_send(c->job->report_fd, &rep, sizeof(rep), NULL, 0) < 0)
		_exit(1);
	_exit(err->status ? err->status : 1);
}

static void report_ready(struct child *c, struct kata_err *err)
{
	const struct child_report rep = { .code = MSG_OK };
	int r = sock_send(c->job->report_fd, &rep, sizeof(rep), &c->tty.master,
			  c->p->terminal ? 1 : 0);

	if (r < 0) {
		err_sys_code(err, r, "report");
		fail(c, err);
	}
}

/* The agent's word is one byte: to go on (birth_settle()), or MSG_START. Its end is the end. */
static void wait_for_agent(const struct child *c)
{
	char byte;
	ssize_t n;

	do {
		n = recv(c->job->report_fd, &byte, 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
}

/*
 * hooks.startContainer: behind the gate, as the process that the program will be: its user, its rights, its root
 * its directory and its filter (runc's order). A hook without "env" has the program's.
 */
static int run_hooks(const struct child *c, struct kata_err *err)
{
	const struct hook_place place = HOOK_PLACE_INIT;
	const struct oci_spec *s = c->job->spec;
	const struct oci_state state = {
		.id = c->job->id,
		.status = OCI_CREATED,
		.pid = getpid(),
		.bundle = c->job->bundle ? c->job->bundle : "/",
		.annotations = s->annotations,
	};

	environ = c->env;
	return hook_run_all(s->hooks, OCI_HOOK_START_CONTAINER, &state, &place, err);
}

static bool has_hooks(const struct child *c)
{
	const struct oci_hooks *h = c->job->spec->hooks;

	return is_init(c) && h && h->kind[OCI_HOOK_START_CONTAINER].n;
}

static void reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void exec_program(const struct child *c,
						   struct kata_err *err)
{
	int code;

	if (!c->path) {
		err_set(err, -EINVAL, "process.args: nothing to run");
		fail(c, err);
	}
	execve(c->path, (char **)c->p->args.v, c->env);
	code = err_sys(err, "exec %s", c->path);
	err->status = code == -ENOENT			    ? 127
		      : code == -EACCES || code == -ENOEXEC ? 126
							    : 0;
	fail(c, err);
}

void child_main(const struct child_job *job)
{
	static const struct oci_user root = { 0 };
	static const struct oci_process nothing = { .cwd = "/" };
	struct child c = {
		.own = *job,
		.p = job->process ? job->process : &nothing,
		.tty = { -1, -1 },
		.root_fd = -1,
		.arena = arena_new(),
	};
	struct kata_err err = { 0 };
	int r;

	c.job = &c.own;
	if (!is_init(&c))
		c.p = attrs_inherit(c.p, job->spec->process, c.arena);
	c.user = c.p->user ? c.p->user : &root;
	reset_signals();
	if (child_job_waits(c.job))
		wait_for_agent(&c);
	if (is_init(&c))
		r = run_steps(&c, init_steps, ARRAY_SIZE(init_steps), &err);
	else
		r = run_steps(&c, exec_steps, ARRAY_SIZE(exec_steps), &err);
	if (r == 0)
		r = run_steps(&c, process_steps, ARRAY_SIZE(process_steps), &err);
	if (r < 0)
		fail(&c, &err);
	report_ready(&c, &err);
	if (is_init(&c))
		wait_for_agent(&c);
	r = load_filter(&c, &err);
	/* from here on each system call is one that the profile has to allow */
	if (r == 0 && has_hooks(&c))
		r = run_hooks(&c, &err);
	if (r < 0)
		fail(&c, &err);
	exec_program(&c, &err);
}
