/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp compiled: rule by rule, and what is refused. */
#include <errno.h>

#include "filter_bed.h"
#include "oci/features.h"

/* openat has been there long; the highest that a profile names decides on what is newer */
static const struct {
	const char *profile, *syscall;
	uint64_t args[6];
	uint32_t want;
} cases[] = {
	/* actions */
	{ PASS RULE("'mkdirat'", "KILL", "") "]", "mkdirat", { 0 }, KILL },
	{ PASS RULE("'mkdirat'", "KILL", "") "]", "openat", { 0 }, ALLOW },
	{ PASS RULE("'mkdirat'", "KILL_THREAD", "") "]", "mkdirat", { 0 }, KILL },
	{ PASS RULE("'mkdirat'", "KILL_PROCESS", "") "]",
	  "mkdirat",
	  { 0 },
	  SECCOMP_RET_KILL_PROCESS },
	{ PASS RULE("'mkdirat'", "TRAP", "") "]", "mkdirat", { 0 }, SECCOMP_RET_TRAP },
	{ PASS RULE("'mkdirat'", "LOG", "") "]", "mkdirat", { 0 }, SECCOMP_RET_LOG },
	{ PASS RULE("'mkdirat'", "TRACE", "") "]",
	  "mkdirat",
	  { 0 },
	  SECCOMP_RET_TRACE | EPERM },
	{ PASS RULE("'mkdirat'", "TRACE", ",'errnoRet':77") "]",
	  "mkdirat",
	  { 0 },
	  SECCOMP_RET_TRACE | 77 },
	{ PASS RULE("'mkdirat'", "ERRNO", "") "]", "mkdirat", { 0 }, ERRNO(EPERM) },
	{ PASS RULE("'mkdirat'", "ERRNO", ",'errnoRet':100") "]",
	  "mkdirat",
	  { 0 },
	  ERRNO(100) },
	{ PASS RULE("'mkdirat'", "ERRNO", ",'errnoRet':0") "]",
	  "mkdirat",
	  { 0 },
	  ERRNO(0) },
	{ PASS RULE("'mkdirat'", "ALLOW", "") "]", "mkdirat", { 0 }, ALLOW },
	{ "'defaultAction':'SCMP_ACT_LOG'", "mkdirat", { 0 }, SECCOMP_RET_LOG },
	{ "'defaultAction':'SCMP_ACT_ALLOW'", "mkdirat", { 0 }, ALLOW },
	{ DENY RULE("'statx'", "ALLOW", "") "]", "mkdirat", { 0 }, ERRNO(EPERM) },
	{ "'defaultErrnoRet':6," DENY RULE("'statx'", "ALLOW", "") "]",
	  "mkdirat",
	  { 0 },
	  ERRNO(6) },
	/* the same as the default but for the number is a rule */
	{ DENY RULE("'statx','mkdirat'", "ERRNO", ",'errnoRet':2") "]",
	  "mkdirat",
	  { 0 },
	  ERRNO(2) },
	/* unknown names are left out, those of other architectures too */
	{ DENY RULE("'no_such_call','statx','chown32','s390_pci_mmio_read'", "ALLOW",
		    "") "]",
	  "statx",
	  { 0 },
	  ALLOW },

	/* operators, 64 bits wide */
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(1, "EQ", "4294967301"))) "]",
	  "statx",
	  { 0, 4294967301 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(1, "EQ", "4294967301"))) "]",
	  "statx",
	  { 0, 5 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(5, "NE", "7"))) "]",
	  "statx",
	  { 0, 0, 0, 0, 0, 7 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(5, "NE", "7"))) "]",
	  "statx",
	  { 0, 0, 0, 0, 0, 7 + (1ull << 32) },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "LT", "5"))) "]",
	  "statx",
	  { 4 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "LT", "5"))) "]",
	  "statx",
	  { 5 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "LE", "5"))) "]",
	  "statx",
	  { 5 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "LE", "5"))) "]",
	  "statx",
	  { 1ull << 40 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "GT", "5"))) "]",
	  "statx",
	  { 5 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "GT", "5"))) "]",
	  "statx",
	  { 1ull << 40 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "GE", "5"))) "]",
	  "statx",
	  { 5 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "GE", "5"))) "]",
	  "statx",
	  { 4 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(MASKED(2, "240", "32"))) "]",
	  "statx",
	  { 0, 0, 0x2f },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW", ARGS(MASKED(2, "240", "32"))) "]",
	  "statx",
	  { 0, 0, 0x3f },
	  ERRNO(EPERM) },

	/* several conditions: all of them; of one argument: any of them */
	{ DENY RULE("'statx'", "ALLOW",
		    ARGS(ARG(0, "EQ", "1") "," ARG(1, "EQ", "2"))) "]",
	  "statx",
	  { 1, 2 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW",
		    ARGS(ARG(0, "EQ", "1") "," ARG(1, "EQ", "2"))) "]",
	  "statx",
	  { 1, 3 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW",
		    ARGS(ARG(0, "EQ", "1") "," ARG(0, "EQ", "9"))) "]",
	  "statx",
	  { 9 },
	  ALLOW },
	{ DENY RULE("'statx'", "ALLOW",
		    ARGS(ARG(0, "EQ", "1") "," ARG(0, "EQ", "9"))) "]",
	  "statx",
	  { 5 },
	  ERRNO(EPERM) },
	{ DENY RULE("'statx'", "ALLOW",
		    ARGS(ARG(0, "EQ", "1") "," ARG(0, "EQ", "9") "," ARG(3, "GT",
									 "4"))) "]",
	  "statx",
	  { 5, 0, 0, 5 },
	  ALLOW },
	/* several rules for one call */
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "EQ", "1"))) "," RULE(
		  "'statx'", "ERRNO", ",'errnoRet':22" ARGS(ARG(0, "EQ", "2"))) "]",
	  "statx",
	  { 2 },
	  ERRNO(22) },
	{ DENY RULE("'statx'", "ALLOW", ARGS(ARG(0, "EQ", "1"))) "," RULE(
		  "'statx'", "ERRNO", ",'errnoRet':22" ARGS(ARG(0, "EQ", "2"))) "]",
	  "statx",
	  { 3 },
	  ERRNO(EPERM) },

	/* ... that contradict each other: the first, as with runc */
	{ PASS RULE("'statx'", "ERRNO", "") "," RULE("'statx'", "KILL", "") "]",
	  "statx",
	  { 0 },
	  ERRNO(EPERM) },
	{ PASS RULE("'statx'", "KILL", "") "," RULE("'statx'", "ERRNO", "") "]",
	  "statx",
	  { 0 },
	  KILL },

	/* newer than the profile: only where the default would get in the way */
	{ DENY RULE("'statx'", "ALLOW", "") "]", "clone3", { 0 }, ERRNO(ENOSYS) },
	{ DENY RULE("'statx'", "ALLOW", "") "]", "100000", { 0 }, ERRNO(ENOSYS) },
	{ DENY RULE("'statx','openat2'", "ALLOW", "") "]", "clone3", { 0 }, ERRNO(EPERM) },
	{ DENY RULE("'statx','clone3'", "ERRNO", "") "]",
	  "faccessat2",
	  { 0 },
	  ERRNO(ENOSYS) },
	{ "'defaultAction':'SCMP_ACT_KILL','syscalls':[" RULE("'statx'", "ALLOW", "") "]",
	  "clone3",
	  { 0 },
	  ERRNO(ENOSYS) },
	{ "'defaultAction':'SCMP_ACT_TRACE','syscalls':[" RULE("'statx'", "ALLOW",
							       "") "]",
	  "clone3",
	  { 0 },
	  SECCOMP_RET_TRACE | EPERM },
	{ "'defaultAction':'SCMP_ACT_LOG','syscalls':[" RULE("'statx'", "ALLOW", "") "]",
	  "clone3",
	  { 0 },
	  SECCOMP_RET_LOG },
	{ PASS RULE("'statx'", "ERRNO", "") "]", "clone3", { 0 }, ALLOW },
	{ "'defaultErrnoRet':38," DENY RULE("'statx'", "ALLOW", "") "]",
	  "mkdirat",
	  { 0 },
	  ERRNO(ENOSYS) },
	/* names that say nothing here leave nothing to compare with */
	{ DENY RULE("'no_such_call'", "ALLOW", "") "]", "clone3", { 0 }, ERRNO(EPERM) },
};

START_TEST(answers)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(arena) *a = arena_new();
		struct seccomp_data d = { .arch = NATIVE,
					  .nr = number(cases[i].syscall) };
		struct buf b;
		uint32_t got;

		for (int k = 0; k < 6; k++)
			d.args[k] = cases[i].args[k];
		compile(profile(a, cases[i].profile), &b);
		got = answer(&b, &d);
		ck_assert_msg(got == cases[i].want, "case %zu: %s %s: 0x%x, not 0x%x", i,
			      cases[i].profile, cases[i].syscall, got, cases[i].want);
		buf_done(&b);
	}
}
END_TEST

#if defined(__x86_64__)

/* mkdirat of i386 is 296, which is x86-64's inotify_init1 + 2 */
START_TEST(architectures)
{
	static const struct {
		const char *archs;
		uint32_t arch;
		int nr;
		uint32_t want;
	} t[] = {
		{ "", AUDIT_ARCH_X86_64, 258, ERRNO(100) },
		{ "", AUDIT_ARCH_X86_64, 296, ALLOW },
		{ "", AUDIT_ARCH_I386, 296, KILL },
		{ "", AUDIT_ARCH_I386, 5, KILL },
		{ "'SCMP_ARCH_X86_64'", AUDIT_ARCH_I386, 296, KILL },
		{ "'SCMP_ARCH_X86'", AUDIT_ARCH_X86_64, 258, ERRNO(100) },
		{ "'SCMP_ARCH_X86'", AUDIT_ARCH_I386, 296, ERRNO(100) },
		{ "'SCMP_ARCH_X86','SCMP_ARCH_X86'", AUDIT_ARCH_I386, 258, ALLOW },
		{ "'SCMP_ARCH_AARCH64'", AUDIT_ARCH_AARCH64, 34, ERRNO(100) },
		{ "'SCMP_ARCH_AARCH64'", AUDIT_ARCH_ARM, 34, KILL },
		{ "'SCMP_ARCH_X86_64'", AUDIT_ARCH_X86_64, 258 | FILTER_X32, KILL },
		{ "'SCMP_ARCH_X32'", AUDIT_ARCH_X86_64, 258 | FILTER_X32, ERRNO(100) },
		{ "'SCMP_ARCH_X32'", AUDIT_ARCH_X86_64, 257 | FILTER_X32, ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		AUTO(arena) *a = arena_new();
		const struct seccomp_data d = { .arch = t[i].arch, .nr = t[i].nr };
		struct buf b;
		uint32_t got;

		compile(profile(a,
				arena_printf(a,
					     "'architectures':[%s],"
					     "'defaultAction':'SCMP_ACT_ALLOW',"
					     "'syscalls':[{'names':['mkdirat'],"
					     "'action':'SCMP_ACT_ERRNO','errnoRet':100}]",
					     t[i].archs)),
			&b);
		got = answer(&b, &d);
		ck_assert_msg(got == t[i].want, "case %zu: 0x%x, not 0x%x", i, got,
			      t[i].want);
		buf_done(&b);
	}
}
END_TEST

/* The highest is another number on each. */
START_TEST(newer_by_architecture)
{
	static const struct {
		uint32_t arch;
		int nr;
		uint32_t want;
	} t[] = {
		{ AUDIT_ARCH_X86_64, 258, ALLOW },
		{ AUDIT_ARCH_X86_64, 257, ERRNO(EPERM) },
		{ AUDIT_ARCH_X86_64, 259, ERRNO(ENOSYS) },
		{ AUDIT_ARCH_X86_64, 296, ERRNO(ENOSYS) },
		{ AUDIT_ARCH_I386, 259, ERRNO(EPERM) },
		{ AUDIT_ARCH_I386, 296, ALLOW },
		{ AUDIT_ARCH_I386, 297, ERRNO(ENOSYS) },
		{ AUDIT_ARCH_X86_64, 258 | FILTER_X32, ALLOW },
		{ AUDIT_ARCH_X86_64, 259 | FILTER_X32, ERRNO(ENOSYS) },
		{ AUDIT_ARCH_AARCH64, 35, KILL },
		{ AUDIT_ARCH_AARCH64, 259, KILL },
	};
	AUTO(arena) *a = arena_new();
	struct buf b;

	compile(profile(a, "'architectures':['SCMP_ARCH_X86','SCMP_ARCH_X32']," DENY RULE(
				   "'mkdirat'", "ALLOW", "") "]"),
		&b);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct seccomp_data d = { .arch = t[i].arch, .nr = t[i].nr };
		uint32_t got = answer(&b, &d);

		ck_assert_msg(got == t[i].want, "case %zu: 0x%x, not 0x%x", i, got,
			      t[i].want);
	}
	buf_done(&b);
}
END_TEST

#endif

/* As many as there can be: the jump to the end is a long one. */
START_TEST(stub_of_many)
{
	const struct sock_filter end = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct filter_stub_arch archs[32];
	struct buf b = { 0 };

	for (uint32_t i = 0; i < ARRAY_SIZE(archs); i++)
		archs[i] = (struct filter_stub_arch){ 1000 + i, i, FILTER_X32 + 2 * i };
	filter_stub(archs, ARRAY_SIZE(archs), &b);
	ck_assert_uint_eq(buf_len(&b) / sizeof(end), FILTER_STUB_LEN(ARRAY_SIZE(archs)));
	buf_add(&b, &end, sizeof(end));
	for (uint32_t i = 0; i < ARRAY_SIZE(archs); i++) {
		struct seccomp_data d = { .arch = 1000 + i, .nr = (int)i };

		ck_assert_uint_eq(answer(&b, &d), ALLOW);
		d.nr++;
		ck_assert_uint_eq(answer(&b, &d), ERRNO(ENOSYS));
		d.nr = (int)(FILTER_X32 + 2 * i);
		ck_assert_uint_eq(answer(&b, &d), ALLOW);
		d.nr++;
		ck_assert_uint_eq(answer(&b, &d), ERRNO(ENOSYS));
		d.arch = 999;
		ck_assert_uint_eq(answer(&b, &d), ALLOW);
	}
	buf_done(&b);
}
END_TEST

/* What `features` says of architectures and flags. */
START_TEST(features_are_true)
{
	AUTO(arena) *a = arena_new();
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	struct kata_err err = { 0 };
	const struct json *sec, *list;
	uint32_t got;

	oci_features_write(&o);
	sec = oci_json(a, buf_cstr(&b), buf_len(&b));
	sec = json_get(json_get(sec, "linux"), "seccomp");
	list = json_get(sec, "archs");
	ck_assert_uint_gt(list->len, 0);
	for (size_t i = 0; i < list->len; i++) {
		struct buf program;

		compile(profile(a, arena_printf(a,
						"'defaultAction':'SCMP_ACT_LOG',"
						"'architectures':['%s']",
						list->items[i]->str)),
			&program);
		buf_done(&program);
	}
	list = json_get(sec, "knownFlags");
	for (size_t i = 0; i < list->len; i++) {
		const char *text =
			arena_printf(a, "'defaultAction':'SCMP_ACT_LOG','flags':['%s']",
				     list->items[i]->str);

		ck_assert_int_eq(filter_flags(profile(a, text), &got, &err) == 0,
				 i < json_get(sec, "supportedFlags")->len);
	}
	buf_done(&b);
}
END_TEST

/* --- refusals ----------------------------------------------------------------------------- */

START_TEST(refusals)
{
	static const struct {
		const char *profile;
		int code;
		const char *text;
	} t[] = {
		{ "'listenerPath':'/l','defaultAction':'SCMP_ACT_NOTIFY'", -ENOTSUP,
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY: a host process" },
		{ "'listenerPath':'/l'," PASS RULE("'statx'", "LOG", "") "," RULE(
			  "'statx'", "NOTIFY", "") "]",
		  -ENOTSUP,
		  "linux.seccomp.syscalls[1]: SCMP_ACT_NOTIFY: a host process" },
		{ PASS RULE("'statx'", "ERRNO", ",'errnoRet':4096") "]", -EINVAL,
		  "linux.seccomp.syscalls[0]: errno 4096 is above 4095" },
		{ PASS RULE("'statx'", "TRACE", ",'errnoRet':65536") "]", -EINVAL,
		  "linux.seccomp.syscalls[0]: errno 65536 is above 65535" },
		{ "'defaultErrnoRet':65537,'defaultAction':'SCMP_ACT_ERRNO'", -EINVAL,
		  "linux.seccomp.defaultAction: errno 65537 is above 4095" },
		{ "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_S390X']," PASS "]",
		  -EDOM, "linux.seccomp.architectures[1]: SCMP_ARCH_S390X cannot be" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		AUTO(arena) *a = arena_new();
		struct kata_err err = { 0 };
		struct buf b = { 0 };
		int r = filter_compile(profile(a, t[i].profile), &b, &err);

		ck_assert_msg(r == t[i].code, "case %zu: %d %s", i, r, err.msg);
		ck_assert_msg(str_has_prefix(err.msg, t[i].text), "%s", err.msg);
		buf_done(&b);
	}
}
END_TEST

START_TEST(too_long)
{
	AUTO(arena) *a = arena_new();
	struct kata_err err = { 0 };
	struct buf text = { 0 }, b = { 0 };

	buf_add_str(&text, PASS);
	for (unsigned i = 0; i < 1500; i++)
		buf_addf(
			&text,
			"%s{'names':['statx'],'action':'SCMP_ACT_TRAP','args':[{'index':0,"
			"'op':'SCMP_CMP_EQ','value':%u00000000000}]}",
			i ? "," : "", 1 + i);
	buf_add_str(&text, "]");
	ck_assert_int_eq(filter_compile(profile(a, buf_cstr(&text)), &b, &err), -E2BIG);
	ck_assert_str_eq(err.msg, "linux.seccomp: the filter has more than the 4096 "
				  "instructions that a kernel takes");
	buf_done(&text);
	buf_done(&b);
}
END_TEST

START_TEST(flags)
{
	static const struct {
		const char *flags;
		uint32_t want;
	} t[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "'flags':[],", 0 },
		{ "'flags':['SECCOMP_FILTER_FLAG_TSYNC'],", 0 },
		{ "'flags':['SECCOMP_FILTER_FLAG_LOG'],", SECCOMP_FILTER_FLAG_LOG },
		{ "'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_SPEC_ALLOW'],",
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	};
	AUTO(arena) *a = arena_new();
	struct kata_err err = { 0 };
	uint32_t got;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *text = arena_printf(a, "%s'defaultAction':'SCMP_ACT_ALLOW'",
						t[i].flags);

		ck_assert_int_eq(filter_flags(profile(a, text), &got, &err), 0);
		ck_assert_uint_eq(got, t[i].want);
	}
	ck_assert_int_eq(
		filter_flags(profile(a, "'flags':['SECCOMP_FILTER_FLAG_TSYNC',"
					"'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],"
					"'defaultAction':'SCMP_ACT_ALLOW'"),
			     &got, &err),
		-ENOTSUP);
	ck_assert_str_eq(err.msg,
			 "linux.seccomp.flags[1]: "
			 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is for supervised "
			 "system calls, which a VM has not");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		answers,
#if defined(__x86_64__)
		architectures,
		newer_by_architecture,
#endif
		stub_of_many,
		features_are_true,
		refusals,
		too_long,
		flags,
	};

	return suite_run("filter", tests, ARRAY_SIZE(tests));
}
