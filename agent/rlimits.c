// SPDX-License-Identifier: Apache-2.0
/* rlimits: see rlimits.h. Applied before the change of user, while raising is allowed. */
#include "rlimits.h"

#include <errno.h>
#include <sys/resource.h>

#include "oci/names.h"

int rlimits_apply(pid_t pid, const struct jt_objv *limits, struct kata_err *err)
{
	const struct oci_rlimit *l = limits->v;

	for (size_t i = 0; i < limits->n; i++) {
		struct rlimit r = { .rlim_cur = l[i].soft, .rlim_max = l[i].hard };
		int which = oci_rlimit_number(l[i].type);

		if (which < 0)
			return err_set(err, -EINVAL, "invalid rlimit type: %s",
				       l[i].type);
		if (prlimit(pid, (__rlimit_resource_t)which, &r, NULL) < 0)
			return err_sys(err, "error setting rlimit type %s", l[i].type);
	}
	return 0;
}
