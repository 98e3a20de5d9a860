/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_vm: the "vm" section (config-vm.md). The spec's text and schema spell
 * "hwConfig", specs-go spells "hwconfig"; both are taken.
 */
#include "oci/spec_tabs.h"

#define PATH_FLAGS (JT_REQUIRED | JT_NONEMPTY)

static const char *const image_formats[] = { "raw", "qcow2", "vdi", "vmdk", "vhd", NULL };

static const struct jt_field hypervisor_fields[] = {
	JT(struct oci_vm_hypervisor, path, JT_STR, .flags = PATH_FLAGS),
	JT(struct oci_vm_hypervisor, parameters, JT_STRV),
};

static int hypervisor_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_vm_hypervisor *hv = obj;

	return spec_need_abs(hv->path, path, "path", err);
}

static const struct jtab hypervisor_tab = {
	.what = "hypervisor",
	.size = sizeof(struct oci_vm_hypervisor),
	.fields = hypervisor_fields,
	.n_fields = ARRAY_SIZE(hypervisor_fields),
	.check = hypervisor_check,
};

static const struct jt_field kernel_fields[] = {
	JT(struct oci_vm_kernel, path, JT_STR, .flags = PATH_FLAGS),
	JT(struct oci_vm_kernel, parameters, JT_STRV),
	JT(struct oci_vm_kernel, initrd, JT_STR),
};

static int kernel_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_vm_kernel *kernel = obj;
	int r = spec_need_abs(kernel->path, path, "path", err);

	return r < 0 ? r : spec_need_abs(kernel->initrd, path, "initrd", err);
}

static const struct jtab kernel_tab = {
	.what = "kernel",
	.size = sizeof(struct oci_vm_kernel),
	.fields = kernel_fields,
	.n_fields = ARRAY_SIZE(kernel_fields),
	.check = kernel_check,
};

static const struct jt_field image_fields[] = {
	JT(struct oci_vm_image, path, JT_STR, .flags = PATH_FLAGS),
	JT(struct oci_vm_image, format, JT_STR, .flags = JT_REQUIRED),
};

static int image_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_vm_image *image = obj;
	int r = spec_need_abs(image->path, path, "path", err);

	return r < 0 ? r
		     : spec_need_word(image->format, image_formats, path, "format", err);
}

static const struct jtab image_tab = {
	.what = "image",
	.size = sizeof(struct oci_vm_image),
	.fields = image_fields,
	.n_fields = ARRAY_SIZE(image_fields),
	.check = image_check,
};

static const struct jt_field iomem_fields[] = {
	JT(struct oci_vm_iomem, firstGFN, JT_OPT_U64),
	JT(struct oci_vm_iomem, firstMFN, JT_U64, .flags = JT_REQUIRED),
	JT(struct oci_vm_iomem, nrMFNs, JT_U64, .flags = JT_REQUIRED),
};

static const struct jtab iomem_tab = {
	.what = "iomem",
	.size = sizeof(struct oci_vm_iomem),
	.fields = iomem_fields,
	.n_fields = ARRAY_SIZE(iomem_fields),
};

static const struct jt_field hw_fields[] = {
	JT(struct oci_vm_hw, deviceTree, JT_STR),
	JT(struct oci_vm_hw, vcpus, JT_OPT_U32),
	JT(struct oci_vm_hw, memory, JT_OPT_U64),
	JT(struct oci_vm_hw, dtdevs, JT_STRV),
	JT(struct oci_vm_hw, iomems, JT_OBJV, .sub = &iomem_tab),
	JT(struct oci_vm_hw, irqs, JT_U32V),
};

static int hw_check(const void *obj, const char *path, struct kata_err *err)
{
	const struct oci_vm_hw *hw = obj;

	return spec_need_abs(hw->deviceTree, path, "deviceTree", err);
}

static const struct jtab hw_tab = {
	.what = "hwConfig",
	.size = sizeof(struct oci_vm_hw),
	.fields = hw_fields,
	.n_fields = ARRAY_SIZE(hw_fields),
	.check = hw_check,
};

static const struct jt_field vm_fields[] = {
	JT(struct oci_vm, hypervisor, JT_OBJ, .sub = &hypervisor_tab),
	JT(struct oci_vm, kernel, JT_OBJ, .flags = JT_REQUIRED, .sub = &kernel_tab),
	JT(struct oci_vm, image, JT_OBJ, .sub = &image_tab),
	JT(struct oci_vm, hwConfig, JT_OBJ, .sub = &hw_tab, .alias = "hwconfig"),
};

const struct jtab oci_vm_tab = {
	.what = "vm",
	.size = sizeof(struct oci_vm),
	.fields = vm_fields,
	.n_fields = ARRAY_SIZE(vm_fields),
};
