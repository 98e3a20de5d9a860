/* SPDX-License-Identifier: Apache-2.0 */
/* Container ids, capabilities, rlimits. */
#include <linux/capability.h>
#include <sys/resource.h>

#include "oci/names.h"
#include "suite.h"

START_TEST(good_ids)
{
	static const char *const ids[] = { "a", "A.b_c+d-e", "...", "-x", ".a", "0" };
	char longest[OCI_ID_MAX + 1];
	struct kata_err err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ck_assert_msg(oci_id_check(ids[i], &err) == 0, "%s: %s", ids[i], err.msg);
	memset(longest, 'x', OCI_ID_MAX);
	longest[OCI_ID_MAX] = '\0';
	ck_assert_int_eq(oci_id_check(longest, &err), 0);
}
END_TEST

START_TEST(bad_ids)
{
	static const char *const ids[] = { ".",	  "..", "a/b", "/", "a b",
					   "a\n", "ä",	"a:b", "a%" };
	char longest[OCI_ID_MAX + 2];
	struct kata_err err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		ck_assert_int_lt(oci_id_check(ids[i], &err), 0);
		ck_assert_ptr_nonnull(strstr(err.msg, "invalid container ID format"));
	}
	memset(longest, 'x', OCI_ID_MAX + 1);
	longest[OCI_ID_MAX + 1] = '\0';
	ck_assert_int_lt(oci_id_check(longest, &err), 0);
	ck_assert_int_lt(oci_id_check("", &err), 0);
	ck_assert_str_eq(err.msg, "container id cannot be empty");
	ck_assert_int_lt(oci_id_check(NULL, &err), 0);
}
END_TEST

START_TEST(capabilities)
{
	int n = 0;

	while (oci_cap_names[n]) {
		ck_assert_int_eq(oci_cap_number(oci_cap_names[n]), n);
		ck_assert_int_eq(oci_cap_number(oci_cap_names[n] + 4), n);
		n++;
	}
	ck_assert_int_eq(n, CAP_LAST_CAP + 1);
	ck_assert_int_eq(oci_cap_number("CAP_CHOWN"), CAP_CHOWN);
	ck_assert_int_eq(oci_cap_number("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
	ck_assert_int_eq(oci_cap_number("cap_sys_admin"), CAP_SYS_ADMIN);
	ck_assert_int_eq(oci_cap_number("net_raw"), CAP_NET_RAW);
	ck_assert_int_eq(oci_cap_number("CAP_CHECKPOINT_RESTORE"),
			 CAP_CHECKPOINT_RESTORE);
	ck_assert_int_eq(oci_cap_number("CAP_"), -1);
	ck_assert_int_eq(oci_cap_number(""), -1);
	ck_assert_int_eq(oci_cap_number("CAP_CAP_KILL"), -1);
	ck_assert_int_eq(oci_cap_number("CAP_KILLER"), -1);
}
END_TEST

START_TEST(rlimits)
{
	static const struct {
		const char *name;
		int number;
	} all[] = {
		{ "RLIMIT_AS", RLIMIT_AS },
		{ "RLIMIT_CORE", RLIMIT_CORE },
		{ "RLIMIT_CPU", RLIMIT_CPU },
		{ "RLIMIT_DATA", RLIMIT_DATA },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
		{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
		{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
		{ "RLIMIT_NICE", RLIMIT_NICE },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
		{ "RLIMIT_NPROC", RLIMIT_NPROC },
		{ "RLIMIT_RSS", RLIMIT_RSS },
		{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
		{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
		{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
		{ "RLIMIT_STACK", RLIMIT_STACK },
	};
	unsigned seen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		ck_assert_int_eq(oci_rlimit_number(all[i].name), all[i].number);
		seen |= 1u << all[i].number;
	}
	ck_assert_uint_eq(seen, (1u << RLIM_NLIMITS) - 1);
	ck_assert_int_eq(oci_rlimit_number("rlimit_as"), -1);
	ck_assert_int_eq(oci_rlimit_number("AS"), -1);
	ck_assert_int_eq(oci_rlimit_number(""), -1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { good_ids, bad_ids, capabilities, rlimits };

	return suite_run("oci_names", tests, ARRAY_SIZE(tests));
}
