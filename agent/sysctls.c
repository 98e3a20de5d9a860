// SPDX-License-Identifier: Apache-2.0
/*
 * sysctls: which may be set is runc's list (libcontainer/configs/validate): those of the ipc and
 * uts namespaces if they are the container's own, user.* of its user namespace, and net.*, which is the
 * VM's own.
 * Names are written with dots or, when the first separator is a slash, with slashes (sysctl.d(5)).
 */
#include "sysctls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const ipc_sysctls[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

/* "net/ipv4/conf/eth0.1/x" -> "net.ipv4.conf.eth0/1.x"; a name with dots stays. In place. */
static void to_dots(char *s)
{
	char first = s[strcspn(s, "./")];

	if (first != '/')
		return;
	for (; *s; s++) {
		if (*s == '/')
			*s = '.';
		else if (*s == '.')
			*s = '/';
	}
}

/* The dotted form as a path below /proc/sys. In place. */
static void to_path(char *s)
{
	for (; *s; s++) {
		if (*s == '/')
			*s = '.';
		else if (*s == '.')
			*s = '/';
	}
}

static bool is_ipc(const char *s)
{
	if (str_has_prefix(s, "fs.mqueue."))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ipc_sysctls); i++) {
		if (str_eq(s, ipc_sysctls[i]))
			return true;
	}
	return false;
}

static int check_one(const struct oci_spec *spec, const char *s, struct kata_err *err)
{
	if (is_ipc(s)) {
		if (oci_spec_ns(spec, OCI_NS_IPC))
			return 0;
		return err_set(err, -EPERM,
			       "sysctl \"%s\" is not allowed in the hosts ipc namespace",
			       s);
	}
	if (str_has_prefix(s, "net."))
		return 0;
	if (str_has_prefix(s, "user.") && oci_spec_ns(spec, OCI_NS_USER))
		return 0;
	if (oci_spec_ns(spec, OCI_NS_UTS)) {
		if (str_eq(s, "kernel.domainname"))
			return 0;
		if (str_eq(s, "kernel.hostname"))
			return err_set(err, -EPERM,
				       "sysctl \"%s\" is not allowed as it conflicts "
				       "with the OCI \"hostname\" field",
				       s);
	}
	return err_set(err, -EPERM, "sysctl \"%s\" is not in a separate kernel namespace",
		       s);
}

int sysctls_check(const struct oci_spec *spec, struct kata_err *err)
{
	const struct jt_map *m = spec->linux_ ? &spec->linux_->sysctl : NULL;

	for (size_t i = 0; m && i < m->n; i++) {
		AUTO_FREE char *name = mem_strdup(m->keys[i]);
		int r;

		to_dots(name);
		r = check_one(spec, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int sysctls_apply(const struct oci_linux *linux_, bool *left, bool last,
		  struct kata_err *err)
{
	AUTO_CLOSE int dir = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && linux_->sysctl.n > 0)
		return err_sys(err, "open /proc/sys");
	for (size_t i = 0; i < linux_->sysctl.n; i++) {
		AUTO_FREE char *path = mem_strdup(linux_->sysctl.keys[i]);
		AUTO_CLOSE int fd = -1;
		int r;

		if (!left[i])
			continue;
		to_dots(path);
		to_path(path);
		/* below /proc/sys whatever the name says */
		fd = fs_open_in_root(dir, path, O_WRONLY, 0);
		r = fd < 0 ? fd
			   : fs_write_all(fd, linux_->sysctl.vals[i],
					  strlen(linux_->sysctl.vals[i]));
		if (r == -EACCES && !last)
			continue;
		if (r < 0)
			return err_sys_code(err, r, "open /proc/sys/%s", path);
		left[i] = false;
	}
	return 0;
}
