/* SPDX-License-Identifier: Apache-2.0 */
/* What `features` and `spec` print. */
#include "oci/features.h"
#include "cgroup/cgroup.h"
#include "oci.h"
#include "oci/mount_opts.h"
#include "oci/names.h"
#include "oci/template.h"
#include "schema.h"

static const struct json *features(struct arena *a)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	const char *text;

	oci_features_write(&o);
	text = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return oci_json(a, text, strlen(text));
}

static const struct oci_template plain = { 0 };
static const struct oci_template rootless = { .rootless = true };
static const struct oci_template networked = { .net_hook = "/l/kata-hook-net" };

static const char *template(struct arena *a, const struct oci_template *t)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b, .pretty = true };
	const char *text;

	oci_template_write(&o, t);
	text = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return text;
}

static bool has(const struct json *list, const char *word)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i]->str, word) == 0)
			return true;
	return false;
}

START_TEST(versions_and_lists)
{
	AUTO(arena) *a = arena_new();
	const struct json *f = features(a), *lx = json_get(f, "linux");

	ck_assert_str_eq(json_get_str(f, "ociVersionMin"), "1.0.0");
	ck_assert_str_eq(json_get_str(f, "ociVersionMax"), "1.3.0");
	ck_assert(has(json_get(f, "hooks"), "createRuntime"));
	ck_assert(has(json_get(f, "hooks"), "startContainer"));
	ck_assert(has(json_get(f, "mountOptions"), "rro"));
	ck_assert(has(json_get(f, "mountOptions"), "idmap"));
	ck_assert_uint_eq(json_get(f, "mountOptions")->len, mount_opts_count);
	for (int i = 0; i < OCI_NS_TYPES; i++)
		ck_assert(has(json_get(lx, "namespaces"), oci_ns_names[i]));
	ck_assert(has(json_get(lx, "capabilities"), "CAP_BPF"));
	ck_assert(json_get(json_get(lx, "cgroup"), "v1")->boolean);
	ck_assert(json_get(json_get(lx, "cgroup"), "v2")->boolean);
	ck_assert(json_get(json_get(lx, "cgroup"), "systemd")->boolean ==
		  cgroup_supported().systemd);
	ck_assert(!json_get(json_get(lx, "cgroup"), "systemdUser")->boolean);
	lx = json_get(lx, "seccomp");
	ck_assert(json_get(lx, "enabled")->boolean);
	ck_assert_uint_eq(json_get(lx, "actions")->len, 8);
	ck_assert(!has(json_get(lx, "actions"), "SCMP_ACT_NOTIFY"));
	ck_assert(has(json_get(lx, "operators"), "SCMP_CMP_MASKED_EQ"));
	ck_assert(has(json_get(lx, "archs"), "SCMP_ARCH_X86_64"));
	ck_assert(has(json_get(lx, "knownFlags"),
		      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
	ck_assert(!has(json_get(lx, "supportedFlags"),
		       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
	ck_assert(has(json_get(lx, "supportedFlags"), "SECCOMP_FILTER_FLAG_SPEC_ALLOW"));
	ck_assert_str_eq(json_get_str(json_get(f, "annotations"),
				      "org.opencontainers.runc.checkpoint.enabled"),
			 "false");
	ck_assert_ptr_nonnull(
		json_get_str(json_get(f, "annotations"), "io.katacontainers.version"));
	ck_assert_uint_eq(json_get(f, "potentiallyUnsafeConfigAnnotations")->len, 1);
}
END_TEST

START_TEST(features_match_their_schema)
{
	AUTO(schema_dir) *dir = schema_dir_find("oci");
	AUTO(arena) *a = arena_new();
	struct kata_err err = { 0 };

	if (!dir) {
		printf("# skipped: no OCI schemas (KATA_SCHEMAS)\n");
		return;
	}
	ck_assert_msg(schema_check(dir, "features-schema.json", features(a), &err) == 0,
		      "%s", err.msg);
}
END_TEST

static const struct oci_spec *load(struct arena *a, const char *text)
{
	const struct oci_spec *spec;
	struct kata_err err = { 0 };

	ck_assert_msg(oci_spec_load(text, strlen(text), a, &spec, &err) == 0, "%s",
		      err.msg);
	return spec;
}

START_TEST(template_is_runcs)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = load(a, template(a, &plain));
	const struct oci_process *p = spec->process;

	ck_assert(p->terminal && p->noNewPrivileges && spec->root->readonly);
	STRV_EQ(p->args, "sh");
	STRV_EQ(p->capabilities->ambient, "CAP_AUDIT_WRITE", "CAP_KILL",
		"CAP_NET_BIND_SERVICE");
	ck_assert_str_eq(spec->root->path, "rootfs");
	ck_assert_uint_eq(spec->mounts.n, 7);
	ck_assert_uint_eq(spec->linux_->namespaces.n, 5);
	ck_assert_ptr_nonnull(oci_spec_ns(spec, OCI_NS_NETWORK));
	ck_assert_uint_eq(spec->linux_->maskedPaths.n, 10);
	ck_assert_uint_eq(spec->linux_->readonlyPaths.n, 5);
}
END_TEST

START_TEST(rootless_template_maps_the_caller)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = load(a, template(a, &rootless));
	const struct oci_id_map *map = spec->linux_->uidMappings.v;

	ck_assert_ptr_nonnull(oci_spec_ns(spec, OCI_NS_USER));
	ck_assert_ptr_null(oci_spec_ns(spec, OCI_NS_NETWORK));
	ck_assert_ptr_null(spec->linux_->resources);
	ck_assert_uint_eq(map->hostID, geteuid());
	ck_assert_uint_eq(map->containerID, 0);
	ck_assert_uint_eq(map->size, 1);
	ck_assert_ptr_null(strstr(template(a, &rootless), "gid=5"));
}
END_TEST

START_TEST(networked_template_has_the_hook_twice)
{
	static const enum oci_hook_kind with[] = { OCI_HOOK_CREATE_RUNTIME,
						   OCI_HOOK_POSTSTOP };
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec = load(a, template(a, &networked));
	size_t n = 0;

	for (size_t i = 0; i < OCI_HOOK_KINDS; i++)
		n += spec->hooks->kind[i].n;
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		const struct oci_hook *h = spec->hooks->kind[with[i]].v;

		ck_assert_uint_eq(spec->hooks->kind[with[i]].n, 1);
		ck_assert_str_eq(h->path, "/l/kata-hook-net");
		ck_assert(!h->has_env);
	}
	ck_assert_ptr_nonnull(oci_spec_ns(spec, OCI_NS_NETWORK));
	ck_assert_ptr_null(load(a, template(a, &plain))->hooks);
}
END_TEST

START_TEST(templates_match_the_schema)
{
	const struct oci_template *const all[] = { &plain, &rootless, &networked };
	AUTO(schema_dir) *dir = schema_dir_find("oci");
	AUTO(arena) *a = arena_new();
	struct kata_err err = { 0 };

	if (!dir) {
		printf("# skipped: no OCI schemas (KATA_SCHEMAS)\n");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const char *text = template(a, all[i]);

		ck_assert_msg(schema_check(dir, "config-schema.json",
					   oci_json(a, text, strlen(text)), &err) == 0,
			      "%s", err.msg);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		versions_and_lists,
		features_match_their_schema,
		template_is_runcs,
		rootless_template_maps_the_caller,
		networked_template_has_the_hook_twice,
		templates_match_the_schema,
	};

	return suite_run("oci_features", tests, ARRAY_SIZE(tests));
}
