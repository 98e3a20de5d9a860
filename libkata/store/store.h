/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: <root>/<id>/, the persisted record of a container, and its lock.
 *
 *   <root>/<id>/            0700
 *       record.json         what was made so far (replaced atomically, before each side effect)
 *       config.json         the bundle's config as it was at create
 *       lock                flock()ed by every verb that changes the container
 *   <root>/@<sandbox id>/   0700; one per VM, outlives its first container in a pod
 *       ctl                 kata-sandbox's control socket (SOCK_SEQPACKET)
 *       vsock* share/ ...   kata-sandbox's own
 *
 * The root is shared with other runtimes (CONTRACT 0.10): a directory without
 * our record.json is none of ours; list skips it, create refuses its name.
 */
#ifndef KATA_STORE_STORE_H
#define KATA_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/jtab.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/state.h"

#define STORE_RECORD_VERSION 1u

/** struct store_proc - a process known by pid and start time (field 22 of its stat). */
struct store_proc {
	int64_t pid; /* 0 = not started */
	uint64_t start;
};

enum store_phase {
	STORE_CREATING,
	STORE_CREATED,
	STORE_RUNNING,
	STORE_PAUSED,
	STORE_PHASES
};

struct store_record {
	uint32_t version;
	const char *id, *bundle, *rootfs, *created, *owner;
	const char *oci_version;
	int phase; /* enum store_phase: the last thing that was done */
	const struct store_proc *shim, *sandbox; /* NULL = not recorded */
	const char *
		sandbox_id; /* the VM's: the id of its first container, see store_sandbox_name() */
	/*
	 * cgroup_name() of what was made for this container, and of the group that the VM's processes
	 * are in: that of the VM's first container. "" = nothing. Every member has the latter in its
	 * own record, as sandbox and sandbox_id: whoever is deleted last cleans up after the VM, and
	 * can do it again when it was killed half-way, whichever other records are gone by then.
	 */
	const char *cgroup, *sandbox_cgroup;
	uint64_t vm_memory; /* bytes of RAM of the VM that was made for it; 0 = it joined one */
	bool has_hooks;	  /* poststart/poststop need config.json read again */
	bool has_process; /* without one create is legal, start is not */
	struct jt_map annotations;
};
extern const struct jtab store_record_tab;

/** struct store_dir - an open container directory. Closing drops the lock. */
struct store_dir {
	int fd;	     /* the directory */
	int lock_fd; /* -1 = not locked */
	char *path;  /* <root>/<id> */
};
#define STORE_DIR_INIT                                                                   \
	{                                                                                \
		-1, -1, NULL                                                             \
	}
void store_dir_done(struct store_dir *d);

/** store_default_root() - /run/kata, or $XDG_RUNTIME_DIR/kata when not root. Heap. */
char *store_default_root(void);

/**
 * store_create() - make the root if needed (0711), <root>/<id>/ (0700), and lock it.
 * -EEXIST: "container with given ID already exists".
 */
int store_create(const char *root, const char *id, struct store_dir *ret_dir,
		 struct kata_err *err) MUST_CHECK;
/**
 * store_open() - open an existing container. -ENOENT: "container does not exist" (also for a
 * directory that is not ours). @lock: take the lock, waiting for it.
 */
int store_open(const char *root, const char *id, bool lock, struct store_dir *ret_dir,
	       struct kata_err *err) MUST_CHECK;
/** store_remove() - the whole directory. 0 when it is gone. */
int store_remove(const char *root, const char *id, struct store_dir *dir,
		 struct kata_err *err) MUST_CHECK;
/**
 * store_sweep() - remove what a create left that was killed before its first record: a
 * directory that is empty, or has nothing in it but our lock, held by nobody, and a
 * record that was not finished. Anything else stays as it is.
 */
void store_sweep(const char *root, const char *id);
/** store_list() - ids with a record of ours, sorted; missing root = -ENOENT. */
int store_list(const char *root, struct strv *ret_ids, struct kata_err *err) MUST_CHECK;

/** store_is_busy() - is somebody else holding the lock? Only a verb at work does. */
bool store_is_busy(const struct store_dir *d);

/**
 * store_sandbox_name() - a sandbox_id that is free: @id, or "@id~2" and so on while a VM whose first
 * container was called the same runs on for others. '~' is in no container's id. Heap.
 */
char *store_sandbox_name(const char *root, const char *id);
/**
 * store_sandbox_path() - <root>/@<sandbox_id>, heap. '@' is in no container's id.
 * store_sandbox_create() - make it. -EEXIST when a VM of that name is there.
 * Return: descriptor of the directory or -errno.
 * store_sandbox_remove() - the whole directory; 0 when it is gone.
 */
char *store_sandbox_path(const char *root, const char *sandbox_id);
int store_sandbox_create(const char *root, const char *sandbox_id,
			 struct kata_err *err) MUST_CHECK;
int store_sandbox_remove(const char *root, const char *sandbox_id,
			 struct kata_err *err) MUST_CHECK;

int store_record_write(const struct store_dir *d, const struct store_record *r,
		       struct kata_err *err) MUST_CHECK;
int store_record_read(const struct store_dir *d, struct arena *a,
		      struct store_record *ret, struct kata_err *err) MUST_CHECK;

/**
 * store_status() - what the container is now: the recorded phase while its shim lives
 * (pid + start time, not a zombie), else stopped. Creating without a shim yet, its creator
 * holding the lock: creating.
 */
enum oci_status store_status(const struct store_dir *d, const struct store_record *r);

#endif
