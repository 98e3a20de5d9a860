/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci: what the tests of the OCI sections share. Documents are written with ' for
 * ", so that they can be read.
 */
#ifndef KATA_TESTS_UNIT_OCI_H
#define KATA_TESTS_UNIT_OCI_H

#include <dirent.h>
#include <stdio.h>

#include "base/buf.h"
#include "oci/spec.h"
#include "suite.h"

/** A config with the members @rest beside the two that all need. */
#define CONFIG(rest) "{'ociVersion':'1.3.0','root':{'path':'rootfs'}," rest "}"
#define PROCESS(rest) "{'cwd':'/','args':['sh']," rest "}"

static inline char *oci_text(struct arena *a, const char *quoted)
{
	char *text = arena_strdup(a, quoted);

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return text;
}

/** oci_good() - loads, or fails the test with the error. */
static inline const struct oci_spec *oci_good(struct arena *a, const char *quoted)
{
	const char *text = oci_text(a, quoted);
	const struct oci_spec *spec = NULL;
	struct kata_err err = { 0 };
	int r = oci_spec_load(text, strlen(text), a, &spec, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return spec;
}

/** oci_decoded() - what of the sections is in @text, without the rules that the loader holds a whole
 * document to. In the test's arena. */
static inline const struct oci_spec *oci_decoded(const char *text)
{
	struct arena *a = test_arena();
	struct oci_spec *spec = arena_alloc(a, sizeof(*spec));
	struct kata_err err = { 0 };
	const struct json *j;

	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, a, &j, &err) ==
				      0 &&
			      jtab_decode(&oci_spec_tab, j, a, "", spec, &err) == 0,
		      "%s", err.msg);
	return spec;
}

/** oci_bad() - the loader's error is @want. */
static inline void oci_bad(const char *quoted, const char *want)
{
	AUTO(arena) *a = arena_new();
	const char *text = oci_text(a, quoted);
	const struct oci_spec *spec = NULL;
	struct kata_err err = { 0 };

	ck_assert_int_lt(oci_spec_load(text, strlen(text), a, &spec, &err), 0);
	ck_assert_str_eq(err.msg, want);
	ck_assert_int_lt(err.code, 0);
	ck_assert_ptr_null(spec);
}

/** oci_file() - a whole file, in the arena. */
static inline char *oci_file(struct arena *a, const char *path, size_t *ret_len)
{
	const size_t max = 1 << 20;
	char *text = arena_alloc(a, max);
	FILE *f = fopen(path, "re");

	ck_assert_msg(f != NULL, "open %s", path);
	*ret_len = fread(text, 1, max - 1, f);
	fclose(f);
	return text;
}

/** oci_json() - parsed, or fails the test. */
static inline const struct json *oci_json(struct arena *a, const char *text, size_t len)
{
	const struct json *j = NULL;
	struct kata_err err = { 0 };
	int r = json_parse(text, len, &json_limits_default, a, &j, &err);

	ck_assert_msg(r == 0, "%s: %s", err.msg, text);
	return j;
}

static inline int oci_is_json(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

/** oci_fixtures() - the *.json of tests/data/oci/@dir, sorted; free the list with free(). */
static inline int oci_fixtures(const char *dir, struct dirent ***ret_files)
{
	char path[512];
	int n;

	snprintf(path, sizeof(path), TEST_DATA "/oci/%s", dir);
	n = scandir(path, ret_files, oci_is_json, alphasort);
	ck_assert_msg(n > 0, "%s: no fixtures", path);
	return n;
}

#define STRV_EQ(strv, ...)                                                               \
	do {                                                                             \
		const char *const want_[] = { __VA_ARGS__ };                             \
		ck_assert_uint_eq((strv).n, ARRAY_SIZE(want_));                          \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(want_); i_++)                        \
			ck_assert_str_eq((strv).v[i_], want_[i_]);                       \
		ck_assert_ptr_null((strv).v[(strv).n]);                                  \
	} while (0)

#endif
