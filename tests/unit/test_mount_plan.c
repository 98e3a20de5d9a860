/* SPDX-License-Identifier: Apache-2.0 */
/* mounts[] to operations. */
#include <errno.h>
#include <linux/mount.h>
#include <sys/mount.h>

#include "base/str.h"
#include "mount_plan.h"
#include "suite.h"

#define SHARE "/elsewhere"

/* The plan of a spec with these mounts, and what the host says of those in its tree */
static int plan_with(const char *mounts, struct jt_objv shared, struct mount_plan *ret,
		     struct kata_err *err)
{
	struct arena *a = test_arena();
	char *text = mem_printf("{\"ociVersion\":\"1.2.0\",\"mounts\":[%s]}", mounts);
	struct oci_spec *spec = arena_alloc(a, sizeof(*spec));
	const struct json *j;

	memset(err, 0, sizeof(*err));
	ck_assert_msg(json_parse(text, strlen(text), &json_limits_default, a, &j, err) ==
				      0 &&
			      jtab_decode(&oci_spec_tab, j, a, "", spec, err) == 0,
		      "%s", err->msg);
	free(text);
	return mount_plan_make(spec,
			       &(struct mount_facts){ .share = SHARE, .shared = shared },
			       a, ret, err);
}

static int plan(const char *mounts, struct mount_plan *ret, struct kata_err *err)
{
	return plan_with(mounts, (struct jt_objv){ 0 }, ret, err);
}

static struct mount_plan good(const char *mounts)
{
	struct mount_plan p;
	struct kata_err err;

	ck_assert_msg(plan(mounts, &p, &err) == 0, "%s", err.msg);
	return p;
}

START_TEST(new_filesystems)
{
	struct mount_plan p = good(
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
		"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=64m\"]}");

	ck_assert_uint_eq(p.n, 2);
	ck_assert_int_eq(p.ops[0].kind, MOUNT_OP_FS);
	ck_assert_str_eq(p.ops[0].dest, "/proc");
	ck_assert_uint_eq(p.ops[0].flags, 0);
	ck_assert_str_eq(p.ops[1].fstype, "tmpfs");
	ck_assert_str_eq(p.ops[1].data, "mode=1777,size=64m");
	ck_assert_uint_eq(p.ops[1].flags, MS_NOSUID | MS_NOEXEC | MS_NODEV);
	ck_assert(p.own_dev);
}
END_TEST

START_TEST(binds_are_rebased)
{
	struct mount_plan p = good(
		"{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/run/kata/share/c1/m0\","
		"\"options\":[\"rbind\",\"ro\",\"nosuid\",\"rprivate\",\"rro\"]},"
		"{\"destination\":\"/b\",\"type\":\"none\",\"source\":\"/run/kata/share/c1/./m1\","
		"\"options\":[\"bind\",\"noatime\",\"dev\",\"nosymfollow\"]}");

	ck_assert_int_eq(p.ops[0].kind, MOUNT_OP_BIND);
	ck_assert_str_eq(p.ops[0].source, SHARE "/c1/m0");
	ck_assert_uint_eq(p.ops[0].flags, MS_REC);
	ck_assert_uint_eq(p.ops[0].set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	ck_assert_uint_eq(p.ops[0].opts.attr_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(p.ops[0].opts.n_propagation, 1);
	ck_assert_str_eq(p.ops[1].source, SHARE "/c1/m1");
	ck_assert_uint_eq(p.ops[1].flags, 0);
	ck_assert_uint_eq(p.ops[1].set, MOUNT_ATTR_NOATIME | MOUNT_ATTR_NOSYMFOLLOW);
	ck_assert_uint_eq(p.ops[1].clear, SHARED_ATTRS);
}
END_TEST

/* What the host said of c1: mounts below root and binds, and the attributes of sources */
static const struct shared_mount told[] = {
	{ "c1/rootfs", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID },
	{ "c1/rootfs/var", MOUNT_ATTR_NODEV },
	{ "c1/m0", MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME },
	{ "c1/m0/sub", MOUNT_ATTR_RDONLY | MOUNT_ATTR_IDMAP },
};

#define TOLD ((struct jt_objv){ told, ARRAY_SIZE(told) })

START_TEST(mounts_below_have_their_own_attributes)
{
	struct mount_plan p;
	struct kata_err err;

	ck_assert_int_eq(plan_with("", TOLD, &p, &err), 0);
	ck_assert_uint_eq(p.n_shared, 3);
	ck_assert_str_eq(p.shared[0].path, SHARE "/c1/rootfs");
	/* mount points are still to be made in it */
	ck_assert_uint_eq(p.shared[0].attrs, MOUNT_ATTR_NOSUID);
	ck_assert_str_eq(p.shared[1].path, SHARE "/c1/rootfs/var");
	ck_assert_str_eq(p.shared[2].path, SHARE "/c1/m0/sub");
	ck_assert_uint_eq(p.shared[2].attrs, MOUNT_ATTR_RDONLY);
}
END_TEST

/* runc: without a word of attributes the source's, else what is asked for and no more */
START_TEST(attributes_of_the_source)
{
	static const struct {
		const char *options;
		uint64_t set;
	} cases[] = {
		{ "\"rbind\"", MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME },
		{ "\"bind\",\"rprivate\"", MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME },
		{ "\"bind\",\"ro\"", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME },
		{ "\"bind\",\"exec\"", MOUNT_ATTR_NOATIME },
		{ "\"bind\",\"atime\"", MOUNT_ATTR_RELATIME },
		{ "\"bind\",\"strictatime\",\"nodev\"",
		  MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODEV },
		{ "\"bind\",\"relatime\"", MOUNT_ATTR_RELATIME },
		{ "\"bind\",\"rro\"", MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *m = mem_printf(
			"{\"destination\":\"/a\",\"type\":\"bind\","
			"\"source\":\"/run/kata/share/c1/m0\",\"options\":[%s]}",
			cases[i].options);
		struct mount_plan p;
		struct kata_err err;

		ck_assert_int_eq(plan_with(m, TOLD, &p, &err), 0);
		ck_assert_msg(p.ops[0].set == cases[i].set, "%s", cases[i].options);
		ck_assert_uint_eq(p.ops[0].clear, SHARED_ATTRS);
		free(m);
	}
}
END_TEST

START_TEST(paths_of_the_host_are_checked)
{
	static const char *const paths[] = { "c1", "/c1/m0/x", "c1/m0/../../x",
					     "c1//m0/x" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct shared_mount one = { paths[i], 0 };
		struct mount_plan p;
		struct kata_err err;

		ck_assert_int_eq(plan_with("", (struct jt_objv){ &one, 1 }, &p, &err),
				 -EINVAL);
	}
}
END_TEST

START_TEST(the_root_is_no_mount_point)
{
	static const char *const dests[] = { "/", "/..", "/a/../", "//." };

	for (size_t i = 0; i < ARRAY_SIZE(dests); i++) {
		char *m = mem_printf("{\"destination\":\"%s\",\"type\":\"tmpfs\"}",
				     dests[i]);
		struct mount_plan p;
		struct kata_err err;

		ck_assert_int_eq(plan(m, &p, &err), -EINVAL);
		ck_assert_msg(str_has_prefix(err.msg, "mounts[0].destination: "), "%s",
			      err.msg);
		free(m);
	}
}
END_TEST

START_TEST(binds_of_the_guests_own)
{
	struct mount_plan p = good(
		"{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"guest:/dev/null\"},"
		"{\"destination\":\"/b\",\"type\":\"bind\",\"source\":\"guest:/sys/\","
		"\"options\":[\"rbind\",\"ro\",\"nosuid\"]}");

	ck_assert_str_eq(p.ops[0].source, "/dev/null");
	ck_assert_uint_eq(p.ops[0].set | p.ops[0].clear, 0);
	ck_assert_str_eq(p.ops[1].source, "/sys");
	ck_assert_uint_eq(p.ops[1].flags, MS_REC);
	ck_assert_uint_eq(p.ops[1].set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	ck_assert_uint_eq(p.ops[1].clear, SHARED_ATTRS);
}
END_TEST

START_TEST(sources_outside_are_refused)
{
	static const char *const sources[] = {
		"/etc",
		"/run/kata/share",
		"/run/kata/share/",
		"/run/kata/sharex/m0",
		"/run/kata/share/../../../etc",
		"relative",
		"guest:/etc",
		"guest:/dev/../init",
		"guest:/device",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		char *m = mem_printf(
			"{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"%s\"}",
			sources[i]);
		struct mount_plan p;
		struct kata_err err;

		ck_assert_int_eq(plan(m, &p, &err), -EINVAL);
		ck_assert_msg(str_has_prefix(err.msg, "mounts[0].source: "), "%s",
			      err.msg);
		free(m);
	}
}
END_TEST

START_TEST(readonly_tmpfs_is_filled_first)
{
	struct mount_plan p = good(
		"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"ro\"]},"
		"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"p\"},"
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"s\",\"options\":[\"ro\"]}");

	ck_assert_uint_eq(p.n, 4);
	ck_assert_uint_eq(p.ops[0].flags, 0);
	ck_assert_uint_eq(p.ops[2].flags, MS_RDONLY);
	ck_assert_int_eq(p.ops[3].kind, MOUNT_OP_READONLY);
	ck_assert_str_eq(p.ops[3].dest, "/dev");
	ck_assert_uint_eq(p.ops[3].set, MOUNT_ATTR_RDONLY);
}
END_TEST

START_TEST(other_kinds)
{
	struct mount_plan p = good(
		"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"c\","
		"\"options\":[\"ro\"]},"
		"{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"tmpcopyup\"]},"
		"{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"remount\",\"ro\"]},"
		"{\"destination\":\"/dev/\",\"type\":\"bind\",\"source\":\"/run/kata/share/c1/m3\"}");

	ck_assert_int_eq(p.ops[0].kind, MOUNT_OP_CGROUP);
	ck_assert(p.ops[1].opts.copyup);
	ck_assert_int_eq(p.ops[2].kind, MOUNT_OP_REMOUNT);
	ck_assert_int_eq(p.ops[3].kind, MOUNT_OP_BIND);
	ck_assert(!p.own_dev);
}
END_TEST

START_TEST(nothing_to_do)
{
	ck_assert_uint_eq(good("").n, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		new_filesystems,
		binds_are_rebased,
		mounts_below_have_their_own_attributes,
		attributes_of_the_source,
		paths_of_the_host_are_checked,
		the_root_is_no_mount_point,
		binds_of_the_guests_own,
		sources_outside_are_refused,
		readonly_tmpfs_is_filled_first,
		other_kinds,
		nothing_to_do,
	};

	return suite_run("mount_plan", tests, ARRAY_SIZE(tests));
}
