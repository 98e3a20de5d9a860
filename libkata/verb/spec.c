// SPDX-License-Identifier: Apache-2.0
/* spec: a template config.json. Never overwrites one. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "kata.h"
#include "oci/template.h"
#include "verb/stand_in.h"

static int write_new(int dirfd, const struct buf *b, struct kata_err *err)
{
	AUTO_CLOSE int fd = -1;
	int rc;

	fd = openat(dirfd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST, "File config.json exists. Remove it first");
	if (fd < 0)
		return err_sys(err, "create config.json");
	rc = fs_write_all(fd, buf_ptr(b), buf_len(b));
	if (rc == 0)
		return 0;
	unlinkat(dirfd, "config.json", 0);
	return err_sys_code(err, rc, "write config.json");
}

int kata_spec(const struct kata_spec_args *args, struct kata_err *err)
{
	AUTO_FREE char *hook = args->network ? stand_in_path("kata-hook-net") : NULL;
	const struct oci_template t = { .rootless = args->rootless, .net_hook = hook };
	const char *bundle = args->bundle ? args->bundle : ".";
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	AUTO_CLOSE int dir = -1;
	int rc;

	if (args->network && args->rootless)
		return err_set(err, -EINVAL,
			       "--network needs root, --rootless excludes it");
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "bundle %s", bundle);
	oci_template_write(&o, &t);
	buf_add_u8(&b, '\n');
	rc = write_new(dir, &b, err);
	buf_done(&b);
	return rc;
}
