/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec: the config.json document, and the loaders.
 *
 * Loading is three passes over ever larger things: json.c makes a tree (and
 * refuses duplicate keys, NUL, depth, size), the tables of the spec_*.c files
 * make structs of it (types, ranges, presence, and the rules within one object),
 * and spec_rules.c looks at the whole. All memory is the caller's arena.
 */
#include "oci/spec.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "oci/spec_tabs.h"

static const struct jt_field root_fields[] = {
	JT(struct oci_root, path, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_root, readonly, JT_BOOL, .flags = JT_OMIT_ZERO),
};

static const struct jtab root_tab = {
	.what = "root",
	.size = sizeof(struct oci_root),
	.fields = root_fields,
	.n_fields = ARRAY_SIZE(root_fields),
};

static const struct jt_field spec_fields[] = {
	JT(struct oci_spec, ociVersion, JT_STR, .flags = JT_REQUIRED),
	JT(struct oci_spec, root, JT_OBJ, .sub = &root_tab),
	JT(struct oci_spec, process, JT_OBJ, .sub = &oci_process_tab),
	JT(struct oci_spec, hostname, JT_STR),
	JT(struct oci_spec, domainname, JT_STR),
	JT(struct oci_spec, mounts, JT_OBJV, .sub = &oci_mount_tab),
	JT(struct oci_spec, hooks, JT_OBJ, .sub = &oci_hooks_tab),
	JT(struct oci_spec, annotations, JT_MAP),
	JT_AS(struct oci_spec, linux_, "linux", JT_OBJ, .sub = &oci_linux_tab),
	JT(struct oci_spec, vm, JT_OBJ, .sub = &oci_vm_tab),
};

/* A number of a semantic version at s: digits without a leading zero. NULL when there is none. */
static const char *version_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n == 0 || (n > 1 && s[0] == '0') ? NULL : s + n;
}

/* major.minor.patch, then perhaps "-rc1" or "+build", loosely */
static bool is_semver(const char *s)
{
	for (int i = 0; i < 3; i++) {
		if (i > 0 && *s++ != '.')
			return false;
		s = version_number(s);
		if (!s)
			return false;
	}
	if (!*s)
		return true;
	if ((*s != '-' && *s != '+') || !s[1])
		return false;
	for (s++; isalnum((unsigned char)*s) || (*s && strchr(".-+", *s)); s++)
		;
	return !*s;
}

static int version_check(const char *version, const char *path, struct kata_err *err)
{
	if (!is_semver(version))
		return spec_bad(err, path, "ociVersion",
				"\"%s\" is not a semantic version", version);
	if (!str_has_prefix(version, "1."))
		return spec_bad(err, path, "ociVersion",
				"\"%s\" is not supported (" OCI_VERSION_MIN " to 1.x)",
				version);
	return 0;
}

static int spec_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_spec *spec = obj;
	int r = version_check(spec->ociVersion, path, err);

	return r < 0 ? r : spec_need_keys(&spec->annotations, path, "annotations", err);
}

const struct jtab oci_spec_tab = {
	.what = "config",
	.size = sizeof(struct oci_spec),
	.fields = spec_fields,
	.n_fields = ARRAY_SIZE(spec_fields),
	.check = spec_check,
};

static int load(const struct jtab *tab, const char *text, size_t len, struct arena *a,
		void *obj, struct kata_err *err)
{
	const struct json *root;
	int r = json_parse(text, len, &json_limits_default, a, &root, err);

	return r < 0 ? r : jtab_decode(tab, root, a, "", obj, err);
}

/* The spec: a relative destination, which old tools write, is relative to "/". */
static void root_destinations(struct oci_spec *spec, struct arena *a)
{
	struct oci_mount *m =
		(struct oci_mount *)spec->mounts.v; /* just decoded into @a */

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (m[i].destination[0] != '/')
			m[i].destination = arena_printf(a, "/%s", m[i].destination);
}

int oci_spec_load(const char *text, size_t len, struct arena *a,
		  const struct oci_spec **ret_spec, struct kata_err *err)
{
	struct oci_spec *spec = arena_alloc(a, sizeof(*spec));
	int r = load(&oci_spec_tab, text, len, a, spec, err);

	if (r < 0)
		return r;
	r = spec_rules(spec, err);
	if (r < 0)
		return r;
	root_destinations(spec, a);
	*ret_spec = spec;
	return 0;
}

int oci_process_load(const char *text, size_t len, struct arena *a,
		     const struct oci_process **ret_process, struct kata_err *err)
{
	struct oci_process *process = arena_alloc(a, sizeof(*process));
	int r = load(&oci_process_tab, text, len, a, process, err);

	if (r < 0)
		return r;
	*ret_process = process;
	return 0;
}

int oci_resources_load(const char *text, size_t len, struct arena *a,
		       const struct oci_resources **ret_res, struct kata_err *err)
{
	struct oci_resources *res = arena_alloc(a, sizeof(*res));
	int r = load(&oci_resources_tab, text, len, a, res, err);

	if (r < 0)
		return r;
	*ret_res = res;
	return 0;
}

const struct oci_namespace *oci_spec_ns(const struct oci_spec *spec,
					enum oci_ns_type type)
{
	const struct oci_namespace *ns = spec->linux_ ? spec->linux_->namespaces.v : NULL;

	for (size_t i = 0; ns && i < spec->linux_->namespaces.n; i++)
		if (ns[i].type == (int)type)
			return &ns[i];
	return NULL;
}

const char *oci_annotation(const struct oci_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (str_eq(spec->annotations.keys[i], key))
			return spec->annotations.vals[i];
	return NULL;
}
