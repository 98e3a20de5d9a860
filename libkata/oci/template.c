/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: runc's template as a spec in C, written by the tables that read it.
 *
 * What differs from runc 1.1 is the host name and, rootless, that /sys is not the
 * host's: in a VM sysfs can always be mounted.
 */
#include "oci/template.h"

#include <unistd.h>

#include "base/mem.h"
#include "oci/spec.h"

#define WORDS(...)                                                                       \
	{                                                                                \
		.v = (const char *const[]){ __VA_ARGS__, NULL },                         \
		.n = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *),      \
	}
#define LIST(array)                                                                      \
	{                                                                                \
		.v = (array), .n = ARRAY_SIZE(array)                                     \
	}

#define CAPS WORDS("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")

static const struct oci_caps caps = {
	.bounding = CAPS,
	.effective = CAPS,
	.permitted = CAPS,
	.ambient = CAPS,
};

static const struct oci_user user = { .uid = 0, .gid = 0 };

static const struct oci_rlimit rlimits[] = {
	{ .type = "RLIMIT_NOFILE", .soft = 1024, .hard = 1024 },
};

static const struct oci_process process = {
	.terminal = true,
	.user = &user,
	.args = WORDS("sh"),
	.env = WORDS("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		     "TERM=xterm"),
	.cwd = "/",
	.capabilities = &caps,
	.rlimits = LIST(rlimits),
	.noNewPrivileges = true,
};

static const struct oci_root root = { .path = "rootfs", .readonly = true };

#define PSEUDO(dest, fs, from, ...)                                                      \
	{                                                                                \
		.destination = (dest), .type = (fs), .source = (from),                   \
		.options = WORDS(__VA_ARGS__)                                            \
	}

enum { MOUNT_PTS = 2 };
static const struct oci_mount mounts[] = {
	{ .destination = "/proc", .type = "proc", .source = "proc" },
	PSEUDO("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755",
	       "size=65536k"),
	[MOUNT_PTS] = PSEUDO("/dev/pts", "devpts", "devpts", "nosuid", "noexec",
			     "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
	PSEUDO("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777",
	       "size=65536k"),
	PSEUDO("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
	PSEUDO("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
	PSEUDO("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev",
	       "relatime", "ro"),
};

/* without privileges there is no group 5 in the user namespace */
static const struct oci_mount rootless_pts = PSEUDO("/dev/pts", "devpts", "devpts",
						    "nosuid", "noexec", "newinstance",
						    "ptmxmode=0666", "mode=0620");

static const struct oci_namespace namespaces[] = {
	{ .type = OCI_NS_PID }, { .type = OCI_NS_NETWORK }, { .type = OCI_NS_IPC },
	{ .type = OCI_NS_UTS }, { .type = OCI_NS_MOUNT },
};

static const struct oci_namespace rootless_namespaces[] = {
	{ .type = OCI_NS_PID },	  { .type = OCI_NS_IPC },  { .type = OCI_NS_UTS },
	{ .type = OCI_NS_MOUNT }, { .type = OCI_NS_USER },
};

static const struct oci_device_cgroup devices[] = {
	{ .allow = false, .access = "rwm" },
};

static const struct oci_resources resources = { .devices = LIST(devices) };

static const struct oci_linux linux_template = {
	.namespaces = LIST(namespaces),
	.resources = &resources,
	.maskedPaths = WORDS("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
			     "/proc/latency_stats", "/proc/timer_list",
			     "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
			     "/proc/scsi"),
	.readonlyPaths = WORDS("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
			       "/proc/sysrq-trigger"),
};

static const struct oci_spec template = {
	.ociVersion = OCI_VERSION_MAX,
	.root = &root,
	.process = &process,
	.hostname = "kata",
	.mounts = LIST(mounts),
	.linux_ = &linux_template,
};

/* A template and what is changed in it. */
struct draft {
	struct oci_spec spec;
	struct oci_linux lx;
	struct oci_mount mounts[ARRAY_SIZE(mounts)];
	struct oci_id_map uids, gids;
	struct oci_hook hook;
	struct oci_hooks hooks;
};

static void make_rootless(struct draft *d)
{
	d->uids = (struct oci_id_map){ .hostID = geteuid(), .size = 1 };
	d->gids = (struct oci_id_map){ .hostID = getegid(), .size = 1 };
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		d->mounts[i] = i == MOUNT_PTS ? rootless_pts : mounts[i];
	d->lx = linux_template;
	d->lx.namespaces = (struct jt_objv)LIST(rootless_namespaces);
	d->lx.uidMappings = (struct jt_objv){ .v = &d->uids, .n = 1 };
	d->lx.gidMappings = (struct jt_objv){ .v = &d->gids, .n = 1 };
	d->lx.resources = NULL;
	d->spec.mounts = (struct jt_objv){ d->mounts, ARRAY_SIZE(mounts) };
	d->spec.linux_ = &d->lx;
}

/* Made and removed by the same program, which is told which of the two. */
static void add_net_hook(struct draft *d, const char *path)
{
	struct jt_objv one = { .v = &d->hook, .n = 1 };

	d->hook = (struct oci_hook){ .path = path };
	d->hooks.kind[OCI_HOOK_CREATE_RUNTIME] = one;
	d->hooks.kind[OCI_HOOK_POSTSTOP] = one;
	d->spec.hooks = &d->hooks;
}

void oci_template_write(struct json_out *o, const struct oci_template *t)
{
	struct draft d = { .spec = template };

	if (t->rootless)
		make_rootless(&d);
	if (t->net_hook)
		add_net_hook(&d, t->net_hook);
	jtab_encode(&oci_spec_tab, &d.spec, o);
}
