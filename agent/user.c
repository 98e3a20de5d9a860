// SPDX-License-Identifier: Apache-2.0
/*
 * user: no NSS: the file is the container's, and its lines are data, so they are parsed here, bounded,
 * and a line that does not look right is skipped.
 */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"

#define PASSWD_MAX (1u << 20)
#define PASSWD_FIELDS 7

enum passwd_field { PASSWD_UID = 2, PASSWD_HOME = 5 };

/* Split a line at colons, in place. Return: number of fields found. */
static int split(char *line, char *field[PASSWD_FIELDS])
{
	int n = 0;

	while (line && n < PASSWD_FIELDS)
		field[n++] = strsep(&line, ":");
	return n;
}

const char *user_home(const char *passwd, uint32_t uid, struct arena *a)
{
	char *rest = arena_strdup(a, passwd), *line;

	while ((line = strsep(&rest, "\n"))) {
		char *field[PASSWD_FIELDS];
		uint64_t n;

		if (split(line, field) <= PASSWD_HOME ||
		    str_to_u64(field[PASSWD_UID], 0, UINT32_MAX, &n) < 0 || n != uid)
			continue;
		return field[PASSWD_HOME][0] ? field[PASSWD_HOME] : "/";
	}
	return "/";
}

const char *user_home_in(int root_fd, uint32_t uid, struct arena *a)
{
	AUTO_CLOSE int fd = fs_open_in_root(root_fd, "etc/passwd",
					    O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fd < 0 || fs_read_fd(fd, PASSWD_MAX, &text, &len) < 0)
		return "/";
	return user_home(text, uid, a);
}

int user_become(const struct oci_user *u, struct kata_err *err)
{
	if (setgroups(u->additionalGids.n, u->additionalGids.v) < 0)
		return err_sys(err, "setgroups");
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return err_sys(err, "setgid");
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(err, "setuid");
	return 0;
}
