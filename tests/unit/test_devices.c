// SPDX-License-Identifier: Apache-2.0
/* Devices in the guest: which nodes a container gets, its rules in the guest's numbers, nodes made. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "devices.h"
#include "oci.h"
#include "suite.h"

#define DEVICES(list, rules)                                                                   \
	oci_decoded(                                                                           \
		"{\"ociVersion\":\"1.0.0\",\"mounts\":[{\"destination\":\"/dev/../dev/snd/\"," \
		"\"type\":\"bind\",\"source\":\"/x\"}],\"linux\":{\"devices\":[" list          \
		"],\"resources\":{\"devices\":[" rules "]}}}")
#define DEV(path, type, ma, mi)                                                          \
	"{\"path\":\"" path "\",\"type\":\"" type "\",\"major\":" #ma ",\"minor\":" #mi  \
	"}"
#define ALL "{\"allow\":true,\"access\":\"rwm\"}"

static int plan_devices(const struct oci_spec *spec, const struct device_facts *f,
			struct device_plan *ret, struct kata_err *err)
{
	struct device_rules rules;

	ck_assert_int_eq(device_rules_make(&spec->linux_->resources->devices,
					   test_arena(), &rules, err),
			 0);
	return device_plan_make(spec, &rules, f, test_arena(), ret, err);
}

static const struct device_node *node_at(const struct device_plan *p, const char *path)
{
	const struct device_node *found = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (!str_eq(p->nodes[i].path, path))
			continue;
		ck_assert_msg(!found, "%s twice", path);
		found = &p->nodes[i];
	}
	return found;
}

static const struct device_node own[] = {
	{ "/dev/null", NULL, 1, 3, S_IFCHR | 0666, 0, 0 },
	{ "/dev/hwrng", NULL, 10, 183, S_IFCHR | 0600, 0, 0 },
	{ "/dev/vda", NULL, 254, 0, S_IFBLK | 0660, 0, 6 },
	{ "/dev/vsock", NULL, 10, 123, S_IFCHR | 0666, 0, 0 },
	{ "/dev/ptmx", NULL, 5, 2, S_IFCHR | 0666, 0, 0 },
	{ "/dev/pts/0", NULL, 136, 0, S_IFCHR | 0620, 0, 5 },
	{ "/dev/snd/seq", NULL, 116, 1, S_IFCHR | 0660, 0, 0 },
};
static const struct device_disk disks[] = { { "/dev/vdb", 7, 9, 254, 16 } };
static const struct device_facts has_own = { .own = own, .n_own = ARRAY_SIZE(own) };
static const struct device_facts has_disk = { .disks = disks, .n_disks = 1 };

START_TEST(device_list)
{
	static const struct device_facts nothing;
	struct kata_err err = { 0 };
	struct device_plan p;

	ck_assert_int_eq(plan_devices(DEVICES(DEV("/dev/fuse", "c", 10,
						  229) "," DEV("/dev/ptmx", "c", 5, 2),
					      ""),
				      &nothing, &p, &err),
			 0);
	ck_assert_uint_eq(p.n, 7);
	ck_assert_ptr_null(p.warning);
	ck_assert(node_at(&p, "/dev/fuse") && node_at(&p, "/dev/null"));
	ck_assert_int_eq(plan_devices(DEVICES("{\"path\":\"/dev/p\",\"type\":\"p\"}," DEV(
						      "/dev/n", "u", 1, 3),
					      ""),
				      &nothing, &p, &err),
			 0);
	ck_assert_int_eq(node_at(&p, "/dev/p")->mode, S_IFIFO | 0666);
	ck_assert_int_eq(
		plan_devices(DEVICES(DEV("/dev/m", "c", 1, 1), ""), &has_own, &p, &err),
		-ENOTSUP);
	ck_assert_str_eq(err.msg, "linux.devices[0]: /dev/m (c 1:1) is a device of the "
				  "host that the guest does not have");
	ck_assert_int_eq(
		plan_devices(DEVICES(DEV("/dev/b", "b", 1, 3), ""), &nothing, &p, &err),
		-ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "attached when a VM boots"));
}
END_TEST

START_TEST(privileged_devices_are_the_guests)
{
	struct kata_err err = { 0 };
	struct device_plan p;

	ck_assert_int_eq(
		plan_devices(DEVICES(DEV("/dev/sda", "b", 8, 0) "," DEV(
					     "/dev/hwrng", "c", 10,
					     183) "," DEV("/dev/vsock", "c", 10, 99),
				     ALL),
			     &has_own, &p, &err),
		0);
	ck_assert_str_eq(p.warning,
			 "linux.devices: 2 devices of the host that the guest does not "
			 "have are left out: /dev/sda, /dev/vsock");
	ck_assert(device_rules_all(&p.rules));
	/* as the spec wants it; as the guest has it */
	ck_assert_int_eq(node_at(&p, "/dev/hwrng")->mode, S_IFCHR | 0666);
	ck_assert_int_eq(node_at(&p, "/dev/vda")->mode, S_IFBLK | 0660);
	ck_assert_uint_eq(node_at(&p, "/dev/vda")->gid, 6);
	/* of the guest, not of the number that the host has for it */
	ck_assert_uint_eq(node_at(&p, "/dev/vsock")->minor, 123);
	ck_assert_ptr_nonnull(node_at(&p, "/dev/null"));
	ck_assert(!node_at(&p, "/dev/ptmx") && !node_at(&p, "/dev/pts/0"));
	ck_assert_ptr_null(node_at(&p, "/dev/snd/seq")); /* the engine's mount */
	/* all but one is not all */
	ck_assert_int_eq(plan_devices(DEVICES(DEV("/dev/sda", "b", 8, 0),
					      ALL ",{\"allow\":false,\"type\":\"b\","
						  "\"major\":8,\"access\":\"w\"}"),
				      &has_own, &p, &err),
			 -ENOTSUP);
}
END_TEST

START_TEST(disks_have_the_guests_numbers)
{
	static const char rules[] =
		"{\"allow\":false,\"access\":\"rwm\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":7,\"minor\":9,\"access\":\"r\"},"
		"{\"allow\":true,\"type\":\"b\",\"major\":253,\"minor\":0,\"access\":\"rwm\"}";
	struct oci_spec spec = *DEVICES(DEV("/dev/xvda", "b", 7, 9), "{\"allow\":false}");
	struct device_rules host, guest, left;
	struct kata_err err = { 0 };
	struct device_plan p;

	ck_assert_int_eq(plan_devices(&spec, &has_disk, &p, &err), 0);
	ck_assert_uint_eq(node_at(&p, "/dev/xvda")->major, 254);
	ck_assert_uint_eq(node_at(&p, "/dev/xvda")->minor, 16);
	ck_assert_str_eq(node_at(&p, "/dev/xvda")->source, "/dev/vdb");

	spec = *oci_decoded(arena_printf(
		test_arena(),
		"{\"ociVersion\":\"1.0.0\",\"linux\":{\"resources\":{\"devices\":[%s]}}}",
		rules));
	ck_assert_int_eq(device_rules_make(&spec.linux_->resources->devices, test_arena(),
					   &host, &err),
			 0);
	/* 253 is another driver's here */
	device_plan_rules(&host, &has_disk, test_arena(), &guest, &left);
	ck_assert_uint_eq(left.n, 1);
	ck_assert_str_eq(device_rule_text(left.v, test_arena()), "b 253:0 rwm");
	ck_assert_uint_eq(device_rules_verdict(&guest, 'b', 254, 16),
			  DEVICE_R | DEVICE_M);
	ck_assert_uint_eq(device_rules_verdict(&guest, 'b', 253, 0), DEVICE_M);
	ck_assert_uint_eq(device_rules_verdict(&guest, 'b', 7, 9), DEVICE_M);
	ck_assert_uint_eq(device_rules_verdict(&guest, 'c', 1, 3),
			  DEVICE_R | DEVICE_W | DEVICE_M);
}
END_TEST

/* A user namespace may make no device node, but FIFOs. */
static bool without_mknod(void)
{
	AUTO_FREE char *map = mem_printf("0 %u 1", geteuid());

	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       fs_write_str(AT_FDCWD, "/proc/self/uid_map", map) == 0;
}

START_TEST(devices_are_bound_where_none_can_be_made)
{
	static const char *const bound[] = { "null",   "zero",	  "full",
					     "random", "urandom", "tty" };
	TMP t = tmp_make();
	const struct oci_spec *fifo = oci_decoded(
		"{\"ociVersion\":\"1.0.0\",\"linux\":{\"devices\":["
		"{\"path\":\"/dev/queue\",\"type\":\"p\",\"fileMode\":416}]}}");
	struct kata_err err = { 0 };
	struct device_plan plan;
	struct stat st;

	if (under_valgrind() || !without_mknod())
		return; /* no user namespaces here */
	close(t.fd);	/* it sees the mounts of the namespace it was opened in */
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	ck_assert_msg(devices_plan(fifo, test_arena(), &plan, &err) == 0, "%s", err.msg);
	ck_assert_msg(devices_make(t.fd, &plan, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(fstatat(t.fd, "dev/zero", &st, 0), 0);
	ck_assert(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 5));
	ck_assert_int_eq(fstatat(t.fd, "dev/queue", &st, 0), 0);
	ck_assert_int_eq(st.st_mode, S_IFIFO | 0640);
	for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
		AUTO_FREE char *path = mem_printf("%s/dev/%s", t.path, bound[i]);

		ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		device_list,
		privileged_devices_are_the_guests,
		disks_have_the_guests_numbers,
		devices_are_bound_where_none_can_be_made,
	};

	return suite_run("devices", tests, ARRAY_SIZE(tests));
}
