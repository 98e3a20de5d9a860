// SPDX-License-Identifier: Apache-2.0
/*
 * event: only the members that are used. "rootfs" is an addition of kata-runtime's; with
 * other runtimes the path is looked up in the bundle.
 */
#include "event.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/jtab.h"
#include "base/str.h"
#include "oci/names.h"

#define EVENT_MAX (16u << 20) /* annotations are as long as config.json lets them be */

struct document {
	const char *id, *status, *bundle, *rootfs;
	int64_t pid;
};

static const struct jt_field fields[] = {
	JT(struct document, id, JT_STR, .flags = JT_REQUIRED),
	JT(struct document, status, JT_STR, .flags = JT_REQUIRED),
	JT(struct document, bundle, JT_STR, .flags = JT_REQUIRED),
	JT(struct document, rootfs, JT_STR),
	JT(struct document, pid, JT_I64, .min = 0, .max = INT32_MAX),
};

static const struct jtab document_tab = {
	.what = "state",
	.size = sizeof(struct document),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
};

static int check(const struct document *d, bool stopped, struct kata_err *err)
{
	int rc = oci_id_check(d->id, err);

	if (rc < 0)
		return rc;
	if (d->bundle[0] != '/')
		return err_set(err, -EINVAL, "bundle: \"%s\" is no absolute path",
			       d->bundle);
	if (stopped)
		return 0;
	if (!str_eq(d->status, "creating") && !str_eq(d->status, "created"))
		return err_set(
			err, -EINVAL,
			"status: container %s is %s; this is a createRuntime and a "
			"poststop hook",
			d->id, d->status);
	if (d->pid < 1)
		return err_set(err, -EINVAL, "pid: container %s has none", d->id);
	return 0;
}

int event_parse(const char *text, size_t len, struct arena *a, struct event *ret,
		struct kata_err *err)
{
	const struct json *j;
	struct document d;
	bool stopped;
	int rc = json_parse(text, len, &json_limits_default, a, &j, err);

	if (rc == 0)
		rc = jtab_decode(&document_tab, j, a, "", &d, err);
	if (rc < 0)
		return rc;
	stopped = str_eq(d.status, "stopped");
	rc = check(&d, stopped, err);
	if (rc < 0)
		return rc;
	*ret = (struct event){
		.id = d.id,
		.bundle = d.bundle,
		.rootfs = d.rootfs,
		.pid = d.pid,
		.stopped = stopped,
	};
	return 0;
}

int event_read(int fd, struct arena *a, struct event *ret, struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc = fs_read_fd(fd, EVENT_MAX, &text, &len);

	if (rc < 0)
		return err_sys_code(err, rc, "read the container's state from stdin");
	rc = event_parse(text, len, a, ret, err);
	return rc < 0 ? err_ctx(err, "the container's state on stdin") : 0;
}

int event_rootfs(const struct event *e, struct arena *a, const char **ret,
		 struct kata_err *err)
{
	const char *config = arena_printf(a, "%s/config.json", e->bundle);
	AUTO_FREE char *text = NULL, *path = NULL;
	const char *rootfs = e->rootfs;
	const struct json *j;
	size_t len;
	int rc;

	if (!rootfs) {
		rc = fs_read_at(AT_FDCWD, config, EVENT_MAX, &text, &len);
		if (rc < 0)
			return err_sys_code(err, rc, "read %s", config);
		rc = json_parse(text, len, &json_limits_default, a, &j, err);
		if (rc < 0)
			return err_ctx(err, "%s", config);
		rootfs = json_get_str(json_get(j, "root"), "path");
	}
	if (!rootfs)
		return err_set(err, -EINVAL, "%s has no root.path", config);
	path = fs_abspath(e->bundle, rootfs);
	*ret = arena_strdup(a, path);
	return 0;
}
