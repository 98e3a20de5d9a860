// SPDX-License-Identifier: Apache-2.0
/*
 * mount_check: see mount_check.h. Who does what of mounts[]:
 *
 *   type, source                    done by   how
 *   proc sysfs tmpfs devpts mqueue  guest     mount(2): flags, the other words as data. tmpfs: mode of the
 *     ramfs hugetlbfs and the like            directory it covers; ro and tmpcopyup when it is filled
 *   cgroup, cgroup2                 guest     cgroup2, of the container's group
 *   bind of a file or directory     both      shared by virtio-fs, bound from there in the guest
 *   bind of /dev, /dev/pts, /proc,  guest     the guest's own; of /dev/null and its like the device
 *     /sys and what is below them
 *   bind of a socket, FIFO, device  refused   share.c: nobody is behind it in the guest
 *   overlay                         both      mounted on the host (its directories are there), shared
 *   all others                      refused   here: mount it on the host and bind it
 *
 *   option                          of a bind                           of a file system
 *   ro, rw                          host (enforced there) and guest,    guest; read-only tmpfs at the end
 *                                   the top alone
 *   rro, rrw                        the same, with what is below        guest, mount_setattr(AT_RECURSIVE)
 *   nosuid nodev noexec nosymfollow guest, mount_setattr() of the top;  guest, mount(2)
 *     noatime nodiratime relatime   without any of them those of the
 *     strictatime and opposites     source are kept
 *   rnosuid rnodev rnoexec ...      guest, mount_setattr(AT_RECURSIVE)  the same
 *   [r]private, [r]unbindable       guest; and the host's later mounts  guest
 *                                   do not arrive
 *   [r]slave                        guest; they arrive                  guest
 *   [r]shared                       as slave; a warning: what is        guest
 *                                   mounted in the VM stays in it
 *   sync async dirsync mand nomand  none, as with mount(8): they are    guest, mount(2)
 *     lazytime nolazytime iversion  the file system's, which the host
 *     noiversion silent loud        has mounted
 *   tmpcopyup                       none (runc too)                     tmpfs: filled from the directory
 *   bind, rbind, remount, defaults  what it says
 *   idmap, ridmap, uidMappings,     host, where its kernel can for the  refused (runc too)
 *     gidMappings                   file system, else refused: idmap.c
 *   any other word                  refused by config.json's rules      guest: data of mount(2)
 */
#include "sandbox/mount_check.h"

#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "oci/mount_opts.h"
#include "share/share.h"

/* File systems that are a kernel's own: the guest's. */
static const char *const guest_types[] = {
	"proc",	    "sysfs",	 "tmpfs",      "devpts",    "mqueue",	   "cgroup",
	"cgroup2",  "ramfs",	 "devtmpfs",   "hugetlbfs", "bpf",	   "debugfs",
	"tracefs",  "configfs",	 "securityfs", "fusectl",   "binfmt_misc", "pstore",
	"efivarfs", "selinuxfs", "rpc_pipefs",
};

static bool is_remount(const struct oci_mount *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (str_eq(m->options.v[i], "remount"))
			return true;
	return false;
}

static int check_type(const struct oci_mount *m, size_t index, struct kata_err *err)
{
	if (share_kind(m) != SHARE_NOT || is_remount(m) || !m->type || !*m->type)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(guest_types); i++)
		if (str_eq(m->type, guest_types[i]))
			return 0;
	return err_set(
		err, -ENOTSUP,
		"mounts[%zu].type: \"%s\" for %s cannot be mounted in the VM; mount it "
		"on the host and bind it",
		index, m->type, m->destination);
}

static int check_idmap(const struct oci_mount *m, size_t index, struct kata_err *err)
{
	const char *what = m->uidMappings.n ? "uidMappings" : NULL;

	for (size_t i = 0; i < m->options.n && !what; i++) {
		const struct mount_opt *opt = mount_opt_find(m->options.v[i]);

		if (opt && opt->kind == MOUNT_OPT_IDMAP)
			what = opt->name;
	}
	if (!what || share_kind(m) == SHARE_BIND)
		return 0;
	return err_set(
		err, -ENOTSUP,
		"mounts[%zu].%s: %s: id-mapped mounts are only supported for binds of "
		"the host's files",
		index, what, m->destination);
}

/* A process of the host has no directory in the guest's proc. */
static int check_process(const struct oci_mount *m, size_t index, struct kata_err *err)
{
	const char *rest;

	if (share_kind(m) != SHARE_GUEST || !str_has_prefix(m->source, "/proc/"))
		return 0;
	rest = m->source + sizeof("/proc/") - 1;
	if ((*rest < '0' || *rest > '9') && !str_has_prefix(rest, "self") &&
	    !str_has_prefix(rest, "thread-self"))
		return 0;
	return err_set(err, -ENOTSUP,
		       "mounts[%zu].source: %s is of a process of the host, which the VM "
		       "does not have",
		       index, m->source);
}

static int (*const checks[])(const struct oci_mount *, size_t, struct kata_err *) = {
	check_type,
	check_idmap,
	check_process,
};

static void tell_shared(const struct oci_mount *m, size_t index,
			void (*warn)(void *arg, const char *text), void *arg)
{
	char text[160];

	if (!share_is_shared(m))
		return;
	for (size_t i = 0; i < m->options.n; i++) {
		const char *word = m->options.v[i];

		if (!str_eq(word, "shared") && !str_eq(word, "rshared"))
			continue;
		snprintf(text, sizeof(text),
			 "mounts[%zu].options: %s: mounts made in the container do not "
			 "reach the host",
			 index, word);
		warn(arg, text);
		return;
	}
}

int mount_check(const struct oci_spec *spec, void (*warn)(void *arg, const char *text),
		void *arg, struct kata_err *err)
{
	const struct oci_mount *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(checks); j++) {
			int r = checks[j](&m[i], i, err);

			if (r < 0)
				return r;
		}
		tell_shared(&m[i], i, warn, arg);
	}
	return 0;
}
