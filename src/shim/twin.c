// SPDX-License-Identifier: Apache-2.0
/*
 * twin: engines look at the container through /proc/<our pid>. `podman cp` and
 * `container:` joins go through root and ns/mnt, docker top through comm and
 * the command line, and the UTS namespace is joined by path.
 *
 * The namespaces are there already (kata-runtime's proc_spawn); what is in them
 * is our work. Nothing of it makes the container any safer: that is the VM's job.
 */
#include "twin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/ctl.h"

/*
 * The descriptor was opened in kata-runtime's mount namespace, and the kernel
 * clones mounts of the caller's own namespace only (open_tree: -EINVAL). So its
 * path is looked up again here, where the copied mounts are, and has to lead to
 * the same directory.
 */
static int reopen_here(int rootfs, struct kata_err *err)
{
	char link[32], path[PATH_MAX];
	struct stat want, got;
	AUTO_CLOSE int fd = -1;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", rootfs);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return err_sys(err, "read %s", link);
	path[n] = '\0';
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(rootfs, &want) < 0 || fstat(fd, &got) < 0)
		return err_sys(err, "stat %s", path);
	if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
		return err_set(err, -ESTALE,
			       "%s is another directory in the shim's mount namespace",
			       path);
	return TAKE_FD(fd);
}

/*
 * Slave first: what we mount stays with us, what the host unmounts goes away
 * here too, so that we never keep a host file system busy. The rootfs is cloned
 * onto itself because pivot_root wants a mount point, and pivot_root(".", ".")
 * stacks the old root on the new one, from where it is detached: no directory
 * for it has to exist in the container.
 */
static int enter_root(int rootfs, struct kata_err *err)
{
	AUTO_CLOSE int dir = -1, tree = -1;

	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(err, "make mounts private");
	dir = reopen_here(rootfs, err);
	if (dir < 0)
		return dir;
	tree = (int)syscall(SYS_open_tree, dir, "",
			    AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
				    OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_sys(err, "clone the rootfs mount");
	if (syscall(SYS_move_mount, tree, "", dir, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "attach the rootfs mount");
	if (fchdir(tree) < 0)
		return err_sys(err, "enter the rootfs");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, "detach the host's root");
	return 0;
}

/*
 * `podman top` joins our mount namespace and looks for us in /proc. Only in a pid namespace of our own
 * is it the container's; a rootfs without the directory goes without.
 */
static int mount_proc(struct kata_err *err)
{
	if (getpid() != 1)
		return 0;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
	    errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, "mount proc at the rootfs's /proc");
	return 0;
}

/*
 * As pid 1 of its namespace the shim inherits what joins it by nsenter and
 * loses its parent; ignoring SIGCHLD has the kernel reap them.
 */
static int reap_by_kernel(struct kata_err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (sigaction(SIGCHLD, &ignore, NULL) < 0)
		return err_sys(err, "ignore SIGCHLD");
	return 0;
}

int shim_twin(const struct shim_plan *plan, int rootfs, struct kata_err *err)
{
	int rc = reap_by_kernel(err);

	if (rc < 0)
		return rc;
	if (*plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return err_sys(err, "set host name \"%s\"", plan->hostname);
	if (*plan->comm && prctl(PR_SET_NAME, plan->comm) < 0)
		return err_sys(err, "set comm");
	if (plan->own_root) {
		rc = enter_root(rootfs, err);
		if (rc == 0)
			rc = mount_proc(err);
		if (rc < 0)
			return err_ctx(err, "make the rootfs visible in /proc");
	}
	if (chdir("/") < 0)
		return err_sys(err, "chdir to /");
	return 0;
}

int shim_twin_user(const struct shim_plan *plan, int fd, struct kata_err *err)
{
	int rc = 0;

	if (!*plan->userns)
		return 0;
	if (str_eq(plan->userns, SHIM_USERNS_JOIN))
		rc = setns(fd, CLONE_NEWUSER);
	else
		rc = unshare(CLONE_NEWUSER);
	if (rc < 0)
		return err_sys(err, "enter the user namespace");
	/* of a new one this says that it wants its maps */
	close(fd);
	return 0;
}
