/* SPDX-License-Identifier: Apache-2.0 */
/* The vm section. */
#include "oci.h"

START_TEST(all_members)
{
	AUTO(arena) *a = arena_new();
	const struct oci_vm *vm;
	const struct oci_vm_iomem *io;

	vm = oci_good(a,
		      CONFIG("'vm':{'hypervisor':{'path':'/q','parameters':['-a','b c']},"
			     "'kernel':{'path':'/k','parameters':['x=y'],'initrd':'/i'},"
			     "'image':{'path':'/im','format':'vhd'},"
			     "'hwConfig':{'deviceTree':'/d','vcpus':4294967295,"
			     "'memory':18446744073709551615,'dtdevs':['p'],"
			     "'iomems':[{'firstMFN':1,'nrMFNs':2},"
			     "{'firstGFN':0,'firstMFN':3,'nrMFNs':4}],'irqs':[0,9]}}"))
		     ->vm;
	ck_assert_str_eq(vm->hypervisor->path, "/q");
	STRV_EQ(vm->hypervisor->parameters, "-a", "b c");
	ck_assert_str_eq(vm->kernel->path, "/k");
	STRV_EQ(vm->kernel->parameters, "x=y");
	ck_assert_str_eq(vm->kernel->initrd, "/i");
	ck_assert_str_eq(vm->image->path, "/im");
	ck_assert_str_eq(vm->image->format, "vhd");
	ck_assert_str_eq(vm->hwConfig->deviceTree, "/d");
	ck_assert_uint_eq(*vm->hwConfig->vcpus, UINT32_MAX);
	ck_assert(*vm->hwConfig->memory == UINT64_MAX);
	STRV_EQ(vm->hwConfig->dtdevs, "p");
	io = vm->hwConfig->iomems.v;
	ck_assert_ptr_null(io[0].firstGFN);
	ck_assert_uint_eq(*io[1].firstGFN, 0);
	ck_assert_uint_eq(io[1].nrMFNs, 4);
	ck_assert_uint_eq(vm->hwConfig->irqs.v[1], 9);
}
END_TEST

START_TEST(kernel_is_enough)
{
	AUTO(arena) *a = arena_new();
	const struct oci_vm *vm =
		oci_good(a, CONFIG("'vm':{'kernel':{'path':'/k'}}"))->vm;

	ck_assert_ptr_null(vm->hypervisor);
	ck_assert_ptr_null(vm->image);
	ck_assert_ptr_null(vm->hwConfig);
	ck_assert_ptr_null(vm->kernel->initrd);
}
END_TEST

/* specs-go's spelling; written back as the schema's */
START_TEST(hwconfig_is_hw_config)
{
	AUTO(arena) *a = arena_new();
	const struct oci_spec *spec;
	struct buf b = { 0 };
	struct json_out o = { .buf = &b };

	spec = oci_good(a,
			CONFIG("'vm':{'kernel':{'path':'/k'},'hwconfig':{'vcpus':3}}"));
	ck_assert_uint_eq(*spec->vm->hwConfig->vcpus, 3);
	jtab_encode(&oci_spec_tab, spec, &o);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\"hwConfig\":{\"vcpus\":3}"));
	buf_done(&b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		all_members,
		kernel_is_enough,
		hwconfig_is_hw_config,
	};

	return suite_run("oci_vm", tests, ARRAY_SIZE(tests));
}
