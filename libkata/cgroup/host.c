/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: which cgroup hierarchies there are, and what a group is called in each.
 *
 * As runc has it (libcontainer/cgroups/fs, 1.1): v2 mounted on /sys/fs/cgroup is used alone.
 * Else each v1 hierarchy with a controller that runc knows, name=systemd, and a v2 hierarchy
 * on /sys/fs/cgroup/unified (hybrid) which has no limits set but is joined.
 *
 * An absolute group is below the mount points, whatever part of the hierarchy they show (a
 * container's mounts show its own group). A relative one is below the caller's own group, which
 * is another in each v1 hierarchy; so a name can be of several lines:
 *
 *   cgroupfs:<path>             where no other line says otherwise
 *   <hierarchy>:<path>          one line each; a path has no newline, the kernel sees to that
 */
#include "cgroup/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "cgroup/unit.h"

#define MAX_PROC_FILE (4u << 20)
#define MAX_FIELDS 64u

/* libcontainer/cgroups/fs: subsystems */
static const char *const known[] = { "cpuset",	"devices",     "memory",     "cpu",
				     "cpuacct", "pids",	       "blkio",	     "hugetlb",
				     "net_cls", "net_prio",    "perf_event", "freezer",
				     "rdma",	"name=systemd" };

/* ---- words ---- */

static bool word_in_list(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

bool cg_hier_has(const struct cg_hier *h, const char *controller)
{
	return word_in_list(h->names, controller);
}

/** mountinfo writes space, tab, newline and backslash as \ooo. */
static char *unescape(struct arena *a, const char *s, size_t n)
{
	char *out = arena_alloc(a, n + 1), *p = out;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' && i + 3 < n) {
			*p++ = (char)((s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 |
				      (s[i + 3] - '0'));
			i += 3;
		} else {
			*p++ = s[i];
		}
	}
	return out;
}

char *cg_path_clean(struct arena *a, const char *path)
{
	AUTO_FREE char *clean = fs_abspath("/", path);

	return arena_strdup(a, clean);
}

/** "" for the top, else "/a/b": what is put behind a mount point. */
static const char *tail(const char *clean)
{
	return str_eq(clean, "/") ? "" : clean;
}

/* ---- /proc/PID/cgroup ---- */

/** The group in the hierarchy with these names; NULL when it is not listed. */
static const char *own_group(struct arena *a, const char *groups, const char *names)
{
	const char *line = groups, *colon, *second;
	size_t n;

	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		colon = memchr(line, ':', n);
		if (!colon)
			continue;
		second = memchr(colon + 1, ':', n - (size_t)(colon + 1 - line));
		if (second && (size_t)(second - colon - 1) == strlen(names) &&
		    memcmp(colon + 1, names, strlen(names)) == 0)
			return arena_strndup(a, second + 1,
					     n - (size_t)(second + 1 - line));
	}
	return NULL;
}

/**
 * @group as seen below a mount that shows @root as its top. In a container without a cgroup
 * namespace /proc/self/cgroup has the host's paths and the mounts show only a part.
 */
static const char *below_root(struct arena *a, const char *root, const char *group)
{
	const char *r = cg_path_clean(a, root), *g = cg_path_clean(a, group);

	if (str_eq(r, "/"))
		return g;
	if (!fs_is_below(g, r))
		return "/"; /* not visible here: the nearest that is */
	return g[strlen(r)] ? g + strlen(r) : "/";
}

/* ---- mountinfo ---- */

struct mount_line {
	const char *root, *where, *type, *options;
};

/* "36 35 98:0 /root /where rw,opts shared:1 - type source superopts" */
static bool split_line(struct arena *a, const char *line, size_t n, struct mount_line *m)
{
	const char *f[MAX_FIELDS];
	size_t len[MAX_FIELDS], n_f = 0, i = 0, dash = 0;

	while (i < n && n_f < MAX_FIELDS) {
		len[n_f] = 0;
		f[n_f] = line + i;
		while (i < n && line[i] != ' ') {
			i++;
			len[n_f]++;
		}
		if (!dash && n_f > 5 && len[n_f] == 1 && f[n_f][0] == '-')
			dash = n_f;
		n_f++;
		i++;
	}
	if (!dash || dash + 3 >= n_f)
		return false;
	m->root = unescape(a, f[3], len[3]);
	m->where = unescape(a, f[4], len[4]);
	m->type = arena_strndup(a, f[dash + 1], len[dash + 1]);
	m->options = arena_strndup(a, f[dash + 3], len[dash + 3]);
	return true;
}

/** "rw,cpu,cpuacct" -> "cpu,cpuacct" as /proc/PID/cgroup writes it; NULL: none that is used. */
static const char *v1_names(struct arena *a, const char *options, const char *groups)
{
	const char *line = groups, *names, *second;
	size_t n;

	/* the order of names in a hierarchy with several is that of /proc/PID/cgroup */
	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		names = memchr(line, ':', n);
		second = names ? strchr(names + 1, ':') : NULL;
		if (!second || second == names + 1)
			continue;
		names = arena_strndup(a, names + 1, (size_t)(second - names - 1));
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (word_in_list(names, known[i]) &&
			    word_in_list(options, known[i]))
				return names;
	}
	return NULL;
}

/** Mounted twice: the place that everyone looks at first, else the first. */
static void add_hier(struct cg_host *h, const struct cg_hier *one, const char *base)
{
	for (size_t i = 0; i < h->n; i++) {
		if (!str_eq(h->v[i].names, one->names))
			continue;
		if (!fs_is_below(h->v[i].mount, base) && fs_is_below(one->mount, base))
			h->v[i] = *one;
		return;
	}
	h->v[h->n++] = *one;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static struct cg_hier hier_of(struct arena *a, const char *names,
			      const struct mount_line *m, const char *groups)
{
	const char *own = own_group(a, groups, names);

	return (struct cg_hier){
		.names = names,
		.mount = m->where,
		.own = below_root(a, m->root, own ? own : "/"),
	};
}

void cg_host_parse(const char *mountinfo, const char *groups, const char *base,
		   struct arena *a, struct cg_host *ret)
{
	const char *line = mountinfo, *hybrid = arena_printf(a, "%s/unified", base);
	struct cg_hier v2 = { 0 }, hy = { 0 };
	struct mount_line m;
	const char *names;
	size_t n;

	*ret = (struct cg_host){ .v = arena_array(a, count_lines(mountinfo) + 1,
						  sizeof(*ret->v)) };
	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (!split_line(a, line, n, &m))
			continue;
		if (str_eq(m.type, "cgroup2")) {
			if (str_eq(m.where, hybrid))
				hy = hier_of(a, "", &m, groups);
			else if (!v2.mount || str_eq(m.where, base))
				v2 = hier_of(a, "", &m, groups);
		} else if (str_eq(m.type, "cgroup")) {
			names = v1_names(a, m.options, groups);
			if (names) {
				struct cg_hier one = hier_of(a, names, &m, groups);
				add_hier(ret, &one, base);
			}
		}
	}
	if (v2.mount && (ret->n == 0 || str_eq(v2.mount, base))) {
		ret->v[0] = v2;
		ret->n = 1;
		ret->unified = true;
	} else if (hy.mount) {
		ret->unified = ret->n == 0;
		ret->v[ret->n++] = hy;
	}
}

int cg_host_read(pid_t who, struct arena *a, struct cg_host *ret, struct kata_err *err)
{
	AUTO_FREE char *mounts = NULL, *groups = NULL;
	char path[64] = "/proc/self/cgroup";
	int r;

	if (who)
		snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)who);
	r = fs_read_at(AT_FDCWD, "/proc/self/mountinfo", MAX_PROC_FILE, &mounts, NULL);
	if (r < 0)
		return err_sys_code(err, r, "read /proc/self/mountinfo");
	r = fs_read_at(AT_FDCWD, path, MAX_PROC_FILE, &groups, NULL);
	if (r < 0)
		return err_sys_code(err, r, "read %s", path);
	cg_host_parse(mounts, groups, CG_BASE, a, ret);
	if (ret->n == 0)
		return err_set(err, -ENOENT,
			       "no cgroup hierarchy is mounted: mount one on %s",
			       CG_BASE);
	return 0;
}

/* ---- names ---- */

/** What stands for @h at the beginning of a line. */
static const char *label(const struct cg_hier *h)
{
	return *h->names ? h->names : "unified";
}

/** Where a relative path begins in @h. */
static const char *own_parent(const struct cg_host *host, const struct cg_hier *h,
			      struct arena *a)
{
	if (*h->names)
		return h->own;
	if (!host->unified)
		return "/"; /* hybrid, as runc */
	/* v2: processes are in leaves only, so beside the caller, not below it */
	return cg_path_clean(a, arena_printf(a, "%s/..", h->own));
}

const char *cg_name_of_path(const struct cg_host *host, const char *path, struct arena *a)
{
	const char *clean = tail(cg_path_clean(a, path)), *first = NULL, *one;
	struct buf b = { 0 };
	const char *name;

	for (size_t i = 0; i < host->n; i++) {
		one = clean;
		if (*path != '/')
			one = arena_printf(a, "%s%s",
					   tail(own_parent(host, &host->v[i], a)), clean);
		if (!first) {
			first = one;
			buf_addf(&b, CG_NAME_CGROUPFS "%s", one);
		} else if (!str_eq(first, one)) {
			buf_addf(&b, "\n%s:%s", label(&host->v[i]), one);
		}
	}
	name = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return name;
}

const char *cg_name_path(const char *name, const struct cg_hier *h, struct arena *a)
{
	const char *line = name, *what = label(h), *path = NULL;
	size_t n, len = strlen(what);
	struct cg_unit u;

	if (cg_unit_split(name, a, &u))
		return cg_unit_path(&u, a);
	if (!str_has_prefix(name, CG_NAME_CGROUPFS))
		return NULL;
	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (!path)
			path = arena_strndup(a, line + strlen(CG_NAME_CGROUPFS),
					     n - strlen(CG_NAME_CGROUPFS));
		else if (n > len && memcmp(line, what, len) == 0 && line[len] == ':')
			return cg_path_clean(
				a, arena_strndup(a, line + len + 1, n - len - 1));
	}
	return *path == '/' ? cg_path_clean(a, path) : NULL;
}
