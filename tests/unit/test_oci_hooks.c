/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks section. */
#include "oci.h"

START_TEST(kinds_and_order)
{
	AUTO(arena) *a = arena_new();
	const struct oci_hooks *hooks;
	const struct oci_hook *h;

	hooks = oci_good(a,
			 CONFIG("'hooks':{'poststop':[{'path':'/s'}],"
				"'prestart':[{'path':'/a','args':['x','y'],'env':['A=b'],"
				"'timeout':7},{'path':'/b'}]}"))
			->hooks;
	h = hooks->kind[OCI_HOOK_PRESTART].v;
	ck_assert_uint_eq(hooks->kind[OCI_HOOK_PRESTART].n, 2);
	ck_assert_str_eq(h[0].path, "/a");
	STRV_EQ(h[0].args, "x", "y");
	STRV_EQ(h[0].env, "A=b");
	ck_assert_int_eq(*h[0].timeout, 7);
	ck_assert_str_eq(h[1].path, "/b");
	ck_assert_uint_eq(h[1].args.n, 0);
	ck_assert_ptr_null(h[1].timeout);
	ck_assert_uint_eq(hooks->kind[OCI_HOOK_POSTSTOP].n, 1);
	ck_assert_uint_eq(hooks->kind[OCI_HOOK_POSTSTART].n, 0);
}
END_TEST

START_TEST(every_kind_has_its_list)
{
	AUTO(arena) *a = arena_new();

	for (size_t kind = 0; kind < OCI_HOOK_KINDS; kind++) {
		const char *doc = arena_printf(a,
					       CONFIG("'hooks':{'%s':[{'path':'/%zu'}]}"),
					       oci_hook_names[kind], kind);
		const struct oci_hooks *hooks = oci_good(a, doc)->hooks;

		for (size_t k = 0; k < OCI_HOOK_KINDS; k++)
			ck_assert_uint_eq(hooks->kind[k].n, k == kind);
	}
	ck_assert_ptr_null(oci_hook_names[OCI_HOOK_KINDS]);
}
END_TEST

/* absent: the caller's environment; there, even empty: exactly that */
START_TEST(empty_env_is_not_no_env)
{
	AUTO(arena) *a = arena_new();
	const struct oci_hook *h;

	h = oci_good(a,
		     CONFIG("'hooks':{'poststart':[{'path':'/a'},{'path':'/b','env':[]},"
			    "{'path':'/c','env':null},{'path':'/d','env':['A=']}]}"))
		    ->hooks->kind[OCI_HOOK_POSTSTART]
		    .v;
	ck_assert(!h[0].has_env && h[1].has_env && !h[2].has_env && h[3].has_env);
	ck_assert_uint_eq(h[1].env.n, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		kinds_and_order,
		every_kind_has_its_list,
		empty_env_is_not_no_env,
	};

	return suite_run("oci_hooks", tests, ARRAY_SIZE(tests));
}
