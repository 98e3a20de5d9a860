/* SPDX-License-Identifier: Apache-2.0 */
/* vmm: the table of drivers. */
#include "vmm/vmm.h"

#include "base/mem.h"
#include "base/str.h"
#include "vmm/qemu.h"

static const struct vmm_driver *const drivers[] = { &qemu_driver };

const char *const vmm_driver_names[] = { "qemu", NULL };

const struct vmm_driver *vmm_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (str_eq(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}
