// SPDX-License-Identifier: Apache-2.0
/*
 * spawn: kata-sandbox and kata-shim, the two processes that outlive the call.
 * Both are direct children, so the caller's subreaper inherits them. Only the
 * shim gets the caller's stdio.
 *
 * The sandbox is pid 1 of a pid namespace: whatever kills it kills VMM and
 * helpers with it. The shim stands for the container on the host, in
 * namespaces of the kinds the spec asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/sock.h"
#include "sandbox/ctl.h"
#include "verb/creation.h"
#include "verb/stand_in.h"

/*
 * Namespaces that the shim gets new when the spec asks for new ones; network is the sandbox's.
 * ipc and uts that are another container's are joined instead. pid never is: there the shim
 * would be killed with the other's, before it has drained what its own program wrote last. user comes last of
 * all, and by the shim itself: shim_userns.c.
 */
static const struct {
	enum oci_ns_type type;
	unsigned long flag;
} shim_ns[] = {
	{ OCI_NS_MOUNT, CLONE_NEWNS },
	{ OCI_NS_PID, CLONE_NEWPID },
	{ OCI_NS_UTS, CLONE_NEWUTS },
	{ OCI_NS_IPC, CLONE_NEWIPC },
};

void spawn_end(struct proc *p)
{
	int rc;

	if (p->pidfd < 0)
		return;
	rc = proc_kill(p->pidfd, SIGKILL);
	if (rc == 0)
		rc = proc_wait(p);
	if (rc < 0)
		log_debug("end process %d: %s", (int)p->pid, err_text(-rc));
	proc_done(p);
	*p = (struct proc)PROC_INIT;
}

static int conf_memfd(const struct conf *conf, struct kata_err *err)
{
	struct buf b = { 0 };
	int fd;

	conf_write(conf, false, &b);
	fd = fs_memfd("kata.conf", buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	return fd < 0 ? err_sys_code(err, fd, "memfd") : fd;
}

static int exec_sandbox(struct creation *c, int ctl, int conf, struct kata_err *err)
{
	AUTO_FREE char *path = stand_in_path("kata-sandbox");
	AUTO_FREE char *dir = store_sandbox_path(c->root, c->rec.sandbox_id);
	AUTO_CLOSE int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	char *argv[] = { (char *)"kata-sandbox", c->k->debug ? (char *)"--debug" : dir,
			 c->k->debug ? dir : NULL, NULL };
	const struct proc_fd fds[] = {
		{ ctl, SANDBOX_FD_CTL },
		{ c->sandbox_fd, SANDBOX_FD_DIR },
		{ conf, SANDBOX_FD_CONF },
		{ mounts, SANDBOX_FD_MOUNTS },
	};
	struct proc_spawn sp = PROC_SPAWN_INIT;

	if (mounts < 0)
		return err_sys(err, "open /proc/self/ns/mnt");
	sp.path = path;
	sp.argv = argv;
	sp.fds = fds;
	sp.n_fds = ARRAY_SIZE(fds);
	sp.clone_flags = CLONE_NEWPID | CLONE_NEWNS | (c->netns_given ? 0 : CLONE_NEWNET);
	sp.setns = &c->netns_fd;
	sp.n_setns = c->netns_given ? 1 : 0;
	sp.new_session = true;
	sp.cwd_fd = c->sandbox_fd;
	return proc_spawn(&sp, &c->sandbox, err);
}

int spawn_sandbox(struct creation *c, struct kata_err *err)
{
	AUTO_CLOSE int theirs = -1;
	AUTO_CLOSE int conf = -1;
	int pair[2];
	int rc;

	rc = sock_pair(SOCK_SEQPACKET, pair);
	if (rc < 0)
		return err_sys_code(err, rc, "socketpair");
	c->ctl_fd = pair[0];
	theirs = pair[1];
	conf = conf_memfd(c->conf, err);
	if (conf < 0)
		return conf;
	rc = exec_sandbox(c, theirs, conf, err);
	if (rc < 0)
		return rc;
	rc = stand_in_record(c->sandbox.pid, &c->rec_sandbox, err);
	if (rc < 0 || c->netns_given)
		return rc;
	c->netns_fd = netns_of_process(c->sandbox.pid, err);
	return c->netns_fd < 0 ? c->netns_fd : 0;
}

int spawn_connect(struct creation *c, struct kata_err *err)
{
	const struct verb_box host = { .root = c->root, .rec = c->rec };
	const struct store_proc *sandbox = c->rec.sandbox;
	AUTO_CLOSE int alive = sandbox ? proc_open((pid_t)sandbox->pid, sandbox->start)
				       : -ESRCH;

	/* without it a directory of the same name would be another VM's */
	c->ctl_fd = alive < 0 ? alive : verb_connect(&host, err);
	if (c->ctl_fd < 0)
		return err_set(err, -ESRCH,
			       "the VM of container %s, which is to be joined, has ended",
			       c->membership.host->id);
	return 0;
}

static bool shim_joins(const struct creation *c, enum oci_ns_type type)
{
	return type != OCI_NS_PID && type != OCI_NS_USER &&
	       c->membership.ns_fd[type] >= 0;
}

static unsigned long shim_clone_flags(const struct creation *c)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shim_ns); i++) {
		enum oci_ns_type type = shim_ns[i].type;

		if (oci_spec_ns(c->bundle.spec, type) && !shim_joins(c, type))
			flags |= shim_ns[i].flag;
	}
	return flags;
}

static size_t shim_setns(const struct creation *c, int fds[OCI_NS_TYPES + 1])
{
	size_t n = 0;

	fds[n++] = c->netns_fd;
	for (size_t i = 0; i < OCI_NS_TYPES; i++) {
		if (shim_joins(c, (enum oci_ns_type)i))
			fds[n++] = c->membership.ns_fd[i];
	}
	return n;
}

static int exec_shim(struct creation *c, struct kata_err *err)
{
	AUTO_FREE char *path = stand_in_path("kata-shim");
	struct strv env = { NULL, 0 };
	int tty = c->console.slave;
	struct proc_fd fds[6 + PROTO_PASSED_MAX] = {
		{ tty >= 0 ? tty : 0, 0 },
		{ tty >= 0 ? tty : 1, 1 },
		{ tty >= 0 ? tty : 2, 2 },
		{ c->shim_fd, SHIM_FD_CTL },
		{ c->bundle.rootfs_fd, SHIM_FD_ROOTFS },
	};
	struct shim_userns userns;
	struct stand_in_env e = {
		.process = c->bundle.spec->process,
		.hostname = c->bundle.spec->hostname,
		.own_root = oci_spec_ns(c->bundle.spec, OCI_NS_MOUNT) != NULL,
		.passed = c->passing.letters,
	};
	struct proc_spawn sp = PROC_SPAWN_INIT;
	int namespaces[OCI_NS_TYPES + 1];
	int rc = shim_userns_prepare(c, &userns, err);

	if (rc < 0)
		return rc;
	e.userns = userns.how;
	stand_in_env(&e, &env);
	sp.path = path;
	sp.argv = stand_in_argv(e.process);
	sp.envp = env.v;
	sp.fds = fds;
	sp.n_fds = passing_for_shim(&c->passing, fds, 5);
	if (userns.fd >= 0)
		fds[sp.n_fds++] = (struct proc_fd){ userns.fd, SHIM_FD_USERNS };
	sp.clone_flags = shim_clone_flags(c);
	sp.setns = namespaces;
	sp.n_setns = shim_setns(c, namespaces);
	/* of a container that joins a VM the cgroup is still to be made */
	if (c->cgroup)
		sp.cgroup_procs = cgroup_procs(c->cgroup, &sp.n_cgroup_procs);
	sp.new_session = true;
	sp.signals_wait = true;
	sp.ctty = tty >= 0 ? 0 : -1;
	rc = proc_spawn(&sp, &c->shim, err);
	shim_userns_given(&userns);
	strv_done(&env);
	return rc;
}

int spawn_shim(struct creation *c, struct kata_err *err)
{
	int rc = exec_shim(c, err);

	if (rc < 0)
		return rc;
	/* the shim and the sandbox have them now; ours would hide that one of them is gone */
	close(c->shim_fd);
	c->shim_fd = -1;
	if (c->console.slave >= 0)
		close(c->console.slave);
	c->console.slave = -1;
	return stand_in_record(c->shim.pid, &c->rec_shim, err);
}
