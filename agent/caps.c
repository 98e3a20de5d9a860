// SPDX-License-Identifier: Apache-2.0
/*
 * caps: capset and prctl, no libcap: the agent is static and wants to stay small.
 *
 * The order matters: the bounding set can only be shrunk with CAP_SETPCAP, so before
 * the change of user; PR_SET_KEEPCAPS carries the permitted set over setuid; ambient ones need
 * permitted and inheritable set before (capabilities(7)).
 */
#include "caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "oci/names.h"

static uint64_t cap_set(const struct jt_strv *names, unsigned last)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->n; i++) {
		int n = oci_cap_number(names->v[i]);

		if (n >= 0 && (unsigned)n <= last)
			set |= CAP_BIT(n);
	}
	return set;
}

struct caps caps_plan(const struct oci_caps *spec, unsigned last)
{
	struct caps c = { 0 };

	if (!spec)
		return c;
	c.bounding = cap_set(&spec->bounding, last);
	c.effective = cap_set(&spec->effective, last);
	c.inheritable = cap_set(&spec->inheritable, last);
	c.permitted = cap_set(&spec->permitted, last);
	c.ambient = cap_set(&spec->ambient, last);
	return c;
}

unsigned caps_last(void)
{
	unsigned n = 0;

	while (n < 63 && prctl(PR_CAPBSET_READ, n + 1, 0, 0, 0) >= 0)
		n++;
	return n;
}

int caps_bound(const struct caps *c, struct kata_err *err)
{
	unsigned last = caps_last();

	for (unsigned n = 0; n <= last; n++) {
		if (!(c->bounding & CAP_BIT(n)) && prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
			return err_sys(err, "unable to apply bounding set");
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, "unable to set keep caps");
	return 0;
}

/* @c, and @effective and @permitted besides. */
static int set_caps(const struct caps *c, uint64_t effective, uint64_t permitted,
		    struct kata_err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	effective |= c->effective;
	permitted |= c->permitted;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(c->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(err, "unable to apply caps");
	return 0;
}

int caps_apply(const struct caps *c, uint64_t reserve, struct kata_err *err)
{
	int r;

	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_sys(err, "unable to clear keep caps");
	r = set_caps(c, 0, reserve, err);
	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, "unable to clear ambient caps");
	/* one that is not inheritable cannot be ambient (capabilities(7)); runc's own template
	 * asks for such, and runc runs it without them */
	for (unsigned n = 0; n < 64; n++) {
		if ((c->ambient & c->inheritable & c->permitted & CAP_BIT(n)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0)
			return err_sys(err, "unable to raise ambient capability %s",
				       oci_cap_names[n]);
	}
	return 0;
}

int caps_use(const struct caps *c, uint64_t reserve, struct kata_err *err)
{
	return set_caps(c, reserve, reserve, err);
}

int caps_drop(const struct caps *c, struct kata_err *err)
{
	return set_caps(c, 0, 0, err);
}
