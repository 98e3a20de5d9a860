// SPDX-License-Identifier: Apache-2.0
/*
 * plan: kata-runtime sets all of KATA_SHIM_*; a missing one means that somebody
 * runs kata-shim by hand, which then does the least.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/msg.h"
#include "sandbox/ctl.h"

static int load_flag(const char *name, bool *ret, struct kata_err *err)
{
	const char *value = getenv(name);

	if (!value || str_eq(value, "0"))
		*ret = false;
	else if (str_eq(value, "1"))
		*ret = true;
	else
		return err_set(err, -EINVAL, "%s is \"%s\", neither \"0\" nor \"1\"",
			       name, value);
	return 0;
}

static const char *load_str(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int load_passed(const char **ret, struct kata_err *err)
{
	static const char letters[] = { SHIM_PASSED_NOT,      SHIM_PASSED_READ,
					SHIM_PASSED_WRITE,    SHIM_PASSED_SOCKET,
					SHIM_PASSED_LISTENER, '\0' };
	const char *value = load_str(SHIM_ENV_PASSED);
	size_t len = strlen(value);

	if (strspn(value, letters) != len || len > PROTO_PASSED_MAX)
		return err_set(err, -EINVAL,
			       SHIM_ENV_PASSED " is \"%s\", not up to %u of \"%s\"",
			       value, PROTO_PASSED_MAX, letters);
	*ret = value;
	return 0;
}

static int load_userns(const char **ret, struct kata_err *err)
{
	const char *value = load_str(SHIM_ENV_USERNS);

	if (!str_eq(value, SHIM_USERNS_NONE) && !str_eq(value, SHIM_USERNS_NEW) &&
	    !str_eq(value, SHIM_USERNS_JOIN))
		return err_set(err, -EINVAL,
			       SHIM_ENV_USERNS
			       " is \"%s\", not \"\", \"new\" or \"join\"",
			       value);
	*ret = value;
	return 0;
}

int shim_plan_load(struct shim_plan *ret, struct kata_err *err)
{
	int rc = load_flag(SHIM_ENV_TERMINAL, &ret->terminal, err);

	if (rc < 0)
		return rc;
	rc = load_flag(SHIM_ENV_CALLERS_TTY, &ret->callers_tty, err);
	if (rc < 0)
		return rc;
	rc = load_passed(&ret->passed, err);
	if (rc < 0)
		return rc;
	rc = load_userns(&ret->userns, err);
	if (rc < 0)
		return rc;
	ret->hostname = load_str(SHIM_ENV_HOSTNAME);
	ret->comm = load_str(SHIM_ENV_COMM);
	return load_flag(SHIM_ENV_NEWNS, &ret->own_root, err);
}
