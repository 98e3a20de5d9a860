// SPDX-License-Identifier: Apache-2.0
/*
 * update: a document of limits, options laid over it, applied in the guest first: it is the stricter
 * of the two and may refuse (more memory than its VM has), and then nothing has changed. The
 * host's are wider by what a VM needs. When the host refuses, both get the limits back
 * that they had: those are kept beside the record, as runc keeps them in its state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "sandbox/guest_spec.h"
#include "verb/limits.h"

#define DOCUMENT_MAX (1u << 20)

enum kind { NUMBER, UNSIGNED, WEIGHT, SIZE, TEXT };

/* Which member an option sets; all are pointers. */
static const struct {
	const char *option;
	enum kind kind;
	size_t offset;
} members[KATA_UPDATE_MEMBERS] = {
	[KATA_UPDATE_BLKIO_WEIGHT] = { "blkio-weight", WEIGHT,
				       offsetof(struct limits, block_io.weight) },
	[KATA_UPDATE_CPU_PERIOD] = { "cpu-period", UNSIGNED,
				     offsetof(struct limits, cpu.period) },
	[KATA_UPDATE_CPU_QUOTA] = { "cpu-quota", NUMBER,
				    offsetof(struct limits, cpu.quota) },
	[KATA_UPDATE_CPU_BURST] = { "cpu-burst", UNSIGNED,
				    offsetof(struct limits, cpu.burst) },
	[KATA_UPDATE_CPU_SHARE] = { "cpu-share", UNSIGNED,
				    offsetof(struct limits, cpu.shares) },
	[KATA_UPDATE_CPUSET_CPUS] = { "cpuset-cpus", TEXT,
				      offsetof(struct limits, cpu.cpus) },
	[KATA_UPDATE_CPUSET_MEMS] = { "cpuset-mems", TEXT,
				      offsetof(struct limits, cpu.mems) },
	[KATA_UPDATE_CPU_IDLE] = { "cpu-idle", NUMBER,
				   offsetof(struct limits, cpu.idle) },
	[KATA_UPDATE_MEMORY] = { "memory", SIZE, offsetof(struct limits, memory.limit) },
	[KATA_UPDATE_MEMORY_RESERVATION] = { "memory-reservation", SIZE,
					     offsetof(struct limits,
						      memory.reservation) },
	[KATA_UPDATE_MEMORY_SWAP] = { "memory-swap", SIZE,
				      offsetof(struct limits, memory.swap) },
	[KATA_UPDATE_PIDS_LIMIT] = { "pids-limit", NUMBER,
				     offsetof(struct limits, pids.limit) },
};

/* runc's sizes: -1, or bytes with a unit: 10, 10m, 10MB, 10MiB. */
static int to_size(const char *text, int64_t *ret)
{
	AUTO_FREE char *plain = mem_strdup(text);
	size_t len = strlen(plain);
	uint64_t bytes;

	if (str_eq(text, "-1")) {
		*ret = -1;
		return 0;
	}
	if (len > 1 && strchr("bB", plain[len - 1]))
		plain[--len] = '\0';
	if (len > 2 && strchr("iI", plain[len - 1]))
		plain[--len] = '\0';
	if (str_to_size(plain, 0, INT64_MAX, &bytes) < 0)
		return -EINVAL;
	*ret = (int64_t)bytes;
	return 0;
}

static int lay_member(size_t i, const char *text, struct limits *p, struct arena *a,
		      struct kata_err *err)
{
	void *member = (char *)p + members[i].offset;
	int64_t *i64 = arena_alloc(a, sizeof(*i64));
	uint64_t *u64 = arena_alloc(a, sizeof(*u64));
	uint32_t *u32 = arena_alloc(a, sizeof(*u32));
	int rc = 0;

	switch (members[i].kind) {
	case NUMBER:
		rc = str_to_i64(text, INT64_MIN, INT64_MAX, i64);
		*(const int64_t **)member = i64;
		break;
	case SIZE:
		rc = to_size(text, i64);
		*(const int64_t **)member = i64;
		break;
	case UNSIGNED:
		rc = str_to_u64(text, 0, UINT64_MAX, u64);
		*(const uint64_t **)member = u64;
		break;
	case WEIGHT:
		rc = str_to_u64(text, 0, 1000, u64);
		*u32 = (uint32_t)*u64;
		*(const uint32_t **)member = u32;
		break;
	case TEXT:
		*(const char **)member = text;
		break;
	}
	if (rc < 0)
		return err_set(err, -EINVAL, "--%s: \"%s\" is no value for it",
			       members[i].option, text);
	return 0;
}

static int load_document(const char *path, struct arena *a,
			 const struct oci_resources **ret, struct kata_err *err)
{
	bool is_stdin = str_eq(path, "-");
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc;

	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open %s", path);
	}
	rc = fs_read_fd(is_stdin ? STDIN_FILENO : fd, DOCUMENT_MAX, &text, &len);
	if (rc < 0)
		return err_sys_code(err, rc, "read %s", is_stdin ? "stdin" : path);
	rc = oci_resources_load(text, len, a, ret, err);
	return rc < 0 ? err_ctx(err, "%s", is_stdin ? "stdin" : path) : 0;
}

/* Sections that nothing was said about stay NULL. */
static void link_parts(struct limits *p, const bool given[KATA_UPDATE_MEMBERS])
{
	for (size_t i = 0; i < KATA_UPDATE_MEMBERS; i++) {
		if (!given[i])
			continue;
		if (members[i].offset >= offsetof(struct limits, block_io))
			p->res.blockIO = &p->block_io;
		else if (members[i].offset >= offsetof(struct limits, pids))
			p->res.pids = &p->pids;
		else if (members[i].offset >= offsetof(struct limits, cpu))
			p->res.cpu = &p->cpu;
		else
			p->res.memory = &p->memory;
	}
}

static int gather(const struct kata_update_args *args, struct arena *a, struct limits *p,
		  struct kata_err *err)
{
	const struct oci_resources *base = NULL;
	bool given[KATA_UPDATE_MEMBERS] = { false };
	int rc = 0;

	*p = (struct limits){ 0 };
	if (args->resources)
		rc = load_document(args->resources, a, &base, err);
	if (rc < 0)
		return rc;
	if (base)
		limits_take_apart(base, p);
	for (size_t i = 0; i < KATA_UPDATE_MEMBERS && rc == 0; i++) {
		given[i] = args->value[i] != NULL;
		if (given[i])
			rc = lay_member(i, args->value[i], p, a, err);
	}
	link_parts(p, given);
	return rc;
}

/* --- both sides ----------------------------------------------------------------------------- */

static int update_guest(const struct verb_box *box, const struct oci_resources *res,
			struct kata_err *err)
{
	struct ctl_ask ask = {
		.m = { .type = CTL_UPDATE },
		.n_fds = 1,
		.timeout_ms = VERB_CALL_MS,
	};
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	AUTO_CLOSE int fd = -1;

	jtab_encode(&oci_resources_tab, res, &o);
	fd = fs_memfd("resources.json", buf_ptr(&b), buf_len(&b));
	buf_done(&b);
	if (fd < 0)
		return err_sys_code(err, fd, "memfd");
	ask.fds = &fd;
	return verb_ask(box, &ask, err);
}

static int update_host(const struct verb_box *box, const struct oci_resources *res,
		       struct kata_err *err)
{
	struct cgroup_extra extra;
	struct cgroup *g = NULL;
	int rc = cgroup_open(box->rec.cgroup ? box->rec.cgroup : "", &g, err);

	verb_cgroup_extra(&box->rec, &extra);
	if (rc == 0)
		rc = cgroup_apply(g, res, &extra, CGROUP_AT_UPDATE, err);
	cgroup_free(g);
	return rc;
}

/* The host refused. Its group may have taken a part of it, the guest has taken all. */
static int take_back(const struct verb_box *box, const struct limits *had,
		     const struct limits *asked, struct kata_err *err)
{
	struct kata_err ignored = { 0 };
	struct limits undo;

	limits_undo(&undo, had, asked);
	if (update_host(box, &undo.res, &ignored) < 0)
		log_debug("%s", ignored.msg);
	err_done(&ignored);
	if (update_guest(box, &undo.res, &ignored) < 0)
		return err_ctx(err, "the guest has its new limits, the host not");
	return err->code;
}

static int apply(const struct verb_box *box, const struct limits *asked,
		 struct kata_err *err)
{
	struct limits had;
	int rc = limits_read(box, &had, err);

	if (rc == 0)
		rc = update_guest(box, &asked->res, err);
	if (rc < 0)
		return rc;
	if (update_host(box, &asked->res, err) < 0)
		return take_back(box, &had, asked, err);
	limits_lay(&had, asked);
	return limits_write(box, &had, err);
}

int kata_update(const struct kata *k, const struct kata_update_args *args,
		struct kata_err *err)
{
	struct verb_box box = VERB_BOX_INIT;
	struct limits asked;
	int rc = verb_open(k, args->id, true, &box, err);

	if (rc < 0)
		return rc;
	rc = gather(args, box.arena, &asked, err);
	if (rc == 0 && verb_status(&box) == OCI_STOPPED)
		rc = err_set(err, -ESRCH, "container not running");
	if (rc == 0)
		rc = guest_resources_check(&asked.res, err);
	if (rc == 0)
		rc = apply(&box, &asked, err);
	verb_box_done(&box);
	return rc;
}
