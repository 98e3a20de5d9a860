/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of properties against the specification's schemas, both ways, and against what is
 * really said of those that are not applied.
 */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "oci.h"
#include "sandbox/guest_spec.h"
#include "sandbox/props.h"
#include "schema.h"
#include "vmm/vm_plan.h"

static struct schema_dir *dir;

static const struct prop *find(const char *path)
{
	for (size_t i = 0; i < props_count; i++) {
		if (str_eq(props[i].path, path))
			return &props[i];
	}
	return NULL;
}

/* --- the schemas ------------------------------------------------------------------------------ */

/* @seen: by row */
struct walk {
	bool *seen;
	size_t n;
};

static void walk(struct walk *w, const struct schema *s, const char *path);

static void walk_child(struct walk *w, const struct schema *s, const struct json *node,
		       const char *path)
{
	struct kata_err err = { 0 };
	struct schema sub;
	int r = schema_child(dir, s, node, &sub, &err);

	ck_assert_msg(r == 0, "%s: %s", path, err.msg);
	walk(w, &sub, path);
}

static void walk_property(struct walk *w, const struct schema *s, const char *key,
			  const struct json *node, const char *path)
{
	AUTO_FREE char *sub = mem_printf("%s%s%s", path, *path ? "." : "", key);
	const struct prop *p = find(sub);

	ck_assert_msg(p != NULL, "%s: has no row in libkata/sandbox/props.c", sub);
	w->n += !w->seen[p - props];
	w->seen[p - props] = true;
	/* the sections of other platforms are one row each, and their schemas are not here */
	if (!p->text || !str_eq(p->text, "another platform"))
		walk_child(w, s, node, sub);
}

static void walk(struct walk *w, const struct schema *s, const char *path)
{
	static const char *const combiners[] = { "allOf", "anyOf", "oneOf" };
	const struct json *props_ = json_get(s->node, "properties"),
			  *items = json_get(s->node, "items"),
			  *more = json_get(s->node, "additionalProperties");

	for (size_t c = 0; c < ARRAY_SIZE(combiners); c++) {
		const struct json *list = json_get(s->node, combiners[c]);

		for (size_t i = 0; list && i < list->len; i++)
			walk_child(w, s, list->items[i], path);
	}
	for (size_t i = 0; props_ && i < props_->len; i++)
		walk_property(w, s, props_->keys[i], props_->items[i], path);
	if (items) {
		AUTO_FREE char *sub = mem_printf("%s[]", path);

		walk_child(w, s, items, sub);
	}
	if (more && more->type == JSON_OBJECT) {
		AUTO_FREE char *sub = mem_printf("%s{}", path);

		walk_child(w, s, more, sub);
	}
}

START_TEST(every_property_has_a_row_and_every_row_a_property)
{
	struct walk w = { .seen = mem_zalloc(props_count * sizeof(bool)) };
	struct kata_err err = { 0 };
	struct schema root;

	if (!dir) {
		printf("# skipped: no OCI schemas (KATA_SCHEMAS)\n");
		free(w.seen);
		return;
	}
	ck_assert_msg(schema_get(dir, NULL, "config-schema.json", &root, &err) == 0, "%s",
		      err.msg);
	walk(&w, &root, "");
	for (size_t i = 0; i < props_count; i++)
		ck_assert_msg(w.seen[i],
			      "%s: is no property of the schemas, or there twice",
			      props[i].path);
	ck_assert_uint_gt(w.n, 200);
	free(w.seen);
}
END_TEST

START_TEST(rows_are_whole)
{
	for (size_t i = 0; i < props_count; i++) {
		const struct prop *p = &props[i];

		ck_assert_ptr_eq(find(p->path), p);
		if (p->fate == PROP_APPLIED)
			ck_assert_msg(p->where && !p->text, "%s", p->path);
		else
			ck_assert_msg(!p->where && prop_text(p), "%s: without a text",
				      p->path);
	}
}
END_TEST

/* --- what is said ------------------------------------------------------------------------------ */

#define NET "'linux':{'namespaces':[{'type':'network'},{'type':'pid'}]"
#define LINUX(rest) CONFIG(NET "," rest "}")
#define PROC(rest) CONFIG("'process':" PROCESS(rest) "," NET "}")

/* One for each row with words of its own; those of the VM's hardware are vm_plan.c's. */
static const struct {
	const char *path, *config;
} samples[] = {
	{ "process.apparmorProfile", PROC("'apparmorProfile':'docker-default'") },
	{ "process.selinuxLabel", PROC("'selinuxLabel':'a:b:c:d'") },
	{ "linux.mountLabel", LINUX("'mountLabel':'x'") },
	{ "linux.netDevices", LINUX("'netDevices':{'eth0':{'name':'x'}}") },
	{ "linux.intelRdt", LINUX("'intelRdt':{'closID':'x'}") },
	{ "linux.resources.network.classID",
	  LINUX("'resources':{'network':{'classID':1}}") },
	{ "linux.resources.network.priorities",
	  LINUX("'resources':{'network':{'priorities':[{'name':'eth0','priority':1}]}}") },
	{ "linux.resources.rdma",
	  LINUX("'resources':{'rdma':{'mlx5':{'hcaHandles':3}}}") },
	{ "linux.resources.memory.kernel",
	  LINUX("'resources':{'memory':{'kernel':4096}}") },
	{ "linux.resources.memory.kernelTCP",
	  LINUX("'resources':{'memory':{'kernelTCP':4096}}") },
	{ "linux.resources.memory.disableOOMKiller",
	  LINUX("'resources':{'memory':{'disableOOMKiller':true}}") },
	{ "linux.resources.cpu.realtimeRuntime",
	  LINUX("'resources':{'cpu':{'realtimeRuntime':950}}") },
	{ "linux.resources.cpu.realtimePeriod",
	  LINUX("'resources':{'cpu':{'realtimePeriod':1000}}") },
	{ "linux.seccomp.listenerPath",
	  LINUX("'seccomp':{'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/x'}") },
};

static void hear(void *arg, const char *text)
{
	str_copy(arg, KATA_ERR_MAX, text);
}

static const char *sample_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		if (str_eq(samples[i].path, path))
			return samples[i].config;
	}
	return NULL;
}

static void check_words(const struct prop *p)
{
	AUTO(arena) *a = arena_new();
	char said[KATA_ERR_MAX] = "", want[KATA_ERR_MAX];
	struct kata_err err = { 0 };
	const char *config = sample_of(p->path);
	int r;

	ck_assert_msg(config != NULL, "%s: has no sample in this test", p->path);
	r = guest_spec_check(oci_good(a, config), hear, said, &err);
	ck_assert_msg((r == -ENOTSUP) == (p->fate == PROP_REFUSED), "%s: %d", p->path, r);
	snprintf(want, sizeof(want), "%s: %s", p->path, p->text);
	ck_assert_str_eq(r < 0 ? err.msg : said, want);
}

START_TEST(what_is_said_is_in_the_table)
{
	for (size_t i = 0; i < props_count; i++) {
		const struct prop *p = &props[i];

		if (!p->text || p->fate == PROP_IGNORED)
			continue;
		if (str_has_prefix(p->path, "vm.hwConfig."))
			ck_assert_str_eq(p->text, VM_PLAN_XEN);
		else
			check_words(p);
	}
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		ck_assert_ptr_nonnull(find(samples[i].path));
}
END_TEST

START_TEST(every_sentence_has_a_row)
{
	struct guest_sentence s;

	for (size_t i = 0; guest_check_sentence(i, &s); i++) {
		const struct prop *p = find(s.path);

		ck_assert_msg(p != NULL, "%s: has no row", s.path);
		ck_assert_msg(p->fate == (s.refused ? PROP_REFUSED : PROP_WARNED),
			      "%s: its row in libkata/sandbox/props.c says otherwise",
			      s.path);
		ck_assert_str_eq(p->text, s.text);
		/* guest_resources_check() counts on it */
		ck_assert_msg(s.refused || !str_has_prefix(s.path, "linux.resources."),
			      "%s: a limit is kept or refused", s.path);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_property_has_a_row_and_every_row_a_property,
		rows_are_whole,
		what_is_said_is_in_the_table,
		every_sentence_has_a_row,
	};
	int r;

	dir = schema_dir_find("oci");
	r = suite_run("props", tests, ARRAY_SIZE(tests));
	schema_dir_free(dir);
	return r;
}
