/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_mounts: one entry of "mounts" (config.md, Mounts), and the id mapping
 * that mounts and "linux" share. Options stay words here: what they mean is in
 * mount_opts.c, which the agent uses too.
 */
#include "oci/spec_tabs.h"

#include "oci/mount_opts.h"

static const struct jt_field id_map_fields[] = {
	JT(struct oci_id_map, containerID, JT_U32, .flags = JT_REQUIRED),
	JT(struct oci_id_map, hostID, JT_U32, .flags = JT_REQUIRED),
	JT(struct oci_id_map, size, JT_U32, .flags = JT_REQUIRED),
};

const struct jtab oci_id_map_tab = {
	.what = "id mapping",
	.size = sizeof(struct oci_id_map),
	.fields = id_map_fields,
	.n_fields = ARRAY_SIZE(id_map_fields),
};

static const struct jt_field mount_fields[] = {
	JT(struct oci_mount, destination, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_mount, type, JT_STR),
	JT(struct oci_mount, source, JT_STR),
	JT(struct oci_mount, options, JT_STRV),
	JT(struct oci_mount, uidMappings, JT_OBJV, .sub = &oci_id_map_tab),
	JT(struct oci_mount, gidMappings, JT_OBJV, .sub = &oci_id_map_tab),
};

/* A bind mount takes no data; the kernel drops it silently, so say it (as runc since 1.2). */
static int bind_check(const struct oci_mount *m, const char *path, struct kata_err *err)
{
	const char *data = NULL;
	bool bind = false;

	for (size_t i = 0; i < m->options.n; i++) {
		const struct mount_opt *opt = mount_opt_find(m->options.v[i]);

		if (!opt)
			data = m->options.v[i];
		else if (opt->kind == MOUNT_OPT_BIND)
			bind = true;
	}
	if (bind && data)
		return spec_bad(
			err, path, "options",
			"bind mounts cannot have filesystem-specific options, has \"%s\"",
			data);
	return 0;
}

static int mount_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_mount *m = obj;

	if (m->uidMappings.n && !m->gidMappings.n)
		return spec_bad(err, path, "uidMappings", "must come with gidMappings");
	if (m->gidMappings.n && !m->uidMappings.n)
		return spec_bad(err, path, "gidMappings", "must come with uidMappings");
	return bind_check(m, path, err);
}

const struct jtab oci_mount_tab = {
	.what = "mount",
	.size = sizeof(struct oci_mount),
	.fields = mount_fields,
	.n_fields = ARRAY_SIZE(mount_fields),
	.check = mount_check,
};
