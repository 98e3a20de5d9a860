// SPDX-License-Identifier: Apache-2.0
/*
 * record: what is persisted about one container, and what it says about the
 * container's status.
 *
 * The record is replaced as a whole, atomically, before each side effect, so
 * whoever reads it after a crash sees at least everything that was made.
 * Processes are recorded with their start time: a pid alone may be somebody
 * else's by now. The status is never stored: it follows from the phase and from
 * the shim being alive, so it is right after any crash.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/proc.h"

#define RECORD_NAME "record.json"
#define RECORD_MAX (16u << 20) /* annotations are as long as config.json lets them be */

static const char *const phase_names[STORE_PHASES + 1] = {
	[STORE_CREATING] = "creating",
	[STORE_CREATED] = "created",
	[STORE_RUNNING] = "running",
	[STORE_PAUSED] = "paused",
};

static const struct jt_field proc_fields[] = {
	JT(struct store_proc, pid, JT_I64, .flags = JT_REQUIRED, .min = 1,
	   .max = INT32_MAX),
	JT(struct store_proc, start, JT_U64, .flags = JT_REQUIRED),
};

static const struct jtab proc_tab = {
	.what = "process",
	.size = sizeof(struct store_proc),
	.fields = proc_fields,
	.n_fields = ARRAY_SIZE(proc_fields),
};

static const struct jt_field record_fields[] = {
	JT(struct store_record, version, JT_U32, .flags = JT_REQUIRED),
	JT(struct store_record, id, JT_STR, .flags = JT_REQUIRED),
	JT(struct store_record, bundle, JT_STR, .flags = JT_REQUIRED),
	JT(struct store_record, rootfs, JT_STR, .flags = JT_REQUIRED),
	JT(struct store_record, created, JT_STR, .flags = JT_REQUIRED),
	JT(struct store_record, owner, JT_STR),
	JT_AS(struct store_record, oci_version, "ociVersion", JT_STR),
	JT(struct store_record, phase, JT_ENUM, .flags = JT_REQUIRED,
	   .names = phase_names),
	JT(struct store_record, shim, JT_OBJ, .sub = &proc_tab),
	JT(struct store_record, sandbox, JT_OBJ, .sub = &proc_tab),
	JT_AS(struct store_record, sandbox_id, "sandboxId", JT_STR, .flags = JT_REQUIRED),
	JT(struct store_record, cgroup, JT_STR),
	JT_AS(struct store_record, sandbox_cgroup, "sandboxCgroup", JT_STR),
	JT_AS(struct store_record, vm_memory, "vmMemory", JT_U64),
	JT_AS(struct store_record, has_hooks, "hasHooks", JT_BOOL),
	JT_AS(struct store_record, has_process, "hasProcess", JT_BOOL),
	JT(struct store_record, annotations, JT_MAP),
};

const struct jtab store_record_tab = {
	.what = "record",
	.size = sizeof(struct store_record),
	.fields = record_fields,
	.n_fields = ARRAY_SIZE(record_fields),
};

/** store_record_write() - replace record.json. Return: 0 or -errno; on failure the old one stands. */
int store_record_write(const struct store_dir *d, const struct store_record *r,
		       struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int rc;

	jtab_encode(&store_record_tab, r, &o);
	rc = fs_write_atomic(d->fd, RECORD_NAME, buf_ptr(&b), buf_len(&b), 0600);
	buf_done(&b);
	if (rc < 0)
		return err_sys_code(err, rc, "write %s/" RECORD_NAME, d->path);
	return 0;
}

static int decode_record(const char *text, size_t len, struct arena *a,
			 struct store_record *ret, struct kata_err *err)
{
	const struct json *j;
	struct store_record r;
	uint64_t version;
	int rc;

	rc = json_parse(text, len, &json_limits_default, a, &j, err);
	if (rc < 0)
		return rc;
	/* before the rest: another version's fields may look different */
	if (json_to_u64(json_get(j, "version"), 0, UINT32_MAX, &version) == 0 &&
	    version != STORE_RECORD_VERSION)
		return err_set(err, -EPROTO,
			       "version %llu is not known to this kata-runtime",
			       (unsigned long long)version);
	rc = jtab_decode(&store_record_tab, j, a, "", &r, err);
	if (rc < 0)
		return rc;
	*ret = r;
	return 0;
}

/**
 * store_record_read() - @ret lives in @a.
 * Return: 0; -EINVAL, -EPROTO for a record that is damaged or of another version.
 */
int store_record_read(const struct store_dir *d, struct arena *a,
		      struct store_record *ret, struct kata_err *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc;

	rc = fs_read_at(d->fd, RECORD_NAME, RECORD_MAX, &text, &len);
	if (rc < 0)
		return err_sys_code(err, rc, "read %s/" RECORD_NAME, d->path);
	rc = decode_record(text, len, a, ret, err);
	if (rc < 0)
		return err_ctx(err, "%s/" RECORD_NAME, d->path);
	return 0;
}

bool store_is_busy(const struct store_dir *d)
{
	AUTO_CLOSE int fd = -1;

	if (d->lock_fd >= 0)
		return false;
	fd = openat(d->fd, "lock", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool is_alive(const struct store_proc *p)
{
	uint64_t start;

	return p->pid > 0 && proc_start_time((pid_t)p->pid, &start) == 0 &&
	       start == p->start;
}

enum oci_status store_status(const struct store_dir *d, const struct store_record *r)
{
	static const enum oci_status of_phase[STORE_PHASES] = {
		[STORE_CREATING] = OCI_CREATING,
		[STORE_CREATED] = OCI_CREATED,
		[STORE_RUNNING] = OCI_RUNNING,
		[STORE_PAUSED] = OCI_PAUSED,
	};

	if (!r->shim)
		return r->phase == STORE_CREATING && store_is_busy(d) ? OCI_CREATING
								      : OCI_STOPPED;
	return is_alive(r->shim) ? of_phase[r->phase] : OCI_STOPPED;
}
