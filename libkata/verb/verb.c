// SPDX-License-Identifier: Apache-2.0
/*
 * verb: opening a container, asking its sandbox, running its hooks. Every verb
 * starts here; none of them knows another.
 */
#include "verb/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fs.h"

#define CONFIG_MAX (16u << 20)

void verb_box_done(struct verb_box *box)
{
	store_dir_done(&box->dir);
	arena_free(box->arena);
	free(box->root);
	*box = (struct verb_box)VERB_BOX_INIT;
}

char *verb_root(const struct kata *k)
{
	return k->root ? fs_abspath(NULL, k->root) : store_default_root();
}

int verb_open(const struct kata *k, const char *id, bool lock, struct verb_box *ret,
	      struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	int rc;

	box.root = verb_root(k);
	box.arena = arena_new();
	rc = store_open(box.root, id, lock, &box.dir, err);
	if (rc == 0)
		rc = store_record_read(&box.dir, box.arena, &box.rec, err);
	if (rc < 0) {
		verb_box_done(&box);
		return rc;
	}
	*ret = box;
	return 0;
}

enum oci_status verb_status(const struct verb_box *box)
{
	return store_status(&box->dir, &box->rec);
}

void verb_state(const struct store_record *r, enum oci_status status,
		struct oci_state *ret)
{
	*ret = (struct oci_state){
		.id = r->id,
		.status = status,
		.pid = r->shim && status != OCI_STOPPED ? (pid_t)r->shim->pid : 0,
		.bundle = r->bundle,
		.rootfs = r->rootfs,
		.created = r->created,
		.owner = r->owner,
		.annotations = r->annotations,
	};
}

int verb_connect(const struct verb_box *box, struct kata_err *err)
{
	AUTO_FREE char *path = store_sandbox_path(box->root, box->rec.sandbox_id);
	AUTO_CLOSE int dir = -1;
	int fd;

	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open %s", path);
	fd = sock_connect_at(dir, "ctl", SOCK_SEQPACKET);
	if (fd < 0)
		return err_sys_code(err, fd, "connect to kata-sandbox at %s/ctl", path);
	return fd;
}

int verb_ask(const struct verb_box *box, struct ctl_ask *ask, struct kata_err *err)
{
	AUTO_CLOSE int fd = verb_connect(box, err);

	if (fd < 0)
		return fd;
	str_copy(ask->m.id, sizeof(ask->m.id), box->rec.id);
	return ctl_call(fd, ask, err);
}

int verb_call(const struct verb_box *box, unsigned type, unsigned number, unsigned flags,
	      struct kata_err *err)
{
	struct ctl_ask ask = {
		.m = { .type = (uint16_t)type, .number = number, .flags = flags },
		/* a guest that hangs must not keep delete --force from turning to the
		 * host's processes */
		.timeout_ms =
			type == CTL_KILL ? VERB_KILL_WAIT_MS
			/* hooks in the container: the sandbox knows how long they may take */
			: type == CTL_START ? -1
					    : VERB_CALL_MS,
	};

	return verb_ask(box, &ask, err);
}

bool verb_is_gone(int code)
{
	return code == -ECONNREFUSED || code == -ENOENT || code == -ECONNRESET;
}

static int load_hooks(const struct verb_box *box, const struct oci_hooks **ret,
		      struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	const struct oci_spec *spec;
	size_t len;
	int rc;

	rc = fs_read_at(box->dir.fd, "config.json", CONFIG_MAX, &text, &len);
	if (rc < 0)
		return err_sys_code(err, rc, "read %s/config.json", box->dir.path);
	rc = oci_spec_load(text, len, box->arena, &spec, err);
	if (rc < 0)
		return rc;
	*ret = spec->hooks;
	return 0;
}

int verb_hooks(const struct verb_box *box, enum oci_hook_kind kind,
	       enum oci_status status, struct kata_err *err)
{
	struct hook_place place = HOOK_PLACE_INIT;
	const struct oci_hooks *hooks = NULL;
	AUTO_CLOSE int bundle = -1;
	struct oci_state st;
	int rc;

	if (!box->rec.has_hooks)
		return 0;
	rc = load_hooks(box, &hooks, err);
	if (rc < 0)
		return rc;
	/* an engine may have removed the bundle before delete: hooks then run where we are */
	bundle = open(box->rec.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	place.bundle_fd = bundle;
	verb_state(&box->rec, status, &st);
	return hook_run_all(hooks, kind, &st, &place, err);
}

int verb_print(FILE *out, const char *text, size_t len, struct kata_err *err)
{
	if (fwrite(text, 1, len, out) != len || fputc('\n', out) == EOF ||
	    fflush(out) == EOF)
		return err_sys(err, "write");
	return 0;
}
