/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impl: what the files of cgroup/ share. Not for anyone else but their tests.
 */
#ifndef KATA_CGROUP_IMPL_H
#define KATA_CGROUP_IMPL_H

#include "cgroup/cgroup.h"

/** Where hierarchies are expected: v2 mounted here means that v1 is not used. */
#define CG_BASE "/sys/fs/cgroup"

#define CG_NAME_CGROUPFS "cgroupfs:"
#define CG_NAME_SYSTEMD "systemd:"

/* ---- host.c ---- */

/**
 * struct cg_hier - a hierarchy of the host that groups are made in.
 * @names: its controllers as mounted, "cpu,cpuacct"; "name=systemd"; "" for v2
 * @own:   the group of the process asked about, as a path below @mount
 */
struct cg_hier {
	const char *names, *mount, *own;
};

struct cg_host {
	struct cg_hier *v;
	size_t n;
	bool unified; /* v2 alone */
};

/**
 * cg_host_parse() - from the texts of /proc/self/mountinfo and /proc/PID/cgroup. Strings live
 * in @a. A host without any hierarchy: n = 0.
 */
void cg_host_parse(const char *mountinfo, const char *groups, const char *base,
		   struct arena *a, struct cg_host *ret);
/** cg_host_read() - this host's, "own" being the groups of process @who (0 = the caller). */
int cg_host_read(pid_t who, struct arena *a, struct cg_host *ret,
		 struct kata_err *err) MUST_CHECK;
/** cg_hier_has() - is @controller one of its names? */
bool cg_hier_has(const struct cg_hier *h, const char *controller);
/** cg_path_clean() - "/a/b" from any spelling of @path: no "..", nothing doubled; "/" alone for the top. */
char *cg_path_clean(struct arena *a, const char *path);

/** cg_name_of_path() - the name of the group @path: relative ones are below the caller's own. */
const char *cg_name_of_path(const struct cg_host *h, const char *path, struct arena *a);
/** cg_name_path() - which group @name means in @h, below its mount; NULL: @name is malformed. */
const char *cg_name_path(const char *name, const struct cg_hier *h, struct arena *a);

/* ---- cgroup.c ---- */

/**
 * struct cg_dir - the group's directory in one hierarchy.
 * @top_len: of @path, the length of the mount point
 * @procs:   cgroup.procs, for writing
 * @n_made:  directories that making it has made, from the last one up
 */
struct cg_dir {
	const struct cg_hier *hier;
	const char *path;
	size_t top_len;
	int fd, procs;
	unsigned n_made;
};

struct cgroup {
	struct arena *a, *host_arena;
	struct cg_host host;
	const char *name;
	struct cg_dir *dirs;
	size_t n_dirs;
	int *procs; /* the dirs' */
};

/**
 * cg_make_on(), cg_open_on(), cg_remove_on() - the same on a host that was read by the caller
 * and outlives the group. @check: refuse one that is in use.
 */
int cg_make_on(const struct cg_host *h, const char *name, pid_t first, bool check,
	       struct cgroup **ret, struct kata_err *err) MUST_CHECK;
int cg_open_on(const struct cg_host *h, const char *name, struct cgroup **ret,
	       struct kata_err *err) MUST_CHECK;
int cg_remove_on(const struct cg_host *h, const char *name,
		 struct kata_err *err) MUST_CHECK;
/** cg_await_empty_on() - until no process is in it, 1 s at most: -EBUSY. 0 when it is not there. */
int cg_await_empty_on(const struct cg_host *h, const char *name,
		      struct kata_err *err) MUST_CHECK;
/** cg_dir_of() - where @controller's files are, or NULL. */
const struct cg_dir *cg_dir_of(const struct cgroup *g, const char *controller);

/* ---- systemd.c ---- */

int cg_systemd_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		    struct kata_err *err) MUST_CHECK;
/** cg_systemd_start() - the unit, with @first in it; back when systemd has made it. */
int cg_systemd_start(const char *name, pid_t first, const struct jt_map *annotations,
		     const struct cg_host *h, struct kata_err *err) MUST_CHECK;
/** cg_systemd_stop() - 0 also when there is no such unit. */
int cg_systemd_stop(const char *name, struct kata_err *err) MUST_CHECK;
struct cg_plan;
struct cg_quota;
/** cg_systemd_set() - tell it of a plan, before the files are written: it writes them, too. */
int cg_systemd_set(const char *name, const struct cg_plan *p, const struct cg_quota *now,
		   struct kata_err *err) MUST_CHECK;
bool cg_systemd_built(void);

#endif
