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

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/mount_opts.h"
#include "oci/names.h"
#include "proto/shared.h"
#include "sandbox/guest_notify.h"
#include "share/share.h"

static const char *const stream_names[STREAM_KINDS] = {
	[STREAM_STDIN] = "stdin",
	[STREAM_STDOUT] = "stdout",
	[STREAM_STDERR] = "stderr",
	[STREAM_TTY] = "tty",
};

/*
 * What is left for the guest of what the host has mounted: words of our own table, less those of
 * mapped owners, which it has mapped.
 */
static struct jt_strv own_options(const struct jt_strv *from, struct arena *a)
{
	const char **v = arena_array(a, from->n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		const struct mount_opt *opt = mount_opt_find(from->v[i]);

		if (opt && opt->kind != MOUNT_OPT_IDMAP)
			v[n++] = from->v[i];
	}
	return (struct jt_strv){ v, n };
}

/* One of mounts[] as the guest sees it. */
static struct oci_mount rewrite_mount(const struct oci_mount *from, size_t i,
				      unsigned number, struct arena *a)
{
	struct oci_mount to = *from;

	switch (share_kind(from)) {
	case SHARE_NOT:
		break;
	case SHARE_GUEST:
		to.source = arena_printf(a, SHARED_GUEST "%s", from->source);
		break;
	case SHARE_BIND:
	case SHARE_OVERLAY:
		to.type = "bind";
		to.options = own_options(&from->options, a);
		to.source = arena_printf(a, PROTO_SHARE_DIR "/c%u/m%zu", number, i);
		to.uidMappings = to.gidMappings = (struct jt_objv){ NULL, 0 };
		break;
	}
	return to;
}

static struct jt_objv rewrite_mounts(const struct jt_objv *mounts, unsigned number,
				     struct arena *a)
{
	const struct oci_mount *from = mounts->v;
	struct oci_mount *to;

	if (mounts->n == 0)
		return (struct jt_objv){ NULL, 0 };
	to = arena_array(a, mounts->n, sizeof(*to));
	for (size_t i = 0; i < mounts->n; i++)
		to[i] = rewrite_mount(&from[i], i, number, a);
	return (struct jt_objv){ to, mounts->n };
}

/*
 * In the guest a namespace is new, the VM's own (network), or another container's: by its number
 * there. kata-runtime has turned paths into ids; one that is left is no namespace of this VM.
 */
static int guest_ns(const struct guest_create *g, const struct oci_namespace *from,
		    struct arena *a, struct oci_namespace *to, struct kata_err *err)
{
	const char *id = from->path;
	unsigned number;

	*to = (struct oci_namespace){ .type = from->type };
	if (!id || !*id || from->type == OCI_NS_NETWORK)
		return 0;
	if (!str_has_prefix(id, GUEST_NS_OF))
		return err_set(
			err, -ENOTSUP,
			"linux.namespaces: %s is no %s namespace of a container of "
			"this runtime",
			id, oci_ns_names[from->type]);
	id += strlen(GUEST_NS_OF);
	number = g->number_of ? g->number_of(g->arg, id) : 0;
	if (!number)
		return err_set(
			err, -ESRCH,
			"linux.namespaces: container %s, whose %s namespace is to be "
			"joined, has ended",
			id, oci_ns_names[from->type]);
	to->path = arena_printf(a, GUEST_NS_OF "%u", number);
	return 0;
}

static int guest_namespaces(const struct guest_create *g, struct arena *a,
			    struct jt_objv *ret, struct kata_err *err)
{
	const struct jt_objv *namespaces = &g->spec->linux_->namespaces;
	const struct oci_namespace *from = namespaces->v;
	struct oci_namespace *to;
	int r = 0;

	*ret = (struct jt_objv){ NULL, 0 };
	if (namespaces->n == 0)
		return 0;
	to = arena_array(a, namespaces->n, sizeof(*to));
	for (size_t i = 0; i < namespaces->n && r == 0; i++)
		r = guest_ns(g, &from[i], a, &to[i], err);
	*ret = (struct jt_objv){ to, namespaces->n };
	return r;
}

/*
 * What is left to the host: block I/O, network classes and RDMA are devices of its own, real-time
 * scheduling is of its threads.
 */
static const struct oci_resources *guest_resources(const struct oci_resources *from,
						   struct arena *a)
{
	struct oci_resources *to;
	struct oci_cpu *cpu;

	if (!from)
		return NULL;
	to = arena_alloc(a, sizeof(*to));
	*to = (struct oci_resources){
		.devices = from->devices,
		.hugepageLimits = from->hugepageLimits,
		.memory = from->memory,
		.pids = from->pids,
		.unified = from->unified,
	};
	if (!from->cpu)
		return to;
	cpu = arena_alloc(a, sizeof(*cpu));
	*cpu = *from->cpu;
	cpu->realtimePeriod = NULL;
	cpu->realtimeRuntime = NULL;
	to->cpu = cpu;
	return to;
}

static int guest_linux(const struct guest_create *g, struct arena *a,
		       const struct oci_linux **ret, struct kata_err *err)
{
	struct oci_linux *to = arena_alloc(a, sizeof(*to));

	*to = *g->spec->linux_;
	to->netDevices = (struct jt_objmap){ 0 };
	to->resources = guest_resources(to->resources, a);
	to->seccomp = NULL; /* write_filter() */
	to->intelRdt = NULL;
	*ret = to;
	return guest_namespaces(g, a, &to->namespaces, err);
}

/* Those that run in the container; their state document has the annotations. */
static void guest_hooks(struct oci_spec *to, struct arena *a)
{
	const struct oci_hooks *from = to->hooks;
	struct oci_hooks *hooks;

	to->hooks = NULL;
	if (!from || !from->kind[OCI_HOOK_START_CONTAINER].n) {
		to->annotations = (struct jt_map){ 0 };
		return;
	}
	hooks = arena_alloc(a, sizeof(*hooks));
	hooks->kind[OCI_HOOK_START_CONTAINER] = from->kind[OCI_HOOK_START_CONTAINER];
	to->hooks = hooks;
}

static int guest_copy(const struct guest_create *g, struct arena *a, struct oci_spec *to,
		      struct kata_err *err)
{
	*to = *g->spec;
	to->mounts = rewrite_mounts(&g->spec->mounts, g->number, a);
	guest_hooks(to, a);
	to->vm = NULL;
	return to->linux_ ? guest_linux(g, a, &to->linux_, err) : 0;
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
	if (!st->n_fds)
		return;
	json_out_key(o, "fds");
	json_out_begin_array(o);
	for (size_t i = 0; i < st->n_fds; i++)
		jtab_encode(&passed_tab, &st->fds[i], o);
	json_out_end_array(o);
}

static void write_shared(struct json_out *o, const struct jt_objv *shared)
{
	const struct shared_mount *m = shared->v;

	if (!shared->n)
		return;
	json_out_key(o, "shared");
	json_out_begin_array(o);
	for (size_t i = 0; i < shared->n; i++)
		jtab_encode(&shared_tab, &m[i], o);
	json_out_end_array(o);
}

static void write_filter(struct json_out *o, const struct filter *f)
{
	struct buf hex = { 0 };

	if (!f || !buf_len(&f->program))
		return;
	buf_add_hex(&hex, buf_ptr(&f->program), buf_len(&f->program));
	json_out_key(o, "filter");
	json_out_begin_object(o);
	json_out_key(o, "flags");
	json_out_u64(o, f->flags);
	json_out_key(o, "program");
	json_out_str(o, buf_cstr(&hex));
	json_out_end_object(o);
	buf_done(&hex);
}

int guest_create_write(const struct guest_create *g, struct buf *out,
		       struct kata_err *err)
{
	AUTO(arena) *a = arena_new();
	struct json_out o = { .buf = out };
	struct oci_spec copy;
	int r = guest_copy(g, a, &copy, err), notify;

	if (r < 0)
		return r;
	json_out_begin_object(&o);
	json_out_key(&o, "container");
	json_out_u64(&o, g->number);
	json_out_key(&o, "id");
	json_out_str(&o, g->id);
	json_out_key(&o, "rootfs");
	json_out_str(&o, arena_printf(a, "c%u/rootfs", g->number));
	json_out_key(&o, "spec");
	jtab_encode(&oci_spec_tab, &copy, &o);
	if (copy.hooks && g->bundle) {
		json_out_key(&o, "bundle");
		json_out_str(&o, g->bundle);
	}
	if (g->no_keyring) {
		json_out_key(&o, "noKeyring");
		json_out_bool(&o, true);
	}
	write_filter(&o, g->filter);
	write_streams(&o, &g->streams);
	write_shared(&o, &g->shared);
	notify = guest_notify_mount(g->spec);
	if (notify >= 0) {
		json_out_key(&o, "notify");
		json_out_u64(&o, (uint64_t)notify);
	}
	json_out_end_object(&o);
	return 0;
}

void guest_update_write(const struct oci_resources *res, unsigned number, struct buf *out)
{
	AUTO(arena) *a = arena_new();
	struct json_out o = { .buf = out };

	json_out_begin_object(&o);
	json_out_key(&o, "container");
	json_out_u64(&o, number);
	json_out_key(&o, "resources");
	jtab_encode(&oci_resources_tab, guest_resources(res, a), &o);
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
	if (index >= spec->mounts.n || !share_is_shared(&mounts[index]))
		return NULL;
	*ret_len = 1 + digits;
	return mounts[index].source ? mounts[index].source : "overlay";
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
