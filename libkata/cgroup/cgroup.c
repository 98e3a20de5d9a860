/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup: the group's directories: made, opened, joined, removed. What is written into them is
 * apply.c's.
 *
 * A group is made in all hierarchies before a process joins any: a failure then leaves nothing
 * but directories to take away again. A process that has joined some of them when one refuses
 * is put back where it was.
 */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fs.h"
#include "base/loop.h"
#include "base/proc.h"
#include "base/str.h"
#include "cgroup/impl.h"

#define MAX_FILE (1u << 20)
#define MAX_DEPTH 64u
/* how long a group may take to become empty, and the step where nobody tells */
#define REMOVE_MS 1000
#define REMOVE_STEP_MS 10

/* ---- names ---- */

int cgroup_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		struct kata_err *err)
{
	const char *path = ask->path && *ask->path ? ask->path : ask->id;
	struct cg_host host;
	int r;

	if (ask->manager == CGROUP_DISABLED) {
		*ret_name = "";
		return 0;
	}
	if (strchr(path, '\n'))
		return err_set(err, -EINVAL,
			       "linux.cgroupsPath: must not have a newline in it");
	if (ask->manager == CGROUP_SYSTEMD)
		return cg_systemd_name(ask, a, ret_name, err);
	if (str_eq(cg_path_clean(a, path), "/"))
		return err_set(
			err, -EINVAL,
			"linux.cgroupsPath: \"%s\" is the root group, must be one below it",
			path);
	r = cg_host_read(0, a, &host, err);
	if (r < 0)
		return r;
	*ret_name = cg_name_of_path(&host, path, a);
	return 0;
}

/* ---- directories ---- */

/** All directories of the group, not yet opened. */
static int plan_dirs(struct cgroup *g, const struct cg_host *h, const char *name,
		     struct kata_err *err)
{
	const char *path;

	g->a = arena_new();
	g->host = *h;
	g->name = arena_strdup(g->a, name);
	g->dirs = arena_array(g->a, h->n, sizeof(*g->dirs));
	g->procs = arena_array(g->a, h->n, sizeof(*g->procs));
	for (size_t i = 0; i < h->n; i++) {
		const struct cg_hier *hier = &h->v[i];

		path = cg_name_path(name, hier, g->a);
		if (!path || str_eq(path, "/"))
			return err_set(err, -EINVAL, "cgroup \"%s\": not a name of ours",
				       name);
		g->dirs[i] = (struct cg_dir){
			.hier = hier,
			.path = arena_printf(g->a, "%s%s", hier->mount, path),
			.top_len = strlen(hier->mount),
			.fd = -1,
			.procs = -1,
		};
	}
	g->n_dirs = h->n;
	return 0;
}

static struct cgroup *group_new(void)
{
	return mem_zalloc(sizeof(struct cgroup));
}

void cgroup_free(struct cgroup *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_dirs; i++) {
		fd_closep(&g->dirs[i].fd);
		fd_closep(&g->dirs[i].procs);
	}
	arena_free(g->a);
	arena_free(g->host_arena);
	free(g);
}

static int open_dir(struct cg_dir *d)
{
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		return -errno;
	d->procs = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return d->procs < 0 ? -errno : 0;
}

int cg_open_on(const struct cg_host *h, const char *name, struct cgroup **ret,
	       struct kata_err *err)
{
	AUTO(cgroup) *g = group_new();
	size_t n = 0;
	int r;

	r = plan_dirs(g, h, name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < h->n; i++) {
		r = open_dir(&g->dirs[i]);
		if (r == -ENOENT)
			continue; /* a hierarchy that was mounted since */
		if (r < 0)
			return err_sys_code(err, r, "open %s", g->dirs[i].path);
		if (n != i) {
			g->dirs[n] = g->dirs[i];
			g->dirs[i].fd = g->dirs[i].procs = -1;
		}
		g->procs[n] = g->dirs[n].procs;
		n++;
	}
	g->n_dirs = n;
	if (n == 0)
		return err_set(err, -ENOENT, "cgroup %s: no such group", name);
	*ret = TAKE_PTR(g);
	return 0;
}

int cgroup_open(const char *name, struct cgroup **ret, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct cg_host host;
	int r;

	if (!*name) {
		*ret = group_new();
		return 0;
	}
	r = cg_host_read(0, a, &host, err);
	if (r < 0)
		return r;
	r = cg_open_on(&host, name, ret, err);
	if (r == 0)
		(*ret)->host_arena = TAKE_PTR(a);
	return r;
}

/* ---- making ---- */

/** cpuset of v1: a group without processors and nodes takes no process; the parent's are copied. */
static int fill_cpuset(int fd, const char *path, struct kata_err *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO_FREE char *own = NULL, *above = NULL;
		AUTO_FREE char *up = mem_printf("../%s", files[i]);

		r = fs_read_at(fd, files[i], MAX_FILE, &own, NULL);
		if (r == 0 && own[strspn(own, " \n")])
			continue;
		if (r == 0)
			r = fs_read_at(fd, up, MAX_FILE, &above, NULL);
		if (r == 0)
			r = fs_write_str(fd, files[i], above);
		if (r < 0)
			return err_sys_code(err, r, "copy %s of the parent to %s/%s",
					    files[i], path, files[i]);
	}
	return 0;
}

/** v2: hand the controllers on to what is below it. Those that refuse are missed later, by name. */
static void hand_on(int fd)
{
	AUTO_FREE char *have = NULL;
	char *word, *rest;
	int r = fs_read_at(fd, "cgroup.controllers", MAX_FILE, &have, NULL);

	for (word = r == 0 ? strtok_r(have, " \n", &rest) : NULL; word;
	     word = strtok_r(NULL, " \n", &rest)) {
		AUTO_FREE char *plus = mem_printf("+%s", word);

		/* one by one: a single one that cannot be had takes the others with it */
		if (fs_write_str(fd, "cgroup.subtree_control", plus) < 0)
			continue;
	}
}

/**
 * Make @d and what is missing above it. The first that was made goes to d->made: taking it away
 * means everything from there on.
 */
static int make_dir(struct cg_dir *d, struct kata_err *err)
{
	AUTO_FREE char *path = mem_strdup(d->path);
	size_t at = d->top_len;
	bool v2 = !*d->hier->names;
	bool cpuset = cg_hier_has(d->hier, "cpuset");
	int r = 0;

	while (r == 0) {
		AUTO_CLOSE int fd = -1;
		char end = path[at];

		path[at] = '\0';
		if (at > d->top_len && mkdir(path, 0755) == 0) {
			d->n_made++;
		} else if (at > d->top_len && errno != EEXIST) {
			return err_sys(err, "mkdir %s", path);
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open %s", path);
		if (cpuset && at > d->top_len)
			r = fill_cpuset(fd, path, err);
		if (v2 && end)
			hand_on(fd);
		path[at] = end;
		if (!end)
			break;
		at += 1 + strcspn(path + at + 1, "/");
	}
	return r;
}

static void unmake_dir(const struct cg_dir *d)
{
	AUTO_FREE char *path = mem_strdup(d->path);

	for (unsigned i = 0; i < d->n_made; i++) {
		if (rmdir(path) < 0)
			return;
		*strrchr(path, '/') = '\0';
	}
}

static unsigned count_words(const char *s)
{
	unsigned n = 0;

	while (*s) {
		s += strspn(s, " \n");
		n += *s != '\0';
		s += strcspn(s, " \n");
	}
	return n;
}

/** Processes in it; a group of threads (v2) has some. */
static int count_procs(int fd, unsigned *ret)
{
	AUTO_FREE char *pids = NULL;
	int r = fs_read_at(fd, "cgroup.procs", MAX_FILE, &pids, NULL);

	if (r == -EOPNOTSUPP)
		r = fs_read_at(fd, "cgroup.threads", MAX_FILE, &pids, NULL);
	if (r < 0)
		return r;
	*ret = count_words(pids);
	return 0;
}

static bool is_frozen(const struct cg_dir *d)
{
	AUTO_FREE char *state = NULL;

	if (!*d->hier->names)
		return fs_read_at(d->fd, "cgroup.freeze", 16, &state, NULL) == 0 &&
		       *state == '1';
	return fs_read_at(d->fd, "freezer.state", 16, &state, NULL) == 0 &&
	       !str_has_prefix(state, "THAWED");
}

/** One that was there before us: runc 1.2 takes no group that is in use. */
static int check_unused(const struct cg_dir *d, struct kata_err *err)
{
	unsigned n = 0;
	int r;

	if (d->n_made)
		return 0;
	r = count_procs(d->fd, &n);
	if (r < 0)
		return err_sys_code(err, r, "read %s/cgroup.procs", d->path);
	if (n)
		return err_set(
			err, -EBUSY,
			"container's cgroup is not empty: %u process(es) found in %s", n,
			d->path);
	if (is_frozen(d))
		return err_set(
			err, -EBUSY,
			"container's cgroup unexpectedly frozen: thaw or remove %s",
			d->path);
	return 0;
}

/** Put @pid back into the groups it came from, as far as it joined ours. */
static void put_back(const struct cg_host *was, pid_t pid)
{
	AUTO_FREE char *text = mem_printf("%ld", (long)pid);

	for (size_t i = 0; i < was->n; i++) {
		AUTO_FREE char *procs = mem_printf("%s%s/cgroup.procs", was->v[i].mount,
						   was->v[i].own);

		if (fs_write_str(AT_FDCWD, procs, text) < 0)
			continue; /* the caller kills it */
	}
}

static int join(const struct cgroup *g, pid_t pid, struct kata_err *err)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%ld", (long)pid);
	for (size_t i = 0; i < g->n_dirs; i++) {
		r = fs_write_str(g->dirs[i].fd, "cgroup.procs", text);
		if (r == -EBUSY && !*g->dirs[i].hier->names)
			return err_set(
				err, r,
				"%s: has groups below it with controllers, so no process can be in it",
				g->dirs[i].path);
		if (r < 0)
			return err_sys_code(err, r, "move process %s to %s", text,
					    g->dirs[i].path);
	}
	return 0;
}

static int make_all(struct cgroup *g, bool check, struct kata_err *err)
{
	int r = 0;

	for (size_t i = 0; i < g->n_dirs && r == 0; i++) {
		struct cg_dir *d = &g->dirs[i];

		r = make_dir(d, err);
		if (r < 0)
			break;
		r = open_dir(d);
		if (r < 0)
			r = err_sys_code(err, r, "open %s/cgroup.procs", d->path);
		g->procs[i] = d->procs;
		if (r == 0 && check)
			r = check_unused(d, err);
	}
	return r;
}

int cg_make_on(const struct cg_host *h, const char *name, pid_t first, bool check,
	       struct cgroup **ret, struct kata_err *err)
{
	AUTO(cgroup) *g = group_new();
	AUTO(arena) *a = arena_new();
	struct cg_host was = { 0 };
	int r;

	r = plan_dirs(g, h, name, err);
	if (r < 0)
		return r;
	r = make_all(g, check, err);
	if (r == 0 && first)
		r = cg_host_read(first, a, &was, err);
	if (r == 0 && first) {
		r = join(g, first, err);
		if (r < 0)
			put_back(&was, first);
	}
	if (r < 0) {
		for (size_t i = 0; i < g->n_dirs; i++)
			unmake_dir(&g->dirs[i]);
		return r;
	}
	*ret = TAKE_PTR(g);
	return 0;
}

/** Our own failure is what the caller hears of. */
static void abandon(const char *name)
{
	struct kata_err ignored;

	if (cg_systemd_stop(name, &ignored) < 0)
		err_done(&ignored);
}

int cgroup_make(const char *name, pid_t first, const struct jt_map *annotations,
		struct cgroup **ret, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	bool systemd = str_has_prefix(name, CG_NAME_SYSTEMD);
	struct cg_host host;
	int r;

	if (!*name) {
		*ret = group_new();
		return 0;
	}
	r = cg_host_read(0, a, &host, err);
	if (r == 0 && systemd)
		r = cg_systemd_start(name, first, annotations, &host, err);
	if (r == 0) {
		/* systemd has put the process there already */
		r = cg_make_on(&host, name, first, !systemd, ret, err);
		if (r < 0 && systemd)
			abandon(name);
	}
	if (r == 0)
		(*ret)->host_arena = TAKE_PTR(a);
	return r;
}

const int *cgroup_procs(const struct cgroup *g, size_t *ret_n)
{
	*ret_n = g->n_dirs;
	return g->procs;
}

const struct cg_dir *cg_dir_of(const struct cgroup *g, const char *controller)
{
	for (size_t i = 0; i < g->n_dirs; i++)
		if (g->host.unified || cg_hier_has(g->dirs[i].hier, controller))
			return &g->dirs[i];
	return NULL;
}

int cgroup_memory_dir(const struct cgroup *g)
{
	const struct cg_dir *d = cg_dir_of(g, "memory");

	return d ? d->fd : -1;
}

/* ---- removing ---- */

/** The processes that are still in @fd: wait until one of them has ended, @ms at most. */
static void wait_for_leaver(int fd, int ms)
{
	AUTO_FREE char *pids = NULL;
	AUTO_CLOSE int pidfd = -1;
	int64_t pid;

	if (fs_read_at(fd, "cgroup.procs", MAX_FILE, &pids, NULL) == 0) {
		pids[strcspn(pids, "\n")] = '\0';
		if (str_to_i64(pids, 1, INT32_MAX, &pid) == 0)
			pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	}
	if (pidfd >= 0 && proc_wait_ms(pidfd, ms) != 0)
		return;
	/* its end is told before it has left (Linux 6.19), and v1 tells of no leaving */
	poll(NULL, 0, ms < REMOVE_STEP_MS ? ms : REMOVE_STEP_MS);
}

static int remove_group(int parent, const char *name, unsigned depth, uint64_t until_ms);

static int remove_below(int fd, unsigned depth, uint64_t until_ms)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		r = -errno;
		fd_closep(&copy);
		return r;
	}
	while (r == 0 && (e = readdir(dir)))
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") &&
		    !str_eq(e->d_name, ".."))
			r = remove_group(fd, e->d_name, depth + 1, until_ms);
	closedir(dir);
	return r;
}

static int remove_group(int parent, const char *name, unsigned depth, uint64_t until_ms)
{
	AUTO_CLOSE int fd = -1;
	uint64_t now;
	int r;

	for (;;) {
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		if (fd < 0)
			fd = openat(parent, name,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		r = depth < MAX_DEPTH ? remove_below(fd, depth, until_ms) : -ELOOP;
		if (r < 0)
			return r;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		now = loop_now_us() / 1000;
		if (now >= until_ms)
			return -EBUSY;
		wait_for_leaver(fd, (int)(until_ms - now));
	}
}

int cg_await_empty_on(const struct cg_host *h, const char *name, struct kata_err *err)
{
	AUTO(cgroup) *g = NULL;
	uint64_t until_ms = loop_now_us() / 1000 + REMOVE_MS, now;
	unsigned n = 0;
	int r = cg_open_on(h, name, &g, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < g->n_dirs; i++) {
		while (count_procs(g->dirs[i].fd, &n) == 0 && n) {
			now = loop_now_us() / 1000;
			if (now >= until_ms)
				return err_set(err, -EBUSY,
					       "cgroup %s: %u process(es) are in it",
					       g->dirs[i].path, n);
			wait_for_leaver(g->dirs[i].fd, (int)(until_ms - now));
		}
	}
	return 0;
}

int cg_remove_on(const struct cg_host *h, const char *name, struct kata_err *err)
{
	AUTO(cgroup) *g = group_new();
	uint64_t until_ms = loop_now_us() / 1000 + REMOVE_MS;
	int r, ret = 0;

	r = plan_dirs(g, h, name, err);
	if (r < 0)
		return r;
	/* one that cannot go is no reason to leave the others */
	for (size_t i = 0; i < g->n_dirs; i++) {
		r = remove_group(AT_FDCWD, g->dirs[i].path, 0, until_ms);
		if (r < 0 && ret == 0)
			ret = err_sys_code(err, r, "remove cgroup %s", g->dirs[i].path);
	}
	return ret;
}

int cgroup_remove(const char *name, struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct cg_host host;
	int r;

	if (!*name)
		return 0;
	r = cg_host_read(0, a, &host, err);
	if (r == 0 && str_has_prefix(name, CG_NAME_SYSTEMD)) {
		/* stopping a unit kills what is in it: that is not for us to do */
		r = cg_await_empty_on(&host, name, err);
		if (r == 0)
			r = cg_systemd_stop(name, err);
	}
	return r < 0 ? r : cg_remove_on(&host, name, err);
}
