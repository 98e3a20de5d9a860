/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts section, and what the words of its options mean. */
#include "oci.h"

#include <errno.h>
#include <sys/mount.h>

#include "oci/mount_opts.h"

#define WORDS(...)                                                                       \
	&(const struct jt_strv)                                                          \
	{                                                                                \
		(const char *const[]){ __VA_ARGS__, NULL },                              \
			ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ }))               \
	}

static struct mount_opts parse(struct arena *a, const struct jt_strv *words)
{
	struct mount_opts m;
	struct kata_err err = { 0 };
	int r = mount_opts_parse(words, a, &m, &err);

	ck_assert_msg(r == 0, "%s", err.msg);
	return m;
}

START_TEST(order_and_members)
{
	AUTO(arena) *a = arena_new();
	const struct oci_mount *m;
	const struct oci_id_map *map;
	const struct oci_spec *spec;

	spec = oci_good(
		a, CONFIG("'mounts':[{'destination':'/b','type':'tmpfs','source':'t',"
			  "'options':['ro','size=1m']},"
			  "{'destination':'/a','source':'rel','options':['idmap','bind'],"
			  "'uidMappings':[{'containerID':1,'hostID':2,'size':3}],"
			  "'gidMappings':[{'containerID':4,'hostID':5,'size':6}]}]"));
	m = spec->mounts.v;
	ck_assert_uint_eq(spec->mounts.n, 2);
	ck_assert_str_eq(m[0].destination, "/b");
	ck_assert_str_eq(m[0].type, "tmpfs");
	ck_assert_str_eq(m[0].source, "t");
	STRV_EQ(m[0].options, "ro", "size=1m");
	ck_assert_str_eq(m[1].destination, "/a");
	ck_assert_ptr_null(m[1].type);
	map = m[1].gidMappings.v;
	ck_assert_uint_eq(map->containerID, 4);
	ck_assert_uint_eq(map->hostID, 5);
	ck_assert_uint_eq(map->size, 6);
}
END_TEST

START_TEST(relative_destination_is_below_the_root)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;

	spec = oci_good(a,
			CONFIG("'mounts':[{'destination':'a/b'},{'destination':'.'}]"));
	ck_assert_str_eq(((const struct oci_mount *)spec->mounts.v)[0].destination,
			 "/a/b");
	ck_assert_str_eq(((const struct oci_mount *)spec->mounts.v)[1].destination, "/.");
}
END_TEST

START_TEST(bind_takes_no_data)
{
	AUTO(arena) *a = arena_new();

	oci_good(
		a,
		CONFIG("'mounts':[{'destination':'/a','type':'bind','source':'/b','options':"
		       "['rbind','rprivate','rro','nosuid','tmpcopyup','ridmap']}]"));
	oci_bad(CONFIG("'mounts':[{'destination':'/a','options':['acl','bind']}]"),
		"mounts[0].options: bind mounts cannot have filesystem-specific options, "
		"has \"acl\"");
}
END_TEST

START_TEST(table_is_sorted_and_found)
{
	for (size_t i = 0; i < mount_opts_count; i++) {
		const struct mount_opt *opt = &mount_opts_table[i];

		if (i)
			ck_assert_int_lt(strcmp(mount_opts_table[i - 1].name, opt->name),
					 0);
		ck_assert_ptr_eq(mount_opt_find(opt->name), opt);
	}
	ck_assert_ptr_null(mount_opt_find("mode=755"));
	ck_assert_ptr_null(mount_opt_find(""));
	ck_assert_ptr_null(mount_opt_find("RO"));
}
END_TEST

/* config.md's table of options: all MUST and SHOULD but those of the id maps are done */
START_TEST(all_options_of_the_spec_are_known)
{
	static const char *const names[] = {
		"async",
		"atime",
		"bind",
		"defaults",
		"dev",
		"diratime",
		"dirsync",
		"exec",
		"iversion",
		"lazytime",
		"loud",
		"mand",
		"noatime",
		"nodev",
		"nodiratime",
		"noexec",
		"noiversion",
		"nolazytime",
		"nomand",
		"norelatime",
		"nostrictatime",
		"nosuid",
		"nosymfollow",
		"private",
		"ratime",
		"rbind",
		"rdev",
		"rdiratime",
		"relatime",
		"remount",
		"rexec",
		"rnoatime",
		"rnodev",
		"rnodiratime",
		"rnoexec",
		"rnorelatime",
		"rnostrictatime",
		"rnosuid",
		"rnosymfollow",
		"ro",
		"rprivate",
		"rrelatime",
		"rro",
		"rrw",
		"rshared",
		"rslave",
		"rstrictatime",
		"rsuid",
		"rsymfollow",
		"runbindable",
		"rw",
		"shared",
		"silent",
		"slave",
		"strictatime",
		"suid",
		"symfollow",
		"sync",
		"tmpcopyup",
		"unbindable",
		"idmap",
		"ridmap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_msg(mount_opt_find(names[i]) != NULL, "%s", names[i]);
	ck_assert_uint_eq(mount_opts_count, ARRAY_SIZE(names));
}
END_TEST

START_TEST(words_become_flags)
{
	AUTO(arena) *a = arena_new();
	struct mount_opts m = parse(a, WORDS("nosuid", "noexec", "nodev", "ro",
					     "strictatime", "mode=755", "size=65536k",
					     "nosymfollow"));

	ck_assert_uint_eq(m.flags, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY |
					   MS_STRICTATIME | MS_NOSYMFOLLOW);
	ck_assert_uint_eq(m.cleared, 0);
	ck_assert_str_eq(m.data, "mode=755,size=65536k");
	ck_assert_uint_eq(m.n_propagation, 0);
	ck_assert_uint_eq(m.attr_set | m.attr_clr, 0);
	ck_assert(!m.copyup);

	m = parse(a, WORDS("rbind", "rslave", "defaults", "tmpcopyup", "shared"));
	ck_assert_uint_eq(m.flags, MS_BIND | MS_REC);
	ck_assert_uint_eq(m.n_propagation, 2);
	ck_assert_uint_eq(m.propagation[0], MS_SLAVE | MS_REC);
	ck_assert_uint_eq(m.propagation[1], MS_SHARED);
	ck_assert_str_eq(m.data, "");
	ck_assert(m.copyup);
}
END_TEST

START_TEST(later_words_win)
{
	AUTO(arena) *a = arena_new();
	struct mount_opts m =
		parse(a, WORDS("ro", "noexec", "rw", "exec", "nodev", "dev", "nodev"));

	ck_assert_uint_eq(m.flags, MS_NODEV);
	ck_assert_uint_eq(m.cleared, MS_RDONLY | MS_NOEXEC);
}
END_TEST

START_TEST(recursive_attributes)
{
	AUTO(arena) *a = arena_new();
	struct mount_opts m = parse(a, WORDS("rro", "rnosuid", "rsuid", "rdev"));

	ck_assert_uint_eq(m.flags, 0);
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_RDONLY);
	ck_assert_uint_eq(m.attr_clr, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	/* mount_setattr(2): the atime field is cleared whole before a value goes in */
	m = parse(a, WORDS("rstrictatime", "rnoatime"));
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_NOATIME);
	ck_assert_uint_eq(m.attr_clr, MOUNT_ATTR__ATIME);
	m = parse(a, WORDS("rnoatime", "rrelatime"));
	ck_assert_uint_eq(m.attr_set, 0);
	ck_assert_uint_eq(m.attr_clr, MOUNT_ATTR__ATIME);
	m = parse(a, WORDS("rnodiratime"));
	ck_assert_uint_eq(m.attr_set, MOUNT_ATTR_NODIRATIME);
	ck_assert_uint_eq(m.attr_clr, 0);
}
END_TEST

START_TEST(id_maps_are_refused)
{
	AUTO(arena) *a = arena_new();
	struct mount_opts m;
	struct kata_err err = { 0 };

	ck_assert_int_eq(mount_opts_parse(WORDS("ro", "ridmap"), a, &m, &err), -ENOTSUP);
	ck_assert_str_eq(err.msg,
			 "mount option \"ridmap\": id-mapped mounts are not supported");
}
END_TEST

START_TEST(propagation_words)
{
	ck_assert_uint_eq(mount_opt_propagation("rshared"), MS_SHARED | MS_REC);
	ck_assert_uint_eq(mount_opt_propagation("unbindable"), MS_UNBINDABLE);
	ck_assert_uint_eq(mount_opt_propagation("ro"), 0);
	ck_assert_uint_eq(mount_opt_propagation("x"), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		order_and_members,
		relative_destination_is_below_the_root,
		bind_takes_no_data,
		table_is_sorted_and_found,
		all_options_of_the_spec_are_known,
		words_become_flags,
		later_words_win,
		recursive_attributes,
		id_maps_are_refused,
		propagation_words,
	};

	return suite_run("oci_mounts", tests, ARRAY_SIZE(tests));
}
