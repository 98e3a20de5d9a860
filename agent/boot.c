// SPDX-License-Identifier: Apache-2.0
/*
 * boot: as little as possible before the host hears of us: the line to the host comes first, in
 * boot_early(); all else overlaps with the host's answer, in boot_late().
 *
 * The kernel's initramfs cannot be pivoted away (pivot_root wants a root that is mounted on
 * something), so the agent first moves onto a bind of it; every container's private copy of the tree then has
 * a root that pivot_root accepts.
 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "dial.h"
#include "parking.h"
#include "proto/msg.h"

#define MODULES_ORDER "/lib/modules.order"
#define MODULES_ORDER_MAX 65536u

/* Early: what it takes to dial. */
static const struct {
	const char *dest, *fstype, *data;
	unsigned long flags;
	bool early;
} boot_mounts[] = {
	{ "/dev", "devtmpfs", "mode=0755", MS_NOSUID | MS_NOEXEC, .early = true },
	{ "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV },
	{ "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC },
	{ "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "/sys/fs/cgroup", "cgroup2", "nsdelegate", MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

static int move_root(struct kata_err *err)
{
	if (mkdir("/root", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "mkdir /root");
	if (mount("/", "/root", NULL, MS_BIND, NULL) < 0)
		return err_sys(err, "bind /");
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0)
		return err_sys(err, "move the root");
	return 0;
}

static int mount_some(bool early, struct kata_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_mounts); i++) {
		const char *dest = boot_mounts[i].dest;

		if (boot_mounts[i].early != early)
			continue;
		if (mkdir(dest, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "mkdir %s", dest);
		/* EBUSY: a kernel that has mounted devtmpfs by itself */
		if (mount(boot_mounts[i].fstype, dest, boot_mounts[i].fstype,
			  boot_mounts[i].flags, boot_mounts[i].data) < 0 &&
		    errno != EBUSY)
			return err_sys(err, "mount %s", dest);
	}
	return 0;
}

static int load_module(const char *path, struct kata_err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "open %s", path);
	/* a module without its hardware (ENODEV) or built in as well (EEXIST) is no fault */
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST &&
	    errno != ENODEV)
		return err_sys(err, "load %s", path);
	return 0;
}

/* Modules one after the other; with @until_vsock only as many as it takes. *text is what is left. */
static int load_modules(struct guest *g, char **text, bool until_vsock,
			struct kata_err *err)
{
	while (*text) {
		char *path;
		int r;

		if (until_vsock && dial_vsock_ready(&g->dial))
			return 0;
		path = strsep(text, "\n");
		r = *path ? load_module(path, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int boot_early(struct guest *g, struct kata_err *err)
{
	size_t len;
	int r = move_root(err);

	if (r == 0)
		r = mount_some(true, err);
	if (r < 0)
		return r;
	r = fs_read_at(AT_FDCWD, MODULES_ORDER, MODULES_ORDER_MAX, &g->modules, &len);
	if (r < 0 && r != -ENOENT)
		return err_sys_code(err, r, "read " MODULES_ORDER);
	g->modules_left = g->modules;
	r = load_modules(g, &g->modules_left, true, err);
	if (r < 0)
		return r;
	if (!dial_vsock_ready(&g->dial))
		return err_set(err, -ENODEV, "the VM has no vsock device");
	return 0;
}

/*
 * What containers get that do not say: the kernel's hard limit of 4096 is little for a server, and
 * without CAP_SYS_RESOURCE nobody raises it. systemd's default, the one that engines have.
 */
static int limit_files(struct kata_err *err)
{
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 524288 };

	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(err, "set the limit of open files");
	return 0;
}

int boot_late(struct guest *g, struct kata_err *err)
{
	/* sysfs shows the network namespace of who mounts it */
	int r = parking_leave(&g->parking, err);

	if (r == 0)
		r = mount_some(false, err);
	if (r == 0)
		r = load_modules(g, &g->modules_left, false, err);
	free(g->modules);
	g->modules = g->modules_left = NULL;
	if (r < 0)
		return r;
	r = fs_mkdir_p(g->share, 0755, err);
	if (r < 0)
		return r;
	/* no nosuid, no nodev: it becomes the root of containers, which decide for themselves */
	if (mount(PROTO_SHARE_TAG, g->share, "virtiofs", 0, NULL) < 0)
		return err_sys(err, "mount %s", g->share);
	g->cgroup = "/sys/fs/cgroup";
	g->cgroup_fd = open(g->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->cgroup_fd < 0)
		return err_sys(err, "open %s", g->cgroup);
	if (sethostname("kata", 4) < 0)
		return err_sys(err, "sethostname");
	return limit_files(err);
}
