/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp. */
#include "oci.h"

#define SECCOMP(rest)                                                                    \
	CONFIG("'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ERRNO'," rest "}}")

START_TEST(profile)
{
	AUTO(arena) *a = arena_new();
	const struct oci_seccomp *s;
	const struct oci_syscall *sc;
	const struct oci_syscall_arg *arg;

	s = oci_good(
		    a,
		    SECCOMP("'defaultErrnoRet':38,'architectures':['SCMP_ARCH_X86_64'],"
			    "'flags':['SECCOMP_FILTER_FLAG_LOG'],"
			    "'syscalls':[{'names':['read','write'],'action':'SCMP_ACT_ALLOW'},"
			    "{'names':['clone'],'action':'SCMP_ACT_TRACE','errnoRet':1,"
			    "'args':[{'index':5,'value':2114060288,'op':'SCMP_CMP_MASKED_EQ'},"
			    "{'index':0,'value':18446744073709551615,'valueTwo':1,"
			    "'op':'SCMP_CMP_NE'}]}]"))
		    ->linux_->seccomp;
	ck_assert_int_eq(s->defaultAction, OCI_ACT_ERRNO);
	ck_assert_uint_eq(*s->defaultErrnoRet, 38);
	STRV_EQ(s->architectures, "SCMP_ARCH_X86_64");
	STRV_EQ(s->flags, "SECCOMP_FILTER_FLAG_LOG");
	sc = s->syscalls.v;
	ck_assert_uint_eq(s->syscalls.n, 2);
	STRV_EQ(sc[0].names, "read", "write");
	ck_assert_int_eq(sc[0].action, OCI_ACT_ALLOW);
	ck_assert_ptr_null(sc[0].errnoRet);
	ck_assert_int_eq(sc[1].action, OCI_ACT_TRACE);
	ck_assert_uint_eq(*sc[1].errnoRet, 1);
	arg = sc[1].args.v;
	ck_assert_uint_eq(arg[0].index, 5);
	ck_assert_str_eq(oci_seccomp_ops[arg[0].op], "SCMP_CMP_MASKED_EQ");
	ck_assert_uint_eq(arg[0].valueTwo, 0);
	ck_assert(arg[1].value == UINT64_MAX);
	ck_assert_str_eq(oci_seccomp_ops[arg[1].op], "SCMP_CMP_NE");
}
END_TEST

/* runc: no flags at all means SPEC_ALLOW, an empty list means none */
START_TEST(no_flags_and_an_empty_list_differ)
{
	AUTO(arena) *a = arena_new();

	ck_assert_ptr_nonnull(
		oci_good(a, SECCOMP("'flags':[]"))->linux_->seccomp->flags.v);
	ck_assert_ptr_null(
		oci_good(a, SECCOMP("'flags':null"))->linux_->seccomp->flags.v);
}
END_TEST

START_TEST(notify_needs_a_listener)
{
	AUTO(arena) *a = arena_new();
	const struct oci_seccomp *s;

	s = oci_good(a,
		     SECCOMP("'listenerPath':'/run/l','listenerMetadata':'m',"
			     "'syscalls':[{'names':['a'],'action':'SCMP_ACT_NOTIFY'}]"))
		    ->linux_->seccomp;
	ck_assert_str_eq(s->listenerPath, "/run/l");
	ck_assert_str_eq(s->listenerMetadata, "m");
	oci_good(a, SECCOMP("'listenerPath':'','listenerMetadata':''"));
	oci_bad(SECCOMP("'listenerPath':'','listenerMetadata':'m'"),
		"linux.seccomp.listenerMetadata: must not be set without listenerPath");
	oci_bad(CONFIG("'linux':{'seccomp':{'defaultAction':'SCMP_ACT_NOTIFY'}}"),
		"linux.seccomp.listenerPath: must be set for SCMP_ACT_NOTIFY");
}
END_TEST

START_TEST(names)
{
	static const char *const actions[] = {
		[OCI_ACT_KILL] = "SCMP_ACT_KILL",
		[OCI_ACT_KILL_PROCESS] = "SCMP_ACT_KILL_PROCESS",
		[OCI_ACT_KILL_THREAD] = "SCMP_ACT_KILL_THREAD",
		[OCI_ACT_TRAP] = "SCMP_ACT_TRAP",
		[OCI_ACT_ERRNO] = "SCMP_ACT_ERRNO",
		[OCI_ACT_TRACE] = "SCMP_ACT_TRACE",
		[OCI_ACT_ALLOW] = "SCMP_ACT_ALLOW",
		[OCI_ACT_LOG] = "SCMP_ACT_LOG",
		[OCI_ACT_NOTIFY] = "SCMP_ACT_NOTIFY",
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		ck_assert_str_eq(oci_seccomp_actions[i], actions[i]);
	ck_assert_ptr_null(oci_seccomp_actions[ARRAY_SIZE(actions)]);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		profile,
		no_flags_and_an_empty_list_differ,
		notify_needs_a_listener,
		names,
	};

	return suite_run("oci_seccomp", tests, ARRAY_SIZE(tests));
}
