// SPDX-License-Identifier: Apache-2.0
/*
 * netns: the network namespace that a spec names by path. It has to be one, not our own (a VM in
 * the host's network namespace would take its traffic) and nobody else's, if there is any traffic to
 * take. And what a sandbox that was killed has left in one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "net/trace.h"
#include "verb/creation.h"

static bool is_at(const char *path, const struct stat *ns)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == ns->st_dev && st.st_ino == ns->st_ino;
}

static int check_netns(int fd, const char *path, struct kata_err *err)
{
	struct stat st;

	/* NS_GET_NSTYPE: Linux 4.11; ENOTTY on anything that is no namespace */
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(err, -EINVAL,
			       "linux.namespaces: %s is no network namespace", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "stat %s", path);
	/* the caller's own, and that of the machine, should the caller have another */
	if (is_at("/proc/self/ns/net", &st) || is_at("/proc/1/ns/net", &st))
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

/* --- is it anybody's? -------------------------------------------------------------------- */

/*
 * With all its threads. Programs in Go (podman, containerd) make and enter namespaces in threads that they
 * then give up; their first one cannot be ended, and stays there, asleep, as long as the program lives.
 */
static bool lives_in(int pid, const struct stat *ns)
{
	AUTO_FREE char *tasks = mem_printf("/proc/%d/task", pid);
	DIR *dir = opendir(tasks);
	bool some = false, all = true;
	struct dirent *d;

	while (dir && all && (d = readdir(dir))) {
		AUTO_FREE char *path = mem_printf("%s/%s/ns/net", tasks, d->d_name);

		if (d->d_name[0] == '.')
			continue;
		some = true;
		all = is_at(path, ns);
	}
	if (dir)
		closedir(dir);
	return some && all;
}

/* Return: a process that lives in @ns, 0 = nobody that we may look at. */
static pid_t find_user(const struct stat *ns)
{
	DIR *proc = opendir("/proc");
	pid_t found = 0;
	struct dirent *d;

	while (proc && found == 0 && (d = readdir(proc))) {
		uint64_t pid;

		if (str_to_u64(d->d_name, 1, INT32_MAX, &pid) == 0 &&
		    lives_in((int)pid, ns))
			found = (pid_t)pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* Into @arg, a name's buffer: an interface that a VM would be given. */
static int find_interface(void *arg, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	AUTO_NL *sk = NULL;
	struct net_scan s;
	int r = nl_open(&sk, err);

	if (r == 0)
		r = net_scan(sk, a, &s, err);
	for (size_t i = 0; r == 0 && i < s.n_links; i++)
		if (net_is_guests(&s.links[i], NULL, 0))
			str_copy(arg, IFNAMSIZ, s.links[i].name);
	return r;
}

int netns_check_free(struct creation *c, struct kata_err *err)
{
	AUTO_FREE char *comm = NULL;
	char name[IFNAMSIZ] = "", path[64];
	struct stat st;
	size_t len = 0;
	pid_t user;
	int r;

	if (!c->netns_given || c->membership.host)
		return 0;
	if (fstat(c->netns_fd, &st) < 0)
		return err_sys(err, "stat a network namespace");
	user = find_user(&st);
	r = user ? netns_run(c->netns_fd, find_interface, name, err) : 0;
	if (r < 0 || !name[0])
		return r;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)user);
	if (fs_read_at(AT_FDCWD, path, 64, &comm, &len) == 0)
		comm[strcspn(comm, "\n")] = 0;
	return err_set(
		err, -EBUSY,
		"linux.namespaces: %s is in use by process %d (%s), whose traffic on "
		"%s the VM would take",
		oci_spec_ns(c->bundle.spec, OCI_NS_NETWORK)->path, (int)user,
		comm ? comm : "?", name);
}

/* --- what is left ------------------------------------------------------------------------ */

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
