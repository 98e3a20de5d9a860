/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: any bytes as a config.json, a process document and a resources document.
 * What loads must, encoded, load again and encode to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "oci/mount_opts.h"
#include "oci/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const struct oci_spec *spec, struct buf *b)
{
	struct json_out o = { .buf = b };

	jtab_encode(&oci_spec_tab, spec, &o);
}

static void round_trip(const struct oci_spec *spec, struct arena *a)
{
	const struct oci_spec *again;
	struct buf once = { 0 }, twice = { 0 };
	struct kata_err err = { 0 };

	encode(spec, &once);
	if (oci_spec_load((const char *)buf_ptr(&once), buf_len(&once), a, &again, &err) <
	    0)
		abort();
	encode(again, &twice);
	if (buf_len(&once) != buf_len(&twice) ||
	    memcmp(buf_ptr(&once), buf_ptr(&twice), buf_len(&once)) != 0)
		abort();
	buf_done(&once);
	buf_done(&twice);
}

static void options(const struct oci_spec *spec, struct arena *a)
{
	const struct oci_mount *m = spec->mounts.v;
	struct mount_opts opts;
	struct kata_err err = { 0 };

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (mount_opts_parse(&m[i].options, a, &opts, &err) == 0 && !opts.data)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) *a = arena_new();
	const struct oci_resources *res;
	const struct oci_process *process;
	const struct oci_spec *spec;
	struct kata_err err = { 0 };

	if (oci_spec_load((const char *)data, size, a, &spec, &err) == 0) {
		round_trip(spec, a);
		options(spec, a);
	} else if (err.code >= 0 || !err.msg[0]) {
		abort(); /* a refusal without a reason */
	}
	if (oci_process_load((const char *)data, size, a, &process, &err) == 0 &&
	    (!process->user || !process->args.n))
		abort();
	if (oci_resources_load((const char *)data, size, a, &res, &err) == 0 && !res)
		abort();
	return 0;
}
