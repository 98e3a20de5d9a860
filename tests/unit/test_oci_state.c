/* SPDX-License-Identifier: Apache-2.0 */
/* The state document. */
#include "oci.h"
#include "oci/state.h"
#include "schema.h"

static const char *text(struct arena *a, const struct oci_state *st)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	const char *s;

	oci_state_write(st, &o);
	s = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return s;
}

START_TEST(all_members)
{
	AUTO(arena) *a = arena_new();
	static const char *const keys[] = { "b", "a" }, *const vals[] = { "1", "" };
	const struct oci_state st = {
		.id = "c",
		.status = OCI_RUNNING,
		.pid = 42,
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.created = "2026-11-23T01:10:21.5Z",
		.owner = "root",
		.annotations = { keys, vals, 2 },
	};

	ck_assert_str_eq(text(a, &st),
			 oci_text(a,
				  "{'ociVersion':'1.3.0','id':'c','pid':42,"
				  "'status':'running','bundle':'/b','rootfs':'/b/rootfs',"
				  "'created':'2026-11-23T01:10:21.5Z',"
				  "'annotations':{'b':'1','a':''},'owner':'root'}"));
}
END_TEST

START_TEST(what_is_absent_is_left_out)
{
	AUTO(arena) *a = arena_new();
	const struct oci_state st = {
		.id = "c", .status = OCI_CREATED, .pid = 1, .bundle = "/"
	};

	ck_assert_str_eq(text(a, &st),
			 oci_text(a, "{'ociVersion':'1.3.0','id':'c','pid':1,"
				     "'status':'created','bundle':'/'}"));
}
END_TEST

START_TEST(stopped_has_no_pid)
{
	AUTO(arena) *a = arena_new();
	const struct oci_state st = {
		.id = "c", .status = OCI_STOPPED, .pid = 9, .bundle = "/"
	};

	ck_assert_ptr_nonnull(strstr(text(a, &st), "\"pid\":0,\"status\":\"stopped\""));
}
END_TEST

START_TEST(schema_holds)
{
	AUTO(schema_dir) *dir = schema_dir_find("oci");
	AUTO(arena) *a = arena_new();
	static const char *const keys[] = { "k" }, *const vals[] = { "v" };
	struct oci_state st = { .id = "c",
				.pid = 5,
				.bundle = "/b",
				.created = "x",
				.annotations = { keys, vals, 1 } };
	struct kata_err err = { 0 };

	if (!dir) {
		printf("# skipped: no OCI schemas (KATA_SCHEMAS)\n");
		return;
	}
	for (st.status = OCI_CREATING; st.status <= OCI_STOPPED; st.status++) {
		const char *s = text(a, &st);
		int r = schema_check(dir, "state-schema.json", oci_json(a, s, strlen(s)),
				     &err);

		/* "paused" is an addition that the spec allows and the schema lacks */
		if (st.status == OCI_PAUSED)
			ck_assert_str_eq(err.msg, ".status: \"paused\" is not in enum");
		else
			ck_assert_msg(r == 0, "%s: %s", s, err.msg);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		all_members,
		what_is_absent_is_left_out,
		stopped_has_no_pid,
		schema_holds,
	};

	return suite_run("oci_state", tests, ARRAY_SIZE(tests));
}
