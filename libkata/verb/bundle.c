// SPDX-License-Identifier: Apache-2.0
/*
 * bundle: config.json is read through one descriptor into memory, bounded, and
 * everything later (the record's copy, the sandbox's memfd) is made from these
 * bytes. The root directory is opened here and handed on as a descriptor.
 */
#include "verb/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"

#define CONFIG_MAX (16u << 20)

void bundle_done(struct bundle *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->rootfs_fd >= 0)
		close(b->rootfs_fd);
	arena_free(b->arena);
	free(b->path);
	free(b->text);
	free(b->rootfs);
	*b = (struct bundle)BUNDLE_INIT;
}

static int open_bundle(struct bundle *b, const char *path, struct kata_err *err)
{
	b->path = realpath(path, NULL);
	if (!b->path)
		return err_sys(err, "bundle %s", path);
	b->fd = open(b->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return b->fd < 0 ? err_sys(err, "bundle %s", path) : 0;
}

static int read_config(struct bundle *b, const char *config, struct kata_err *err)
{
	int rc;

	rc = fs_read_at(config ? AT_FDCWD : b->fd, config ? config : "config.json",
			CONFIG_MAX, &b->text, &b->len);
	if (rc == 0)
		return 0;
	if (config)
		return err_sys_code(err, rc, "%s", config);
	return err_sys_code(err, rc, "bundle %s: config.json", b->path);
}

/* Relative root.path is relative to the bundle (config.md, Root). */
static int open_rootfs(struct bundle *b, struct kata_err *err)
{
	const struct oci_root *root = b->spec->root;
	AUTO_FREE char *path = NULL;

	if (!root || !root->path)
		return err_set(err, -EINVAL, "root.path: is missing");
	path = root->path[0] == '/' ? mem_strdup(root->path)
				    : mem_printf("%s/%s", b->path, root->path);
	b->rootfs = realpath(path, NULL);
	if (!b->rootfs)
		return err_sys(err, "root.path: %s", path);
	b->rootfs_fd = open(b->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return b->rootfs_fd < 0 ? err_sys(err, "root.path: %s", path) : 0;
}

static int load_spec(struct bundle *b, struct kata_err *err)
{
	int rc = oci_spec_load(b->text, b->len, b->arena, &b->spec, err);

	return rc < 0 ? err_ctx(err, "config.json") : 0;
}

int bundle_load(struct bundle *b, const char *path, const char *config,
		struct kata_err *err)
{
	int rc;

	*b = (struct bundle)BUNDLE_INIT;
	b->arena = arena_new();
	rc = open_bundle(b, path ? path : ".", err);
	if (rc == 0)
		rc = read_config(b, config, err);
	if (rc == 0)
		rc = load_spec(b, err);
	if (rc == 0)
		rc = open_rootfs(b, err);
	return rc;
}
