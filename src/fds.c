// SPDX-License-Identifier: Apache-2.0
/* fds: see the header. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

#define FIRST (STDERR_FILENO + 1)

unsigned fds_listening(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n;

	if (!pid || !fds || str_to_u64(pid, 1, INT32_MAX, &n) < 0 ||
	    n != (uint64_t)getpid())
		return 0;
	return str_to_u64(fds, 0, INT32_MAX - FIRST, &n) < 0 ? 0 : (unsigned)n;
}

static bool is_open(uint64_t fd)
{
	return fd <= INT32_MAX && fcntl((int)fd, F_GETFD) >= 0;
}

static int check(struct fds *f, struct kata_err *err)
{
	for (unsigned i = 0; i < f->listen; i++) {
		if (!is_open((uint64_t)FIRST + i))
			return err_set(err, -ENOENT,
				       "LISTEN_FDS is %u, but descriptor %u is not open",
				       f->listen, FIRST + i);
	}
	/* podman counts the same descriptors in both (CONTRACT 1.6) */
	if (f->preserve && f->preserve == f->listen &&
	    !is_open((uint64_t)FIRST + f->listen))
		f->preserve = 0;
	for (unsigned i = 0; i < f->preserve; i++) {
		if (!is_open((uint64_t)FIRST + f->listen + i))
			return err_sys_code(err, -ENOENT,
					    "unable to stat preserved-fd %u (of %u)", i,
					    f->preserve);
	}
	return 0;
}

int fds_settle(struct fds *f, struct kata_err *err)
{
	int rc = check(f, err);

	if (rc < 0)
		*f = (struct fds){ 0, 0 };
	close_range(FIRST + f->listen + f->preserve, ~0U, 0);
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(1);
	}
	return rc;
}
