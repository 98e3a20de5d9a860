/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables against the specification's schemas: a walk through both at once.
 * Every property has a field of its kind, every field is a property, what the
 * schema requires the table requires, and a number has room for the schema's range
 * unless the table narrows it on purpose.
 */
#include "oci.h"

#include <inttypes.h>

#include "base/str.h"
#include "schema.h"

static struct schema_dir *dir;
static unsigned n_properties, n_fields;

/* Other platforms' sections; runtimes ignore them. */
static bool is_foreign(const char *path)
{
	static const char *const paths[] = { "solaris", "windows", "zos", "freebsd" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (str_eq(paths[i], path))
			return true;
	return false;
}

/* Required by the schema, and not by us: see the comment at the field. */
static bool is_optional_for_us(const char *path)
{
	return str_eq(path, "linux.resources.pids.limit");
}

static struct schema child(const struct schema *parent, const struct json *node)
{
	struct schema s;
	struct kata_err err = { 0 };
	int r = schema_child(dir, parent, node, &s, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return s;
}

static const struct jt_field *find(const struct jtab *t, const char *name)
{
	for (size_t i = 0; i < t->n_fields; i++)
		if (str_eq(t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

/* Does the schema, with its allOf and anyOf, have the property? */
static bool has_property(const struct schema *s, const char *name)
{
	static const char *const combiners[] = { "allOf", "anyOf" };
	const struct json *props = json_get(s->node, "properties");

	if (props && json_get(props, name))
		return true;
	for (size_t c = 0; c < ARRAY_SIZE(combiners); c++) {
		const struct json *list = json_get(s->node, combiners[c]);

		for (size_t i = 0; list && i < list->len; i++) {
			struct schema sub = child(s, list->items[i]);

			if (has_property(&sub, name))
				return true;
		}
	}
	return false;
}

static void walk(const struct schema *s, const struct jtab *t, const char *path);

static void check_number(const struct schema *s, const struct jt_field *f,
			 const char *path)
{
	const struct json *min = json_get(s->node, "minimum"),
			  *max = json_get(s->node, "maximum");
	bool is_signed = f->kind == JT_I32 || f->kind == JT_I64 ||
			 f->kind == JT_OPT_I32 || f->kind == JT_OPT_I64;
	bool wide = f->kind == JT_I64 || f->kind == JT_U64 || f->kind == JT_OPT_I64 ||
		    f->kind == JT_OPT_U64;
	bool narrowed = f->max > (uint64_t)f->min || f->min < 0;
	int64_t low;
	uint64_t high;

	ck_assert_msg(f->kind >= JT_I32 && f->kind <= JT_OPT_U64, "%s: is no number",
		      path);
	if (min && json_to_i64(min, INT64_MIN, INT64_MAX, &low) == 0 && low < 0)
		ck_assert_msg(is_signed, "%s: can be negative", path);
	if (max && json_to_u64(max, 0, UINT64_MAX, &high) == 0 && !narrowed)
		ck_assert_msg(
			wide || high <= (is_signed ? (uint64_t)INT32_MAX : UINT32_MAX),
			"%s: can be %" PRIu64, path, high);
	/* a weight is a uint16 in an uint32: then the table narrows */
	if (max && json_to_u64(max, 0, UINT64_MAX, &high) == 0 && high < UINT32_MAX &&
	    !is_signed)
		ck_assert_msg(narrowed, "%s: has no limit", path);
}

static void check_enum(const struct schema *s, const struct jt_field *f, const char *path)
{
	const struct json *words = json_get(s->node, "enum");
	size_t n = 0;

	ck_assert_msg(words != NULL, "%s: is no enum in the schema", path);
	while (f->names[n])
		n++;
	ck_assert_msg(n == words->len, "%s: %zu words, the schema has %zu", path, n,
		      words->len);
	for (size_t i = 0; i < words->len; i++) {
		size_t k = 0;

		while (f->names[k] && !str_eq(f->names[k], words->items[i]->str))
			k++;
		ck_assert_msg(f->names[k] != NULL, "%s: \"%s\" is missing", path,
			      words->items[i]->str);
	}
}

static void check_array(const struct schema *s, const struct jt_field *f,
			const char *path)
{
	struct schema item = child(s, json_get(s->node, "items"));
	const char *type = json_get_str(item.node, "type");
	AUTO_FREE char *sub = mem_printf("%s[]", path);

	if (f->kind == JT_OBJV)
		walk(&item, f->sub, sub);
	else
		ck_assert_msg(str_eq(type, f->kind == JT_STRV ? "string" : "integer"),
			      "%s: of %s", path, type);
	if (json_get(s->node, "minItems"))
		ck_assert_msg(f->flags & JT_NONEMPTY, "%s: must not be empty", path);
}

static void check_object(const struct schema *s, const struct jt_field *f,
			 const char *path)
{
	AUTO_FREE char *sub = mem_printf("%s{}", path);

	if (f->kind == JT_OBJ) {
		walk(s, f->sub, path);
	} else if (f->kind == JT_OBJMAP) {
		struct schema item = child(s, json_get(s->node, "additionalProperties"));

		walk(&item, f->sub, sub);
	} else {
		ck_assert_msg(f->kind == JT_MAP, "%s: is an object", path);
		ck_assert_ptr_nonnull(json_get(s->node, "patternProperties"));
	}
}

static void check_field(const struct schema *s, const struct jt_field *f,
			const char *path)
{
	const char *type = json_get_str(s->node, "type");

	if (f->kind == JT_ENUM)
		check_enum(s, f, path);
	else if (str_eq(type, "string"))
		ck_assert_msg(f->kind == JT_STR, "%s: is a string", path);
	else if (str_eq(type, "boolean"))
		ck_assert_msg(f->kind == JT_BOOL || f->kind == JT_OPT_BOOL,
			      "%s: is a boolean", path);
	else if (str_eq(type, "integer"))
		check_number(s, f, path);
	else if (str_eq(type, "array"))
		check_array(s, f, path);
	else
		check_object(s, f, path);
}

static void walk_properties(const struct schema *s, const struct jtab *t,
			    const char *path)
{
	const struct json *props = json_get(s->node, "properties");
	const struct json *required = json_get(s->node, "required");

	for (size_t i = 0; props && i < props->len; i++) {
		AUTO_FREE char *sub = mem_printf("%s%s%s", path, *path ? "." : "",
						 props->keys[i]);
		const struct jt_field *f = find(t, props->keys[i]);
		struct schema value;

		if (is_foreign(sub))
			continue;
		ck_assert_msg(f != NULL, "%s: not in table \"%s\"", sub, t->what);
		value = child(s, props->items[i]);
		check_field(&value, f, sub);
		n_properties++;
	}
	for (size_t i = 0; required && i < required->len; i++) {
		const char *name = required->items[i]->str;
		AUTO_FREE char *sub = mem_printf("%s%s%s", path, *path ? "." : "", name);

		ck_assert_msg((find(t, name)->flags & JT_REQUIRED) ||
				      is_optional_for_us(sub),
			      "%s: is required", sub);
	}
}

static void walk_all(const struct schema *s, const struct jtab *t, const char *path)
{
	static const char *const combiners[] = { "allOf", "anyOf" };

	walk_properties(s, t, path);
	for (size_t c = 0; c < ARRAY_SIZE(combiners); c++) {
		const struct json *list = json_get(s->node, combiners[c]);

		for (size_t i = 0; list && i < list->len; i++) {
			struct schema sub = child(s, list->items[i]);

			walk_all(&sub, t, path);
		}
	}
}

static void walk(const struct schema *s, const struct jtab *t, const char *path)
{
	walk_all(s, t, path);
	for (size_t i = 0; i < t->n_fields; i++)
		ck_assert_msg(has_property(s, t->fields[i].name),
			      "%s: \"%s\" is no property", path, t->fields[i].name);
	n_fields += (unsigned)t->n_fields;
}

START_TEST(tables_are_the_schema)
{
	struct schema root;
	struct kata_err err = { 0 };

	if (!dir) {
		printf("# skipped: no OCI schemas (KATA_SCHEMAS)\n");
		return;
	}
	ck_assert_msg(schema_get(dir, NULL, "config-schema.json", &root, &err) == 0, "%s",
		      err.msg);
	walk(&root, &oci_spec_tab, "");
	printf("# %u properties, %u fields\n", n_properties, n_fields);
	ck_assert_uint_gt(n_properties, 150);
	ck_assert_uint_eq(n_properties, n_fields);
}
END_TEST

/* What the loader takes and the schema does not, each for a real engine's sake. */
static const char *liberty(const char *name)
{
	static const struct {
		const char *name, *error;
	} liberties[] = {
		{ "kubernetes-container.json", "unified: type is not object" },
		{ "nulls.json", "type is not array" },
		{ "podman-4.3-privileged.json", "fileMode: 8612 is above 511" },
		{ "podman-4.3-run.json", "fileMode: 8630 is above 511" },
		{ "unknown-members.json",
		  "no such file or directory" }, /* config-solaris.json */
	};

	for (size_t i = 0; i < ARRAY_SIZE(liberties); i++)
		if (str_eq(liberties[i].name, name))
			return liberties[i].error;
	return NULL;
}

static void check_encoded(const char *name)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };
	struct kata_err err = { 0 };
	const char *text, *why = liberty(name);
	size_t len;
	int r;

	text = oci_file(a, arena_printf(a, TEST_DATA "/oci/valid/%s", name), &len);
	r = schema_check(dir, "config-schema.json", oci_json(a, text, len), &err);
	ck_assert_msg((r < 0) == (why != NULL), "%s: %s", name, err.msg);
	if (why) {
		ck_assert_msg(str_has_suffix(err.msg, why), "%s: %s", name, err.msg);
		return;
	}
	ck_assert_int_eq(oci_spec_load(text, len, a, &spec, &err), 0);
	jtab_encode(&oci_spec_tab, spec, &o);
	r = schema_check(dir, "config-schema.json",
			 oci_json(a, buf_cstr(&b), buf_len(&b)), &err);
	ck_assert_msg(r == 0, "%s, encoded: %s", name, err.msg);
	buf_done(&b);
}

START_TEST(what_is_encoded_matches_the_schema)
{
	struct dirent **files;
	int n = oci_fixtures("valid", &files);

	for (int i = 0; i < n; i++) {
		if (dir)
			check_encoded(files[i]->d_name);
		free(files[i]);
	}
	free(files);
}
END_TEST

/* The validator itself must not be blind. */
START_TEST(validator_sees_errors)
{
	static const struct {
		const char *doc, *error;
	} wrong[] = {
		{ "{}", "\"ociVersion\" is required" },
		{ "{'ociVersion':1}", ".ociVersion: type is not string" },
		{ "{'ociVersion':'1','process':{'args':[1],'cwd':'/'}}",
		  ".process: .args: [0]: type is not string" },
		{ "{'ociVersion':'1','process':{'cwd':'/','user':{'uid':4294967296}}}",
		  ".process: .user: .uid: 4294967296 is above 4294967295" },
		{ "{'ociVersion':'1','process':{'cwd':'/','user':{'uid':-1}}}",
		  ".process: .user: .uid: -1 is below 0" },
		{ "{'ociVersion':'1','annotations':{'a':1}}",
		  ".annotations: .a: type is not string" },
		{ "{'ociVersion':'1','linux':{'netDevices':{'a':{'name':1}}}}",
		  ".linux: .netDevices: .a: .name: type is not string" },
		{ "{'ociVersion':'1','linux':{'namespaces':[{'type':'net'}]}}",
		  ".linux: .namespaces: [0]: none of anyOf, the last: .type: \"net\" is not in "
		  "enum" },
		{ "{'ociVersion':'1','linux':{'resources':{'hugepageLimits':[{'pageSize':'2kB',"
		  "'limit':1}]}}}",
		  ".linux: .resources: .hugepageLimits: [0]: .pageSize: \"2kB\" does not match "
		  "^[1-9][0-9]*[KMG]B$" },
		{ "{'ociVersion':'1','linux':{'resources':{'blockIO':{'weightDevice':[{}]}}}}",
		  ".linux: .resources: .blockIO: .weightDevice: [0]: \"major\" is required" },
		{ "{'ociVersion':'1','linux':{'seccomp':{'defaultAction':'SCMP_ACT_LOG',"
		  "'syscalls':[{'names':[],'action':'SCMP_ACT_LOG'}]}}}",
		  ".linux: .seccomp: .syscalls: [0]: .names: length 0 against 1" },
		{ "{'ociVersion':'1','windows':{}}", "no such file or directory" },
	};
	AUTO(arena) *a = arena_new();

	for (size_t i = 0; dir && i < ARRAY_SIZE(wrong); i++) {
		const char *text = oci_text(a, wrong[i].doc);
		struct kata_err err = { 0 };

		ck_assert_int_lt(schema_check(dir, "config-schema.json",
					      oci_json(a, text, strlen(text)), &err),
				 0);
		ck_assert_msg(str_has_suffix(err.msg, wrong[i].error), "%s", err.msg);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		tables_are_the_schema,
		what_is_encoded_matches_the_schema,
		validator_sees_errors,
	};
	int r;

	dir = schema_dir_find("oci");
	r = suite_run("oci_schema", tests, ARRAY_SIZE(tests));
	schema_dir_free(dir);
	return r;
}
