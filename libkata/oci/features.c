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

/* SCMP_ACT_NOTIFY is refused */
static const enum oci_seccomp_action seccomp_actions[] = {
	OCI_ACT_ALLOW,	      OCI_ACT_ERRNO,	   OCI_ACT_KILL, OCI_ACT_LOG,
	OCI_ACT_KILL_PROCESS, OCI_ACT_KILL_THREAD, OCI_ACT_TRAP, OCI_ACT_TRACE,
};

/* those that libseccomp 2.5 knows, and of the byte order of the machines that VMs are made for */
static const char *const seccomp_archs[] = {
	"SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",	       "SCMP_ARCH_MIPSEL",
	"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_RISCV64",  "SCMP_ARCH_X32",	       "SCMP_ARCH_X86",
	"SCMP_ARCH_X86_64",
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

/* @n: how many of them; to the end of the list when that comes first */
static void write_list(struct json_out *o, const char *key, const char *const *list,
		       size_t n)
{
	json_out_key(o, key);
	json_out_begin_array(o);
	for (size_t i = 0; i < n && list[i]; i++)
		json_out_str(o, list[i]);
	json_out_end_array(o);
}

static void write_seccomp(struct json_out *o)
{
	json_out_key(o, "seccomp");
	json_out_begin_object(o);
	write_bool(o, "enabled", true);
	json_out_key(o, "actions");
	json_out_begin_array(o);
	for (size_t i = 0; i < ARRAY_SIZE(seccomp_actions); i++)
		json_out_str(o, oci_seccomp_actions[seccomp_actions[i]]);
	json_out_end_array(o);
	write_list(o, "operators", oci_seccomp_ops, SIZE_MAX);
	write_list(o, "archs", seccomp_archs, ARRAY_SIZE(seccomp_archs));
	write_list(o, "knownFlags", oci_seccomp_flags, SIZE_MAX);
	write_list(o, "supportedFlags", oci_seccomp_flags, OCI_SECCOMP_FLAGS_SUPPORTED);
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
	write_seccomp(o);
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
