/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: the document of `features` (runtime-spec features.md). It says what
 * this build really does; an engine that believes a wish passes on settings
 * which nobody applies. So a line changes here in the commit that makes it true.
 *
 * Names come from the tables that the loader and the agent work by.
 */
#include "oci/features.h"

#include <config.h>

#include "oci/mount_opts.h"
#include "oci/names.h"
#include "oci/spec.h"

#ifdef HAVE_LIBSYSTEMD
#define SYSTEMD true
#else
#define SYSTEMD false
#endif

static const enum oci_hook_kind hooks[] = {
	OCI_HOOK_PRESTART,	  OCI_HOOK_CREATE_RUNTIME, OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER, OCI_HOOK_POSTSTART,	   OCI_HOOK_POSTSTOP,
};

static const enum oci_ns_type namespaces[] = {
	OCI_NS_MOUNT, OCI_NS_PID,  OCI_NS_NETWORK, OCI_NS_UTS,
	OCI_NS_IPC,   OCI_NS_USER, OCI_NS_CGROUP,  OCI_NS_TIME,
};

static void write_str(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_str(o, value);
}

static void write_bool(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_bool(o, value);
}

/* "<key>": {"enabled": <value>} */
static void write_enabled(struct json_out *o, const char *key, bool value)
{
	json_out_key(o, key);
	json_out_begin_object(o);
	write_bool(o, "enabled", value);
	json_out_end_object(o);
}

static void write_hooks(struct json_out *o)
{
	json_out_key(o, "hooks");
	json_out_begin_array(o);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		json_out_str(o, oci_hook_names[hooks[i]]);
	json_out_end_array(o);
}

static void write_mount_options(struct json_out *o)
{
	json_out_key(o, "mountOptions");
	json_out_begin_array(o);
	for (size_t i = 0; i < mount_opts_count; i++)
		json_out_str(o, mount_opts_table[i].name);
	json_out_end_array(o);
}

/* what libkata/cgroup was built with; rootless (systemdUser) is not there */
static void write_cgroup(struct json_out *o)
{
	static const struct {
		const char *name;
		bool there;
	} kinds[] = {
		{ "v1", true },		  { "v2", true },   { "systemd", SYSTEMD },
		{ "systemdUser", false }, { "rdma", true },
	};

	json_out_key(o, "cgroup");
	json_out_begin_object(o);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		write_bool(o, kinds[i].name, kinds[i].there);
	json_out_end_object(o);
}

static void write_linux(struct json_out *o)
{
	json_out_key(o, "linux");
	json_out_begin_object(o);
	json_out_key(o, "namespaces");
	json_out_begin_array(o);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		json_out_str(o, oci_ns_names[namespaces[i]]);
	json_out_end_array(o);
	json_out_key(o, "capabilities");
	json_out_begin_array(o);
	for (size_t i = 0; oci_cap_names[i]; i++)
		json_out_str(o, oci_cap_names[i]);
	json_out_end_array(o);
	write_cgroup(o);
	write_enabled(o, "seccomp", false);
	write_enabled(o, "apparmor", false);
	write_enabled(o, "selinux", false);
	write_enabled(o, "intelRdt", false);
	json_out_key(o, "mountExtensions");
	json_out_begin_object(o);
	write_enabled(o, "idmap", true);
	json_out_end_object(o);
	write_enabled(o, "netDevices", false);
	json_out_end_object(o);
}

static void write_annotations(struct json_out *o)
{
	json_out_key(o, "annotations");
	json_out_begin_object(o);
	write_str(o, "io.katacontainers.version", KATA_VERSION);
	/* nerdctl and CRI-O look for runc's name */
	write_str(o, "org.opencontainers.runc.checkpoint.enabled", "false");
	json_out_end_object(o);
}

void oci_features_write(struct json_out *o)
{
	json_out_begin_object(o);
	write_str(o, "ociVersionMin", OCI_VERSION_MIN);
	write_str(o, "ociVersionMax", OCI_VERSION_MAX);
	write_hooks(o);
	write_mount_options(o);
	write_linux(o);
	write_annotations(o);
	json_out_key(o, "potentiallyUnsafeConfigAnnotations");
	json_out_begin_array(o);
	json_out_str(o, "io.katacontainers.config.hypervisor.driver");
	json_out_end_array(o);
	json_out_end_object(o);
}
