// SPDX-License-Identifier: Apache-2.0
/* forward: files below /proc/sys/net. */
#include "forward.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/mem.h"

static const char *const switches[] = {
	"/proc/sys/net/ipv4/ip_forward",
	"/proc/sys/net/ipv6/conf/all/forwarding",
};

static int get(const char *path, bool *ret)
{
	AUTO_FREE char *text = NULL;
	int rc = fs_read_at(AT_FDCWD, path, 64, &text, NULL);

	*ret = rc == 0 && text[0] != '0';
	return rc;
}

int forward_get(bool *ret_forward4, bool *ret_forward6, struct kata_err *err)
{
	int rc = get(switches[0], ret_forward4);

	if (rc < 0)
		return err_sys_code(err, rc, "read %s", switches[0]);
	rc = get(switches[1], ret_forward6);
	return rc < 0 && rc != -ENOENT ? err_sys_code(err, rc, "read %s", switches[1])
				       : 0;
}

static int set(const char *path, const char *value, struct kata_err *err)
{
	int rc = fs_write_str(AT_FDCWD, path, value);

	return rc < 0 ? err_sys_code(err, rc, "write %s to %s", value, path) : 0;
}

int forward_set(bool six, bool on, struct kata_err *err)
{
	return set(switches[six], on ? "1" : "0", err);
}

int forward_localnet(const char *bridge, struct kata_err *err)
{
	AUTO_FREE char *path = mem_printf("/proc/sys/net/ipv4/conf/%s/route_localnet",
					  bridge);

	return set(path, "1", err);
}
