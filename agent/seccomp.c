// SPDX-License-Identifier: Apache-2.0
/* seccomp: the system call, and the bounds of what is given to it. The kernel checks the program. */
#include "seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "proto/msg.h"

int seccomp_decode(const struct req_filter *req, struct arena *a, struct seccomp *ret,
		   struct kata_err *err)
{
	struct sock_filter *program;
	int len;

	*ret = (struct seccomp){ 0 };
	if (!req)
		return 0;
	program = arena_alloc(a, PROTO_MAX_FILTER);
	len = str_to_bytes(req->program, program, PROTO_MAX_FILTER);
	if (len < 0)
		return err_sys_code(err, len, "linux.seccomp: the compiled filter");
	if (len == 0 || len % (int)sizeof(*program) != 0)
		return err_set(err, -EINVAL,
			       "linux.seccomp: the compiled filter has %d bytes, which "
			       "are no whole instructions",
			       len);
	ret->flags = req->flags;
	ret->program = (struct sock_fprog){
		.len = (unsigned short)((size_t)len / sizeof(*program)),
		.filter = program,
	};
	return 0;
}

int seccomp_check(const struct seccomp *s, struct kata_err *err)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	/* Linux 4.14: which has all actions that a filter can have */
	if (s->program.len == 0 ||
	    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 0;
	return err_sys(err, "linux.seccomp: the guest's kernel has no filters "
			    "(CONFIG_SECCOMP_FILTER)");
}

int seccomp_load(const struct seccomp *s, struct kata_err *err)
{
	if (s->program.len == 0)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, s->flags, &s->program) < 0)
		return err_sys(err, "linux.seccomp: load the filter");
	return 0;
}
