/* SPDX-License-Identifier: Apache-2.0 */
/* spec_hooks: the "hooks" section (config.md, POSIX-platform Hooks). */
#include "oci/spec_tabs.h"

const char *const oci_hook_names[OCI_HOOK_KINDS + 1] = {
	[OCI_HOOK_PRESTART] = "prestart",
	[OCI_HOOK_CREATE_RUNTIME] = "createRuntime",
	[OCI_HOOK_CREATE_CONTAINER] = "createContainer",
	[OCI_HOOK_START_CONTAINER] = "startContainer",
	[OCI_HOOK_POSTSTART] = "poststart",
	[OCI_HOOK_POSTSTOP] = "poststop",
};

static const struct jt_field hook_fields[] = {
	JT(struct oci_hook, path, JT_STR, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_hook, args, JT_STRV),
	JT(struct oci_hook, env, JT_STRV),
	JT(struct oci_hook, timeout, JT_OPT_I64),
};

static int hook_check(const void *obj, const char *path, struct kata_err *err)
{
	struct oci_hook *hook =
		(struct oci_hook *)obj; /* ours until the decoder returns */

	hook->has_env = hook->env.v != NULL;
	if (hook->timeout && *hook->timeout < 1)
		return spec_bad(err, path, "timeout",
				"must be at least 1 second, is %lld",
				(long long)*hook->timeout);
	return spec_need_abs(hook->path, path, "path", err);
}

static const struct jtab hook_tab = {
	.what = "hook",
	.size = sizeof(struct oci_hook),
	.fields = hook_fields,
	.n_fields = ARRAY_SIZE(hook_fields),
	.check = hook_check,
};

#define HOOKS(kind_, name_)                                                              \
	JT_AS(struct oci_hooks, kind[kind_], name_, JT_OBJV, .sub = &hook_tab)

static const struct jt_field hooks_fields[] = {
	HOOKS(OCI_HOOK_PRESTART, "prestart"),
	HOOKS(OCI_HOOK_CREATE_RUNTIME, "createRuntime"),
	HOOKS(OCI_HOOK_CREATE_CONTAINER, "createContainer"),
	HOOKS(OCI_HOOK_START_CONTAINER, "startContainer"),
	HOOKS(OCI_HOOK_POSTSTART, "poststart"),
	HOOKS(OCI_HOOK_POSTSTOP, "poststop"),
};

const struct jtab oci_hooks_tab = {
	.what = "hooks",
	.size = sizeof(struct oci_hooks),
	.fields = hooks_fields,
	.n_fields = ARRAY_SIZE(hooks_fields),
};
