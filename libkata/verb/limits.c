// SPDX-License-Identifier: Apache-2.0
/*
 * limits: what a container may use, member by member. Kept beside the record after an update, so
 * that one that fails half-way can be taken back; before the first they are config.json's.
 */
#include "verb/limits.h"

#include <errno.h>

#include "base/fs.h"

#define LIMITS_NAME "resources.json"
#define DOCUMENT_MAX (16u << 20)

void limits_take_apart(const struct oci_resources *res, struct limits *p)
{
	*p = (struct limits){ .res = *res };
	if (res->memory) {
		p->memory = *res->memory;
		p->res.memory = &p->memory;
	}
	if (res->cpu) {
		p->cpu = *res->cpu;
		p->res.cpu = &p->cpu;
	}
	if (res->pids) {
		p->pids = *res->pids;
		p->res.pids = &p->pids;
	}
	if (res->blockIO) {
		p->block_io = *res->blockIO;
		p->res.blockIO = &p->block_io;
	}
}

int limits_read(const struct verb_box *box, struct limits *p, struct kata_err *err)
{
	const struct oci_resources *res = NULL;
	const struct oci_spec *spec;
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc;

	rc = fs_read_at(box->dir.fd, LIMITS_NAME, DOCUMENT_MAX, &text, &len);
	if (rc == 0) {
		rc = oci_resources_load(text, len, box->arena, &res, err);
	} else if (rc == -ENOENT) {
		rc = fs_read_at(box->dir.fd, "config.json", DOCUMENT_MAX, &text, &len);
		if (rc == 0)
			rc = oci_spec_load(text, len, box->arena, &spec, err);
		if (rc == 0)
			res = spec->linux_ ? spec->linux_->resources : NULL;
	}
	if (rc < 0)
		return err->code
			       ? rc
			       : err_sys_code(err, rc, "read limits of %s", box->rec.id);
	*p = (struct limits){ 0 };
	if (res)
		limits_take_apart(res, p);
	return 0;
}

/* Of structs that have nothing but pointers: those of @from that are set. */
static void lay_pointers(void *into, const void *from, size_t size)
{
	const void *const *src = from;
	const void **dst = into;

	for (size_t i = 0; i < size / sizeof(*dst); i++)
		dst[i] = src[i] ? src[i] : dst[i];
}

static void lay_lists(struct oci_resources *into, const struct oci_resources *from)
{
	if (from->devices.n)
		into->devices = from->devices;
	if (from->hugepageLimits.n)
		into->hugepageLimits = from->hugepageLimits;
	if (from->unified.n)
		into->unified = from->unified;
}

static void lay_block_io(struct oci_block_io *into, const struct oci_block_io *from)
{
	struct jt_objv *dst[] = {
		&into->weightDevice,
		&into->throttleReadBpsDevice,
		&into->throttleWriteBpsDevice,
		&into->throttleReadIOPSDevice,
		&into->throttleWriteIOPSDevice,
	};
	const struct jt_objv *src[] = {
		&from->weightDevice,
		&from->throttleReadBpsDevice,
		&from->throttleWriteBpsDevice,
		&from->throttleReadIOPSDevice,
		&from->throttleWriteIOPSDevice,
	};

	for (size_t i = 0; i < ARRAY_SIZE(dst); i++)
		if (src[i]->n)
			*dst[i] = *src[i];
	into->weight = from->weight ? from->weight : into->weight;
	into->leafWeight = from->leafWeight ? from->leafWeight : into->leafWeight;
}

void limits_lay(struct limits *had, const struct limits *asked)
{
	lay_pointers(&had->memory, &asked->memory, sizeof(had->memory));
	lay_pointers(&had->cpu, &asked->cpu, sizeof(had->cpu));
	lay_pointers(&had->pids, &asked->pids, sizeof(had->pids));
	lay_block_io(&had->block_io, &asked->block_io);
	lay_lists(&had->res, &asked->res);
	if (asked->res.memory)
		had->res.memory = &had->memory;
	if (asked->res.cpu)
		had->res.cpu = &had->cpu;
	if (asked->res.pids)
		had->res.pids = &had->pids;
	if (asked->res.blockIO)
		had->res.blockIO = &had->block_io;
}

void limits_undo(struct limits *undo, const struct limits *had,
		 const struct limits *asked)
{
	static const int64_t none = -1;
	static const struct limits no_limits = {
		.memory = { .limit = &none, .reservation = &none, .swap = &none },
		.cpu = { .quota = &none },
		.pids = { .limit = &none },
	};
	const struct limits *lift = &no_limits;

	*undo = (struct limits){ 0 };
	undo->memory.limit = asked->memory.limit ? lift->memory.limit : NULL;
	undo->memory.reservation = asked->memory.reservation ? lift->memory.reservation
							     : NULL;
	undo->memory.swap = asked->memory.swap ? lift->memory.swap : NULL;
	undo->cpu.quota = asked->cpu.quota ? lift->cpu.quota : NULL;
	undo->pids.limit = asked->pids.limit ? lift->pids.limit : NULL;
	undo->res.memory = asked->res.memory ? &undo->memory : NULL;
	undo->res.cpu = asked->res.cpu ? &undo->cpu : NULL;
	undo->res.pids = asked->res.pids ? &undo->pids : NULL;
	limits_lay(undo, had);
}

int limits_write(const struct verb_box *box, const struct limits *l, struct kata_err *err)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	int rc;

	jtab_encode(&oci_resources_tab, &l->res, &o);
	rc = fs_write_atomic(box->dir.fd, LIMITS_NAME, buf_ptr(&b), buf_len(&b), 0600);
	buf_done(&b);
	return rc < 0 ? err_sys_code(err, rc, "write %s/" LIMITS_NAME, box->dir.path) : 0;
}
