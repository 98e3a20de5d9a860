// SPDX-License-Identifier: Apache-2.0
/*
 * idmap: see idmap.h. It is done on the host, whose kernel knows its file systems: what virtiofsd sees,
 * and so the guest, are the mapped owners, and what it creates for such an owner belongs to the
 * original one on disk. A guest's kernel could do it for virtio-fs from 6.12 on only.
 *
 * The kernel takes a mapping in the form of a user namespace. One lives as long as a process in it
 * or a descriptor of it; the process here has nothing to run and ends by itself, and until it is
 * reaped its namespace can be opened all the same.
 */
#include "share/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

#define FDINFO_MAX 4096u

/* Its pid as /proc has it: ours may be of another pid namespace. */
static int proc_pid(int pidfd, unsigned *ret)
{
	AUTO_FREE char *path = mem_printf("/proc/self/fdinfo/%d", pidfd);
	AUTO_FREE char *text = NULL;
	uint64_t pid;
	char *at;
	int r = fs_read_at(AT_FDCWD, path, FDINFO_MAX, &text, NULL);

	if (r < 0)
		return r;
	at = strstr(text, "\nPid:\t");
	if (!at)
		return -ESRCH;
	at += strlen("\nPid:\t");
	at[strcspn(at, "\n")] = '\0';
	r = str_to_u64(at, 1, INT32_MAX, &pid);
	if (r == 0)
		*ret = (unsigned)pid;
	return r;
}

static int write_map(unsigned pid, const char *name, const struct jt_objv *map)
{
	AUTO_FREE char *path = mem_printf("/proc/%u/%s", pid, name);
	const struct oci_id_map *m = map->v;
	struct buf b = { 0 };
	int r;

	for (size_t i = 0; i < map->n; i++)
		buf_addf(&b, "%u %u %u\n", m[i].containerID, m[i].hostID, m[i].size);
	r = fs_write_str(AT_FDCWD, path, buf_cstr(&b));
	buf_done(&b);
	return r;
}

static int open_namespace(const struct share_map *map, int pidfd)
{
	AUTO_FREE char *path = NULL;
	unsigned pid = 0;
	int r = proc_pid(pidfd, &pid), fd;

	if (r == 0)
		r = write_map(pid, "uid_map", &map->uids);
	if (r == 0)
		r = write_map(pid, "gid_map", &map->gids);
	if (r < 0)
		return r;
	path = mem_printf("/proc/%u/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A user namespace with this mapping. Return: its descriptor or -errno. */
static int make_namespace(const struct share_map *map, struct kata_err *err)
{
	char *const argv[] = { (char *)"", NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc p = PROC_INIT;
	int report = -1, fd, r;

	sp.path = "";
	sp.argv = argv;
	sp.clone_flags = CLONE_NEWUSER;
	r = proc_spawn_begin(&sp, &p, &report, err);
	if (r < 0)
		return r;
	fd = open_namespace(map, p.pidfd);
	close(report);
	if (proc_kill(p.pidfd, SIGKILL) < 0 || proc_wait(&p) < 0)
		log_debug("the process of an id mapping is left");
	proc_done(&p);
	return fd < 0 ? err_sys_code(err, fd, "make a user namespace for the mapping")
		      : fd;
}

int idmap_mount(int tree, const struct share_bind *b, struct kata_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	unsigned flags = AT_EMPTY_PATH | (b->map.recursive ? AT_RECURSIVE : 0);
	AUTO_CLOSE int ns = make_namespace(&b->map, err);

	if (ns < 0)
		return err_ctx(err, "%s: %s", b->map.what, b->source);
	attr.userns_fd = (uint64_t)ns;
	if (syscall(SYS_mount_setattr, tree, "", flags, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno == EINVAL)
		return err_set(
			err, -ENOTSUP,
			"%s: %s: the host's kernel has no idmapped mounts of this file "
			"system",
			b->map.what, b->source);
	return err_sys(err, "%s: %s: idmapped mount", b->map.what, b->source);
}
