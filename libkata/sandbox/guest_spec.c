// SPDX-License-Identifier: Apache-2.0
/*
 * guest_spec: the agent gets the OCI spec as it is, encoded with the tables
 * that decoded it, minus what the host does itself (hooks, namespaces' paths,
 * annotations, the VM) and what is not applied yet (guest_check.c tells the
 * user). Bind sources are paths of the host: they become paths of the shared
 * tree, which share_plan_make() fills by the same numbers.
 *
 * Pure: reads nothing but its arguments. Does not know how the agent applies it.
 */
#include "sandbox/guest_spec.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "share/share.h"

static const char *const stream_names[STREAM_KINDS] = {
	[STREAM_STDIN] = "stdin",
	[STREAM_STDOUT] = "stdout",
	[STREAM_STDERR] = "stderr",
	[STREAM_TTY] = "tty",
};

/* mounts[] with the sources of binds replaced. */
static struct jt_objv rewrite_mounts(const struct jt_objv *mounts, unsigned number,
				     struct arena *a)
{
	const struct oci_mount *from = mounts->v;
	struct oci_mount *to;

	if (mounts->n == 0)
		return (struct jt_objv){ NULL, 0 };
	to = arena_array(a, mounts->n, sizeof(*to));
	for (size_t i = 0; i < mounts->n; i++) {
		to[i] = from[i];
		if (share_mount_is_bind(&from[i]))
			to[i].source = arena_printf(a, PROTO_SHARE_DIR "/c%u/m%zu",
						    number, i);
	}
	return (struct jt_objv){ to, mounts->n };
}

/* A namespace's path is one of the host: in the guest each is new or the VM's own. */
static struct jt_objv strip_paths(const struct jt_objv *namespaces, struct arena *a)
{
	const struct oci_namespace *from = namespaces->v;
	struct oci_namespace *to;

	if (namespaces->n == 0)
		return (struct jt_objv){ NULL, 0 };
	to = arena_array(a, namespaces->n, sizeof(*to));
	for (size_t i = 0; i < namespaces->n; i++)
		to[i] = (struct oci_namespace){ .type = from[i].type };
	return (struct jt_objv){ to, namespaces->n };
}

static const struct oci_linux *guest_linux(const struct oci_linux *from, struct arena *a)
{
	struct oci_linux *to = arena_alloc(a, sizeof(*to));

	*to = *from;
	to->namespaces = strip_paths(&from->namespaces, a);
	to->netDevices = (struct jt_objmap){ 0 };
	to->resources = NULL;
	to->seccomp = NULL;
	to->intelRdt = NULL;
	return to;
}

static void guest_copy(const struct oci_spec *from, unsigned number, struct arena *a,
		       struct oci_spec *to)
{
	*to = *from;
	to->mounts = rewrite_mounts(&from->mounts, number, a);
	to->hooks = NULL;
	to->annotations = (struct jt_map){ 0 };
	to->vm = NULL;
	if (from->linux_)
		to->linux_ = guest_linux(from->linux_, a);
}

static void write_streams(struct json_out *o, const struct guest_streams *st)
{
	char token[24];

	json_out_key(o, "streams");
	json_out_begin_object(o);
	for (int i = 0; i < STREAM_KINDS; i++) {
		if (st->token[i] == 0)
			continue;
		/* decimal text: JSON readers may hold numbers as doubles */
		snprintf(token, sizeof(token), "%llu", (unsigned long long)st->token[i]);
		json_out_key(o, stream_names[i]);
		json_out_str(o, token);
	}
	json_out_end_object(o);
}

void guest_create_write(const struct oci_spec *spec, const char *id, unsigned number,
			const struct guest_streams *st, struct buf *out)
{
	AUTO(arena) *a = arena_new();
	struct json_out o = { .buf = out };
	struct oci_spec copy;

	guest_copy(spec, number, a, &copy);
	json_out_begin_object(&o);
	json_out_key(&o, "container");
	json_out_u64(&o, number);
	json_out_key(&o, "id");
	json_out_str(&o, id);
	json_out_key(&o, "rootfs");
	json_out_str(&o, arena_printf(a, "c%u/rootfs", number));
	json_out_key(&o, "spec");
	jtab_encode(&oci_spec_tab, &copy, &o);
	write_streams(&o, st);
	json_out_end_object(&o);
}

void guest_exec_write(const struct oci_process *p, unsigned container, unsigned process,
		      const struct guest_streams *st, struct buf *out)
{
	struct json_out o = { .buf = out };

	json_out_begin_object(&o);
	json_out_key(&o, "container");
	json_out_u64(&o, container);
	json_out_key(&o, "process");
	json_out_u64(&o, process);
	json_out_key(&o, "spec");
	jtab_encode(&oci_process_tab, p, &o);
	write_streams(&o, st);
	json_out_end_object(&o);
}

/* What "/run/kata/share/c7/<name>" is on the host; *ret_len: bytes of @name that say so. */
static const char *host_path(const struct oci_spec *spec, const char *name,
			     size_t *ret_len)
{
	const struct oci_mount *mounts = spec->mounts.v;
	size_t digits, index = 0;

	if (str_has_prefix(name, "rootfs")) {
		*ret_len = sizeof("rootfs") - 1;
		return spec->root->path;
	}
	digits = name[0] == 'm' ? strspn(name + 1, "0123456789") : 0;
	if (digits == 0 || digits > 7)
		return NULL;
	for (size_t i = 1; i <= digits; i++)
		index = index * 10 + (size_t)(name[i] - '0');
	if (index >= spec->mounts.n || !share_mount_is_bind(&mounts[index]))
		return NULL;
	*ret_len = 1 + digits;
	return mounts[index].source;
}

void guest_text_to_host(const struct oci_spec *spec, unsigned number, const char *text,
			char *out, size_t size)
{
	struct buf b = { 0 };
	char prefix[64];
	const char *at;

	snprintf(prefix, sizeof(prefix), PROTO_SHARE_DIR "/c%u/", number);
	while ((at = strstr(text, prefix))) {
		size_t len = 0;
		const char *path = host_path(spec, at + strlen(prefix), &len);

		buf_add(&b, text, (size_t)(at - text));
		buf_add_str(&b, path ? path : prefix);
		text = at + strlen(prefix) + len;
	}
	buf_add_str(&b, text);
	str_copy(out, size, buf_cstr(&b));
	buf_done(&b);
}
