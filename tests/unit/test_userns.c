/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of ids, and what the agent decides by them. */
#include "userns.h"

#include <errno.h>
#include <sys/mount.h>

#include "delegate.h"
#include "ns.h"
#include "oci.h"
#include "suite.h"

/* --- the maps themselves */

#define TOP (UINT32_MAX - 1)

static const struct {
	struct oci_id_map m[2];
	const char *text; /* NULL: good */
} checked[] = {
	{ { { 0, 100000, 65536 }, { 65536, 5, 1 } }, NULL },
	{ { { 5, 0, 1 }, { 0, 1, 5 } }, NULL },
	{ { { 0, 0, TOP }, { TOP, TOP, 1 } }, NULL },
	{ { { 0, 5, 1 }, { 1, 7, 0 } }, "m[1].size: must not be 0" },
	{ { { 0, 5, 1 }, { 1, TOP, 2 } },
	  "m[1]: goes beyond the largest id, 4294967294" },
	{ { { 0, 5, 1 }, { TOP, 7, 2 } },
	  "m[1]: goes beyond the largest id, 4294967294" },
	{ { { 0, 5, 9 }, { 8, 100, 1 } }, "m[1]: container ids overlap with [0]" },
	{ { { 0, 5, 9 }, { 9, 0, 6 } }, "m[1]: host ids overlap with [0]" },
	{ { { 1, 5, 1 }, { 2, 6, 1 } },
	  "m: container id 0 is not mapped; the container's root owns its namespaces" },
};

START_TEST(maps_that_the_kernel_takes)
{
	for (size_t i = 0; i < ARRAY_SIZE(checked); i++) {
		const struct jt_objv maps = { checked[i].m, 2 };
		struct kata_err err = { 0 };
		int r = id_maps_check(&maps, "m", &err);

		ck_assert_msg(r == (checked[i].text ? -EINVAL : 0), "%zu: %s", i,
			      err.msg);
		if (checked[i].text)
			ck_assert_str_eq(err.msg, checked[i].text);
	}
}
END_TEST

START_TEST(too_many_maps)
{
	static struct oci_id_map many[ID_MAPS_MAX + 1];
	struct jt_objv maps = { many, ID_MAPS_MAX };
	struct kata_err err = { 0 };

	for (uint32_t i = 0; i <= ID_MAPS_MAX; i++)
		many[i] = (struct oci_id_map){ i, 2 * i, 1 };
	ck_assert_int_eq(id_maps_check(&maps, "m", &err), 0);
	maps.n++;
	ck_assert_int_eq(id_maps_check(&maps, "m", &err), -EINVAL);
	ck_assert_str_eq(err.msg, "m: 341 ranges, the kernel takes 340");
	for (uint32_t i = 1; i <= ID_MAPS_MAX; i++)
		many[i] = (struct oci_id_map){ 1000000 + 3 * i, 2000000 + 3 * i, 2 };
	maps.n--;
	ck_assert_int_eq(id_maps_check(&maps, "m", &err), -EINVAL);
	ck_assert(strstr(err.msg, "more than the kernel takes in one page of text"));
}
END_TEST

START_TEST(maps_are_looked_up_and_compared)
{
	static const struct oci_id_map a[] = { { 0, 100, 10 }, { 20, 50, 2 } };
	static const struct oci_id_map b[] = { { 20, 50, 2 }, { 0, 100, 10 } };
	static const struct oci_id_map other[] = { { 20, 50, 2 }, { 0, 100, 11 } };
	const struct jt_objv maps = { a, 2 };
	AUTO_FREE char *text = id_maps_text(&maps);

	ck_assert_str_eq(text, "0 100 10\n20 50 2\n");
	ck_assert_uint_eq(id_maps_host(&maps, 0), 100);
	ck_assert_uint_eq(id_maps_host(&maps, 9), 109);
	ck_assert_uint_eq(id_maps_host(&maps, 10), ID_NONE);
	ck_assert_uint_eq(id_maps_host(&maps, 21), 51);
	ck_assert_uint_eq(id_maps_host(&maps, ID_NONE), ID_NONE);
	ck_assert(id_maps_same(&maps, &(struct jt_objv){ b, 2 }));
	ck_assert(!id_maps_same(&maps, &(struct jt_objv){ b, 1 }));
	ck_assert(!id_maps_same(&maps, &(struct jt_objv){ other, 2 }));
	ck_assert(!id_maps_same(&(struct jt_objv){ b, 1 }, &maps));
}
END_TEST

/* --- by the agent */

#define USERNS(more)                                                                     \
	"{\"ociVersion\":\"1.0.0\"," more                                                \
	"\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"cgroup\"}],"         \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":5000,\"size\":10}],"             \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":7000,\"size\":10}]}}"

START_TEST(user_namespace)
{
	static const uint32_t groups[] = { 3, 11 };
	const struct oci_spec *plain = oci_decoded("{\"ociVersion\":\"1.0.0\"}");
	const struct userns none = userns_of(plain);
	const struct userns u = userns_of(oci_decoded(USERNS("")));
	struct oci_user user = { .uid = 9, .gid = 9, .additionalGids = { groups, 1 } };
	AUTO(arena) *a = arena_new();
	struct userns own = { .on = true }, joined;
	struct kata_err err = { 0 };

	ck_assert(!none.on && u.on);
	ck_assert_uint_eq(userns_uid(&none, 77), 77);
	ck_assert_uint_eq(userns_uid(&u, 9), 5009);
	ck_assert_uint_eq(userns_gid(&u, 9), 7009);
	ck_assert_uint_eq(userns_uid(&u, 10), ID_NONE);
	ck_assert_int_eq(userns_check_user(&none, &user, &err), 0);
	ck_assert_int_eq(userns_check_user(&u, NULL, &err), 0);
	ck_assert_int_eq(userns_check_user(&u, &user, &err), 0);
	user.additionalGids.n = 2;
	ck_assert_int_eq(userns_check_user(&u, &user, &err), -EINVAL);
	ck_assert(strstr(err.msg, "process.user.additionalGids[1] 11"));
	user.uid = 10;
	ck_assert_int_eq(userns_check_user(&u, &user, &err), -EINVAL);
	ck_assert(strstr(err.msg, "cannot set uid to unmapped user in user namespace"));

	ck_assert_int_eq(userns_join(&own, &none, a, &joined, &err), -EINVAL);
	ck_assert_int_eq(userns_join(&own, &u, a, &joined, &err), 0);
	ck_assert(joined.on && userns_gid(&joined, 1) == 7001);
	ck_assert_int_eq(userns_join(&u, &u, a, &joined, &err), 0);
	own.uids = u.gids;
	ck_assert_int_eq(userns_join(&own, &u, a, &joined, &err), -EINVAL);
	ck_assert(strstr(err.msg, "non-matching mapping specified"));
}
END_TEST

START_TEST(time_offsets)
{
	const struct oci_time_offset o = { -5, 999999999 };
	AUTO_FREE char *one = ns_time_text(&(struct oci_time_offsets){ .monotonic = &o });
	AUTO_FREE char *two = ns_time_text(&(struct oci_time_offsets){ .boottime = &o });

	ck_assert_str_eq(one, "monotonic -5 999999999\nboottime 0 0\n");
	ck_assert_str_eq(two, "monotonic 0 0\nboottime -5 999999999\n");
}
END_TEST

/* runc's rule: a namespace of its own, mounted writable; to whom runs. */
START_TEST(cgroup_owner)
{
	const struct oci_spec *mapped = oci_decoded(USERNS(
		"\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],\"user\":{\"uid\":4}},"));
	const struct oci_spec *plain = oci_decoded("{\"ociVersion\":\"1.0.0\"}");
	const struct userns u = userns_of(mapped), none = userns_of(plain);
	struct mount_op op = { .kind = MOUNT_OP_CGROUP };
	const struct mount_plan with = { .ops = &op, .n = 1 };
	const struct mount_plan without = { .ops = &op, .n = 0 };

	ck_assert_uint_eq(delegate_owner(mapped, &with, &u), 5004);
	ck_assert_uint_eq(delegate_owner(mapped, &with, &none), 4);
	ck_assert_uint_eq(delegate_owner(mapped, &without, &u), 0);
	ck_assert_uint_eq(delegate_owner(plain, &with, &none), 0);
	op.flags = MS_RDONLY;
	ck_assert_uint_eq(delegate_owner(mapped, &with, &u), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		maps_that_the_kernel_takes,
		too_many_maps,
		maps_are_looked_up_and_compared,
		user_namespace,
		time_offsets,
		cgroup_owner,
	};

	return suite_run("userns", tests, ARRAY_SIZE(tests));
}
