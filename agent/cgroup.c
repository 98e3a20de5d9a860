// SPDX-License-Identifier: Apache-2.0
/*
 * cgroup: the guest's cgroup2 tree. A container may make subgroups (a systemd inside does), so
 * whatever is done to a group is done to the tree below it.
 *
 * Knows nothing of limits (resources.c), nor of containers.
 */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

/** Deeper trees are left to the kernel's cgroup.kill. */
#define CGROUP_DEPTH 64
/** Longest cgroup.procs we read. */
#define CGROUP_PROCS_MAX (4u << 20)
/** Longest file of keys and numbers. */
#define CGROUP_KEYS_MAX (64u << 10)

struct cgroup_name {
	char s[16];
};

static struct cgroup_name cgroup_name(uint32_t number)
{
	struct cgroup_name n;

	snprintf(n.s, sizeof(n.s), "c%u", number);
	return n;
}

/* All at once; a controller that is refused must not cost the others. */
void cgroup_enable(int root_fd)
{
	AUTO_FREE char *text = NULL;
	char *rest, *word;
	size_t len;

	if (fs_read_at(root_fd, "cgroup.controllers", 4096, &text, &len) < 0)
		return;
	rest = text;
	while ((word = strsep(&rest, " \n"))) {
		char add[64];

		snprintf(add, sizeof(add), "+%s", word);
		/* whoever needs it will miss its files, and can say for what */
		if (*word &&
		    fs_write_str(root_fd, "cgroup.subtree_control", add) == -ENOENT)
			return;
	}
}

int cgroup_make(int root_fd, uint32_t number, struct kata_err *err)
{
	struct cgroup_name name = cgroup_name(number);
	int fd;

	if (mkdirat(root_fd, name.s, 0755) < 0 && errno != EEXIST)
		return err_sys(err, "make cgroup %s", name.s);
	fd = openat(root_fd, name.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open cgroup %s", name.s);
	return fd;
}

int cgroup_open_of(int fd, uint32_t number, pid_t pid)
{
	AUTO_FREE char *name = mem_printf("/c%u/", number);
	char file[32];
	AUTO_FREE char *text = NULL;
	char *line, *rest, *below;
	size_t len;
	int r;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	r = fs_read_at(AT_FDCWD, file, CGROUP_KEYS_MAX, &text, &len);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		below = str_has_prefix(line, "0::") ? strstr(line, name) : NULL;
		if (below) {
			r = openat(fd, below + strlen(name),
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			return r < 0 ? -errno : r;
		}
	}
	return -ENOENT;
}

/*
 * Calls fn for each subgroup of @fd. The directory is read again from its start after each
 * removal, therefore no offset is kept: fn may remove what it is given.
 */
static int each_subgroup(int fd, int (*fn)(int fd, const char *name, int arg, int depth),
			 int arg, int depth)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int r = 0;
	DIR *d;

	if (copy < 0)
		return -errno;
	d = fdopendir(copy);
	if (!d) {
		close(copy);
		return -ENOMEM;
	}
	while ((e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		r = fn(fd, e->d_name, arg, depth);
		if (r < 0)
			break;
	}
	closedir(d);
	return r;
}

static int remove_group(int dirfd, const char *name, int arg, int depth)
{
	AUTO_CLOSE int fd = openat(dirfd, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (depth >= CGROUP_DEPTH)
		return -ELOOP;
	r = each_subgroup(fd, remove_group, arg, depth + 1);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(int root_fd, uint32_t number)
{
	return remove_group(root_fd, cgroup_name(number).s, 0, 0);
}

bool cgroup_populated(int fd)
{
	uint64_t n;

	return cgroup_read_key(fd, "cgroup.events", "populated", &n) < 0 || n != 0;
}

int cgroup_freeze(int fd, bool freeze)
{
	return fs_write_str(fd, "cgroup.freeze", freeze ? "1" : "0");
}

int cgroup_frozen(int fd)
{
	uint64_t n;
	int r = cgroup_read_key(fd, "cgroup.events", "frozen", &n);

	return r < 0 ? r : n != 0;
}

int cgroup_read_key(int fd, const char *file, const char *key, uint64_t *ret)
{
	AUTO_FREE char *text = NULL;
	char *rest, *line;
	size_t len;
	int r = fs_read_at(fd, file, CGROUP_KEYS_MAX, &text, &len);

	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *word = strsep(&line, " ");

		if (line && str_eq(word, key))
			return str_to_u64(line, 0, UINT64_MAX, ret);
	}
	return -ENODATA;
}

int cgroup_kill(int fd)
{
	int r = fs_write_str(fd, "cgroup.kill", "1");

	/* before Linux 5.14 */
	return r == -ENOENT ? cgroup_signal(fd, SIGKILL) : r;
}

/* One group's own processes; adds to the number of signals sent. */
static int signal_procs(int fd, int sig)
{
	AUTO_FREE char *text = NULL;
	char *line, *rest;
	size_t len;
	int sent = 0, r = fs_read_at(fd, "cgroup.procs", CGROUP_PROCS_MAX, &text, &len);

	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		int64_t pid;

		/* 0: a process of an outer pid namespace */
		if (str_to_i64(line, 1, INT32_MAX, &pid) == 0 &&
		    kill((pid_t)pid, sig) == 0)
			sent = 1;
	}
	return sent;
}

static int signal_group(int dirfd, const char *name, int arg, int depth);

static int signal_tree(int fd, int sig, int depth)
{
	int own = signal_procs(fd, sig), below;

	if (own < 0)
		return own;
	if (depth >= CGROUP_DEPTH)
		return own;
	below = each_subgroup(fd, signal_group, sig, depth + 1);
	return below < 0 ? below : own;
}

static int signal_group(int dirfd, const char *name, int arg, int depth)
{
	AUTO_CLOSE int fd = openat(dirfd, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : signal_tree(fd, arg, depth);

	/* removed while we looked */
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

int cgroup_signal(int fd, int sig)
{
	bool any = cgroup_populated(fd);
	int r = signal_tree(fd, sig, 0);

	if (r < 0)
		return r;
	return any ? 0 : -ESRCH;
}
