/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole document: every fixture, both ways, and the members of the top level.
 *
 * valid/: loads; what is encoded loads again to the same bytes; nothing is lost.
 * invalid/: each has one thing wrong, and beside it a .err with the error it gives.
 * An .err that ends in '*' holds the error's beginning (the rest is a library's).
 */
#include "oci.h"

#include "base/str.h"

static const char *encode(struct arena *a, const struct oci_spec *spec)
{
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	const char *text;

	jtab_encode(&oci_spec_tab, spec, &o);
	text = arena_strdup(a, buf_cstr(&b));
	buf_done(&b);
	return text;
}

/* Is every member of @want in @got with the same value? Zeros may have been left out. */
static bool holds(const struct json *got, const struct json *want);

static bool is_nothing(const struct json *j)
{
	return j->type == JSON_NULL || (j->type == JSON_BOOL && !j->boolean) ||
	       (j->type == JSON_NUMBER && str_eq(j->str, "0"));
}

static bool holds_members(const struct json *got, const struct json *want)
{
	for (size_t i = 0; i < want->len; i++) {
		const struct json *member = json_get(got, want->keys[i]);

		if (member ? !holds(member, want->items[i])
			   : !is_nothing(want->items[i])) {
			fprintf(stderr, "# lost: %s\n", want->keys[i]);
			return false;
		}
	}
	return true;
}

static bool holds(const struct json *got, const struct json *want)
{
	if (want->type == JSON_NULL)
		return true; /* absent; what is always there has its default */
	if (got->type != want->type)
		return false;
	if (want->type == JSON_OBJECT)
		return holds_members(got, want);
	if (want->type == JSON_BOOL)
		return got->boolean == want->boolean;
	if (want->type != JSON_ARRAY)
		return str_eq(got->str, want->str);
	if (got->len != want->len)
		return false;
	for (size_t i = 0; i < want->len; i++)
		if (!holds(got->items[i], want->items[i]))
			return false;
	return true;
}

/* What is in these on purpose is dropped, renamed or rewritten by loading. */
static bool is_rewritten(const char *name)
{
	static const char *const names[] = {
		"mounts.destination-relative.json",
		"spec-example.json", /* has resources.oomScoreAdj of 0.5 */
		"unknown-members.json",
		"vm.hwconfig-alias.json",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static void round_trip(const char *name)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *first, *second;
	const char *once, *twice, *text;
	struct kata_err err = { 0 };
	size_t len;
	int r;

	text = oci_file(a, arena_printf(a, TEST_DATA "/oci/valid/%s", name), &len);
	r = oci_spec_load(text, len, a, &first, &err);
	ck_assert_msg(r == 0, "%s: %s", name, err.msg);
	once = encode(a, first);
	r = oci_spec_load(once, strlen(once), a, &second, &err);
	ck_assert_msg(r == 0, "%s, encoded: %s", name, err.msg);
	twice = encode(a, second);
	ck_assert_str_eq(once, twice);
	if (!is_rewritten(name))
		ck_assert_msg(
			holds(oci_json(a, once, strlen(once)), oci_json(a, text, len)),
			"%s: encoding lost something", name);
}

START_TEST(valid_fixtures_make_the_round_trip)
{
	struct dirent **files;
	int n = oci_fixtures("valid", &files);

	for (int i = 0; i < n; i++) {
		round_trip(files[i]->d_name);
		free(files[i]);
	}
	free(files);
}
END_TEST

static void refused(const char *name)
{
	AUTO(arena) *a = arena_new();
	char *path = arena_printf(a, TEST_DATA "/oci/invalid/%s", name);
	const struct oci_spec *spec;
	struct kata_err err = { 0 };
	const char *text;
	size_t len, want_len;
	char *want;

	text = oci_file(a, path, &len);
	memcpy(path + strlen(path) - 5, ".err", 5);
	want = oci_file(a, path, &want_len);
	want[strcspn(want, "\n")] = '\0';
	ck_assert_msg(want[0], "%s: says nothing", path);

	ck_assert_msg(oci_spec_load(text, len, a, &spec, &err) < 0, "%s: is taken", name);
	if (str_has_suffix(want, "*")) {
		want[strlen(want) - 1] = '\0';
		ck_assert_msg(str_has_prefix(err.msg, want), "%s: %s", name, err.msg);
	} else {
		ck_assert_msg(str_eq(err.msg, want), "%s: %s", name, err.msg);
	}
}

START_TEST(invalid_fixtures_say_what_is_wrong)
{
	struct dirent **files;
	int n = oci_fixtures("invalid", &files);

	for (int i = 0; i < n; i++) {
		refused(files[i]->d_name);
		free(files[i]);
	}
	free(files);
}
END_TEST

START_TEST(any_1_x_is_taken)
{
	static const char *const good[] = { "1.0.0",	 "1.0.2-dev", "1.3.0+dev",
					    "1.0.0-rc5", "1.99.7",    "1.0.0-rc.1+b-2" };
	static const char *const bad[] = { "1",	     "1.0",    "v1.0.0",    "1.0.0.0",
					   "1..0",   "1.0.0-", "1.0.0 dev", "",
					   "-1.0.0", "10.0.0", "0.9.9",	    "2.0.0-rc1" };
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(arena) *a = arena_new();

		snprintf(text, sizeof(text), "{'ociVersion':'%s','root':{'path':'r'}}",
			 good[i]);
		ck_assert_str_eq(oci_good(a, text)->ociVersion, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(arena) *a = arena_new();
		struct kata_err err = { 0 };
		const struct oci_spec *spec;
		const char *doc;

		snprintf(text, sizeof(text), "{'ociVersion':'%s','root':{'path':'r'}}",
			 bad[i]);
		doc = oci_text(a, text);
		ck_assert_int_lt(oci_spec_load(doc, strlen(doc), a, &spec, &err), 0);
		ck_assert_msg(str_has_prefix(err.msg, "ociVersion: \""), "%s", err.msg);
	}
}
END_TEST

START_TEST(top_level)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;

	spec = oci_good(a, "{'ociVersion':'1.0.0','root':{'path':'../r','readonly':true},"
			   "'hostname':'h','domainname':'d',"
			   "'annotations':{'b':'2','a':'','b.c':'3'},"
			   "'linux':{'namespaces':[{'type':'uts'}]}}");
	ck_assert_str_eq(spec->root->path, "../r");
	ck_assert(spec->root->readonly);
	ck_assert_str_eq(spec->hostname, "h");
	ck_assert_str_eq(spec->domainname, "d");
	ck_assert_ptr_null(spec->process);
	ck_assert_ptr_null(spec->hooks);
	ck_assert_ptr_null(spec->vm);
	ck_assert_uint_eq(spec->mounts.n, 0);
	ck_assert_str_eq(spec->annotations.keys[0], "b");
	ck_assert_str_eq(oci_annotation(spec, "b"), "2");
	ck_assert_str_eq(oci_annotation(spec, "a"), "");
	ck_assert_ptr_null(oci_annotation(spec, "c"));
}
END_TEST

START_TEST(namespaces_are_found_by_type)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;

	spec = oci_good(a, CONFIG("'linux':{'namespaces':[{'type':'pid','path':''},"
				  "{'type':'network','path':'/run/netns/x'}]}"));
	ck_assert_ptr_nonnull(oci_spec_ns(spec, OCI_NS_PID));
	ck_assert_ptr_null(oci_spec_ns(spec, OCI_NS_PID)->path);
	ck_assert_str_eq(oci_spec_ns(spec, OCI_NS_NETWORK)->path, "/run/netns/x");
	ck_assert_ptr_null(oci_spec_ns(spec, OCI_NS_UTS));
	ck_assert_ptr_null(oci_spec_ns(oci_good(a, CONFIG("'linux':null")), OCI_NS_PID));
}
END_TEST

/* one line of a hostile value, not a second line of a log */
START_TEST(errors_stay_on_one_line)
{
	oci_bad(CONFIG("'process':{'cwd':'a\\nb\\u007f','args':['x']}"),
		"process.cwd: must be an absolute path, is \"a?b?\"");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		valid_fixtures_make_the_round_trip,
		invalid_fixtures_say_what_is_wrong,
		any_1_x_is_taken,
		top_level,
		namespaces_are_found_by_type,
		errors_stay_on_one_line,
	};

	return suite_run("oci_document", tests, ARRAY_SIZE(tests));
}
