/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: writes the OCI state document. Members are in runc's order and with
 * runc's additions (rootfs, created, owner), which engines decode. It knows
 * nothing of how the status was found out.
 */
#include "oci/state.h"

#include "oci/spec.h"

const char *const oci_status_names[] = {
	[OCI_CREATING] = "creating", [OCI_CREATED] = "created", [OCI_RUNNING] = "running",
	[OCI_PAUSED] = "paused",     [OCI_STOPPED] = "stopped", NULL,
};

static void write_member(struct json_out *o, const char *key, const char *value)
{
	if (!value)
		return;
	json_out_key(o, key);
	json_out_str(o, value);
}

static void write_annotations(struct json_out *o, const struct jt_map *map)
{
	if (!map->n)
		return;
	json_out_key(o, "annotations");
	json_out_begin_object(o);
	for (size_t i = 0; i < map->n; i++) {
		json_out_key(o, map->keys[i]);
		json_out_str(o, map->vals[i]);
	}
	json_out_end_object(o);
}

void oci_state_write(const struct oci_state *st, struct json_out *o)
{
	json_out_begin_object(o);
	write_member(o, "ociVersion", OCI_VERSION_MAX);
	write_member(o, "id", st->id);
	json_out_key(o, "pid");
	json_out_i64(o, st->status == OCI_STOPPED ? 0 : st->pid);
	write_member(o, "status", oci_status_names[st->status]);
	write_member(o, "bundle", st->bundle);
	write_member(o, "rootfs", st->rootfs);
	write_member(o, "created", st->created);
	write_annotations(o, &st->annotations);
	write_member(o, "owner", st->owner);
	json_out_end_object(o);
}
