// SPDX-License-Identifier: Apache-2.0
/* Hierarchies of all sorts of hosts, and what a group is called there. */
#include "base/str.h"
#include "cgroup/impl.h"
#include "suite.h"

#define V1(where, root, opts)                                                            \
	"32 31 0:29 " root " " where " rw,nosuid shared:9 - cgroup cgroup rw," opts "\n"
#define V2(where, root)                                                                  \
	"41 31 0:38 " root " " where " rw - cgroup2 cgroup2 rw,nsdelegate\n"
#define TMPFS "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
#define C "/sys/fs/cgroup"

static struct cg_host parse(const char *mounts, const char *groups)
{
	struct cg_host h;

	cg_host_parse(mounts, groups, C, test_arena(), &h);
	return h;
}

static const char *name_of(const struct cg_host *h, const char *path)
{
	return cg_name_of_path(h, path, test_arena());
}

static const struct cg_hier *hier(const struct cg_host *h, const char *controller)
{
	for (size_t i = 0; i < h->n; i++)
		if (cg_hier_has(&h->v[i], controller))
			return &h->v[i];
	ck_abort_msg("no %s", controller);
}

static const char hybrid_mounts[] = TMPFS V1(C "/cpu,cpuacct", "/", "cpu,cpuacct")
	V1(C "/memory", "/", "memory") V1(C "/systemd", "/", "xattr,name=systemd")
		V1(C "/foo", "/", "name=foo") V2(C "/unified", "/");
static const char hybrid_groups[] = "9:name=systemd:/a\n8:memory:/b/c\n7:name=foo:/\n"
				    "1:cpu,cpuacct:/a\n0::/u\n";

START_TEST(hybrid)
{
	struct cg_host h = parse(hybrid_mounts, hybrid_groups);

	ck_assert(!h.unified);
	ck_assert_uint_eq(h.n, 4); /* name=foo is nobody's */
	ck_assert_str_eq(h.v[0].names, "cpu,cpuacct");
	ck_assert(cg_hier_has(&h.v[0], "cpuacct"));
	ck_assert(!cg_hier_has(&h.v[0], "cpua"));
	ck_assert_str_eq(hier(&h, "memory")->own, "/b/c");
	ck_assert_str_eq(h.v[3].names, "");
	ck_assert_str_eq(name_of(&h, "/docker/x"), "cgroupfs:/docker/x");
	/* relative: below the caller's own, which is another in each; hybrid's is below the top */
	ck_assert_str_eq(name_of(&h, "x"), "cgroupfs:/a/x\nmemory:/b/c/x\nunified:/x");
}
END_TEST

START_TEST(names_are_found_again)
{
	struct cg_host h = parse(hybrid_mounts, hybrid_groups);
	struct cg_hier other = { .names = "pids", .mount = C "/pids", .own = "/" };
	const char *name = name_of(&h, "x/../y");

	ck_assert_str_eq(cg_name_path(name, &h.v[0], test_arena()), "/a/y");
	ck_assert_str_eq(cg_name_path(name, hier(&h, "memory"), test_arena()), "/b/c/y");
	ck_assert_str_eq(cg_name_path(name, &h.v[3], test_arena()), "/y");
	ck_assert_str_eq(cg_name_path(name, &other, test_arena()), "/a/y");
	ck_assert_ptr_null(cg_name_path("", &other, test_arena()));
	ck_assert_ptr_null(cg_name_path("cgroupfs:", &other, test_arena()));
	ck_assert_ptr_null(cg_name_path("cgroupfs:a", &other, test_arena()));
	ck_assert_ptr_null(cg_name_path("other:/a", &other, test_arena()));
}
END_TEST

START_TEST(paths_stay_below_the_mounts)
{
	struct cg_host h = parse(hybrid_mounts, hybrid_groups);

	ck_assert_str_eq(name_of(&h, "/../../etc//./x/"), "cgroupfs:/etc/x");
	ck_assert_str_eq(name_of(&h, "../../x"),
			 "cgroupfs:/a/x\nmemory:/b/c/x\nunified:/x");
	ck_assert_str_eq(cg_name_path("cgroupfs:/a\nmemory:/../../x", hier(&h, "memory"),
				      test_arena()),
			 "/x");
}
END_TEST

START_TEST(unified)
{
	struct cg_host h = parse(V2(C, "/"), "0::/system.slice/x.service\n");

	ck_assert(h.unified);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_str_eq(h.v[0].mount, C);
	/* beside the caller: a group with processes hands on no controllers */
	ck_assert_str_eq(name_of(&h, "x"), "cgroupfs:/system.slice/x");
	ck_assert_str_eq(name_of(&h, "/x"), "cgroupfs:/x");
	/* some v1 hierarchy elsewhere does not make it a v1 host */
	h = parse(V1("/opt/net", "/", "net_cls") V2(C, "/"), "5:net_cls:/\n0::/\n");
	ck_assert(h.unified);
	ck_assert_uint_eq(h.n, 1);
	/* in the top group there is nothing above */
	ck_assert_str_eq(name_of(&h, "x"), "cgroupfs:/x");
}
END_TEST

START_TEST(inside_a_container)
{
	/* without a cgroup namespace: mounts show the container's part, paths are the host's */
	struct cg_host h = parse(V1(C "/memory", "/docker/abc", "memory"),
				 "8:memory:/docker/abc/sub\n");

	ck_assert_str_eq(h.v[0].own, "/sub");
	ck_assert_str_eq(name_of(&h, "x"), "cgroupfs:/sub/x");
	ck_assert_str_eq(name_of(&h, "/docker/x"), "cgroupfs:/docker/x");
	/* its own group is not in what it sees */
	h = parse(V1(C "/memory", "/docker/abc", "memory"), "8:memory:/docker/abcd\n");
	ck_assert_str_eq(h.v[0].own, "/");
	/* a cgroup namespace within one shows the mount's root like this */
	h = parse(V1(C "/memory", "/..", "memory"), "8:memory:/\n");
	ck_assert_str_eq(h.v[0].own, "/");
}
END_TEST

START_TEST(mounted_twice)
{
	struct cg_host h = parse(V1("/other/memory", "/", "memory")
					 V1(C "/memory", "/", "memory")
						 V1("/third/memory", "/", "memory"),
				 "8:memory:/\n");

	ck_assert_uint_eq(h.n, 1);
	ck_assert_str_eq(h.v[0].mount, C "/memory");
}
END_TEST

START_TEST(odd_lines)
{
	struct cg_host h = parse("", "");

	ck_assert_uint_eq(h.n, 0);
	ck_assert(!h.unified);
	h = parse("32\n32 31 - cgroup\n\n32 31 0:29 / /x rw - cgroup cgroup\nx",
		  "8:memory:/");
	ck_assert_uint_eq(h.n, 0);
	h = parse("32 31 0:29 / /a\\040b/m rw - cgroup cgroup rw,memory", "8:memory:/");
	ck_assert_uint_eq(h.n, 1);
	ck_assert_str_eq(h.v[0].mount, "/a b/m");
	/* the kernel lists a controller that this process has no line of: not usable */
	h = parse(V1(C "/memory", "/", "memory"), "8\n:\n1:cpu:/\n");
	ck_assert_uint_eq(h.n, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		hybrid,	   names_are_found_again, paths_stay_below_the_mounts,
		unified,   inside_a_container,	  mounted_twice,
		odd_lines,
	};

	return suite_run("cgroup_host", tests, ARRAY_SIZE(tests));
}
