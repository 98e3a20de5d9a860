// SPDX-License-Identifier: Apache-2.0
/*
 * guest_notify: runc and podman bind a directory with a datagram socket at NOTIFY_DIR and name the
 * socket in the environment. A socket is of the kernel that made it: through the shared tree the
 * guest sees its name, and nobody listens. So where exactly these two are in config.json the agent
 * puts a directory of its own instead; any other bind stays what it is.
 */
#include "sandbox/guest_notify.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/notify.h"
#include "share/share.h"

static bool is_told(const struct oci_process *p)
{
	bool told = false;

	/* the last counts, as in the guest */
	for (size_t i = 0; p && i < p->env.n; i++) {
		if (str_has_prefix(p->env.v[i], "NOTIFY_SOCKET="))
			told = str_eq(p->env.v[i], NOTIFY_ENV);
	}
	return told;
}

static bool is_there(const struct oci_mount *m)
{
	AUTO_FREE char *dest = fs_abspath("/", m->destination);

	/* not str_eq(): gcc 12 takes its short cut for equal pointers as what is freed */
	return strcmp(dest, NOTIFY_DIR) == 0;
}

int guest_notify_mount(const struct oci_spec *spec)
{
	const struct oci_mount *m = spec->mounts.v;

	if (!is_told(spec->process))
		return -1;
	/* the last one is on top */
	for (size_t i = spec->mounts.n; i-- > 0;) {
		if (is_there(&m[i]))
			return share_kind(&m[i]) == SHARE_BIND ? (int)i : -1;
	}
	return -1;
}
