// SPDX-License-Identifier: Apache-2.0
/*
 * netns: the network namespace that a spec names by path. It has to be one, and
 * not our own: a VM in the host's network namespace would put its cards into it. And what
 * a sandbox that was killed has left in one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "net/trace.h"
#include "verb/creation.h"

static int check_netns(int fd, const char *path, struct kata_err *err)
{
	struct stat ours, theirs;

	/* NS_GET_NSTYPE: Linux 4.11; ENOTTY on anything that is no namespace */
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(err, -EINVAL,
			       "linux.namespaces: %s is no network namespace", path);
	if (stat("/proc/self/ns/net", &ours) < 0 || fstat(fd, &theirs) < 0)
		return err_sys(err, "stat %s", path);
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return err_set(
			err, -ENOTSUP,
			"linux.namespaces: %s is the host's network, which cannot be given to a VM",
			path);
	return 0;
}

int netns_open(struct creation *c, struct kata_err *err)
{
	const struct oci_namespace *ns = oci_spec_ns(c->bundle.spec, OCI_NS_NETWORK);

	c->netns_given = ns && ns->path && ns->path[0];
	if (!c->netns_given)
		return 0;
	c->netns_fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (c->netns_fd < 0)
		return err_sys(err, "linux.namespaces: open %s", ns->path);
	return check_netns(c->netns_fd, ns->path, err);
}

void netns_clean(const char *root, const char *sandbox_id)
{
	AUTO_FREE char *path = store_sandbox_path(root, sandbox_id);
	AUTO_CLOSE int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kata_err err = { 0 };

	if (dir >= 0 && net_trace_undo(dir, &err) < 0)
		log_warn("%s", err.msg);
}

int netns_of_process(pid_t pid, struct kata_err *err)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) /* a zombie has no namespaces any more */
		return err_set(err, -ESRCH,
			       "kata-sandbox died while the container was made");
	return fd < 0 ? err_sys(err, "open %s", path) : fd;
}
