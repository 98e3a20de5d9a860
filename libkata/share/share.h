/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: the directory tree that the guest sees through virtio-fs.
 *
 * kata-sandbox lives in a private mount namespace. share_open() puts a tmpfs
 * over <dir>/share there; rootfs and bind sources are bound below it, read-only
 * ones with a read-only bind that the host enforces. When the sandbox dies the
 * namespace goes and all binds with it: nothing to leak.
 *
 *   share/c<n>/rootfs          the container's root
 *   share/c<n>/m<i>            source of mounts[i] (directory or file)
 *   share/c<n>/x<p>-<i>        what process p gets as descriptor 3 + i
 */
#ifndef KATA_SHARE_SHARE_H
#define KATA_SHARE_SHARE_H

#include "base/err.h"
#include "base/proc.h"
#include "base/str.h"
#include "conf/conf.h"
#include "oci/spec.h"

/** struct share_map - owners of files: struct oci_id_map each; none = as they are. @what: JSON path. */
struct share_map {
	struct jt_objv uids, gids;
	bool recursive; /* mounts below too ("ridmap") */
	const char *what;
};

/**
 * struct share_bind - one entry of the plan: bind @source at share/@target.
 * @overlay: a new overlay with these options ("lowerdir=/a:/b") is put there instead
 */
struct share_bind {
	const char *source; /* absolute host path */
	const char *target; /* relative: "c1/rootfs", "c1/m3" */
	bool readonly;
	bool readonly_below; /* mounts below it too ("rro") */
	bool recursive;	     /* rbind */
	bool alone;	     /* private: what the host mounts later does not arrive */
	bool must_be_dir;    /* the root */
	const char *what;    /* JSON path for errors: "mounts[3].source" */
	struct jt_strv overlay;
	struct share_map map;
};

/** struct share_point - a mount point made in a read-only root before it becomes read-only. */
struct share_point {
	const char *path; /* in the container */
	int like; /* index of the bind whose kind (directory or file) it has, or: */
};
enum { POINT_DIRECTORY = -1, POINT_FILE = -2 };

struct share_plan {
	struct share_bind *binds; /* [0] is the root */
	size_t n;
	struct share_point
		*points; /* only for a read-only root; otherwise the guest makes them */
	size_t n_points;
};

/** share_plan_make() - pure. @number: the container's number in its VM; @rootfs absolute. */
int share_plan_make(const struct oci_spec *spec, const char *bundle, const char *rootfs,
		    unsigned number, struct arena *a, struct share_plan *ret_plan,
		    struct kata_err *err) MUST_CHECK;

/** enum share_kind - who has what an entry of mounts[] is about. */
enum share_kind {
	SHARE_NOT,  /* a file system that the guest makes */
	SHARE_BIND, /* a bind of a path of the host */
	SHARE_GUEST, /* a bind of what the guest has itself: standard devices, /dev, /proc, /sys */
	SHARE_OVERLAY, /* an overlay of directories of the host, mounted there */
};

/** share_kind() - by type ("bind"), options ("bind", "rbind") and source. */
enum share_kind share_kind(const struct oci_mount *m);
/** share_is_shared() - has it an entry in the shared tree? */
bool share_is_shared(const struct oci_mount *m);

/**
 * share_open() - tmpfs at @dirfd/share; returns its descriptor. Caller is in a private mount namespace.
 * Its own files are read-only to whoever binds it later (virtiofsd), and binds made after
 * that reach them all the same: it is a shared mount.
 */
int share_open(int dirfd, struct kata_err *err) MUST_CHECK;
/**
 * share_apply() - bind everything of the plan; on failure what it did is undone.
 * @mounts: mount namespace in which the sources are looked up, -1 = the own; the process
 * has one thread.
 */
int share_apply(int sharefd, int mounts, const struct share_plan *plan,
		struct kata_err *err) MUST_CHECK;
/** share_remove() - lazily unmount and remove share/c<n>. */
int share_remove(int sharefd, unsigned number) MUST_CHECK;

/**
 * share_clone() - the open file or directory @fd as a mount that is nowhere yet, in the mount
 * namespace of the caller, which is that of @fd. Return: its descriptor or -errno (-EINVAL: of
 * another namespace, or of none).
 */
int share_clone(int fd, bool readonly) MUST_CHECK;

/**
 * share_facts() - struct shared_mount of container @number: what lies below its binds, parents
 * first, and what has attributes; memory from @a. -E2BIG beyond SHARED_MAX.
 * share_facts_parse() - the same of the text of a mountinfo, which it changes; @dir: the shared tree. Pure.
 */
int share_facts(int sharefd, unsigned number, struct arena *a, struct jt_objv *ret,
		struct kata_err *err) MUST_CHECK;
int share_facts_parse(char *mountinfo, const char *dir, unsigned number, struct arena *a,
		      struct jt_objv *ret, struct kata_err *err) MUST_CHECK;

/** struct share_tree - @tree from share_clone(), borrowed, is to be at share/@target. */
struct share_tree {
	int tree;
	const char *target; /* "c1/x0-0"; "c1" is there already */
	bool directory;
};
/** share_add() - after share_apply(); what a failed one leaves goes with share_remove(). */
int share_add(int sharefd, const struct share_tree *v, size_t n,
	      struct kata_err *err) MUST_CHECK;
/** share_drop() - the opposite, for one. */
int share_drop(int sharefd, const char *target) MUST_CHECK;

/** virtiofsd_argv() - pure. @listen_fd: its listening vhost-user socket; @dir: the shared directory. */
void virtiofsd_argv(const struct kata_conf *conf, int listen_fd, const char *dir,
		    struct strv *ret);
/** virtiofsd_is_rust() - flavour of the configured binary ("auto": by its path). */
bool virtiofsd_is_rust(const struct kata_conf *conf);

#endif
