// SPDX-License-Identifier: Apache-2.0
/*
 * store: the directories of containers below the root.
 *
 * A container exists when <root>/<id>/record.json does. The lock is flock() on
 * a file of the directory: the kernel drops it with its holder, so a killed
 * verb leaves nothing locked. Whoever gets the lock looks whether the file is
 * still linked: the holder before may have removed the container.
 *
 * Removal takes the record away last but the lock: killed half-way it is
 * simply done again by the next delete.
 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "oci/names.h"

#define LOCK_NAME "lock"
#define RECORD_NAME "record.json"

void store_dir_done(struct store_dir *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	*d = (struct store_dir)STORE_DIR_INIT;
}

/*
 * podman calls us with XDG_RUNTIME_DIR set (and empty) as root: it must not
 * move the default there (CONTRACT 0.9).
 */
char *store_default_root(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (geteuid() != 0 && dir && dir[0] == '/')
		return mem_printf("%s/kata", dir);
	return mem_strdup("/run/kata");
}

static int lock_wait(int fd)
{
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Return: 0; -ENOENT when the directory was removed while we waited. */
static int take_lock(struct store_dir *d, int flags)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int rc;

	fd = openat(d->fd, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (fd < 0)
		return -errno;
	rc = lock_wait(fd);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0)
		return -ENOENT;
	d->lock_fd = TAKE_FD(fd);
	return 0;
}

static int open_dir(const char *root, const char *id, struct store_dir *ret)
{
	ret->path = mem_printf("%s/%s", root, id);
	ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->fd < 0 ? -errno : 0;
}

static int make_dir(const char *root, const char *id, struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("%s/%s", root, id);

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST) {
		store_sweep(root, id);
		if (mkdir(path, 0700) == 0)
			return 0;
	}
	if (errno == EEXIST)
		return err_set(err, -EEXIST, "container with given ID already exists");
	return err_sys(err, "mkdir %s", path);
}

int store_create(const char *root, const char *id, struct store_dir *ret_dir,
		 struct kata_err *err)
{
	struct store_dir d = STORE_DIR_INIT;
	int rc;

	rc = oci_id_check(id, err);
	if (rc < 0)
		return rc;
	rc = fs_mkdir_p(root, 0711, err);
	if (rc < 0)
		return rc;
	rc = make_dir(root, id, err);
	if (rc < 0)
		return rc;
	rc = open_dir(root, id, &d);
	if (rc == 0)
		rc = take_lock(&d, O_CREAT | O_EXCL);
	if (rc < 0) {
		err_sys_code(err, rc, "lock %s", d.path);
		rmdir(d.path);
		store_dir_done(&d);
		return rc;
	}
	*ret_dir = d;
	return 0;
}

static int does_not_exist(struct kata_err *err)
{
	return err_set(err, -ENOENT, "container does not exist");
}

static int open_existing(const char *root, const char *id, bool lock, struct store_dir *d)
{
	int rc;

	rc = open_dir(root, id, d);
	if (rc < 0)
		return rc;
	if (lock) {
		rc = take_lock(d, 0);
		if (rc < 0)
			return rc;
	}
	return faccessat(d->fd, RECORD_NAME, F_OK, 0) < 0 ? -errno : 0;
}

int store_open(const char *root, const char *id, bool lock, struct store_dir *ret_dir,
	       struct kata_err *err)
{
	struct store_dir d = STORE_DIR_INIT;
	int rc;

	rc = oci_id_check(id, err);
	if (rc < 0)
		return rc;
	rc = open_existing(root, id, lock, &d);
	if (rc < 0) {
		if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP)
			rc = does_not_exist(err);
		else
			err_sys_code(err, rc, "open %s", d.path);
		store_dir_done(&d);
		return rc;
	}
	*ret_dir = d;
	return 0;
}

static bool is_dot(const char *name)
{
	return str_eq(name, ".") || str_eq(name, "..");
}

/* fdopendir() on a descriptor of its own: closing the DIR closes it, and the offset is its own. */
static DIR *list_dir(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (copy < 0)
		return NULL;
	dir = fdopendir(copy);
	if (!dir)
		close(copy);
	return dir;
}

static int remove_contents(int fd)
{
	struct dirent *e;
	DIR *dir = list_dir(fd);
	int rc = 0;

	if (!dir)
		return -errno;
	while (rc == 0 && (e = readdir(dir))) {
		if (is_dot(e->d_name) || str_eq(e->d_name, LOCK_NAME) ||
		    str_eq(e->d_name, RECORD_NAME))
			continue;
		rc = fs_remove_tree(fd, e->d_name);
	}
	closedir(dir);
	return rc;
}

static int unlink_own(int fd, const char *name)
{
	return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int store_remove(const char *root, const char *id, struct store_dir *dir,
		 struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("%s/%s", root, id);
	int rc;

	rc = remove_contents(dir->fd);
	if (rc == 0)
		rc = unlink_own(dir->fd, RECORD_NAME);
	if (rc == 0)
		rc = unlink_own(dir->fd, LOCK_NAME);
	if (rc == 0 && rmdir(path) < 0 && errno != ENOENT)
		rc = -errno;
	if (rc < 0)
		return err_sys_code(err, rc, "remove %s", path);
	store_dir_done(dir);
	return 0;
}

/* --- the sandbox's directory ---------------------------------------------------------------- */

char *store_sandbox_path(const char *root, const char *sandbox_id)
{
	return mem_printf("%s/@%s", root, sandbox_id);
}

char *store_sandbox_name(const char *root, const char *id)
{
	char *name = mem_strdup(id);

	for (unsigned n = 2;; n++) {
		AUTO_FREE char *path = store_sandbox_path(root, name);

		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return name;
		free(name);
		name = mem_printf("%s~%u", id, n);
	}
}

int store_sandbox_create(const char *root, const char *sandbox_id, struct kata_err *err)
{
	AUTO_FREE char *path = store_sandbox_path(root, sandbox_id);
	int fd;

	if (mkdir(path, 0700) < 0)
		return err_sys(err, "mkdir %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err_sys(err, "open %s", path);
		rmdir(path);
		return err->code;
	}
	return fd;
}

int store_sandbox_remove(const char *root, const char *sandbox_id, struct kata_err *err)
{
	AUTO_FREE char *path = store_sandbox_path(root, sandbox_id);
	int rc = fs_remove_tree(AT_FDCWD, path);

	return rc < 0 && rc != -ENOENT ? err_sys_code(err, rc, "remove %s", path) : 0;
}

/* --- what is left and what there is --------------------------------------------------------- */

/* Nothing in it, or nothing but our lock. */
/* Nothing but what store_create() and an unfinished first record leave. */
static bool holds_only_lock(int fd)
{
	struct dirent *e;
	DIR *dir = list_dir(fd);
	bool only = dir != NULL;

	while (only && (e = readdir(dir)))
		only = is_dot(e->d_name) || str_eq(e->d_name, LOCK_NAME) ||
		       str_has_prefix(e->d_name, FS_TMP_PREFIX);
	if (dir)
		closedir(dir);
	return only;
}

void store_sweep(const char *root, const char *id)
{
	struct store_dir d = STORE_DIR_INIT;
	AUTO_CLOSE int lock = -1;

	if (open_dir(root, id, &d) == 0 &&
	    rmdir(d.path) < 0) { /* gone when it was empty */
		lock = openat(d.fd, LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 &&
		    holds_only_lock(d.fd) && fs_remove_tree(AT_FDCWD, d.path) < 0)
			log_debug("%s cannot be removed", d.path);
	}
	store_dir_done(&d);
}

static bool is_ours(int rootfd, const char *name)
{
	char path[OCI_ID_MAX + sizeof("/" RECORD_NAME)];
	struct kata_err ignored;

	if (oci_id_check(name, &ignored) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/" RECORD_NAME, name);
	return faccessat(rootfd, path, F_OK, 0) == 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_list(const char *root, struct strv *ret_ids, struct kata_err *err)
{
	struct strv ids = { NULL, 0 };
	struct dirent *e;
	DIR *dir = opendir(root);

	if (!dir)
		return err_sys(err, "open %s", root);
	while ((e = readdir(dir))) {
		if (is_ours(dirfd(dir), e->d_name))
			strv_add(&ids, e->d_name);
	}
	closedir(dir);
	if (ids.n > 1)
		qsort(ids.v, ids.n, sizeof(*ids.v), compare_ids);
	*ret_ids = ids;
	return 0;
}
