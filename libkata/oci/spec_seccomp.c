/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_seccomp: "linux.seccomp" (config-linux.md, Seccomp). Syscall names are
 * not looked up: which of them exist is the guest kernel's business, and
 * profiles name syscalls of every architecture.
 */
#include "oci/spec_tabs.h"

/** seccomp_data has args[6] */
#define SYSCALL_ARG_MAX 5

const char *const oci_seccomp_actions[] = {
	[OCI_ACT_KILL] = "SCMP_ACT_KILL",
	[OCI_ACT_KILL_PROCESS] = "SCMP_ACT_KILL_PROCESS",
	[OCI_ACT_KILL_THREAD] = "SCMP_ACT_KILL_THREAD",
	[OCI_ACT_TRAP] = "SCMP_ACT_TRAP",
	[OCI_ACT_ERRNO] = "SCMP_ACT_ERRNO",
	[OCI_ACT_TRACE] = "SCMP_ACT_TRACE",
	[OCI_ACT_ALLOW] = "SCMP_ACT_ALLOW",
	[OCI_ACT_LOG] = "SCMP_ACT_LOG",
	[OCI_ACT_NOTIFY] = "SCMP_ACT_NOTIFY",
	NULL,
};

const char *const oci_seccomp_ops[] = {
	"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",	    "SCMP_CMP_EQ",
	"SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
};

static const char *const arches[] = {
	"SCMP_ARCH_X86",	 "SCMP_ARCH_X86_64",  "SCMP_ARCH_X32",
	"SCMP_ARCH_ARM",	 "SCMP_ARCH_AARCH64", "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",	 "SCMP_ARCH_MIPS",    "SCMP_ARCH_MIPS64",
	"SCMP_ARCH_MIPS64N32",	 "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",     "SCMP_ARCH_PPC64",
	"SCMP_ARCH_PPC64LE",	 "SCMP_ARCH_S390",    "SCMP_ARCH_S390X",
	"SCMP_ARCH_SH",		 "SCMP_ARCH_SHEB",    "SCMP_ARCH_PARISC",
	"SCMP_ARCH_PARISC64",	 "SCMP_ARCH_RISCV64", NULL,
};

const char *const oci_seccomp_flags[] = {
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	NULL,
};

static const struct jt_field arg_fields[] = {
	JT(struct oci_syscall_arg, index, JT_U32, .flags = JT_REQUIRED,
	   .max = SYSCALL_ARG_MAX),
	JT(struct oci_syscall_arg, value, JT_U64, .flags = JT_REQUIRED),
	JT(struct oci_syscall_arg, valueTwo, JT_U64, .flags = JT_OMIT_ZERO),
	JT(struct oci_syscall_arg, op, JT_ENUM, .flags = JT_REQUIRED,
	   .names = oci_seccomp_ops),
};

static const struct jtab arg_tab = {
	.what = "seccomp argument",
	.size = sizeof(struct oci_syscall_arg),
	.fields = arg_fields,
	.n_fields = ARRAY_SIZE(arg_fields),
};

/* The spec: an errno with an action that has none is an error. */
static int errno_check(int action, const uint32_t *errno_ret, const char *path,
		       const char *member, struct kata_err *err)
{
	if (!errno_ret || action == OCI_ACT_ERRNO || action == OCI_ACT_TRACE)
		return 0;
	return spec_bad(err, path, member, "%s takes no errno",
			oci_seccomp_actions[action]);
}

static const struct jt_field syscall_fields[] = {
	JT(struct oci_syscall, names, JT_STRV, .flags = JT_REQUIRED | JT_NONEMPTY),
	JT(struct oci_syscall, action, JT_ENUM, .flags = JT_REQUIRED,
	   .names = oci_seccomp_actions),
	JT(struct oci_syscall, errnoRet, JT_OPT_U32),
	JT(struct oci_syscall, args, JT_OBJV, .sub = &arg_tab),
};

static int syscall_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_syscall *sc = obj;

	return errno_check(sc->action, sc->errnoRet, path, "errnoRet", err);
}

static const struct jtab syscall_tab = {
	.what = "seccomp rule",
	.size = sizeof(struct oci_syscall),
	.fields = syscall_fields,
	.n_fields = ARRAY_SIZE(syscall_fields),
	.check = syscall_check,
};

static const struct jt_field seccomp_fields[] = {
	JT(struct oci_seccomp, defaultAction, JT_ENUM, .flags = JT_REQUIRED,
	   .names = oci_seccomp_actions),
	JT(struct oci_seccomp, defaultErrnoRet, JT_OPT_U32),
	JT(struct oci_seccomp, architectures, JT_STRV),
	JT(struct oci_seccomp, flags, JT_STRV),
	JT(struct oci_seccomp, listenerPath, JT_STR),
	JT(struct oci_seccomp, listenerMetadata, JT_STR),
	JT(struct oci_seccomp, syscalls, JT_OBJV, .sub = &syscall_tab),
};

static bool notifies(const struct oci_seccomp *sec)
{
	const struct oci_syscall *sc = sec->syscalls.v;

	for (size_t i = 0; i < sec->syscalls.n; i++)
		if (sc[i].action == OCI_ACT_NOTIFY)
			return true;
	return sec->defaultAction == OCI_ACT_NOTIFY;
}

static int seccomp_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_seccomp *sec = obj;
	bool listener = sec->listenerPath && sec->listenerPath[0];
	int r;

	if (sec->listenerMetadata && sec->listenerMetadata[0] && !listener)
		return spec_bad(err, path, "listenerMetadata",
				"must not be set without listenerPath");
	if (notifies(sec) && !listener)
		return spec_bad(err, path, "listenerPath",
				"must be set for SCMP_ACT_NOTIFY");
	r = errno_check(sec->defaultAction, sec->defaultErrnoRet, path, "defaultErrnoRet",
			err);
	if (r < 0)
		return r;
	r = spec_need_words(&sec->architectures, arches, path, "architectures", err);
	if (r < 0)
		return r;
	return spec_need_words(&sec->flags, oci_seccomp_flags, path, "flags", err);
}

const struct jtab oci_seccomp_tab = {
	.what = "seccomp",
	.size = sizeof(struct oci_seccomp),
	.fields = seccomp_fields,
	.n_fields = ARRAY_SIZE(seccomp_fields),
	.check = seccomp_check,
};
