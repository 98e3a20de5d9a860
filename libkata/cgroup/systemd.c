/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd: groups that systemd makes: transient scope units, over D-Bus.
 */
#include <errno.h>

#include "cgroup/impl.h"

static int absent(struct kata_err *err)
{
	return err_set(
		err, -ENOTSUP,
		"this build has no systemd cgroup manager: configure --with-systemd, "
		"or leave out --systemd-cgroup");
}

int cg_systemd_name(const struct cgroup_ask *ask, struct arena *a, const char **ret_name,
		    struct kata_err *err)
{
	return absent(err);
}

int cg_systemd_start(const char *name, pid_t first, const struct jt_map *annotations,
		     const struct cg_host *h, struct kata_err *err)
{
	return absent(err);
}

int cg_systemd_stop(const char *name, struct kata_err *err)
{
	return absent(err);
}
