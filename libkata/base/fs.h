/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs: files. Paths inside a container root are opened relative to its
 * descriptor and below it (openat2, RESOLVE_IN_ROOT, Linux 5.6), never by
 * building strings. All descriptors are close-on-exec.
 */
#ifndef KATA_BASE_FS_H
#define KATA_BASE_FS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/** fs_open_in_root() - openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). Return: fd or -errno
 *  (no kata_err: callers word it). */
int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode) MUST_CHECK;

/**
 * fs_mkdir_in_root() - make @path and its parents below @rootfd.
 * Symlinks on the way are followed inside the root. Return: O_PATH fd of the last, or -errno.
 */
int fs_mkdir_in_root(int rootfd, const char *path, mode_t mode) MUST_CHECK;

/** fs_mkfile_in_root() - the same, the last component an empty file if nothing is there. */
int fs_mkfile_in_root(int rootfd, const char *path, mode_t mode) MUST_CHECK;

/** fs_mkdir_p() - mkdir -p of an ordinary host path; existing is fine. */
int fs_mkdir_p(const char *path, mode_t mode, struct kata_err *err) MUST_CHECK;

/** fs_fd_path() - where @fd is now, as /proc/self/fd has it. Return: 0, -errno. */
int fs_fd_path(int fd, char path[PATH_MAX]) MUST_CHECK;

/** fs_read_fd() - all of @fd up to @max bytes, NUL-terminated behind the end. -E2BIG when larger. */
int fs_read_fd(int fd, size_t max, char **ret_data, size_t *ret_len) MUST_CHECK;
/** fs_read_at() - the same by name; @what names it in the error, as "read <dir>/<name>". */
int fs_read_at(int dirfd, const char *name, size_t max, char **ret_data,
	       size_t *ret_len) MUST_CHECK;

/** How the temporary files' names begin that a killed fs_write_atomic() leaves. */
#define FS_TMP_PREFIX ".tmp."

/** fs_write_atomic() - temp file + rename in @dirfd; on failure nothing is left and nothing changed. */
int fs_write_atomic(int dirfd, const char *name, const void *data, size_t len,
		    mode_t mode) MUST_CHECK;
/** fs_write_atomic_path() - the same for an ordinary path (pid files). */
int fs_write_atomic_path(const char *path, const void *data, size_t len, mode_t mode,
			 struct kata_err *err) MUST_CHECK;

/** fs_write_str() - write to an existing file (proc, sysfs, cgroup) in one write(). */
int fs_write_str(int dirfd, const char *name, const char *s) MUST_CHECK;

/** fs_write_all() - all bytes, through EINTR and short writes; blocking descriptors only. */
int fs_write_all(int fd, const void *data, size_t len) MUST_CHECK;

/** fs_remove_tree() - rm -rf below @dirfd, never follows links, never crosses mounts. 0 if absent. */
int fs_remove_tree(int dirfd, const char *name) MUST_CHECK;

/** fs_abspath() - absolute, cleaned ("." ".." "//" removed lexically) path; heap. */
char *fs_abspath(const char *base, const char *path);

/** fs_is_below() - lexically: is @path @dir itself or below it. Both absolute and clean. */
bool fs_is_below(const char *path, const char *dir);

/** fs_memfd() - sealed memfd with the given bytes. Return: fd or -errno. */
int fs_memfd(const char *name, const void *data, size_t len) MUST_CHECK;

#endif
