// SPDX-License-Identifier: Apache-2.0
/*
 * stand_in: a kata-shim shows itself as the process it stands for: argv is that one's command line,
 * so that ps and docker top show it, and its own settings come by environment.
 */
#include "verb/stand_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/proc.h"
#include "sandbox/ctl.h"

#ifndef PKGLIBEXECDIR
#define PKGLIBEXECDIR "/usr/libexec/kata"
#endif

char *stand_in_path(const char *name)
{
	const char *dir = getenv("KATA_LIBEXEC");

	return mem_printf("%s/%s", dir && dir[0] == '/' ? dir : PKGLIBEXECDIR, name);
}

char *const *stand_in_argv(const struct oci_process *p)
{
	static const char *const none[] = { "kata-shim", NULL };

	return (char *const *)(p && p->args.n ? p->args.v : none);
}

void stand_in_env(const struct stand_in_env *e, struct strv *ret_env)
{
	const char *program = stand_in_argv(e->process)[0];
	const char *slash = strrchr(program, '/');

	strv_addf(ret_env, SHIM_ENV_TERMINAL "=%d", e->process && e->process->terminal);
	strv_addf(ret_env, SHIM_ENV_HOSTNAME "=%s", e->hostname ? e->hostname : "");
	strv_addf(ret_env, SHIM_ENV_COMM "=%.15s", slash ? slash + 1 : program);
	strv_addf(ret_env, SHIM_ENV_NEWNS "=%d", e->own_root);
	strv_addf(ret_env, SHIM_ENV_CALLERS_TTY "=%d", e->callers_tty);
	strv_addf(ret_env, SHIM_ENV_USERNS "=%s", e->userns ? e->userns : "");
	strv_addf(ret_env, SHIM_ENV_PASSED "=%s", e->passed ? e->passed : "");
}

uint32_t stand_in_null_streams(const struct oci_process *p)
{
	uint32_t flags = 0;
	struct stat st;

	if (p && p->terminal)
		return 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
		    st.st_rdev == makedev(1, 3))
			flags |= CTL_F_NULL(fd);
	}
	return flags;
}

int stand_in_record(pid_t pid, struct store_proc *ret, struct kata_err *err)
{
	int rc;

	ret->pid = pid;
	ret->start = 0;
	rc = proc_start_time(pid, &ret->start);
	if (rc == 0 || rc == -ESRCH)
		return 0;
	return err_sys_code(err, rc, "read start time of process %d", (int)pid);
}

int stand_in_pid_file(const char *path, pid_t pid, struct kata_err *err)
{
	char text[24];
	int len;

	if (!path)
		return 0;
	len = snprintf(text, sizeof(text), "%d", (int)pid);
	return fs_write_atomic_path(path, text, (size_t)len, 0644, err);
}
