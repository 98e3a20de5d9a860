/* SPDX-License-Identifier: Apache-2.0 */
/* share_plan: which paths of a spec are shared and how; the plan as a table in tests/data/share. */
#include <errno.h>
#include <linux/mount.h>

#include "golden.h"
#include "proto/shared.h"
#include "share/share.h"
#include "suite.h"

#define OPTIONS(...)                                                                     \
	{                                                                                \
		.v = (const char *const[]){ __VA_ARGS__, NULL },                         \
		.n = ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })),                 \
	}

static void plan_text(const struct share_plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct share_bind *b = &p->binds[i];

		buf_addf(out, "%s: %s -> %s%s%s%s%s%s\n", b->what, b->source, b->target,
			 b->recursive ? " recursive" : "", b->readonly ? " readonly" : "",
			 b->readonly_below ? " readonly-below" : "",
			 b->must_be_dir ? " directory" : "", b->alone ? " alone" : "");
		for (size_t o = 0; o < b->overlay.n; o++)
			buf_addf(out, "\t%s\n", b->overlay.v[o]);
	}
	for (size_t i = 0; i < p->n_points; i++)
		buf_addf(out, "point %s like %d\n", p->points[i].path, p->points[i].like);
}

static void check(const char *name, const struct oci_spec *spec)
{
	AUTO(arena) *a = arena_new();
	AUTO_FREE char *file = mem_printf("share/%s.plan", name);
	struct share_plan plan;
	struct kata_err err = { 0 };
	struct buf text = { 0 };

	ck_assert_msg(share_plan_make(spec, "/b", "/b/rootfs", 7, a, &plan, &err) == 0,
		      "%s", err.msg);
	plan_text(&plan, &text);
	golden_check(file, buf_cstr(&text));
	buf_done(&text);
}

/* What engines write: pseudo file systems, files of their own, volumes. */
static const struct oci_mount engine_mounts[] = {
	{ "/proc", "proc", "proc", OPTIONS("nosuid") },
	{ "/dev", "tmpfs", "tmpfs", OPTIONS("mode=755") },
	{ "/dev/pts", "devpts", "devpts", OPTIONS("newinstance") },
	{ "/dev/shm", "bind", "/var/lib/x/shm", OPTIONS("rbind", "rprivate") },
	{ "/sys", "sysfs", "sysfs", OPTIONS("ro") },
	{ "/etc/hosts", "bind", "/var/lib/x/hosts", OPTIONS("rbind", "ro") },
	{ "/data", "none", "/srv/data", OPTIONS("bind", "rw", "nosuid") },
	{ "/data/inner", "bind", "/srv/inner", OPTIONS("rbind", "rro") },
	{ "/etc/hosts", "bind", "again", OPTIONS("ro", "rw") },
	{ "/datax", "", "../up", OPTIONS("bind") },
};

START_TEST(writable_root)
{
	const struct oci_root root = { "rootfs", false };
	const struct oci_spec spec = {
		.root = &root, .mounts = { engine_mounts, ARRAY_SIZE(engine_mounts) }
	};

	check("writable-root", &spec);
}
END_TEST

/* mount points: none below another mount, none twice, kinds by their binds */
START_TEST(readonly_root)
{
	const struct oci_root root = { "rootfs", true };
	const struct oci_spec spec = {
		.root = &root, .mounts = { engine_mounts, ARRAY_SIZE(engine_mounts) }
	};

	check("readonly-root", &spec);
}
END_TEST

START_TEST(odd_destinations)
{
	static const struct oci_mount mounts[] = {
		{ "/a/../b//", "tmpfs", NULL, { 0 } },
		{ "/b/c", "tmpfs", NULL, { 0 } },
		{ "/../../etc/x", "bind", "/x", { 0 } },
		{ "relative", "tmpfs", NULL, { 0 } },
		{ "/", "tmpfs", NULL, { 0 } },
	};
	const struct oci_root root = { "rootfs", true };
	const struct oci_spec spec = { .root = &root,
				       .mounts = { mounts, ARRAY_SIZE(mounts) } };

	check("odd-destinations", &spec);
}
END_TEST

START_TEST(no_mounts)
{
	const struct oci_root root = { "rootfs", true };
	const struct oci_spec spec = { .root = &root };

	check("no-mounts", &spec);
}
END_TEST

START_TEST(who_has_what)
{
	const struct {
		struct oci_mount m;
		enum share_kind kind;
	} cases[] = {
		{ { "/", "bind", "/", { 0 } }, SHARE_BIND },
		{ { "/", NULL, "/", OPTIONS("ro", "bind") }, SHARE_BIND },
		{ { "/", "tmpfs", "/", OPTIONS("rbind") }, SHARE_BIND },
		{ { "/", "tmpfs", "/", OPTIONS("nobind", "bindx") }, SHARE_NOT },
		{ { "/", NULL, "/", { 0 } }, SHARE_NOT },
		{ { "/", "none", "/", { 0 } }, SHARE_NOT },
		{ { "/", "overlay", "o", OPTIONS("lowerdir=/a") }, SHARE_OVERLAY },
		{ { "/", "overlay", "/o", OPTIONS("bind") }, SHARE_BIND },
		{ { "/", "bind", "/dev/null", { 0 } }, SHARE_GUEST },
		{ { "/", "bind", "/dev/../dev//null", { 0 } }, SHARE_GUEST },
		{ { "/", "bind", "/dev", { 0 } }, SHARE_GUEST },
		{ { "/", "bind", "/dev/shm", { 0 } }, SHARE_BIND },
		{ { "/", "bind", "/dev/sda", { 0 } }, SHARE_BIND },
		{ { "/", "bind", "/sys/fs/cgroup", { 0 } }, SHARE_GUEST },
		{ { "/", "bind", "/proc", { 0 } }, SHARE_GUEST },
		{ { "/", "bind", "/process", { 0 } }, SHARE_BIND },
		{ { "/", "bind", "proc", { 0 } }, SHARE_BIND },
		{ { "/", "proc", "/proc", { 0 } }, SHARE_NOT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(share_kind(&cases[i].m), cases[i].kind);
		ck_assert_int_eq(share_is_shared(&cases[i].m),
				 cases[i].kind == SHARE_BIND ||
					 cases[i].kind == SHARE_OVERLAY);
	}
}
END_TEST

/* Devices of the guest and overlays, in a root that needs their mount points */
START_TEST(guests_and_overlays)
{
	const struct oci_mount mounts[] = {
		{ "/etc/shadow", "bind", "/dev/null", OPTIONS("ro") },
		{ "/sys", "bind", "/sys", OPTIONS("rbind", "ro") },
		{ "/o", "overlay", "overlay",
		  OPTIONS("lowerdir=/a:/b", "upperdir=/u", "workdir=/w", "volatile", "ro",
			  "private") },
		{ "/f", "bind", "/srv/f", OPTIONS("bind") },
	};
	const struct oci_root root = { "rootfs", true };
	const struct oci_spec spec = { .root = &root,
				       .mounts = { mounts, ARRAY_SIZE(mounts) } };

	check("guests-and-overlays", &spec);
}
END_TEST

START_TEST(owners)
{
	static const struct oci_id_map own = { 0, 1000, 10 },
				       containers = { 0, 7000, 10 };
	const struct jt_objv own_map = { &own, 1 }, ct_map = { &containers, 1 };
	const struct oci_linux linux_ = { .uidMappings = ct_map, .gidMappings = ct_map };
	const struct {
		struct oci_mount m;
		bool without;	      /* the container has no mappings */
		const void *expected; /* NULL: refused */
		bool recursive;
	} cases[] = {
		{ { "/a", "bind", "/a", OPTIONS("bind"), own_map, own_map },
		  .expected = &own },
		{ { "/a", "bind", "/a", OPTIONS("ridmap"), own_map, own_map },
		  .expected = &own,
		  .recursive = true },
		{ { "/a", "bind", "/a", OPTIONS("idmap") }, .expected = &containers },
		{ { "/a", "bind", "/a", OPTIONS("ridmap") }, .without = true },
	};
	const struct oci_root root = { "rootfs", false };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct oci_spec spec = { .root = &root,
					       .mounts = { &cases[i].m, 1 },
					       .linux_ = cases[i].without ? NULL
									  : &linux_ };
		struct share_plan p;
		struct kata_err err = { 0 };
		int r = share_plan_make(&spec, "/b", "/r", 1, test_arena(), &p, &err);

		if (!cases[i].expected) {
			ck_assert_int_eq(r, -EINVAL);
			ck_assert_str_eq(err.msg, "mounts[0].options: ridmap needs "
						  "uidMappings and gidMappings, of the "
						  "mount or of the container");
			continue;
		}
		ck_assert_ptr_eq(p.binds[1].map.uids.v, cases[i].expected);
		ck_assert_ptr_eq(p.binds[1].map.gids.v, cases[i].expected);
		ck_assert_int_eq(p.binds[1].map.recursive, cases[i].recursive);
	}
}
END_TEST

START_TEST(overlays_that_are_wrong)
{
	const struct {
		struct oci_mount m;
		const char *says;
	} cases[] = {
		{ { "/o", "overlay", "o", OPTIONS("ro") },
		  "mounts[0].options: an overlay needs lowerdir=" },
		{ { "/o", "overlay", "o", OPTIONS("lowerdir=a") },
		  "mounts[0].options: \"lowerdir=a\" is no absolute path" },
		{ { "/o", "overlay", "o", OPTIONS("lowerdir=/a", "upperdir=") },
		  "mounts[0].options: \"upperdir=\" is no absolute path" },
	};
	const struct oci_root root = { "rootfs", false };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct oci_spec spec = { .root = &root,
					       .mounts = { &cases[i].m, 1 } };
		struct share_plan plan;
		struct kata_err err = { 0 };

		ck_assert_int_eq(
			share_plan_make(&spec, "/b", "/r", 1, test_arena(), &plan, &err),
			-EINVAL);
		ck_assert_str_eq(err.msg, cases[i].says);
	}
}
END_TEST

START_TEST(no_source)
{
	static const struct oci_mount mounts[] = { { "/p", "proc", NULL, { 0 } },
						   { "/a", "bind", "", { 0 } } };
	const struct oci_root root = { "rootfs", false };
	const struct oci_spec spec = { .root = &root, .mounts = { mounts, 2 } };
	AUTO(arena) *a = arena_new();
	struct share_plan plan;
	struct kata_err err = { 0 };

	ck_assert_int_eq(share_plan_make(&spec, "/b", "/r", 1, a, &plan, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "mounts[1].source: is missing in a bind mount");
}
END_TEST

START_TEST(facts_of_mountinfo)
{
	char text[] =
		"20 1 0:1 / / rw,relatime shared:1 - ext4 /dev/x rw\n"
		"21 20 0:2 / /r/share ro,nosuid,relatime - tmpfs kata rw\n"
		"22 21 0:1 /x /r/share/c7/rootfs rw,relatime - ext4 x rw\n"
		"23 21 0:1 /x /r/share/c7/m1 ro,nosuid,nodev,noexec,noatime - ext4 x rw\n"
		"24 23 0:3 / /r/share/c7/m1/a\\040b rw,nodiratime,relatime - tmpfs t rw\n"
		"25 23 0:3 / /r/share/c7/m1/c rw,nosymfollow - tmpfs t rw\n"
		"26 21 0:1 /x /r/share/c71/m1/c ro,relatime - ext4 x rw\n"
		"27 21 0:1 /x /elsewhere/c7/m1/c ro,relatime - ext4 x rw\n"
		"\n28\n";
	static const struct shared_mount want[] = {
		{ "c7/m1", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				   MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME },
		{ "c7/m1/a b", MOUNT_ATTR_NODIRATIME },
		{ "c7/m1/c", MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_STRICTATIME },
	};
	const struct shared_mount *got;
	struct kata_err err = { 0 };
	struct jt_objv v;

	ck_assert_int_eq(share_facts_parse(text, "/r/share", 7, test_arena(), &v, &err),
			 0);
	ck_assert_uint_eq(v.n, ARRAY_SIZE(want));
	got = v.v;
	for (size_t i = 0; i < v.n; i++) {
		ck_assert_str_eq(got[i].path, want[i].path);
		ck_assert_uint_eq(got[i].attrs, want[i].attrs);
		ck_assert_uint_eq(got[i].attrs & ~SHARED_ATTRS, 0);
	}
}
END_TEST

START_TEST(too_many_facts)
{
	struct kata_err err = { 0 };
	struct buf text = { 0 };
	struct jt_objv v;
	AUTO_FREE char *lines = NULL;

	for (unsigned i = 0; i <= SHARED_MAX; i++)
		buf_addf(&text, "1 1 0:1 / /s/c1/m0/%u rw,relatime - t t rw\n", i);
	lines = mem_strdup(buf_cstr(&text));
	ck_assert_int_eq(share_facts_parse(lines, "/s", 1, test_arena(), &v, &err),
			 -E2BIG);
	buf_done(&text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		writable_root, readonly_root,	    odd_destinations,	     no_mounts,
		who_has_what,  guests_and_overlays, overlays_that_are_wrong, owners,
		no_source,     facts_of_mountinfo,  too_many_facts,
	};

	return suite_run("share_plan", tests, ARRAY_SIZE(tests));
}
